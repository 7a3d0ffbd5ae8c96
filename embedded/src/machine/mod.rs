//! What calls do, as steps of a machine without I/O.

mod apply;
mod attempt;
mod batch;
mod buffer;
mod jobs;
mod state;
mod steps;
mod turn;
mod write;

pub(crate) use self::buffer::hash;
pub(crate) use self::state::{Job, Machine, Op, State};
pub(crate) use self::write::{MAX_BLANK, values};
