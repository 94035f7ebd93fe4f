//! A figure of each run as a dot with its 95 % interval.

use crate::draw::axis::{Axis, count_f64, group};
use crate::draw::labels::Labels;
use crate::draw::palette::{AXIS, BLUE, INK, MUTED, WHITE};
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
    /// What is drawn small below: each of several seeds' value.
    pub seeds: Vec<f64>,
}

const MARGIN: f64 = 18.0;
const NAME_WIDTH: f64 = 300.0;
const PLOT_WIDTH: f64 = 460.0;
const VALUE_WIDTH: f64 = 150.0;
const LINE: f64 = NAME_SIZE * 1.25;

/// Lines up to which all are drawn.
const MOST: usize = 60;
/// Of more, so many of the highest.
const BEST: usize = 40;

/// A figure to draw.
#[derive(Debug, Clone)]
pub(in crate::report) struct Dots<'a> {
    /// Its heading.
    pub title: String,
    /// What the axis shows, with its unit.
    pub axis: String,
    /// In the order in which they are drawn.
    pub bars: &'a [Bar],
    /// The share that always naming the largest class would reach.
    pub chance: Option<f64>,
    /// Whether the highest is the best, and strong.
    pub judged: bool,
    /// What stands below.
    pub notes: Vec<String>,
}

/// One line for each run that has a figure, in the given order; of very many, the highest ones in
/// theirs. None without a value.
pub(in crate::report) fn draw(dots: &Dots<'_>) -> Option<Scene> {
    let Dots {
        title,
        axis: axis_name,
        bars,
        ..
    } = dots;
    let chance = dots.chance.filter(|share| share.is_finite());
    let mut shown: Vec<(&Bar, Estimate)> = bars
        .iter()
        .filter_map(|bar| Some((bar, finite(bar)?)))
        .collect();
    let mut notes = dots.notes.clone();
    if shown.len() > MOST {
        shown.sort_by(|one, other| other.1.value.total_cmp(&one.1.value));
        let rest = shown.split_off(BEST);
        let (least, most) = (rest[rest.len() - 1].1.value, rest[0].1.value);
        notes.push(format!(
            "The highest {BEST} of {}; the other {} lie between {least:.4} and {most:.4}.",
            group(&(BEST + rest.len()).to_string()),
            group(&rest.len().to_string()),
        ));
    }
    notes.extend(missing(bars));
    if chance.is_some() {
        notes.push("Dashed: the accuracy of always naming the largest class.".to_owned());
    }
    let best = shown
        .iter()
        .map(|(_, estimate)| estimate.value)
        .reduce(f64::max)?;
    let names: Vec<String> = shown.iter().map(|(bar, _)| bar.name.clone()).collect();
    let names = Labels::fit(&names, NAME_SIZE, true, NAME_WIDTH, 2);
    let left = MARGIN + names.width(NAME_SIZE, true).max(60.0) + 14.0;
    let width = left + PLOT_WIDTH + VALUE_WIDTH + MARGIN;
    let note_lines = panel::note_lines(&notes, width - 2.0 * MARGIN);

    let seeds = shown.iter().flat_map(|(bar, _)| bar.seeds.iter().copied());
    let ends = shown
        .iter()
        .flat_map(|(_, estimate)| [estimate.value, estimate.low, estimate.high]);
    let x = Axis::around_shares(ends.chain(seeds).chain(chance), 6);
    let heights: Vec<f64> = names
        .lines
        .iter()
        .map(|lines| (count_f64(lines.len()) * LINE + 9.0).max(26.0))
        .collect();

    let mut scene = Scene::new(width, 0.0);
    let room_for_chance = if chance.is_some() { 20.0 } else { 4.0 };
    let at = (MARGIN, MARGIN - 4.0);
    let top =
        at.1 + panel::title(&mut scene, title, at, width - 2.0 * MARGIN) + 10.0 + room_for_chance;
    let panel = Panel {
        left,
        top,
        width: PLOT_WIDTH,
        height: heights.iter().sum::<f64>() + 8.0,
        x,
        y: Axis::none(),
    };
    panel.grid_x(&mut scene);
    panel.frame(&mut scene, true, false);
    panel.name_x(&mut scene, axis_name);
    if let Some(chance) = chance {
        draw_chance(&mut scene, &panel, chance);
    }
    let mut y = top + 4.0;
    for (((bar, estimate), name), height) in shown.iter().zip(&names.lines).zip(&heights) {
        let is_best = dots.judged && shown.len() > 1 && estimate.value >= best;
        draw_bar(
            &mut scene,
            &panel,
            bar,
            estimate,
            (name, is_best),
            y + height / 2.0,
        );
        y += height;
    }
    let bottom = top + panel.height + 46.0;
    panel::draw_notes(&mut scene, &note_lines, (MARGIN, bottom));
    scene.height = bottom + count_f64(note_lines.len()) * NOTE_LINE + 12.0;
    Some(scene)
}

