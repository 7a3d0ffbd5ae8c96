//! A plain session as a model, and random scripts of calls: the log's own tests on the chip.
#![expect(
    clippy::large_enum_variant,
    clippy::use_self,
    clippy::unwrap_used,
    reason = "support of tests, where a panic is a failed test"
)]

mod act;
mod history;
mod plain;
mod play;
mod script;

use super::Chip;
use crate::format::header::HEADER;

pub use act::Act;
pub use history::History;
pub use plain::{OwnedChange, OwnedDc, Plain};
pub use play::{Play, Shape, Step, Trouble};
pub use script::{Call, fresh_session, random_call, random_calls, workload};

/// How many programs were built on a word that a cut had hit. The second header of a page is none of
/// them: it may be programmed where a cut in the first one cannot be told from one in the second, since
/// one of them is whole.
pub fn built_on_weak<const WRITE: usize, const ERASE: usize>(chip: &Chip<WRITE, ERASE>) -> usize {
    let header = HEADER.next_multiple_of(WRITE.max(4));
    let page = ERASE.max(1024);
    let programs = chip.weak_programs.iter();
    programs
        .filter(|at| !(header..2 * header).contains(&(*at % page)))
        .count()
}
