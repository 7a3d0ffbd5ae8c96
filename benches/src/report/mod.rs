//! Turns figures into tables and charts. No number here is typed by hand, and none is left out: what was
//! not measured is an error.

mod charts;
mod criterion;
mod machine;
mod show;
mod svg;
mod tables;
mod targets;
mod text;

use std::{fs, io};

use crate::figures::{Figures, directory};

pub use charts::charts;
pub use show::Table;
pub use svg::{Bar, Group, bars};
pub use tables::flash_table;
pub use targets::{Bound, Judged, Target, targets};
pub use text::markdown;

/// The session in fixed memory that a device has.
pub const FIXED_SESSION: &str = "FixedSession<6, 32, 64, 16, 32>";

/// Everything that was measured last.
///
/// # Errors
/// When something was not.
pub fn measured() -> io::Result<Figures> {
    let dir = directory();
    let mut figures = criterion::read(&dir.join("criterion"))?;
    for file in [
        "allocations",
        "backends",
        "flash",
        "instructions",
        "names",
        "shared",
    ] {
        let read = Figures::read(&dir.join(file).with_extension("tsv"));
        figures.extend(read.map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("{error}: measure everything with --run"),
            )
        })?);
    }
    Ok(figures)
}

/// Forgets what was measured before, so that one table comes from one run.
///
/// # Errors
/// Of the file system.
pub fn forget() -> io::Result<()> {
    let dir = directory();
    let criterion = dir.join("criterion");
    if criterion.exists() {
        fs::remove_dir_all(criterion)?;
    }
    for file in [
        "allocations",
        "backends",
        "flash",
        "instructions",
        "firmware",
        "names",
        "shared",
    ] {
        let path = dir.join(file).with_extension("tsv");
        if path.exists() {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
