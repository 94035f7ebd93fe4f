//! Results trees for the tests: curves as real runs leave them, written with the same functions.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "small made-up figures"
)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use crate::record::{
    AnswerRow, Environment, EpochRow, MeasurementRow, MetricRow, PREDICTIONS_FILE, PlanFile,
    PlannedRun, ReportRow, RetrievalRow, RunFile, RunRecord, SCHEMA, Status, TrainingLogRow,
    run_folder, write_rows,
};

/// Runs of a search over four chunks: three questions, of which the third has no patterns. The runs of one chunk size find the same chunks, the last ones in
/// another order.
pub(super) fn searches(results: &Path, runs: &[(&str, usize, usize)]) {
    for (index, &(run, size, top_k)) in runs.iter().enumerate() {
        let folder = run_folder(results, "s", run, 42);
        let settings: toml::Table = toml::from_str(&format!(
            "kind = \"rag\"\n[chunks]\nsize = {size}\n[retrieval]\ntop_k = {top_k}\n"
        ))
        .unwrap();
        RunFile {
            experiment: "s".into(),
            run: run.into(),
            seed: 42,
            settings,
        }
        .write(&folder)
        .unwrap();
        let mut rows = Vec::new();
        for (question, judged) in [("cd", true), ("umask", true), ("other", false)] {
            for rank in 1..=top_k {
                let chunk = if index % 2 == 0 { rank } else { top_k - rank };
                rows.push(RetrievalRow {
                    question: question.into(),
                    rank,
                    chunk,
                    score: 1.0 / rank as f64,
                    relevant: judged.then_some(rank == 2),
                    text: "a <b>".into(),
                });
            }
        }
        write_rows(&folder, &rows).unwrap();
        let answer = AnswerRow {
            question: "cd".into(),
            answer: "Cambia de <carpeta>. [Contexto 1]".into(),
            ..AnswerRow::default()
        };
        write_rows(&folder, &[answer]).unwrap();
        let metric = |evaluation: &str, metric: &str, value| MetricRow {
            evaluation: evaluation.into(),
            metric: metric.into(),
            value,
        };
        let metrics = vec![
            metric("questions", "asked", 3.0),
            metric("questions", "judged", 2.0),
            metric("questions", "mrr", 0.5),
            metric("questions", &format!("hit@{top_k}"), 1.0),
            metric("questions", &format!("recall@{top_k}"), 0.25),
            metric(
                "questions",
                &format!("ndcg@{top_k}"),
                0.5 + index as f64 / 100.0,
            ),
            metric("cd", "reciprocal_rank", 0.5),
            metric("run", "chunks", 4.0),
        ];
        RunRecord {
            schema: SCHEMA,
            experiment: "s".into(),
            run: run.into(),
            seed: 42,
            kind: "rag".into(),
            status: Status::Complete,
            identity: "5d1f".into(),
            identity_parts: BTreeMap::from([("chunks.size".to_owned(), size.to_string())]),
            overrides: Vec::new(),
            adopted_from: None,
            started: "2026-01-02T03:04:05Z".into(),
            wall_seconds: 0.5,
            sittings: Vec::new(),
            metrics,
            measurements: Vec::new(),
            labels: Vec::new(),
            notes: Vec::new(),
            files: BTreeMap::new(),
            environment: Environment::default(),
            error: None,
        }
        .write(&folder)
        .unwrap();
    }
}

/// A run to make up.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub experiment: &'static str,
    pub run: String,
    pub seed: u64,
    pub epochs: usize,
    /// Optimiser steps in an epoch.
    pub steps: usize,
    /// Where the accuracy ends.
    pub accuracy: f64,
    pub classes: Vec<String>,
    /// Test rows.
    pub rows: u64,
    /// The step from which the loss is not a number.
    pub diverges: Option<usize>,
    pub status: Status,
    pub rank: usize,
    /// More of its settings, as TOML: instead of the number of epochs.
    pub more: String,
}

