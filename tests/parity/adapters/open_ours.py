"""Opens adapters that ensayo exported with PEFT and compares its probabilities with ensayo's own predictions.

    pip install torch==2.15.0 transformers==5.23.0 peft==0.21.2 tokenizers==0.23.3
    python open_ours.py ../../../target/release/ensayo

Makes small random bases (BERT whole, BERT as a masked-LM without a pooler, RoBERTa whole), trains an adapter on each with a run of
the program, goes on training the adapters of PEFT in this folder (`lora.init`), and fails where PEFT sees other probabilities than `predictions.csv` holds (6 digits, so 2e-6 apart at most).
"""

import csv
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
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForSequenceClassification,
)

HERE = Path(__file__).resolve().parent
DATA = HERE.parents[2] / "data" / "quickstart-reviews.csv"
MAX_LENGTH = 48
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
        config = BertConfig(vocab_size=vocab, max_position_embeddings=64, pad_token_id=0, **sizes)
    kind(config).save_pretrained(folder)


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


def compare(folder, results):
    torch.manual_seed(99)  # what the checkpoint lacks is drawn differently here; the adapter must bring it
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    model = PeftModel.from_pretrained(model, results / "adapter").eval()
    encode = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))
    rows = list(csv.DictReader((results / "predictions.csv").open(newline="")))
    rows = [row for row in rows if len(row["text"]) < SHOWN_CHARACTERS]
    worst = 0.0
    for row in rows:
        ids = encode(row["text"], truncation=True, max_length=MAX_LENGTH, return_tensors="pt")["input_ids"]
        with torch.no_grad():
            theirs = model(input_ids=ids).logits.softmax(-1)[0].tolist()
        ours = [float(value) for key, value in row.items() if key.startswith("probability_")]
        worst = max(worst, *(abs(a - b) for a, b in zip(ours, theirs)))
    spread = {row["probability_0"] for row in rows}
    assert len(rows) > 20 and len(spread) > 10, "predictions that are all alike prove nothing"
    return len(rows), worst


def main():
    ensayo = Path(sys.argv[1]).resolve()
    cases = [
        ("bert", BertForSequenceClassification, ["query", "value"]),
        ("bert-all", BertForSequenceClassification, ["query", "key", "value", "attention_output", "intermediate", "output", "pooler"]),
        ("bert-fresh-pooler", BertForMaskedLM, ["query", "value"]),
        ("bert-fresh-pooler-adapted", BertForMaskedLM, ["query", "pooler"]),
        ("roberta", RobertaForSequenceClassification, ["query", "value"]),
        ("roberta-all", RobertaForSequenceClassification, ["query", "key", "value", "attention_output", "intermediate", "output"]),
    ]
    started_from = [
        ("expression", "bert"),
        ("pooler-saved", "bert"),
        ("rank-stabilised", "bert"),
        ("patterns", "bert"),
        ("patterns-rank-stabilised", "roberta"),
    ]
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for name, kind, targets in cases:
            base(Path(folder) / name, kind)
            names = ", ".join(f'"{target}"' for target in targets)
            lora = f"rank = 4\nalpha = 16\ndropout = 0.1\ntargets = [{names}]"
            rows, worst = compare(Path(folder) / name, run(ensayo, Path(folder), name, lora))
            failed |= not worst < 2e-6
            print(f"{name}: {rows} rows, probabilities at most {worst:.1e} apart")
        for name, kind in started_from:
            started(Path(folder) / name, kind)
            lora = f'init = "{HERE / name / "adapter"}"'
            rows, worst = compare(Path(folder) / name, run(ensayo, Path(folder), name, lora))
            failed |= not worst < 2e-6
            print(f"{name}, trained further: {rows} rows, probabilities at most {worst:.1e} apart")
    sys.exit(failed)


if __name__ == "__main__":
    main()
