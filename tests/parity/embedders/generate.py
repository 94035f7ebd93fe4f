"""Writes the fixtures of this folder: tiny random embedders of every kind with their vectors, and a digest of real ones.

    pip install torch==2.15.0 transformers==5.24.0 sentence-transformers==6.2.0
    python generate.py [--minilm FOLDER --manual manual_bash.txt | --prompts]

BERT, RoBERTa, XLM-R and MPNet: transformers' bare models inside sentence-transformers, which also writes the folders.

Jina BERT v2: its published code is no part of any package, so the reference is `JinaBert` below, written independently from the paper
(arXiv 2310.19923), ALiBi's (arXiv 2108.12409) and the tensors' names in the checkpoints. It shows that ours computes that network, not that the
network is theirs.

`minilm.safetensors` needs the real all-MiniLM-L6-v2 and the manual: for 500 stretches of its words, eight projections of the vector that
sentence-transformers computes, and a few whole vectors.
"""

import argparse
import importlib.util
import json
import math
import shutil
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer
from transformers import BertConfig, BertModel, MPNetConfig, MPNetModel, RobertaConfig, RobertaModel, XLMRobertaConfig, XLMRobertaModel

HERE = Path(__file__).resolve().parent
spec = importlib.util.spec_from_file_location("tokenizers_generate", HERE.parent / "tokenizer" / "generate.py")
tokenisers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tokenisers)

torch.set_num_threads(1)
POOLINGS = ["mean", "cls", "max"]
WORDS = "this game is great the levels are hard but fair Music good update BAD unbelievable 10/10 crashes classic".split()


def texts():
    generator = torch.Generator().manual_seed(5)
    lengths = [3, 40, 1, 9, 150, 12, 12, 70, 2, 25, 400, 5]
    drawn = [" ".join(WORDS[i] for i in torch.randint(0, len(WORDS), (n,), generator=generator)) for n in lengths]
    return [*drawn, "", "  spaces\n and a </s> or [SEP] inside ", "naïve café 日本語"]


TEXTS = texts()


def randomise(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in model.named_parameters():
            norm = "norm" in name.lower() and name.endswith("weight")
            tensor.copy_((1.0 if norm else 0.0) + 0.2 * torch.randn(tensor.shape, generator=generator))
    return model.eval()


def fresh(name):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_tokeniser(folder, kind, **settings):
    pipeline, names = tokenisers.word_piece() if kind == "word-piece" else tokenisers.byte_level()
    pipeline.save(str(folder / "tokenizer.json"), pretty=False)
    write_json(folder / "tokenizer_config.json", names | {"tokenizer_class": "PreTrainedTokenizerFast"} | settings)
    return pipeline


def settings(vocab, positions, pad, **changes):
    return dict(
        vocab_size=vocab,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=positions,
        initializer_range=0.2,
        layer_norm_eps=1e-5,
        pad_token_id=pad,
    ) | changes


def embedder(name, model, seed, kind, behind=(), prompt=None, lower_case=False, max_seq_length=None, **tokenizer):
    """Saves an embedder and its vectors for each pooling; the folder's own pooling is the first."""
    folder = fresh(name)
    write_tokeniser(folder, kind, **tokenizer)
    randomise(model, seed).save_pretrained(folder)
    expected = {}
    for pooling in POOLINGS:
        transformer = Transformer(str(folder), max_seq_length=max_seq_length, do_lower_case=lower_case)
        modules = [transformer, Pooling(32, pooling_mode=pooling), *behind]
        prompts = dict(prompts={"document": prompt}, default_prompt_name="document") if prompt else {}
        whole = SentenceTransformer(modules=modules, device="cpu", **prompts)
        expected[pooling] = torch.tensor(whole.encode(TEXTS, batch_size=4))
        if pooling == POOLINGS[0]:
            saved = folder / "saved"
            whole.save(str(saved))
            long = [(prompt or "") + text for text in TEXTS]
            ids = whole.tokenizer(long, truncation=False, verbose=False)["input_ids"]
            cut = whole.tokenizer(long, truncation=True, max_length=whole.max_seq_length)["input_ids"]
            expected["tokens"] = torch.tensor([len(row) for row in ids])
            expected["kept"] = torch.tensor([len(row) for row in cut])
    # What sentence-transformers wrote, rather than what it was made from.
    kept = shutil.move(saved, HERE / "saved")
    shutil.rmtree(folder)
    shutil.move(kept, folder)
    (folder / "README.md").unlink(missing_ok=True)
    save_file(expected, folder / "expected.safetensors")
    print(name, "vectors of", expected["mean"].shape[1], "tokens", expected["tokens"].tolist(), "kept", expected["kept"].tolist())


def slopes(heads):
    if heads & (heads - 1) == 0:
        return [2.0 ** (-8.0 * (index + 1) / heads) for index in range(heads)]
    below = 1 << (heads.bit_length() - 1)
    return slopes(below) + slopes(2 * below)[0::2][: heads - below]


class JinaBert:
    """Post-norm encoder, one text at a time: ALiBi on both sides, GEGLU, no positions in the embeddings."""

    def __init__(self, weights, layers, heads, epsilon):
        self.weights, self.layers, self.heads, self.epsilon = weights, layers, heads, epsilon

    def linear(self, name, x):
        return F.linear(x, self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias"))

    def norm(self, name, x):
        return F.layer_norm(x, x.shape[-1:], self.weights[f"{name}.weight"], self.weights[f"{name}.bias"], self.epsilon)

    def forward(self, ids):
        embeddings = "bert.embeddings."
        x = self.weights[embeddings + "word_embeddings.weight"][ids] + self.weights[embeddings + "token_type_embeddings.weight"][0]
        x = self.norm(embeddings + "LayerNorm", x)
        count = len(ids)
        distance = (torch.arange(count)[:, None] - torch.arange(count)[None, :]).abs().double()
        for index in range(self.layers):
            layer = f"bert.encoder.layer.{index}."
            attention = layer + "attention."
            q, k, v = (self.linear(f"{attention}self.{part}", x).view(count, self.heads, -1).transpose(0, 1) for part in ("query", "key", "value"))
            scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])
            scores = scores - torch.tensor(slopes(self.heads)).double()[:, None, None] * distance
            context = (scores.softmax(-1) @ v).transpose(0, 1).reshape(count, -1)
            x = self.norm(attention + "output.LayerNorm", self.linear(attention + "output.dense", context) + x)
            gate, plain = self.linear(layer + "mlp.gated_layers", x).chunk(2, dim=-1)
            x = self.norm(layer + "mlp.layernorm", self.linear(layer + "mlp.wo", F.gelu(gate) * plain) + x)
        return x


