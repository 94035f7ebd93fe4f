"""Throughput of sentence-transformers, on the texts of `embedding.rs` or, on a card, of `card.sh`.

    pip install torch==2.15.0 transformers==5.24.0 sentence-transformers==6.2.0
    python benches/sentence_transformers_embedding.py --model path/to/all-MiniLM-L6-v2 --text manual.txt --chunks 128
    cargo bench --bench embedding -- --model path/to/all-MiniLM-L6-v2 --text manual.txt --chunks 128

For a shape without weights, `--make FOLDER` writes a model of XLM-R base's shape with random weights and the tokeniser of `--model`, for both to read;
with `--random`, `--model` holds no more than `config.json` and `tokenizer.json`, and the weights are drawn here.
Batches of 32 texts, sorted by length, as sentence-transformers has them. In 16 bits the whole model is.
"""

import argparse
import csv
import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from transformers import AutoConfig, AutoModel, PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaModel

FORMATS = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
POOLING = '{"embedding_dimension": %d, "pooling_mode": "mean"}'


def make(folder: str, source: str) -> None:
    torch.manual_seed(1)
    config = XLMRobertaConfig(vocab_size=250002, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5)
    XLMRobertaModel(config).save_pretrained(folder)
    for name in ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt", "modules.json"]:
        shutil.copy(Path(source) / name, folder)
    (Path(folder) / "1_Pooling").mkdir(exist_ok=True)
    (Path(folder) / "1_Pooling" / "config.json").write_text(POOLING % 768)


def drawn(source: str, folder: str) -> str:
    """A model of a configuration, with random weights and the tokeniser beside it; mean pooling."""
    torch.manual_seed(1)
    config = AutoConfig.from_pretrained(source)
    AutoModel.from_config(config, dtype=torch.float32).save_pretrained(folder)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(Path(source) / "tokenizer.json"),
        model_max_length=min(512, config.max_position_embeddings),
        pad_token="[PAD]",
    )
    tokenizer.save_pretrained(folder)
    return folder


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="a folder that sentence-transformers opens")
    parser.add_argument("--text", help="a text in UTF-8")
    parser.add_argument("--chunks", type=int, default=128)
    parser.add_argument("--make", metavar="FOLDER", help="write XLM-R base's shape with random weights, then stop")
    parser.add_argument("--random", action="store_true", help="draw the weights of --model's config.json")
    parser.add_argument("--device", default="cpu", help="cpu or cuda:N")
    parser.add_argument("--precision", nargs="+", choices=FORMATS, default=["f32"])
    parser.add_argument("--tf32", action="store_true", help="let a card multiply f32 in TF32")
    parser.add_argument("--warmup-chunks", type=int, default=8, help="chunks before the clock starts")
    parser.add_argument("--csv", action="store_true", help="print rows of card.sh's CSV, from the number format on")
    return parser.parse_args()


def measure(options: argparse.Namespace, folder: str, chunks: list[str], precision: str) -> None:
    model = SentenceTransformer(folder, device=options.device, model_kwargs={"dtype": FORMATS[precision]})
    on_card = options.device.startswith("cuda")
    if on_card:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(options.device)
    model.encode(chunks[: options.warmup_chunks])
    begun = time.perf_counter()
    vectors = model.encode(chunks, batch_size=32)
    seconds = time.perf_counter() - begun
    tokens = sum(map(len, model.tokenizer(chunks, truncation=True, max_length=model.max_seq_length)["input_ids"]))
    peak = torch.cuda.max_memory_reserved(options.device) if on_card else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if options.csv:
        figures = [
            ("throughput", len(chunks) / seconds, "chunks/s", f"{tokens / len(chunks):.0f} tokens a chunk"),
            ("memory", peak, "bytes", "max_memory_reserved" if on_card else "peak of the process so far"),
        ]
        rows = csv.writer(sys.stdout, lineterminator="\n")
        rows.writerows((precision, what, "sentence-transformers", f"{value:.6g}", unit, note) for what, value, unit, note in figures)
    else:
        print(
            f"sentence-transformers, {precision}: {len(chunks) / seconds:.2f} chunks/s, {tokens / seconds:.0f} tokens/s, "
            f"peak memory {peak / 1e9:.2f} GB "
            f"({len(chunks)} chunks, {tokens} tokens, {seconds:.2f} s; first vector {vectors[0][:3].tolist()} …)"
        )
    sys.stdout.flush()


def main() -> None:
    options = arguments()
    if options.make:
        make(options.make, options.model)
        return
    torch.set_num_threads(os.cpu_count() or 1)
    if options.tf32:
        torch.backends.cuda.matmul.allow_tf32 = True
    words = Path(options.text).read_text(encoding="utf-8").split()
    chunks = [" ".join(words[200 * chunk : 200 * chunk + 300]) for chunk in range(options.chunks)]
    failed = False
    with tempfile.TemporaryDirectory() as place:
        folder = drawn(options.model, place) if options.random else options.model
        for precision in options.precision:
            try:
                measure(options, folder, chunks, precision)
            except RuntimeError as error:  # out of memory: the other formats are measured all the same
                print(f"{precision}: {error}", file=sys.stderr)
                failed = True
    sys.exit(1 if failed else 0)


main()
