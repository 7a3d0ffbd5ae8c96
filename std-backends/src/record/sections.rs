//! The parts of a record.

/// Parts of a [`SessionRecord`](crate::SessionRecord): which of them were changed, or which a store keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sections(u8);

/// What a store keeps of a [`SessionRecord`](crate::SessionRecord).
pub type Keeps = Sections;

impl Sections {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// The session itself: what [`PersistedSession`](crate::PersistedSession) has fields for.
    pub const SESSION: Self = Self(1);
    /// What is known of the account.
    pub const ACCOUNT: Self = Self(1 << 1);
    /// What peers are called.
    pub const NAMES: Self = Self(1 << 2);
    /// Whether the login still holds.
    pub const LOGIN_STATE: Self = Self(1 << 3);
    /// Everything.
    pub const ALL: Self = Self(15);

    /// Whether every part of `other` is among them.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// These and others.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These but not others.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) const fn insert(&mut self, other: Self) {
        self.0 |= other.0;
    }
}
