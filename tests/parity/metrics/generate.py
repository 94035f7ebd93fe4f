"""Writes expected.json: classification reports of scikit-learn, intervals of scipy.

    pip install numpy==2.4.6 scikit-learn==1.9.1 scipy==1.17.1 && python generate.py
"""

import json
import re
from pathlib import Path

import numpy
from scipy import stats
from sklearn.metrics import classification_report, confusion_matrix


def text(truth, predictions, **arguments):
    # Where no prediction is right, scikit-learn 1.9 counts in floats and prints a support of 2 as "2.0"; ensayo does not.
    return re.sub(r"  (\d+)\.0$", r"    \1", classification_report(truth, predictions, **arguments), flags=re.MULTILINE)


def report(name, class_names, labels, predictions):
    arguments = dict(labels=list(range(len(class_names))), target_names=class_names, zero_division=0)
    # By name, classes that are called like an average would overwrite it: numbers come from numbered classes.
    numbered = dict(arguments, target_names=[f"class {index}" for index in arguments["labels"]])
    table = classification_report(labels, predictions, output_dict=True, **numbered)
    keys = numbered["target_names"] + ["macro avg", "weighted avg"]
    columns = ["precision", "recall", "f1-score", "support"]
    return {
        "name": name,
        "class_names": class_names,
        "labels": labels,
        "predictions": predictions,
        "scores": [[table[key][column] for column in columns] for key in keys],
        "accuracy": table["accuracy"],
        "confusion": confusion_matrix(labels, predictions, labels=arguments["labels"]).tolist(),
        "texts": [[digits, text(labels, predictions, digits=digits, **arguments)] for digits in [2, 4, 13]],
    }


def reports():
    random = numpy.random.default_rng(0)

    def noisy(classes, rows, error):
        labels = random.integers(0, classes, rows)
        wrong = random.random(rows) < error
        return labels.tolist(), numpy.where(wrong, random.integers(0, classes, rows), labels).tolist()

    yield report("two classes", ["0", "1"], *noisy(2, 400, 0.3))
    yield report("ties in the last digit", ["0", "1"], [0] * 8 + [1] * 8, [0] * 7 + [1] * 9)
    yield report("more ties", ["0", "1"], [0] * 8 + [1] * 8, [0] * 5 + [1] * 3 + [0] * 3 + [1] * 5)
    yield report("all right", ["negative", "positive"], [0, 1, 1], [0, 1, 1])
    yield report("all wrong", ["negative", "positive"], [0, 1, 1], [1, 0, 0])
    yield report("a class never predicted", ["0", "1"], [0, 0, 1, 1, 1], [1, 1, 1, 1, 1])
    yield report("a class absent from the labels", ["a", "b", "c"], [0, 1, 1, 0], [0, 1, 2, 2])
    yield report("a class absent from both", ["a", "b", "c"], [0, 2, 2, 0], [0, 2, 0, 2])
    yield report("long class names", ["a", "a class with a rather long name"], *noisy(2, 30, 0.4))
    yield report("names beyond ASCII", ["ñandú 😀 ﬁne, very long", "日本語"], *noisy(2, 30, 0.4))
    yield report("names of averages", ["accuracy", "macro avg"], *noisy(2, 30, 0.4))
    yield report("five classes", list("abcde"), *noisy(5, 500, 0.5))
    yield report("twelve classes", [f"c{index}" for index in range(12)], *noisy(12, 300, 0.7))


def wilson(correct, n):
    interval = stats.binomtest(correct, n).proportion_ci(0.95, method="wilson")
    return [correct, n, interval.low, interval.high]


def means(values):
    scale = stats.sem(values)
    interval = stats.t.interval(0.95, len(values) - 1, loc=numpy.mean(values), scale=scale)
    return {
        "values": values,
        "mean": numpy.mean(values),
        "standard_deviation": numpy.std(values, ddof=1),
        "interval": list(interval),
    }


def main():
    expected = {
        "reports": list(reports()),
        "wilson": [
            wilson(*pair) for pair in [(0, 1), (1, 1), (3, 4), (0, 60), (60, 60), (31, 60), (3420, 4000), (1, 20000)]
        ],
        "t_quantiles": [
            [freedom, stats.t.ppf(0.975, freedom)] for freedom in [*range(1, 31), 99, 100, 1000, 99999, 100000, 100001]
        ],
        "means": [
            means([0.855, 0.84]),
            means([0.84, 0.834, 0.839, 0.52]),
            means([1e-3, 2e-3, 4e-3]),
            means([float(value) for value in range(40)]),
        ],
    }
    path = Path(__file__).parent / "expected.json"
    path.write_text(json.dumps(expected, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
