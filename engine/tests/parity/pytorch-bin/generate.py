"""Writes the fixtures of this folder: state dicts as `torch.save` stores them, and the same values as safetensors.

    pip install torch==2.15.0 transformers==5.23.0
    python generate.py
"""

import json
import os
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import BertForSequenceClassification, RobertaForSequenceClassification

os.chdir(Path(__file__).parent)
torch.manual_seed(7)

base = torch.randn(6, 8)
cube = torch.randn(3, 4, 5)
shared = torch.randn(40)
odd = OrderedDict(
    plain=base,
    transposed=torch.randn(5, 7).t(),
    permuted=cube.permute(2, 0, 1),
    columns=base[:, 2:7:2],
    row=base[3],
    reversed_order=cube.transpose(0, 2)[1:4, ::2],
    tied_a=shared[:24].view(4, 6),
    tied_b=shared[8:].view(4, 8),
    tied_again=shared[:24].view(4, 6),
    half=torch.randn(3, 3).half(),
    half_transposed=torch.randn(4, 3).half().t(),
    bfloat=torch.randn(9).bfloat16(),
    double=torch.randn(2, 2).double(),
    scalar=torch.tensor(2.5),
    empty=torch.zeros(0, 4),
    one_wide=torch.randn(5, 9)[:, 4:5],
    position_ids=torch.arange(10),
    mask=torch.tensor([True, False]),
    parameter=torch.nn.Parameter(torch.randn(2, 3)),
    frozen_parameter=torch.nn.Parameter(torch.randn(3), requires_grad=False),
)
odd._metadata = OrderedDict([("", {"version": 1}), ("inner", {"version": 2})])
floats = {name: tensor.detach().float().contiguous().clone() for name, tensor in odd.items() if tensor.is_floating_point()}
save_file(floats, "odd.safetensors")
torch.save(odd, "odd.bin")
torch.save(dict(odd), "plain-dict.bin")
torch.save(odd, "protocol-4.bin", pickle_protocol=4)
torch.save(odd, "legacy.bin", _use_new_zipfile_serialization=False)

# Refused, each by what it asks for.
torch.save({"expanded": torch.randn(1, 3).expand(1000, 3)}, "expanded.bin")
torch.save({"model": odd, "epoch": 3}, "nested.bin")
torch.save({"whole": torch.nn.Linear(2, 2)}, "whole-module.bin")
torch.save({"sparse": torch.eye(3).to_sparse()}, "sparse.bin")


class Harmful:
    def __reduce__(self):
        return os.system, ("echo this ran > ran.txt",)


torch.save({"weight": torch.zeros(2), "harm": Harmful()}, "harmful.bin")

# Whole checkpoints: BERT's of the other folder in one file, RoBERTa's in two with an index.
for kind, folder in [(BertForSequenceClassification, "bert"), (RobertaForSequenceClassification, "roberta")]:
    model = kind.from_pretrained(f"../{folder}/checkpoint")
    Path(folder).mkdir(exist_ok=True)
    (Path(folder) / "config.json").write_text(Path(f"../{folder}/checkpoint/config.json").read_text())
    state = model.state_dict()
    if folder == "bert":
        torch.save(state, "bert/pytorch_model.bin")
        continue
    names = list(state)
    parts = {"pytorch_model-00001-of-00002.bin": names[: len(names) // 2], "pytorch_model-00002-of-00002.bin": names[len(names) // 2 :]}
    for file, part in parts.items():
        torch.save(OrderedDict((name, state[name]) for name in part), f"roberta/{file}")
    index = {
        "metadata": {"total_size": sum(tensor.numel() * tensor.element_size() for tensor in state.values())},
        "weight_map": {name: file for file, part in parts.items() for name in part},
    }
    Path("roberta/pytorch_model.bin.index.json").write_text(json.dumps(index, indent=2) + "\n")
