"""Writes cases.json: what tokenizer_config.json and its companions do to token ids in transformers.

    pip install transformers==5.24.0 tokenizers==0.23.3 && python generate.py

Each case copies the tokenizer.json of a folder beside this one, or writes a vocabulary, and lays files beside it. With a
CSV of texts as an argument it writes nothing, but saves ids of its first 2,000 texts for each case as real.json, for a
comparison with another tokeniser (see the test `settings_are_obeyed_on_real_texts`).
"""

import csv
import json
import sys
import tempfile
from pathlib import Path

import tokenizers
import transformers
from transformers import AutoTokenizer

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tokenizer"))

TEXTS = [
    "This game is great, the levels are hard but fair.",
    "THIS GAME IS GREAT!!! 10/10",
    "",
    "   ",
    " leading, trailing and   doubled spaces ",
    "line\nbreak\r\nand\ttab",
    "naïve café ñandú ÅNGSTRÖM e\u0301",
    "日本語のレビュー and 中文game",
    "a special [SEP] inside, a [MASK], a [PAD], a <s> and a </s><pad> and <mask> here",
    "the<GAME>is<game>great <GAME> 10/10level",
    "good " * 40,
]

WORDS, BYTES = "tokenizer/word-piece", "tokenizer/byte-level"


def token(content, **changes):
    plain = dict(content=content, lstrip=False, rstrip=False, normalized=False, single_word=False, special=True)
    return plain | changes


def read(folder):
    return json.loads((HERE.parent / folder / "tokenizer.json").read_text())


def changed(folder, **changes):
    return read(folder) | changes


def vocabulary(folder):
    """The files that a class keeps its vocabulary in."""
    model = read(folder)["model"]
    words = sorted(model["vocab"], key=model["vocab"].get)
    if model["type"] == "WordPiece":
        return {"vocab.txt": "".join(f"{word}\n" for word in words)}
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    return {
        "vocab.json": json.dumps(model["vocab"], ensure_ascii=False),
        "merges.txt": "#version: 0.2\n" + "".join(f"{merge}\n" for merge in merges),
    }


def unigrams():
    """A few pieces, behind steps of which the class keeps none."""
    letters = sorted(set("".join(TEXTS)) - set(" \n\r\t\0"))
    pieces = [["<s>", 0.0], ["<pad>", 0.0], ["</s>", 0.0], ["<unk>", 0.0], ["▁", -3.0]]
    pieces += [[letter, -8.0 - index / 64] for index, letter in enumerate(letters)]
    pieces += [[piece, -4.0 - index / 16] for index, piece in enumerate(["▁game", "game", "▁the", "▁is", "▁great", "level", "ing", "or"])]
    spaces = dict(type="Replace", pattern=dict(Regex=" {2,}"), content="x")
    metaspace = dict(type="Metaspace", replacement="▁", prepend_scheme="first", split=False)
    empty = dict(version="1.0", truncation=None, padding=None, added_tokens=[], post_processor=None, decoder=None)
    model = dict(type="Unigram", unk_id=3, vocab=pieces, byte_fallback=False)
    return empty | dict(normalizer=spaces, pre_tokenizer=metaspace, model=model)


