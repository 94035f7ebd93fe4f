//! How much memory a device has, how much a process has taken, and how running out of it is
//! recognised.

use std::process::{Command, Stdio};

use super::Device;

/// The exit code of a process that leaves since memory ran out.
pub const OUT_OF_MEMORY: u8 = 12;

impl Device {
    /// The memory that there is for a run: what the system can give on the processor, all of a
    /// card's. `None` where that is unknown.
    #[must_use]
    pub fn memory_bytes(self) -> Option<u64> {
        match self {
            Self::Cpu => {
                let text = std::fs::read_to_string("/proc/meminfo").ok()?;
                kibibytes(&text, "MemAvailable:")
            }
            Self::Cuda(index) => {
                let output = Command::new("nvidia-smi")
                    .args(["--query-gpu=memory.total", "--format=csv,noheader,nounits"])
                    .args(["--id", &index.to_string()])
                    .stdin(Stdio::null())
                    .output()
                    .ok()?;
                let mebibytes: u64 = String::from_utf8(output.stdout).ok()?.trim().parse().ok()?;
                Some(mebibytes << 20)
            }
        }
    }
}

/// Whether a message is about memory that ran out.
#[must_use]
pub fn says_out_of_memory(message: &str) -> bool {
    // cubecl's `IoError::BufferTooBig`, alone or inside another error; the driver's own word;
    // Rust's allocator.
    message.contains("can't allocate buffer of size")
        || message.contains("CUDA_ERROR_OUT_OF_MEMORY")
        || message.lines().any(|line| {
            line.starts_with("memory allocation of ") && line.ends_with(" bytes failed")
        })
}

/// The most memory this process has held, in bytes, where the system counts it.
#[must_use]
pub fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    kibibytes(&status, "VmHWM:")
}

/// The bytes on a line such as `VmHWM:   1234 kB`.
fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use std::panic;

    use cubecl::backtrace::BackTrace;
    use cubecl::server::{IoError, ServerError};

    use super::*;

    #[test]
    fn out_of_memory_is_told_from_other_panics_by_the_libraries_own_words() {
        let error = || IoError::BufferTooBig {
            size: 1 << 40,
            backtrace: BackTrace::capture(),
        };
        // cubecl's own `unwrap`, on an error that is one.
        #[allow(clippy::unnecessary_literal_unwrap)]
        let panic = panic::catch_unwind(|| Err::<(), _>(error()).unwrap()).unwrap_err();
        let message = panic.downcast_ref::<String>().unwrap();
        assert!(message.contains("1099511627776"), "{message}");
        assert!(says_out_of_memory(message), "{message}");
        // As the cause of another error, which is what the calling thread may see.
        let wrapped = ServerError::ServerUnhealthy {
            errors: vec![ServerError::Io(error())],
            backtrace: BackTrace::capture(),
        };
        assert!(says_out_of_memory(&format!("{wrapped}")), "{wrapped}");
        assert!(says_out_of_memory(&format!("{wrapped:?}")), "{wrapped:?}");
        let driver = "DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")";
        assert!(says_out_of_memory(driver));
        assert!(says_out_of_memory(
            "noise\nmemory allocation of 4096 bytes failed\n"
        ));
        for other in [
            "there is no memory of that",
            "index out of bounds: the len is 3 but the index is 7",
            "memory allocation of the hub failed",
        ] {
            assert!(!says_out_of_memory(other), "{other}");
        }
        let other = IoError::UnsupportedIoOperation {
            backtrace: BackTrace::capture(),
        };
        assert!(!says_out_of_memory(&other.to_string()));
    }

    #[test]
    fn peak_memory_counts_what_was_held() {
        let Some(before) = peak_memory_bytes() else {
            return;
        };
        let held = vec![1_u8; 64 << 20];
        assert!(held.iter().all(|&byte| byte == 1));
        let after = peak_memory_bytes().unwrap();
        assert!(after >= before && after >= 64 << 20);
    }
}
