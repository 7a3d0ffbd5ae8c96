//! The two ways out of the encoder: into memory where it stays, or in pieces through a [`Sink`].

use super::crc::Crc32c;
use super::scratch::Scratch;
use super::sink::{Sink, SliceFull, copy_bytes};
use crate::bug::Certain as _;
use crate::error::EncodeError;

/// What holds of every buffer here.
const FILLED: &str = "more is filled than there is";

/// What the encoder writes to. Unlike a [`Sink`] it takes records one by one without losing time, and
/// knows the checksum of everything so far.
pub(super) trait Out {
    type Error;

    fn put(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;

    /// Writes the first `count` records, of `LEN` bytes each; there must be so many.
    fn put_records<const LEN: usize>(
        &mut self,
        records: impl Iterator<Item = [u8; LEN]>,
        count: usize,
    ) -> Result<(), Self::Error>;

    /// Bytes that were put.
    fn len(&self) -> usize;

    /// The checksum of everything that was put.
    fn checksum(&mut self) -> Result<u32, Self::Error>;
}

/// Puts `bytes`, with the sink's error as the encoder gives it on.
#[inline]
pub(super) fn put<O: Out>(out: &mut O, bytes: &[u8]) -> Result<(), EncodeError<O::Error>> {
    out.put(bytes).map_err(EncodeError::Sink)
}

/// Memory that is filled from its start. Records are formed where they stay, and the checksum is one
/// pass over all of it.
pub(super) struct InPlace<'b> {
    buffer: &'b mut [u8],
    filled: usize,
}

impl<'b> InPlace<'b> {
    pub(super) const fn new(buffer: &'b mut [u8]) -> Self {
        Self { buffer, filled: 0 }
    }

    /// Whether all of the memory was filled.
    #[cfg(feature = "alloc")]
    pub(super) const fn is_full(&self) -> bool {
        self.filled == self.buffer.len()
    }

    /// The part that was filled.
    pub(super) fn into_filled(self) -> &'b mut [u8] {
        self.buffer.get_mut(..self.filled).certain(FILLED)
    }

    /// The next `len` bytes, which count as filled.
    #[inline]
    fn next(&mut self, len: usize) -> Result<&mut [u8], SliceFull> {
        let end = self.filled.checked_add(len).ok_or(SliceFull)?;
        let next = self.buffer.get_mut(self.filled..end).ok_or(SliceFull)?;
        self.filled = end;
        Ok(next)
    }
}

impl Out for InPlace<'_> {
    type Error = SliceFull;

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<(), SliceFull> {
        copy_bytes(self.next(bytes.len())?, bytes);
        Ok(())
    }

    #[inline]
    fn put_records<const LEN: usize>(
        &mut self,
        records: impl Iterator<Item = [u8; LEN]>,
        count: usize,
    ) -> Result<(), SliceFull> {
        let space = self.next(count.saturating_mul(LEN))?;
        // Zipped slices compile to a loop without any check.
        let slots = space.as_chunks_mut::<LEN>().0.iter_mut();
        for (slot, record) in slots.zip(records) {
            *slot = record;
        }
        Ok(())
    }

    fn len(&self) -> usize {
        self.filled
    }

    fn checksum(&mut self) -> Result<u32, SliceFull> {
        let mut crc = Crc32c::new();
        crc.update(self.buffer.get(..self.filled).certain(FILLED));
        Ok(crc.value())
    }
}

/// Bytes that are gathered on the stack before they go to a sink: a sink's own cost, and that of
/// starting a checksum, is then paid once for many fields. More than this does not make it faster;
/// a microcontroller's stack is smaller.
const BLOCK: usize = if cfg!(feature = "std") { 2048 } else { 256 };

/// Gathers small pieces for a sink.
pub(super) struct Gather<'s, S> {
    sink: &'s mut S,
    crc: Crc32c,
    block: Scratch<BLOCK>,
    filled: usize,
    /// Bytes that the sink has.
    sent: usize,
}

impl<'s, S: Sink> Gather<'s, S> {
    pub(super) const fn new(sink: &'s mut S) -> Self {
        Self {
            sink,
            crc: Crc32c::new(),
            block: Scratch::new(),
            filled: 0,
            sent: 0,
        }
    }

    /// Sends what was gathered on its way; nothing may be left when encoding ends.
    pub(super) fn flush(&mut self) -> Result<(), S::Error> {
        let gathered = self.block.get(..self.filled).certain(FILLED);
        self.filled = 0;
        self.sent = self.sent.saturating_add(gathered.len());
        self.crc.update(gathered);
        self.sink.write(gathered)
    }
}

impl<S: Sink> Out for Gather<'_, S> {
    type Error = S::Error;

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<(), S::Error> {
        if self.filled.saturating_add(bytes.len()) > BLOCK {
            self.flush()?;
        }
        let end = self.filled.saturating_add(bytes.len());
        if let Some(free) = self.block.get_mut(self.filled..end) {
            copy_bytes(free, bytes);
            self.filled = end;
            return Ok(());
        }
        // Longer than a block: there is nothing to gather.
        self.sent = self.sent.saturating_add(bytes.len());
        self.crc.update(bytes);
        self.sink.write(bytes)
    }

    fn put_records<const LEN: usize>(
        &mut self,
        mut records: impl Iterator<Item = [u8; LEN]>,
        count: usize,
    ) -> Result<(), S::Error> {
        let mut left = count;
        while left > 0 {
            let free = self.block.get_mut(self.filled..).certain(FILLED);
            let (slots, _) = free.as_chunks_mut::<LEN>();
            let fitting = slots.len().min(left);
            for (slot, record) in slots.iter_mut().take(fitting).zip(&mut records) {
                *slot = record;
            }
            self.filled = self.filled.saturating_add(fitting.saturating_mul(LEN));
            left = left.saturating_sub(fitting);
            if left > 0 {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn len(&self) -> usize {
        self.sent.saturating_add(self.filled)
    }

    fn checksum(&mut self) -> Result<u32, S::Error> {
        self.flush()?;
        Ok(self.crc.value())
    }
}
