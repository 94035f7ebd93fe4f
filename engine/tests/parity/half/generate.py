"""Writes what PyTorch's autocast computes in bf16 and f16 on the CPU, for adapters of PEFT on the checkpoints of the folders beside this one.

    pip install torch==2.15.0 transformers==5.23.0 peft==0.21.2
    python generate.py

The base stays f32 and is rounded for each product, as Hugging Face's Trainer does with `bf16=True` and `fp16=True`. The loss is scaled by 1024 in
f16 before the backward pass, and the gradients are divided by it.
"""

import os
import sys
from pathlib import Path

import torch
from peft import PeftModel
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification

os.chdir(Path(__file__).parent)
torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

SCALE = 1024.0


def padded(token_ids, lengths, padding):
    width = max(lengths)
    ids = torch.full((len(lengths), width), padding)
    mask = torch.zeros(len(lengths), width, dtype=torch.int64)
    for index, row in enumerate(token_ids.split(lengths)):
        ids[index, : len(row)] = row
        mask[index, : len(row)] = 1
    return {"input_ids": ids, "attention_mask": mask}


def run(folder, case, name):
    batch = load_file(f"../{folder}/lora/{case}/expected.safetensors")
    lengths = batch["lengths"].tolist()
    tensors = {name: batch[name] for name in ("token_ids", "lengths", "labels")}
    for precision, dtype in {"bf16": torch.bfloat16, "f16": torch.float16}.items():
        base = AutoModelForSequenceClassification.from_pretrained(f"../{folder}/checkpoint", attn_implementation="eager")
        model = PeftModel.from_pretrained(base, f"../{folder}/lora/{case}/adapter", is_trainable=True).eval()
        inputs = padded(batch["token_ids"], lengths, base.config.pad_token_id or 0)
        with torch.autocast("cpu", dtype=dtype):
            logits = model(**inputs).logits
        loss = torch.nn.functional.cross_entropy(logits.float(), batch["labels"])
        scale = SCALE if dtype == torch.float16 else 1.0
        (loss * scale).backward()
        gradients = {key: value.grad / scale for key, value in model.named_parameters() if value.requires_grad}
        tensors[f"{precision}.logits"] = logits.float()
        for key, gradient in get_peft_model_state_dict(model, state_dict=gradients).items():
            tensors[f"{precision}.gradient.{key}"] = gradient
            exact = batch[f"gradient.{key}"]
            print(name, precision, key, float((gradient - exact).norm() / exact.norm()), file=sys.stderr)
    tensors = {name: tensor.detach().contiguous().clone() for name, tensor in tensors.items()}
    save_file(tensors, f"{name}.safetensors")


run("bert", "query-value", "bert")
run("roberta", "query-value", "roberta")
run("deberta/buckets", "query-key-value", "deberta-buckets")
run("deberta/p2c", "query-value", "deberta-p2c")
