//! How good runs are against what they cost, with the frontier marked: the runs that none cheaper is
//! as good as.

use crate::draw::axis::{Axis, count_f64};
use crate::draw::labels::Labels;
use crate::draw::palette::{AXIS, BLUE, INK, MUTED};
use crate::draw::panel::{self, NAME_SIZE, NOTE_LINE, NOTE_SIZE, Panel};
use crate::draw::scene::{Anchor, Scene, Style};
use crate::draw::text::{self, CAPITALS};

/// A run with its figure and what it cost.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct Spent {
    /// The run's name.
    pub name: String,
    /// Its figure, the higher the better.
    pub value: f64,
    /// In the order of the costs.
    pub costs: Vec<Option<f64>>,
}

/// Something that runs cost.
#[derive(Debug, Clone)]
pub(in crate::report) struct Cost {
    /// With its unit, for the axis.
    pub name: String,
    /// In words, with its unit.
    pub words: fn(f64) -> String,
    /// How many of what is measured make one of the unit.
    pub unit: f64,
}

const MARGIN: f64 = 18.0;
const PANEL_WIDTH: f64 = 262.0;
const PANEL_HEIGHT: f64 = 250.0;
const BETWEEN: f64 = 30.0;
const LINE: f64 = NOTE_SIZE * 1.3;
/// Runs of a frontier that are named.
const NAMED: usize = 6;
/// Other runs that are drawn.
const MOST_DOTS: usize = 800;
const NUMBER_SIZE: f64 = 10.0;

/// Places of the runs that no other run is both as cheap and as good as, from the cheapest on.
pub(in crate::report) fn frontier(points: &[(f64, f64)]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..points.len())
        .filter(|&at| points[at].0.is_finite() && points[at].1.is_finite())
        .collect();
    order.sort_by(|&one, &other| {
        let (one, other) = (points[one], points[other]);
        one.0.total_cmp(&other.0).then(other.1.total_cmp(&one.1))
    });
    let mut best = f64::NEG_INFINITY;
    order.retain(|&at| {
        let better = points[at].1 > best;
        best = best.max(points[at].1);
        better
    });
    order
}

/// A panel for each cost that varies between the runs; none where none does.
pub(in crate::report) fn draw(
    title: &str,
    value_name: &str,
    costs: &[Cost],
    runs: &[Spent],
    notes: &[String],
) -> Option<Scene> {
    let columns: Vec<Column<'_>> = (0..costs.len())
        .filter_map(|cost| Column::new(&costs[cost], cost, runs))
        .collect();
    if columns.is_empty() {
        return None;
    }
    let values = columns
        .iter()
        .flat_map(|column| column.points.iter().map(|point| point.1));
    let y = Axis::around_shares(values, 6);
    let left = MARGIN + 16.0 + Panel::tick_room(&y);
    let width = left + (PANEL_WIDTH + BETWEEN) * count_f64(columns.len()) - BETWEEN + MARGIN;
    let width = width.max(460.0);
    let mut notes = notes.to_vec();
    notes.insert(0, "The line joins the runs that none as cheap is better than, numbered from the cheapest on; grey: all others.".to_owned());
    if columns.iter().any(|column| column.points.len() > MOST_DOTS) {
        notes.push(format!(
            "Of the others, {MOST_DOTS} are drawn, evenly chosen by their figure."
        ));
    }
    let note_lines = panel::note_lines(&notes, width - 2.0 * MARGIN);
    let mut scene = Scene::new(width, 0.0);
    let at = (MARGIN, MARGIN - 4.0);
    let top = at.1 + panel::title(&mut scene, title, at, width - 2.0 * MARGIN) + 16.0;
    let mut bottom = top;
    for (index, column) in columns.iter().enumerate() {
        let panel = Panel {
            left: left + (PANEL_WIDTH + BETWEEN) * count_f64(index),
            top,
            width: PANEL_WIDTH,
            height: PANEL_HEIGHT,
            x: Axis::around_costs(
                &column
                    .points
                    .iter()
                    .map(|point| point.0)
                    .collect::<Vec<_>>(),
                4,
            ),
            y: y.clone(),
        };
        panel.frame(&mut scene, true, index == 0);
        column.name(&mut scene, &panel);
        if index == 0 {
            panel.name_y(&mut scene, MARGIN + CAPITALS * NAME_SIZE, value_name);
        }
        column.draw(&mut scene, &panel);
        bottom = bottom.max(column.legend(&mut scene, &panel, runs));
    }
    panel::draw_notes(&mut scene, &note_lines, (MARGIN, bottom + 8.0));
    scene.height = bottom + 20.0 + count_f64(note_lines.len()) * NOTE_LINE;
    Some(scene)
}

