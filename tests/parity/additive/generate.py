"""Writes expected.json: additive models by numpy's least squares, intervals by scipy's t.

numpy 2.4.6, scipy 1.17.1. Usage: python generate.py
"""

import itertools
import json
from pathlib import Path

import numpy as np
from scipy import stats

random = np.random.default_rng(17)


def dummies(levels, runs, factors):
    """The mean, then each of the factors' levels but the first, a row for each value."""
    rows = []
    for run in runs:
        row = [1.0]
        for factor in factors:
            row += [1.0 if run["levels"][factor] == level else 0.0 for level in range(1, levels[factor])]
        rows += [row] * len(run["values"])
    return np.array(rows)


def left(matrix, figure):
    solution = np.linalg.lstsq(matrix, figure, rcond=1e-10)[0]
    return float(np.sum((figure - matrix @ solution) ** 2)), int(np.linalg.matrix_rank(matrix, tol=1e-8))


def expected(levels, runs):
    figure = np.array([value for run in runs for value in run["values"]])
    every = list(range(len(levels)))
    matrix = dummies(levels, runs, every)
    residual, rank = left(matrix, figure)
    inside = sum(float(np.sum((np.array(run["values"]) - np.mean(run["values"])) ** 2)) for run in runs)
    freedom = sum(len(run["values"]) - 1 for run in runs)
    if freedom >= 3:
        noise, variance = ["seeds", freedom], inside / freedom
    elif len(figure) > rank:
        freedom = len(figure) - rank
        noise, variance = ["residual", freedom], residual / freedom
    else:
        noise, variance = ["none", 0], None
    spread = float(np.sum((figure - figure.mean()) ** 2))
    solution = np.linalg.lstsq(matrix, figure, rcond=1e-10)[0]
    inverse = np.linalg.pinv(matrix.T @ matrix, rcond=1e-10)
    effects, start = [], 1
    for factor in every:
        own = range(start, start + levels[factor] - 1)
        start += levels[factor] - 1
        others = [other for other in every if other != factor]
        without, rank_without = left(dummies(levels, runs, others), figure)
        if rank - rank_without != len(own):
            effects.append(None)
            continue
        added = []
        for column in own:
            half = None
            if variance is not None:
                half = float(stats.t.ppf(0.975, freedom) * np.sqrt(variance * inverse[column, column]))
            added.append([float(solution[column]), half])
        effects.append({"added": added, "share": (without - residual) / spread})
    return {"levels": levels, "runs": runs, "noise": noise, "effects": effects}


def run(cell, seeds, strength):
    values = [float(0.8 + sum(s * level for s, level in zip(strength, cell)) + 0.01 * random.normal()) for _ in range(seeds)]
    return {"levels": list(map(int, cell)), "values": values}


def grid(levels, seeds, strength, keep=lambda cell: True):
    return [run(cell, seeds, strength) for cell in itertools.product(*map(range, levels)) if keep(cell)]


cases = {
    "balanced, three seeds": ([3, 2, 2], grid([3, 2, 2], 3, [0.02, -0.01, 0.0])),
    "balanced, one seed": ([3, 4], grid([3, 4], 1, [0.02, 0.005])),
    "two by two, one seed": ([2, 2], grid([2, 2], 1, [0.02, 0.005])),
    "unbalanced": ([3, 3, 2], grid([3, 3, 2], 2, [0.02, 0.01, 0.0], lambda cell: sum(cell) % 3 != 1)),
    "two factors that move together": (
        [3, 3, 2],
        [{**one, "levels": [one["levels"][0], one["levels"][0], one["levels"][1]]} for one in grid([3, 2], 2, [0.02, 0.01])],
    ),
    "explained in full": ([3], grid([3], 1, [0.02])),
    "few repeated": ([2, 3], [run(cell, 2 if cell == (0, 0) else 1, [0.1, 0.2]) for cell in itertools.product(range(2), range(3))]),
}
found = {name: expected(levels, runs) for name, (levels, runs) in cases.items()}
Path(__file__).with_name("expected.json").write_text(json.dumps(found, indent=1) + "\n")
