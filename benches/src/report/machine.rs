//! What was measured on, and with.

use std::fs;
use std::process::Command;

/// Name and value, for the head of the results.
#[must_use]
pub fn machine() -> Vec<(&'static str, String)> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let processor = line_of("/proc/cpuinfo", "model name");
    let memory: u64 = line_of("/proc/meminfo", "MemTotal")
        .trim_end_matches(" kB")
        .parse()
        .unwrap_or(0);
    let has_changes = !output("git", &["status", "--porcelain", "--untracked-files=no"]).is_empty();
    let commit = output("git", &["describe", "--always", "--abbrev=12"]);
    vec![
        ("date", output("date", &["-u", "+%Y-%m-%d %H:%M UTC"])),
        (
            "processor",
            format!("{processor}, {cores} cores, {} GiB", memory >> 20),
        ),
        ("system", output("uname", &["-srm"])),
        ("compiler", output("rustc", &["--version"])),
        (
            "build",
            "release: optimisation level 3, thin LTO, one codegen unit".to_owned(),
        ),
        (
            "commit",
            commit + if has_changes { " with changes" } else { "" },
        ),
    ]
}

fn line_of(file: &str, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name));
    let value = line.and_then(|line| line.split_once(':'));
    value.map_or_else(|| "?".to_owned(), |(_, value)| value.trim().to_owned())
}

fn output(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_default()
}