impl Sample {
    pub(super) fn new(experiment: &'static str, run: impl Into<String>) -> Self {
        Self {
            experiment,
            run: run.into(),
            seed: 42,
            epochs: 3,
            steps: 500,
            accuracy: 0.845,
            classes: vec!["negative".into(), "positive".into()],
            rows: 1000,
            diverges: None,
            status: Status::Complete,
            rank: 8,
            more: String::new(),
        }
    }

    /// Writes the run's folder as a run does.
    pub(super) fn write(&self, results: &Path) {
        let folder = run_folder(results, self.experiment, &self.run, self.seed);
        let mut noise =
            Noise(self.seed * 7919 + self.run.bytes().map(u64::from).sum::<u64>() * 31 + 1);
        let settings: toml::Table = toml::from_str(&format!(
            "kind = \"lora\"\n[lora]\nrank = {}\ntargets = [\"query\", \"value\"]\n{}",
            self.rank,
            if self.more.is_empty() {
                format!("[training]\nepochs = {}\n", self.epochs)
            } else {
                self.more.clone()
            }
        ))
        .unwrap();
        RunFile {
            experiment: self.experiment.into(),
            run: self.run.clone(),
            seed: self.seed,
            settings,
        }
        .write(&folder)
        .unwrap();
        write_rows(&folder, &self.log(&mut noise)).unwrap();
        let epochs = self.epochs(&mut noise);
        write_rows(&folder, &epochs).unwrap();
        let complete = self.status == Status::Complete;
        let accuracy = if complete {
            self.predictions(&folder, &mut noise)
        } else {
            0.0
        };
        let loss = epochs.last().map_or(f64::NAN, |row| row.validation_loss);
        let metric = |evaluation: &str, metric: &str, value| MetricRow {
            evaluation: evaluation.into(),
            metric: metric.into(),
            value,
        };
        let metrics = if complete {
            vec![
                metric(
                    "run",
                    "trainable_parameters",
                    296_450.0 * self.rank as f64 / 8.0,
                ),
                metric("run", "trainable_percent", 0.16 * self.rank as f64 / 8.0),
                metric("test", "accuracy", accuracy),
                metric("test", "loss", loss),
            ]
        } else {
            Vec::new()
        };
        let record = RunRecord {
            schema: SCHEMA,
            experiment: self.experiment.into(),
            run: self.run.clone(),
            seed: self.seed,
            kind: "lora".into(),
            status: self.status,
            identity: "5d1f".into(),
            identity_parts: BTreeMap::new(),
            overrides: Vec::new(),
            adopted_from: None,
            started: "2026-01-02T03:04:05Z".into(),
            wall_seconds: 61.5 * self.epochs as f64 + self.rank as f64,
            sittings: Vec::new(),
            metrics,
            measurements: vec![
                MeasurementRow {
                    metric: "train_samples_per_second".into(),
                    value: 131.25,
                },
                MeasurementRow {
                    metric: "peak_memory_bytes".into(),
                    value: 1.1e9 + 4e6 * self.rank as f64,
                },
            ],
            labels: self.classes.clone(),
            notes: vec!["3 texts stand in both the training and the test split <b>".into()],
            files: BTreeMap::new(),
            environment: Environment {
                version: "0.1.0".into(),
                device: "cpu".into(),
                threads: 2,
                precision: "f32".into(),
                ..Environment::default()
            },
            error: (self.status == Status::Failed).then(|| {
                "out of memory: 9.1 GB are needed, 8.0 GB are there\ncaused by <the device>".into()
            }),
        };
        record.write(&folder).unwrap();
    }

    fn log(&self, noise: &mut Noise) -> Vec<TrainingLogRow> {
        let all = self.epochs * self.steps;
        let every = (self.steps / 10).clamp(1, 50);
        (1..=all / every)
            .map(|i| {
                let step = i * every;
                let done = step as f64 / all as f64;
                let loss = 0.30 + 0.39 * (-5.0 * done).exp() + 0.05 * noise.next();
                let diverged = self.diverges.is_some_and(|from| step >= from);
                TrainingLogRow {
                    step,
                    epoch: step as f64 / self.steps as f64,
                    loss: if diverged { f64::NAN } else { loss },
                    learning_rate: 2e-4 * (1.0 - done),
                    gradient_norm: if diverged { f64::INFINITY } else { 1.0 },
                }
            })
            .collect()
    }

