//! Commands in the root of the repository, shown where they fail.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// What tests do at most, where the caller does not say: a run that ends within the hour.
const DEFAULTS: [(&str, &str); 4] = [
    ("CARGO_TERM_COLOR", "never"),
    ("PROPTEST_CASES", "128"),
    ("CRASH_ROUNDS", "200"),
    ("CONTENTION_SECONDS", "10"),
];

/// Where the step `tools` puts programs.
pub(crate) fn tools() -> PathBuf {
    root().join("target/tools")
}

/// A command in the root of the repository, which finds our tools first.
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(tools().join("bin")).chain(std::env::split_paths(&path));
    if let Ok(path) = std::env::join_paths(folders) {
        command.env("PATH", path);
    }
    for (name, value) in DEFAULTS {
        if std::env::var_os(name).is_none() {
            command.env(name, value);
        }
    }
    command
}

/// Runs a command; everything but success is an error that says which it was.
pub(crate) fn run(command: &mut Command) -> io::Result<()> {
    let status = command.status().map_err(|error| failed(command, &error))?;
    succeeded(command, status)
}

pub(crate) fn succeeded(command: &Command, status: ExitStatus) -> io::Result<()> {
    if status.success() {
        return Ok(());
    }
    Err(failed(command, &status))
}

fn failed(command: &Command, why: &dyn core::fmt::Display) -> io::Error {
    let mut words = vec![command.get_program().to_string_lossy()];
    words.extend(command.get_args().map(|word| word.to_string_lossy()));
    io::Error::other(format!("{}\n{why}, see above", words.join(" ")))
}

/// Runs a line of words that contain no spaces themselves.
pub(crate) fn sh(line: &str) -> io::Result<()> {
    run(&mut words(line))
}

/// The command that a line of words is. Words before it that set a variable set it for the command.
pub(crate) fn words(line: &str) -> Command {
    let mut words = line.split_whitespace().peekable();
    let mut variables = Vec::new();
    while let Some((name, value)) = words.peek().and_then(|word| word.split_once('='))
        && !name.starts_with('-')
    {
        variables.push((name, value));
        words.next();
    }
    let mut command = command(words.next().unwrap_or_default());
    command.envs(variables).args(words);
    command
}
