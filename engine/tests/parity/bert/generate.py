"""Writes the fixtures of this folder: tiny random BERT checkpoints and what transformers and PEFT compute with them.

    pip install torch==2.15.0 transformers==5.23.0 peft==0.21.2 accelerate==1.15.0
    python generate.py            # writes the fixtures
    python generate.py --trainer  # also prints how Hugging Face's Trainer compares with the training loop here

Everything is drawn from fixed seeds and computed in f32 on one CPU thread; only f32 rounding may differ between machines.
`README.md` in the folder above says what each file holds.
"""

import json
import os
import shutil
import sys
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, TaskType, get_peft_model
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForPreTraining,
    BertForSequenceClassification,
    BertModel,
    get_linear_schedule_with_warmup,
)

os.chdir(Path(__file__).parent)  # so that saved files name the base model by a relative path
torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)

MAX_POSITIONS = 64
VOCAB = 120
QUERY_VALUE = ["query", "value"]
# PEFT matches suffixes: "output.dense" is the attention's and the layer's, "dense" would be the pooler's as well.
ALL_LINEARS = ["query", "key", "value", "intermediate.dense", "output.dense"]


def fresh(folder):
    path = Path(folder)
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def write_json(path, value):
    Path(path).write_text(json.dumps(value, indent=2) + "\n")


