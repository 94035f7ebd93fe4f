"""Throughput of sentence-transformers on the processor, on the texts of `embedding.rs`.

    pip install torch==2.15.0 transformers==5.24.0 sentence-transformers==6.2.0
    python benches/sentence_transformers_embedding.py --model path/to/all-MiniLM-L6-v2 --text manual.txt --chunks 128
    cargo bench --bench embedding -- --model path/to/all-MiniLM-L6-v2 --text manual.txt --chunks 128

For a shape without weights, `--make FOLDER` writes a model of XLM-R base's shape with random weights and the tokeniser of `--model`, for both to read.
Batches of 32 texts, sorted by length, as sentence-transformers has them.
"""

import argparse
import os
import resource
import shutil
import time
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from transformers import XLMRobertaConfig, XLMRobertaModel


def make(folder, source):
    torch.manual_seed(1)
    config = XLMRobertaConfig(vocab_size=250002, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5)
    XLMRobertaModel(config).save_pretrained(folder)
    for name in ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt", "modules.json"]:
        shutil.copy(Path(source) / name, folder)
    (Path(folder) / "1_Pooling").mkdir(exist_ok=True)
    (Path(folder) / "1_Pooling" / "config.json").write_text('{"embedding_dimension": 768, "pooling_mode": "mean"}')


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="a folder that sentence-transformers opens")
    parser.add_argument("--text", help="a text in UTF-8")
    parser.add_argument("--chunks", type=int, default=128)
    parser.add_argument("--make", metavar="FOLDER", help="write XLM-R base's shape with random weights, then stop")
    options = parser.parse_args()
    if options.make:
        make(options.make, options.model)
        return
    torch.set_num_threads(os.cpu_count())
    words = Path(options.text).read_text(encoding="utf-8").split()
    chunks = [" ".join(words[200 * chunk : 200 * chunk + 300]) for chunk in range(options.chunks)]
    model = SentenceTransformer(options.model, device="cpu")
    model.encode(chunks[:8])
    begun = time.perf_counter()
    vectors = model.encode(chunks, batch_size=32)
    seconds = time.perf_counter() - begun
    tokens = sum(map(len, model.tokenizer(chunks, truncation=True, max_length=model.max_seq_length)["input_ids"]))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(
        f"sentence-transformers: {len(chunks) / seconds:.2f} chunks/s, {tokens / seconds:.0f} tokens/s, peak memory {peak / 1e9:.2f} GB "
        f"({len(chunks)} chunks, {tokens} tokens, {seconds:.2f} s; first vector {vectors[0][:3].tolist()} …)"
    )


main()