def cases():
    bert, roberta = {"config.json": {"model_type": "bert"}}, {"config.json": {"model_type": "roberta"}}

    def words(name, config=None, more=None, **rest):
        files = dict(bert)
        if config is not None:
            files["tokenizer_config.json"] = {"tokenizer_class": "BertTokenizer"} | config
        return dict(name=name, copy=WORDS, files=files | (more or {})) | rest

    def letters(name, config=None, more=None, **rest):
        files = dict(roberta)
        if config is not None:
            files["tokenizer_config.json"] = {"tokenizer_class": "RobertaTokenizer"} | config
        return dict(name=name, copy=BYTES, files=files | (more or {})) | rest

    cased = dict(type="BertNormalizer", clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    listed = {"5": token("great"), "177": token("level", special=False, single_word=True), "178": token("<GAME>")}
    yield words("no settings at all")
    yield words("cased", {"do_lower_case": False})
    yield words("accents kept", {"strip_accents": False})
    yield words("accents lost, capitals kept", {"strip_accents": True, "do_lower_case": False})
    yield words("accents by default", {"strip_accents": None})
    yield words("Chinese in words", {"tokenize_chinese_chars": False})
    file = {"tokenizer.json": changed(WORDS, normalizer=cased)}
    yield words("settings over the file", {}, file, copy=None)
    yield words("a file as it is", {"tokenizer_class": "PreTrainedTokenizerFast", "do_lower_case": True}, file, copy=None)
    yield words("listed tokens", {"added_tokens_decoder": listed})
    stripping = {"178": token("<GAME>", lstrip=True, rstrip=True), "179": token("10/10", special=False, normalized=True)}
    yield words("tokens that take spaces", {"added_tokens_decoder": stripping})
    yield words("normalised tokens", {"added_tokens_decoder": {"178": token("<GAME>", normalized=True, special=False)}})
    older = {
        "special_tokens_map.json": {"cls_token": "[MASK]", "sep_token": token("[SEP]", lstrip=True), "extra_special_tokens": ["<GAME>"]},
        "added_tokens.json": {"10/10": 178, "<GAME>": 179},
    }
    yield words("older files", {"do_lower_case": True}, older)
    yield words("further special tokens", {"additional_special_tokens": ["<GAME>", dict(token("fair"), __type="AddedToken")]})
    yield words("a token of the model's own", {"game_token": "<GAME>", "sep_token": "[MASK]"})
    yield words("cut on the left", {"truncation_side": "left"}, max_length=12)
    left = dict(direction="Left", max_length=7, strategy="LongestFirst", stride=0)
    yield words("cut on the file's side", {}, {"tokenizer.json": changed(WORDS, truncation=left)}, copy=None, max_length=12)
    yield words("special tokens are text", {"split_special_tokens": True})
    yield words("of MPNet", {"tokenizer_class": "MPNetTokenizer"})
    yield words("of another model's class", {}, {"config.json": {"model_type": "mpnet"}})
    yield words("vocab.txt", None, vocabulary(WORDS), copy=None)
    yield words("vocab.txt, cased", {"do_lower_case": False, "truncation_side": "left"}, vocabulary(WORDS), copy=None, max_length=12)
    yield words("vocab.txt of MPNet", {"tokenizer_class": "MPNetTokenizer"}, vocabulary(WORDS), copy=None)
    yield letters("no settings at all, letters")
    yield letters("a space before", {"add_prefix_space": True})
    yield letters("no space before", {"add_prefix_space": False}, {"tokenizer.json": changed(BYTES, pre_tokenizer=dict(type="ByteLevel", add_prefix_space=True, trim_offsets=True, use_regex=True))}, copy=None)
    yield letters("a file as it is, letters", {"tokenizer_class": "PreTrainedTokenizerFast", "add_prefix_space": True})
    yield letters("letters cut on the left", {"truncation_side": "left"}, max_length=12)
    yield letters("a mask that takes spaces", {"mask_token": dict(token("<mask>", lstrip=True), __type="AddedToken")})
    yield letters("vocab.json and merges.txt", None, vocabulary(BYTES), copy=None)
    yield letters("vocab.json and merges.txt, a space before", {"add_prefix_space": True}, vocabulary(BYTES), copy=None)
    files = {"config.json": {"model_type": "xlm-roberta"}, "tokenizer.json": unigrams()}
    added = {"4": token("<GAME>"), "9": token("level", special=False, normalized=True)}
    for name, config in [
        ("pieces", {}),
        ("pieces without a space before", {"add_prefix_space": False}),
        ("pieces with tokens", {"added_tokens_decoder": added}),
    ]:
        config = {"tokenizer_config.json": {"tokenizer_class": "XLMRobertaTokenizer"} | config}
        yield dict(name=name, copy=None, files=files | config)


def load(case, folder):
    if case["copy"]:
        (folder / "tokenizer.json").write_bytes((HERE.parent / case["copy"] / "tokenizer.json").read_bytes())
    for name, content in case["files"].items():
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        (folder / name).write_text(text)
    return AutoTokenizer.from_pretrained(folder)


def main():
    real = None
    if len(sys.argv) > 1:
        with open(sys.argv[1], newline="") as file:
            real = [row["text"] for row, _ in zip(csv.DictReader(file), range(2000))]
    done = []
    for case in cases():
        case.setdefault("max_length", 64)
        with tempfile.TemporaryDirectory() as folder:
            tokenizer = load(case, Path(folder))
        cut = dict(truncation=True, max_length=case["max_length"])
        case["ids"] = tokenizer(real or TEXTS, **cut)["input_ids"]
        case |= dict(pad_id=tokenizer.pad_token_id, vocab_size=len(tokenizer))
        done.append(case)
    versions = {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__}
    written = json.dumps(dict(versions=versions, texts=real or TEXTS, cases=done), ensure_ascii=False, separators=(",", ":"))
    (HERE / ("real.json" if real else "cases.json")).write_text(written + "\n")


if __name__ == "__main__":
    main()
