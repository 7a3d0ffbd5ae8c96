//! Measures how the names of many peers get into databases.

use std::process::ExitCode;

use mtsession_benches::figures::directory;
use mtsession_benches::{must_be_release, names, program};

fn main() -> ExitCode {
    program(|_| {
        must_be_release()?;
        let figures = names::measure()?;
        print!("{}", figures.to_text());
        figures.save(&directory().join("names.tsv"))
    })
}
