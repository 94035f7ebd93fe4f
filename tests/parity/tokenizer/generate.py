"""Writes checkpoint/ (a small WordPiece and a small byte-level BPE tokeniser) and expected.json: ids from transformers.

    pip install transformers==5.23.0 tokenizers==0.23.3 && python generate.py
"""

import json
from pathlib import Path

import tokenizers
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer

HERE = Path(__file__).parent

TEXTS = [
    "This game is great, the levels are hard but fair.",
    "THIS GAME IS GREAT!!! 10/10",
    "",
    "   ",
    " leading, trailing and   doubled spaces ",
    "line\nbreak\r\nand\ttab",
    "naïve café ñandú ÅNGSTRÖM",
    "日本語のレビュー and 中文",
    "emoji 😀👍🏽 and ﬁne ½ ①",
    "null \u0000 control \u0007 soft\u00adhyphen zero\u200bwidth",
    "a special [SEP] inside, a [MASK], a [PAD], a <s> and a </s><pad> and <mask> here",
    "[CLS][SEP]",
    "unbelievableunbelievableunbelievable" * 10,
    "x" * 300,
    "good " * 100,
    "well-known e.g. don't can't #1 @me https://example.org/?a=b&c=d",
]

CORPUS = [
    "this game is great and the levels are hard but fair",
    "the music is good, the levels are not good",
    "i can't believe how bad the update is",
    "unbelievable value, 10/10, best game in years",
    "don't buy this, it crashes on every level",
    "a well-known classic that still holds up",
]


def word_piece():
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    # Listed rather than trained: the trainer's choice between equally frequent pairs changes from run to run.
    words = sorted({word.strip(",") for text in CORPUS for word in text.split()})
    letters = sorted(set("abcdefghijklmnopqrstuvwxyz0123456789!#&'*+,-./:;=?@[]_ñ日本語のレヒュー中文½"))
    pieces = [*specials, *letters, *(f"##{letter}" for letter in letters), *words, "##able", "##s", "##ing", "##believ"]
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    pipeline = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    pipeline.add_special_tokens(specials)
    pipeline.normalizer = normalizers.BertNormalizer(lowercase=True)
    pipeline.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    pipeline.decoder = decoders.WordPiece()
    ends = [(token, pipeline.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    pipeline.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ends
    )
    names = dict(unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]", mask_token="[MASK]")
    return pipeline, dict(names, tokenizer_class="BertTokenizer", do_lower_case=True)


def byte_level():
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    pipeline = Tokenizer(models.BPE())
    pipeline.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pipeline.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=330, special_tokens=specials, initial_alphabet=alphabet, show_progress=False
    )
    pipeline.train_from_iterator(CORPUS, trainer)
    pipeline.post_processor = processors.RobertaProcessing(
        ("</s>", pipeline.token_to_id("</s>")),
        ("<s>", pipeline.token_to_id("<s>")),
        trim_offsets=True,
        add_prefix_space=False,
    )
    names = dict(unk_token="<unk>", bos_token="<s>", eos_token="</s>", cls_token="<s>", sep_token="</s>")
    return pipeline, dict(names, pad_token="<pad>", mask_token="<mask>", tokenizer_class="PreTrainedTokenizerFast")


def main():
    cases = []
    for name, build in [("word-piece", word_piece), ("byte-level", byte_level)]:
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        pipeline, settings = build()
        # Settings that a loader must not obey.
        pipeline.enable_padding(length=40, pad_id=3, pad_token="decoy")
        pipeline.enable_truncation(max_length=5)
        pipeline.save(str(folder / "tokenizer.json"), pretty=False)
        (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=1) + "\n")
        tokenizer = AutoTokenizer.from_pretrained(folder)
        for max_length in [3, 16, 64]:
            ids = tokenizer(TEXTS, truncation=True, max_length=max_length)["input_ids"]
            cases.append({"folder": name, "max_length": max_length, "pad_id": tokenizer.pad_token_id,
                          "vocab_size": len(tokenizer), "ids": ids})
    expected = {
        "versions": {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__},
        "texts": TEXTS,
        "cases": cases,
    }
    (HERE / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
