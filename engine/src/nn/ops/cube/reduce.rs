//! Sums and maxima over the threads of a cube, in an order that is always the same.

use cubecl::prelude::*;

/// The sum of the threads' values, known to all of them. `shared` holds a place for each thread, of
/// which there are a power of two.
#[cube]
pub(super) fn sum(value: f32, shared: &mut SharedMemory<f32>, #[comptime] units: usize) -> f32 {
    let unit = UNIT_POS as usize;
    shared[unit] = value;
    sync_cube();
    #[unroll]
    for step in 0..comptime!(units.ilog2()) {
        let width = comptime!(units >> (step + 1));
        if unit < width {
            let other = shared[unit + width];
            shared[unit] += other;
        }
        sync_cube();
    }
    let total = shared[0];
    // Nobody writes again before everybody has read.
    sync_cube();
    total
}

/// As [`sum`], the largest value.
#[cube]
pub(super) fn maximum(value: f32, shared: &mut SharedMemory<f32>, #[comptime] units: usize) -> f32 {
    let unit = UNIT_POS as usize;
    shared[unit] = value;
    sync_cube();
    #[unroll]
    for step in 0..comptime!(units.ilog2()) {
        let width = comptime!(units >> (step + 1));
        if unit < width {
            let other = shared[unit + width];
            shared[unit] = max(shared[unit], other);
        }
        sync_cube();
    }
    let largest = shared[0];
    sync_cube();
    largest
}

/// From one value of a thread to its next: the number of threads, but read when the kernel runs.
/// Of a constant the compiler for cards makes longer loops, which take more registers than it then
/// grants them.
#[cube]
pub(super) fn threads() -> usize {
    CUBE_DIM_X as usize
}
