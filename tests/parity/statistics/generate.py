"""Writes expected.json: paired tests, corrections and quantiles of statsmodels, scipy and numpy.

    pip install numpy==2.4.6 scipy==1.17.1 statsmodels==0.15.0 && python generate.py
"""

import json
from pathlib import Path

import numpy
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests


def mcnemar_case(only_first, only_second):
    table = [[10, only_first], [only_second, 5]]
    p = mcnemar(table, exact=True).pvalue if only_first + only_second else 1.0
    if only_first + only_second:
        numpy.testing.assert_allclose(p, stats.binomtest(only_first, only_first + only_second).pvalue, rtol=1e-10)
    return [only_first, only_second, min(float(p), 1.0)]


def sign_flip_case(random, rows, first, second):
    """Answers of several trainings, and the p of all sign patterns."""
    one = random.random((first, rows)) < 0.8
    two = random.random((second, rows)) < 0.55
    differences = one.sum(axis=0) * second - two.sum(axis=0) * first
    test = stats.permutation_test(
        (differences,), numpy.sum, permutation_type="samples", n_resamples=numpy.inf, alternative="two-sided"
    )
    return {
        "first": one.tolist(),
        "second": two.tolist(),
        "difference": float(one.mean(axis=0).mean() - two.mean(axis=0).mean()),
        "better": int((differences > 0).sum()),
        "worse": int((differences < 0).sum()),
        "p_value": float(test.pvalue),
    }


def bootstrap_case(counts):
    """Quantiles of the mean of resampled rows without simulation: `counts` are the rows by difference -1, 0, 1."""
    rows = sum(counts)
    one = numpy.array(counts) / rows
    distribution, power, exponent = numpy.array([1.0]), one, rows
    while exponent:
        if exponent % 2:
            distribution = numpy.convolve(distribution, power)
        power, exponent = numpy.convolve(power, power), exponent // 2
    values = numpy.arange(-rows, rows + 1) / rows
    cumulative = numpy.cumsum(distribution)
    deviation = float(numpy.sqrt((distribution * values**2).sum() - (distribution * values).sum() ** 2))
    quantile = lambda share: float(values[numpy.searchsorted(cumulative, share)])
    return {"counts": counts, "low": quantile(0.025), "high": quantile(0.975), "deviation": deviation}


def main():
    random = numpy.random.default_rng(0)
    groups = [([0.81, 0.84, 0.79], [0.83, 0.86, 0.88]), ([0.8, 0.81], [0.805, 0.87, 0.9, 0.91]),
              ([0.5, 0.500001], [0.7, 0.9]), (list(random.normal(0.8, 0.01, 12)), list(random.normal(0.8, 0.05, 30)))]
    families = [[0.01], [0.04, 0.01, 0.03, 0.005], [0.5, 0.5, 0.9], [0.02, 0.02, 0.0001, 1.0, 0.3]]
    samples = sorted(random.random(37).tolist())
    expected = {
        "mcnemar": [mcnemar_case(*pair) for pair in [(0, 0), (1, 0), (0, 5), (6, 0), (3, 9), (10, 10), (12, 30), (59, 40),
                                                     (300, 380), (1800, 2000), (9000, 9400), (0, 2000)]],
        "sign_flip": [sign_flip_case(random, *shape) for shape in [(8, 3, 3), (12, 2, 3), (14, 3, 1), (10, 1, 1)]],
        "bootstrap": [bootstrap_case(counts) for counts in [[3, 30, 7], [30, 140, 30], [250, 3440, 310], [0, 190, 10]]],
        "welch": [[one, two, float(stats.ttest_ind(one, two, equal_var=False).pvalue)] for one, two in groups],
        "holm": [[family, multipletests(family, method="holm")[1].tolist()] for family in families],
        "percentiles": {"sorted": samples,
                        "of": [[share, float(numpy.quantile(samples, share))] for share in [0, 0.025, 0.31, 0.975, 1]]},
    }
    path = Path(__file__).parent / "expected.json"
    path.write_text(json.dumps(expected, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