def randomise(model, seed):
    """transformers starts biases at 0 and norms at 1, which would hide a swapped or forgotten tensor."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            noise = torch.randn(tensor.shape, generator=generator)
            if "LayerNorm.weight" in name:
                tensor.copy_(1.0 + 0.2 * noise)
            else:
                tensor.copy_(0.2 * noise)  # matrices, embeddings (the padding row too) and biases
    return model.eval()


def draw_batch(seed, lengths, num_labels):
    """One ragged batch: [CLS]-like id 2 first, [SEP]-like id 3 last, the rest anything but the padding id 0."""
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for length in lengths:
        row = torch.randint(1, VOCAB, (length,), generator=generator)
        row[0] = 2
        if length > 1:
            row[-1] = 3
        rows.append(row)
    labels = torch.randint(0, num_labels, (len(lengths),), generator=generator)
    return rows, labels


def draw_lengths(seed, rows, low, high):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(low, high + 1, (rows,), generator=generator).tolist()


def padded(rows):
    width = max(len(row) for row in rows)
    ids = torch.zeros(len(rows), width, dtype=torch.int64)
    mask = torch.zeros(len(rows), width, dtype=torch.int64)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = row
        mask[index, : len(row)] = 1
    return {"input_ids": ids, "attention_mask": mask}


def batch_tensors(prefix, rows, labels):
    return {
        f"{prefix}token_ids": torch.cat(rows),
        f"{prefix}lengths": torch.tensor([len(row) for row in rows]),
        f"{prefix}labels": labels,
    }


def real_tokens(hidden, rows):
    return torch.cat([hidden[index, : len(row)] for index, row in enumerate(rows)])


def forward_tensors(model, prefix, rows, labels):
    with torch.no_grad():
        output = model(**padded(rows), labels=labels, output_hidden_states=True)
        alone = torch.cat([model(**padded([row])).logits for row in rows])
    return batch_tensors(prefix, rows, labels) | {
        f"{prefix}logits": output.logits,
        f"{prefix}logits_alone": alone,
        f"{prefix}loss": output.loss.reshape(1),
        f"{prefix}last_hidden_state": real_tokens(output.hidden_states[-1], rows),
    }


def contiguous(tensors):
    return {name: tensor.detach().contiguous().clone() for name, tensor in tensors.items()}


def config(**changes):
    settings = dict(
        vocab_size=VOCAB,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        hidden_act="gelu",
        max_position_embeddings=MAX_POSITIONS,
        type_vocab_size=2,
        layer_norm_eps=1e-12,
        initializer_range=0.2,
        num_labels=2,
    )
    return BertConfig(**(settings | changes))


def checkpoints():
    fresh("checkpoint")
    model = randomise(BertForSequenceClassification(config()), seed=1)
    model.save_pretrained("checkpoint")
    model.save_pretrained(fresh("sharded"), max_shard_size="60KB")
    shards = len(list(Path("sharded").glob("*.safetensors")))
    assert shards == 2, shards

    three = config(num_labels=3, num_hidden_layers=1, num_attention_heads=2, layer_norm_eps=1e-5, intermediate_size=48)
    randomise(BertForSequenceClassification(three), seed=2).save_pretrained(fresh("checkpoint-3-labels"))

    # Checkpoints without a classifier. `expected.safetensors` shows that the encoder's weights have found their places.
    small = config(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
    rows, _ = draw_batch(seed=11, lengths=[5, 1, 9], num_labels=2)
    variants = {
        "bare": BertModel,  # no `bert.` prefix, with a pooler
        "mlm": BertForMaskedLM,  # `bert.` and `cls.predictions.`, without a pooler
        "pretraining": BertForPreTraining,  # the same with pooler and `cls.seq_relationship.`, renamed below
    }
    for seed, (folder, kind) in enumerate(variants.items(), start=3):
        model = randomise(kind(small), seed=seed)
        model.save_pretrained(fresh(folder))
        encoder = model if kind is BertModel else model.bert
        with torch.no_grad():
            output = encoder(**padded(rows))
        expected = {
            "token_ids": torch.cat(rows),
            "lengths": torch.tensor([len(row) for row in rows]),
            "last_hidden_state": real_tokens(output.last_hidden_state, rows),
        }
        if output.pooler_output is not None:
            expected["pooler_output"] = output.pooler_output
        save_file(contiguous(expected), f"{folder}/expected.safetensors")

    # The published BERT checkpoints of 2018 call the norm's tensors gamma and beta, write the tied decoder out and hold
    # a buffer of positions; transformers still reads them.
    file = "pretraining/model.safetensors"
    tensors = load_file(file)
    tensors = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
        for name, tensor in tensors.items()
    }
    tensors["cls.predictions.decoder.weight"] = tensors["bert.embeddings.word_embeddings.weight"].clone()
    tensors["bert.embeddings.position_ids"] = torch.arange(MAX_POSITIONS).unsqueeze(0)
    save_file(tensors, file, metadata={"format": "pt"})
    again = BertForPreTraining.from_pretrained("pretraining").eval()
    with torch.no_grad():
        assert torch.equal(again.bert(**padded(rows)).last_hidden_state, output.last_hidden_state)


def classifier(folder="checkpoint", **changes):
    changes = dict(attn_implementation="eager") | changes
    return BertForSequenceClassification.from_pretrained(folder, **changes).eval()


def forward():
    cases = {
        0: [7, 64, 1, 23, 64, 12, 2, 40],
        1: [1],
        2: [64],
        3: draw_lengths(seed=21, rows=5, low=1, high=64),
    }
    for folder, suffix, num_labels in [("checkpoint", "", 2), ("checkpoint-3-labels", "-3-labels", 3)]:
        model = classifier(folder)
        tensors = {}
        for index, lengths in cases.items():
            rows, labels = draw_batch(seed=100 + index, lengths=lengths, num_labels=num_labels)
            tensors |= forward_tensors(model, f"batch.{index}.", rows, labels)
        save_file(contiguous(tensors), f"forward{suffix}.safetensors")


def lora_config(targets, rank=4, alpha=16):
    return LoraConfig(
        r=rank,
        lora_alpha=alpha,
        target_modules=targets,
        lora_dropout=0.0,
        bias="none",
        task_type=TaskType.SEQ_CLS,
    )


def save_adapter(model, folder):
    model.save_pretrained(fresh(folder))
    (Path(folder) / "README.md").unlink(missing_ok=True)
    path = Path(folder) / "adapter_config.json"
    settings = json.loads(path.read_text())
    for key in ("target_modules", "modules_to_save"):
        settings[key] = sorted(set(settings[key]))  # PEFT keeps sets, whose order changes
    write_json(path, settings)


def trained_gradients(model):
    """Gradients under the names that PEFT gives the tensors in `adapter_model.safetensors`."""
    gradients = {name: parameter.grad for name, parameter in model.named_parameters() if parameter.requires_grad}
    return get_peft_model_state_dict(model, state_dict=gradients)


def lora():
    fresh("lora")
    for seed, (case, targets) in enumerate({"query-value": QUERY_VALUE, "all-linears": ALL_LINEARS}.items(), start=31):
        torch.manual_seed(seed)
        model = get_peft_model(classifier(), lora_config(targets)).eval()
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, tensor in model.named_parameters():
                if tensor.requires_grad:  # lora_A, lora_B and a classifier unlike the checkpoint's
                    tensor.copy_(0.2 * torch.randn(tensor.shape, generator=generator))
        save_adapter(model, f"lora/{case}/adapter")

        # What was saved is what gives the numbers below.
        model = PeftModel.from_pretrained(classifier(), f"lora/{case}/adapter", is_trainable=True).eval()
        rows, labels = draw_batch(seed=200, lengths=[9, 64, 1, 30, 17, 3], num_labels=2)
        tensors = forward_tensors(model, "", rows, labels)
        model(**padded(rows), labels=labels).loss.backward()
        gradients = trained_gradients(model)
        saved = load_file(f"lora/{case}/adapter/adapter_model.safetensors")
        assert gradients.keys() == saved.keys()
        assert all(gradient.abs().max() > 1e-4 for gradient in gradients.values())
        tensors |= {f"gradient.{name}": gradient for name, gradient in gradients.items()}
        save_file(contiguous(tensors), f"lora/{case}/expected.safetensors")


LEARNING_RATE, WEIGHT_DECAY, MAX_NORM = 2e-3, 0.01, 1.0


def parameter_groups(model):
    """The groups of Trainer: decay for what is neither in a norm nor named a bias, so not for `classifier.bias`."""
    trained = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    plain = [parameter for name, parameter in trained if "bias" in name or "layernorm" in name.lower()]
    decayed = [parameter for name, parameter in trained if not ("bias" in name or "layernorm" in name.lower())]
    assert plain, "the biases of the classifier and of what is saved whole"
    return [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": plain, "weight_decay": 0.0}]


def trajectory_batches(accumulation):
    """Twenty micro-batches of 8 rows. With accumulation, one of 5, so that the weighting of micro-batches shows."""
    batches = []
    for index in range(20):
        rows = 5 if accumulation == 2 and index == 19 else 8
        batches.append(draw_batch(300 + index, draw_lengths(400 + index, rows, 1, MAX_POSITIONS), num_labels=2))
    return batches


def trajectory_model(folder, dtype=torch.float32):
    base = classifier(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, dtype=dtype)
    model = PeftModel.from_pretrained(base, f"{folder}/initial", is_trainable=True, autocast_adapter_dtype=False)
    return model.to(dtype).train()


def train(model, batches, accumulation):
    """The loss of an optimiser step is the plain mean of its micro-batches' means, and so are the gradients.

    Trainer agrees when nothing is accumulated. When something is, transformers 5 does not divide at all for BERT: the
    model's forward takes keyword arguments, from which Trainer concludes that the loss is normalised by
    `num_items_in_batch`, but BertForSequenceClassification ignores that argument, so the gradients of the micro-batch
    means are summed (see --trainer). That is not reproduced here.
    """
    steps = len(batches) // accumulation
    optimizer = torch.optim.AdamW(parameter_groups(model), lr=LEARNING_RATE, betas=(0.9, 0.999), eps=1e-8)
    schedule = get_linear_schedule_with_warmup(optimizer, num_warmup_steps=0, num_training_steps=steps)
    log = {"micro_losses": [], "losses": [], "gradient_norms": [], "learning_rates": []}
    for step in range(steps):
        losses = []
        for rows, labels in batches[step * accumulation : (step + 1) * accumulation]:
            loss = model(**padded(rows), labels=labels).loss
            (loss / accumulation).backward()
            losses.append(loss.item())
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        norm = torch.nn.utils.clip_grad_norm_(trained, MAX_NORM)
        log["micro_losses"] += losses
        log["losses"].append(sum(losses) / len(losses))
        log["gradient_norms"].append(norm.item())
        log["learning_rates"].append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    return log


def trajectory(only=None):
    # What modules_to_save names beyond the classifier is trained in full: a layer of the stack, and the pooler.
    saved = ["classifier", "pooler", "layer.0.intermediate.dense"]
    for folder, accumulation, targets, whole in [
        ("trajectory", 1, QUERY_VALUE, None),
        ("trajectory-accumulated", 2, ALL_LINEARS, None),
        ("trajectory-saved", 1, QUERY_VALUE, saved),
    ]:
        if only not in (None, folder):
            continue
        fresh(folder)
        torch.manual_seed(41)
        config = lora_config(targets)
        config.modules_to_save = whole or config.modules_to_save
        save_adapter(get_peft_model(classifier(), config), f"{folder}/initial")  # B = 0
        batches = trajectory_batches(accumulation)
        tensors = {}
        for index, (rows, labels) in enumerate(batches):
            tensors |= batch_tensors(f"batch.{index}.", rows, labels)
        save_file(contiguous(tensors), f"{folder}/batches.safetensors")

        model = trajectory_model(folder)
        log = train(model, batches, accumulation)
        save_adapter(model, f"{folder}/final")
        settings = {
            "optimizer_steps": len(batches) // accumulation,
            "gradient_accumulation": accumulation,
            "learning_rate": LEARNING_RATE,
            "schedule": "linear",
            "warmup_steps": 0,
            "adam_beta1": 0.9,
            "adam_beta2": 0.999,
            "adam_epsilon": 1e-8,
            "weight_decay": WEIGHT_DECAY,
            "not_decayed": [name for name in get_peft_model_state_dict(model) if name.endswith("bias")],
            "max_gradient_norm": MAX_NORM,
            "dropout": 0.0,
        }
        write_json(f"{folder}/trajectory.json", {"settings": settings} | log)

        # The fixture must not hang on rounding: the same in f64 ends at the same place.
        exact = trajectory_model(folder, torch.float64)
        exact_log = train(exact, batches, accumulation)
        ours, theirs = get_peft_model_state_dict(model), get_peft_model_state_dict(exact)
        weights = max((ours[name] - theirs[name]).abs().max().item() for name in ours)
        losses = max(abs(a - b) for a, b in zip(log["losses"], exact_log["losses"]))
        start = load_file(f"{folder}/initial/adapter_model.safetensors")
        moved = max((ours[name] - start[name]).abs().max().item() for name in ours)
        print(f"{folder}: f32 against f64: weights {weights:.1e} (moved up to {moved:.1e}), losses {losses:.1e}")
        print(f"  losses {log['losses'][0]:.4f} -> {log['losses'][-1]:.4f}, norms {min(log['gradient_norms']):.3f} to {max(log['gradient_norms']):.3f}")
        assert weights < 2e-5 and losses < 1e-5
        assert min(log["gradient_norms"]) < MAX_NORM < max(log["gradient_norms"]), "clipping must both act and not act"


def compare_with_trainer():
    """Runs Trainer itself over the same batches."""
    import tempfile

    from transformers import Trainer, TrainingArguments

    class Fixed(Trainer):
        def get_train_dataloader(self):
            return torch.utils.data.DataLoader(self.train_dataset, batch_size=None, shuffle=False)

    for folder, accumulation in [("trajectory", 1), ("trajectory-accumulated", 2)]:
        batches = [padded(rows) | {"labels": labels} for rows, labels in trajectory_batches(accumulation)]
        model = trajectory_model(folder)
        with tempfile.TemporaryDirectory() as output:
            arguments = TrainingArguments(
                output_dir=output,
                learning_rate=LEARNING_RATE,
                weight_decay=WEIGHT_DECAY,
                max_grad_norm=MAX_NORM,
                lr_scheduler_type="linear",
                warmup_steps=0,
                num_train_epochs=1,
                gradient_accumulation_steps=accumulation,
                logging_steps=1,
                save_strategy="no",
                report_to=[],
                use_cpu=True,
                disable_tqdm=True,
            )
            trainer = Fixed(model=model, args=arguments, train_dataset=batches)
            trainer.train()
        logs = [entry for entry in trainer.state.log_history if "grad_norm" in entry]
        ours = json.loads(Path(folder, "trajectory.json").read_text())
        final = load_file(f"{folder}/final/adapter_model.safetensors")
        theirs = get_peft_model_state_dict(model)
        difference = max((final[name] - theirs[name]).abs().max().item() for name in final)
        decayed = trainer.get_decay_parameter_names(model)
        print(f"{folder}: weights differ by {difference:.1e}; classifier bias decayed: {any('classifier' in n and 'bias' in n for n in decayed)}")
        for entry, loss, norm, rate in zip(logs, ours["losses"], ours["gradient_norms"], ours["learning_rates"]):
            print(
                f"  loss {entry['loss']:.6f} / {loss:.6f}  norm {entry['grad_norm']:.6f} / {norm:.6f} (ratio {entry['grad_norm'] / norm:.4f})"
                f"  rate {entry['learning_rate']:.2e} / {rate:.2e}"
            )


if __name__ == "__main__":
    if "--saved" in sys.argv:  # this case alone, which came later
        trajectory("trajectory-saved")
        sys.exit()
    checkpoints()
    forward()
    lora()
    trajectory()
    if "--trainer" in sys.argv:
        compare_with_trainer()
