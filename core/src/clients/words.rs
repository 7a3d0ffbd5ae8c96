//! The words of a text, and how those of a string that was wrapped belong together.

use crate::error::{DecodeError, DecodeErrorKind, Field};
use crate::text::decode_cleaned;
use crate::text::scan::{Scan, Token};
use crate::wire::Scratch;

/// A part of a text: the next so many base64 characters.
#[derive(Clone, Debug)]
pub(super) struct Span<'t> {
    pub(super) from: Scan<'t>,
    pub(super) len: usize,
}

impl<'t> Span<'t> {
    pub(super) fn chars(&self) -> impl Iterator<Item = u8> + 't {
        let chars = self.from.clone().filter_map(|token| match token {
            Token::Char(char) => Some(char),
            _ => None,
        });
        chars.take(self.len)
    }

    pub(super) fn copy<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b mut [u8], DecodeError> {
        let needed = self.len;
        let Some(copy) = buffer.get_mut(..needed) else {
            let kind = DecodeErrorKind::BufferTooSmall { needed };
            return Err(DecodeError::new(kind, Field::StringText, 0));
        };
        for (slot, char) in copy.iter_mut().zip(self.chars()) {
            *slot = char;
        }
        Ok(copy)
    }

    /// Whether this begins like `other`, without a branch on a character of either.
    pub(super) fn is_beginning_of(&self, other: &Self) -> bool {
        let differing = |found: u8, (a, b): (u8, u8)| found | (a ^ b);
        self.len <= other.len && self.chars().zip(other.chars()).fold(0, differing) == 0
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.len == other.len && self.is_beginning_of(other)
    }

    /// The same without its first characters.
    pub(super) fn skip(&self, count: usize) -> Self {
        let mut from = self.from.clone();
        let mut left = count;
        while left > 0 {
            match from.next() {
                Some(Token::Char(_)) => left = left.saturating_sub(1),
                Some(_) => {}
                None => break,
            }
        }
        Self {
            from,
            len: self.len.saturating_sub(count),
        }
    }

    /// Whether a native session begins like this: a version and a DC, or a DC alone.
    pub(super) fn is_native(&self) -> bool {
        const CHARS: usize = 8;

        let mut head = Scratch::<CHARS>::new();
        for (slot, char) in head.iter_mut().zip(self.chars()) {
            *slot = char;
        }
        matches!(
            decode_cleaned(&mut head),
            Ok([2..=8, _, _, 0, 0, ..] | [_, _, 0, 0, ..])
        )
    }

    /// Whether any session begins like this: a small number, DC 203, or Telethon's version.
    pub(super) fn is_promising(&self) -> bool {
        let first = self.chars().next();
        matches!(first, Some(b'1' | b'A'..=b'C' | b'y')) || self.is_native()
    }
}

fn is_symbol(char: u8) -> bool {
    matches!(char, b'-' | b'_')
}

/// Whether a few symbols follow, and then something else than a word.
fn is_markup(scan: &Scan<'_>) -> bool {
    const MOST: usize = 4;

    let chars = scan.clone().map_while(|token| match token {
        Token::Char(char) => Some(char),
        _ => None,
    });
    let mut count = 0_usize;
    let mut chars = chars
        .take(MOST.saturating_add(1))
        .inspect(|_| count = count.saturating_add(1));
    chars.all(is_symbol) && count <= MOST
}

/// How long the pieces of a wrapped string may be: as long as each other, with a shorter one at the
/// end. The first may be shorter, too: a name stands before it.
pub(super) struct Wrap {
    width: Option<usize>,
    is_complete: bool,
}

impl Wrap {
    /// Lines of fewer characters are words of a sentence.
    const NARROWEST: usize = 8;

    pub(super) const fn new() -> Self {
        Self {
            width: None,
            is_complete: false,
        }
    }

    /// Whether a word of this length may follow.
    pub(super) fn goes_on_with(&mut self, len: usize) -> bool {
        let width = *self.width.get_or_insert(len);
        let may_follow = !self.is_complete && len <= width;
        self.is_complete |= len < width || len < Self::NARROWEST;
        may_follow
    }
}

/// A run of base64 characters.
pub(super) struct Word<'t> {
    pub(super) span: Span<'t>,
    /// Where the next word begins.
    pub(super) next: Scan<'t>,
    /// Nothing but joints lies between this word and the next.
    pub(super) is_joined: bool,
    /// It is what something is assigned to, or goes on with a character that no string has.
    pub(super) is_label: bool,
}

impl<'t> Word<'t> {
    /// The next word of a text.
    pub(super) fn next(mut scan: Scan<'t>) -> Option<Self> {
        let mut from = scan.clone();
        while !matches!(scan.next()?, Token::Char(_)) {
            from = scan.clone();
        }
        let mut len = 1_usize;
        let mut next = scan.clone();
        while let Some(Token::Char(_)) = scan.next() {
            len = len.saturating_add(1);
            next = scan.clone();
        }
        let mut word = Self {
            span: Span { from, len },
            next,
            is_joined: true,
            is_label: false,
        };
        word.go_to_next();
        Some(word)
    }

    /// Goes past what follows the word.
    fn go_to_next(&mut self) {
        let mut scan = self.next.clone();
        let (mut equals, mut is_at_word) = (0_usize, true);
        while let Some(token) = scan.next() {
            match token {
                // Markup after padding.
                Token::Char(_) if equals > 0 && is_markup(&self.next) => {
                    is_at_word = false;
                    self.is_joined = false;
                }
                Token::Char(_) => {
                    self.is_label |= is_at_word && equals > 0;
                    self.is_joined &= !self.is_label;
                    return;
                }
                // After a word it is padding, and at the end of a line it may be a soft line end.
                Token::Equals => {
                    equals = equals.saturating_add(1);
                    self.is_joined &= is_at_word && equals == 1;
                }
                Token::Joint => {
                    self.is_joined &= equals == 0 || !is_at_word;
                    is_at_word = false;
                }
                Token::Line => is_at_word = false,
                Token::Break | Token::Stray => {
                    self.is_label |= is_at_word && token == Token::Stray;
                    is_at_word = false;
                    self.is_joined = false;
                }
            }
            self.next = scan.clone();
        }
        self.is_joined = false;
    }

    /// Where a session may begin in it, and how many symbols of markup are to be left out at its end:
    /// at its first character, or after a symbol that is a part of a path or of a name.
    pub(super) fn starts(&self) -> impl Iterator<Item = (usize, usize)> + 't {
        const LONGEST: usize = 1_000;

        let lead = self
            .span
            .chars()
            .take_while(|char| is_symbol(*char))
            .count();
        let looked_at = if self.span.len > LONGEST {
            lead.saturating_add(1)
        } else {
            self.span.len
        };
        let mut is_after_symbol = true;
        let chars = self.span.chars().take(looked_at).enumerate();
        chars.filter_map(move |(at, char)| {
            let is_start = is_after_symbol && !is_symbol(char);
            is_after_symbol = is_symbol(char);
            is_start.then_some((at, if at == lead { lead } else { 0 }))
        })
    }
}
