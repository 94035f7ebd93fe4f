"""Writes three small models and expected.json: the token ids of sentencepiece itself.

    pip install sentencepiece==0.2.3 transformers==5.24.0 protobuf && python generate.py

With a folder of DeBERTa-v3's config.json and spm.model, and a CSV of reviews (columns text and label), it also writes deberta-v3-base.json: ids of the
same texts, a sha256 for every 1,000 reviews, and what transformers' tokeniser makes of texts that spell out special tokens.

    python generate.py --deberta models/deberta-v3-base --reviews reviews.csv
"""

import argparse
import csv
import hashlib
import io
import itertools
import json
import os
import random
import struct
from pathlib import Path

import sentencepiece

HERE = Path(__file__).parent
CORPUS = HERE.parents[2] / "data" / "quickstart-reviews.csv"

TEXTS = [
    "",
    " ",
    " \t\r\n\u00a0\u2003\u3000\u200b ",
    "Hello world, this is a review!",
    "  BEST   GAME\n\nEVER\u2026",
    "¿Qué tal? ñandú ﬁne ½ ①",
    "日本語 ok",
    "the \u2581levels\u2581 are\u2581\u2581 hard \u2581",
    "\u2581",
    "\u2581\u2581 \u2581",
    "a special [SEP] inside, a [MASK], a [PAD], an [UNK] and a <s> </s> <unk> <0x0A>",
    "[CLS][SEP]",
    "nul \u0000 inside, and at the end\u0000",
    "".join(map(chr, range(1, 32))) + "\u007f" + "".join(map(chr, range(0x80, 0xa0))),
    "x".join(map(chr, range(1, 32))) + "x\u007fx" + "x".join(map(chr, range(0x80, 0xa0))),
    "tab\tnew\nline\r\nreturn\rform\u000cvertical\u000bnext\u0085nbsp\u00a0ogham\u1680mongolian\u180eem\u2003thin\u2009hair\u200aline\u2028para\u2029narrow\u202fmath\u205fideo\u3000end",
    "zero\u200bwidth\u200cnon\u200djoiner\u2060word\ufeffbom soft\u00adhyphen",
    "left\u200eright\u200fmarks \u202aembed\u202c \u2066isolate\u2069",
    "emoji 😀👍🏽 👩\u200d👩\u200d👧\u200d👦 🏳️\u200d🌈 🇪🇸🇫🇷 ❤️ 1️⃣ ☺︎",
    "हिन्दी עברית العربية ไทย தமிழ் ქართული አማርኛ",
    "한국어 " + "\u1112\u1161\u11ab\u1100\u116e\u11a8\u110b\u1165" + " \u1100\u1161 \u1100 \u1161\u11a8 \uac00\u11a8",
    "e\u0301 n\u0303 A\u030a o\u0302\u0301 q\u0307\u0323 \u0301alone",
    "e" + "\u0301" * 40 + " z̸͉̚a̵͚l̶̰g̷̜o̶͇",
    "ΑΣ Σίσυφος ὈΔΥΣΣΕΎΣ ᾳ ΐ ẞ straße İstanbul ı ſ K Å",
    "ｆｕｌｌ　ｗｉｄｔｈ ｶﾞﾊﾟ ㌔ ㍻ ㈱ ﷺ ² ₃ ⅷ № ℃ ™ ﬀ ﬃ ﬆ",
    "中文字符，没有空格。ひらがなカタカナ漢字混じり文",
    "\U0001d54f\U0001d4d0 \U00020000\U0002f800 \U000e0041\U000e007f \U0010ffff \ufffe\uffff \ufffd \ue000",
    "dots ... .... \u2026 \u2025 ․ · quotes ‘’ “” « » ‹› ´ ` ¨ dashes - – — ― ‐ ‑ − ~ ～ 〜",
    "a" * 500,
    "aaaaaaaabbbbbbbbab" * 40,
    "aAaA" * 200,
    "lol" * 150 + "!" * 200,
    "ha" * 33 + "HAHAHA" * 22 + " " + "=" * 77 + "_" * 66,
    "unbelievableunbelievableunbelievable" * 10,
    "ñ" * 100 + "日" * 100 + "😀" * 100 + "\u0378" * 50,
    "x \u0378 \u0378\u0379 y\u0378\u0379z",
    "<url> <url><url> a<url>b \u00abx \u00abxx Ｘ\u00abＸ ½url <UR L>",
    "ab<url>  ½½ abc Abc ABC aB ab c",
    "https://example.org/?a=b&c=d#e well-known e.g. don't #1 @me 3.14 1,000 100% $5",
    "\ud7ff\ue000 surrogates' neighbours",
    "trailing space ",
    " leading space",
    "one\u0301  two\u00a0\u00a0three \n four",
]

# Rules of the second model: some longer than others that begin alike, one that becomes nothing, some with spaces.
RULES = [("a", "A"), ("ab", "ba"), ("abc", "<abc>"), ("½", "1 2"), ("é", ""), ("\t", " "), ("\u00a0", "  "), ("日本", "Japan "), ("日", " sun"), ("x\u0301", "ẋ")]


def noise():
    """Texts of characters from everywhere, the same on every run."""
    draw = random.Random(7)
    ranges = [(0x20, 0x7e), (0x61, 0x66), (0x20, 0x21), (0x00, 0x20), (0xa0, 0x24f), (0x300, 0x36f), (0x1100, 0x11ff), (0x2000, 0x206f), (0x2100, 0x218f),
              (0x2580, 0x2582), (0x3040, 0x30ff), (0x4e00, 0x4eff), (0xac00, 0xacff), (0xf900, 0xfaff), (0xfb00, 0xfb06), (0xff00, 0xffef),
              (0x1f300, 0x1f64f), (0x0, 0x2fff)]
    for _ in range(120):
        chosen = [draw.choice(ranges) for _ in range(draw.randint(1, 4))]
        yield "".join(chr(draw.randint(*draw.choice(chosen))) for _ in range(draw.randint(1, 60)))


