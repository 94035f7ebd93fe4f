//! How good searches are by the number of chunks that a question gets: a panel for each measure, a
//! line for each way of searching.

use crate::draw::axis::{Axis, count_f64};
use crate::draw::labels::Labels;
use crate::draw::palette::{CONTEXT, INK, LOOKS, Look};
use crate::draw::panel::{self, NAME_SIZE, NOTE_LINE, Panel};
use crate::draw::scene::{Anchor, Scene, Style};
use crate::draw::text::CAPITALS;

/// A way of searching.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::report) struct Search {
    /// What it is.
    pub name: String,
    /// For each measure its (chunks, value).
    pub points: Vec<Vec<(usize, f64)>>,
}

const MARGIN: f64 = 18.0;
const PANEL_WIDTH: f64 = 250.0;
const PANEL_HEIGHT: f64 = 220.0;
const BETWEEN: f64 = 24.0;
const LINE: f64 = NAME_SIZE * 1.3;
/// Of more ways than there are looks, so many are in colour.
const BEST: usize = 3;
/// Grey lines that can still be told from a grey area.
const MOST_GREY: usize = 100;

/// The searches, the best first; none where no measure has two places.
pub(in crate::report) fn draw(
    title: &str,
    measures: &[&str],
    searches: &[Search],
    notes: &[String],
) -> Option<Scene> {
    let of = |measure: usize| {
        searches
            .iter()
            .filter_map(move |search| search.points.get(measure))
            .flatten()
    };
    let drawn: Vec<usize> = (0..measures.len())
        .filter(|&measure| {
            let first = of(measure).next();
            of(measure).any(|point| Some(point.0) != first.map(|first| first.0))
        })
        .collect();
    let places = || {
        drawn
            .iter()
            .flat_map(|&measure| of(measure).map(|point| point.0))
    };
    let (first, last) = (places().min()?, places().max()?);
    let strong = if searches.len() > LOOKS.len() {
        BEST
    } else {
        searches.len()
    };
    let mut notes = notes.to_vec();
    if strong < searches.len() {
        notes.push(format!(
            "In colour: the best {strong}; grey: {} of the other {}.",
            (searches.len() - strong).min(MOST_GREY),
            searches.len() - strong
        ));
    }
    let values = drawn
        .iter()
        .flat_map(|&measure| of(measure).map(|point| point.1));
    let y = Axis::around_shares(values, 6);
    let left = MARGIN + 16.0 + Panel::tick_room(&y);
    let width = left + (PANEL_WIDTH + BETWEEN) * count_f64(drawn.len()) - BETWEEN + MARGIN;
    let width = width.max(420.0);
    let note_lines = panel::note_lines(&notes, width - 2.0 * MARGIN);
    let mut scene = Scene::new(width, 0.0);
    let at = (MARGIN, MARGIN - 4.0);
    let top = at.1 + panel::title(&mut scene, title, at, width - 2.0 * MARGIN) + 28.0;
    let room = (count_f64(last - first) * 0.05).clamp(0.15, 2.0);
    for (column, &measure) in drawn.iter().enumerate() {
        let panel = Panel {
            left: left + (PANEL_WIDTH + BETWEEN) * count_f64(column),
            top,
            width: PANEL_WIDTH,
            height: PANEL_HEIGHT,
            x: Axis::integers(first, last, room, 6),
            y: y.clone(),
        };
        panel.frame(&mut scene, true, column == 0);
        panel.name_x(&mut scene, "k");
        let head = Style::new(NAME_SIZE, INK).bold();
        scene.text(
            (panel.left, top - 8.0),
            measures[measure],
            head,
            Anchor::Start,
        );
        for search in searches[strong..].iter().take(MOST_GREY).rev() {
            lines(&mut scene, &panel, search, measure, None);
        }
        for (search, look) in searches[..strong].iter().zip(LOOKS) {
            lines(&mut scene, &panel, search, measure, Some(look));
        }
    }
    let names: Vec<String> = searches[..strong]
        .iter()
        .map(|search| search.name.clone())
        .collect();
    let names = Labels::fit(&names, NAME_SIZE, false, width - 2.0 * MARGIN - 44.0, 2);
    let mut bottom = top + PANEL_HEIGHT + 58.0;
    for (lines, look) in names.lines.iter().zip(LOOKS) {
        let middle = bottom - CAPITALS * NAME_SIZE / 2.0;
        let sample = [(MARGIN, middle), (MARGIN + 32.0, middle)];
        scene.dashed(&sample, look.colour, 1.8, look.dash);
        look.marker
            .draw(&mut scene, (MARGIN + 16.0, middle), 4.2, look.colour);
        for line in lines {
            let style = Style::new(NAME_SIZE, INK);
            scene.text((MARGIN + 42.0, bottom), line, style, Anchor::Start);
            bottom += LINE;
        }
    }
    panel::draw_notes(&mut scene, &note_lines, (MARGIN, bottom));
    scene.height = bottom + count_f64(note_lines.len()) * NOTE_LINE + 12.0;
    Some(scene)
}

fn lines(scene: &mut Scene, panel: &Panel, search: &Search, measure: usize, look: Option<Look>) {
    let Some(points) = search.points.get(measure) else {
        return;
    };
    let points: Vec<(f64, f64)> = points
        .iter()
        .map(|&(k, value)| (count_f64(k), value))
        .collect();
    let Some(look) = look else {
        panel.curve(scene, &points, CONTEXT, 1.0, &[]);
        return panel.lone_points(scene, &points, CONTEXT);
    };
    panel.curve(scene, &points, look.colour, 1.8, look.dash);
    panel.marks(scene, &points, look, 3.8);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn searches(count: usize, places: &[usize]) -> Vec<Search> {
        let search = |index: usize| Search {
            name: format!("an embedder with a long name, size {index}"),
            points: vec![
                places
                    .iter()
                    .map(|&k| (k, count_f64(k + index) / 20_000.0))
                    .collect();
                3
            ],
        };
        (0..count).map(search).collect()
    }

    #[test]
    fn any_number_of_searches_stays_a_readable_picture() {
        for count in [1, 2, 7, 8, 60, 10_000] {
            let measures = ["hit@k", "recall@k", "nDCG@k"];
            let scene = draw("t", &measures, &searches(count, &[1, 3, 10]), &[]).unwrap();
            scene.assert_sound(&format!("{count} searches"));
            assert!(scene.height < 700.0 && scene.shapes.len() < 3000);
        }
    }

    #[test]
    fn one_place_makes_no_line() {
        assert!(draw("t", &["hit@k"], &searches(3, &[5]), &[]).is_none());
        assert!(draw("t", &["hit@k"], &[], &[]).is_none());
    }
}
