//! Tests of `render`.

use super::super::palette::{BLUE, INK};
use super::super::scene::{Anchor, Style};
use super::*;

fn scene() -> Scene {
    let mut scene = Scene::new(120.0, 80.0);
    scene.line(
        &[(10.0, 10.0), (60.0, 70.0), (60.0, 70.0), (110.0, 10.0)],
        BLUE,
        2.0,
    );
    scene.rectangle((80.0, 40.0), 20.0, 20.0, BLUE);
    scene.text(
        (60.0, 30.0),
        "<a & b>",
        Style::new(12.0, INK),
        Anchor::Middle,
    );
    scene.text_upwards((8.0, 40.0), "up", Style::new(12.0, INK), Anchor::Middle);
    scene
}

#[test]
fn an_svg_is_well_formed_and_shown_at_its_size() {
    let svg = svg(&scene(), "a \"title\"").unwrap();
    assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"120\" height=\"80\" viewBox=\"0 0 1200 800\""));
    assert!(svg.trim_end().ends_with("</svg>"));
    assert!(
        svg.contains("&lt;a &amp; b&gt;") && svg.contains("aria-label=\"a &quot;title&quot;\"")
    );
    assert!(svg.contains("sans-serif"));
}

#[test]
fn text_stands_on_its_baseline_in_pixels() {
    let mut scene = Scene::new(100.0, 40.0);
    scene.text((20.0, 30.0), "H", Style::new(20.0, INK), Anchor::Start);
    let (pixels, (width, _)) = pixels(&scene).unwrap();
    let dark: Vec<usize> = (0..pixels.len() / 3)
        .filter(|i| pixels[i * 3] < 128)
        .map(|i| i / width as usize)
        .collect();
    let (top, bottom) = (dark[0], dark[dark.len() - 1]);
    assert!(bottom.abs_diff(59) <= 1, "{bottom}");
    assert!(top.abs_diff(60 - 29) <= 2, "{top}");
}

#[test]
fn upward_text_stands_on_its_baseline_in_pixels() {
    let mut scene = Scene::new(40.0, 60.0);
    scene.text_upwards((30.0, 40.0), "H", Style::new(20.0, INK), Anchor::Start);
    let (pixels, (width, _)) = pixels(&scene).unwrap();
    let dark: Vec<usize> = (0..pixels.len() / 3)
        .filter(|i| pixels[i * 3] < 128)
        .collect();
    let right = dark.iter().map(|i| i % width as usize).max().unwrap();
    let low = dark.iter().map(|i| i / width as usize).max().unwrap();
    assert!(right.abs_diff(59) <= 1 && low <= 80, "{right} {low}");
}

#[test]
fn figures_that_are_no_numbers_do_not_break_a_picture() {
    let mut scene = Scene::new(50.0, 50.0);
    scene.line(
        &[(f64::NAN, 1.0), (f64::INFINITY, 2.0), (1e300, -1e300)],
        BLUE,
        1.0,
    );
    assert!(svg(&scene, "").is_ok());
}

#[test]
fn the_same_scene_gives_the_same_bytes() {
    assert_eq!(svg(&scene(), "t").unwrap(), svg(&scene(), "t").unwrap());
    assert_eq!(pixels(&scene()).unwrap(), pixels(&scene()).unwrap());
}
