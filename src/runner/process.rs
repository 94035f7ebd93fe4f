//! Launches a job as a child process: this program again, with its hidden subcommand `job`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use engine::device;

use super::wire::{Assignment, INTERRUPTED, STOP};
use super::{Event, JobEnd, Launcher, StopFlag};
use crate::plan::Job;
use crate::record::{LOG_FILE, early_log};

/// How often the wish to stop is looked at while a child is silent.
const TICK: Duration = Duration::from_millis(50);
/// How much of a dead child's log its record quotes.
const QUOTED_LINES: usize = 15;
/// The running program, even if its file is gone.
const THIS_PROGRAM: &str = "/proc/self/exe";
const QUOTED_BYTES: u64 = 16 * 1024;

/// Starts a process per job. The child leads a process group of its own, so that Ctrl-C on the terminal reaches the parent
/// alone, which then asks the child to stop.
#[derive(Debug, Clone)]
pub struct ProcessLauncher {
    program: PathBuf,
    /// Whether it is the program that is running now.
    own: bool,
    arguments: Vec<OsString>,
    device: String,
}

struct Started {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    /// The child's standard error.
    said: File,
}

impl ProcessLauncher {
    /// Runs jobs in children of the program `program arguments…`, which must call [`serve`](super::serve). `device` is `auto`,
    /// `cpu` or `cuda:N`.
    pub fn new<A: Into<OsString>>(
        program: impl Into<PathBuf>,
        arguments: impl IntoIterator<Item = A>,
        device: impl Into<String>,
    ) -> Self {
        let program = program.into();
        Self {
            own: is_this_program(&program),
            program,
            arguments: arguments.into_iter().map(Into::into).collect(),
            device: device.into(),
        }
    }

    /// Where the program is. A sweep may outlive its program's file, which a new build replaces; the one that made the plan
    /// is then still to be had from the system.
    fn program_now(&self) -> &Path {
        if self.own && !is_this_program(&self.program) {
            Path::new(THIS_PROGRAM)
        } else {
            &self.program
        }
    }

    fn start(&self, job: &Job, log: &Path, names_kernels: bool) -> std::io::Result<Started> {
        if let Some(parent) = log.parent() {
            fs::create_dir_all(parent)?;
        }
        let _ = fs::remove_file(log);
        // Both append: the child moves the file under this handle, and either may write.
        let said = File::options().append(true).create(true).open(log)?;
        // The child inherits the lock with the file, so that nobody takes the log for a leftover while either of them lives.
        #[cfg(unix)]
        let _ = said.lock();
        let mut command = Command::new(self.program_now());
        command
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(said.try_clone()?);
        if names_kernels {
            command.envs(device::NAMING);
        }
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (mut input, output) =
            pipes.ok_or_else(|| std::io::Error::other("no pipes to the child"))?;
        let assignment = Assignment {
            job: job.clone(),
            device: self.device.clone(),
            log: Some(log.to_owned()),
        };
        let mut line = serde_json::to_vec(&assignment)?;
        line.push(b'\n');
        // A child that dies at once closes the pipe; how it died says more than that.
        let _ = input.write_all(&line).and_then(|()| input.flush());
        Ok(Started {
            child,
            input,
            output,
            said,
        })
    }
}

impl Launcher for ProcessLauncher {
    fn launch(&self, job: &Job, events: &mut dyn FnMut(Event), stop: &StopFlag) -> JobEnd {
        match self.attempt(job, false, events, stop) {
            // Once more, to say which kernel it is.
            JobEnd::Died(words) if device::lacks_a_name(&words) && !stop.is_raised() => {
                self.attempt(job, true, events, stop)
            }
            end => end,
        }
    }
}

