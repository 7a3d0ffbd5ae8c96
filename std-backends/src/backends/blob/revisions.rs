//! Revisions: which change led to a state, and which changes came before.

use std::io;

/// How many revisions a root has room for: those of so many writers.
pub(super) const MAX_REVISIONS: usize = 8;

/// A number that one change has, and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Revision(pub(super) [u8; 16]);

impl Revision {
    const NONE: Self = Self([0; 16]);

    /// # Errors
    /// Where the system has no random numbers.
    pub(super) fn random() -> io::Result<Self> {
        random_bytes().map(Self)
    }
}

/// 16 bytes that nobody else has.
pub(super) fn random_bytes() -> io::Result<[u8; 16]> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(io::Error::from)?;
    Ok(bytes)
}

/// The head, and the last revision of each of the other last writers, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Revisions(Vec<Revision>);

impl Revisions {
    /// `count` of the revisions in `bytes`, which has room for all.
    pub(super) fn parse(count: u8, bytes: &[u8]) -> Option<Self> {
        let (revisions, rest) = bytes.as_chunks();
        let revisions = revisions.get(..usize::from(count))?;
        let is_whole = rest.is_empty() && !revisions.is_empty();
        is_whole.then(|| Self(revisions.iter().copied().map(Revision).collect()))
    }

    pub(super) fn count(&self) -> u8 {
        u8::try_from(self.0.len()).unwrap_or(u8::MAX)
    }

    /// All places, those that are not used with zeros.
    pub(super) fn padded(&self) -> impl Iterator<Item = Revision> {
        let unused = core::iter::repeat(Revision::NONE);
        self.0.iter().copied().chain(unused).take(MAX_REVISIONS)
    }

    pub(super) fn head(&self) -> Option<Revision> {
        self.0.first().copied()
    }

    pub(super) fn contains(&self, revision: Revision) -> bool {
        self.0.contains(&revision)
    }

    /// Whether revisions of earlier writers may have been forgotten.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MAX_REVISIONS
    }

    /// The revisions after a change by a writer whose last one was `mine`: a busy writer takes one place, so
    /// it cannot push the others out.
    pub(super) fn after(&self, to: Revision, mine: Option<Revision>) -> Self {
        let others = self.0.iter().copied();
        let others = others.filter(|revision| Some(*revision) != mine && *revision != to);
        Self(
            core::iter::once(to)
                .chain(others)
                .take(MAX_REVISIONS)
                .collect(),
        )
    }
}
