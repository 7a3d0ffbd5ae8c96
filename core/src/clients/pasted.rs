//! The one session string in a text that holds more: a line of a `.env` file, a piece of code, a
//! message.
//!
//! A candidate is a word, or several words in a row when a string was wrapped, that decodes as a
//! session. Two different candidates are an error: which of them is meant only their owner knows. What
//! looks like a session string that was cut is a candidate in that respect.

use super::recognise::read_cleaned;
use super::words::{Span, Word, Wrap};
use crate::decoded::Decoded;
use crate::error::{DecodeError, DecodeErrorKind, Field};
use crate::text::clean;
use crate::text::scan::Scan;

/// Characters that a login's string has in any format, with room on both sides.
const LOGIN_LEN: core::ops::RangeInclusive<usize> = 240..=700;

/// Characters that a native string among others has at least.
const NATIVE_MIN: usize = 24;

/// Characters that a piece of a session string has at least before it counts as a second one.
const PIECE_MIN: usize = 100;

/// Ends that are tried for a native string, whose length nothing announces.
const NATIVE_ENDS: usize = 8;

/// Finds and decodes the one session string in `text`.
pub(super) fn find<'b>(text: &str, buffer: &'b mut [u8]) -> Result<Decoded<'b>, DecodeError> {
    let mut search = Search {
        budget: text.len().saturating_mul(16).saturating_add(1 << 20),
        buffer: &mut *buffer,
        found: None,
        piece: None,
        several: false,
        refused: None,
    };
    let whole = search.whole(text);
    if let Err(error) = whole {
        // A buffer that is too small says nothing about the text.
        if matches!(error.kind, DecodeErrorKind::BufferTooSmall { .. }) {
            return Err(error);
        }
        search.words(text)?;
        let found = search.outcome(error)?;
        return read_cleaned(found.copy(buffer)?);
    }
    read_cleaned(clean(text, buffer)?)
}

/// What a search has found so far.
struct Search<'t, 'b> {
    buffer: &'b mut [u8],
    /// Characters that may still be decoded: texts are not all written by friends.
    budget: usize,
    found: Option<Span<'t>>,
    /// What looks like a session string that lost a part, and how it looks.
    piece: Option<(Span<'t>, DecodeError)>,
    /// Two different ones were found.
    several: bool,
    /// The error of a string that was recognised.
    refused: Option<DecodeError>,
}

impl<'t> Search<'t, '_> {
    /// Tries the text as one string that was wrapped or decorated.
    fn whole(&mut self, text: &str) -> Result<(), DecodeError> {
        let cleaned = clean(text, self.buffer)?;
        read_cleaned(cleaned).map(|_| ())
    }

    /// Looks at every word of the text.
    fn words(&mut self, text: &'t str) -> Result<(), DecodeError> {
        let mut at = Scan::new(text);
        while let Some(word) = Word::next(at) {
            at = if let Some(after) = self.session_from(&word)? {
                after
            } else {
                self.note_piece(&word)?;
                word.next
            };
        }
        Ok(())
    }

