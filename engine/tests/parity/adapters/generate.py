"""Writes the fixtures of this folder: adapters in the ways PEFT can describe them, and the logits it gets with each.

    pip install torch==2.15.0 transformers==5.23.0 peft==0.21.2
    python generate.py

The bases are the checkpoints of `../bert` and `../roberta`.
"""

import json
import os
import shutil
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, TaskType, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification

os.chdir(Path(__file__).parent)
torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

CASES = {
    "full-names": ("bert", dict(target_modules=["bert.encoder.layer.0.attention.self.query", "bert.encoder.layer.1.output.dense"])),
    "expression": ("bert", dict(target_modules=r".*\.layer\.1\..*\.(query|value)")),
    "pooler-saved": ("bert", dict(target_modules=["key"], modules_to_save=["pooler"])),
    "pooler-adapted": ("bert", dict(target_modules=["query", "bert.pooler.dense"])),
    "rank-stabilised": ("bert", dict(target_modules=["query", "value"], use_rslora=True)),
    # The first pattern that matches decides; a pattern may begin behind any dot and must reach the end of the name.
    "patterns": (
        "bert",
        dict(
            target_modules=["query", "value", "intermediate.dense"],
            rank_pattern={r"layer\.0\..*\.query": 2, "query": 6, "self.value": 3},
            alpha_pattern={"layer.1.attention.self.value": 5, "value": 7, "nothing": 99},
        ),
    ),
    "patterns-rank-stabilised": (
        "roberta",
        dict(
            target_modules=r"roberta\.encoder\.layer\.\d+\.(attention\.self\.(query|key)|output\.dense)",
            rank_pattern={r"(query|key)": 2},
            alpha_pattern={r"0\.output\.dense": 3},
            use_rslora=True,
        ),
    ),
}


def save(model, folder):
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    path = folder / "adapter_config.json"
    settings = json.loads(path.read_text())
    for key in ("target_modules", "modules_to_save"):
        if isinstance(settings[key], list):
            settings[key] = sorted(set(settings[key]))  # PEFT keeps sets, whose order changes
    path.write_text(json.dumps(settings, indent=2) + "\n")


def main():
    for seed, (case, (base, settings)) in enumerate(CASES.items(), start=1):
        folder = Path(case)
        shutil.rmtree(folder, ignore_errors=True)
        load = lambda: AutoModelForSequenceClassification.from_pretrained(f"../{base}/checkpoint").eval()
        config = LoraConfig(**(dict(r=4, lora_alpha=8, lora_dropout=0.0, bias="none", task_type=TaskType.SEQ_CLS) | settings))
        torch.manual_seed(seed)
        model = get_peft_model(load(), config).eval()
        with torch.no_grad():
            for tensor in (tensor for tensor in model.parameters() if tensor.requires_grad):
                tensor.copy_(0.2 * torch.randn(tensor.shape))
        save(model, folder / "adapter")
        model = PeftModel.from_pretrained(load(), folder / "adapter").eval()
        pad = model.config.pad_token_id
        generator = torch.Generator().manual_seed(100 + seed)
        rows = [torch.randint(4, 120, (length,), generator=generator) for length in [9, 40, 1, 17]]
        ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=pad)
        with torch.no_grad():
            logits = model(input_ids=ids, attention_mask=(ids != pad).long()).logits
            plain = load()(input_ids=ids, attention_mask=(ids != pad).long()).logits
        assert (logits - plain).abs().max() > 1e-2
        ranks = {
            name.removeprefix("base_model.model.").removesuffix(".lora_A.weight"): tensor.shape[0]
            for name, tensor in load_file(folder / "adapter/adapter_model.safetensors").items()
            if name.endswith(".lora_A.weight")
        }
        print(case, ranks)
        tensors = {"token_ids": torch.cat(rows), "lengths": torch.tensor([len(row) for row in rows]), "logits": logits}
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "expected.safetensors")


if __name__ == "__main__":
    main()
