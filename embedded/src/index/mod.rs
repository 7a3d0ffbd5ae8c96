//! Where the newest record of each entry is, and in what RAM is ahead of flash.
//!
//! The session in RAM is the authority: an entry's place on flash is its position in the session's list, for
//! as long as it is there. One byte an entry is all that the log knows besides.

mod held;
mod place;
mod table;

pub(crate) use held::{Held, View, is_nothing};
pub(crate) use place::{List, Place};
pub(crate) use table::{
    AHEAD, Entries, NOWHERE, Selection, Table, UNKNOWN_LAG, WHOLE, mark, next, remark,
};