impl ProcessLauncher {
    /// Starts a process for the job and follows it to its end.
    fn attempt(
        &self,
        job: &Job,
        names_kernels: bool,
        events: &mut dyn FnMut(Event),
        stop: &StopFlag,
    ) -> JobEnd {
        let Some(first) = job.runs.first() else {
            return JobEnd::Exited;
        };
        // Beside the folder, which may be another runner's, until the child owns it.
        let log = early_log(&first.work_folder(), std::process::id());
        let Started {
            mut child,
            input,
            output,
            mut said,
        } = match self.start(job, &log, names_kernels) {
            Ok(started) => started,
            Err(error) => {
                let _ = fs::remove_file(&log);
                return JobEnd::Died(format!("cannot start {}: {error}", self.program.display()));
            }
        };
        let killed = follow(&mut child, input, output, &mut said, events, stop);
        let end = match child.wait() {
            Ok(status) if status.success() => JobEnd::Exited,
            Ok(_) if killed => JobEnd::Killed,
            Ok(status) if was_interrupted(status) => JobEnd::Killed,
            Ok(status) => {
                let own = [first.work_folder(), first.folder.clone()];
                let logs = own.map(|folder| folder.join(LOG_FILE));
                let path = std::iter::once(log.clone())
                    .chain(logs)
                    .find(|path| path.exists())
                    .unwrap_or_else(|| log.clone());
                let words = describe(status, &path);
                if lacked_memory(status, &path) {
                    JobEnd::OutOfMemory(words)
                } else {
                    JobEnd::Died(words)
                }
            }
            Err(error) => JobEnd::Died(format!("the job's process is lost: {error}")),
        };
        // Still here if the child never owned the folder.
        let _ = fs::remove_file(&log);
        end
    }
}

/// Whether a path leads to the very file that this process was started from; false where the system cannot tell.
#[cfg(target_os = "linux")]
fn is_this_program(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let file = |path: &Path| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.dev(), metadata.ino()))
    };
    file(path).is_some_and(|found| file(Path::new(THIS_PROGRAM)) == Some(found))
}

#[cfg(not(target_os = "linux"))]
fn is_this_program(_path: &Path) -> bool {
    false
}

