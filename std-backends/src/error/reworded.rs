//! An error in other words, with what is known of it.

use std::io;

use crate::error::classify::of_error;
use crate::error::kind::Outcome;
use crate::error::told::Told;

/// The same error in other words.
#[cfg(any(feature = "sqlite", feature = "libsql"))]
pub(crate) fn reworded(error: &io::Error, message: String) -> io::Error {
    let (kind, outcome) = of_error(error);
    let told = Told {
        message,
        kind,
        outcome,
    };
    io::Error::new(error.kind(), told)
}

/// The change is stored, but a power cut can lose it; `error` is why.
pub(crate) fn stored_unflushed(error: &io::Error, message: String) -> io::Error {
    let told = Told {
        message,
        kind: of_error(error).0,
        outcome: Outcome::Stored,
    };
    io::Error::new(error.kind(), told)
}
