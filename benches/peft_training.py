"""Training throughput of transformers + PEFT, on the batches of `training.rs` or, on a card, of `card.sh`.

    pip install torch==2.15.0 transformers==5.23.0 peft==0.21.2
    python benches/peft_training.py --config path/to/config.json --reviews reviews.csv --steps 12
    python benches/peft_training.py --config path/to/config.json --reviews reviews.csv --device cuda:0 --precision bf16 f16 --order file length

Each batch is padded to its longest text; dropout on; random weights. In 16 bits the loop is Trainer's with `bf16=True` or `fp16=True`: weights in f32, the
forward pass under autocast, in f16 with a gradient scaler. `--order length` takes the same rows as Trainer's `group_by_length` would: sorted by length
within stretches of 50 batches.
"""

import argparse
import csv
import os
import resource
import sys
import time
import warnings

import torch
from peft import LoraConfig, TaskType, get_peft_model
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModelForSequenceClassification, logging

FORMATS = {"f32": None, "f16": torch.float16, "bf16": torch.bfloat16}
ORDERS = {"file": "PEFT in file order", "length": "PEFT by length"}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True, help="a checkpoint's config.json")
    parser.add_argument("--tokenizer", help="the folder of its tokenizer.json, if that is not the same; ids are taken modulo the vocabulary")
    parser.add_argument("--reviews", required=True, help="a CSV with the column `text`")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--max-length", type=int, default=512)
    parser.add_argument("--device", type=torch.device, default="cpu", help="cpu or cuda:N")
    parser.add_argument("--precision", nargs="+", choices=FORMATS, default=["f32"])
    parser.add_argument("--order", nargs="+", choices=ORDERS, default=["file"])
    parser.add_argument("--tf32", action="store_true", help="let a card multiply f32 in TF32")
    parser.add_argument("--warmup-steps", type=int, default=1, help="steps before the clock starts")
    parser.add_argument("--passes", type=int, default=1, help="times that all steps are timed")
    parser.add_argument("--csv", action="store_true", help="print rows of card.sh's CSV, from the number format on")
    return parser.parse_args()


def read(options: argparse.Namespace, config) -> list[list[int]]:
    """The token ids of the first rows."""
    folder = options.tokenizer or os.path.dirname(options.config)
    tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(min(options.max_length, config.max_position_embeddings))
    with open(options.reviews, newline="", encoding="utf-8") as file:
        texts = [row["text"] for row, _ in zip(csv.DictReader(file), range(options.steps * options.batch_size))]
    return [[token % config.vocab_size for token in encoding.ids] for encoding in tokenizer.encode_batch(texts)]


def grouped(rows: list, batch_size: int) -> list:
    """Sorted by length, the longest first, within stretches of 50 batches."""
    size = 50 * batch_size
    stretches = [rows[first : first + size] for first in range(0, len(rows), size)]
    return [row for stretch in stretches for row in sorted(stretch, key=lambda row: -len(row[0]))]


class Training:
    """A model and its optimiser, as Trainer would have them."""

    def __init__(self, config, device: torch.device, precision: str):
        torch.manual_seed(1)
        model = AutoModelForSequenceClassification.from_config(config, dtype=torch.float32)
        targets = ["query_proj", "value_proj"] if config.model_type == "deberta-v2" else ["query", "value"]
        lora = LoraConfig(task_type=TaskType.SEQ_CLS, r=8, lora_alpha=32, lora_dropout=0.1, target_modules=targets)
        self.model = get_peft_model(model, lora).to(device).train()
        self.trained = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        self.optimiser = torch.optim.AdamW(self.trained, lr=2e-4, weight_decay=0.01)
        self.dtype = FORMATS[precision]
        self.scaler = torch.amp.GradScaler(device.type, enabled=precision == "f16")
        self.device = device
        self.pad = config.pad_token_id or 0

    def step(self, rows: list[tuple[list[int], int]]) -> None:
        width = max(len(ids) for ids, _ in rows)
        ids = torch.tensor([ids + [self.pad] * (width - len(ids)) for ids, _ in rows]).to(self.device)
        mask = torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids, _ in rows]).to(self.device)
        labels = torch.tensor([label for _, label in rows]).to(self.device)
        with torch.autocast(self.device.type, dtype=self.dtype or torch.bfloat16, enabled=self.dtype is not None):
            loss = self.model(input_ids=ids, attention_mask=mask, labels=labels).loss
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.optimiser)
        torch.nn.utils.clip_grad_norm_(self.trained, 1.0)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.optimiser.zero_grad()


def now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def measure(options: argparse.Namespace, config, rows: list, precision: str, order: str) -> None:
    """Trains, and prints what was measured."""
    device, size = options.device, options.batch_size
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    training = Training(config, device, precision)
    ordered = rows if order == "file" else grouped(rows, size)
    batches = [ordered[first : first + size] for first in range(0, len(ordered), size)]
    for batch in batches[: options.warmup_steps]:
        training.step(batch)
    begun = now(device)
    for _ in range(options.passes):
        for batch in batches:
            training.step(batch)
    seconds = now(device) - begun
    samples = options.passes * len(rows)
    real = options.passes * sum(len(ids) for ids, _ in rows)
    padded = options.passes * sum(len(batch) * max(len(ids) for ids, _ in batch) for batch in batches)
    if device.type == "cuda":
        peak = torch.cuda.max_memory_reserved(device)
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if options.csv:
        figures = [
            ("throughput", samples / seconds, "samples/s", f"{padded / real:.2f} tokens computed for each real one"),
            ("tokens", real / seconds, "real tokens/s", ""),
            ("memory", peak, "bytes", "max_memory_reserved" if device.type == "cuda" else "peak of the process so far"),
        ]
        rows_out = csv.writer(sys.stdout, lineterminator="\n")
        rows_out.writerows((precision, what, ORDERS[order], f"{value:.6g}", unit, note) for what, value, unit, note in figures)
    else:
        print(
            f"{ORDERS[order]}, {precision}: {samples / seconds:.3f} samples/s, {real / seconds:.0f} real tokens/s, "
            f"peak memory {peak / 1e9:.2f} GB ({samples} samples, {real} tokens, {padded} with padding, {seconds:.1f} s)"
        )
    sys.stdout.flush()


def main() -> None:
    warnings.filterwarnings("ignore")
    logging.set_verbosity_error()
    options = arguments()
    torch.set_num_threads(os.cpu_count() or 1)
    if options.tf32:
        torch.backends.cuda.matmul.allow_tf32 = True
    config = AutoConfig.from_pretrained(os.path.dirname(options.config), num_labels=2)
    rows = [(ids, index % 2) for index, ids in enumerate(read(options, config))]
    failed = False
    for precision in options.precision:
        for order in options.order:
            try:
                measure(options, config, rows, precision, order)
            except RuntimeError as error:  # out of memory, or no arithmetic in this format: the others are measured all the same
                print(f"{precision}, {order}: {error}", file=sys.stderr)
                failed = True
    sys.exit(1 if failed else 0)


main()
