//! Writes `RESULTS.md` and the charts.
//!
//! ```text
//! results            from what was measured last
//! results --run      measures everything first, some ten minutes
//! results --flash    measures the flash log only, and prints its table
//! ```

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use mtsession_benches::figures::{Figures, directory};
use mtsession_benches::report::{charts, flash_table, forget, markdown, measured};
use mtsession_benches::{cargo, flash, must_be_release, program, stores};

fn main() -> ExitCode {
    program(work)
}

fn work(args: &[&str]) -> io::Result<()> {
    must_be_release()?;
    match args {
        [] => {}
        ["--run"] => run()?,
        ["--flash"] => {
            measure_flash()?;
            let figures = Figures::read(&flash_file())?;
            print!("{}", flash_table(&figures)?);
            return Ok(());
        }
        _ => return Err(io::Error::other("nothing, --run or --flash")),
    }
    let figures = measured()?;
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = markdown(&figures)?;
    for (name, svg) in charts(&figures)? {
        std::fs::write(here.join(name), svg)?;
    }
    std::fs::write(here.join("RESULTS.md"), text)?;
    eprintln!("benches/RESULTS.md and the charts are written");
    Ok(())
}

fn flash_file() -> PathBuf {
    directory().join("flash.tsv")
}

fn measure_flash() -> io::Result<()> {
    let figures = flash::measure(|chip| eprintln!("  {chip}"));
    figures.save(&flash_file())
}

/// Measures everything, one after the other: nothing else should run on the machine.
fn run() -> io::Result<()> {
    let start = Instant::now();
    forget()?;
    let steps: [(&str, &[&str]); 7] = [
        ("building", &["bench", "--no-run"]),
        ("codec", &["bench", "--bench", "codec"]),
        ("allocations", &["run", "--release", "--bin", "allocations"]),
        ("backends", &["bench", "--bench", "backends"]),
        ("names", &["run", "--release", "--bin", "names"]),
        (
            "accounts and look-ups",
            &["run", "--release", "--bin", "shared"],
        ),
        (
            "instructions",
            &["run", "--release", "--bin", "instructions", "--", "measure"],
        ),
    ];
    let say = |what: &str| eprintln!("== {what} ({} s)", start.elapsed().as_secs());
    say("building the old crate with its databases");
    stores::build_peers()?;
    for (what, args) in steps {
        say(what);
        let (first, rest) = args.split_first().unwrap_or((&"", &[]));
        let status = cargo()
            .args([first, "--quiet", "--package", "mtsession-benches"])
            .args(rest)
            .status()?;
        if !status.success() {
            let message = format!("{what}: cargo {} failed, see above", args.join(" "));
            return Err(io::Error::other(message));
        }
    }
    say("flash");
    measure_flash()?;
    say("done");
    Ok(())
}