    fn epochs(&self, noise: &mut Noise) -> Vec<EpochRow> {
        (1..=self.epochs)
            .map(|epoch| {
                let left = (-1.2 * epoch as f64).exp();
                let diverged = self.diverges.is_some_and(|from| epoch * self.steps >= from);
                EpochRow {
                    epoch,
                    train_loss: 0.33 + left * 0.3,
                    train_loss_mean: 0.34 + left * 0.3,
                    validation_loss: if diverged {
                        f64::NAN
                    } else {
                        0.38 + left * 0.2 + 0.012 * epoch as f64 + 0.01 * noise.next()
                    },
                    accuracy: if diverged {
                        0.5
                    } else {
                        self.accuracy - left * 0.12 + 0.004 * noise.next()
                    },
                }
            })
            .collect()
    }

    /// Writes predictions and their report; returns the accuracy.
    fn predictions(&self, folder: &Path, noise: &mut Noise) -> f64 {
        let classes = self.classes.len();
        let mut text = format!(
            "evaluation,row,label,prediction,{},text\n",
            vec!["probability_x"; classes].join(",")
        );
        let mut counts = vec![vec![0_u64; classes]; classes];
        for row in 0..self.rows {
            let label = row as usize % classes;
            let right = noise.next().abs() < self.accuracy;
            let prediction = if right || classes == 1 {
                label
            } else {
                (label + 1 + (row as usize / classes) % (classes - 1)) % classes
            };
            counts[label][prediction] += 1;
            let probabilities = vec!["0.5"; classes].join(",");
            writeln!(
                text,
                "test,{row},\"{}\",\"{}\",{probabilities},text {row}",
                self.classes[label], self.classes[prediction]
            )
            .unwrap();
        }
        std::fs::write(folder.join(PREDICTIONS_FILE), text).unwrap();
        let right: u64 = (0..classes).map(|class| counts[class][class]).sum();
        let accuracy = right as f64 / self.rows as f64;
        let row = |class: &str, precision, f1_score, support| ReportRow {
            evaluation: "test".into(),
            class: class.into(),
            precision,
            recall: precision,
            f1_score,
            support,
        };
        let mut report: Vec<ReportRow> = Vec::new();
        for (class, predicted) in counts.iter().enumerate() {
            let support: u64 = predicted.iter().sum();
            let recall = predicted[class] as f64 / support.max(1) as f64;
            report.push(row(&self.classes[class], Some(recall), recall, support));
        }
        report.push(row("accuracy", None, accuracy, self.rows));
        report.push(row(
            "macro avg",
            Some(accuracy),
            accuracy - 0.001,
            self.rows,
        ));
        report.push(row("weighted avg", Some(accuracy), accuracy, self.rows));
        write_rows(folder, &report).unwrap();
        accuracy
    }
}

/// Writes `plan.json` for these (run, seed) pairs.
pub(super) fn write_plan(results: &Path, experiment: &str, runs: &[(&str, u64)]) {
    let planned = |&(run, seed): &(&str, u64)| PlannedRun {
        run: run.into(),
        seed,
        identity: "5d1f".into(),
        axes: Vec::new(),
        differs: Vec::new(),
    };
    let description = Some("A made-up sweep over <ranks> & seeds.".to_owned());
    let runs = runs.iter().map(planned).collect();
    PlanFile {
        schema: SCHEMA,
        experiment: experiment.into(),
        kind: "lora".into(),
        description,
        compare: None,
        runs,
    }
    .write(results)
    .unwrap();
}

/// Names as a grid makes them.
pub(super) fn grid_names(count: usize) -> Vec<String> {
    let targets = [
        "query+value",
        "query+key+value",
        "query+key+value+attention_output",
        "all",
    ];
    (0..count)
        .map(|i| {
            format!(
                "rank={},targets={},learning_rate={}e-4",
                1 << (i / 8),
                targets[i % 4],
                1 + i % 8 / 4
            )
        })
        .collect()
}

/// Numbers between -1 and 1 that are the same each time.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as f64 / f64::from(1_u32 << 31)) * 2.0 - 1.0
    }
}
