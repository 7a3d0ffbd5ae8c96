//! Everything that must hold before a change lands, in steps that can be run one by one.
//!
//! ```text
//! cargo xtask ci                 the steps, and which of them are quick
//! cargo xtask ci quick           the quick ones: no root, no network after the first build
//! cargo xtask ci full            all of them; installs what it needs where it is root
//! cargo xtask ci format docs     some of them
//! cargo xtask surface            writes the lists of public names and signatures anew
//! ```

mod first_program;
mod packages;
mod readme;
mod shell;
mod signature;
mod steps;
mod surface;
mod tools;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Instant;

use crate::steps::{STEPS, Step};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args.as_slice() {
        ["ci"] => list(),
        ["ci", names @ ..] => chosen(names).and_then(|steps| run(&steps)),
        ["surface"] => surface::write(),
        _ => Err(io::Error::other(
            "usage: cargo xtask ci [quick|full|STEP...], or cargo xtask surface",
        )),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where nobody reads there is nobody to tell.
            let _ = writeln!(io::stderr(), "\n{error}");
            ExitCode::FAILURE
        }
    }
}

fn list() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for step in STEPS {
        let quick = if step.is_quick { "quick" } else { "" };
        writeln!(out, "{:16}{quick:8}{}", step.name, step.what)?;
    }
    Ok(())
}

fn chosen(names: &[&str]) -> io::Result<Vec<&'static Step>> {
    match names {
        ["quick"] => return Ok(STEPS.iter().filter(|step| step.is_quick).collect()),
        ["full"] => return Ok(STEPS.iter().collect()),
        _ => {}
    }
    let step = |name: &&str| {
        let found = STEPS.iter().find(|step| step.name == *name);
        found.ok_or_else(|| {
            let message = format!("no step {name:?}: `cargo xtask ci` lists them");
            io::Error::new(io::ErrorKind::NotFound, message)
        })
    };
    names.iter().map(step).collect()
}

fn run(steps: &[&Step]) -> io::Result<()> {
    let start = Instant::now();
    let say = |what: &str| {
        writeln!(
            io::stdout(),
            "\n== {what} ({} s)",
            start.elapsed().as_secs()
        )
    };
    for step in steps {
        say(&format!("{}: {}", step.name, step.what))?;
        (step.run)().map_err(|error| io::Error::other(format!("{}: {error}", step.name)))?;
    }
    say("done")
}
