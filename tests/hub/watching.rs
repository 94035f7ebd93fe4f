//! Listeners for downloads.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use ensayo::hub::{Event, Observer};

type Act = Box<dyn Fn() + Send + Sync>;

/// Keeps what was said, and does something at the first progress.
#[derive(Default)]
pub struct Watch {
    pub said: Mutex<Vec<String>>,
    pub waits: Mutex<Vec<(f64, bool)>>,
    at_progress: Option<(&'static str, Act)>,
    done: AtomicBool,
    pub stop: AtomicBool,
}

impl Watch {
    /// Does something at the first bytes of a file.
    pub fn acting(file: &'static str, act: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            at_progress: Some((file, Box::new(act))),
            ..Self::default()
        }
    }
}

impl Observer for Watch {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Progress { file, .. } => {
                if let Some((name, act)) = &self.at_progress
                    && name == file
                    && !self.done.swap(true, Ordering::SeqCst)
                {
                    act();
                }
            }
            Event::Waiting { seconds, told, .. } => {
                self.waits.lock().unwrap().push((*seconds, *told));
            }
            event => self.said.lock().unwrap().push(format!("{event:?}")),
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}
