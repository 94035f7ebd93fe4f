"""Speed of a decoder in transformers, on the prompts of `decoding.rs`.

    pip install torch==2.15.0 transformers==5.24.0
    python benches/transformers_decoding.py --config benches/qwen2.5-0.5b/config.json --precision bf16
    python benches/transformers_decoding.py --model path/to/SmolLM2-135M-Instruct
    cargo bench --bench decoding -- --config benches/qwen2.5-0.5b/config.json --precision bf16

One number format a process, so that the peak of memory is its own. Answers are written by a plain loop over the model and
its cache, which is faster than `generate` and says the same; the first token of an answer comes with its prompt and is not
timed. With `--config`, the weights are drawn.
"""

import argparse
import os
import resource
import time

import torch
from transformers import AutoConfig, AutoModelForCausalLM, DynamicCache, logging

FORMATS = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--model", help="a folder with a checkpoint")
    source.add_argument("--config", help="a config.json, whose weights are drawn")
    parser.add_argument("--precision", choices=FORMATS, default="f32")
    parser.add_argument("--attention", choices=["sdpa", "eager"], default="sdpa")
    parser.add_argument("--read", type=int, default=1024, help="tokens of the prompt that is read")
    parser.add_argument("--prompt", type=int, default=64, help="tokens of the prompts that are answered")
    parser.add_argument("--write", type=int, default=64, help="tokens of an answer")
    parser.add_argument("--at-once", type=int, default=16, help="answers at once, beside one")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    return parser.parse_args()


def load(options: argparse.Namespace):
    settings = {"dtype": FORMATS[options.precision], "attn_implementation": options.attention}
    if options.model:
        return AutoModelForCausalLM.from_pretrained(options.model, **settings).eval()
    torch.manual_seed(1)
    config = AutoConfig.from_pretrained(os.path.dirname(options.config))
    return AutoModelForCausalLM.from_config(config, **settings).eval()


def prompt(number: int, length: int, vocabulary: int) -> list[int]:
    """The tokens of `decoding.rs`."""
    return [(place * 7919 + number * 104_729 + 13) % (vocabulary - 10) for place in range(length)]


def answer(model, prompts: list[list[int]], new: int) -> tuple[float, float]:
    """Seconds for the prompts, and for all tokens of the answers but the first."""
    ids = torch.tensor(prompts)
    cache = DynamicCache(config=model.config)
    begun = time.perf_counter()
    next_ = model(ids, cache=cache, logits_to_keep=1).logits[:, -1].argmax(-1, keepdim=True)
    read = time.perf_counter()
    for _ in range(new - 1):
        next_ = model(next_, cache=cache, logits_to_keep=1).logits[:, -1].argmax(-1, keepdim=True)
    return read - begun, time.perf_counter() - read


def main() -> None:
    options = arguments()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.set_num_threads(options.threads)
    begun = time.perf_counter()
    model = load(options)
    loaded = time.perf_counter() - begun
    bytes_ = sum(parameter.nbytes for parameter in model.parameters())  # tied ones once
    vocabulary = model.config.vocab_size
    with torch.inference_mode():
        answer(model, [prompt(99, 32, vocabulary)], 2)
        read, _ = answer(model, [prompt(0, options.read, vocabulary)], 1)
        _, seconds = answer(model, [prompt(1, options.prompt, vocabulary)], options.write)
        one = (options.write - 1) / seconds
        prompts = [prompt(2 + number, options.prompt, vocabulary) for number in range(options.at_once)]
        _, seconds = answer(model, prompts, options.write)
        many = options.at_once * (options.write - 1) / seconds
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(
        f"transformers, {options.precision}: {read:.2f} s for a prompt of {options.read} tokens ({options.read / read:.0f} tokens/s); "
        f"{one:.2f} tokens/s one answer at a time, {many:.2f} tokens/s {options.at_once} at once ({many / one:.1f} times); "
        f"peak memory {peak / 1e9:.2f} GB, weights {bytes_ / 1e9:.2f} GB loaded in {loaded:.1f} s; {options.threads} threads"
    )


main()
