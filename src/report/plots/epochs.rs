//! One figure per epoch for all runs of an experiment in one panel: of many runs, the best in colour
//! and the rest grey.

use super::courses::{Course, MARGIN, Measure};
use crate::draw::axis::{Axis, count_f64};
use crate::draw::labels::Labels;
use crate::draw::palette::{CONTEXT, INK, LOOKS, Look, pale};
use crate::draw::panel::{self, NAME_SIZE, NOTE_LINE, Panel};
use crate::draw::scene::{Anchor, Scene, Style};
use crate::draw::text::CAPITALS;

const PLOT_WIDTH: f64 = 560.0;
const PLOT_HEIGHT: f64 = 340.0;
const LEGEND_WIDTH: f64 = 220.0;
const LEGEND_SAMPLE: f64 = 40.0;
/// Distance between the bars of two runs at the same epoch.
const BESIDE: f64 = 3.0;
const LEGEND_LINE: f64 = NAME_SIZE * 1.25;
/// Of more runs than there are looks, so many are in colour.
const BEST: usize = 3;
/// Grey lines that can still be told from a grey area.
const MOST_GREY: usize = 200;

/// The figure; None when no run has two epochs.
pub(in crate::report) fn draw(title: &str, courses: &[Course], measure: &Measure) -> Option<Scene> {
    // What has not run has no course.
    let drawn: Vec<&Course> = courses
        .iter()
        .filter(|course| course.has_values())
        .collect();
    let points = || {
        drawn
            .iter()
            .flat_map(|course| course.seeds.iter().flatten())
    };
    let first = points().map(|point| point.0).min()?;
    let last = points().map(|point| point.0).max()?;
    if first == last {
        return None;
    }
    let (strong, grey) = parted(&drawn, measure);
    let mut notes = Vec::new();
    let mut values: Vec<f64> = points().map(|point| point.1).collect();
    let missing = values.iter().filter(|value| !value.is_finite()).count();
    if missing > 0 {
        let verb = if missing == 1 {
            "value is"
        } else {
            "values are"
        };
        notes.push(format!(
            "{missing} of {} {verb} not finite and left out.",
            values.len()
        ));
    }
    if strong.iter().any(|course| course.seeds.len() > 1) {
        notes.push("Several seeds: pale lines; their mean: the strong line.".to_owned());
    }
    let ends: Vec<f64> = strong
        .iter()
        .flat_map(|course| course.intervals())
        .flat_map(|(_, ends)| ends)
        .collect();
    if !ends.is_empty() {
        notes.push(
            "Bars: the mean's 95 % t-interval over the seeds, from three seeds on; beside one another where there are several."
                .to_owned(),
        );
    }
    if !grey.is_empty() {
        notes.push(in_grey(&drawn, &grey, measure));
    }
    // What no accuracy and no loss can be needs no room.
    values.extend(
        ends.into_iter()
            .filter(|end| *end > 0.0 && (!measure.share || *end < 1.0)),
    );
    Some(together(
        title,
        &strong,
        &grey,
        measure,
        (first, last),
        &values,
        &notes,
    ))
}

/// The runs in colour and the grey ones.
fn parted<'a>(courses: &[&'a Course], measure: &Measure) -> (Vec<&'a Course>, Vec<&'a Course>) {
    if courses.len() <= LOOKS.len() {
        return (courses.to_vec(), Vec::new());
    }
    let sign = if measure.share { 1.0 } else { -1.0 };
    let merit = |course: &Course| {
        let own = measure
            .judged
            .then(|| course.last().map(|value| sign * value))
            .flatten();
        course.standing.or(own).unwrap_or(f64::NEG_INFINITY)
    };
    let mut ranked: Vec<(f64, &Course)> = courses
        .iter()
        .map(|course| (merit(course), *course))
        .collect();
    // Stable: of equals, those that the plan names first.
    ranked.sort_by(|one, other| other.0.total_cmp(&one.0));
    let mut strong: Vec<&Course> = ranked.into_iter().map(|(_, course)| course).collect();
    let grey = strong.split_off(BEST);
    (strong, evenly(&grey, MOST_GREY))
}

