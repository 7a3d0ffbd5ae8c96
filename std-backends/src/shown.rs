//! Text of foreign origin, made safe to print.

use core::fmt::{self, Write as _};

/// Shows a value without the characters that could deceive the one who reads it.
///
/// Account names, addresses, paths, table names and a server's messages are chosen by others. Control
/// characters in them move a terminal's cursor, direction marks turn text around, and invisible
/// characters make two names look alike. They are written as `\u{…}`; everything else stays as it is.
///
/// ```
/// use mtsession::Shown;
///
/// assert_eq!(Shown("al\u{1b}[2Jice").to_string(), "al\\u{1b}[2Jice");
/// assert_eq!(Shown("\u{202e}ecila").to_string(), "\\u{202e}ecila");
/// assert_eq!(Shown("Алиса 👋").to_string(), "Алиса 👋");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Shown<T>(pub T);

impl<T: fmt::Display> fmt::Display for Shown<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

/// A server's words without a secret that they may echo, without what could deceive the one who reads them, and not
/// too many of them.
#[cfg(any(
    feature = "libsql-remote",
    feature = "redis",
    feature = "postgres",
    feature = "s3"
))]
pub(crate) fn quoted(text: &str, secret: &str, in_its_place: &str) -> String {
    const MOST: usize = 300;

    let text = if secret.is_empty() {
        text.to_owned()
    } else {
        text.replace(secret, in_its_place)
    };
    let mut quoted: String = text.chars().take(MOST).collect();
    if quoted.len() < text.len() {
        quoted.push('…');
    }
    Shown(quoted).to_string()
}

/// Escapes what is written through it.
struct Escaping<'f, 'a>(&'f mut fmt::Formatter<'a>);

impl fmt::Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(is_deceptive) {
            let (plain, from) = rest.split_at(at);
            self.0.write_str(plain)?;
            let mut characters = from.chars();
            if let Some(character) = characters.next() {
                write!(self.0, "{}", character.escape_unicode())?;
            }
            rest = characters.as_str();
        }
        self.0.write_str(rest)
    }
}

/// Whether a character changes how the text around it is shown, or is not shown itself.
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'                        // soft hyphen
            | '\u{34f}'                     // combining grapheme joiner
            | '\u{61c}'                     // Arabic letter mark
            | '\u{115f}'..='\u{1160}'       // Hangul fillers
            | '\u{17b4}'..='\u{17b5}'       // Khmer vowels without a shape
            | '\u{180b}'..='\u{180f}'       // Mongolian selectors
            | '\u{200b}'..='\u{200f}'       // zero width, left-to-right, right-to-left
            | '\u{2028}'..='\u{202e}'       // line ends, embeddings, overrides
            | '\u{2060}'..='\u{206f}'       // word joiner, isolates, deprecated format characters
            | '\u{3164}' | '\u{ffa0}'       // Hangul fillers
            | '\u{feff}'                    // byte order mark
            | '\u{fff0}'..='\u{fffb}'       // annotations
            | '\u{1d173}'..='\u{1d17a}'     // musical format characters
            | '\u{e0000}'..='\u{e0fff}'     // tags and selectors
        )
}
