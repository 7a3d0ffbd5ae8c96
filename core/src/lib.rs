#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![doc = include_str!("../README.md")]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod account;
mod auth_key;
mod bug;
mod change;
pub mod clients;
mod counters;
mod dc;
mod decoded;
mod entry;
mod error;
mod fixed;
mod forward;
mod login_state;
mod names;
#[cfg(feature = "alloc")]
mod names_buf;
mod peer;
pub mod seal;
#[cfg(feature = "serde")]
mod serialize;
mod session_mut;
mod source;
pub mod text;
mod weight;
pub mod wire;

#[doc = include_str!("../FORMAT.md")]
pub mod format {}

#[doc = include_str!("../SEALING.md")]
pub mod sealing {}

pub use account::Account;
pub use auth_key::{AUTH_KEY_LEN, AuthKey, AuthKeyRef};
pub use bug::{Bug, Certain};
pub use change::{Change, UpdateChange};
/// The name of [`clients`] in earlier examples.
#[doc(hidden)]
pub use clients as foreign;
pub use counters::{ChannelPts, Counters};
pub use dc::{DcFlags, DcRef, DcSlot};
pub use decoded::Decoded;
pub use entry::{EntryKey, List};
pub use error::{DecodeError, DecodeErrorKind, EncodeError, Field, Foreign, Full, NewerForm};
pub use fixed::{FIXED_ADDR_LEN, FIXED_LOGIN_TEXT_LEN, FixedDc, FixedSession, WhenFull};
pub use login_state::{LOGIN_TEXT_MAX, LoginState};
pub use names::{Names, NamesOf};
#[cfg(feature = "alloc")]
pub use names_buf::NamesBuf;
pub use peer::{ChannelKind, MinPeer, Peer, PeerKey, PeerKind};
pub use session_mut::SessionMut;
pub use source::{SessionSource, Stats, WithAccount};
pub use weight::Weight;
pub use wire::{
    Integrity, PlainFile, ReplayError, SealedFile, SessionBytes, SessionView, Tail, TailEnd,
    encode, encoded_len,
};
