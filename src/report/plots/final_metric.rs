//! The final accuracy of each run as a dot with its 95 % interval.

use crate::draw::axis::{Axis, count_f64, group};
use crate::draw::palette::{AXIS, BLUE, GRID, INK, MUTED, VERMILION, WHITE};
use crate::draw::panel::{self, NAME_SIZE, NOTE_LINE, Panel, TICK_SIZE};
use crate::draw::scene::{Anchor, Scene, Style};
use crate::draw::text::{self, CAPITALS};
use crate::report::estimate::{Basis, Estimate};

/// A run's line in the figure.
#[derive(Debug, Clone)]
pub(in crate::report) struct Bar {
    /// The run's name.
    pub name: String,
    /// What is drawn, or why there is nothing.
    pub result: Result<Estimate, String>,
    /// Each seed's value.
    pub seeds: Vec<f64>,
}

const MARGIN: f64 = 18.0;
const NAME_WIDTH: f64 = 300.0;
const PLOT_WIDTH: f64 = 460.0;
const VALUE_WIDTH: f64 = 150.0;
const LINE: f64 = NAME_SIZE * 1.25;

/// One line for each run, in the given order. `chance` is the share that always naming the largest
/// class would reach. None without a value.
pub(in crate::report) fn draw(
    title: &str,
    axis_name: &str,
    bars: &[Bar],
    chance: Option<f64>,
) -> Option<Scene> {
    let chance = chance.filter(|share| share.is_finite());
    let estimates = || {
        bars.iter()
            .filter_map(|bar| bar.result.as_ref().ok())
            .filter(|estimate| estimate.value.is_finite())
    };
    estimates().next()?;
    let names: Vec<Vec<String>> = bars
        .iter()
        .map(|bar| text::fit(&bar.name, NAME_SIZE, false, NAME_WIDTH, 2))
        .collect();
    let name_width = names
        .iter()
        .flatten()
        .map(|line| text::width(line, NAME_SIZE, false))
        .fold(60.0, f64::max);
    let left = MARGIN + name_width + 14.0;
    let width = left + PLOT_WIDTH + VALUE_WIDTH + MARGIN;
    let note_lines = panel::note_lines(&notes(bars, chance), width - 2.0 * MARGIN);

    let seeds = bars.iter().flat_map(|bar| bar.seeds.iter().copied());
    let ends = estimates().flat_map(|estimate| [estimate.value, estimate.low, estimate.high]);
    let x = Axis::around_shares(ends.chain(seeds).chain(chance), 6);
    let heights: Vec<f64> = names
        .iter()
        .map(|lines| (count_f64(lines.len()) * LINE + 9.0).max(26.0))
        .collect();

    let mut scene = Scene::new(width, 0.0);
    let room_for_chance = if chance.is_some() { 20.0 } else { 4.0 };
    let top = MARGIN - 4.0
        + panel::title(
            &mut scene,
            title,
            (MARGIN, MARGIN - 4.0),
            width - 2.0 * MARGIN,
        )
        + 10.0
        + room_for_chance;
    let y = Axis {
        from: 0.0,
        to: 1.0,
        ticks: Vec::new(),
        logarithmic: false,
    };
    let panel = Panel {
        left,
        top,
        width: PLOT_WIDTH,
        height: heights.iter().sum::<f64>() + 8.0,
        x,
        y,
    };
    for (value, _) in &panel.x.ticks {
        let x = panel.place(*value, 0.0).0;
        scene.line(&[(x, top), (x, top + panel.height)], GRID, 1.0);
    }
    panel.frame(&mut scene, true, false);
    panel.name_x(&mut scene, axis_name);
    if let Some(chance) = chance {
        draw_chance(&mut scene, &panel, chance);
    }
    let mut y = top + 4.0;
    for ((bar, name), height) in bars.iter().zip(&names).zip(&heights) {
        draw_bar(&mut scene, &panel, bar, name, y + height / 2.0);
        y += height;
    }
    let bottom = top + panel.height + 46.0;
    panel::draw_notes(&mut scene, &note_lines, (MARGIN, bottom));
    scene.height = bottom + count_f64(note_lines.len()) * NOTE_LINE + 12.0;
    Some(scene)
}

