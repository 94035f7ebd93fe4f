//! The chunks nearest to each question among any number of them, exactly.
//!
//! Chunks come in blocks and are forgotten again, so memory does not grow with their number, and
//! one product of 32-bit floats serves all metrics. That product only screens: with a bound on its
//! rounding error it leaves out what cannot be among the best, and the few chunks that pass get
//! their score in 64 bits, always summed in the same order. So equal vectors have equal scores, and
//! the result does not depend on blocks or threads. Lengths must be such that their squares are
//! normal numbers in 32 bits.

use crate::nn::ops;
use rayon::prelude::*;

use super::top::{Hit, Top};
use super::vectors::Vectors;

/// Chunks whose products with all questions are in memory at a time.
const BLOCK: usize = 6144;

/// What makes two vectors near.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Cosine of the angle between them; 0 where one of them is zero.
    Cosine,
    /// `1 / (1 + distance)`.
    Euclidean,
    /// Inner product.
    Dot,
}

/// A search that is under way.
#[derive(Debug)]
pub struct Search {
    questions: Vec<f32>,
    /// The questions' lengths.
    lengths: Vec<f64>,
    width: usize,
    metrics: Vec<Metric>,
    /// For each question, the best by each metric.
    best: Vec<Vec<Top>>,
    seen: usize,
}

impl Search {
    /// Begins a search for the `k` best chunks by each metric. A smaller number of them is the
    /// beginning of that list.
    #[must_use]
    pub fn new(questions: &Vectors, metrics: &[Metric], k: usize) -> Self {
        let best = vec![vec![Top::new(k); metrics.len()]; questions.len()];
        Self {
            lengths: questions.rows().map(|row| dot(row, row).sqrt()).collect(),
            questions: questions.values.clone(),
            width: questions.width,
            metrics: metrics.to_vec(),
            best,
            seen: 0,
        }
    }

    /// Looks at more chunks, which are numbered on from those before. They must be as wide as the
    /// questions.
    pub fn add(&mut self, chunks: &[f32]) {
        let width = self.width.max(1);
        for values in chunks.chunks(BLOCK * width) {
            let count = values.len() / width;
            if count == 0 {
                break;
            }
            let values = &values[..count * width];
            let products = ops::products(&self.questions, values, width);
            let block = Block::new(values, width, self.seen);
            let (metrics, questions) = (&self.metrics, &self.questions);
            self.best
                .par_iter_mut()
                .zip(questions.par_chunks_exact(width))
                .zip(products.par_chunks_exact(count))
                .zip(&self.lengths)
                .for_each(|(((best, question), products), &length)| {
                    for (top, &metric) in best.iter_mut().zip(metrics) {
                        block.search(
                            &Question {
                                values: question,
                                length,
                            },
                            products,
                            metric,
                            top,
                        );
                    }
                });
            self.seen += count;
        }
    }

    /// For each metric and question, in their order, the best chunks: the nearest first, equally
    /// near ones in the order of the chunks.
    #[must_use]
    pub fn finish(self) -> Vec<Vec<Vec<Hit>>> {
        let mut found: Vec<Vec<Vec<Hit>>> = vec![Vec::new(); self.metrics.len()];
        for best in self.best {
            for (found, top) in found.iter_mut().zip(best) {
                found.push(top.into_sorted());
            }
        }
        found
    }
}

struct Question<'a> {
    values: &'a [f32],
    length: f64,
}

impl Question<'_> {
    /// The score of a chunk, in 64 bits.
    fn score(&self, chunk: &[f32], metric: Metric) -> f64 {
        match metric {
            Metric::Dot => dot(self.values, chunk),
            Metric::Cosine => {
                let lengths = self.length * dot(chunk, chunk).sqrt();
                if lengths > 0.0 {
                    dot(self.values, chunk) / lengths
                } else {
                    0.0
                }
            }
            Metric::Euclidean => 1.0 / (1.0 + squared_distance(self.values, chunk).sqrt()),
        }
    }
}

/// Chunks with what screening needs of them.
struct Block<'a> {
    values: &'a [f32],
    width: usize,
    first: usize,
    /// One over each chunk's length, 0 for a zero vector.
    inverse_lengths: Vec<f32>,
    half_squares: Vec<f32>,
    longest: f64,
}

impl<'a> Block<'a> {
    fn new(values: &'a [f32], width: usize, first: usize) -> Self {
        let squares = ops::squared_lengths(values, width);
        let largest = squares.iter().copied().fold(0.0, f32::max);
        let inverse = |square: &f32| {
            if *square > 0.0 {
                1.0 / square.sqrt()
            } else {
                0.0
            }
        };
        Self {
            values,
            width,
            first,
            inverse_lengths: squares.iter().map(inverse).collect(),
            half_squares: squares.iter().map(|square| square / 2.0).collect(),
            longest: f64::from(largest).sqrt(),
        }
    }

