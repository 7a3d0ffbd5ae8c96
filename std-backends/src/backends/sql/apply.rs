//! Batches of changes.

use std::io;

use mtsession_core::{Change, SessionSource as _};

use super::connection::Durability;
use super::plan;
use super::store::SqlStore;

/// Removals that are carried out on what is known; each costs as much as the list is long.
const MOST_REPLAYED: usize = 16;

/// What is left to be written of a batch of changes.
enum Left {
    All,
    /// A DC entry of which only salt and clock have changed.
    Salt(Change<'static>),
    Nothing,
}

impl SqlStore {
    /// Carries out a batch as one.
    pub(super) fn apply(&mut self, changes: &[Change<'_>]) -> io::Result<()> {
        self.as_owner(|store| store.apply_owned(changes))
    }

    fn apply_owned(&mut self, changes: &[Change<'_>]) -> io::Result<()> {
        match self.forget_on_error(|store| store.left_of(changes))? {
            Left::All => self.apply_all(changes)?,
            Left::Nothing => return Ok(()),
            Left::Salt(salt) => {
                if !self.forget_on_error(|store| store.apply_salt(&salt))? {
                    self.apply_all(changes)?;
                }
            }
        }
        self.has_names |= changes
            .iter()
            .any(|change| matches!(change, Change::Names(_)));
        let forgets = |change: &&Change<'_>| matches!(change, Change::Forget(_));
        if changes.iter().filter(forgets).count() > MOST_REPLAYED {
            self.known = None;
        }
        if let Some(known) = &mut self.known {
            known.get_or_insert_default().replay(changes);
        }
        Ok(())
    }

    fn apply_all(&mut self, changes: &[Change<'_>]) -> io::Result<()> {
        // One statement alone needs no transaction, which costs more than finding a row.
        let is_done = changes.len() > 1
            && matches!(self.known, Some(Some(_)))
            && self.forget_on_error(|store| store.apply_in_place(changes))?;
        if is_done {
            return Ok(());
        }
        let statements = plan::apply(&self.account, changes, self.has_names)?;
        self.forget_on_error(|store| {
            store.prepare()?;
            store.write(statements, plan::durability_of(changes))
        })
    }

    /// What is left of a batch when what the account is known to hold is taken into account. A server is sent
    /// every change as it is.
    fn left_of(&mut self, changes: &[Change<'_>]) -> io::Result<Left> {
        let known = self.known.as_ref().and_then(Option::as_ref);
        let Some(known) = known.filter(|_| !self.connection.can_be_old()) else {
            return Ok(Left::All);
        };
        // Names are not among what is known.
        let is_done = |change: &Change<'_>| {
            !matches!(change, Change::Names(_)) && known.reduce(*change).is_none()
        };
        let left = match changes {
            [] => Left::All,
            [change @ Change::Dc(_)] => match known.reduce(*change) {
                None => Left::Nothing,
                Some(Change::Salt {
                    dc,
                    first_salt,
                    time_offset,
                }) => Left::Salt(Change::Salt {
                    dc,
                    first_salt,
                    time_offset,
                }),
                Some(_) => Left::All,
            },
            // One that changes nothing may follow one that does.
            _ if changes.iter().all(is_done) => Left::Nothing,
            _ => Left::All,
        };
        let is_current = match left {
            Left::All => true,
            _ => self.is_unchanged()?,
        };
        // What was acknowledged before and may be lost goes to the disk with the next write.
        let is_owed = matches!(left, Left::Nothing)
            && plan::durability_of(changes) == Durability::Now
            && !self.connection.is_flushed()?;
        Ok(if is_current && !is_owed {
            left
        } else {
            Left::All
        })
    }

    /// Stores salt and clock of a DC entry, of which nothing else has changed; says whether it did.
    fn apply_salt(&mut self, salt: &Change<'_>) -> io::Result<bool> {
        self.prepare()?;
        let statements = plan::apply(&self.account, core::slice::from_ref(salt), false)?;
        self.write_if_unchanged(statements, Durability::Now)
    }

    /// Carries out a batch on rows whose places are known, unless somebody else wrote since they were.
    fn apply_in_place(&mut self, changes: &[Change<'_>]) -> io::Result<bool> {
        self.prepare()?;
        let known = self.known.as_ref().and_then(Option::as_ref);
        let statements =
            known.and_then(|known| plan::apply_in_place(&self.account, known, changes));
        match statements {
            Some(statements) => self.write_if_unchanged(statements, Durability::Soon),
            None => Ok(false),
        }
    }
}
