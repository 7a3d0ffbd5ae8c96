//! What criterion measured.

use std::path::Path;
use std::{fs, io};

use serde_json::Value;

use crate::figures::{Figures, unit};

/// Reads the medians of all that was measured below a directory.
///
/// # Errors
/// When a file cannot be read, or is not what criterion writes.
pub fn read(directory: &Path) -> io::Result<Figures> {
    let mut figures = Figures::default();
    visit(directory, &mut figures)?;
    Ok(figures)
}

fn visit(directory: &Path, figures: &mut Figures) -> io::Result<()> {
    let about = |error: io::Error| io::Error::other(format!("{}: {error}", directory.display()));
    for entry in fs::read_dir(directory).map_err(about)? {
        let path = entry?.path();
        if path.is_dir() && path.ends_with("new") {
            one(&path, figures)?;
        } else if path.is_dir() {
            visit(&path, figures)?;
        }
    }
    Ok(())
}

fn one(directory: &Path, figures: &mut Figures) -> io::Result<()> {
    let json = |file: &str| -> io::Result<Value> {
        Ok(serde_json::from_slice(&fs::read(directory.join(file))?)?)
    };
    let (benchmark, estimates) = (json("benchmark.json")?, json("estimates.json")?);
    let group = benchmark["group_id"].as_str().unwrap_or_default();
    let contender = benchmark["function_id"].as_str().unwrap_or_default();
    let median = estimates["median"]["point_estimate"].as_f64();
    let parts: Vec<_> = group.split('/').collect();
    let ([area, operation, size], Some(median)) = (parts.as_slice(), median) else {
        let message = format!("{}: not one of our benchmarks", directory.display());
        return Err(io::Error::other(message));
    };
    figures.put(
        [area, operation, size, contender, unit::NANOSECONDS],
        median,
    );
    Ok(())
}
