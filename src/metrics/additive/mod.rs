//! What each of several factors adds to a figure: an additive model of all of them, fitted by least
//! squares, so that no factor is credited with what another one does.

use super::statistics::{mean, t_quantile};

/// A run: the level of each factor, and its figure under each of its seeds.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// A level for each factor, counted from 0.
    pub levels: Vec<usize>,
    /// The figure, once for each seed; at least one, all finite.
    pub values: Vec<f64>,
}

/// The fitted model.
#[derive(Debug, Clone, PartialEq)]
pub struct Additive {
    /// For each factor its effect; none where the runs cannot tell it from the other factors.
    pub effects: Vec<Option<Effect>>,
    /// What the intervals rest on.
    pub noise: Noise,
    /// The standard deviation of a single value around what the model says, where it is known.
    pub deviation: Option<f64>,
}

impl Additive {
    /// Half the width of the 95 % interval of a mean of so many values, all other things being equal.
    #[must_use]
    pub fn half_width(&self, values: usize) -> Option<f64> {
        let (Noise::Seeds(freedom) | Noise::Residual(freedom)) = self.noise else {
            return None;
        };
        Some(t_quantile(float(freedom)) * self.deviation? / float(values.max(1)).sqrt())
    }
}

/// What a factor adds.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// For each level from the second one, what it adds to the first one's figure, all other factors
    /// being equal, and half the width of its 95 % interval, where that is known.
    pub added: Vec<(f64, Option<f64>)>,
    /// The share of all differences between values that is this factor's and no other's.
    pub share: f64,
}

/// What tells an effect from chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noise {
    /// Differences between the seeds of a run, with so many degrees of freedom.
    Seeds(usize),
    /// What the sum of all effects leaves unexplained, with so many degrees of freedom.
    Residual(usize),
    /// Nothing: the model explains every run, whatever its figure.
    None,
}

/// Degrees of freedom from which the seeds alone say how large the noise is.
const ENOUGH: usize = 3;
/// A column is a sum of others if no more than this share of it is left without them.
const LEFT: f64 = 1e-9;

/// Fits the model; `levels` has the number of levels of each factor. None without two runs that
/// differ, or where the runs do not fit the factors.
#[must_use]
pub fn additive(levels: &[usize], runs: &[Observed]) -> Option<Additive> {
    let fits = |run: &Observed| {
        let known = run.levels.iter().zip(levels);
        run.levels.len() == levels.len()
            && !run.values.is_empty()
            && run.values.iter().all(|value| value.is_finite())
            && known.into_iter().all(|(level, count)| level < count)
    };
    if runs.len() < 2 || !runs.iter().all(fits) {
        return None;
    }
    let products = Products::new(levels, runs);
    if products.spread <= 0.0 {
        return None;
    }
    let all: Vec<usize> = (0..products.width).collect();
    let full = products.fit(&all);
    let noise = noise(runs, full.rank);
    let variance = match noise {
        Noise::Seeds(freedom) => Some((within(runs).0 / float(freedom), freedom)),
        Noise::Residual(freedom) => Some((full.left / float(freedom), freedom)),
        Noise::None => None,
    };
    let effect = |factor: usize| -> Option<Effect> {
        let own = products.columns(factor);
        let others: Vec<usize> = all.iter().copied().filter(|at| !own.contains(at)).collect();
        let without = products.fit(&others);
        if own.is_empty() || full.rank - without.rank != own.len() {
            return None;
        }
        let added = own.map(|column| {
            let half = variance.map(|(variance, freedom)| {
                let error = (variance * full.inverse[column][column]).max(0.0).sqrt();
                t_quantile(float(freedom)) * error
            });
            (full.coefficients[column], half)
        });
        Some(Effect {
            added: added.collect(),
            share: ((without.left - full.left) / products.spread).clamp(0.0, 1.0),
        })
    };
    Some(Additive {
        effects: (0..levels.len()).map(effect).collect(),
        noise,
        deviation: variance.map(|(variance, _)| variance.sqrt()),
    })
}

/// What the intervals can rest on.
fn noise(runs: &[Observed], rank: usize) -> Noise {
    let (_, of_seeds) = within(runs);
    let values: usize = runs.iter().map(|run| run.values.len()).sum();
    match values.saturating_sub(rank) {
        _ if of_seeds >= ENOUGH => Noise::Seeds(of_seeds),
        0 => Noise::None,
        residual => Noise::Residual(residual),
    }
}