    /// Looks for a session that begins in this word; says where the text goes on after it.
    fn session_from(&mut self, word: &Word<'t>) -> Result<Option<Scan<'t>>, DecodeError> {
        for (skipped, tail) in word.starts() {
            let from = word.span.skip(skipped);
            if !from.is_promising() {
                continue;
            }
            if let Some((span, after)) = self.longest(word, &from, tail)? {
                self.note(span);
                return Ok(Some(after));
            }
        }
        Ok(None)
    }

    /// The session that begins with `from`, the end of `word`, and where the text goes on after it.
    /// `tail` symbols at its end may be markup.
    fn longest(
        &mut self,
        word: &Word<'t>,
        from: &Span<'t>,
        tail: usize,
    ) -> Result<Option<(Span<'t>, Scan<'t>)>, DecodeError> {
        if word.is_label {
            return Ok(None);
        }
        let is_native = from.is_native();
        let mut ends = [const { None }; NATIVE_ENDS];
        let (mut len, mut after, mut is_joined) = (from.len, word.next.clone(), word.is_joined);
        let mut wrap = Wrap::new();
        loop {
            let without_markup = (tail > 0).then(|| len.saturating_sub(tail));
            for len in [Some(len), without_markup].into_iter().flatten() {
                let from = from.from.clone();
                let span = Span { from, len };
                if is_native {
                    ends.rotate_right(1);
                    if let Some(slot) = ends.first_mut() {
                        *slot = Some((span, after.clone()));
                    }
                } else if LOGIN_LEN.contains(&len) && self.reads(&span)? {
                    return Ok(Some((span, after)));
                }
            }
            if !is_joined || !is_native && len > *LOGIN_LEN.end() {
                break;
            }
            let Some(more) = Word::next(after) else {
                break;
            };
            if more.is_label || !wrap.goes_on_with(more.span.len) || self.stands_alone(&more)? {
                break;
            }
            self.spend(more.span.len)?;
            len = len.saturating_add(more.span.len);
            (after, is_joined) = (more.next, more.is_joined);
        }
        // The longest first: lines of a native string may look like a shorter one.
        for (span, after) in ends.into_iter().flatten() {
            if span.len >= NATIVE_MIN && self.reads(&span)? {
                return Ok(Some((span, after)));
            }
        }
        Ok(None)
    }

    /// Whether a word is a session by itself, so that it is not a part of the one before it.
    fn stands_alone(&mut self, word: &Word<'t>) -> Result<bool, DecodeError> {
        let is_long_enough = LOGIN_LEN.contains(&word.span.len);
        Ok(is_long_enough && word.span.is_promising() && self.reads(&word.span)?)
    }

    /// Whether a part of the text decodes as a session.
    fn reads(&mut self, span: &Span<'_>) -> Result<bool, DecodeError> {
        self.spend(span.len)?;
        match read_cleaned(span.copy(self.buffer)?) {
            Ok(_) => Ok(true),
            Err(error) => {
                if error.kind.is_of_a_known_string() {
                    self.refused = self.refused.or(Some(error));
                }
                Ok(false)
            }
        }
    }

    /// Refuses to go on with a text that was made to cost the square of its length.
    fn spend(&mut self, chars: usize) -> Result<(), DecodeError> {
        let error = DecodeError::new(DecodeErrorKind::NotASessionString, Field::StringText, 0);
        self.budget = self.budget.checked_sub(chars).ok_or(error)?;
        Ok(())
    }

    /// Remembers a session, and whether it is another one than before.
    fn note(&mut self, span: Span<'t>) {
        match &self.found {
            Some(found) => self.several |= !found.is_same(&span),
            None => self.found = Some(span),
        }
    }

    /// Remembers what looks like a part of a session.
    fn note_piece(&mut self, word: &Word<'t>) -> Result<(), DecodeError> {
        let mut span = word.span.clone();
        if word.is_label || !span.is_promising() {
            return Ok(());
        }
        // The pieces of a wrapped string are short.
        let mut wrap = Wrap::new();
        let mut last = (word.is_joined && span.len < PIECE_MIN).then(|| word.next.clone());
        while let Some(more) = last.take().and_then(Word::next)
            && !more.is_label
            && wrap.goes_on_with(more.span.len)
            && span.len <= *LOGIN_LEN.end()
        {
            span.len = span.len.saturating_add(more.span.len);
            last = more.is_joined.then_some(more.next);
        }
        if span.len < NATIVE_MIN {
            return Ok(());
        }
        self.spend(span.len)?;
        let Err(error) = read_cleaned(span.copy(self.buffer)?) else {
            return Ok(());
        };
        if !matches!(error.kind, DecodeErrorKind::DamagedString(..)) {
            return Ok(());
        }
        let is_other = |found: &Span<'t>| !span.is_beginning_of(found);
        if span.len >= PIECE_MIN && self.found.as_ref().is_some_and(is_other) {
            self.several = true;
        }
        let is_longer = |(known, _): &(Span<'t>, _)| known.len < span.len;
        if self.piece.as_ref().is_none_or(is_longer) {
            self.piece = Some((span, error));
        }
        Ok(())
    }

    /// The session, or why there is none; `whole` is what is wrong with the text as a whole.
    fn outcome(&self, whole: DecodeError) -> Result<Span<'t>, DecodeError> {
        let Some(found) = &self.found else {
            let piece = self.piece.as_ref().map(|(_, error)| *error);
            return Err(match whole.kind {
                kind if kind.is_of_a_known_string() => whole,
                DecodeErrorKind::DamagedString(..) => whole,
                _ => self.refused.or(piece).unwrap_or(whole),
            });
        };
        let is_another =
            |(piece, _): &(Span<'t>, _)| piece.len >= PIECE_MIN && !piece.is_beginning_of(found);
        if self.several || self.piece.as_ref().is_some_and(is_another) {
            let kind = DecodeErrorKind::SeveralStrings;
            return Err(DecodeError::new(kind, Field::StringText, 0));
        }
        Ok(found.clone())
    }
}
