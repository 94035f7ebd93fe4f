"""Writes expected.json: BM25 of bm25s, TF-IDF and nDCG of scikit-learn, Kendall's tau of scipy, similarities of numpy, cleaning of Python's re.

    pip install numpy==2.4.6 scikit-learn==1.9.1 scipy==1.17.1 bm25s==0.3.16 && python generate.py
"""

import json
import re
import unicodedata
from pathlib import Path

import bm25s
import numpy
from scipy.stats import kendalltau
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import ndcg_score
from sklearn.metrics.pairwise import cosine_similarity

TEXTS = [
    "La orden umask fija la máscara de creación de ficheros; sin argumentos, la muestra.",
    "Con `cd` se cambia de carpeta. cd sin argumentos lleva a la carpeta personal; `cd -`, a la anterior.",
    "Un intérprete de órdenes lee órdenes y las ejecuta.",
    "El bucle for recorre una lista: for x in 1 2 3; do echo $x; done",
    "AÑO nuevo; ano no es año.",
    "Especı\u0301fica de la región: comillas dobles, comillas simples, comillas.",
    "umask umask umask",
    "…",
]
QUESTIONS = [
    "¿Para que sirve el comando umask?",
    "comillas comillas dobles",
    "Órdenes del interprete",
    "¿Cuántos años?  AÑO",
    "específica region",
    "nada que ver",
]


def terms(text):
    """What src/retrieval/fold.rs describes."""
    letters = []
    for letter in unicodedata.normalize("NFKD", text).lower():
        if letter == "\u0303" and letters and letters[-1] == "n":
            letters[-1] = "ñ"
        elif letter == "ı":
            letters.append("i")
        elif not unicodedata.category(letter).startswith("M"):
            letters.append(letter)
    return re.findall(r"[^\W_]+", "".join(letters))


def bm25():
    index = bm25s.BM25(k1=1.2, b=0.75, method="lucene", dtype="float64")
    index.index([terms(text) for text in TEXTS], show_progress=False)
    scores = []
    for question in QUESTIONS:
        # bm25s counts a term of the question once however often it is asked for; the formula's sum does not.
        total = numpy.zeros(len(TEXTS))
        for term in terms(question):
            if term in index.vocab_dict:
                total += index.get_scores([term])
        scores.append(total.tolist())
    return scores


def tfidf():
    vectorizer = TfidfVectorizer(analyzer=terms)
    texts = vectorizer.fit_transform(TEXTS)
    return (vectorizer.transform(QUESTIONS) @ texts.T).toarray().tolist()


def ranks(random):
    for count, k in [(5, 5), (20, 10), (50, 3), (30, 30)]:
        for _ in range(3):
            relevant = random.random(count) < 0.3
            relevant[random.integers(count)] = True
            scores = -numpy.arange(count, dtype=float)
            yield {
                "relevant": relevant.tolist(),
                "k": k,
                "ndcg": ndcg_score([relevant.astype(float)], [scores], k=k),
            }


def orders(random):
    for count in [2, 5, 12]:
        for _ in range(3):
            one, other = random.permutation(count), random.permutation(count)
            tau = kendalltau(numpy.argsort(one), numpy.argsort(other)).statistic
            yield {"one": one.tolist(), "other": other.tolist(), "tau": tau}


def similarity(random):
    questions = random.standard_normal((3, 24)).astype(numpy.float32)
    chunks = random.standard_normal((40, 24)).astype(numpy.float32)
    # Twice the same, and one of them on top of a question.
    chunks[7] = chunks[31]
    chunks[12] = questions[1]
    wide = [questions.astype(numpy.float64), chunks.astype(numpy.float64)]
    scores = {
        "cosine": cosine_similarity(*wide),
        "euclidean": 1 / (1 + numpy.linalg.norm(wide[0][:, None] - wide[1][None], axis=2)),
        "dot": wide[0] @ wide[1].T,
    }
    best = {
        name: [[[int(i), float(row[i])] for i in numpy.argsort(-row, kind="stable")[:10]] for row in matrix]
        for name, matrix in scores.items()
    }
    return {"width": 24, "questions": questions.ravel().tolist(), "chunks": chunks.ravel().tolist(), "best": best}


def cleaning():
    texts = [
        "Uno. . . .  1\n Dos.\n\nTres .",
        " . cd .. x... ",
        "\x1ca\x1d\u2029b\u200bc\ufeffd\x85e",
        "a.\x0c.\u00a0.b .\tc",
        "…..",
        "",
    ]
    clean = lambda text: re.sub(r"(\.\s*)+", ".", re.sub(r"\s+", " ", text))
    return [[text, clean(text), clean(text).split()] for text in texts]


def main():
    random = numpy.random.default_rng(0)
    expected = {
        "texts": TEXTS,
        "questions": QUESTIONS,
        "terms": [terms(text) for text in TEXTS + QUESTIONS],
        "bm25": bm25(),
        "tfidf": tfidf(),
        "ranks": list(ranks(random)),
        "orders": list(orders(random)),
        "similarity": similarity(random),
        "cleaning": cleaning(),
    }
    path = Path(__file__).with_name("expected.json")
    path.write_text(json.dumps(expected, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
