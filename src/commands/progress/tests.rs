//! Tests of the lines that a sweep says.

use super::*;

fn silent() -> Progress {
    let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
    let whole = bars.add(ProgressBar::hidden());
    Progress {
        bars,
        whole,
        began: Instant::now(),
        terminal: false,
        total: 2,
        state: Mutex::default(),
    }
}

fn lines(progress: &Progress, events: Vec<Event>) -> Vec<String> {
    let mut state = State::default();
    events
        .into_iter()
        .filter_map(|event| progress.line(&mut state, event))
        .collect()
}

#[test]
fn plain_lines_tell_a_run_from_start_to_end() {
    let run = || "x/base@1".to_owned();
    let events = vec![
        Event::Started { run: run() },
        Event::Stage {
            run: run(),
            stage: "training".into(),
        },
        Event::Progress {
            run: run(),
            done: 1,
            total: 9,
            unit: "steps".into(),
            loss: Some(0.7),
        },
        Event::Epoch {
            run: run(),
            epoch: 1,
            epochs: 2,
            split: "test".into(),
            train_loss: 0.7,
            validation_loss: 0.6,
            accuracy: 0.75,
        },
        Event::Finished {
            run: run(),
            status: Status::Complete,
            summary: "accuracy 0.7500".into(),
        },
        Event::Finished {
            run: "x/base@2".into(),
            status: Status::Failed,
            summary: "no memory".into(),
        },
    ];
    assert_eq!(
        lines(&silent(), events),
        [
            "[1/2] x/base@1",
            "[1/2] epoch 1/2: training loss 0.7000, test loss 0.6000, accuracy 0.7500",
            "[1/2] complete after 0.0 s: accuracy 0.7500",
            "[2/2] x/base@2: failed: no memory",
        ]
    );
}

#[test]
fn runs_side_by_side_are_named_at_their_end() {
    let started = |run: &str| Event::Started { run: run.into() };
    let finished = |run: &str| Event::Finished {
        run: run.into(),
        status: Status::Complete,
        summary: String::new(),
    };
    let events = ["x/a@1", "x/b@1"].map(started).into_iter();
    let events = events.chain(["x/b@1", "x/a@1"].map(finished));
    assert_eq!(
        lines(&silent(), events.collect()),
        [
            "[1/2] x/a@1",
            "[2/2] x/b@1",
            "[2/2] x/b@1: complete after 0.0 s",
            "[1/2] complete after 0.0 s",
        ]
    );
}

#[test]
fn bar_templates_are_sound() {
    for unit in ["steps", "{rows}"] {
        assert!(ProgressStyle::with_template(&bar_template(unit)).is_ok());
    }
}
