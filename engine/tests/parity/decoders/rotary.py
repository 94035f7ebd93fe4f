"""Writes `rotary.json`: the angles per position that transformers takes from ways to write a `config.json`.

    pip install torch==2.15.0 transformers==5.24.0
    python rotary.py
"""

import json
from pathlib import Path

from transformers import LlamaConfig, Phi3Config, Qwen2Config, logging
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding
from transformers.models.phi3.modeling_phi3 import Phi3RotaryEmbedding
from transformers.models.qwen2.modeling_qwen2 import Qwen2RotaryEmbedding

HERE = Path(__file__).parent
FAMILIES = {
    "qwen2": (Qwen2Config, Qwen2RotaryEmbedding),
    "llama": (LlamaConfig, LlamaRotaryEmbedding),
    "phi3": (Phi3Config, Phi3RotaryEmbedding),
}
SMALL = {"hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 1024}

LLAMA3 = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64, "rope_type": "llama3"}
WITHOUT_ORIGINAL = {key: value for key, value in LLAMA3.items() if not key.startswith("original")}
FACTORS = {
    "long_factor": [1.1, 1.5, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0],
    "short_factor": [1.0, 1.01, 1.02, 1.05, 1.1, 1.3, 1.6, 2.0],
}
LONG = FACTORS | {"rope_type": "longrope"}
HALF = {key: value[:4] for key, value in FACTORS.items()} | {"rope_type": "longrope"}
ORIGINAL = {"original_max_position_embeddings": 128}

CASES = [
    ("qwen2", {}),
    ("qwen2", {"rope_theta": 1000000.0}),
    ("qwen2", {"rope_theta": 1000000.0, "rope_scaling": None}),
    ("qwen2", {"rope_parameters": {"rope_theta": 1000000.0, "rope_type": "default"}}),
    ("qwen2", {"rope_theta": 5000.0, "rope_parameters": {"rope_theta": 1000000.0, "rope_type": "default"}}),
    ("qwen2", {"rope_theta": 5000.0, "rope_parameters": {"rope_type": "default"}}),
    ("qwen2", {"rope_theta": 5000.0, "rope_scaling": {"factor": 4.0, "type": "linear"}}),
    ("llama", {}),
    ("llama", {"head_dim": 24, "rope_theta": 500000.0}),
    ("llama", {"rope_scaling": {"factor": 2.5, "type": "linear"}}),
    ("llama", {"rope_scaling": {"factor": 2.5, "rope_type": "linear"}}),
    ("llama", {"rope_parameters": {"factor": 2.5, "rope_type": "linear", "rope_theta": 700.0}}),
    ("llama", {"rope_scaling": LLAMA3, "rope_theta": 1000.0}),
    ("llama", {"rope_parameters": LLAMA3 | {"rope_theta": 1000.0}}),
    ("llama", {"rope_scaling": LLAMA3 | {"low_freq_factor": 2.0, "high_freq_factor": 16.0}, "head_dim": 32}),
    # No original length: the longest is taken for it. One outside of the table comes first.
    ("llama", {"rope_scaling": WITHOUT_ORIGINAL, "rope_theta": 1000.0}),
    ("llama", {"rope_scaling": WITHOUT_ORIGINAL, "rope_theta": 1000.0, "original_max_position_embeddings": 256}),
    ("llama", {"rope_scaling": LLAMA3, "rope_theta": 1000.0, "original_max_position_embeddings": 256}),
    ("phi3", {}),
    ("phi3", {"rope_scaling": LONG} | ORIGINAL),
    ("phi3", {"rope_scaling": FACTORS | {"type": "longrope"}} | ORIGINAL),
    ("phi3", {"rope_scaling": FACTORS | {"type": "su"} | ORIGINAL} | ORIGINAL),
    ("phi3", {"rope_parameters": LONG | ORIGINAL | {"rope_theta": 20000.0}} | ORIGINAL),
    ("phi3", {"rope_scaling": LONG | {"original_max_position_embeddings": 64}} | ORIGINAL),
    ("phi3", {"rope_scaling": LONG | {"factor": 2.0}} | ORIGINAL),
    ("phi3", {"rope_scaling": LONG | {"attention_factor": 1.25}} | ORIGINAL),
    ("phi3", {"rope_scaling": LONG, "original_max_position_embeddings": 1024}),
    ("phi3", {"rope_scaling": LONG, "original_max_position_embeddings": 2048}),
    ("phi3", {"rope_scaling": LONG, "max_position_embeddings": 8192}),
    ("phi3", {"rope_scaling": HALF, "partial_rotary_factor": 0.5} | ORIGINAL),
    ("phi3", {"rope_parameters": HALF | {"partial_rotary_factor": 0.5, "rope_theta": 10000.0}} | ORIGINAL),
    ("phi3", {"partial_rotary_factor": 0.75}),
    ("phi3", {"rope_theta": 5000.0, "rope_parameters": {"partial_rotary_factor": 0.5, "rope_type": "default"}}),
]


def main():
    logging.set_verbosity_error()
    cases = []
    for family, written in CASES:
        config_json = {"model_type": family} | SMALL | written
        config_class, rotary_class = FAMILIES[family]
        config = config_class.from_dict(json.loads(json.dumps(config_json)))
        rotary = rotary_class(config)
        case = {
            "config": config_json,
            "frequencies": rotary.inv_freq.tolist(),
            "scale": rotary.attention_scaling,
            "long": None,
        }
        if config.rope_parameters["rope_type"] == "longrope":
            beyond = config.rope_parameters["original_max_position_embeddings"]
            long, _ = ROPE_INIT_FUNCTIONS["longrope"](config, "cpu", seq_len=beyond + 1)
            case["long"] = {"beyond": beyond, "frequencies": long.tolist()}
        cases.append(case)
    lines = ",\n".join(json.dumps(case) for case in cases)
    (HERE / "rotary.json").write_text(f"[\n{lines}\n]\n")
    print(len(cases), "cases")


main()
