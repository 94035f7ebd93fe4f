//! Processor, memory, cards, and CUDA's compiler.

use std::process::{Command, Stdio};

use engine::device::{Device, Places, Toolkit};

use super::super::words;
use super::Finding;

const PROCESSOR: &str = "processor";
const DRIVER: &str = "driver";
const COMPILER: &str = "CUDA compiler";
const CARD: &str = "card";

/// Its model, its threads, and whether it has what makes it fast.
pub(super) fn processor() -> Vec<Finding> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let model = std::fs::read_to_string("/proc/cpuinfo")
        .ok()
        .and_then(|text| named(&text, "model name"));
    let features = features();
    let have: Vec<&str> = features
        .iter()
        .filter(|(_, has)| *has)
        .map(|(name, _)| *name)
        .collect();
    let text = format!(
        "{}, {}{}",
        model.as_deref().unwrap_or(std::env::consts::ARCH),
        words::count(threads, "thread"),
        if have.is_empty() {
            String::new()
        } else {
            format!(", {}", have.join(", "))
        }
    );
    let mut findings = vec![Finding::well(PROCESSOR, text)];
    let lacks = features
        .iter()
        .any(|(name, has)| !has && ["AVX2", "FMA"].contains(name));
    if lacks {
        findings.push(Finding::note(
            PROCESSOR,
            "without AVX2 and FMA, training on it is several times slower",
        ));
    }
    findings
}

/// What the value of a line such as `model name : x` is.
fn named(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    let (_, value) = line.split_once(':')?;
    Some(value.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Units of the processor that the tensor library uses, and whether they are there.
fn features() -> Vec<(&'static str, bool)> {
    #[cfg(target_arch = "x86_64")]
    return vec![
        ("AVX2", std::is_x86_feature_detected!("avx2")),
        ("FMA", std::is_x86_feature_detected!("fma")),
        ("AVX-512", std::is_x86_feature_detected!("avx512f")),
    ];
    #[cfg(target_arch = "aarch64")]
    return vec![("NEON", std::arch::is_aarch64_feature_detected!("neon"))];
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    Vec::new()
}

/// What a run can have.
pub(super) fn memory() -> Finding {
    match Device::Cpu.memory_bytes() {
        Some(bytes) => Finding::well("memory", format!("{} free", words::bytes(bytes))),
        None => Finding::note("memory", "the system does not say how much is free"),
    }
}

/// The cards, with their driver and what compiles kernels for them; each card is tried.
pub(super) fn cards() -> Vec<Finding> {
    let Ok(Device::Cuda(_)) = Device::resolve("auto") else {
        let text = "no NVIDIA driver: runs execute on the processor";
        return vec![Finding::note(CARD, text)];
    };
    let driver = Device::Cuda(0).driver();
    let mut findings = vec![match driver {
        Some(version) => Finding::well(DRIVER, format!("NVIDIA {version}")),
        None => Finding::note(DRIVER, "NVIDIA, version unknown"),
    }];
    findings.push(match Toolkit::find(&Places::of_this_process()) {
        Ok(toolkit) => Finding::well(COMPILER, toolkit.root.display().to_string()),
        Err(error) => {
            findings.push(Finding::trouble(COMPILER, error.to_string()));
            // Without it no card can be tried.
            return findings;
        }
    });
    for index in 0..number_of_cards() {
        findings.push(card(index));
    }
    findings
}

fn card(index: usize) -> Finding {
    let device = Device::Cuda(index);
    match device.tried() {
        Ok(Some(card)) => Finding::well(
            CARD,
            format!(
                "{device}: {}{}, computes in {}; `precision = \"auto\"` means {}",
                card.name,
                device
                    .memory_bytes()
                    .map(|bytes| format!(", {}", words::bytes(bytes)))
                    .unwrap_or_default(),
                card.formats.join(", "),
                card.own_format
            ),
        ),
        Ok(None) => Finding::note(CARD, format!("{device}: not tried")),
        Err(error) => Finding::trouble(CARD, error.to_string()),
    }
}

/// How many the driver's own tool lists; there is no tool in some containers, whose first card is
/// tried all the same.
fn number_of_cards() -> usize {
    let listed = Command::new("nvidia-smi")
        .arg("--list-gpus")
        .stdin(Stdio::null())
        .output();
    let listed = listed.ok().filter(|output| output.status.success());
    let lines = listed.map(|output| String::from_utf8_lossy(&output.stdout).lines().count());
    lines.unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn the_processors_name_is_read_without_its_blanks() {
        let text = "processor\t: 0\nmodel name\t: A  Processor @ 2 GHz\n";
        assert_eq!(
            named(text, "model name").as_deref(),
            Some("A Processor @ 2 GHz")
        );
        assert_eq!(named(text, "flags"), None);
    }
}
