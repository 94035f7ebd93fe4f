"""The nearest of 100,000 chunks to each of 100 questions with numpy: a float32 product, argpartition, then a sort of the best.

    pip install numpy==2.4.6 && python engine/benches/similarity_numpy.py
"""

import os
import time

import numpy

CHUNKS, QUESTIONS, WIDTH, K, REPEATS = 100_000, 100, 768, 10, 7


def timed(name, work):
    seconds = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    seconds.sort()
    print(f"{name:<20} {seconds[0]:.3f} s  {seconds[REPEATS // 2]:.3f} s")


def main():
    random = numpy.random.default_rng(0)
    chunks = random.standard_normal((CHUNKS, WIDTH), dtype=numpy.float32)
    questions = random.standard_normal((QUESTIONS, WIDTH), dtype=numpy.float32)

    def best(scores):
        found = numpy.argpartition(-scores, K, axis=1)[:, :K]
        kept = numpy.take_along_axis(scores, found, axis=1)
        return numpy.take_along_axis(found, numpy.argsort(-kept, axis=1, kind="stable"), axis=1)

    def cosine():
        one = questions / numpy.linalg.norm(questions, axis=1, keepdims=True)
        return best((one @ chunks.T) / numpy.linalg.norm(chunks, axis=1))

    def euclidean():
        products = questions @ chunks.T
        squares = (questions**2).sum(1)[:, None] + (chunks**2).sum(1) - 2 * products
        return best(1 / (1 + numpy.sqrt(numpy.maximum(squares, 0))))

    print(f"{CHUNKS} x {WIDTH}, {QUESTIONS} questions, the best {K}; {os.cpu_count()} processors; shortest and middle of {REPEATS}")
    timed("plain product", lambda: questions @ chunks.T)
    timed("cosine", cosine)
    timed("euclidean", euclidean)
    timed("dot", lambda: best(questions @ chunks.T))


if __name__ == "__main__":
    main()
