//! The first program of a firmware's author: the commands of the flash log's README, in an empty folder.

use std::fs;
use std::io;
use std::process::Command;

use crate::shell::{root, run};

/// The commands of the section "First program, in fifteen minutes".
fn commands(readme: &str) -> &str {
    let section = readme
        .split("\n## First program")
        .nth(1)
        .unwrap_or_default();
    let block = section.split("\n```sh\n").nth(1).unwrap_or_default();
    block.split("\n```").next().unwrap_or_default()
}

pub(crate) fn run_them() -> io::Result<()> {
    let readme = fs::read_to_string(root().join("embedded/README.md"))?;
    let commands = commands(&readme);
    if commands.lines().count() < 5 {
        let message = "embedded/README.md has no commands under \"First program\"";
        return Err(io::Error::other(message));
    }
    // A workspace around it would take the new package for one of its own.
    let folder = std::env::temp_dir().join(format!("mtsession-first-{}", std::process::id()));
    let folder_again = folder.clone();
    fs::create_dir_all(&folder)?;
    let done = link(&folder.join("mtsession")).and_then(|()| {
        let mut shell = Command::new("sh");
        shell.args(["-exc", commands]).current_dir(folder);
        shell.env("CARGO_TARGET_DIR", root().join("target/first-program"));
        run(&mut shell)
    });
    let removed = fs::remove_dir_all(folder_again);
    done.and(removed)
}

#[cfg(unix)]
fn link(to: &std::path::Path) -> io::Result<()> {
    std::os::unix::fs::symlink(root(), to)
}

#[cfg(not(unix))]
fn link(_to: &std::path::Path) -> io::Result<()> {
    Err(io::Error::other("the commands are those of a Unix shell"))
}
