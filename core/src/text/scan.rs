//! Text of any origin as the characters of session strings and what stands between them.
//!
//! People keep a session string in `.env` files, in code, in chats and in files of shells that write
//! UTF-16. [`Scan`] undoes what such places do to single characters; which of the words in it is the
//! session is found in [`foreign`](crate::clients).

use core::str::Chars;

use super::base64::{is_base64, to_url_safe};

/// A character of a text, as far as session strings are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A base64 character, in the URL-safe alphabet.
    Char(u8),
    /// An equals sign: padding, or an assignment.
    Equals,
    /// White space, quotes and marks that may stand inside a string that was wrapped or put together.
    Joint,
    /// The end of a line, which may do so as well.
    Line,
    /// Anything else: a string ends here.
    Break,
    /// Anything else that nobody writes right after a string unless it was damaged.
    Stray,
}

/// Reads a text as [`Token`]s; copies go on from where the original is.
#[derive(Clone, Debug)]
pub(crate) struct Scan<'t> {
    rest: Chars<'t>,
    /// A NUL is a part of every UTF-16 character, not the end of a string.
    is_utf16: bool,
    /// A quote was the last thing that was not white space.
    after_quote: bool,
    /// Nothing but white space was on this line yet.
    at_line_start: bool,
}

impl<'t> Scan<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let text = text.trim_end_matches('\0');
        let nuls = text.bytes().filter(|byte| *byte == 0).count();
        Self {
            rest: text.chars(),
            is_utf16: nuls.saturating_mul(3) >= text.len(),
            after_quote: false,
            at_line_start: true,
        }
    }

    /// The position in characters of what was read last.
    pub(crate) fn position(&self, text: &str) -> usize {
        let read = text.len().saturating_sub(self.rest.as_str().len());
        let read = text.get(..read).unwrap_or_default();
        read.chars().count().saturating_sub(1)
    }

    /// What a character stands for, after the escapes that it may begin.
    fn token(&mut self, first: char) -> Option<Token> {
        let mut char = first;
        // Escapes can be nested: a URL in JSON, HTML in a URL. Each turn takes characters away.
        loop {
            if let Ok(byte) = u8::try_from(char)
                && is_base64(byte)
            {
                return Some(self.base64(byte));
            }
            let escaped = match char {
                '\\' => self.backslash(),
                '%' => self.hex(2).map(Escaped::Char),
                '&' => self.entity(),
                _ => return self.plain(char),
            };
            match escaped {
                Some(Escaped::Char(next)) => char = next,
                Some(Escaped::Token(token)) => return Some(token),
                None => return Some(Token::Break),
            }
        }
    }

    /// A base64 character, unless it is the `+` between two quoted pieces.
    fn base64(&self, byte: u8) -> Token {
        if byte == b'+' && self.is_between_quotes() {
            Token::Joint
        } else {
            Token::Char(to_url_safe(byte))
        }
    }

    fn is_between_quotes(&self) -> bool {
        self.after_quote && self.rest.as_str().trim_start().starts_with(is_quote)
    }

    /// A character that begins no escape; `None` for those that nobody sees.
    fn plain(&mut self, char: char) -> Option<Token> {
        Some(match char {
            '=' => {
                // As quoted-printable writes it.
                let _ = self.skip("3D");
                Token::Equals
            }
            '\0' if self.is_utf16 => return None,
            '\0' | '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                Token::Line
            }
            _ if is_invisible(char) => return None,
            _ if char.is_whitespace() || is_quote(char) => Token::Joint,
            // A list; marks of a chat or of Markdown; quoted mail and tables.
            ',' | '*' | '~' | '>' | '|' => Token::Joint,
            // A comment that every line of a wrapped string is in.
            '#' if self.at_line_start => Token::Joint,
            // PHP's and Lua's way to put strings together.
            '.' if self.is_between_quotes() || self.after_quote && self.skip(".") => Token::Joint,
            '<' if self.tag() => Token::Joint,
            '!' | '$' | '@' | '^' => Token::Stray,
            _ => Token::Break,
        })
    }

    /// What follows a backslash: the end of a line that goes on, or a character with another meaning.
    fn backslash(&mut self) -> Option<Escaped> {
        let mut ahead = self.rest.clone();
        let escaped = match ahead.next()? {
            '\r' | '\n' | ' ' | '\t' => Escaped::Token(Token::Joint),
            'n' | 'r' | 't' | '0' => Escaped::Token(Token::Line),
            'u' => {
                self.rest = ahead;
                return self.hex(4).map(Escaped::Char);
            }
            'x' => {
                self.rest = ahead;
                return self.hex(2).map(Escaped::Char);
            }
            letter if letter.is_alphanumeric() => return None,
            other => Escaped::Char(other),
        };
        self.rest = ahead;
        Some(escaped)
    }

    /// The character with this hexadecimal number of so many digits.
    fn hex(&mut self, digits: usize) -> Option<char> {
        let (number, rest) = self.rest.as_str().split_at_checked(digits)?;
        let char = char::from_u32(parse(number, 16)?)?;
        self.rest = rest.chars();
        Some(char)
    }

    /// What follows an ampersand, if it is a character of HTML.
    fn entity(&mut self) -> Option<Escaped> {
        const LONGEST: usize = 10;

        let text = self.rest.as_str();
        let end = text.bytes().take(LONGEST).position(|byte| byte == b';')?;
        let (name, rest) = text.split_at_checked(end)?;
        let char = match name.strip_prefix('#') {
            Some(number) => match number.strip_prefix(['x', 'X']) {
                Some(digits) => char::from_u32(parse(digits, 16)?)?,
                None => char::from_u32(parse(number, 10)?)?,
            },
            None => match name {
                "amp" => '&',
                "equals" => '=',
                "plus" => '+',
                "sol" => '/',
                "lowbar" => '_',
                "hyphen" | "dash" => '-',
                "quot" | "apos" | "nbsp" | "gt" => ' ',
                "shy" | "zwj" | "zwnj" | "lrm" | "rlm" => '\u{AD}',
                _ => return None,
            },
        };
        self.rest = rest.chars();
        self.rest.next();
        Some(Escaped::Char(char))
    }

    /// Goes past a tag of HTML.
    fn tag(&mut self) -> bool {
        const LONGEST: usize = 64;

        let text = self.rest.as_str();
        let is_tag = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/');
        let end = text.bytes().take(LONGEST).position(|byte| byte == b'>');
        let inside = end.and_then(|end| text.get(..end));
        let Some(inside) = inside.filter(|_| is_tag) else {
            return false;
        };
        self.skip(inside) && self.skip(">")
    }

    fn skip(&mut self, text: &str) -> bool {
        let rest = self.rest.as_str().strip_prefix(text);
        if let Some(rest) = rest {
            self.rest = rest.chars();
        }
        rest.is_some()
    }
}