fn draw_chance(scene: &mut Scene, panel: &Panel, chance: f64) {
    let x = panel.place(chance, 0.0).0;
    scene.dashed(
        &[(x, panel.top - 3.0), (x, panel.top + panel.height)],
        AXIS,
        1.2,
        &[4.0, 3.0],
    );
    let label = format!("largest class {chance:.3}");
    let half = text::width(&label, TICK_SIZE, false) / 2.0;
    let middle = x.clamp(panel.left + half, panel.left + panel.width - half);
    scene.text(
        (middle, panel.top - 7.0),
        &label,
        Style::new(TICK_SIZE, MUTED),
        Anchor::Middle,
    );
}

fn draw_bar(scene: &mut Scene, panel: &Panel, bar: &Bar, name: &[String], middle: f64) {
    let mut baseline = middle - count_f64(name.len() - 1) * LINE / 2.0 + CAPITALS * NAME_SIZE / 2.0;
    let colour = if bar.result.is_ok() { INK } else { MUTED };
    for line in name {
        scene.text(
            (panel.left - 10.0, baseline),
            line,
            Style::new(NAME_SIZE, colour),
            Anchor::End,
        );
        baseline += LINE;
    }
    let value_at = (
        panel.left + panel.width + 12.0,
        middle + CAPITALS * NAME_SIZE / 2.0,
    );
    let estimate = match &bar.result {
        Ok(estimate) if estimate.value.is_finite() => estimate,
        Ok(_) => {
            return scene.text(
                value_at,
                "not finite",
                Style::new(NAME_SIZE, VERMILION),
                Anchor::Start,
            );
        }
        Err(why) => {
            let short = text::fit(why, NAME_SIZE, false, VALUE_WIDTH - 12.0, 1);
            return scene.text(
                value_at,
                &short[0],
                Style::new(NAME_SIZE, VERMILION),
                Anchor::Start,
            );
        }
    };
    let x = |value: f64| panel.place(value.clamp(panel.x.from, panel.x.to), 0.0).0;
    if estimate.basis != Basis::None {
        let (low, high) = (x(estimate.low), x(estimate.high));
        scene.line(&[(low, middle), (high, middle)], BLUE, 1.8);
        for end in [low, high] {
            scene.line(&[(end, middle - 4.0), (end, middle + 4.0)], BLUE, 1.8);
        }
    }
    if bar.seeds.len() > 1 {
        for &seed in bar.seeds.iter().filter(|seed| seed.is_finite()) {
            scene.disc((x(seed), middle + 7.0), 1.9, MUTED);
        }
    }
    scene.disc((x(estimate.value), middle), 4.8, BLUE);
    scene.disc((x(estimate.value), middle), 1.8, WHITE);
    let value = if estimate.basis == Basis::None {
        format!("{:.4}", estimate.value)
    } else {
        format!(
            "{:.4}  [{:.3}, {:.3}]",
            estimate.value, estimate.low, estimate.high
        )
    };
    scene.text(value_at, &value, Style::new(NAME_SIZE, INK), Anchor::Start);
}

fn notes(bars: &[Bar], chance: Option<f64>) -> Vec<String> {
    let mut notes = Vec::new();
    let estimates = || bars.iter().filter_map(|bar| bar.result.as_ref().ok());
    let mut rows: Vec<u64> = estimates()
        .filter_map(|estimate| {
            if let Basis::Rows(n) = estimate.basis {
                Some(n)
            } else {
                None
            }
        })
        .collect();
    rows.sort_unstable();
    rows.dedup();
    let count = |rows: u64| group(&rows.to_string());
    match rows[..] {
        [] => {}
        [n] => notes.push(format!(
            "One seed: bars are 95 % Wilson intervals on {} rows.",
            count(n)
        )),
        [.., most] => notes.push(format!(
            "One seed: bars are 95 % Wilson intervals, on {} to {} rows.",
            count(rows[0]),
            count(most)
        )),
    }
    if estimates().any(|estimate| matches!(estimate.basis, Basis::Seeds(_))) {
        notes.push(
            "Several seeds: the mean, its 95 % t-interval over the seeds on the same rows, and each seed as a small dot."
                .to_owned(),
        );
    }
    if chance.is_some() {
        notes.push("Dashed: the accuracy of always naming the largest class.".to_owned());
    }
    notes
}
