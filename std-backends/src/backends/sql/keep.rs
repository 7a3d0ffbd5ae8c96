//! What the migration of an older release's database has to keep.

/// How often a look at a database that others are just creating or migrating is repeated.
pub(super) const MAX_READ_ATTEMPTS: usize = 10;

/// What is kept of a database of an older release.
#[derive(Clone, Copy)]
pub(super) struct Keep {
    /// A copy of the database as it was.
    pub(super) copy: bool,
    /// The session of a release that knows only one.
    pub(super) old_session: bool,
}