impl Iterator for Scan<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            let first = self.rest.next()?;
            let Some(token) = self.token(first) else {
                continue;
            };
            match token {
                Token::Line => self.at_line_start = true,
                Token::Joint if is_quote(first) => self.after_quote = true,
                Token::Joint => {}
                Token::Char(_) | Token::Equals | Token::Break | Token::Stray => {
                    self.after_quote = false;
                    self.at_line_start = false;
                }
            }
            return Some(token);
        }
    }
}

/// What an escape stands for.
enum Escaped {
    /// A character, which may begin another escape.
    Char(char),
    Token(Token),
}

/// Reads a number; `None` where it is none, or larger than any character's.
fn parse(digits: &str, radix: u32) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.chars().try_fold(0_u32, |number, digit| {
        let digit = digit.to_digit(radix)?;
        number.checked_mul(radix)?.checked_add(digit)
    })
}

/// Quotes, also those that a chat made round.
fn is_quote(char: char) -> bool {
    matches!(
        char,
        '"' | '\'' | '`' | '\u{2018}'..='\u{201F}' | '\u{AB}' | '\u{BB}' | '\u{2039}' | '\u{203A}'
            | '\u{300C}'..='\u{300F}' | '\u{FF02}' | '\u{FF07}'
    )
}

/// Characters without a shape: zero-width ones, soft hyphens, marks and embeddings of right-to-left
/// scripts, control characters.
fn is_invisible(char: char) -> bool {
    let control = char.is_control() && char != '\t';
    control
        || matches!(
            char,
            '\u{AD}'
                | '\u{34F}'
                | '\u{61C}'
                | '\u{180E}'
                | '\u{200B}'..='\u{200F}'
                | '\u{202A}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{FE00}'..='\u{FE0F}'
                | '\u{FEFF}'
                | '\u{E0000}'..='\u{E007F}'
        )
}
