//! What each setting adds to a figure: a row for each value of it, with its 95 % interval.

use crate::draw::axis::{Axis, count_f64};
use crate::draw::labels::Labels;
use crate::draw::palette::{AXIS, BLUE, INK, MUTED, VERMILION, WHITE};
use crate::draw::panel::{self, NAME_SIZE, NOTE_LINE, Panel};
use crate::draw::scene::{Anchor, Scene, Style};
use crate::draw::text::{self, CAPITALS};

/// A setting and what its values add.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct Axes {
    /// Its name.
    pub name: String,
    /// The value that the others are compared with.
    pub first: String,
    /// Each other value, what it adds, and half the width of its interval.
    pub others: Vec<(String, f64, Option<f64>)>,
    /// The share of all differences that is this setting's alone.
    pub share: f64,
}

const MARGIN: f64 = 18.0;
const NAME_WIDTH: f64 = 230.0;
const PLOT_WIDTH: f64 = 420.0;
const LINE: f64 = NAME_SIZE * 1.25;
const ROW: f64 = 23.0;
/// Rows that one figure holds.
const MOST_ROWS: usize = 40;

impl Axes {
    /// `4 → 16 adds 0.031 ± 0.012` for the value that changes most.
    pub(in crate::report) fn in_words(&self) -> String {
        let most = self
            .others
            .iter()
            .max_by(|one, other| one.1.abs().total_cmp(&other.1.abs()));
        let Some((value, added, half)) = most else {
            return self.name.clone();
        };
        let (name, first) = (&self.name, &self.first);
        let verb = if *added < 0.0 { "takes" } else { "adds" };
        let size = added.abs();
        match half {
            Some(half) if size > *half => {
                format!("{name}: {first} → {value} {verb} {size:.3} ± {half:.3}")
            }
            Some(half) => format!(
                "{name}: {first} → {value} {verb} {size:.3} ± {half:.3}, which may be chance"
            ),
            None => format!("{name}: {first} → {value} {verb} {size:.3}"),
        }
    }
}

/// The settings in the given order; none without a value to compare.
pub(in crate::report) fn draw(
    title: &str,
    axis_name: &str,
    settings: &[Axes],
    notes: &[String],
) -> Option<Scene> {
    let mut rows = 0;
    let fits = |axes: &&Axes| {
        rows += axes.others.len() + 1;
        rows <= MOST_ROWS
    };
    let shown: Vec<&Axes> = settings.iter().take_while(fits).collect();
    let mut notes = notes.to_vec();
    match settings.len() - shown.len() {
        0 => {}
        1 => notes.push(format!(
            "Not drawn: `{}`, which matters least.",
            settings[shown.len()].name
        )),
        more => notes.push(format!("Not drawn: {more} settings, which matter least.")),
    }
    let others = || shown.iter().flat_map(|axes| &axes.others);
    others().next()?;
    let ends = others().flat_map(|(_, added, half)| {
        let half = half.unwrap_or(0.0);
        [added - half, *added, added + half]
    });
    let x = Axis::around_differences(ends, 6);
    let texts: Vec<String> = shown
        .iter()
        .flat_map(|axes| {
            let others = axes.others.iter().map(|(value, ..)| value.clone());
            std::iter::once(axes.first.clone()).chain(others)
        })
        .collect();
    // Values of different settings may be alike: each stands below its setting's name.
    let mut labels = Vec::new();
    let mut from = 0;
    for axes in &shown {
        let to = from + axes.others.len() + 1;
        labels.extend(Labels::fit(&texts[from..to], NAME_SIZE, false, NAME_WIDTH, 1).lines);
        from = to;
    }
    let name_width = labels
        .iter()
        .map(|lines| text::width(&lines.concat(), NAME_SIZE, false));
    let left = MARGIN + name_width.fold(60.0, f64::max) + 22.0;
    let amounts: Vec<String> = others()
        .map(|(_, added, half)| amount(*added, *half))
        .collect();
    let amount_width = amounts
        .iter()
        .map(|text| text::width(text, NAME_SIZE, false));
    let width = left + PLOT_WIDTH + 12.0 + amount_width.fold(70.0, f64::max) + MARGIN;
    let heads: Vec<String> = shown
        .iter()
        .map(|axes| {
            format!(
                "{}: {:.0} % of all differences",
                axes.name,
                100.0 * axes.share
            )
        })
        .collect();
    let heads = Labels::fit(&heads, NAME_SIZE, true, width - 2.0 * MARGIN - 8.0, 1);
    let note_lines = panel::note_lines(&notes, width - 2.0 * MARGIN);
    let mut scene = Scene::new(width, 0.0);
    let at = (MARGIN, MARGIN - 4.0);
    let top = at.1 + panel::title(&mut scene, title, at, width - 2.0 * MARGIN) + 14.0;
    let heights = shown
        .iter()
        .map(|axes| LINE + 8.0 + ROW * count_f64(axes.others.len() + 1));
    let panel = Panel {
        left,
        top,
        width: PLOT_WIDTH,
        height: heights.sum::<f64>() + 8.0,
        x,
        y: Axis::none(),
    };
    panel.grid_x(&mut scene);
    panel.frame(&mut scene, true, false);
    panel.name_x(&mut scene, axis_name);
    let zero = panel.place(0.0, 0.0).0;
    let bottom = top + panel.height;
    scene.dashed(&[(zero, top), (zero, bottom)], AXIS, 1.2, &[4.0, 3.0]);
    draw_rows(&mut scene, &panel, &shown, (&heads, &labels, &amounts));
    let end = bottom + 46.0;
    panel::draw_notes(&mut scene, &note_lines, (MARGIN, end));
    scene.height = end + count_f64(note_lines.len()) * NOTE_LINE + 12.0;
    Some(scene)
}