/// One cost against the figure.
struct Column<'a> {
    cost: &'a Cost,
    /// (cost in its unit, figure).
    points: Vec<(f64, f64)>,
    /// Which run each point is.
    of: Vec<usize>,
    /// Places of the frontier's points.
    front: Vec<usize>,
    /// Those that are named.
    named: Vec<usize>,
}

impl<'a> Column<'a> {
    fn new(cost: &'a Cost, place: usize, runs: &[Spent]) -> Option<Self> {
        let point = |(index, run): (usize, &Spent)| {
            let cost = (*run.costs.get(place)?)? / cost.unit;
            (cost.is_finite() && run.value.is_finite()).then_some((index, (cost, run.value)))
        };
        let (of, points): (Vec<usize>, Vec<(f64, f64)>) =
            runs.iter().enumerate().filter_map(point).unzip();
        let (least, most) = crate::draw::axis::range(points.iter().map(|point| point.0))?;
        // Where all cost the same, nothing is to be saved.
        if most - least <= 0.01 * most.abs() {
            return None;
        }
        let front = frontier(&points);
        let named = if front.len() <= NAMED {
            front.clone()
        } else {
            let end = front.len() - 1;
            (0..NAMED)
                .map(|place| front[place * end / (NAMED - 1)])
                .collect()
        };
        Some(Self {
            cost,
            points,
            of,
            front,
            named,
        })
    }

    fn name(&self, scene: &mut Scene, panel: &Panel) {
        let name = if panel.x.logarithmic {
            format!("{}, log scale", self.cost.name)
        } else {
            self.cost.name.clone()
        };
        let name = text::fit(&name, NAME_SIZE, false, PANEL_WIDTH + BETWEEN - 8.0, 1).concat();
        let at = (
            panel.left + panel.width / 2.0,
            panel.top + panel.height + 36.0,
        );
        scene.text(at, &name, Style::new(NAME_SIZE, INK), Anchor::Middle);
    }

    fn draw(&self, scene: &mut Scene, panel: &Panel) {
        let mut others: Vec<usize> = (0..self.points.len())
            .filter(|at| !self.front.contains(at))
            .collect();
        if others.len() > MOST_DOTS {
            others.sort_by(|&one, &other| self.points[one].1.total_cmp(&self.points[other].1));
            let last = others.len() - 1;
            others = (0..MOST_DOTS)
                .map(|place| others[place * last / (MOST_DOTS - 1)])
                .collect();
        }
        for at in others {
            let (cost, value) = self.points[at];
            scene.disc(panel.place(cost, value), 2.6, AXIS);
        }
        let mut steps = Vec::new();
        let mut before: Option<(f64, f64)> = None;
        for &at in &self.front {
            let (cost, value) = self.points[at];
            steps.extend(before.map(|(_, before)| panel.place(cost, before)));
            steps.push(panel.place(cost, value));
            before = Some((cost, value));
        }
        if let Some(&(_, last)) = steps.last() {
            steps.push((panel.left + panel.width, last));
        }
        scene.line(&steps, BLUE, 1.5);
        for &at in &self.front {
            let (cost, value) = self.points[at];
            scene.disc(panel.place(cost, value), 4.2, BLUE);
        }
        self.numbers(scene, panel);
    }

    /// Numbers beside the named points, where one has room.
    fn numbers(&self, scene: &mut Scene, panel: &Panel) {
        let mut taken: Vec<(f64, f64, f64)> = Vec::new();
        for (number, &at) in (1..).zip(&self.named) {
            let text = number.to_string();
            let half = text::width(&text, NUMBER_SIZE, true) / 2.0;
            let (x, y) = panel.place(self.points[at].0, self.points[at].1);
            let right = panel.left + panel.width - half - 2.0;
            let around = [
                (0.0, -8.0),
                (-9.0, -3.0),
                (9.0, 10.0),
                (0.0, 16.0),
                (-9.0, 14.0),
            ];
            let free = around.into_iter().find_map(|(aside, below)| {
                let (x, y) = ((x + aside).clamp(panel.left + half + 2.0, right), y + below);
                let apart = |&(other, level, width): &(f64, f64, f64)| {
                    (other - x).abs() > half + width + 1.0 || (level - y).abs() > NUMBER_SIZE
                };
                let inside = y > panel.top - 4.0 && y < panel.top + panel.height - 3.0;
                (inside && taken.iter().all(apart)).then_some((x, y))
            });
            if let Some((x, y)) = free {
                taken.push((x, y, half));
                let style = Style::new(NUMBER_SIZE, BLUE).bold();
                scene.text((x, y), &text, style, Anchor::Middle);
            }
        }
    }