    /// Offers to `top` every chunk that may be among its best.
    fn search(&self, question: &Question<'_>, products: &[f32], metric: Metric, top: &mut Top) {
        let error = self.error(question.length, metric);
        let lowest = top.threshold().map_or(f64::NEG_INFINITY, |score| {
            on_screen(score, question.length, metric) - error
        });
        let mut passed = self.screen(products, metric, below(lowest));
        let k = top.capacity();
        if passed.len() > 4 * k + 64 && k > 0 {
            // The first block, or a lucky one: its own best set the mark.
            let (_, &mut (mark, _), _) =
                passed.select_nth_unstable_by(k - 1, |one, other| other.0.total_cmp(&one.0));
            let lowest = below(f64::from(mark) - 2.0 * error);
            passed.retain(|&(value, _)| value >= lowest);
        }
        for (_, row) in passed {
            let chunk = &self.values[row * self.width..(row + 1) * self.width];
            top.push(Hit {
                chunk: self.first + row,
                score: question.score(chunk, metric),
            });
        }
    }

    /// Chunks whose approximate value is at least `lowest`. What is not a number never is.
    fn screen(&self, products: &[f32], metric: Metric, lowest: f32) -> Vec<(f32, usize)> {
        match metric {
            Metric::Dot => passing(products, products, lowest, |product, _| product),
            Metric::Cosine => passing(
                products,
                &self.inverse_lengths,
                lowest,
                |product, inverse| product * inverse,
            ),
            Metric::Euclidean => passing(products, &self.half_squares, lowest, |product, half| {
                product - half
            }),
        }
    }

    /// How far an approximate value may be from the true one: each of the sums has at most `width`
    /// roundings in 32 bits, a few more come around them.
    #[expect(clippy::cast_precision_loss, reason = "the width of a vector")]
    fn error(&self, length: f64, metric: Metric) -> f64 {
        let roundings = 3.0 * self.width as f64 + 64.0;
        let unit = f64::from(f32::EPSILON) / 2.0;
        let size = match metric {
            Metric::Cosine => length,
            Metric::Dot => length * self.longest,
            Metric::Euclidean => length * self.longest + self.longest * self.longest / 2.0,
        };
        roundings * unit * size
    }
}

/// A score as screening measures it, where a question's length is left out of what is compared:
/// `score = 1 / (1 + sqrt(length² − 2 value))` for the distance.
fn on_screen(score: f64, length: f64, metric: Metric) -> f64 {
    match metric {
        Metric::Dot => score,
        Metric::Cosine => score * length,
        Metric::Euclidean => {
            let distance = 1.0 / score - 1.0;
            // What 64 bits lose between the two.
            (length * length - distance * distance) / 2.0
                - 1e-12 * (length * length + distance * distance)
        }
    }
}

/// The next 32-bit float that is not above.
#[expect(clippy::cast_possible_truncation, reason = "corrected below")]
fn below(value: f64) -> f32 {
    let near = value as f32;
    if f64::from(near) > value {
        near.next_down()
    } else {
        near
    }
}

fn passing(
    products: &[f32],
    beside: &[f32],
    lowest: f32,
    value: impl Fn(f32, f32) -> f32,
) -> Vec<(f32, usize)> {
    /// Looked at together, so that the compiler may use vector instructions.
    const LANES: usize = 32;
    let mut passed = Vec::new();
    for (index, (products, beside)) in products.chunks(LANES).zip(beside.chunks(LANES)).enumerate()
    {
        let pairs = || products.iter().zip(beside);
        if pairs().fold(false, |any, (&product, &other)| {
            any | (value(product, other) >= lowest)
        }) {
            let values = pairs()
                .map(|(&product, &other)| value(product, other))
                .enumerate();
            passed.extend(
                values
                    .filter(|pair| pair.1 >= lowest)
                    .map(|(lane, value)| (value, index * LANES + lane)),
            );
        }
    }
    passed
}

/// Independent partial sums, so that the compiler may use vector instructions in an order that is
/// the same everywhere.
const SUMS: usize = 16;

fn dot(one: &[f32], other: &[f32]) -> f64 {
    sum(one, other, |a, b| a * b)
}

fn squared_distance(one: &[f32], other: &[f32]) -> f64 {
    sum(one, other, |a, b| (a - b) * (a - b))
}