/// So many of them, from the first to the last.
fn evenly<'a>(courses: &[&'a Course], most: usize) -> Vec<&'a Course> {
    if courses.len() <= most {
        return courses.to_vec();
    }
    let last = courses.len() - 1;
    (0..most)
        .map(|place| courses[place * last / (most - 1)])
        .collect()
}

fn in_grey(drawn: &[&Course], grey: &[&Course], measure: &Measure) -> String {
    let by = if drawn.iter().any(|course| course.standing.is_some()) {
        "the best runs"
    } else if measure.judged {
        "the runs with the best last value"
    } else {
        "the first runs of the plan"
    };
    let others = drawn.len() - BEST;
    if others == grey.len() {
        format!("In colour: {by}; grey: the other {others}.")
    } else {
        let shown = grey.len();
        format!("In colour: {by}; grey: {shown} of the other {others}, evenly from good to bad.")
    }
}

fn together(
    title: &str,
    strong: &[&Course],
    grey: &[&Course],
    measure: &Measure,
    (first, last): (usize, usize),
    values: &[f64],
    notes: &[String],
) -> Scene {
    let y_axis = measure.axis(values, 6);
    let left = MARGIN + 16.0 + Panel::tick_room(&y_axis);
    let names: Vec<String> = strong.iter().map(|course| course.label()).collect();
    let names = Labels::fit(&names, NAME_SIZE, false, LEGEND_WIDTH, 4);
    let names_width = names.width(NAME_SIZE, false).max(60.0);
    let width = left + PLOT_WIDTH + 24.0 + LEGEND_SAMPLE + names_width + MARGIN;
    let note_lines = panel::note_lines(notes, width - 2.0 * MARGIN);
    let mut scene = Scene::new(width, 0.0);
    let at = (MARGIN, MARGIN - 4.0);
    let top = at.1 + panel::title(&mut scene, title, at, width - 2.0 * MARGIN) + 16.0;
    let room = (count_f64(last - first) * 0.04).clamp(0.15, 1.0);
    let panel = Panel {
        left,
        top,
        width: PLOT_WIDTH,
        height: PLOT_HEIGHT,
        x: Axis::integers(first, last, room, 10),
        y: y_axis,
    };
    panel.frame(&mut scene, true, true);
    panel.name_x(&mut scene, measure.place);
    panel.name_y(&mut scene, MARGIN + CAPITALS * NAME_SIZE, &measure.name);
    // The worst first, so that the better ones lie above.
    for course in grey.iter().rev() {
        panel.curve(&mut scene, &course.mean(), CONTEXT, 1.0, &[]);
        panel.lone_points(&mut scene, &course.mean(), CONTEXT);
    }
    for (course, look) in strong.iter().zip(LOOKS) {
        if course.seeds.len() > 1 {
            for line in course.lines() {
                panel.curve(&mut scene, &line, pale(look.colour), 1.0, &[]);
                panel.lone_points(&mut scene, &line, pale(look.colour));
            }
        }
    }
    for (course, look) in strong.iter().zip(LOOKS) {
        panel.curve(&mut scene, &course.mean(), look.colour, 1.8, look.dash);
    }
    for (i, (course, look)) in strong.iter().zip(LOOKS).enumerate() {
        let aside = (count_f64(i) - count_f64(strong.len() - 1) / 2.0) * BESIDE;
        panel.bars(&mut scene, &course.intervals(), look.colour, aside);
    }
    // Markers last, so that no line hides one; where values are equal, the later runs' stand inside
    // the earlier ones'.
    if last - first <= 60 {
        for (i, (course, look)) in strong.iter().zip(LOOKS).enumerate() {
            panel.marks(&mut scene, &course.mean(), look, 4.6 - 0.25 * count_f64(i));
        }
    }
    let legend_left = left + PLOT_WIDTH + 24.0;
    let mut y = top;
    for (lines, look) in names.lines.iter().zip(LOOKS) {
        y = legend(&mut scene, look, true, lines, (legend_left, y));
    }
    if !grey.is_empty() {
        let look = Look {
            colour: CONTEXT,
            ..LOOKS[0]
        };
        y = legend(
            &mut scene,
            look,
            false,
            &["others".to_owned()],
            (legend_left, y),
        );
    }
    let bottom = (top + PLOT_HEIGHT + 46.0).max(y + 10.0);
    panel::draw_notes(&mut scene, &note_lines, (MARGIN, bottom));
    scene.height = bottom
        + count_f64(note_lines.len()) * NOTE_LINE
        + if note_lines.is_empty() { 4.0 } else { 12.0 };
    scene
}

