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
fn an_svg_is_well_formed_and_says_in_words_what_it_shows() {
    let mut scene = scene();
    scene.title = "accuracy of <b>".to_owned();
    let svg = svg(&scene, "a \"description\"");
    assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"picture\" width=\"120\" height=\"80\" viewBox=\"0 0 120 80\" role=\"img\""));
    assert!(svg.ends_with("</svg>\n"));
    assert!(svg.contains("<title>accuracy of &lt;b&gt;</title>"));
    assert!(svg.contains("<desc>a &quot;description&quot;</desc>"));
    assert!(svg.contains("&lt;a &amp; b&gt;</text>"));
    assert!(svg.contains("Arimo, Arial") && svg.contains("class=\"f-ink\""));
    // A file of its own stands on white; a page has its say by the classes.
    assert!(svg.contains("<rect width=\"120\" height=\"80\" fill=\"#ffffff\" class=\"f-paper\"/>"));
}

#[test]
fn lines_of_one_kind_become_one_path() {
    let mut scene = Scene::new(50.0, 50.0);
    for y in [10.0, 20.0] {
        scene.line(&[(0.0, y), (50.0, y)], BLUE, 1.0);
    }
    scene.line(&[(0.0, 30.0), (50.0, 30.0)], INK, 1.0);
    let svg = svg(&scene, "");
    assert_eq!(svg.matches("<path").count(), 2, "{svg}");
    assert!(svg.contains("d=\"M0,10L50,10M0,20L50,20\""), "{svg}");
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
    let wild = [(f64::NAN, 1.0), (f64::INFINITY, 2.0), (1e300, -1e300)];
    scene.line(&wild, BLUE, 1.0);
    scene.area(&wild, BLUE);
    scene.disc((f64::NAN, 1e300), 3.0, INK);
    let svg = svg(&scene, "");
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    assert!(pixels(&scene).is_ok());
}

#[test]
fn pictures_of_any_size_have_bounded_pixels_whatever_is_drawn_where() {
    for (width, height) in [
        (840.0, 2_600_000.0),
        (1.0, 1.0),
        (90_000.0, 20.0),
        (3000.0, 3000.0),
    ] {
        let mut scene = Scene::new(width, height);
        for share in [-0.1, 0.0, 0.3, 0.999, 1.0, 1.1] {
            let (x, y) = (share * width, share * height);
            scene.line(&[(x, -9.0), (x, height + 9.0)], BLUE, 1.0);
            scene.line(&[(-9.0, y), (width + 9.0, y)], INK, 0.3);
            scene.disc((x, y), 4.0, BLUE);
            scene.rectangle((x - 5.0, y - 5.0), 10.0, 10.0, INK);
            scene.area(&[(x, y), (x + 9.0, y), (x, y + 9.0)], BLUE);
            scene.text((x, y), "text", Style::new(12.0, INK), Anchor::Middle);
            scene.text_upwards((x, y), "text", Style::new(12.0, INK), Anchor::End);
        }
        let (pixels, (wide, high)) = pixels(&scene).unwrap();
        assert!(f64::from(wide) * f64::from(high) <= 1.01 * MOST_PIXELS);
        assert_eq!(pixels.len(), 3 * wide as usize * high as usize);
        let folder = tempfile::tempdir().unwrap();
        write_png(&scene, &folder.path().join("p.png")).unwrap();
    }
}

#[test]
fn the_same_scene_gives_the_same_bytes() {
    assert_eq!(svg(&scene(), "t"), svg(&scene(), "t"));
    assert_eq!(pixels(&scene()).unwrap(), pixels(&scene()).unwrap());
}
