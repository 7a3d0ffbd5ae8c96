//! Writes many small records as few large pieces.

use super::records::Record;
use super::sink::Sink;

/// Records are gathered in this many bytes on the stack: large enough that a sink's own cost per
/// write vanishes, small enough for a microcontroller's stack and the first-level cache.
const BLOCK: usize = 256;

/// Writes `records`, each of `LEN` bytes, and returns how many there were.
#[inline]
pub(crate) fn write_records<const LEN: usize, T, S>(
    records: impl Iterator<Item = T>,
    sink: &mut S,
) -> Result<(), S::Error>
where
    T: Record<Bytes = [u8; LEN]>,
    S: Sink,
{
    let mut block = [0; BLOCK];
    let mut records = records;
    loop {
        let mut filled = 0_usize;
        for slot in block.as_chunks_mut::<LEN>().0 {
            let Some(record) = records.next() else { break };
            *slot = record.to_bytes();
            filled = filled.saturating_add(LEN);
        }
        if let Some(bytes) = block.get(..filled) {
            sink.write(bytes)?;
        }
        // A block that is not full was the last.
        if filled.saturating_add(LEN) <= BLOCK {
            return Ok(());
        }
    }
}
