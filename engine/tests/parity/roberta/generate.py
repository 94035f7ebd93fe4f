"""Writes the fixtures of this folder and of `../xlm-roberta`: tiny random checkpoints and what transformers and PEFT compute with them.

    pip install torch==2.15.0 transformers==5.23.0 peft==0.21.2
    python generate.py

As `../bert/generate.py`, whose parts it uses, with what differs in RoBERTa: positions that begin behind the padding's id, one
segment, and a head of two layers on the first token. `README.md` in the folder above says what each file holds.
"""

import importlib.util
import os
from pathlib import Path

import torch
from peft import PeftModel, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModelForSequenceClassification,
    RobertaConfig,
    RobertaForMaskedLM,
    RobertaForSequenceClassification,
    RobertaModel,
    XLMRobertaConfig,
    XLMRobertaForSequenceClassification,
    get_linear_schedule_with_warmup,
)

HERE = Path(__file__).resolve().parent
spec = importlib.util.spec_from_file_location("bert_generate", HERE.parent / "bert" / "generate.py")
bert = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bert)  # it also fixes the number of threads and asks for deterministic algorithms

POSITIONS, VOCAB = 66, 120
MAX_TOKENS = POSITIONS - 2  # positions 0 and 1 are never used by real tokens
BOS, PAD, EOS = 0, 1, 2
QUERY_VALUE = ["query", "value"]
ALL_LINEARS = ["query", "key", "value", "intermediate.dense", "output.dense"]


def draw_batch(seed, lengths, num_labels):
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for length in lengths:
        row = torch.randint(3, VOCAB, (length,), generator=generator)
        row[0] = BOS
        if length > 1:
            row[-1] = EOS
        rows.append(row)
    return rows, torch.randint(0, num_labels, (len(lengths),), generator=generator)


def padded(rows):
    width = max(len(row) for row in rows)
    ids = torch.full((len(rows), width), PAD)
    mask = torch.zeros(len(rows), width, dtype=torch.int64)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = row
        mask[index, : len(row)] = 1
    return {"input_ids": ids, "attention_mask": mask}


def forward_tensors(model, prefix, rows, labels):
    with torch.no_grad():
        output = model(**padded(rows), labels=labels, output_hidden_states=True)
        alone = torch.cat([model(**padded([row])).logits for row in rows])
    return bert.batch_tensors(prefix, rows, labels) | {
        f"{prefix}logits": output.logits,
        f"{prefix}logits_alone": alone,
        f"{prefix}loss": output.loss.reshape(1),
        f"{prefix}last_hidden_state": bert.real_tokens(output.hidden_states[-1], rows),
    }


def settings(**changes):
    return dict(
        vocab_size=VOCAB,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        hidden_act="gelu",
        max_position_embeddings=POSITIONS,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        initializer_range=0.2,
        bos_token_id=BOS,
        pad_token_id=PAD,
        eos_token_id=EOS,
        num_labels=2,
    ) | changes