def jina():
    folder = fresh("jina-bert")
    pipeline = write_tokeniser(folder, "word-piece")
    hidden, inner, layers, heads, epsilon, vocab, cut = 24, 40, 2, 6, 1e-12, pipeline.get_vocab_size(), 200
    shapes = {"bert.embeddings.word_embeddings.weight": [vocab, hidden], "bert.embeddings.token_type_embeddings.weight": [2, hidden]}

    def add(name, weight, bias=True):
        shapes[f"{name}.weight"] = weight
        if bias:
            shapes[f"{name}.bias"] = weight[:1]

    add("bert.embeddings.LayerNorm", [hidden])
    for index in range(layers):
        layer = f"bert.encoder.layer.{index}."
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            add(f"{layer}attention.{part}", [hidden, hidden])
        add(f"{layer}attention.output.LayerNorm", [hidden])
        add(f"{layer}mlp.gated_layers", [2 * inner, hidden], bias=False)
        add(f"{layer}mlp.wo", [hidden, inner])
        add(f"{layer}mlp.layernorm", [hidden])
    # What a reader must leave aside.
    add("bert.pooler.dense", [hidden, hidden])
    add("cls.predictions.transform.dense", [hidden, hidden])
    generator = torch.Generator().manual_seed(9)
    weights = {}
    for name, shape in shapes.items():
        norm = "norm" in name.lower() and name.endswith("weight")
        weights[name] = (1.0 if norm else 0.0) + 0.3 * torch.randn(shape, generator=generator)
    save_file(weights, folder / "model.safetensors")
    write_json(
        folder / "config.json",
        dict(
            model_type="bert", architectures=["JinaBertForMaskedLM"], position_embedding_type="alibi", feed_forward_type="geglu",
            vocab_size=vocab, hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads, intermediate_size=inner,
            max_position_embeddings=64, type_vocab_size=2, layer_norm_eps=epsilon, pad_token_id=0,
        ),
    )
    write_json(folder / "modules.json", [
        dict(idx=0, name="0", path="", type="sentence_transformers.models.Transformer"),
        dict(idx=1, name="1", path="1_Pooling", type="sentence_transformers.models.Pooling"),
    ])
    write_json(folder / "sentence_bert_config.json", dict(max_seq_length=cut, do_lower_case=False))
    (folder / "1_Pooling").mkdir()
    flags = ["cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens"]
    write_json(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": hidden} | {f"pooling_mode_{flag}": flag == "mean_tokens" for flag in flags})

    network = JinaBert({name: tensor.double() for name, tensor in weights.items()}, layers, heads, epsilon)
    rows = [encoding.ids for encoding in pipeline.encode_batch(TEXTS)]
    kept = [row if len(row) <= cut else row[: cut - 1] + row[-1:] for row in rows]
    states = [network.forward(torch.tensor(row)) for row in kept]
    pooled = {"mean": lambda x: x.mean(0), "cls": lambda x: x[0], "max": lambda x: x.max(0).values}
    expected = {name: torch.stack([pool(x) for x in states]).float() for name, pool in pooled.items()}
    expected |= {"tokens": torch.tensor([len(row) for row in rows]), "kept": torch.tensor([len(row) for row in kept])}
    save_file(expected, folder / "expected.safetensors")


def minilm(folder, manual):
    words = Path(manual).read_text(encoding="utf-8").split()
    chunks = [" ".join(words[190 * index : 190 * index + 240]) for index in range(500)]
    vectors = torch.tensor(SentenceTransformer(folder, device="cpu").encode(chunks)).double()
    width = vectors.shape[1]
    features, rows = torch.arange(1, width + 1).double(), torch.arange(1, 9).double()
    projections = torch.cos(0.7 * features[:, None] * rows[None, :]) * math.sqrt(2 / width)
    digest = {"projected": (vectors @ projections).float(), "whole": vectors[::125].float(), "words": torch.tensor([len(words)])}
    save_file({name: tensor.contiguous() for name, tensor in digest.items()}, HERE / "minilm.safetensors")


def prompts():
    """Vectors of the embedder `bert` as a model for retrieval, under several files of prompts and some that the caller gives."""
    texts = ["hard levels", "this game is great but the music is bad"]
    cases = [
        (dict(prompts={"query": "query: ", "document": "passage: "}, default_prompt_name=None), {}),
        (dict(prompts={"query": "query: ", "document": ""}, default_prompt_name=None), {}),
        (dict(prompts={"query": "great: "}, default_prompt_name="query"), {}),
        (dict(prompts={"document": "bad: "}, default_prompt_name="document"), {}),
        (dict(prompts={"sts": "update "}, default_prompt_name="sts"), {}),
        (dict(prompts={"query": "query: ", "document": "passage: "}, default_prompt_name=None), {"query": "good "}),
        (dict(prompts={}, default_prompt_name=None), {"query": "good ", "document": "classic "}),
    ]
    found = []
    for config, given in cases:
        folder = HERE / "prompts"
        shutil.copytree(HERE / "bert", folder)
        write_json(folder / "config_sentence_transformers.json", config)
        model = SentenceTransformer(str(folder), device="cpu")
        query = model.encode_query(texts, prompt=given.get("query")).flatten().tolist()
        document = model.encode_document(texts, prompt=given.get("document")).flatten().tolist()
        found.append(dict(config=config, given=given, query=query, document=document))
        shutil.rmtree(folder)
    lines = ",\n  ".join(json.dumps(case, ensure_ascii=False) for case in found)
    (HERE / "prompts.json").write_text(f'{{"texts": {json.dumps(texts)}, "cases": [\n  {lines}\n]}}\n', encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minilm", help="a folder with all-MiniLM-L6-v2")
    parser.add_argument("--manual", help="the manual's text")
    parser.add_argument("--prompts", action="store_true", help="write `prompts.json` alone")
    options = parser.parse_args()
    if options.prompts:
        prompts()
        return
    if options.minilm:
        minilm(options.minilm, options.manual)
        return
    write_json(HERE / "texts.json", TEXTS)
    wordpiece, bytelevel = (kind()[0].get_vocab_size() for kind in (tokenisers.word_piece, tokenisers.byte_level))
    torch.manual_seed(1)
    behind = [Dense(32, 20), Normalize()]
    embedder("bert", BertModel(BertConfig(**settings(wordpiece, 64, 0))), 1, "word-piece", behind, max_seq_length=48)
    embedder("roberta", RobertaModel(RobertaConfig(**settings(bytelevel, 66, 1, type_vocab_size=1))), 2, "byte-level", model_max_length=40)
    behind = [Dense(32, 12, bias=False, activation_function=torch.nn.Identity()), Normalize()]
    model = XLMRobertaModel(XLMRobertaConfig(**settings(bytelevel, 90, 1, type_vocab_size=2, num_hidden_layers=1)))
    embedder("xlm-roberta", model, 3, "byte-level", behind, prompt="This Game: ", lower_case=True, max_seq_length=60)
    model = MPNetModel(MPNetConfig(**settings(bytelevel, 302, 1)))
    embedder("mpnet", model, 4, "byte-level", [Normalize()], max_seq_length=280)
    jina()
    prompts()


if __name__ == "__main__":
    main()
