//! The commands that a newcomer types are taken from the README.

use std::fs;
use std::io::{self, Write as _};

use crate::shell::{root, sh};

/// The commands of the section "Try it".
fn commands(readme: &str) -> Vec<&str> {
    let section = readme.split("\n## Try it\n").nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    let blocks = section.split("\n```sh\n").skip(1);
    let blocks = blocks.filter_map(|block| block.split("\n```").next());
    blocks.flat_map(str::lines).collect()
}

pub(crate) fn run() -> io::Result<()> {
    let readme = fs::read_to_string(root().join("README.md"))?;
    let commands = commands(&readme);
    if commands.len() != 2 {
        let count = commands.len();
        return Err(io::Error::other(format!(
            "the README has {count} commands under \"Try it\", not 2"
        )));
    }
    for command in commands {
        writeln!(io::stdout(), "\n$ {command}")?;
        sh(command)?;
    }
    Ok(())
}
