//! The error of a write that others were faster than.

use std::io;

use crate::error::kind::StoreErrorKind;
use crate::error::told::told;

/// Others were faster each time.
pub(super) fn contended() -> io::Error {
    told(
        StoreErrorKind::Contended,
        "others keep writing to the account; nothing was changed",
    )
}
