//! Measures many accounts of one database in one process.

use std::io;
use std::path::Path;
use std::process::{Command, ExitCode};

use mtsession_benches::figures::{Figures, directory};
use mtsession_benches::{must_be_release, program, shared};

fn main() -> ExitCode {
    program(|args| {
        must_be_release()?;
        match args {
            [] => all(),
            ["fill", number, path] => {
                let number = number.parse().map_err(io::Error::other)?;
                shared::fill(number, Path::new(path))
            }
            [part] => one(part),
            _ => Err(io::Error::other("which part?")),
        }
    })
}

/// Every part in a process of its own.
fn all() -> io::Result<()> {
    let mut figures = Figures::default();
    for (part, _) in shared::PARTS {
        let done = Command::new(std::env::current_exe()?).arg(part).status()?;
        if !done.success() {
            return Err(io::Error::other(format!("{part} failed")));
        }
        figures.extend(Figures::read(&file_of(part))?);
    }
    print!("{}", figures.to_text());
    figures.save(&directory().join("shared.tsv"))
}

fn one(part: &str) -> io::Result<()> {
    let shm = Path::new("/dev/shm");
    let memory = if shm.is_dir() {
        tempfile::tempdir_in(shm)?
    } else {
        tempfile::tempdir()?
    };
    std::fs::create_dir_all(directory())?;
    let disk = tempfile::tempdir_in(directory())?;
    shared::measure(part, memory.path(), disk.path())?.save(&file_of(part))
}

fn file_of(part: &str) -> std::path::PathBuf {
    directory().join(format!("shared-{part}.tsv"))
}
