//! The one place where the command writes. Names, addresses and messages come from databases, servers
//! and other people: nothing of them reaches a terminal that could move its cursor or turn text around.

use core::fmt::{Display, Write as _};
use std::io::{self, Write};

use mtsession::Shown;
use serde_json::Value;

/// Standard output. Everything but line ends is escaped where it could deceive.
pub(crate) fn stdout() -> Escaping<io::Stdout> {
    Escaping(io::stdout())
}

/// A message on standard error, after the program's name.
pub(crate) fn note(message: impl Display) {
    // Where nobody listens there is nobody to tell.
    let _ = writeln!(Escaping(io::stderr()), "mtsession: {message}");
}

/// Several lines on standard error, as they are.
pub(crate) fn complain(lines: &str) {
    let _ = write!(Escaping(io::stderr()), "{lines}");
}

/// A JSON value on standard output. It loses nothing: deceptive characters are written as JSON's own
/// escapes, which read back as they were.
pub(crate) fn json(value: &Value) -> io::Result<()> {
    writeln!(io::stdout(), "{}", escaped_json(&format!("{value:#}")))
}

/// JSON has characters outside ASCII, and control characters other than line ends, only in strings.
fn escaped_json(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut units = [0; 2];
    for char in text.chars() {
        if char == '\n' || !is_deceptive(char) {
            escaped.push(char);
            continue;
        }
        for unit in char.encode_utf16(&mut units) {
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    }
    escaped
}

fn is_deceptive(char: char) -> bool {
    let is_plain = char.is_ascii() && !char.is_ascii_control();
    !is_plain && Shown(char).to_string().len() != char.len_utf8()
}

/// Escapes what is written through it, line by line.
pub(crate) struct Escaping<W>(W);

impl<W: Write> Write for Escaping<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Formatting writes whole pieces of text.
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.split('\n');
        if let Some(first) = lines.next() {
            write!(self.0, "{}", Shown(first))?;
        }
        for line in lines {
            write!(self.0, "\n{}", Shown(line))?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn json_with_escapes_reads_back_as_it_was() {
        let text = "a\u{1b}[2J\u{202e}gnp.exe\u{9b}31m\r\u{7f}\u{200b}\u{e0041} Алиса 👋 \"\\";
        let value = serde_json::json!({ "name": text, "list": [text] });
        let written = escaped_json(&format!("{value:#}"));
        assert!(
            written
                .chars()
                .all(|char| char == '\n' || !is_deceptive(char))
        );
        assert!(written.contains("Алиса 👋"));
        assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), value);
    }

    #[test]
    fn lines_stay_lines_and_nothing_else_moves_the_cursor() {
        let mut written = Vec::new();
        write!(Escaping(&mut written), "one\r\ntwo\u{1b}[A\nthree\u{202e}").unwrap();
        let written = String::from_utf8(written).unwrap();
        assert_eq!(written, "one\\u{d}\ntwo\\u{1b}[A\nthree\\u{202e}");
    }
}
