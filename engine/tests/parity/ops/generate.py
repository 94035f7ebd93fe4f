"""Writes `ops.safetensors`: small operations forward and backward, as torch computes them.

    pip install torch==2.15.0 safetensors==0.8.0
    python generate.py

Inputs are f32; results are computed from them in f64 and rounded to f32 once, so the reference has no error of its own.
Every case holds `<case>.output`, the upstream `<case>.output_gradient` and `<case>.<input>_gradient`.
"""

import math
from pathlib import Path

import torch
from safetensors.torch import save_file

torch.set_num_threads(1)
generator = torch.Generator().manual_seed(7)
tensors = {}


def draw(*shape, scale=1.0):
    return (scale * torch.randn(shape, generator=generator)).float()


def case(name, function, plain=None, **inputs):
    exact = {key: value.double().requires_grad_() for key, value in inputs.items()}
    output = function(**exact, **(plain or {}))
    upstream = draw(*output.shape)
    output.backward(upstream.double())
    tensors[f"{name}.output"] = output
    tensors[f"{name}.output_gradient"] = upstream
    for key, value in inputs.items():
        tensors[f"{name}.{key}"] = value
        tensors[f"{name}.{key}_gradient"] = exact[key].grad


# Exact GELU, x/2 (1 + erf(x / sqrt 2)): around 0, in the tails, and where a polynomial for erf shows.
grid = torch.cat([torch.linspace(-8.0, 8.0, 161), torch.tensor([-30.0, -1e-4, 1e-4, 30.0])])
case("gelu", lambda input: torch.nn.functional.gelu(input), input=grid)
case("gelu_matrix", lambda input: torch.nn.functional.gelu(input), input=draw(7, 16, scale=2.0))


def layer_norm(input, weight, bias, epsilon):
    return torch.nn.functional.layer_norm(input, (input.shape[-1],), weight, bias, epsilon)


for name, epsilon, scale, shift in [
    ("layer_norm_1e-12", 1e-12, 1.0, 0.0),
    ("layer_norm_1e-5", 1e-5, 0.01, 0.0),  # variance near epsilon
    ("layer_norm_shifted", 1e-12, 1.0, 10.0),  # a mean far from 0, which a one-pass variance gets wrong
]:
    case(
        name,
        layer_norm,
        dict(epsilon=epsilon),
        input=draw(9, 32, scale=scale) + shift,
        weight=1.0 + 0.2 * draw(32),
        bias=0.2 * draw(32),
    )
    tensors[f"{name}.epsilon"] = torch.tensor([epsilon])


def ragged_attention(query, key, value, lengths, heads):
    """Self-attention within each row of a concatenated batch: [tokens, heads * width] each, rows in order."""
    outputs, start = [], 0
    width = query.shape[-1] // heads
    for length in lengths:
        part = [tensor[start : start + length].view(length, heads, width).transpose(0, 1) for tensor in (query, key, value)]
        scores = part[0] @ part[1].transpose(1, 2) / math.sqrt(width)
        outputs.append((scores.softmax(-1) @ part[2]).transpose(0, 1).reshape(length, heads * width))
        start += length
    return torch.cat(outputs)


for name, lengths, heads, width, scale in [
    ("attention", [5, 1, 12, 3], 4, 8, 1.0),
    ("attention_one_head", [6, 2], 1, 5, 1.0),
    ("attention_even", [4, 4, 4], 2, 6, 1.0),
    ("attention_large_scores", [7, 3], 2, 8, 12.0),  # overflows a softmax that does not subtract the maximum
]:
    tokens, features = sum(lengths), heads * width
    case(
        name,
        ragged_attention,
        dict(lengths=lengths, heads=heads),
        query=draw(tokens, features, scale=scale),
        key=draw(tokens, features, scale=scale),
        value=draw(tokens, features),
    )
    tensors[f"{name}.lengths"] = torch.tensor(lengths)
    tensors[f"{name}.heads"] = torch.tensor([heads])

# Mean cross entropy over rows, with logits that overflow a plain exponential.
labels = torch.tensor([0, 2, 1, 1, 0, 2])
logits = draw(6, 3, scale=2.0)
logits[4] = torch.tensor([200.0, -150.0, 3.0])
logits[5] = torch.tensor([120.0, 0.0, -120.0])
case("cross_entropy", lambda logits: torch.nn.functional.cross_entropy(logits, labels).reshape(1), logits=logits)
tensors["cross_entropy.labels"] = labels

tensors = {
    name: (tensor if tensor.dtype == torch.int64 else tensor.float()).detach().contiguous().clone()
    for name, tensor in tensors.items()
}
assert all(tensor.isfinite().all() for tensor in tensors.values())
save_file(tensors, Path(__file__).with_name("ops.safetensors"))
