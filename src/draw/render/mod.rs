//! From a scene to SVG text, and to PNG bytes through plotters.

mod svg;

pub(crate) use svg::svg;

use plotters::backend::{BitMapBackend, DrawingBackend};
use plotters::drawing::IntoDrawingArea;

use super::paint::{DrawError, Painter, whole};
use super::scene::Scene;

/// Pixels of the PNG per point.
const PNG_PIXELS: u32 = 2;
/// Pixels of the largest PNG: drawn with all samples, they take 100 MB for a moment.
const MOST_PIXELS: f64 = 8e6;
/// The longest side of a PNG in pixels; viewers refuse longer ones.
const LONGEST_SIDE: f64 = 30_000.0;
/// Samples per pixel and direction, for smooth edges.
const SAMPLES: u32 = 2;
/// Samples per pixel: the square of [`SAMPLES`].
const AREA: u16 = 4;

/// The scene as pixels: red, green and blue in turn, rows from the top, [`PNG_PIXELS`] pixels per
/// point, fewer where the scene is huge.
///
/// # Errors
/// When plotters refuses.
fn pixels(scene: &Scene) -> Result<(Vec<u8>, (u32, u32)), DrawError> {
    let (width, height, scale) = png_size(scene);
    let (wide, high) = (width * SAMPLES, height * SAMPLES);
    // White paper.
    let mut fine = vec![u8::MAX; 3 * wide as usize * high as usize];
    {
        let area = BitMapBackend::with_buffer(&mut fine, (wide, high)).into_drawing_area();
        Painter {
            area: &area,
            scale: scale * f64::from(SAMPLES),
        }
        .draw(scene)?;
        area.present()
            .map_err(|error| DrawError(error.to_string()))?;
    }
    let (samples, row) = (SAMPLES as usize, 3 * wide as usize);
    let mut coarse = Vec::with_capacity(3 * width as usize * height as usize);
    let mut sums = vec![0_u16; row / samples];
    for rows in fine.chunks_exact(row * samples) {
        sums.fill(0);
        for row in rows.chunks_exact(row) {
            for (sums, pixels) in sums.chunks_exact_mut(3).zip(row.chunks_exact(3 * samples)) {
                for pixel in pixels.chunks_exact(3) {
                    sums[0] += u16::from(pixel[0]);
                    sums[1] += u16::from(pixel[1]);
                    sums[2] += u16::from(pixel[2]);
                }
            }
        }
        // Means of bytes are bytes.
        coarse.extend(
            sums.iter()
                .map(|&sum| u8::try_from((sum + AREA / 2) / AREA).unwrap_or(u8::MAX)),
        );
    }
    Ok((coarse, (width, height)))
}

/// Writes the scene as a PNG file; `path` must end in `.png`.
///
/// # Errors
/// When plotters refuses or the file cannot be written.
pub(crate) fn write_png(scene: &Scene, path: &std::path::Path) -> Result<(), DrawError> {
    let (pixels, size) = pixels(scene)?;
    let mut backend = BitMapBackend::new(path, size);
    backend
        .blit_bitmap((0, 0), size, &pixels)
        .map_err(|error| DrawError(error.to_string()))?;
    backend
        .present()
        .map_err(|error| DrawError(error.to_string()))
}

/// Width, height and pixels per point.
fn png_size(scene: &Scene) -> (u32, u32, f64) {
    let points = (scene.width * scene.height).max(1.0);
    let side = scene.width.max(scene.height).max(1.0);
    let scale = f64::from(PNG_PIXELS)
        .min((MOST_PIXELS / points).sqrt())
        .min(LONGEST_SIDE / side);
    (
        whole(scene.width * scale).unsigned_abs().max(1),
        whole(scene.height * scale).unsigned_abs().max(1),
        scale,
    )
}

#[cfg(test)]
mod tests;
