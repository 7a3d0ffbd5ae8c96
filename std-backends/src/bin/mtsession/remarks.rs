//! What is to be said about a session that was read: what was left out of it, and what looks odd.

use mtsession::address_warnings;
use serde_json::{Value, json};

use crate::store::Loaded;

/// What the reader says, and what the addresses look like.
pub(crate) fn notes(loaded: &Loaded) -> Vec<String> {
    let addresses = address_warnings(&loaded.login());
    let addresses = addresses.iter().map(ToString::to_string);
    loaded.notes.iter().cloned().chain(addresses).collect()
}

/// Everything in lines for a person.
pub(crate) fn lines(loaded: &Loaded) -> Vec<String> {
    let left_out = loaded.left_out.iter();
    let left_out = left_out.map(|lost| format!("Left out, because it cannot be read: {lost}"));
    let notes = notes(loaded)
        .into_iter()
        .map(|note| format!("Note: {note}"));
    left_out.chain(notes).collect()
}

/// What was left out, for programs.
pub(crate) fn left_out(loaded: &Loaded) -> Vec<Value> {
    let left_out = loaded.left_out.iter();
    left_out
        .map(|lost| {
            json!({
                "place": lost.place,
                "row": lost.row,
                "count": lost.count,
                "reason": lost.reason,
            })
        })
        .collect()
}
