"""Writes expected.json: draws, permutations and splits of numpy and datasets.

    pip install "numpy==2.4.6" "datasets==5.2.0" && python generate.py
"""

import json
from pathlib import Path

import datasets
import numpy
from datasets import Dataset

SEEDS = [0, 1, 7, 42, 2**32 - 1, 2**32, 2**40 + 12345, 2**64 - 1]
SIZES = [1, 2, 3, 7, 60, 1000, 18800, 20000, 70000]


def bounded(seed, maxima):
    """One draw up to each maximum: the masked rejection that shuffles use, which RandomState.randint uses as well."""
    state = numpy.random.RandomState(numpy.random.PCG64(seed))
    return [[maximum, int(state.randint(0, maximum + 1, dtype=numpy.uint64))] for maximum in maxima]


def permuted(n, seed):
    order = numpy.random.default_rng(seed).permutation(n)
    places = numpy.arange(1, n + 1, dtype=numpy.uint64)
    checksum = int((places * order.astype(numpy.uint64)).sum(dtype=numpy.uint64))
    return {
        "seed": seed,
        "n": n,
        "first": order[:10].tolist(),
        "last": order[-3:].tolist(),
        "checksum": checksum,
    }


def parted(n, test_size, seed):
    rows = Dataset.from_dict({"row": list(range(n))})
    split = rows.train_test_split(test_size=test_size, seed=seed)
    train, test = split["train"]["row"][:], split["test"]["row"][:]
    return {
        "seed": seed,
        "n": n,
        "test_size": test_size,
        "test_count": len(test),
        "train_count": len(train),
        "test_first": test[:10],
        "train_first": train[:10],
    }


def main():
    # 2**32 - 1 is the last bound drawn from 32 bits, 2**32 the first drawn from 64.
    maxima = [1, 2, 3, 6, 100, 65535, 65536, 2**31, 2**32 - 1, 2**32, 5, 2**40, 2**63, 9] * 3
    expected = {
        "versions": {"numpy": numpy.__version__, "datasets": datasets.__version__},
        "generator": [
            {
                "seed": seed,
                "raw": numpy.random.PCG64(seed).random_raw(6).tolist(),
                "intervals": bounded(seed, maxima),
            }
            for seed in SEEDS
        ],
        "permutations": [permuted(n, seed) for seed in SEEDS for n in SIZES],
        "splits": [
            parted(n, test_size, seed)
            for n, test_size, seed in [
                (20000, 0.2, 42),
                (18800, 0.2, 42),
                (2500, 0.2, 42),
                (60, 0.25, 7),
                (100, 0.07, 42),
                (7, 0.5, 0),
                (2, 0.1, 2**40 + 12345),
                (1001, 0.3, 2**32),
                (30, 0.1, 1),
                (70001, 0.999, 3),
            ]
        ],
    }
    path = Path(__file__).parent / "expected.json"
    path.write_text(json.dumps(expected, indent=None, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
