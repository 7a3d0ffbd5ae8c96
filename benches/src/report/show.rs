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
        0.0 => "0".to_owned(),
        v if v.abs() >= 100.0 => grouped(v.round() as i64),
        v if v.abs() >= 10.0 => format!("{v:.1}"),
        v if v.abs() >= 0.1 => format!("{v:.2}"),
        v => format!("{v:.4}"),
    }
}

/// A count: no digits after the point where there are none.
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

/// A time with its unit.
pub(super) fn time(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
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
        v if v < 10_000.0 => format!("{} B", grouped(v.round() as i64)),
        v if v < 1e6 => format!("{} kB", number(v / 1e3)),
        v => format!("{} MB", number(v / 1e6)),
    }
}

/// How many times as fast as another.
pub(super) fn times(other: f64, ours: f64) -> String {
    format!("{} ×", number(other / ours))
}

/// There is nothing to say.
pub(super) const NONE: &str = "–";

#[cfg(test)]
mod tests {
    use super::{bytes, count, number, time, times};

    #[test]
    fn numbers_are_short() {
        let shown = [0.0, 0.034_56, 0.512, 1.239, 12.34, 123.4, 1_234_567.0].map(number);
        assert_eq!(
            shown,
            ["0", "0.0346", "0.51", "1.24", "12.3", "123", "1,234,567"]
        );
        assert_eq!(
            [-1_234.0, 7.0, 1_000.0].map(count),
            ["-1,234", "7", "1,000"]
        );
        assert_eq!(
            [12.0, 1_500.0, 2.5e9].map(time),
            ["12.0 ns", "1.50 µs", "2.50 s"]
        );
        assert_eq!(
            [17.0, 23_700.0, 1.25e6].map(bytes),
            ["17 B", "23.7 kB", "1.25 MB"]
        );
        assert_eq!(times(30.0, 10.0), "3.00 ×");
    }
}