    /// The frontier's runs by their numbers, below the panel. Returns where they end.
    fn legend(&self, scene: &mut Scene, panel: &Panel, runs: &[Spent]) -> f64 {
        let names: Vec<String> = self
            .named
            .iter()
            .map(|&at| runs[self.of[at]].name.clone())
            .collect();
        let labels = Labels::fit(&names, NOTE_SIZE, false, PANEL_WIDTH - 18.0, 2);
        let mut y = panel.top + panel.height + 58.0;
        let left = panel.left - 4.0;
        for (number, (&at, lines)) in (1..).zip(self.named.iter().zip(&labels.lines)) {
            let style = Style::new(NOTE_SIZE, BLUE).bold();
            scene.text((left, y), &format!("{number}"), style, Anchor::Start);
            for line in lines {
                let style = Style::new(NOTE_SIZE, INK);
                scene.text((left + 16.0, y), line, style, Anchor::Start);
                y += LINE;
            }
            let (cost, value) = self.points[at];
            let said = format!("{value:.4}, {}", (self.cost.words)(cost * self.cost.unit));
            // Longer only where somebody measured in units of another world.
            let said = text::fit(&said, NOTE_SIZE, false, PANEL_WIDTH - 12.0, 1).concat();
            scene.text(
                (left + 16.0, y),
                &said,
                Style::new(NOTE_SIZE, MUTED),
                Anchor::Start,
            );
            y += LINE + 4.0;
        }
        match self.front.len() - self.named.len() {
            0 => {}
            more => {
                let said = format!("and {more} more on the line");
                scene.text(
                    (left + 16.0, y),
                    &said,
                    Style::new(NOTE_SIZE, MUTED),
                    Anchor::Start,
                );
                y += LINE;
            }
        }
        y
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cost(name: &str) -> Cost {
        Cost {
            name: name.to_owned(),
            words: |cost| format!("{cost:.1} s"),
            unit: 1.0,
        }
    }

    #[test]
    fn the_frontier_has_what_nothing_as_cheap_is_better_than() {
        let points = [
            (3.0, 0.9),
            (1.0, 0.7),
            (2.0, 0.6),
            (1.0, 0.8),
            (4.0, 0.9),
            (f64::NAN, 1.0),
        ];
        assert_eq!(frontier(&points), [3, 0]);
        assert!(frontier(&[]).is_empty());
    }

    #[test]
    fn costs_that_do_not_differ_have_no_panel() {
        let run = |cost| Spent {
            name: "a".into(),
            value: 0.5,
            costs: vec![cost],
        };
        let of = |costs: &[Option<f64>]| {
            let runs: Vec<Spent> = costs.iter().map(|&cost| run(cost)).collect();
            draw("t", "accuracy", &[cost("time")], &runs, &[])
        };
        assert!(
            of(&[]).is_none() && of(&[Some(2.0)]).is_none() && of(&[None, Some(2.0)]).is_none()
        );
        assert!(of(&[Some(2.0), Some(2.0)]).is_none());
        assert!(of(&[Some(2.0), Some(9.0)]).is_some());
    }

    #[test]
    fn thousands_of_runs_make_a_picture_of_bounded_size() {
        let run = |index: usize| Spent {
            name: format!("rank={index},targets=query+key+value+attention_output,rate=1e-4"),
            value: 0.5 + count_f64(index).sqrt() / 300.0,
            costs: vec![
                Some(1.0 + count_f64(index)),
                Some(1e9 / count_f64(index + 1)),
            ],
        };
        let runs: Vec<Spent> = (0..10_000).map(run).collect();
        let scene = draw("t", "accuracy", &[cost("time"), cost("memory")], &runs, &[]).unwrap();
        scene.assert_sound("ten thousand runs");
        // Here, every run is on one of the two lines.
        assert!(scene.shapes.len() < 25_000 && scene.height < 800.0);
    }

    proptest! {
        #[test]
        fn no_run_beats_one_on_the_frontier(points in prop::collection::vec((0_u8..9, 0_u8..9), 0..30)) {
            let points: Vec<(f64, f64)> = points.into_iter().map(|(a, b)| (a.into(), b.into())).collect();
            let front = frontier(&points);
            for (at, point) in points.iter().enumerate() {
                let beaten = points.iter().any(|other| {
                    other.0 <= point.0 && other.1 >= point.1 && other != point
                });
                let same = front.iter().any(|&front| points[front] == *point);
                prop_assert_eq!(same, !beaten, "{} {:?}", at, points);
            }
        }

        #[test]
        fn any_runs_make_a_readable_picture(
            runs in prop::collection::vec((0.0..1.0, prop::num::f64::POSITIVE, 1..60_usize), 0..20),
        ) {
            let spent = |(value, cost, length): (f64, f64, usize)| Spent {
                name: "n".repeat(length),
                value,
                costs: vec![Some(cost), Some(value), None],
            };
            let runs: Vec<Spent> = runs.into_iter().map(spent).collect();
            let costs = [cost("time (seconds)"), cost("b"), cost("c")];
            if let Some(scene) = draw("t", "accuracy", &costs, &runs, &[]) {
                scene.assert_sound("any runs");
            }
        }
    }
}
