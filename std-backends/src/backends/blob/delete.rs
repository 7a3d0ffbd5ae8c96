//! Deletion: a tombstone takes the place of the root.

use std::io;

use super::BlobBackend;
use super::blobs::{Patience, is_worth_repeating, root_name};
use super::change::{Failed, On};
use super::revisions::{Revision, Revisions};
use super::root::{BaseRef, Root, tombstone};
use super::state::{Seen, State};
use crate::backends::optimistic::Updated;
use crate::blob::{Blob, Expected, Put};
use crate::error::kind::Outcome;

/// A root as far as a deletion needs to understand it.
struct Buried {
    revisions: Revisions,
    base: Option<BaseRef>,
    is_tombstone: bool,
}

impl Buried {
    /// What cannot be read is deleted as well.
    fn of(blob: &Blob) -> Self {
        let (revisions, base, is_tombstone) = match Root::parse(&blob.bytes) {
            Ok(Root::Account { header, .. }) => (header.revisions, header.base, false),
            Ok(Root::Tombstone(revisions)) => (revisions, None, true),
            Err(_) => (Revisions::default(), None, false),
        };
        Self {
            revisions,
            base,
            is_tombstone,
        }
    }
}

impl BlobBackend {
    /// Removes the account, readable or not, or finds out that it is gone. With [`On::Only`] it is left alone
    /// where it has changed.
    pub(super) fn bury(&self, state: &mut State, on: On) -> Result<Updated, Failed> {
        let (mut patience, name) = (self.blobs.patience(), root_name(&self.account));
        let to = Revision::random().map_err(|error| (error, Outcome::Unchanged))?;
        let mut is_unknown = false;
        state.seen = None;
        loop {
            let unless_stored = |error, is_unknown| {
                let outcome = if is_unknown {
                    Outcome::Unknown
                } else {
                    Outcome::Unchanged
                };
                (error, outcome)
            };
            let blob = self
                .get_root(&patience)
                .map_err(|error| unless_stored(error, is_unknown))?;
            let found = blob.as_ref().map(Buried::of);
            if Self::is_done(found.as_ref(), to, state.is_uncertain) {
                state.is_uncertain = false;
                return Ok(Updated::Done);
            }
            let (revisions, base) = match found {
                Some(found) => (found.revisions, found.base),
                None => (Revisions::default(), None),
            };
            if let On::Only(head) = on
                && revisions.head() != head
            {
                return Ok(Updated::Lost);
            }
            let expected = match &blob {
                Some(blob) => Expected::Is(&blob.version),
                None => Expected::Absent,
            };
            let stone = tombstone(&revisions.after(to, state.mine()));
            match self.blobs.put(&name, &stone, expected, &patience) {
                Ok(Put::Stored(_)) => {
                    self.forget(state, to, base, &patience);
                    return Ok(Updated::Done);
                }
                Ok(Put::Conflict) => {}
                Err(error) => {
                    let may_arrive = error.outcome == Outcome::Unknown;
                    is_unknown |= may_arrive;
                    if !may_arrive && !is_worth_repeating(&error.error) {
                        return Err(unless_stored(error.error, is_unknown));
                    }
                }
            }
            patience
                .pause()
                .map_err(|error| unless_stored(error, is_unknown))?;
        }
    }

    /// Whether there is nothing to delete. Where a change of this handle may still arrive, only a tombstone
    /// keeps it from bringing an account back. A login that was made on the tombstone of this very deletion is
    /// a newer one.
    fn is_done(found: Option<&Buried>, to: Revision, is_uncertain: bool) -> bool {
        match found {
            None => !is_uncertain,
            Some(found) => found.is_tombstone || found.revisions.contains(to),
        }
    }

    fn forget(&self, state: &mut State, to: Revision, base: Option<BaseRef>, patience: &Patience) {
        state.set_mine(to);
        state.is_uncertain = false;
        state.base = None;
        self.sweep(base, None, false, patience);
    }

    /// Gives the account another name: it has the new one before it loses the old one, and a crash between the
    /// two leaves both.
    pub(crate) fn rename_to(&self, other: &Self) -> io::Result<Renamed> {
        let _turns = (self.turn(), other.turn());
        let (mut state, mut target) = (self.state(), other.state());
        let patience = self.blobs.patience();
        let seen = self.refresh(&mut state, &patience)?;
        let (Some(known), from) = (seen.account(), seen.head()) else {
            return Ok(Renamed::Absent);
        };
        let record = &known.record;
        let created = other.carry_out(&mut target, On::Absent, &mut |new| {
            new.clone_from(record);
            Ok(super::parts::ListChange::All)
        });
        if created.map_err(|failed| other.failed("rename an account", failed))? == Updated::Lost {
            return Ok(Renamed::Exists);
        }
        let new = target.seen.as_ref().and_then(Seen::head);
        let buried = self.bury(&mut state, On::Only(from));
        match buried.map_err(|failed| self.failed("rename an account", failed))? {
            Updated::Done => Ok(Renamed::Done),
            Updated::Lost => {
                let undone = other.bury(&mut target, On::Only(new));
                undone.map_err(|failed| other.failed("rename an account", failed))?;
                Ok(Renamed::Changed)
            }
        }
    }
}

/// What became of a renaming.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Renamed {
    Done,
    /// There is no such account.
    Absent,
    /// The new name is taken.
    Exists,
    /// The account was changed meanwhile: it has its old name.
    Changed,
}
