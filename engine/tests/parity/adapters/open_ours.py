"""Opens adapters that ensayo exported with PEFT and compares its logits with those of `ensayo predict --logits`.

    pip install torch==2.15.0 transformers==5.23.0 peft==0.21.2 tokenizers==0.23.3
    python open_ours.py ../../../../target/release/ensayo

Makes small random bases (BERT, RoBERTa and DeBERTa whole; BERT and DeBERTa as masked-LMs without a pooler, DeBERTa's in `pytorch_model.bin`), trains an adapter
on each with a run of the program, goes on training adapters of PEFT (`lora.init`), and fails where a logit of PEFT is more than 1e-5 away, or a probability more than
2e-6 from what `predictions.csv` holds (6 digits).
"""

import csv
import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from peft import PeftModel
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    AutoModelForSequenceClassification,
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    DebertaV2Config,
    DebertaV2ForMaskedLM,
    DebertaV2ForSequenceClassification,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForSequenceClassification,
)

HERE = Path(__file__).resolve().parent
DATA = HERE.parents[3] / "data" / "quickstart-reviews.csv"
MAX_LENGTH = 48
DEBERTA = dict(
    relative_attention=True, position_buckets=8, norm_rel_ebd="layer_norm", share_att_key=True, pos_att_type="p2c|c2p", position_biased_input=False, legacy=False
)
SHOWN_CHARACTERS = 500  # predictions.csv cuts longer texts, which cannot be compared


def tokenizer(folder, first, last, specials):
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,!?'-:;$%()\""
    words = ["the", "and", "is", "was", "not", "good", "bad", "battery", "price", "quality", "service", "returned", "recommended"]
    pieces = [*specials, *letters, *(f"##{letter}" for letter in letters), *words]
    pipeline = Tokenizer(models.WordPiece({piece: index for index, piece in enumerate(pieces)}, unk_token=specials[3]))
    pipeline.normalizer = normalizers.BertNormalizer(lowercase=True)
    pipeline.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    ends = [(token, pieces.index(token)) for token in (first, last)]
    pipeline.post_processor = processors.TemplateProcessing(single=f"{first} $A {last}", special_tokens=ends)
    pipeline.save(str(folder / "tokenizer.json"))
    return len(pieces)


def base(folder, kind):
    folder.mkdir()
    torch.manual_seed(3)
    sizes = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64, initializer_range=0.2)
    if kind is RobertaForSequenceClassification:
        vocab = tokenizer(folder, "<s>", "</s>", ["<s>", "<pad>", "</s>", "<unk>"])
        config = RobertaConfig(vocab_size=vocab, max_position_embeddings=66, type_vocab_size=1, pad_token_id=1, bos_token_id=0, eos_token_id=2, **sizes)
    else:
        vocab = tokenizer(folder, "[CLS]", "[SEP]", ["[PAD]", "[CLS]", "[SEP]", "[UNK]"])
        if kind in (DebertaV2ForMaskedLM, DebertaV2ForSequenceClassification):
            config = DebertaV2Config(vocab_size=vocab, max_position_embeddings=64, pad_token_id=0, **DEBERTA, **sizes)
        else:
            config = BertConfig(vocab_size=vocab, max_position_embeddings=64, pad_token_id=0, **sizes)
    model = kind(config)
    model.save_pretrained(folder)
    if kind is DebertaV2ForMaskedLM:
        (folder / "model.safetensors").unlink()
        torch.save(model.state_dict(), folder / "pytorch_model.bin")


def started(folder, kind):
    """A checkpoint of the fixtures, with a tokeniser."""
    shutil.copytree(HERE.parent / kind / "checkpoint", folder)
    first, last = ("<s>", "</s>") if kind == "roberta" else ("[CLS]", "[SEP]")
    specials = ["<s>", "<pad>", "</s>", "<unk>"] if kind == "roberta" else ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]
    assert tokenizer(folder, first, last, specials) <= 120


