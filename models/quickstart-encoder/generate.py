"""Writes `tokenizer.json` and `config.json` beside itself: a WordPiece tokeniser trained on the quick start's reviews, and
the shape of a small BERT. There are no weights: the quick start draws them from a seed.

    pip install tokenizers==0.23.3
    python generate.py            # after ../../data/quickstart_reviews.py

The vocabulary is trained here rather than by the library's trainer, whose result differs from one call to the next.
"""

import csv
import json
from collections import Counter
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

HERE = Path(__file__).parent
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
MAX_VOCABULARY = 1500
MIN_COUNT = 2


def train(words):
    """Joins the most frequent neighbouring pieces until none is frequent; ties go to the pair first in the alphabet."""
    pieces = {word: [word[0]] + [f"##{letter}" for letter in word[1:]] for word in words}
    letters = {letter for word in words for letter in word}
    # Every letter in both positions, so that no word made of known letters is unknown.
    vocabulary = sorted(letters) + [f"##{letter}" for letter in sorted(letters)]
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
        joined = left + right.removeprefix("##")
        if joined not in vocabulary:
            vocabulary.append(joined)
        for word, parts in pieces.items():
            index = 0
            while index + 1 < len(parts):
                if parts[index] == left and parts[index + 1] == right:
                    parts[index : index + 2] = [joined]
                index += 1
    return {piece: index for index, piece in enumerate(SPECIAL + vocabulary)}


with open(HERE / "../../data/quickstart-reviews.csv", newline="", encoding="utf-8") as file:
    texts = [row["text"] for row in csv.DictReader(file)]

normalizer = normalizers.BertNormalizer(lowercase=True)
pre_tokenizer = pre_tokenizers.BertPreTokenizer()
words = Counter(word for text in texts for word, _ in pre_tokenizer.pre_tokenize_str(normalizer.normalize_str(text)))
vocabulary = train(dict(sorted(words.items())))

tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
tokenizer.normalizer = normalizer
tokenizer.pre_tokenizer = pre_tokenizer
tokenizer.decoder = decoders.WordPiece(prefix="##")
tokenizer.add_special_tokens(SPECIAL)
tokenizer.post_processor = processors.TemplateProcessing(
    single="[CLS] $A [SEP]",
    pair="[CLS] $A [SEP] $B:1 [SEP]:1",
    special_tokens=[(token, vocabulary[token]) for token in ("[CLS]", "[SEP]")],
)
tokenizer.save(str(HERE / "tokenizer.json"))

config = {
    "architectures": ["BertForSequenceClassification"],
    "attention_probs_dropout_prob": 0.1,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": 128,
    "initializer_range": 0.06,
    "intermediate_size": 128,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 128,
    "model_type": "bert",
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "pad_token_id": vocabulary["[PAD]"],
    "position_embedding_type": "absolute",
    "type_vocab_size": 2,
    "vocab_size": len(vocabulary),
}
(HERE / "config.json").write_text(json.dumps(config, indent=2) + "\n")
