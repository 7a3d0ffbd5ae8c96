//! The session as one file: a snapshot, and the small changes after it.
//!
//! The bytes are drawn in [`mtsession_core::wire::session_file`]. T is where the tail begins. What holds at
//! every moment, and what each file here keeps to:
//!
//! 1. Bytes before T of a file that had its name are never written again, except where it is written in place
//!    ([`in_place`]).
//! 2. After a flush, everything before the flushed end of the tail is there, in order. After any cut the state
//!    is a prefix of what was written, at least up to the last flush.
//! 3. Every copy of a prefix of a live file that contains the snapshot is a session. The one exception is a
//!    copy that is made while the file is written in place.
//! 4. A writer locks at most one file that has a name; the name is checked after the lock and before the
//!    rename ([`lock`], [`fold`]).
//! 5. A file gets its name flushed, complete and locked.
//! 6. Nothing of the old file is destroyed before the new name is durable.
//! 7. Readers write nothing, and do not keep others from writing ([`read`]).
//! 8. Readers see a state that was acknowledged or is being written, never an older one than the last that
//!    was acknowledged before they opened the file.
//! 9. A bad snapshot is never overwritten without a copy, and is never "no session".
//! 10. No two acknowledged records continue the same one.
//!
//! Between the last look of a writer at the name and a rename by a program that takes no lock, a change is
//! lost. That cannot be helped; it is noticed with the next change, and told as an event.

#[cfg(feature = "cli")]
mod all;
mod apply;
mod backend;
mod configured;
mod content;
mod damaged;
mod delete;
mod earlier;
mod explain;
mod extras;
mod fence;
mod fold;
mod form;
mod identity;
mod in_place;
mod its_name;
mod last_seen;
mod lock;
mod look_up;
mod new_file;
mod open_session;
mod own;
mod paths;
mod positioned;
#[cfg(test)]
#[cfg(unix)]
mod power_cuts;
mod process;
mod read;
mod recover;
#[cfg(feature = "seal")]
mod reform;
mod release_before;
#[cfg(feature = "seal")]
mod sealed_copy;
mod snapshot;
mod status;
mod tail;
mod tail_damaged;

#[cfg(feature = "cli")]
pub use all::files_of_session;
pub use backend::BinaryFileBackend;
pub use recover::{Recovered, recover};
#[cfg(feature = "seal")]
pub(crate) use reform::Reforming;
pub use status::FileStatus;
pub(crate) use tail::{Newer, put_change};
