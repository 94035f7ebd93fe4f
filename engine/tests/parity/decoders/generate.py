"""Writes the fixtures of this folder: tiny random decoders, and what transformers computes with them.

    pip install torch==2.15.0 transformers==5.24.0
    python generate.py                 # all
    python generate.py phi3 llama      # only these
    python generate.py processors      # only the processors of logits

Everything is drawn from fixed seeds and computed in f32 with eager attention on one CPU thread; only f32 rounding may
differ between machines. `README.md` in the folder above says what each file holds.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from processors import write_processors
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM, logging

HERE = Path(__file__).parent
NEW_TOKENS = 64
PENALTY = 1.3
# Two tokens nearly as likely as each other would make the text a matter of rounding.
MARGIN = 2e-3
VARIETY = 10

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
logging.set_verbosity_error()
logging.disable_progress_bar()

COMMON = {
    "bos_token_id": 0,
    "eos_token_id": 1,
    "hidden_act": "silu",
    "hidden_size": 32,
    "intermediate_size": 32,
    "max_position_embeddings": 256,
    "num_hidden_layers": 2,
    "rms_norm_eps": 1e-06,
    "vocab_size": 48,
}
QWEN = COMMON | {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2"}
LLAMA = COMMON | {"architectures": ["LlamaForCausalLM"], "model_type": "llama"}
PHI = COMMON | {"architectures": ["Phi3ForCausalLM"], "model_type": "phi3", "pad_token_id": 1}

CONFIGS = {
    # Every two heads of queries share one of keys; the word embeddings are the head.
    "qwen2": QWEN
    | {
        "max_window_layers": 1,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "rope_theta": 1000000.0,
        "sliding_window": 6,
        "tie_word_embeddings": True,
        "use_sliding_window": False,
    },
    # The second layer sees 6 tokens.
    "qwen2-untied": QWEN
    | {
        "max_window_layers": 1,
        "num_attention_heads": 4,
        "num_key_value_heads": 1,
        "rope_theta": 10000.0,
        "sliding_window": 6,
        "tie_word_embeddings": False,
        "use_sliding_window": True,
    },
    # Heads that together are wider than the hidden states. The waves are 6 to 2,000 tokens long: the first is kept, the
    # next two lie between, the others are divided.
    "llama": LLAMA
    | {
        "attention_bias": False,
        "head_dim": 12,
        "hidden_size": 36,
        "intermediate_size": 28,
        "mlp_bias": False,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "rope_scaling": {
            "factor": 4.0,
            "high_freq_factor": 4.0,
            "low_freq_factor": 1.0,
            "original_max_position_embeddings": 64,
            "rope_type": "llama3",
        },
        "rope_theta": 1000.0,
        "tie_word_embeddings": True,
    },
    "llama-biased": LLAMA
    | {
        "attention_bias": True,
        "mlp_bias": True,
        "num_attention_heads": 4,
        "rope_scaling": {"factor": 2.5, "type": "linear"},
        "tie_word_embeddings": False,
    },
    "phi3": PHI
    | {
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "original_max_position_embeddings": 32,
        "rope_scaling": {
            "long_factor": [1.08, 2.5, 7.0, 20.0],
            "short_factor": [1.0, 1.05, 1.3, 2.0],
            "type": "longrope",
        },
        "rope_theta": 10000.0,
        "sliding_window": None,
        "tie_word_embeddings": False,
    },
    # As transformers 5 writes it; half of each head's features turn, and every layer sees 12 tokens.
    "phi3-new": PHI
    | {
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "original_max_position_embeddings": 32,
        "partial_rotary_factor": 0.5,
        "rope_parameters": {
            "long_factor": [1.5, 12.0],
            "original_max_position_embeddings": 32,
            "partial_rotary_factor": 0.5,
            "rope_theta": 5000.0,
            "rope_type": "longrope",
            "short_factor": [1.0, 1.4],
        },
        "sliding_window": 12,
        "tie_word_embeddings": False,
    },
}
# Of Phi-3's, 20 tokens become more than 32 while it answers, 32 with the first new one, and 33 are from the start.
LENGTHS = {"phi3": [20, 32, 33, 48], "phi3-new": [20, 32, 33, 48]}
FORMATS = {"llama": torch.bfloat16, "llama-biased": torch.float16, "phi3": torch.bfloat16, "phi3-new": torch.float16}


def draw(model, seed):
    """Values with which every part of the network counts: attention that is not even, logits that are not flat, biases
    and norms away from 0 and 1. Drawn in the order of the names."""
    generator = torch.Generator().manual_seed(seed)
    width = model.config.hidden_size
    weights = {}
    for name, tensor in sorted(model.state_dict().items()):
        noise = torch.randn(tensor.shape, generator=generator)
        if name.endswith("norm.weight"):
            value = 1.0 + 0.3 * noise
        elif name.endswith(".bias"):
            value = 0.3 * noise
        elif "embed_tokens" in name or "lm_head" in name:
            value = 2.0 / width**0.5 * noise
        else:
            value = 1.3 / tensor.shape[1] ** 0.5 * noise
        weights[name] = value
    if model.config.tie_word_embeddings:
        del weights["lm_head.weight"]
    return weights


def write_sharded(folder, weights):
    """In two files with an index; every layer is in both."""
    names = sorted(weights)
    shards = [names[0::2], names[1::2]]
    index = {"metadata": {"total_size": sum(value.nbytes for value in weights.values())}, "weight_map": {}}
    for number, shard in enumerate(shards, 1):
        file = f"model-{number:05}-of-{len(shards):05}.safetensors"
        save_file({name: weights[name] for name in shard}, folder / file, metadata={"format": "pt"})
        index["weight_map"] |= dict.fromkeys(shard, file)
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2, sort_keys=True) + "\n")


def write_checkpoint(case, seed):
    """A folder as it could lie on the hub, and the model that transformers reads from it."""
    folder = HERE / case
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIGS[case], indent=2, sort_keys=True) + "\n")
    empty = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder))
    format_ = FORMATS.get(case, torch.float32)
    weights = {name: value.to(format_) for name, value in draw(empty, seed).items()}
    if case == "qwen2-untied":
        write_sharded(folder, weights)
    elif case == "llama-biased":
        torch.save(weights, folder / "pytorch_model.bin")
    else:
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    if case == "phi3":
        # The first files called it so. transformers read them so for years; 5.24 misses a key in them.
        old = json.dumps(CONFIGS[case], indent=2, sort_keys=True).replace('"longrope"', '"su"')
        (folder / "config.json").write_text(old + "\n")
    for name, value in weights.items():
        assert torch.equal(model.state_dict()[name], value.float()), name
    return folder, model


def answer(model, prompt, repetition_penalty=1.0, use_cache=True):
    """The likeliest new tokens, and by how much each is likelier than the next at least."""
    output = model.generate(
        prompt[None],
        attention_mask=torch.ones_like(prompt)[None],
        do_sample=False,
        eos_token_id=None,
        pad_token_id=1,
        max_new_tokens=NEW_TOKENS,
        repetition_penalty=repetition_penalty,
        use_cache=use_cache,
        return_dict_in_generate=True,
        output_scores=True,
    )
    best = torch.cat(output.scores).topk(2).values
    return output.sequences[0, len(prompt) :], (best[:, 0] - best[:, 1]).min().item()


def compute(case, seed):
    """The checkpoint and what is expected of it, unless its answers hang on a hair or say next to nothing."""
    folder, model = write_checkpoint(case, seed)
    generator = torch.Generator().manual_seed(1000 + seed)
    expected, summary = {}, []
    prompts = [torch.randint(2, 48, (length,), generator=generator) for length in LENGTHS.get(case, [5, 17, 40])]
    with torch.no_grad():
        for number, prompt in enumerate(prompts):
            tokens, margin = answer(model, prompt)
            penalised, penalised_margin = answer(model, prompt, PENALTY)
            if min(margin, penalised_margin) < MARGIN or len(tokens.unique()) < VARIETY:
                return None
            # The cache must not change what is said, above all where the frequencies change on the way.
            assert torch.equal(tokens, answer(model, prompt, use_cache=False)[0]), case
            expected |= {
                f"{number}.prompt": prompt,
                f"{number}.logits": model(prompt[None]).logits[0],
                f"{number}.greedy": tokens,
                f"{number}.penalised": penalised,
            }
            summary.append(f"{len(prompt)} tokens: margin {margin:.4f} and {penalised_margin:.4f}, {len(tokens.unique())} different")
        model.double()
        for number, prompt in enumerate(prompts):
            logits = expected[f"{number}.logits"]
            double = model(prompt[None]).logits[0, -1]
            expected[f"{number}.last_in_f64"] = double.float()
            noise = (double - logits[-1]).abs().max().item()
            summary[number] += f", logits' deviation {logits.std():.2f}, last in f64 {noise:.1e} away"
    save_file({name: value.contiguous() for name, value in expected.items()}, folder / "expected.safetensors")
    return summary


def main():
    cases = sys.argv[1:] or [*CONFIGS, "processors"]
    for case in cases:
        if case == "processors":
            write_processors(HERE)
            continue
        seed, summary = 0, None
        while summary is None:
            seed += 1
            summary = compute(case, seed)
        print(f"{case}, seed {seed}", *summary, sep="\n    ")


main()
