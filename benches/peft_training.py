"""Training throughput of transformers + PEFT on the processor, on the batches of `training.rs`.

    pip install torch==2.15.0 transformers==5.23.0 peft==0.21.2
    python benches/peft_training.py --config path/to/config.json --reviews reviews.csv --steps 12

Each batch is padded to its longest text; dropout on; random weights.
"""

import argparse
import csv
import os
import resource
import time
import warnings

import torch
from peft import LoraConfig, TaskType, get_peft_model
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModelForSequenceClassification, logging


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True, help="a checkpoint's config.json")
    parser.add_argument("--tokenizer", help="the folder of its tokenizer.json, if that is not the same; ids are taken modulo the vocabulary")
    parser.add_argument("--reviews", required=True, help="a CSV with the column `text`")
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--max-length", type=int, default=512)
    return parser.parse_args()


def main():
    warnings.filterwarnings("ignore")
    logging.set_verbosity_error()
    options = arguments()
    torch.set_num_threads(os.cpu_count())
    torch.manual_seed(1)
    config = AutoConfig.from_pretrained(os.path.dirname(options.config), num_labels=2)
    length = min(options.max_length, config.max_position_embeddings)
    folder = options.tokenizer or os.path.dirname(options.config)
    tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(length)
    with open(options.reviews, newline="", encoding="utf-8") as file:
        texts = [row["text"] for row, _ in zip(csv.DictReader(file), range(options.steps * options.batch_size))]
    tokens = [[token % config.vocab_size for token in encoding.ids] for encoding in tokenizer.encode_batch(texts)]

    model = AutoModelForSequenceClassification.from_config(config)
    targets = ["query_proj", "value_proj"] if config.model_type == "deberta-v2" else ["query", "value"]
    model = get_peft_model(
        model,
        LoraConfig(task_type=TaskType.SEQ_CLS, r=8, lora_alpha=32, lora_dropout=0.1, target_modules=targets),
    )
    model.train()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=2e-4, weight_decay=0.01)

    def step(rows, first):
        width = max(map(len, rows))
        ids = torch.tensor([row + [config.pad_token_id or 0] * (width - len(row)) for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
        labels = torch.tensor([(first + index) % 2 for index in range(len(rows))])
        model(input_ids=ids, attention_mask=mask, labels=labels).loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        optimiser.zero_grad()

    size = options.batch_size
    step(tokens[:size], 0)
    begun = time.perf_counter()
    for first in range(0, len(tokens), size):
        step(tokens[first : first + size], first)
    seconds = time.perf_counter() - begun
    real = sum(map(len, tokens))
    padded = sum(len(rows) * max(map(len, rows)) for rows in (tokens[first : first + size] for first in range(0, len(tokens), size)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(
        f"PEFT: {len(tokens) / seconds:.3f} samples/s, {real / seconds:.0f} real tokens/s, "
        f"peak memory {peak / 1e9:.2f} GB ({len(tokens)} samples, {real} tokens, {padded} with padding, {seconds:.1f} s)"
    )


main()