/// Passes on the child's events until it closes its output, and the wish to stop to the child. Tells whether the child was
/// killed for it.
fn follow(
    child: &mut Child,
    input: ChildStdin,
    output: ChildStdout,
    said: &mut File,
    events: &mut dyn FnMut(Event),
    stop: &StopFlag,
) -> bool {
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while matches!(output.read_until(b'\n', &mut line), Ok(count) if count > 0) {
            if sender.send(std::mem::take(&mut line)).is_err() {
                break;
            }
        }
    });
    // Dropping the input tells the child to stop, so it lives as long as the child does.
    let mut input = input;
    let mut asked = false;
    let mut killed = false;
    loop {
        match lines.recv_timeout(TICK) {
            Ok(line) => match serde_json::from_slice(&line) {
                Ok(event) => events(event),
                // Some library printed to standard output.
                Err(_) => {
                    let _ = said.write_all(&line);
                }
            },
            Err(RecvTimeoutError::Timeout) => {
                // A grandchild may hold the output open after the child's death.
                if matches!(child.try_wait(), Ok(Some(_))) {
                    while let Ok(line) = lines.recv_timeout(TICK) {
                        if let Ok(event) = serde_json::from_slice(&line) {
                            events(event);
                        }
                    }
                    break;
                }
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if stop.is_raised() && !asked {
            asked = true;
            let _ = writeln!(input, "{STOP}").and_then(|()| input.flush());
        }
        if stop.is_urgent() && !killed {
            killed = true;
            let _ = child.kill();
        }
    }
    killed
}

/// Whether a child ended by a signal that asks a process to end, whether it could still heed it or not.
fn was_interrupted(status: ExitStatus) -> bool {
    const HANG_UP: i32 = 1;
    const INTERRUPT: i32 = 2;
    const TERMINATE: i32 = 15;
    status.code() == Some(INTERRUPTED)
        || matches!(signal(status), Some(HANG_UP | INTERRUPT | TERMINATE))
}

/// Whether a child ended for lack of memory: it says so by its exit code, the allocator aborts it with words of its own, or the system kills it.
/// The system does not tell why it kills; others who send that signal cost a run at most its halvings.
fn lacked_memory(status: ExitStatus, log: &Path) -> bool {
    const ABORT: i32 = 6;
    const KILL: i32 = 9;
    match signal(status) {
        Some(KILL) => true,
        Some(ABORT) => device::says_out_of_memory(&last_words(log).unwrap_or_default()),
        _ => status.code() == Some(i32::from(device::OUT_OF_MEMORY)),
    }
}

/// How a child died, and its last words. The first line stands alone where there is room for one line only.
fn describe(status: ExitStatus, log: &Path) -> String {
    let said = last_words(log).unwrap_or_default();
    if status.code() == Some(i32::from(device::OUT_OF_MEMORY)) {
        return "the job's process ran out of memory".to_owned();
    }
    if status.code() == Some(i32::from(device::DEVICE_FAILURE))
        && let Some((_, failure)) = said.rsplit_once(device::CARD_FAILED)
    {
        let failure = failure.lines().next().unwrap_or_default();
        let words = format!("{}{}", device::CARD_FAILED, failure.trim());
        return device::named(&words, &said);
    }
    if let Some(panic) = panic_message(&said) {
        return format!("the job's process panicked at {panic}");
    }
    let mut text = match signal(status) {
        Some(9) => {
            "the job's process was killed by the system, perhaps because memory ran out".to_owned()
        }
        Some(6) if device::says_out_of_memory(&said) => {
            return "the job's process ran out of memory".to_owned();
        }
        Some(11) => "the job's process died of a segmentation fault (signal 11)".to_owned(),
        Some(signal) => format!("the job's process died of signal {signal}"),
        None => format!("the job's process ended early with {status}"),
    };
    let lines: Vec<_> = said
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let lines = &lines[lines.len().saturating_sub(QUOTED_LINES)..];
    if let Some(last) = lines.last() {
        text.push_str("; it said last: ");
        text.push_str(last.trim());
    }
    if lines.len() > 1 {
        text.push('\n');
        text.push_str(&lines.join("\n"));
    }
    text
}

fn last_words(log: &Path) -> std::io::Result<String> {
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(QUOTED_BYTES)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Place and message of the last panic in a log, without its backtrace.
fn panic_message(log: &str) -> Option<String> {
    let (_, after) = log.rsplit_once("panicked at ")?;
    let lines = after
        .lines()
        .take_while(|line| !(line.starts_with("stack backtrace:") || line.starts_with("note: ")));
    let lines: Vec<_> = lines.take(QUOTED_LINES).collect();
    Some(lines.join(" ").trim().to_owned())
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal(_status: ExitStatus) -> Option<i32> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_by_place_and_message_alone() {
        let log = "loading\n\nthread 'main' (12) panicked at src/x.rs:1:2:\nout of\nmemory\nstack backtrace:\n   0: main\n";
        assert_eq!(
            panic_message(log).as_deref(),
            Some("src/x.rs:1:2: out of memory")
        );
        let log = "thread 'main' panicked at src/x.rs:1:2:\nno\nnote: run with `RUST_BACKTRACE=1`";
        assert_eq!(panic_message(log).as_deref(), Some("src/x.rs:1:2: no"));
        assert_eq!(panic_message("all quiet"), None);
    }

    #[cfg(unix)]
    #[test]
    fn last_words_are_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("run.log");
        std::fs::write(&log, "first\n\nerror: no such driver\n").unwrap();
        let status: ExitStatus = std::os::unix::process::ExitStatusExt::from_raw(256);
        assert_eq!(
            describe(status, &log),
            "the job's process ended early with exit status: 1; it said last: error: no such driver\nfirst\nerror: no such driver"
        );
        assert!(describe(status, &folder.path().join("none")).ends_with("exit status: 1"));
    }
}
