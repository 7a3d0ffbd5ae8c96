//! Numbers as people read them.

use core::fmt;

/// A Markdown table.
#[derive(Clone, Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with a head.
    #[must_use]
    pub fn new(head: &[&str]) -> Self {
        let head: Vec<_> = head.iter().map(ToString::to_string).collect();
        Self { rows: vec![head] }
    }

    /// Adds a line.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, row) in self.rows.iter().enumerate() {
            writeln!(f, "| {} |", row.join(" | "))?;
            if n == 0 {
                writeln!(f, "|{}", "---|".repeat(row.len()))?;
            }
        }
        Ok(())
    }
}

/// Three digits, and no more zeros than needed.
pub(super) fn number(value: f64) -> String {
    match value {
        v if v == 0.0 => "0".to_owned(),
        v if v.abs() >= 100.0 => grouped(v.round() as i64),
        v if v.abs() >= 10.0 => format!("{v:.1}"),
        v if v.abs() >= 0.1 => format!("{v:.2}"),
        v => format!("{v:.4}"),
    }
}

/// A count: no digits behind the point where there are none.
pub(super) fn count(value: f64) -> String {
    if value.fract() == 0.0 {
        grouped(value as i64)
    } else {
        number(value)
    }
}

fn grouped(value: i64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && digit != '-' && (digits.len() - n).is_multiple_of(3) && !out.ends_with('-') {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A time with its unit; infinity is what never ended well.
pub(super) fn time(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        n if n.is_infinite() => return FAILS.to_owned(),
        n if n < 1e3 => (n, "ns"),
        n if n < 1e6 => (n / 1e3, "µs"),
        n if n < 1e9 => (n / 1e6, "ms"),
        n => (n / 1e9, "s"),
    };
    format!("{} {unit}", number(value))
}

/// Bytes with their unit.
pub(super) fn bytes(value: f64) -> String {
    match value {
        v if v.is_infinite() => NONE.to_owned(),
        v if v < 10_000.0 => format!("{} B", grouped(v.round() as i64)),
        v if v < 1e6 => format!("{} kB", number(v / 1e3)),
        v => format!("{} MB", number(v / 1e6)),
    }
}

/// How many times as fast as another.
pub(super) fn times(other: f64, ours: f64) -> String {
    if other.is_finite() && ours.is_finite() {
        format!("{} ×", number(other / ours))
    } else {
        NONE.to_owned()
    }
}

/// There is nothing to say.
pub(super) const NONE: &str = "–";
/// It could not be done.
pub(super) const FAILS: &str = "fails";
