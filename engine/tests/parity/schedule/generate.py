"""Writes `schedule.json`: learning rates of transformers' schedules, one value per optimiser step.

    pip install torch==2.15.0 transformers==5.23.0
    python generate.py

`rates[i]` is the rate that step i (from 0) uses, as `get_last_lr()` gives it before that step.
"""

import json
from pathlib import Path

import torch
from transformers import (
    get_constant_schedule_with_warmup,
    get_cosine_schedule_with_warmup,
    get_linear_schedule_with_warmup,
)

KINDS = {
    "linear": lambda optimizer, warmup, steps: get_linear_schedule_with_warmup(optimizer, warmup, steps),
    "cosine": lambda optimizer, warmup, steps: get_cosine_schedule_with_warmup(optimizer, warmup, steps),
    "constant": lambda optimizer, warmup, steps: get_constant_schedule_with_warmup(optimizer, warmup),
}
# (steps, warm-up): none, one step, a usual share, all but one, all, and more warm-up than steps.
PAIRS = [(1, 0), (1, 1), (2, 1), (10, 0), (10, 1), (10, 3), (10, 9), (10, 10), (10, 25), (37, 4), (100, 10)]


def rates(kind, peak, steps, warmup):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=peak)
    schedule = KINDS[kind](optimizer, warmup, steps)
    values = []
    for _ in range(steps):
        values.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return values


cases = [
    {"schedule": kind, "learning_rate": peak, "steps": steps, "warmup_steps": warmup, "rates": rates(kind, peak, steps, warmup)}
    for kind in KINDS
    for peak, (steps, warmup) in zip([2e-4, 1e-3, 1.0] * len(PAIRS), PAIRS)
]
lines = ",\n".join("  " + json.dumps(case) for case in cases)
Path(__file__).with_name("schedule.json").write_text(f'{{"cases": [\n{lines}\n]}}\n')
