"""Writes the fixtures of this folder: tiny random DeBERTa-v2 checkpoints and what transformers and PEFT compute with them.

    pip install torch==2.15.0 transformers==5.23.0 peft==0.21.2
    python generate.py

As `../bert/generate.py`, whose parts it uses. `README.md` in the folder above says what each file holds.
"""

import importlib.util
import json
import os
import shutil
from pathlib import Path

import torch
from peft import PeftModel, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from transformers import DebertaV2Config, DebertaV2ForMaskedLM, DebertaV2ForSequenceClassification, get_linear_schedule_with_warmup
from transformers.models.deberta_v2.modeling_deberta_v2 import make_log_bucket_position

HERE = Path(__file__).resolve().parent
spec = importlib.util.spec_from_file_location("bert_generate", HERE.parent / "bert" / "generate.py")
bert = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bert)  # it also fixes the number of threads and asks for deterministic algorithms
os.chdir(HERE)

POSITIONS = 64
# Texts of up to 64 tokens, so that distances go far beyond the single ones (up to 4 of 8 buckets) and, in `distances`, beyond the largest.
CONFIGS = {
    "buckets": dict(position_buckets=8, norm_rel_ebd="layer_norm", share_att_key=True, pos_att_type="p2c|c2p"),
    "distances": dict(max_relative_positions=20, share_att_key=False, pos_att_type=["c2p", "p2c"], pooler_hidden_act="relu"),
    "c2p": dict(position_buckets=6, share_att_key=False, pos_att_type=["c2p"]),
    "p2c": dict(norm_rel_ebd="layer_norm", share_att_key=True, pos_att_type="p2c"),
}
SHARED = ["query_proj", "key_proj", "value_proj", "intermediate.dense", "output.dense"]
LORA = {
    ("buckets", "query-key-value"): SHARED[:3],
    ("buckets", "all-linears"): SHARED,
    ("buckets", "pooler"): ["query_proj", "pooler.dense"],
    ("distances", "all-linears"): [*SHARED, "pos_key_proj", "pos_query_proj"],
    ("p2c", "query-value"): ["query_proj", "value_proj"],
}


def config(**changes):
    settings = dict(
        vocab_size=120,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=POSITIONS,
        relative_attention=True,
        position_biased_input=False,
        initializer_range=0.2,
        num_labels=2,
    )
    return DebertaV2Config(**(settings | changes))


def classifier(case, **changes):
    return DebertaV2ForSequenceClassification.from_pretrained(f"{case}/checkpoint", **changes).eval()


def checkpoints():
    for seed, (case, changes) in enumerate(CONFIGS.items(), start=1):
        model = bert.randomise(DebertaV2ForSequenceClassification(config(**changes)), seed=seed)
        model.save_pretrained(bert.fresh(f"{case}/checkpoint"))

    # As microsoft/deberta-v3-base: PyTorch's format, heads of pre-training, half precision, neither pooler nor classifier.
    small = config(**CONFIGS["buckets"], hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, legacy=False)
    model = bert.randomise(DebertaV2ForMaskedLM(small), seed=11).half()
    folder = bert.fresh("pretraining")
    model.config.save_pretrained(folder)
    keys = json.loads((folder / "config.json").read_text())
    for key in ("architectures", "dtype", "torch_dtype"):
        keys.pop(key, None)
    bert.write_json(folder / "config.json", keys)
    tensors = dict(model.state_dict())
    generator = torch.Generator().manual_seed(12)
    extra = {
        "deberta.embeddings.position_embeddings.weight": (POSITIONS, 16),
        "deberta.embeddings.word_embeddings._weight": (120, 16),
        "mask_predictions.dense.weight": (16, 16),
        "mask_predictions.classifier.bias": (1,),
    }
    tensors |= {name: torch.randn(shape, generator=generator).half() for name, shape in extra.items()}
    assert any(name.startswith("lm_predictions.") for name in tensors), tensors.keys()
    assert not any("pooler" in name for name in tensors)
    torch.save(tensors, folder / "pytorch_model.bin")
    rows, _ = bert.draw_batch(seed=13, lengths=[5, 1, 40], num_labels=2)
    with torch.no_grad():
        hidden = model.float().deberta(**bert.padded(rows)).last_hidden_state
    expected = {
        "token_ids": torch.cat(rows),
        "lengths": torch.tensor([len(row) for row in rows]),
        "last_hidden_state": bert.real_tokens(hidden, rows),
    }
    save_file(bert.contiguous(expected), folder / "expected.safetensors")


def forward():
    cases = {
        0: [7, 64, 1, 23, 64, 12, 2, 40],
        1: [1],
        2: [64],
        3: [3, 2],
    }
    for case in CONFIGS:
        model = classifier(case)
        tensors = {}
        for index, lengths in cases.items():
            rows, labels = bert.draw_batch(seed=100 + index, lengths=lengths, num_labels=2)
            tensors |= bert.forward_tensors(model, f"batch.{index}.", rows, labels)
        save_file(bert.contiguous(tensors), f"{case}/forward.safetensors")


