"""Speed of a decoder in llama.cpp, on the prompts of `decoding.rs`.

    pip install xllamacpp==2026.10.11549 gguf==0.19.0 safetensors==0.8.0
    python benches/llama_cpp_decoding.py --config benches/qwen2.5-0.5b/config.json --precision bf16
    python benches/llama_cpp_decoding.py --model path/to/SmolLM2-135M-Instruct --precision f16

`xllamacpp` is llama.cpp's server as a Python module, in a wheel that brings AVX2 code and no more. Writes the checkpoint, a Qwen2
or Llama in one `model.safetensors`, or drawn weights, as a GGUF file into a temporary folder first. Seconds are what the
server itself counts.
"""

import argparse
import json
import os
import resource
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gguf
import numpy as np
import xllamacpp
from gguf.quants import quantize
from safetensors import safe_open

FORMATS = {
    "f32": gguf.GGMLQuantizationType.F32,
    "f16": gguf.GGMLQuantizationType.F16,
    "bf16": gguf.GGMLQuantizationType.BF16,
}
PARTS = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
BYTES = 256


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--model", help="a folder with a checkpoint")
    source.add_argument("--config", help="a config.json, whose weights are drawn")
    parser.add_argument("--precision", choices=FORMATS, default="f32")
    parser.add_argument("--read", type=int, default=1024, help="tokens of the prompt that is read")
    parser.add_argument("--prompt", type=int, default=64, help="tokens of the prompts that are answered")
    parser.add_argument("--write", type=int, default=64, help="tokens of an answer")
    parser.add_argument("--at-once", type=int, default=16, help="answers at once, beside one")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--answer", metavar="IDS", help="print what follows these tokens, separated by commas, to check the conversion")
    return parser.parse_args()


def drawn(config: dict):
    """Names of the checkpoint, and weights of no meaning."""
    generator = np.random.default_rng(1)
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    size = config.get("head_dim") or hidden // config["num_attention_heads"]
    queries, keys = config["num_attention_heads"] * size, config["num_key_value_heads"] * size

    def matrix(*shape):
        return 0.02 * generator.standard_normal(shape, dtype=np.float32)

    yield "model.embed_tokens.weight", matrix(config["vocab_size"], hidden)
    yield "model.norm.weight", np.ones(hidden, dtype=np.float32)
    for layer in range(config["num_hidden_layers"]):
        shapes = {
            "self_attn.q_proj": (queries, hidden),
            "self_attn.k_proj": (keys, hidden),
            "self_attn.v_proj": (keys, hidden),
            "self_attn.o_proj": (hidden, queries),
            "mlp.gate_proj": (inner, hidden),
            "mlp.up_proj": (inner, hidden),
            "mlp.down_proj": (hidden, inner),
        }
        for name, shape in shapes.items():
            yield f"model.layers.{layer}.{name}.weight", matrix(*shape)
            if config["model_type"] == "qwen2" and name in list(shapes)[:3]:
                yield f"model.layers.{layer}.{name}.bias", matrix(shape[0])
        for norm in ("input_layernorm", "post_attention_layernorm"):
            yield f"model.layers.{layer}.{norm}.weight", np.ones(hidden, dtype=np.float32)
    if not config.get("tie_word_embeddings"):
        yield "lm_head.weight", matrix(config["vocab_size"], hidden)


def stored(folder: Path):
    with safe_open(folder / "model.safetensors", "np") as file:
        for name in file.keys():
            yield name, file.get_tensor(name).astype(np.float32)


def renamed(name: str) -> str:
    outside = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight", "lm_head.weight": "output.weight"}
    if name in outside:
        return outside[name]
    layer, part = name.removeprefix("model.layers.").split(".", 1)
    module, kind = part.rsplit(".", 1)
    return f"blk.{layer}.{PARTS[module]}.{kind}"