def train(**settings):
    with open(CORPUS, newline="", encoding="utf-8") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    texts += ["¿Qué tal? Es un juego muy bueno, ñandú", "日本語 ok 日本", "emoji 😀 👍"] * 3
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_writer=model, model_type="unigram", num_threads=1, minloglevel=2,
        hard_vocab_limit=False, pad_id=0, bos_id=1, eos_id=2, unk_id=3, pad_piece="[PAD]", bos_piece="[CLS]", eos_piece="[SEP]", unk_piece="[UNK]", **settings)
    return model.getvalue()


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def message(*fields):
    """A protocol buffer of (number, value): text and bytes, floats, whole numbers."""
    out = b""
    for number, value in fields:
        if isinstance(value, str):
            value = value.encode()
        if isinstance(value, bytes):
            out += varint(number << 3 | 2) + varint(len(value)) + value
        elif isinstance(value, float):
            out += varint(number << 3 | 5) + struct.pack("<f", value)
        else:
            out += varint(number << 3) + varint(value)
    return out


def ties():
    """A model that leaves many ways to cut a text at the same score, or at scores that differ in the last bits only. Its fields stand in an odd order,
    with some that no reader knows."""
    draw = random.Random(3)
    words = ["".join(letters) for length in range(1, 6) for letters in itertools.product("ab", repeat=length)]
    scores = [-0.1, -0.2, -0.3, -1 / 3, -0.7, -1.1]
    pieces = [("<unk>", 0.0, 2), ("[PAD]", 0.0, 3), ("[SEP]", 0.0, 3), ("[CLS]", 0.0, 3), ("\u2581", -2.0, 1), ("c", -1.0, 5)]
    # A longer word costs what its letters cost, or nearly so.
    pieces += [(word, draw.choice(scores[:2]) * len(word) + draw.choice([0.0, 0.0, 1e-7, -1e-7]), 1) for word in words]
    pieces += [("abba", 0.0, 4), ("bab", 0.0, 4)]
    pieces = list({text: (text, score, kind) for text, score, kind in pieces}.values())
    out = message((3, message((1, "none"), (3, 1), (4, 0), (99, "unknown"))))
    for text, score, kind in pieces:
        out += message((1, message((3, kind), (2, score), (1, text), (200, 1))))
    return out + message((2, message((3, 1))), (77, 5))


def words_of_ties():
    """Short texts, and one that is long enough for its sums to lose digits: unknown characters cost most."""
    draw = random.Random(11)
    yield "".join(draw.choice("aab!") for _ in range(40_000))
    for length in [*range(1, 40), *range(40, 400, 20)]:
        yield "".join(draw.choice("aaabbb c") for _ in range(length))


def ids(processor, texts):
    return [processor.encode(text) for text in texts]


def digests(processor, reviews):
    with open(reviews, newline="", encoding="utf-8") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    for start in range(0, len(texts), 1000):
        digest = hashlib.sha256()
        for tokens in ids(processor, texts[start:start + 1000]):
            digest.update(struct.pack(f"<{len(tokens) + 1}I", len(tokens), *tokens))
        yield digest.hexdigest()


def spelled_out(folder):
    """Texts with special tokens in them, and their ids. Only plain spaces: of others, transformers 5 makes something else than sentencepiece."""
    from transformers import AutoTokenizer
    tokenizer = AutoTokenizer.from_pretrained(folder)
    draw = random.Random(5)
    parts = ["[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]", "[cls]", "[", "]", " ", "  ", "a", "good game", "é", "[MASK", "[[SEP]]", "."]
    for _ in range(300):
        text = "".join(draw.choice(parts) for _ in range(draw.randint(1, 7)))
        yield text, tokenizer(text)["input_ids"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--deberta", type=Path)
    parser.add_argument("--reviews", type=Path)
    options = parser.parse_args()
    os.chdir(HERE)  # The model keeps the name of its rules.
    rules = Path("rules.tsv")
    with open(rules, "w") as file:
        for source, target in RULES:
            file.write(" ".join(f"{ord(c):X}" for c in source) + "\t" + " ".join(f"{ord(c):X}" for c in target) + "\n")
    models = {
        "nmt-nfkc": train(vocab_size=700, normalization_rule_name="nmt_nfkc", byte_fallback=True, user_defined_symbols=["<url>", "«x"]),
        "rules": train(vocab_size=250, normalization_rule_tsv=str(rules), add_dummy_prefix=True, remove_extra_whitespaces=False,
                       treat_whitespace_as_suffix=True, character_coverage=0.98),
        "ties": ties(),
    }
    rules.unlink()
    texts = TEXTS + list(noise())
    cases = []
    for name, model in models.items():
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        (folder / "spm.model").write_bytes(model)
        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        own = texts + list(words_of_ties()) if name == "ties" else texts
        cases.append({"folder": name, "vocab_size": processor.vocab_size(), "texts": own, "ids": ids(processor, own)})
    write("expected.json", {"version": sentencepiece.__version__, "cases": cases})
    if options.deberta:
        processor = sentencepiece.SentencePieceProcessor(model_file=str(options.deberta / "spm.model"))
        write("deberta-v3-base.json", {
            "version": sentencepiece.__version__, "texts": texts, "ids": ids(processor, texts), "reviews": list(digests(processor, options.reviews)),
            "spelled_out": list(spelled_out(options.deberta))})


def write(name, value):
    (HERE / name).write_text(json.dumps(value, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