def lora():
    for seed, ((case, name), targets) in enumerate(LORA.items(), start=31):
        folder = f"{case}/lora/{name}"
        bert.fresh(folder)
        torch.manual_seed(seed)
        model = get_peft_model(classifier(case), bert.lora_config(targets)).eval()
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for _, tensor in model.named_parameters():
                if tensor.requires_grad:  # lora_A, lora_B and a classifier unlike the checkpoint's
                    tensor.copy_(0.2 * torch.randn(tensor.shape, generator=generator))
        bert.save_adapter(model, f"{folder}/adapter")
        model = PeftModel.from_pretrained(classifier(case), f"{folder}/adapter", is_trainable=True).eval()
        rows, labels = bert.draw_batch(seed=200, lengths=[9, 64, 1, 30, 17, 3], num_labels=2)
        tensors = bert.forward_tensors(model, "", rows, labels)
        model(**bert.padded(rows), labels=labels).loss.backward()
        gradients = bert.trained_gradients(model)
        saved = load_file(f"{folder}/adapter/adapter_model.safetensors")
        assert gradients.keys() == saved.keys()
        assert all(gradient.abs().max() > 1e-4 for gradient in gradients.values())
        tensors |= {f"gradient.{name}": gradient for name, gradient in gradients.items()}
        save_file(bert.contiguous(tensors), f"{folder}/expected.safetensors")


def trajectory_model(dtype=torch.float32):
    base = classifier("buckets", hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, dtype=dtype)
    model = PeftModel.from_pretrained(base, "buckets/trajectory/initial", is_trainable=True, autocast_adapter_dtype=False)
    return model.to(dtype).train()


def train(model, batches):
    optimizer = torch.optim.AdamW(bert.parameter_groups(model), lr=bert.LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8)
    schedule = get_linear_schedule_with_warmup(optimizer, num_warmup_steps=0, num_training_steps=len(batches))
    log = {"losses": [], "gradient_norms": [], "learning_rates": []}
    for rows, labels in batches:
        loss = model(**bert.padded(rows), labels=labels).loss
        loss.backward()
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        norm = torch.nn.utils.clip_grad_norm_(trained, bert.MAX_NORM)
        log["losses"].append(loss.item())
        log["gradient_norms"].append(norm.item())
        log["learning_rates"].append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    return log


def trajectory():
    folder = "buckets/trajectory"
    bert.fresh(folder)
    torch.manual_seed(91)
    bert.save_adapter(get_peft_model(classifier("buckets"), bert.lora_config(SHARED[:3])), f"{folder}/initial")
    batches = [bert.draw_batch(700 + index, bert.draw_lengths(800 + index, 8, 1, POSITIONS), 2) for index in range(20)]
    tensors = {}
    for index, (rows, labels) in enumerate(batches):
        tensors |= bert.batch_tensors(f"batch.{index}.", rows, labels)
    save_file(bert.contiguous(tensors), f"{folder}/batches.safetensors")
    model = trajectory_model()
    log = train(model, batches)
    bert.save_adapter(model, f"{folder}/final")
    values = {
        "gradient_accumulation": 1,
        "learning_rate": bert.LEARNING_RATE,
        "schedule": "linear",
        "weight_decay": bert.WEIGHT_DECAY,
        "max_gradient_norm": bert.MAX_NORM,
        "dropout": 0.0,
    }
    bert.write_json(f"{folder}/trajectory.json", {"settings": values} | log)

    # The fixture must not hang on rounding: the same in f64 ends at the same place.
    exact = trajectory_model(torch.float64)
    exact_log = train(exact, batches)
    ours, theirs = get_peft_model_state_dict(model), get_peft_model_state_dict(exact)
    weights = max((ours[name] - theirs[name]).abs().max().item() for name in ours)
    losses = max(abs(a - b) for a, b in zip(log["losses"], exact_log["losses"]))
    print(f"f32 against f64: weights {weights:.1e}, losses {losses:.1e}; norms {min(log['gradient_norms']):.3f} to {max(log['gradient_norms']):.3f}")
    assert weights < 2e-5 and losses < 1e-5
    assert max(log["gradient_norms"]) > bert.MAX_NORM


def rows():
    """The row of the table of relative positions for each distance, whose rounding decides on which side of a boundary it falls."""
    cases = []
    for buckets, furthest, longest in [(256, 512, 600), (8, 64, 80), (6, 64, 64), (32, 512, 512), (48, 500, 600), (3, 20, 30), (100, 2048, 2100)]:
        distances = torch.arange(-longest, longest + 1)
        bucket = make_log_bucket_position(distances, buckets, furthest).to(torch.long)
        rows = torch.clamp(bucket + buckets, 0, 2 * buckets - 1)
        cases.append({"buckets": buckets, "furthest": furthest, "rows": rows.tolist()})
    Path("rows.json").write_text(json.dumps(cases) + "\n")


if __name__ == "__main__":
    for case in CONFIGS:
        shutil.rmtree(case, ignore_errors=True)
    checkpoints()
    forward()
    lora()
    trajectory()
    rows()
