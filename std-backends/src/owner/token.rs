//! The tokens of owners.

use mtsession_core::wire::FencingToken;

use crate::unique::unique_number;

/// The token of a new ownership. It is no secret: programs that write to a store can put any token there.
pub(crate) fn new() -> FencingToken {
    let both = [unique_number(), unique_number()].map(u64::to_le_bytes);
    let mut token = FencingToken::default();
    for (to, from) in token.iter_mut().zip(both.as_flattened()) {
        *to = *from;
    }
    token
}
