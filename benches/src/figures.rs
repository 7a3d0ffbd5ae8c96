//! Figures on their way from the programs that measure to the one that prints: one line each.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The units of figures.
pub mod unit {
    /// Time of one operation.
    pub const NANOSECONDS: &str = "ns";
    /// Allocations of one operation.
    pub const ALLOCATIONS: &str = "allocations";
    /// The most heap that an operation holds at once.
    pub const PEAK: &str = "peak bytes";
    /// Bytes that an operation writes.
    pub const WRITTEN: &str = "bytes written";
    /// Instructions of an operation.
    pub const INSTRUCTIONS: &str = "instructions";
    /// Memory.
    pub const BYTES: &str = "bytes";
    /// Whatever the operation's name says.
    pub const COUNT: &str = "";
}

/// Area, operation, size, contender and unit.
pub type Key<'k> = [&'k str; 5];

/// Measured numbers by what they are of.
#[derive(Clone, Debug, Default)]
pub struct Figures(BTreeMap<[String; 5], f64>);

impl Figures {
    /// Notes a figure.
    pub fn put(&mut self, key: Key<'_>, value: f64) {
        self.0.insert(key.map(str::to_owned), value);
    }

    /// A figure that must be there.
    ///
    /// # Errors
    /// `NotFound` with the name of what was not measured: a table with a hole is not printed.
    pub fn get(&self, key: Key<'_>) -> io::Result<f64> {
        self.find(key).ok_or_else(|| {
            let message = format!(
                "not measured: {}; measure everything with --run",
                key.join(", ")
            );
            io::Error::new(io::ErrorKind::NotFound, message)
        })
    }

    /// A figure that a contender may not have.
    #[must_use]
    pub fn find(&self, key: Key<'_>) -> Option<f64> {
        self.0.get(&key.map(str::to_owned)).copied()
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Key<'_>, f64)> {
        let each = self.0.iter();
        each.map(|(key, value)| (key.each_ref().map(String::as_str), *value))
    }

    /// Takes the figures of others in.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// The text of a file of figures.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (key, value) in self.iter() {
            let _ = writeln!(text, "{}\t{value}", key.join("\t"));
        }
        text
    }

    /// Writes a file of figures.
    ///
    /// # Errors
    /// Of the file system.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, self.to_text())
    }

    /// Reads a file of figures.
    ///
    /// # Errors
    /// When it is not there, or has a line that is no figure.
    pub fn read(path: &Path) -> io::Result<Self> {
        let about = |what: String| io::Error::other(format!("{}: {what}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| about(error.to_string()))?;
        let mut figures = Self::default();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let words: Vec<_> = line.split('\t').collect();
            let [key @ .., value] = words.as_slice() else {
                continue;
            };
            let key = <Key<'_>>::try_from(key).ok();
            match key.zip(value.parse().ok()) {
                Some((key, value)) => figures.put(key, value),
                None => return Err(about(format!("not a figure: {line}"))),
            }
        }
        Ok(figures)
    }
}

/// Where figures are kept until they are printed.
#[must_use]
pub fn directory() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| root.unwrap_or(Path::new("")).join("target"));
    target.join("benches")
}