/// A head for each setting, and a row for each of its values: names, dots and amounts.
fn draw_rows(
    scene: &mut Scene,
    panel: &Panel,
    shown: &[&Axes],
    (heads, labels, amounts): (&Labels, &[Vec<String>], &[String]),
) {
    let zero = panel.place(0.0, 0.0).0;
    let (mut y, mut row, mut amounts) = (panel.top + 4.0, 0, amounts.iter());
    for (axes, head) in shown.iter().zip(&heads.lines) {
        // On the grid's lines, a name needs paper of its own.
        let head_width = text::width(&head.concat(), NAME_SIZE, true);
        scene.rectangle((MARGIN - 2.0, y + 3.0), head_width + 6.0, LINE + 1.0, WHITE);
        let baseline = y + LINE;
        scene.text(
            (MARGIN, baseline),
            &head.concat(),
            Style::new(NAME_SIZE, INK).bold(),
            Anchor::Start,
        );
        y += LINE + 8.0;
        for index in 0..=axes.others.len() {
            let middle = y + ROW / 2.0;
            let baseline = middle + CAPITALS * NAME_SIZE / 2.0;
            let style = Style::new(NAME_SIZE, INK);
            scene.text(
                (panel.left - 10.0, baseline),
                &labels[row].concat(),
                style,
                Anchor::End,
            );
            let at_value = (panel.left + PLOT_WIDTH + 12.0, baseline);
            if let Some((_, added, half)) = index.checked_sub(1).map(|index| &axes.others[index]) {
                interval(scene, panel, (*added, *half), middle);
                let amount = amounts.next().map_or("", String::as_str);
                scene.text(at_value, amount, style, Anchor::Start);
            } else {
                scene.disc((zero, middle), 4.0, AXIS);
                scene.disc((zero, middle), 2.4, WHITE);
                let style = Style::new(NAME_SIZE, MUTED);
                scene.text(at_value, "compared with", style, Anchor::Start);
            }
            y += ROW;
            row += 1;
        }
    }
}

/// A dot with its interval: strong where it lies clear of zero.
fn interval(scene: &mut Scene, panel: &Panel, (added, half): (f64, Option<f64>), middle: f64) {
    let x = |value: f64| panel.place(value.clamp(panel.x.from, panel.x.to), 0.0).0;
    let clear = half.is_some_and(|half| added.abs() > half);
    let colour = match (clear, added < 0.0) {
        (false, _) => MUTED,
        (true, false) => BLUE,
        (true, true) => VERMILION,
    };
    if let Some(half) = half {
        let (low, high) = (x(added - half), x(added + half));
        scene.line(&[(low, middle), (high, middle)], colour, 1.8);
        for end in [low, high] {
            scene.line(&[(end, middle - 4.0), (end, middle + 4.0)], colour, 1.8);
        }
    }
    scene.disc((x(added), middle), 4.4, colour);
}

/// `+0.031 ± 0.012`.
fn amount(added: f64, half: Option<f64>) -> String {
    let added = format!("{added:+.3}");
    let added = if added == "-0.000" {
        "+0.000".to_owned()
    } else {
        added
    };
    half.map_or(added.clone(), |half| format!("{added} ± {half:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(name: &str, others: usize, size: f64) -> Axes {
        let other = |index: usize| {
            (
                format!("value {index}"),
                size * count_f64(index + 1),
                Some(0.01),
            )
        };
        Axes {
            name: name.to_owned(),
            first: "first".to_owned(),
            others: (0..others).map(other).collect(),
            share: 0.4,
        }
    }

    #[test]
    fn an_effect_is_told_with_how_sure_it_is() {
        assert_eq!(
            setting("rank", 1, 0.031).in_words(),
            "rank: first → value 0 adds 0.031 ± 0.010"
        );
        assert_eq!(
            setting("rank", 1, -0.002).in_words(),
            "rank: first → value 0 takes 0.002 ± 0.010, which may be chance"
        );
        assert_eq!(amount(-0.0001, None), "+0.000");
    }

    #[test]
    fn any_number_of_settings_stays_a_readable_picture() {
        for count in [1, 2, 5, 60] {
            let name =
                |index: usize| format!("a setting with a long name {index} ").repeat(1 + index % 9);
            let all: Vec<Axes> = (0..count)
                .map(|index| setting(&name(index), 1 + index % 11, 0.01))
                .collect();
            let scene = draw("title", "accuracy added", &all, &[]).unwrap();
            scene.assert_sound(&format!("{count} settings"));
            assert!(scene.height < 1400.0, "{}", scene.height);
        }
        assert!(draw("title", "accuracy added", &[], &[]).is_none());
    }
}