fn finite(bar: &Bar) -> Option<Estimate> {
    let estimate = bar.result.as_ref().ok()?;
    estimate.value.is_finite().then_some(*estimate)
}

/// Which runs have no line, counted by the reason.
fn missing(bars: &[Bar]) -> Option<String> {
    let mut reasons: Vec<(&str, usize)> = Vec::new();
    for bar in bars.iter().filter(|bar| finite(bar).is_none()) {
        let reason = bar
            .result
            .as_ref()
            .err()
            .map_or("not finite", String::as_str);
        match reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => reasons.push((reason, 1)),
        }
    }
    if reasons.is_empty() {
        return None;
    }
    let said = |(reason, count): &(&str, usize)| {
        let runs = if *count == 1 { "run" } else { "runs" };
        format!("{} {runs} ({reason})", group(&count.to_string()))
    };
    let said: Vec<String> = reasons.iter().map(said).collect();
    Some(format!("Not drawn: {}.", said.join(", ")))
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

fn draw_bar(
    scene: &mut Scene,
    panel: &Panel,
    bar: &Bar,
    estimate: &Estimate,
    (name, is_best): (&[String], bool),
    middle: f64,
) {
    let mut baseline = middle - count_f64(name.len() - 1) * LINE / 2.0 + CAPITALS * NAME_SIZE / 2.0;
    let style = Style::new(NAME_SIZE, INK);
    let style = if is_best { style.bold() } else { style };
    for line in name {
        scene.text((panel.left - 10.0, baseline), line, style, Anchor::End);
        baseline += LINE;
    }
    let x = |value: f64| panel.place(value.clamp(panel.x.from, panel.x.to), 0.0).0;
    if estimate.basis != Basis::None {
        let (low, high) = (x(estimate.low), x(estimate.high));
        scene.line(&[(low, middle), (high, middle)], BLUE, 1.8);
        for end in [low, high] {
            scene.line(&[(end, middle - 4.0), (end, middle + 4.0)], BLUE, 1.8);
        }
    }
    for &seed in bar.seeds.iter().filter(|seed| seed.is_finite()) {
        scene.disc((x(seed), middle + 7.0), 1.9, MUTED);
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
    let at = (
        panel.left + panel.width + 12.0,
        middle + CAPITALS * NAME_SIZE / 2.0,
    );
    scene.text(at, &value, style, Anchor::Start);
}

/// What the intervals are.
pub(in crate::report) fn intervals(bars: &[Bar]) -> Vec<String> {
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
            "Bars: 95 % intervals of the same training on other texts, from {} rows.",
            count(n)
        )),
        [.., most] => notes.push(format!(
            "Bars: 95 % intervals of the same training on other texts, from {} to {} rows.",
            count(rows[0]),
            count(most)
        )),
    }
    if estimates().any(|estimate| matches!(estimate.basis, Basis::Both(_))) {
        notes.push(
            "Several seeds: the mean, each seed as a small dot, and the 95 % interval of other trainings on other texts, from the seeds of all runs."
                .to_owned(),
        );
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(index: usize) -> Bar {
        Bar {
            name: format!("rank={index},targets=query+key+value+attention_output,rate={index}e-4"),
            result: if index % 10 == 3 {
                Err("not run".to_owned())
            } else {
                Ok(Estimate::of_share(0.5 + count_f64(index % 37) / 100.0, 200))
            },
            seeds: Vec::new(),
        }
    }

    #[test]
    fn any_number_of_runs_stays_a_readable_picture_and_what_has_not_run_is_counted() {
        for count in [0, 1, 2, 60, 2000, 10_000] {
            let bars: Vec<Bar> = (0..count).map(bar).collect();
            let Some(scene) = draw(&Dots {
                title: "t".to_owned(),
                axis: "accuracy".to_owned(),
                bars: &bars,
                chance: Some(0.5),
                judged: true,
                notes: Vec::new(),
            }) else {
                assert_eq!(count, 0);
                continue;
            };
            scene.assert_sound(&format!("{count} runs"));
            assert!(scene.height < 2600.0, "{}", scene.height);
            let words = scene.words();
            assert_eq!(words.contains("Not drawn: "), count > 3);
            assert_eq!(words.contains("The highest 40 of "), count > 100);
        }
    }
}