/// The squared differences of values from their runs' means, and their degrees of freedom.
fn within(runs: &[Observed]) -> (f64, usize) {
    runs.iter().fold((0.0, 0), |(squares, freedom), run| {
        let centre = mean(&run.values).unwrap_or(0.0);
        let own: f64 = run
            .values
            .iter()
            .map(|value| (value - centre).powi(2))
            .sum();
        (squares + own, freedom + run.values.len() - 1)
    })
}

/// The sums of products that least squares need: column 0 is the mean, then each factor's levels
/// but its first.
struct Products {
    /// Columns in all.
    width: usize,
    /// Where each factor's columns begin, and where the last one's end.
    starts: Vec<usize>,
    /// Of each column with each.
    among: Vec<Vec<f64>>,
    /// Of each column with the figure, taken from its mean.
    with_figure: Vec<f64>,
    /// Of the figure with itself.
    spread: f64,
}

struct Fit {
    coefficients: Vec<f64>,
    inverse: Vec<Vec<f64>>,
    rank: usize,
    /// The squares that are left.
    left: f64,
}

impl Products {
    fn new(levels: &[usize], runs: &[Observed]) -> Self {
        let mut starts = vec![1];
        for count in levels {
            starts.push(starts[starts.len() - 1] + count.saturating_sub(1));
        }
        let width = starts[starts.len() - 1];
        let all: Vec<f64> = runs
            .iter()
            .flat_map(|run| run.values.iter().copied())
            .collect();
        let centre = mean(&all).unwrap_or(0.0);
        let mut products = Self {
            width,
            starts,
            among: vec![vec![0.0; width]; width],
            with_figure: vec![0.0; width],
            spread: all.iter().map(|value| (value - centre).powi(2)).sum(),
        };
        for run in runs {
            let own = run.levels.iter().zip(&products.starts);
            let own = own.filter(|(level, _)| **level > 0);
            let columns: Vec<usize> = std::iter::once(0)
                .chain(own.map(|(level, start)| start + level - 1))
                .collect();
            let weight = float(run.values.len());
            let sum: f64 = run.values.iter().map(|value| value - centre).sum();
            for &one in &columns {
                products.with_figure[one] += sum;
                for &other in &columns {
                    products.among[one][other] += weight;
                }
            }
        }
        products
    }

    fn columns(&self, factor: usize) -> std::ops::Range<usize> {
        self.starts[factor]..self.starts[factor + 1]
    }

    /// Least squares with some of the columns, by sweeping one after another; a column that is a sum
    /// of those before it is left out.
    fn fit(&self, columns: &[usize]) -> Fit {
        let width = self.width;
        // The products, with the figure as a last row and column.
        let mut table = self.among.clone();
        for (row, product) in table.iter_mut().zip(&self.with_figure) {
            row.push(*product);
        }
        let mut last = self.with_figure.clone();
        last.push(self.spread);
        table.push(last);
        let mut swept = vec![false; width];
        for &column in columns {
            let pivot = table[column][column];
            if pivot <= LEFT * self.among[column][column].max(1.0) {
                continue;
            }
            sweep(&mut table, column, pivot);
            swept[column] = true;
        }
        let kept = |at: usize, value: f64| if swept[at] { value } else { 0.0 };
        Fit {
            coefficients: (0..width).map(|at| kept(at, table[at][width])).collect(),
            inverse: (0..width)
                .map(|at| (0..width).map(|other| kept(at, table[at][other])).collect())
                .collect(),
            rank: swept.iter().filter(|swept| **swept).count(),
            left: table[width][width].max(0.0),
        }
    }
}

/// The sweep operator (Goodnight 1979): afterwards the column's part of all others is taken out, and
/// its own row has the coefficients.
fn sweep(table: &mut [Vec<f64>], at: usize, pivot: f64) {
    let row: Vec<f64> = table[at].iter().map(|value| value / pivot).collect();
    for (index, other) in table.iter_mut().enumerate() {
        if index == at {
            continue;
        }
        let factor = other[at];
        for (place, value) in other.iter_mut().enumerate() {
            *value = if place == at {
                -factor / pivot
            } else {
                *value - factor * row[place]
            };
        }
    }
    table[at] = row;
    table[at][at] = 1.0 / pivot;
}

#[expect(clippy::cast_precision_loss, reason = "numbers of runs and seeds")]
fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