def run(ensayo, folder, name, lora):
    experiments = folder / "experiments"
    experiments.mkdir(exist_ok=True)
    (experiments / f"{name}.toml").write_text(
        f"""name = "{name}"
kind = "lora"
[model]
path = "{folder / name}"
[data]
path = "{DATA}"
limit = 300
[lora]
{lora}
[training]
epochs = 1
batch_size = 16
learning_rate = 5e-3
max_length = {MAX_LENGTH}
"""
    )
    command = [ensayo, "run", name, "--device", "cpu", "--experiments", experiments, "--results", folder / "results"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder / "results" / name / "base" / "seed-42"


def predicted(ensayo, results, texts):
    """Logits by `ensayo predict`."""
    name, root = results.parents[1].name, results.parents[2]
    path = root / "texts.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["text"], *([text] for text in texts)])
    command = [ensayo, "predict", f"{name}/base", "--logits", "--device", "cpu", "--results", root, "--input", path]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = list(csv.DictReader(io.StringIO(output, newline="")))
    assert [row["text"] for row in rows] == texts
    return [[float(value) for key, value in row.items() if key.startswith("logit_")] for row in rows]


def compare(ensayo, folder, results):
    torch.manual_seed(99)  # what the checkpoint lacks is drawn differently here; the adapter must bring it
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    model = PeftModel.from_pretrained(model, results / "adapter").eval()
    encode = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    rows = list(csv.DictReader((results / "predictions.csv").open(newline="")))
    rows = [row for row in rows if len(row["text"]) < SHOWN_CHARACTERS]
    worst = worst_logit = 0.0
    for row, logits in zip(rows, predicted(ensayo, results, [row["text"] for row in rows])):
        ids = encode(row["text"], truncation=True, max_length=MAX_LENGTH, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            theirs = model(input_ids=ids).logits[0]
        worst_logit = max(worst_logit, *(abs(a - b) for a, b in zip(logits, theirs.tolist())))
        theirs = theirs.softmax(-1).tolist()
        ours = [float(value) for key, value in row.items() if key.startswith("probability_")]
        worst = max(worst, *(abs(a - b) for a, b in zip(ours, theirs)))
    spread = {row["probability_0"] for row in rows}
    assert len(rows) > 20 and len(spread) > 10, "predictions that are all alike prove nothing"
    print(f"{folder.name}: {len(rows)} rows, logits at most {worst_logit:.1e} apart, probabilities {worst:.1e}")
    return worst_logit < 1e-5 and worst < 2e-6


def main():
    ensayo = Path(sys.argv[1]).resolve()
    cases = [
        ("bert", BertForSequenceClassification, ["query", "value"]),
        ("bert-all", BertForSequenceClassification, ["query", "key", "value", "attention_output", "intermediate", "output", "pooler"]),
        ("bert-fresh-pooler", BertForMaskedLM, ["query", "value"]),
        ("bert-fresh-pooler-adapted", BertForMaskedLM, ["query", "pooler"]),
        ("roberta", RobertaForSequenceClassification, ["query", "value"]),
        ("deberta", DebertaV2ForSequenceClassification, ["query", "value"]),
        ("deberta-all", DebertaV2ForSequenceClassification, ["query", "key", "value", "attention_output", "intermediate", "output", "pooler"]),
        ("deberta-fresh-pooler", DebertaV2ForMaskedLM, ["query", "key", "value"]),
        ("deberta-fresh-pooler-adapted", DebertaV2ForMaskedLM, ["query", "pooler"]),
        ("roberta-all", RobertaForSequenceClassification, ["query", "key", "value", "attention_output", "intermediate", "output"]),
    ]
    started_from = [
        ("expression", "bert"),
        ("pooler-saved", "bert"),
        ("rank-stabilised", "bert"),
        ("patterns", "bert"),
        ("patterns-rank-stabilised", "roberta"),
        ("../deberta/buckets/lora/all-linears", "deberta/buckets"),
        ("../deberta/buckets/lora/pooler", "deberta/buckets"),
    ]
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for name, kind, targets in cases:
            base(Path(folder) / name, kind)
            names = ", ".join(f'"{target}"' for target in targets)
            lora = f"rank = 4\nalpha = 16\ndropout = 0.1\ntargets = [{names}]"
            failed |= not compare(ensayo, Path(folder) / name, run(ensayo, Path(folder), name, lora))
        for adapter, kind in started_from:
            name = f"{kind.split('/')[0]}-{Path(adapter).name}-trained-further"
            started(Path(folder) / name, kind)
            lora = f'init = "{(HERE / adapter / "adapter").resolve()}"'
            failed |= not compare(ensayo, Path(folder) / name, run(ensayo, Path(folder), name, lora))
    sys.exit(failed)


if __name__ == "__main__":
    main()
