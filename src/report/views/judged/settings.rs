//! What settings do to a figure: one by one, and by twos.

use super::{Judged, STEMS};
use crate::metrics::{Additive, Noise, Observed, mean};
use crate::report::experiment::ExperimentReport;
use crate::report::factors::Factors;
use crate::report::plots::effects::Axes;
use crate::report::plots::pairs::Pair;
use crate::report::plots::{self, Plot};

/// Pairs that are drawn, the strongest.
const MOST_PAIRS: usize = 6;
/// The share of a pair's cells that must have a run.
const FILLED: f64 = 0.6;
/// Settings whose effects a caption tells.
const TOLD: usize = 2;

/// What each setting adds, where something tells that from chance.
pub(super) fn effects(
    experiment: &ExperimentReport,
    judged: &Judged<'_>,
    factors: &Factors,
    model: &Additive,
) -> Option<Plot> {
    let mut settings: Vec<Axes> = Vec::new();
    let mut untold: Vec<&str> = Vec::new();
    for (factor, effect) in factors.list.iter().zip(&model.effects) {
        let Some(effect) = effect else {
            untold.push(&factor.name);
            continue;
        };
        let others = factor.levels[1..].iter().zip(&effect.added);
        settings.push(Axes {
            name: factor.name.clone(),
            first: factor.levels[0].clone(),
            others: others
                .map(|(level, &(added, half))| (level.clone(), added, half))
                .collect(),
            share: effect.share,
        });
    }
    // Where nothing tells an effect from chance, the runs' own figures say as much.
    if model.noise == Noise::None || settings.is_empty() {
        return None;
    }
    settings.sort_by(|one, other| other.share.total_cmp(&one.share));
    let mut notes = vec![
        "What a value adds to the first one's figure, all other settings being equal: an additive model of all settings at once."
            .to_owned(),
    ];
    notes.push(match model.noise {
        Noise::Seeds(freedom) => format!(
            "Bars: 95 % t-intervals from the differences between the seeds of a run ({freedom} degrees of freedom): other seeds, the same rows. Grey: no clear difference."
        ),
        Noise::Residual(freedom) => format!(
            "Bars: 95 % t-intervals from what the sum of all effects leaves unexplained ({freedom} degrees of freedom), since there are not enough seeds. Grey: no clear difference."
        ),
        Noise::None => String::new(),
    });
    if !untold.is_empty() {
        notes.push(format!(
            "Left out: {}, which no runs tell apart from the other settings.",
            quoted(&untold)
        ));
    }
    notes.extend(
        factors
            .left_out
            .iter()
            .map(|why| format!("Left out: {why}")),
    );
    let title = format!(
        "{}: what each setting adds to {}",
        experiment.name, judged.name
    );
    let axis = format!("added to {} ({})", judged.name, judged.unit);
    let scene = plots::effects::draw(&title, &axis, &settings, &notes)?;
    let told: Vec<String> = settings.iter().take(TOLD).map(Axes::in_words).collect();
    let rest = match settings.len().saturating_sub(TOLD) {
        0 => String::new(),
        1 => " One more setting matters less.".to_owned(),
        more => format!(" {more} more settings matter less."),
    };
    Some(Plot {
        stem: STEMS[0].to_owned(),
        caption: format!(
            "Which setting matters for {}, over {} runs. {}.{rest}",
            judged.name,
            factors.runs.len(),
            told.join(". ")
        ),
        scene,
    })
}

