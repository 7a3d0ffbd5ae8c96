//! Session strings: a session as text, for an environment variable or a message to oneself.
//!
//! Two kinds exist in this family (drawn in [`format`](crate::format)): *native*, the whole binary
//! session in URL-safe base64, and *compact*, only what a login needs. [`decode_any`] tells them
//! apart by their structure and finds them in the text around them. The strings of other libraries are read and written by
//! [`foreign`](crate::clients).
//!
//! Base64 runs in constant time: how long a string takes to read or write says nothing about the key
//! in it. No table is looked up and no branch taken by a character; whether all of them were base64 is
//! asked at the end. It is as fast as a table where the processor has vectors (see `base64`, whose
//! last characters are left to [`base64ct`]). Detection afterwards depends on lengths and header bytes
//! only.

pub(crate) mod addr;
mod base64;
mod clean;
mod compact;
mod detect;
mod native;
pub(crate) mod scan;

pub(crate) use base64::{Alphabet, decode, decode_cleaned, is_base64_text, to_url_safe};
pub(crate) use clean::clean;

pub use base64::{Base64Sink, encoded_text_len};
pub use clean::decoded;
pub use compact::{COMPACT_MAX_CHARS, CompactFull, CompactSession};
pub use detect::decode_any;
pub use native::{encode_native, native_len};
