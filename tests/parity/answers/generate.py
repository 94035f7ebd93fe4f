"""Writes `scores.json`: what answers are worth against right ones.

    pip install rouge-score==0.1.2
    python generate.py

ROUGE-L is the F-measure of the package `rouge-score`: with its own tokeniser for texts in ASCII, and for others with one that parts words in the
same way in every script. F1 is that of SQuAD's evaluation script, except that articles stay, which belong to one language.
"""

import collections
import json
import unicodedata
from pathlib import Path

from rouge_score import rouge_scorer

PAIRS = [
    ("The shell is a macro processor.", "A shell is simply a macro processor that executes commands."),
    ("cd changes the current working directory", "It changes the current directory to another one; see `cd -P`."),
    ("I don't know", "The umask is 022."),
    ("umask umask umask umask", "umask sets umask"),
    ("", "something"),
    ("It's the user's mask, i.e. 0022!", "its the users mask, ie 0022"),
    ("one two three four five six", "six five four three two one"),
    ("snake_case and kebab-case", "snake case and kebab case"),
    ("La orden umask fija la máscara de creación", "umask establece la máscara de creación de ficheros."),
    ("¿Qué? ¡Nada!", "que nada"),
    ("费用是六十欧元。", "每年六十欧元"),
    ("Python は楽しい言語です", "Python は言語です。"),
    ("Смена каталога: cd", "Команда cd — смена каталога"),
]


def running(letter):
    return any(word in unicodedata.name(letter, "") for word in ("CJK UNIFIED", "HIRAGANA", "KATAKANA"))


def split(text):
    """Words between white space, each letter of a script without spaces on its own."""
    return "".join(f" {letter} " if running(letter) else letter for letter in text).split()


class Everywhere:
    def tokenize(self, text):
        return split("".join(letter if letter.isalnum() else " " for letter in text.lower()))


def squad(answer, right):
    bare = [split("".join(letter for letter in text.lower() if letter.isalnum() or letter.isspace())) for text in (answer, right)]
    if not all(bare):
        return float(bare[0] == bare[1])
    shared = sum((collections.Counter(bare[0]) & collections.Counter(bare[1])).values())
    if shared == 0:
        return 0.0
    precision, recall = shared / len(bare[0]), shared / len(bare[1])
    return 2 * precision * recall / (precision + recall)


def main():
    rows = []
    for answer, right in PAIRS:
        own = (answer + right).isascii()
        scorer = rouge_scorer.RougeScorer(["rougeL"]) if own else rouge_scorer.RougeScorer(["rougeL"], tokenizer=Everywhere())
        rouge = scorer.score(right, answer)["rougeL"].fmeasure
        rows.append(dict(answer=answer, right=right, token_f1=squad(answer, right), rouge_l=rouge))
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (Path(__file__).parent / "scores.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
