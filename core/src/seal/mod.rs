//! Sealed sessions: a copy without the key is worth nothing.
//!
//! This is the part that needs neither a heap nor an operating system: the [header](Header) that says which
//! keys open a store, and, with the feature `seal`, the box that every sealed value is in. Keys are
//! derived, wrapped and kept by the crate `mtsession`. Threats, bytes and key schedule are told in
//! [`sealing`](crate::sealing).

#[cfg(feature = "seal")]
mod box_key;
mod header;
mod id;
#[cfg(feature = "seal")]
mod synthetic;

#[cfg(feature = "seal")]
pub use box_key::{BOX_OVERHEAD, BoxKey, MAC_LEN, NONCE_LEN, NotOpened};
pub use header::{
    HEADER_MAC_LEN, Header, HeaderFields, KeySlot, MAX_NAME, MAX_PARAMETERS, MAX_SLOTS, SALT_LEN,
    SealedKind, Slots, WRAPPED_LEN, is_sealed, put_header,
};
pub use id::{Generation, StoreId};
#[cfg(feature = "seal")]
pub use synthetic::SyntheticBoxKey;