fn quoted(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// What two settings do together; none without two that are crossed.
pub(super) fn pairs(
    experiment: &ExperimentReport,
    judged: &Judged<'_>,
    factors: &Factors,
    model: &Additive,
) -> Option<Plot> {
    let count = factors.list.len();
    let places = (0..count).flat_map(|one| (one + 1..count).map(move |other| (one, other)));
    let mut found: Vec<(f64, Pair)> = places
        .filter_map(|(one, other)| pair(factors, one, other))
        .collect();
    found.sort_by(|one, other| other.0.total_cmp(&one.0));
    let all = found.len();
    found.truncate(MOST_PAIRS);
    let drawn: Vec<Pair> = found.into_iter().map(|(_, pair)| pair).collect();
    let mut notes = vec![format!(
        "{}: mean over the runs that share both values, whatever their other settings; –: no such run.",
        in_capitals(&judged.name)
    )];
    let least = factors
        .runs
        .iter()
        .map(|run| run.values.len())
        .min()
        .unwrap_or(1);
    let fewest = drawn
        .iter()
        .flat_map(|pair| pair.cells.iter().flatten().flatten());
    let fewest = fewest.map(|cell| cell.1).min().unwrap_or(1);
    let half = model.half_width(fewest * least);
    if let Some(half) = half {
        let values = if fewest * least == 1 {
            "one value".to_owned()
        } else {
            format!("{} values", fewest * least)
        };
        notes.push(format!(
            "A cell of {values} is known to about ± {half:.3} (95 %); smaller differences may be chance."
        ));
    }
    if all > MOST_PAIRS {
        notes.push(format!(
            "The {MOST_PAIRS} of {all} pairs between whose cells most differs."
        ));
    }
    let title = format!("{}: {} by two settings", experiment.name, judged.name);
    let scene = plots::pairs::draw(&title, &drawn, &notes)?;
    let first = &drawn[0];
    let cells = first.cells.iter().enumerate().flat_map(|(row, cells)| {
        let there = cells.iter().enumerate();
        there.filter_map(move |(column, cell)| Some((row, column, (*cell)?)))
    });
    let (row, column, (value, runs)) = cells.max_by(|one, other| one.2.0.total_cmp(&other.2.0))?;
    let of = if runs == 1 {
        "one run".to_owned()
    } else {
        format!("mean of {runs} runs")
    };
    let sure = half.map(|half| format!(" ± {half:.3}")).unwrap_or_default();
    Some(Plot {
        stem: STEMS[1].to_owned(),
        caption: format!(
            "Two settings together. The most differs by {} and {}: {} with {} is highest, {value:.3}{sure} ({of}).",
            first.names.0, first.names.1, first.rows[row], first.columns[column]
        ),
        scene,
    })
}

fn in_capitals(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters
        .next()
        .map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + characters.as_str()
}

/// Two factors with their cells, and how much the cells differ; none where too few have runs.
fn pair(factors: &Factors, one: usize, other: usize) -> Option<(f64, Pair)> {
    let (rows, columns) = (&factors.list[one], &factors.list[other]);
    let mut values: Vec<Vec<Vec<f64>>> =
        vec![vec![Vec::new(); columns.levels.len()]; rows.levels.len()];
    let own = |run: &Observed| mean(&run.values);
    for run in &factors.runs {
        values[run.levels[one]][run.levels[other]].extend(own(run));
    }
    let all: Vec<f64> = factors.runs.iter().filter_map(own).collect();
    let grand = mean(&all)?;
    let cells: Vec<Vec<Option<(f64, usize)>>> = values
        .iter()
        .map(|row| {
            row.iter()
                .map(|cell| Some((mean(cell)?, cell.len())))
                .collect()
        })
        .collect();
    let there = || cells.iter().flatten().flatten();
    let enough = number(there().count()) >= FILLED * number(cells.len() * columns.levels.len());
    let apart: f64 = there()
        .map(|(mean, runs)| number(*runs) * (mean - grand).powi(2))
        .sum();
    (enough && there().count() > 3).then(|| {
        let pair = Pair {
            names: (rows.name.clone(), columns.name.clone()),
            rows: rows.levels.clone(),
            columns: columns.levels.clone(),
            cells,
        };
        (apart, pair)
    })
}

#[expect(clippy::cast_precision_loss, reason = "numbers of runs")]
fn number(count: usize) -> f64 {
    count as f64
}
