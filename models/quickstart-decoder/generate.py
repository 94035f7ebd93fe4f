"""Writes what a small Qwen2 needs beside its weights: `config.json`, `generation_config.json`, `tokenizer.json` and
`tokenizer_config.json` with a chat template. There are no weights: the quick start draws them from a seed.

    pip install tokenizers==0.23.3
    python generate.py

The tokeniser is a byte-level BPE with Qwen's rules, trained on the sentences below, here rather than by the library's
trainer, whose result differs from one call to the next.
"""

import json
from collections import Counter
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

HERE = Path(__file__).parent
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
MAX_VOCABULARY = 800
MIN_COUNT = 2
ROWS = 64  # the vocabulary's rows are rounded up to a multiple of this; nothing spells the last ones

SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

SENTENCES = """
You are a helpful assistant. Answer the question with the fragments below, and with nothing else.
You are a strict classifier of reviews. Answer 1 if the review is positive, and 0 if the review is negative.
Answer with exactly five digits, separated by commas, and nothing else: 1,0,1,1,0
Review: This game is great, the levels are fun and the music is very good.
Review: I do not like this game. It is too difficult and it crashes all the time.
Review: The new update is bad, but the game was good before. I would not play it again.
Review: The best game that I have played this year; my friends like it too.
Is the following review positive or negative? The review is positive. The review is negative.
The user asks a question, and the assistant answers in less than fifty words.
What is a shell? A shell reads the commands that the user types and runs them.
What does the command do? The command prints the names of the files of a folder.
How do I use it? Write the name of the command and then the name of the file.
If the answer is not in the fragments, say that you do not find the information in the fragments.
Eres un asistente experto. Responde a la pregunta solo con los fragmentos siguientes.
Si la respuesta no está en los fragmentos, di que no encuentras esa información en los fragmentos.
Cita los fragmentos que usas por su número, como [Contexto 1] o [Contexto 2].
Pregunta: ¿Qué es un intérprete de órdenes? ¿Cuáles son sus funciones básicas?
Respuesta: Un intérprete de órdenes lee las órdenes que escribe el usuario y las ejecuta.
Pregunta: ¿Para qué sirve la orden? ¿Puedes poner un ejemplo? Responde en menos de 50 palabras.
Respuesta: La orden muestra los nombres de los ficheros de un directorio.
Pregunta: ¿Cómo se busca una cadena en un fichero? ¿Cómo se cambia una palabra por otra?
Respuesta: Con una expresión que describe la cadena, y con el nombre del fichero.
El comando cambia de directorio; sin argumentos vuelve al directorio del usuario.
Una variable guarda un valor, y su nombre se escribe con un signo de dólar delante.
""".strip()

CHAT_TEMPLATE = """\
{%- if messages[0].role != 'system' %}
    {{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {{- '<|im_start|>' ~ message.role ~ '\\n' ~ message.content ~ '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""


def train(words, alphabet):
    """Joins the most frequent neighbouring pieces until none is frequent; ties go to the pair first in the alphabet."""
    pieces = {word: list(word) for word in words}
    vocabulary, merges = list(alphabet), []
    while len(SPECIAL) + len(vocabulary) < MAX_VOCABULARY:
        pairs = Counter()
        for word, count in words.items():
            for pair in zip(pieces[word], pieces[word][1:]):
                pairs[pair] += count
        if not pairs:
            break
        (left, right), count = min(pairs.items(), key=lambda item: (-item[1], item[0]))
        if count < MIN_COUNT:
            break
        merges.append((left, right))
        if left + right not in vocabulary:
            vocabulary.append(left + right)
        for parts in pieces.values():
            index = 0
            while index + 1 < len(parts):
                if (parts[index], parts[index + 1]) == (left, right):
                    parts[index : index + 2] = [left + right]
                index += 1
    return {piece: index for index, piece in enumerate(vocabulary)}, merges


def write_json(name, value):
    (HERE / name).write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


normalizer = normalizers.NFC()
pre_tokenizer = pre_tokenizers.Sequence(
    [
        pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False),
    ]
)
words = Counter(word for word, _ in pre_tokenizer.pre_tokenize_str(normalizer.normalize_str(SENTENCES)))
vocabulary, merges = train(dict(sorted(words.items())), sorted(pre_tokenizers.ByteLevel.alphabet()))

tokenizer = Tokenizer(models.BPE(vocabulary, merges))
tokenizer.normalizer = normalizer
tokenizer.pre_tokenizer = pre_tokenizer
tokenizer.decoder = decoders.ByteLevel()
tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in SPECIAL])
tokenizer.save(str(HERE / "tokenizer.json"), pretty=False)
for text in [SENTENCES, "ñandú\n\n  42 «€» 日本 🎲"]:
    assert tokenizer.decode(tokenizer.encode(text).ids) == text

ids = {token: tokenizer.token_to_id(token) for token in SPECIAL}
tokens = tokenizer.get_vocab_size()
write_json(
    "config.json",
    {
        "architectures": ["Qwen2ForCausalLM"],
        "attention_dropout": 0.0,
        "bos_token_id": ids["<|endoftext|>"],
        "eos_token_id": ids["<|im_end|>"],
        "hidden_act": "silu",
        "hidden_size": 64,
        "initializer_range": 0.2,
        "intermediate_size": 128,
        "max_position_embeddings": 4096,
        "max_window_layers": 2,
        "model_type": "qwen2",
        "num_attention_heads": 4,
        "num_hidden_layers": 2,
        "num_key_value_heads": 2,
        "rms_norm_eps": 1e-06,
        "rope_theta": 1000000.0,
        "sliding_window": 4096,
        "tie_word_embeddings": False,
        "use_cache": True,
        "use_sliding_window": False,
        "vocab_size": (tokens // ROWS + 1) * ROWS,
    },
)
write_json(
    "generation_config.json",
    {
        "bos_token_id": ids["<|endoftext|>"],
        "do_sample": True,
        "eos_token_id": [ids["<|im_end|>"], ids["<|endoftext|>"]],
        "pad_token_id": ids["<|endoftext|>"],
        "repetition_penalty": 1.1,
        "temperature": 0.7,
        "top_k": 20,
        "top_p": 0.8,
    },
)
write_json(
    "tokenizer_config.json",
    {
        "add_bos_token": False,
        "add_prefix_space": False,
        "bos_token": None,
        "chat_template": CHAT_TEMPLATE,
        "clean_up_tokenization_spaces": False,
        "eos_token": "<|im_end|>",
        "model_max_length": 4096,
        "pad_token": "<|endoftext|>",
        "tokenizer_class": "Qwen2Tokenizer",
        "unk_token": None,
    },
)
