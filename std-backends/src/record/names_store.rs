//! What a record's peers are called, so that one peer's names can be replaced at once.

use core::fmt;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use mtsession_core::{Names, NamesBuf, NamesOf, PeerKind};

/// The names of many peers, and what was changed since they were one block of bytes. Replaying a journal
/// that names many peers would cost the square of its length otherwise.
#[derive(Clone, Default)]
pub(super) struct NamesStore {
    block: NamesBuf,
    /// The new names of a peer; an empty block where it has none any more.
    changed: BTreeMap<(PeerKind, i64), NamesBuf>,
    merged: OnceLock<NamesBuf>,
}

impl NamesStore {
    /// All names as one block.
    pub(super) fn get(&self) -> Names<'_> {
        if self.changed.is_empty() {
            return self.block.as_names();
        }
        self.merged.get_or_init(|| self.merge()).as_names()
    }

    fn merge(&self) -> NamesBuf {
        let mut merged = self.block.clone();
        merged.retain(|names| !self.changed.contains_key(&(names.kind, names.id)));
        for names in self.changed.values() {
            for names in names.as_names().iter() {
                // It was encoded before.
                let _ = merged.push(&names, names.usernames());
            }
        }
        merged
    }

    /// Replaces the names of one peer.
    pub(super) fn put(&mut self, names: &NamesOf<'_>) {
        if let Some(merged) = self.merged.take() {
            self.block = merged;
            self.changed.clear();
        }
        let mut encoded = NamesBuf::new();
        encoded.put(names);
        self.changed.insert((names.kind, names.id), encoded);
    }

    /// Replaces all of them.
    pub(super) fn set(&mut self, names: Names<'_>) {
        *self = Self::from(NamesBuf::from(names));
    }
}

impl From<NamesBuf> for NamesStore {
    fn from(block: NamesBuf) -> Self {
        Self {
            block,
            ..Self::default()
        }
    }
}

impl PartialEq for NamesStore {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl fmt::Debug for NamesStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}
