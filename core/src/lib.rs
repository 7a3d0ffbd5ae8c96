#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![doc = include_str!("../README.md")]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod account;
mod auth_key;
mod change;
mod counters;
mod dc;
mod either;
mod error;
mod fixed;
pub mod foreign;
mod names;
mod peer;
#[cfg(feature = "serde")]
mod serialize;
mod source;
pub mod text;
pub mod wire;

#[doc = include_str!("../FORMAT.md")]
pub mod format {}

pub use account::{Account, WithAccount};
pub use auth_key::{AUTH_KEY_LEN, AuthKey, AuthKeyRef};
pub use change::{Change, UpdateChange};
pub use counters::{ChannelPts, Counters};
pub use dc::{DcFlags, DcRef, DcSlot};
pub use error::{DecodeError, DecodeErrorKind, EncodeError, Field, Foreign, Full};
pub use fixed::{FIXED_ADDR_LEN, FixedDc, FixedSession, WhenFull};
#[cfg(feature = "alloc")]
pub use names::NamesBuf;
pub use names::{Names, NamesOf};
pub use peer::{ChannelKind, MinPeer, Peer, PeerKey, PeerKind};
pub use source::{SessionMut, SessionSource, Stats};
pub use wire::{Integrity, SessionView, encode, encoded_len};