def checkpoints():
    model = bert.randomise(RobertaForSequenceClassification(RobertaConfig(**settings())), seed=51)
    model.save_pretrained(bert.fresh("checkpoint"))

    # Without a classification head. The first has no `roberta.` prefix and a pooler that nothing uses, the second `lm_head.*`.
    small = settings(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
    rows, _ = draw_batch(seed=61, lengths=[5, 1, 9], num_labels=2)
    for seed, (folder, kind) in enumerate({"bare": RobertaModel, "mlm": RobertaForMaskedLM}.items(), start=52):
        model = bert.randomise(kind(RobertaConfig(**small)), seed=seed)
        model.save_pretrained(bert.fresh(folder))
        encoder = model if kind is RobertaModel else model.roberta
        with torch.no_grad():
            hidden = encoder(**padded(rows)).last_hidden_state
        expected = {
            "token_ids": torch.cat(rows),
            "lengths": torch.tensor([len(row) for row in rows]),
            "last_hidden_state": bert.real_tokens(hidden, rows),
        }
        save_file(bert.contiguous(expected), f"{folder}/expected.safetensors")


def classifier(**changes):
    changes = dict(attn_implementation="eager") | changes
    return AutoModelForSequenceClassification.from_pretrained("checkpoint", **changes).eval()


def forward(num_labels):
    cases = {
        0: [7, 64, 1, 23, 64, 12, 2, 40],
        1: [1],
        2: [64],
        3: bert.draw_lengths(seed=71, rows=5, low=1, high=64),
        4: [12, 5],
    }
    model = classifier()
    tensors = {}
    for index, lengths in cases.items():
        rows, labels = draw_batch(seed=500 + index, lengths=lengths, num_labels=num_labels)
        if index == 4:
            # A text may spell the padding token out. It is attended to, but takes no position.
            rows[0][3] = rows[0][4] = rows[1][2] = PAD
        tensors |= forward_tensors(model, f"batch.{index}.", rows, labels)
    save_file(bert.contiguous(tensors), "forward.safetensors")


def lora(cases, num_labels):
    bert.fresh("lora")
    for seed, (case, targets) in enumerate(cases.items(), start=81):
        torch.manual_seed(seed)
        model = get_peft_model(classifier(), bert.lora_config(targets)).eval()
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, tensor in model.named_parameters():
                if tensor.requires_grad:
                    tensor.copy_(0.2 * torch.randn(tensor.shape, generator=generator))
        bert.save_adapter(model, f"lora/{case}/adapter")
        model = PeftModel.from_pretrained(classifier(), f"lora/{case}/adapter", is_trainable=True).eval()
        rows, labels = draw_batch(seed=600, lengths=[9, 64, 1, 30, 17, 3], num_labels=num_labels)
        tensors = forward_tensors(model, "", rows, labels)
        model(**padded(rows), labels=labels).loss.backward()
        gradients = bert.trained_gradients(model)
        saved = load_file(f"lora/{case}/adapter/adapter_model.safetensors")
        assert gradients.keys() == saved.keys()
        assert all(gradient.abs().max() > 1e-4 for gradient in gradients.values())
        tensors |= {f"gradient.{name}": gradient for name, gradient in gradients.items()}
        save_file(bert.contiguous(tensors), f"lora/{case}/expected.safetensors")


def parameter_groups(model):
    trained = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    plain = [parameter for name, parameter in trained if name.endswith("bias")]
    decayed = [parameter for name, parameter in trained if not name.endswith("bias")]
    assert len(plain) == 2, "the head's biases"
    return [{"params": decayed, "weight_decay": bert.WEIGHT_DECAY}, {"params": plain, "weight_decay": 0.0}]


def trajectory_model(dtype=torch.float32):
    base = classifier(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, dtype=dtype)
    model = PeftModel.from_pretrained(base, "trajectory/initial", is_trainable=True, autocast_adapter_dtype=False)
    return model.to(dtype).train()


def train(model, batches):
    optimizer = torch.optim.AdamW(parameter_groups(model), lr=bert.LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8)
    schedule = get_linear_schedule_with_warmup(optimizer, num_warmup_steps=0, num_training_steps=len(batches))
    log = {"losses": [], "gradient_norms": [], "learning_rates": []}
    for rows, labels in batches:
        loss = model(**padded(rows), labels=labels).loss
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


def trajectory(num_labels):
    bert.fresh("trajectory")
    torch.manual_seed(91)
    bert.save_adapter(get_peft_model(classifier(), bert.lora_config(QUERY_VALUE)), "trajectory/initial")
    batches = [draw_batch(700 + index, bert.draw_lengths(800 + index, 8, 1, MAX_TOKENS), num_labels) for index in range(20)]
    tensors = {}
    for index, (rows, labels) in enumerate(batches):
        tensors |= bert.batch_tensors(f"batch.{index}.", rows, labels)
    save_file(bert.contiguous(tensors), "trajectory/batches.safetensors")
    model = trajectory_model()
    log = train(model, batches)
    bert.save_adapter(model, "trajectory/final")
    values = {
        "gradient_accumulation": 1,
        "learning_rate": bert.LEARNING_RATE,
        "schedule": "linear",
        "weight_decay": bert.WEIGHT_DECAY,
        "max_gradient_norm": bert.MAX_NORM,
        "dropout": 0.0,
    }
    bert.write_json("trajectory/trajectory.json", {"settings": values} | log)

    # The fixture must not hang on rounding: the same in f64 ends at the same place.
    exact = trajectory_model(torch.float64)
    exact_log = train(exact, batches)
    ours, theirs = get_peft_model_state_dict(model), get_peft_model_state_dict(exact)
    weights = max((ours[name] - theirs[name]).abs().max().item() for name in ours)
    losses = max(abs(a - b) for a, b in zip(log["losses"], exact_log["losses"]))
    print(f"f32 against f64: weights {weights:.1e}, losses {losses:.1e}; norms {min(log['gradient_norms']):.3f} to {max(log['gradient_norms']):.3f}")
    assert weights < 2e-5 and losses < 1e-5
    assert max(log["gradient_norms"]) > bert.MAX_NORM


if __name__ == "__main__":
    os.chdir(HERE)
    checkpoints()
    forward(2)
    lora({"query-value": QUERY_VALUE, "all-linears": ALL_LINEARS}, 2)
    trajectory(2)

    # XLM-R is the same network with another `model_type`. Two segments, three classes and a padding id of 0 tell more than a copy would.
    os.chdir(HERE.parent / "xlm-roberta")
    PAD, BOS = 0, 1
    POSITIONS = 65
    config = XLMRobertaConfig(**settings(num_labels=3, num_hidden_layers=1, num_attention_heads=2, type_vocab_size=2, intermediate_size=48))
    bert.randomise(XLMRobertaForSequenceClassification(config), seed=55).save_pretrained(bert.fresh("checkpoint"))
    forward(3)
    lora({"query-value": QUERY_VALUE}, 3)
    trajectory(3)
