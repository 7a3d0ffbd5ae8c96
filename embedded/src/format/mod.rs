//! What is on flash: page headers, records, delta records. `FORMAT.md` has every bit.

pub(crate) mod codec;
pub(crate) mod crc;
pub(crate) mod delta;
pub(crate) mod entry;
pub(crate) mod header;
pub(crate) mod record;
