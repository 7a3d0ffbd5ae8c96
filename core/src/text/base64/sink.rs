//! Base64 on its way to a sink.

use super::{Alphabet, encoded_text_len};
use crate::bug::Certain as _;
use crate::wire::{Scratch, Sink, copy_bytes};

/// Bytes that are encoded at once: a whole block, whatever the processor has.
const BLOCK: usize = 48;

/// Characters of a block.
const BLOCK_CHARS: usize = encoded_text_len(BLOCK);

/// Characters that are gathered for the sink: those of a session without peers, so that a string
/// that grows does so once. A microcontroller's stack is smaller.
const TEXT: usize = if cfg!(feature = "std") { 3072 } else { 128 };

/// What holds of both buffers.
const FILLED: &str = "more is filled than there is";

/// Encodes what is written to it and passes the characters on.
///
/// Call [`finish`](Self::finish) at the end. What it gathers is wiped on drop.
///
/// ```
/// use mtsession_core::text::Base64Sink;
/// use mtsession_core::wire::Sink;
///
/// let mut text = heapless::Vec::<u8, 512>::new();
/// let mut sink = Base64Sink::new(&mut text);
/// sink.write(&[0xFB, 0xFF])?;
/// sink.finish()?;
/// assert_eq!(text, b"-_8");
/// # Ok::<(), mtsession_core::wire::SliceFull>(())
/// ```
#[derive(Debug)]
pub struct Base64Sink<'s, S: Sink> {
    sink: &'s mut S,
    alphabet: Alphabet,
    /// The bytes that do not make a whole block yet.
    bytes: Scratch<BLOCK>,
    filled: usize,
    /// The characters that the sink does not have yet.
    text: Scratch<TEXT>,
    written: usize,
}

impl<'s, S: Sink> Base64Sink<'s, S> {
    /// Encodes into `sink`, URL-safe and without padding.
    pub fn new(sink: &'s mut S) -> Self {
        Self::with_alphabet(Alphabet::UrlSafe, sink)
    }

    /// Encodes into `sink` as another library would.
    pub(crate) const fn with_alphabet(alphabet: Alphabet, sink: &'s mut S) -> Self {
        Self {
            sink,
            alphabet,
            bytes: Scratch::new(),
            filled: 0,
            text: Scratch::new(),
            written: 0,
        }
    }

    /// Writes what is left.
    pub fn finish(mut self) -> Result<(), S::Error> {
        // Padding is due for these bytes alone: all before them were whole blocks.
        self.make_room()?;
        self.encode_gathered();
        self.send()
    }

    /// Encodes the bytes that were gathered; there must be room for a block.
    fn encode_gathered(&mut self) {
        let bytes = self.bytes.get(..self.filled).certain(FILLED);
        let free = self.text.get_mut(self.written..).certain(FILLED);
        let written = self.alphabet.encode(bytes, free);
        self.written = self.written.saturating_add(written);
        self.filled = 0;
    }

    /// Encodes whole blocks from where they are; returns what is left of `bytes`.
    fn encode_blocks<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], S::Error> {
        let mut rest = bytes;
        while rest.len() >= BLOCK {
            self.make_room()?;
            let free = self.text.get_mut(self.written..).certain(FILLED);
            let blocks = (free.len() / BLOCK_CHARS).min(rest.len() / BLOCK);
            let len = blocks.saturating_mul(BLOCK);
            let (head, tail) = rest.split_at_checked(len).certain(FILLED);
            let written = self.alphabet.encode(head, free);
            self.written = self.written.saturating_add(written);
            rest = tail;
        }
        Ok(rest)
    }

    /// Sends the characters on when there is no room for those of another block.
    fn make_room(&mut self) -> Result<(), S::Error> {
        if TEXT.saturating_sub(self.written) < BLOCK_CHARS {
            self.send()?;
        }
        Ok(())
    }

    fn send(&mut self) -> Result<(), S::Error> {
        let text = self.text.get(..self.written).certain(FILLED);
        self.written = 0;
        self.sink.write(text)
    }
}

impl<S: Sink> Sink for Base64Sink<'_, S> {
    type Error = S::Error;

    fn write(&mut self, bytes: &[u8]) -> Result<(), S::Error> {
        let mut rest = bytes;
        if self.filled > 0 {
            let free = self.bytes.get_mut(self.filled..).certain(FILLED);
            let (head, tail) = rest.split_at_checked(free.len()).unwrap_or((rest, &[]));
            copy_bytes(free, head);
            self.filled = self.filled.saturating_add(head.len());
            rest = tail;
            if self.filled < BLOCK {
                return Ok(());
            }
            self.make_room()?;
            self.encode_gathered();
        }
        rest = self.encode_blocks(rest)?;
        copy_bytes(&mut self.bytes, rest);
        self.filled = rest.len();
        Ok(())
    }
}
