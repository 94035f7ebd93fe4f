"""Writes `optimizer.json`: trajectories of torch's AdamW on one tensor, and gradients before and after `clip_grad_norm_`.

    pip install torch==2.15.0
    python generate.py

AdamW is computed in f32 with its plain loop (`foreach=False`); gradients are given, not computed from a loss, so that a
difference is the optimiser's. Clipping divides by norm + 1e-6 and never scales up.
"""

import json
from pathlib import Path

import torch

torch.set_num_threads(1)


def draw(generator, *shape):
    return torch.randn(shape, generator=generator)


def adamw(seed, steps, rates, scale=1.0, **settings):
    generator = torch.Generator().manual_seed(seed)
    tensor = torch.nn.Parameter(draw(generator, 3, 4))
    case = {"learning_rates": rates, **settings, "start": tensor.flatten().tolist(), "gradients": [], "tensors": []}
    optimizer = torch.optim.AdamW(
        [tensor],
        lr=rates[0],
        betas=(settings["beta1"], settings["beta2"]),
        eps=settings["epsilon"],
        weight_decay=settings["weight_decay"],
        foreach=False,
    )
    for step in range(steps):
        gradient = scale * draw(generator, 3, 4)
        gradient[0, 0] = 0.0  # a component that never gets a gradient moves by decay alone
        if step == 2:
            gradient.zero_()  # and a step without any
        tensor.grad = gradient
        optimizer.param_groups[0]["lr"] = rates[step]
        optimizer.step()
        case["gradients"].append(gradient.flatten().tolist())
        case["tensors"].append(tensor.detach().flatten().tolist())
    return case


def clip(seed, shapes, scale, max_norm):
    generator = torch.Generator().manual_seed(seed)
    tensors = [torch.nn.Parameter(torch.zeros(shape)) for shape in shapes]
    for tensor in tensors:
        tensor.grad = scale * draw(generator, *tensor.shape)
    before = [tensor.grad.flatten().tolist() for tensor in tensors]
    norm = torch.nn.utils.clip_grad_norm_(tensors, max_norm).item()
    after = [tensor.grad.flatten().tolist() for tensor in tensors]
    return {"max_gradient_norm": max_norm, "shapes": shapes, "norm": norm, "before": before, "after": after}


plain = dict(beta1=0.9, beta2=0.999, epsilon=1e-8)
fixture = {
    "shape": [3, 4],
    "adamw": [
        adamw(1, 8, [1e-3] * 8, weight_decay=0.0, **plain),
        adamw(2, 8, [1e-3] * 8, weight_decay=0.01, **plain),
        adamw(3, 10, [2e-2 * (1 - step / 10) for step in range(10)], weight_decay=0.1, **plain),
        adamw(4, 6, [1e-2] * 6, weight_decay=0.01, beta1=0.8, beta2=0.95, epsilon=1e-6),
        # Gradients near epsilon: only sqrt(v / (1 - beta2^t)) + epsilon, in this order, gives these values.
        adamw(5, 6, [1e-2] * 6, scale=1e-8, weight_decay=0.0, **plain),
    ],
    "clipping": [
        clip(11, [[4, 3], [5], [2, 2]], scale=3.0, max_norm=1.0),
        clip(12, [[4, 3], [5], [2, 2]], scale=0.05, max_norm=1.0),
        clip(13, [[2, 3]], scale=1.0, max_norm=0.5),
        clip(14, [[3], [1]], scale=0.0, max_norm=1.0),
        clip(15, [[3, 2], [4]], scale=100.0, max_norm=10.0),
    ],
}
assert [case["norm"] > case["max_gradient_norm"] for case in fixture["clipping"]] == [True, False, True, False, True]
Path(__file__).with_name("optimizer.json").write_text(json.dumps(fixture) + "\n")
