//! The nearest of 100,000 chunks to each of 100 questions: `Search` against a plain matrix product
//! of the same size. `similarity_numpy.py` does the same with numpy.
//!
//!     cargo bench --bench similarity
//!     python engine/benches/similarity_numpy.py

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for a terminal"
)]

use std::hint::black_box;
use std::time::Instant;

use burn::backend::Flex;
use burn::backend::flex::FlexDevice;
use burn::tensor::{Tensor, TensorData};
use engine::pcg64::Pcg64;
use engine::retrieval::{Metric, Search, Vectors};

const CHUNKS: usize = 100_000;
const QUESTIONS: usize = 100;
const WIDTH: usize = 768;
const K: usize = 10;
const REPEATS: usize = 7;

fn draw(random: &mut Pcg64, rows: usize) -> Vec<f32> {
    // The sum of some uniform draws is near enough to a normal one.
    let mut value = || {
        (0..4)
            .map(|_| f64::from(random.next_u32()) / f64::from(u32::MAX) - 0.5)
            .sum::<f64>()
    };
    #[allow(clippy::cast_possible_truncation)]
    (0..rows * WIDTH).map(|_| value() as f32).collect()
}

/// The shortest and the middle time of some repetitions, in seconds.
fn time(mut work: impl FnMut()) -> (f64, f64) {
    let mut seconds: Vec<f64> = (0..REPEATS)
        .map(|_| {
            let begun = Instant::now();
            work();
            begun.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    (seconds[0], seconds[REPEATS / 2])
}

fn main() {
    let mut random = Pcg64::seeded(0);
    let chunks = draw(&mut random, CHUNKS);
    let questions = Vectors {
        width: WIDTH,
        values: draw(&mut random, QUESTIONS),
    };
    println!(
        "{CHUNKS} x {WIDTH}, {QUESTIONS} questions, the best {K}; {} threads; shortest and middle of {REPEATS}",
        rayon::current_num_threads()
    );
    let matrix = |values: &[f32]| {
        let shape = [values.len() / WIDTH, WIDTH];
        Tensor::<Flex, 2>::from_data(TensorData::new(values.to_vec(), shape), &FlexDevice)
    };
    let (asked, rows) = (matrix(&questions.values), matrix(&chunks));
    let plain = time(|| {
        black_box(asked.clone().matmul(rows.clone().transpose()));
    });
    println!("plain product        {:.3} s  {:.3} s", plain.0, plain.1);
    let all = [Metric::Cosine, Metric::Euclidean, Metric::Dot];
    for (name, metrics) in [
        ("cosine", &all[..1]),
        ("euclidean", &all[1..2]),
        ("dot", &all[2..]),
        ("all three", &all[..]),
    ] {
        let searched = time(|| {
            let mut search = Search::new(&questions, metrics, K);
            search.add(&chunks);
            black_box(search.finish());
        });
        println!(
            "search, {name:<12} {:.3} s  {:.3} s  {:.2} of the product",
            searched.0,
            searched.1,
            searched.1 / plain.1
        );
    }
}
