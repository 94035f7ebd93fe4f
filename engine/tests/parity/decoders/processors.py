"""What transformers' processors of logits make of fixed logits; `generate.py` writes it."""

import json

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig

VOCABULARY = 50
REMOVED = -1e30  # stands for minus infinity
OFF = {"repetition_penalty": 1.0, "temperature": 1.0, "top_k": None, "top_p": None, "min_p": None}
QWEN = {"repetition_penalty": 1.1, "temperature": 0.7, "top_k": 20, "top_p": 0.8}

CASES = [
    {},
    *({"repetition_penalty": value} for value in (1.05, 1.3, 0.8, 40.0)),
    *({"temperature": value} for value in (0.05, 0.7, 1.7)),
    *({"top_k": value} for value in (1, 5, 20, 49, 50, 1000)),
    *({"top_p": value} for value in (1.0, 0.999, 0.9, 0.5, 1e-6, 0.0)),
    *({"min_p": value} for value in (0.0, 0.05, 0.3, 1.0)),
    QWEN,
    QWEN | {"repetition_penalty": 1.05, "temperature": 0.05, "top_k": 10},
    QWEN | {"temperature": 1.0, "top_p": 0.9},
    QWEN | {"min_p": 0.1},
    {"repetition_penalty": 1.3, "top_k": 3},
    {"temperature": 3.0, "top_p": 0.9},
    {"temperature": 0.3, "top_p": 0.9},
    {"temperature": 2.0, "min_p": 0.2},
    {"top_k": 4, "top_p": 0.7},
    {"top_k": 30, "min_p": 0.02},
    {"top_p": 0.95, "min_p": 0.1},
]


def draw():
    """Rows of logits, and the tokens that stand in prompt and answer already."""
    generator = torch.Generator().manual_seed(5)
    logits = 3.0 * torch.randn(8, VOCABULARY, generator=generator)
    logits[0] = (logits[0] * 2).round() / 2  # many ties
    logits[1] = 1.25  # nothing but ties
    logits[2] = -logits[2].abs() - 0.5
    logits[3, 17] = 40.0
    logits[4] *= 30.0  # nearly all probabilities are 0 in 32 bits
    logits[5] *= 0.05
    logits[6, :4] = logits[6].max() + torch.tensor([1.0, 1.0, 0.0, 1.0])
    logits[7, [0, 9]] = 0.0
    lengths = [3, 10, 25, 6, 40, 1, 12, 50]
    seen = [torch.randint(0, VOCABULARY, (length,), generator=generator) for length in lengths]
    seen[3][2] = 17
    seen[7] = torch.arange(VOCABULARY)  # all
    return logits, seen


def write_processors(folder):
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder / "qwen2"))
    logits, seen = draw()
    tensors = {"logits": logits} | {f"{row}.seen": ids for row, ids in enumerate(seen)}
    cases = []

    def process(settings, row):
        config = GenerationConfig(do_sample=True, **settings)
        chain = model._get_logits_processor(config, input_ids_seq_length=len(seen[row]), encoder_input_ids=None)
        return chain(seen[row][None], logits[row][None].clone())[0]

    def is_clear(settings, row, scores):
        """Whether a right implementation must keep the same tokens. A tie at top-p's border of which one part stays, and
        a sum within rounding of the border, are left to chance."""
        kept = scores.isfinite()
        everything = process(settings | {"top_k": None, "top_p": None, "min_p": None}, row)
        if settings["top_p"] is not None and (everything[~kept] == everything[kept].min()).any():
            return False
        nearly = [
            process(settings | {key: settings[key] * factor}, row)
            for key in ("top_p", "min_p")
            if settings[key] not in (None, 0.0, 1.0)
            for factor in (1 - 1e-5, 1 + 1e-5)
        ]
        return all(torch.equal(kept, near.isfinite()) for near in nearly)

    for number, changed in enumerate(CASES):
        settings = OFF | changed
        scores = torch.stack([process(settings, row) for row in range(len(seen))])
        rows = [row for row in range(len(seen)) if is_clear(settings, row, scores[row])]
        tensors[f"{number}.scores"] = scores.masked_fill(scores.isinf(), REMOVED)
        cases.append(settings | {"rows": rows})
        print(f"processors {changed}: kept {[int(scores[row].isfinite().sum()) for row in range(8)]}, rows {rows}")
    save_file(tensors, folder / "processors.safetensors")
    lines = ",\n".join("  " + json.dumps(case) for case in cases)
    (folder / "processors.json").write_text(f"[\n{lines}\n]\n")
