"""Writes stratified.json: stratified splits of scikit-learn.

    pip install "numpy==2.4.6" "scikit-learn==1.9.1" && python stratified.py
"""

import json
import random
from pathlib import Path

import numpy
import sklearn
from sklearn.model_selection import train_test_split


def case(name, runs, test_size, seed):
    classes = numpy.repeat([c for c, _ in runs], [n for _, n in runs])
    rows = numpy.arange(len(classes))
    train, test = train_test_split(rows, test_size=test_size, random_state=seed, stratify=classes)
    places = numpy.arange(1, len(train) + 1, dtype=numpy.uint64)
    return {
        "name": name,
        "runs": runs,
        "test_size": test_size,
        "seed": seed,
        "test": test.tolist(),
        "train_first": train[:10].tolist(),
        "train_checksum": int((places * train.astype(numpy.uint64)).sum(dtype=numpy.uint64)),
    }


def mixed(counts, seed):
    """Runs of classes that come `counts` times in all, in an order of the seed's."""
    rows = [c for c, n in enumerate(counts) for _ in range(n)]
    random.Random(seed).shuffle(rows)
    runs = []
    for c in rows:
        if runs and runs[-1][0] == c:
            runs[-1][1] += 1
        else:
            runs.append([c, 1])
    return runs


def main():
    cases = [
        case("two equal classes", mixed([30, 30], 1), 0.2, 42),
        case("in order", [[0, 50], [1, 30], [2, 20]], 0.25, 0),
        case("classes of two rows", mixed([2] * 12, 2), 0.5, 7),
        case("a rare class", mixed([97, 3], 3), 0.2, 1),
        case("ties by lot", mixed([7] * 9, 4), 0.3, 2**32 - 1),
        case("a gap in the numbers", [[0, 9], [3, 9], [5, 2]], 0.4, 11),
        case("two rows of each", mixed([2, 2], 5), 0.5, 3),
        case("many classes", mixed([3 + c % 5 for c in range(60)], 6), 0.34, 12345),
        case("half a thousand rows", mixed([313, 101, 61, 25], 7), 0.1, 2024),
    ]
    draw = random.Random(20)
    while len(cases) < 36:
        counts = [draw.randint(2, 40) for _ in range(draw.randint(2, 12))]
        size, seed = round(draw.uniform(0.05, 0.95), 3), draw.randint(0, 2**32 - 1)
        try:
            cases.append(case(f"drawn {len(cases)}", mixed(counts, len(cases)), size, seed))
        except ValueError:
            pass
    versions = {"numpy": numpy.__version__, "scikit-learn": sklearn.__version__}
    path = Path(__file__).parent / "stratified.json"
    path.write_text(json.dumps({"versions": versions, "cases": cases}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
