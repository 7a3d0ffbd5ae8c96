//! Names of peers that grow.

use alloc::vec::Vec;
use core::fmt;

use crate::error::EncodeError;
use crate::names::{Names, NamesOf};

/// A block of names that grows.
///
/// ```
/// use mtsession_core::{NamesBuf, NamesOf, PeerKind};
///
/// let mut names = NamesBuf::new();
/// names.push(&NamesOf::new(5, PeerKind::Chat).with_title(Some("Family")), [].into_iter())?;
/// names.retain(|names| names.kind != PeerKind::Chat);
/// assert!(names.as_names().is_empty());
/// # Ok::<(), mtsession_core::EncodeError<core::convert::Infallible>>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct NamesBuf(Vec<u8>);

impl NamesBuf {
    /// An empty block; allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The names in it.
    #[must_use]
    pub fn as_names(&self) -> Names<'_> {
        // Only whole records are ever appended.
        Names::of_whole_records(&self.0)
    }

    /// Appends the names of a peer.
    ///
    /// # Errors
    /// As [`NamesOf::encode`].
    pub fn push<'u>(
        &mut self,
        names: &NamesOf<'_>,
        usernames: impl ExactSizeIterator<Item = &'u str> + Clone,
    ) -> Result<(), EncodeError<core::convert::Infallible>> {
        names.encode(usernames, &mut self.0)
    }

    /// Replaces what one peer is called; no names at all remove it. Names that are too long for the block
    /// are left out.
    pub fn put(&mut self, names: &NamesOf<'_>) {
        if self.as_names().of(names.kind, names.id).is_some() {
            self.retain(|known| (known.kind, known.id) != (names.kind, names.id));
        }
        if !names.is_empty() {
            // Refused before anything is written.
            let _ = names.encode(names.usernames(), &mut self.0);
        }
    }

    /// Keeps the names of those peers for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&NamesOf<'_>) -> bool) {
        let mut kept = Vec::with_capacity(self.0.len());
        for names in self.as_names().iter().filter(|names| keep(names)) {
            kept.extend_from_slice(names.as_bytes());
        }
        self.0 = kept;
    }
}

impl From<Names<'_>> for NamesBuf {
    fn from(names: Names<'_>) -> Self {
        Self(names.as_bytes().to_vec())
    }
}

impl fmt::Debug for NamesBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_names().fmt(f)
    }
}
