"""Accuracy and time of PEFT on the sweep of `experiments/minilm-lora.toml`, to compare with.

    pip install torch==2.15.0 transformers==5.23.0 peft==0.21.2 numpy==2.4.6
    MINILM=/path/to/all-MiniLM-L6-v2 REVIEWS=/path/to/reviews.csv python benches/peft_accuracy.py

The same rows, split, lengths, adapters and optimiser: the loop below takes the steps that Hugging Face's Trainer takes
with its defaults (`engine/tests/parity/bert/generate.py --trainer` shows it). Batches are padded to their longest row. The fresh
head, the adapters' A and the order of the rows come from torch's generator, so accuracies agree within chance only.
`train` counts the seconds of the training steps alone, `evaluate` those of the test split.
"""

import argparse
import csv
import math
import os
import random
import time
import warnings

import numpy as np
import torch
from peft import LoraConfig, TaskType, get_peft_model
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    get_linear_schedule_with_warmup,
    logging,
)

CELLS = [(rank, targets) for rank in (4, 8) for targets in (["query", "value"], ["query", "key", "value"])]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=os.environ.get("MINILM"), help="folder of the encoder (default: $MINILM)")
    parser.add_argument("--data", default=os.environ.get("REVIEWS"), help="CSV with text and label (default: $REVIEWS)")
    parser.add_argument("--limit", type=int, default=2500, help="use the first rows only")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--max-length", type=int, default=256)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    if not options.model or not options.data:
        parser.error("name the encoder and the reviews, by --model and --data or by MINILM and REVIEWS")
    return options


def read(path, limit):
    with open(path, newline="", encoding="utf-8") as file:
        rows = [row for row, _ in zip(csv.DictReader(file), range(limit))]
    return [row["text"] for row in rows], [int(row["label"]) for row in rows]


def split(count):
    """`datasets`' train_test_split(test_size=0.2, seed=42)."""
    order = np.random.default_rng(42).permutation(count)
    test = math.ceil(0.2 * count)
    return order[test:].tolist(), order[:test].tolist()


def batch(tokens, labels, rows, pad_id):
    width = max(len(tokens[row]) for row in rows)
    ids = torch.full((len(rows), width), pad_id)
    mask = torch.zeros(len(rows), width, dtype=torch.int64)
    for index, row in enumerate(rows):
        ids[index, : len(tokens[row])] = torch.tensor(tokens[row])
        mask[index, : len(tokens[row])] = 1
    return {"input_ids": ids, "attention_mask": mask, "labels": torch.tensor([labels[row] for row in rows])}


def batches(rows, size):
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def evaluate(model, make, rows, size):
    model.eval()
    right, loss = 0, 0.0
    with torch.no_grad():
        for part in batches(rows, size):
            inputs = make(part)
            output = model(**inputs)
            right += (output.logits.argmax(-1) == inputs["labels"]).sum().item()
            loss += output.loss.item() * len(part)
    return right / len(rows), loss / len(rows)


def build(options, rank, targets):
    random.seed(options.seed)
    torch.manual_seed(options.seed)
    model = AutoModelForSequenceClassification.from_pretrained(options.model, num_labels=2)
    settings = LoraConfig(
        r=rank, lora_alpha=32, target_modules=targets, lora_dropout=0.1, bias="none", task_type=TaskType.SEQ_CLS
    )
    return get_peft_model(model, settings)


def train(options, rank, targets, make, train_rows, test_rows):
    model = build(options, rank, targets)
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    groups = [
        {"params": [parameter for name, parameter in trained.items() if "bias" not in name], "weight_decay": 0.01},
        {"params": [parameter for name, parameter in trained.items() if "bias" in name], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=options.learning_rate)
    steps = options.epochs * math.ceil(len(train_rows) / options.batch_size)
    schedule = get_linear_schedule_with_warmup(optimizer, 0, steps)
    count = sum(parameter.numel() for parameter in trained.values())
    print(f"rank={rank},targets={'+'.join(targets)}: {count} trainable parameters, {steps} steps", flush=True)
    train_seconds = evaluate_seconds = 0.0
    for epoch in range(1, options.epochs + 1):
        order = [train_rows[index] for index in torch.randperm(len(train_rows)).tolist()]
        start = time.perf_counter()
        model.train()
        losses = []
        for part in batches(order, options.batch_size):
            loss = model(**make(part)).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trained.values(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            losses.append(loss.item())
        train_seconds += time.perf_counter() - start
        start = time.perf_counter()
        accuracy, test_loss = evaluate(model, make, test_rows, options.batch_size)
        evaluate_seconds += time.perf_counter() - start
        print(
            f"  epoch {epoch}: accuracy {accuracy:.4f}, test loss {test_loss:.4f}, train loss {np.mean(losses):.4f};"
            f" train {train_seconds:.1f} s, evaluate {evaluate_seconds:.1f} s",
            flush=True,
        )


def main():
    options = arguments()
    torch.set_num_threads(options.threads)
    warnings.simplefilter("ignore", FutureWarning)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    texts, labels = read(options.data, options.limit)
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    tokens = tokenizer(texts, truncation=True, max_length=options.max_length)["input_ids"]
    train_rows, test_rows = split(len(texts))
    lengths = [len(row) for row in tokens]
    print(
        f"torch {torch.__version__}, {options.threads} threads; {len(train_rows)} + {len(test_rows)} rows,"
        f" {np.mean(lengths):.1f} tokens on average, {max(lengths)} at most; positive share of the test rows"
        f" {np.mean([labels[row] for row in test_rows]):.3f}"
    )

    def make(rows):
        return batch(tokens, labels, rows, tokenizer.pad_token_id)

    for rank, targets in CELLS:
        train(options, rank, targets, make, train_rows, test_rows)


if __name__ == "__main__":
    main()
