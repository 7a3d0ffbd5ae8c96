//! A disk for tests that is at least as bad as any real one.
//!
//! What a program reads is what it wrote, as long as the machine runs. What is left after a power cut is decided
//! at the cut, from everything that no flush has made durable. Assumed is, of the worst in every respect:
//!
//! - **Content** ([`inode`]): sectors of 512 bytes. Each one that was written since the last flush of its file is
//!   old, new, or as it was between any two writes to it, whatever became of its neighbours and in whatever
//!   order they were written; or what was written is zeros, or in a new block bytes of files that are gone. A disk that tears
//!   blocks ([`Nature::tears_blocks`]) also loses what was flushed in the same 4096 bytes.
//! - **Length**: any that the file had since its flush, apart from its content: grown bytes are zeros, in new
//!   blocks perhaps bytes of files that are gone, and cut ones may be there again.
//! - **Names** ([`names`]): each new name, rename and removal is a fact of its own until the directory is
//!   flushed, kept or lost apart from those before and after it. A flush of the file does not keep its name.
//! - **A flush that fails** ([`faults`]) fails once. What was to be written is readable until the cut and may be
//!   gone after it; the next flush succeeds, and writes nothing of it.
//! - **The death of a process** takes its locks and leaves everything else. A forked child keeps the lock.
//! - **Calls fail** with any error, at any place; writes may be short.
//!
//! Taken for granted is: a flush that succeeds on a disk that never failed is the truth; a rename is whole or not
//! at all; a lock belongs to the open file, and ends with its last descriptor; a write is seen by others at once.
//! Where a directory cannot be flushed ([`Nature::has_directory_flush`]), a flush of a file keeps its name.
//!
//! The code that runs on the disk is that of programs. It asks for [`disk`](super::disk), which gives this one to
//! a thread between [`Machine::enter`] and the drop of what that returns.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::struct_excessive_bools,
    reason = "a fault of a test is loud, and its numbers are small"
)]

mod calls;
pub(crate) mod dice;
pub(crate) mod faults;
mod inode;
mod locks;
mod names;
mod open_file;
mod schedule;
mod world;

pub(crate) use calls::Actor;
pub(crate) use dice::Dice;
pub(crate) use faults::{Call, Fault, Mistake};
pub(crate) use open_file::File;
pub(crate) use schedule::Machine;
pub(crate) use world::{Image, Nature};

/// The directory that everything lies in.
pub(crate) const DIRECTORY: &str = "/simulated-disk";
