//! The binary format: one encoder, one decoder, for every version. Bytes are drawn in
//! [`format`](crate::format).

mod concat;
mod crc;
mod dcs;
mod encode;
pub mod journal;
mod layout;
mod out;
mod packed_peer;
mod reader;
mod records;
#[cfg(feature = "alloc")]
mod salvage;
#[cfg(feature = "alloc")]
mod salvage_dcs;
mod scratch;
mod sealed_file;
mod session_bytes;
pub mod session_file;
mod sink;
mod tail;
mod tail_place;
mod trailer;
#[cfg(feature = "alloc")]
mod unflip;
mod varint;
mod view;

pub(crate) use concat::{concat_array, join_part};
pub(crate) use reader::Reader;
pub(crate) use scratch::Scratch;
pub(crate) use sink::copy_bytes;

pub use crc::Crc32c;
pub use encode::{
    encode, encode_body, encode_body_to_slice, encode_to_slice, encoded_body_len, encoded_len,
};
#[cfg(feature = "alloc")]
pub use encode::{encode_owned_to_vec, encode_to_vec};
pub use packed_peer::{PackedKinds, PackedPeer};
#[cfg(feature = "alloc")]
pub use salvage::{Salvaged, salvage};
pub use scratch::wipe;
pub use sealed_file::SealedFile;
pub use session_bytes::{PlainFile, ReplayError, SessionBytes};
pub use sink::{Counter, Sink, SliceFull};
pub use tail::{Batch, Batches, Tail, TailEnd};
pub use view::{FencingToken, Integrity, SessionView};