/// A sample and a name to the right of the panel; returns where the next one begins.
fn legend(
    scene: &mut Scene,
    look: Look,
    marked: bool,
    name: &[String],
    (left, top): (f64, f64),
) -> f64 {
    let middle = top + LEGEND_LINE / 2.0;
    scene.dashed(
        &[(left, middle), (left + 32.0, middle)],
        look.colour,
        1.8,
        look.dash,
    );
    if marked {
        look.marker
            .draw(scene, (left + 16.0, middle), 4.2, look.colour);
    }
    let mut y = top;
    for line in name {
        let at = (
            left + LEGEND_SAMPLE,
            y + LEGEND_LINE / 2.0 + CAPITALS * NAME_SIZE / 2.0,
        );
        scene.text(at, line, Style::new(NAME_SIZE, INK), Anchor::Start);
        y += LEGEND_LINE;
    }
    y + 7.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_over_seeds_leaves_out_what_is_not_finite() {
        let course = Course {
            name: "a".into(),
            remark: None,
            standing: None,
            seeds: vec![
                vec![(1, 0.5), (2, f64::NAN)],
                vec![(1, 0.7), (2, 0.8), (3, f64::NAN)],
            ],
        };
        let mean = course.mean();
        assert!((mean[0].1 - 0.6).abs() < 1e-12);
        assert!((mean[1].1 - 0.8).abs() < 1e-12);
        assert!(mean[2].1.is_nan());
    }

    #[test]
    fn bars_begin_with_three_seeds() {
        let course = |seeds: usize| Course {
            name: "a".into(),
            remark: None,
            standing: None,
            seeds: [0.5, 0.6, 0.7][..seeds]
                .iter()
                .map(|&value| vec![(1, value)])
                .collect(),
        };
        assert!(course(2).intervals().is_empty());
        let [(epoch, interval)] = course(3).intervals()[..] else {
            panic!("one epoch, one bar")
        };
        // t(0.975, 2) = 4.303, standard error 0.1 / sqrt(3).
        assert!((epoch - 1.0).abs() < 1e-12 && (interval[1] - 0.8484).abs() < 1e-4);
    }

    #[test]
    fn no_epochs_make_no_picture() {
        let measure = Measure {
            name: "loss".into(),
            place: "epoch",
            judged: true,
            share: false,
        };
        assert!(draw("t", &[], &measure).is_none());
        assert!(
            draw(
                "t",
                &[Course {
                    name: "a".into(),
                    seeds: vec![vec![]],
                    remark: None,
                    standing: None,
                }],
                &measure
            )
            .is_none()
        );
    }

    fn many(count: usize, epochs: usize) -> Vec<Course> {
        let course = |run: usize| Course {
            name: format!("run {run}"),
            seeds: vec![
                (1..=epochs)
                    .map(|epoch| (epoch, 0.5 + count_f64(run % 100) / 250.0))
                    .collect(),
            ],
            remark: None,
            standing: None,
        };
        (0..count).map(course).collect()
    }

    const ACCURACY: fn() -> Measure = || Measure {
        name: "accuracy (share of rows)".into(),
        place: "epoch",
        judged: true,
        share: true,
    };

    #[test]
    fn of_many_runs_the_best_are_named_and_the_rest_is_grey() {
        let scene = draw("t", &many(60, 3), &ACCURACY()).unwrap();
        scene.assert_sound("sixty runs");
        let words = scene.words();
        for name in ["run 59", "run 58", "run 57", "others"] {
            assert!(words.contains(name), "{name}");
        }
        assert!(!words.contains("run 56") && words.contains("the other 57."));
    }

    #[test]
    fn thousands_of_runs_make_a_picture_of_bounded_size() {
        let scene = draw("t", &many(10_000, 5), &ACCURACY()).unwrap();
        scene.assert_sound("ten thousand runs");
        assert!(scene.shapes.len() < 1000 && scene.height < 600.0);
    }

    #[test]
    fn one_epoch_is_no_course() {
        assert!(draw("t", &many(3, 1), &ACCURACY()).is_none());
        assert!(draw("t", &many(30, 1), &ACCURACY()).is_none());
    }
}