fn sum(one: &[f32], other: &[f32], term: impl Fn(f64, f64) -> f64) -> f64 {
    let mut sums = [0.0_f64; SUMS];
    for (one, other) in one.chunks(SUMS).zip(other.chunks(SUMS)) {
        for ((sum, &a), &b) in sums.iter_mut().zip(one).zip(other) {
            *sum += term(f64::from(a), f64::from(b));
        }
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pcg64::Pcg64;

    const ALL: [Metric; 3] = [Metric::Cosine, Metric::Euclidean, Metric::Dot];

    fn brute(questions: &Vectors, chunks: &[f32], metric: Metric, k: usize) -> Vec<Vec<Hit>> {
        let of = |values: &[f32]| {
            let question = Question {
                values,
                length: dot(values, values).sqrt(),
            };
            let rows = chunks.chunks_exact(questions.width).enumerate();
            super::super::best(
                rows.map(|(chunk, row)| Hit {
                    chunk,
                    score: question.score(row, metric),
                }),
                k,
            )
        };
        questions.rows().map(of).collect()
    }

    /// Values in [-1, 1) times `scale`.
    fn draw(random: &mut Pcg64, count: usize, scale: f32) -> Vec<f32> {
        let mut next = || f64::from(random.next_u32()) / f64::from(1_u32 << 31) - 1.0;
        #[expect(clippy::cast_possible_truncation, reason = "a value in [-1, 1)")]
        (0..count).map(|_| scale * next() as f32).collect()
    }

    #[test]
    fn scores_are_what_the_metrics_say() {
        let questions = Vectors {
            width: 2,
            values: vec![3.0, 4.0],
        };
        let mut search = Search::new(&questions, &ALL, 3);
        search.add(&[6.0, 8.0, 0.0, 0.0]);
        search.add(&[4.0, -3.0]);
        let found = search.finish();
        let list = |metric: usize| {
            found[metric][0]
                .iter()
                .map(|hit| (hit.chunk, hit.score))
                .collect::<Vec<_>>()
        };
        assert_eq!(list(0), [(0, 1.0), (1, 0.0), (2, 0.0)]);
        assert_eq!(
            list(1),
            [
                (0, 1.0 / 6.0),
                (1, 1.0 / 6.0),
                (2, 1.0 / (1.0 + 50.0_f64.sqrt()))
            ]
        );
        assert_eq!(list(2), [(0, 50.0), (1, 0.0), (2, 0.0)]);
    }

    #[test]
    fn equal_chunks_stand_in_their_order_however_they_come() {
        let mut random = Pcg64::seeded(1);
        let row = draw(&mut random, 37, 1.0);
        let questions = Vectors {
            width: 37,
            values: draw(&mut random, 37, 1.0),
        };
        let chunks: Vec<f32> = row.iter().copied().cycle().take(37 * 300).collect();
        for split in [1, 7, 300] {
            let mut search = Search::new(&questions, &ALL, 5);
            chunks.chunks(37 * split).for_each(|part| search.add(part));
            for lists in search.finish() {
                assert_eq!(
                    lists[0].iter().map(|hit| hit.chunk).collect::<Vec<_>>(),
                    [0, 1, 2, 3, 4]
                );
            }
        }
    }

    #[test]
    fn vectors_that_are_not_numbers_are_never_found() {
        let questions = Vectors {
            width: 2,
            values: vec![1.0, 0.0],
        };
        let mut search = Search::new(&questions, &ALL, 2);
        search.add(&[f32::NAN, 0.0, 1.0, 0.0]);
        for lists in search.finish() {
            assert_eq!(
                lists[0].iter().map(|hit| hit.chunk).collect::<Vec<_>>(),
                [1]
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn the_screen_never_loses_one_of_the_best(
            seed in 0_u64..1000, width in 1_usize..80, count in 1_usize..900, k in 1_usize..12, near in prop::bool::ANY, scale in 0_u32..3,
        ) {
            let mut random = Pcg64::seeded(seed);
            let scale = [1e-3, 1.0, 1e4][scale as usize];
            let questions = Vectors { width, values: draw(&mut random, 3 * width, scale) };
            let mut chunks = draw(&mut random, count * width, scale);
            if near {
                // Almost equal in 32 bits, and very near to the first question.
                for row in chunks.chunks_exact_mut(width) {
                    for (value, question) in row.iter_mut().zip(&questions.values) {
                        *value = question + *value * 1e-6;
                    }
                }
            }
            let mut search = Search::new(&questions, &ALL, k);
            chunks.chunks(width * 113).for_each(|part| search.add(part));
            let found = search.finish();
            for (lists, metric) in found.iter().zip(ALL) {
                prop_assert_eq!(lists, &brute(&questions, &chunks, metric, k));
            }
        }
    }
}
