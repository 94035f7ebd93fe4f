// Two classifiers on the same rows: the same tests as `ensayo compare`, and the same figures.
"use strict";
(() => {
  // Below it, a difference is held to be more than chance.
  const LEVEL = 0.05;
  // So many rows must differ before any test could tell two runs apart.
  const FEWEST_DISCORDANT = 6;

  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

  // McNemar's exact test: a binomial test of the rows that only one of the two got right.
  const mcnemar = (one, two) => {
    const n = one + two, fewer = Math.min(one, two);
    // The halvings are spread over the product, so that it neither over- nor underflows.
    let term = 1, halvings = 0;
    for (let index = 1; index <= fewer; index++) {
      term *= (n - fewer + index) / index;
      while (term > 1 && halvings < n) { term *= 0.5; halvings++; }
    }
    for (; halvings < n; halvings++) term *= 0.5;
    let tail = 0;
    for (let index = fewer; index >= 0; index--) {
      tail += term;
      term *= index / (n - index + 1);
    }
    return Math.min(2 * tail, 1);
  };

  // The exact sign-flip test: each size (size -> how often) takes its sign by a fair coin.
  const signFlip = (sizes, total) => {
    let probability = [1];
    for (const [size, count] of [...sizes].sort((a, b) => a[0] - b[0])) {
      for (let time = 0; time < count; time++) {
        const next = new Array(probability.length + size).fill(0);
        probability.forEach((share, sum) => {
          next[sum] += 0.5 * share;
          next[sum + size] += 0.5 * share;
        });
        probability = next;
      }
    }
    const last = Math.floor((probability.length - 1 - total) / 2);
    let tail = 0;
    for (let sum = 0; sum <= last; sum++) tail += probability[sum];
    return Math.min(2 * tail, 1);
  };

  // The logarithm of the gamma function, by Lanczos's approximation.
  const logGamma = (x) => {
    const terms = [676.5203681218851, -1259.1392167224028, 771.32342877765313,
      -176.61502916214059, 12.507343278686905, -0.13857109526572012,
      9.9843695780195716e-6, 1.5056327351493116e-7];
    if (x < 0.5) return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * x))) - logGamma(1 - x);
    let sum = 0.99999999999980993;
    terms.forEach((term, index) => { sum += term / (x + index); });
    const t = x + terms.length - 1.5;
    return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(sum);
  };

  // The regularised incomplete beta function, by its continued fraction (Lentz).
  const beta = (a, b, x) => {
    if (x <= 0) return 0;
    if (x >= 1) return 1;
    if (x > (a + 1) / (a + b + 2)) return 1 - beta(b, a, 1 - x);
    const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
    const TINY = 1e-300;
    let fraction = 1, c = 1, d = 0;
    for (let index = 0; index <= 500; index++) {
      const m = Math.floor(index / 2);
      let step = 1;
      if (index > 0 && index % 2 === 0) step = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
      if (index % 2 === 1) step = -((a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
      d = 1 / (1 + step * d || TINY);
      c = 1 + step / c || TINY;
      fraction *= c * d;
      if (Math.abs(1 - c * d) < 1e-15) break;
    }
    return front * (fraction - 1);
  };

  // Welch's t-test over the seeds; null where one of the runs has one seed only.
  const welch = (one, two) => {
    if (one.length < 2 || two.length < 2) return null;
    const error = (values) => {
      const middle = mean(values);
      const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
      return squares / (values.length - 1) / values.length;
    };
    const [first, second] = [error(one), error(two)];
    const difference = Math.abs(mean(one) - mean(two)), squared = first + second;
    if (squared === 0) return difference > 0 ? 0 : 1;
    const freedom = squared ** 2 / (first ** 2 / (one.length - 1) + second ** 2 / (two.length - 1));
    const t = difference / Math.sqrt(squared);
    return beta(freedom / 2, 0.5, freedom / (freedom + t * t));
  };

  // Holm's correction: the level at which each p of a family still stands.
  const holm = (values) => {
    const order = values.map((_, index) => index).sort((a, b) => values[a] - values[b]);
    const adjusted = [];
    let highest = 0;
    order.forEach((index, rank) => {
      highest = Math.max(highest, Math.min((values.length - rank) * values[index], 1));
      adjusted[index] = highest;
    });
    return adjusted;
  };

  const divisor = (a, b) => (b === 0 ? a : divisor(b, a % b));

  // Compares two runs, each a list of bit arrays, one for each of its seeds.
  const paired = (first, second) => {
    const rows = first[0].length;
    const unit = (first.length / divisor(first.length, second.length)) * second.length;
    const weights = [unit / first.length, unit / second.length];
    const counts = new Map();
    for (let row = 0; row < rows; row++) {
      const right = (seeds) => seeds.reduce((sum, seed) => sum + seed[row], 0);
      const size = weights[0] * right(first) - weights[1] * right(second);
      counts.set(size, (counts.get(size) ?? 0) + 1);
    }
    let [total, better, worse, whole] = [0, 0, 0, true];
    const sizes = new Map();
    for (const [size, count] of counts) {
      total += size * count;
      if (size > 0) better += count;
      if (size < 0) worse += count;
      if (size !== 0) sizes.set(Math.abs(size), (sizes.get(Math.abs(size)) ?? 0) + count);
      if (size !== 0 && Math.abs(size) !== unit) whole = false;
    }
    const rowsP = whole ? mcnemar(better, worse) : signFlip(sizes, Math.abs(total));
    const shares = (seeds) => seeds.map((seed) => seed.reduce((sum, bit) => sum + bit, 0) / rows);
    const seedsP = welch(shares(first), shares(second));
    return {
      rows, better, worse, rowsP, seedsP,
      accuracies: [mean(shares(first)), mean(shares(second))],
      difference: rows === 0 ? 0 : total / unit / rows,
      p: seedsP === null ? rowsP : Math.max(rowsP, seedsP),
    };
  };

  Object.assign(ensayo, { LEVEL, FEWEST_DISCORDANT, mcnemar, welch, holm, paired });
})();