def interleaved(rows: np.ndarray, heads: int) -> np.ndarray:
    """llama.cpp turns neighbouring features of a Llama's heads with each other, transformers those of the two halves."""
    return rows.reshape(heads, 2, -1, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def write(path: str, config: dict, weights, tokenizer: Path, format_) -> None:
    architecture = config["model_type"]
    size = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config.get("rope_theta", 10000.0))
    writer.add_rope_dimension_count(size)
    writer.add_vocab_size(config["vocab_size"])
    write_vocabulary(writer, config["vocab_size"], tokenizer)
    for name, value in weights:
        if architecture == "llama" and name.endswith(("q_proj.weight", "k_proj.weight")):
            value = interleaved(value, config["num_attention_heads" if "q_proj" in name else "num_key_value_heads"])
        kind = format_ if value.ndim > 1 else gguf.GGMLQuantizationType.F32
        writer.add_tensor(renamed(name), quantize(value, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_vocabulary(writer, size: int, tokenizer: Path) -> None:
    """The tokeniser's pieces, or made-up ones: prompts come as ids."""
    pieces, merges = {}, []
    if tokenizer.exists():
        read = json.loads(tokenizer.read_text(encoding="utf-8"))
        pieces = {index: piece for piece, index in read["model"]["vocab"].items()}
        pieces |= {added["id"]: added["content"] for added in read["added_tokens"]}
        merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in read["model"]["merges"]]
    else:
        printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
        others = [byte for byte in range(BYTES) if byte not in printable]
        alphabet = [chr(byte) for byte in printable] + [chr(BYTES + place) for place in range(len(others))]
        pieces = dict(enumerate([*alphabet, "ab"]))
        merges = ["a b"]  # none at all would be an error
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([pieces.get(index, f"<{index}>") for index in range(size)])
    writer.add_token_types([gguf.TokenType.NORMAL] * size)
    writer.add_token_merges(merges)
    writer.add_add_bos_token(False)


def prompt(number: int, length: int, vocabulary: int) -> list[int]:
    """The tokens of `decoding.rs`."""
    return [(place * 7919 + number * 104_729 + 13) % (vocabulary - 10) for place in range(length)]


class Decoder:
    def __init__(self, path: str, options: argparse.Namespace):
        params = xllamacpp.CommonParams()
        params.model.path = path
        params.n_parallel = options.at_once
        params.n_ctx = options.at_once * (max(options.read, options.prompt + options.write) + 64)
        params.n_batch = params.n_ubatch = max(options.read, 512)
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.threads
        params.n_gpu_layers = 0
        params.warmup = False
        params.cache_ram_mib = 0
        params.verbosity = 0
        self.server = xllamacpp.Server(params)

    def answer(self, ids: list[int], new: int) -> dict:
        asked = {
            "prompt": ids,
            "n_predict": new,
            "temperature": 0.0,
            "ignore_eos": True,
            "cache_prompt": False,
        }
        answered = self.server.handle_completions(asked)
        return answered if isinstance(answered, dict) else json.loads(answered)


def main() -> None:
    options = arguments()
    folder = Path(options.model or os.path.dirname(options.config))
    config = json.loads((folder / "config.json").read_text())
    vocabulary = config["vocab_size"]
    with tempfile.TemporaryDirectory() as place:
        path = os.path.join(place, "model.gguf")
        weights = stored(folder) if options.model else drawn(config)
        # Apart, so that its memory is not counted.
        child = os.fork()
        if child == 0:
            write(path, config, weights, folder / "tokenizer.json", FORMATS[options.precision])
            os._exit(0)
        if os.waitpid(child, 0)[1] != 0:
            raise SystemExit("the GGUF file could not be written")
        begun = time.perf_counter()
        decoder = Decoder(path, options)
        loaded = time.perf_counter() - begun
        if options.answer:
            answered = decoder.answer([int(part) for part in options.answer.split(",")], options.write)
            print(answered["choices"][0]["text"])
            return
        decoder.answer(prompt(99, 32, vocabulary), 2)
        read = decoder.answer(prompt(0, options.read, vocabulary), 1)["timings"]["prompt_ms"] / 1000
        one = decoder.answer(prompt(1, options.prompt, vocabulary), options.write)["timings"]
        one = (options.write - 1) / (one["predicted_ms"] / 1000)
        with ThreadPoolExecutor(options.at_once) as pool:
            prompts = [prompt(2 + number, options.prompt, vocabulary) for number in range(options.at_once)]
            together = list(pool.map(lambda ids: decoder.answer(ids, options.write), prompts))
        seconds = max(answer["timings"]["predicted_ms"] for answer in together) / 1000
        many = options.at_once * (options.write - 1) / seconds
        size = os.path.getsize(path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(
        f"llama.cpp, {options.precision}: {read:.2f} s for a prompt of {options.read} tokens ({options.read / read:.0f} tokens/s); "
        f"{one:.2f} tokens/s one answer at a time, {many:.2f} tokens/s {options.at_once} at once ({many / one:.1f} times); "
        f"peak memory {peak / 1e9:.2f} GB, file {size / 1e9:.2f} GB loaded in {loaded:.1f} s; {options.threads} threads"
    )


main()
