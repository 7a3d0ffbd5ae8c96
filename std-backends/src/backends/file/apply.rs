//! Small changes: appended to the file, or made part of a new snapshot.

use core::time::Duration;
use std::io;

use mtsession_core::{Change, Weight};

use super::backend::BinaryFileBackend;
use super::lock::Settings;
use super::open_session::{Appended, OpenSession, Outcome};
use super::process::State;
use super::snapshot::Fsync;
use super::tail;
use crate::drop_in::session::PersistedSession;
use crate::error::reworded::stored_unflushed;
use crate::event::{self, Event};
use crate::record::SessionRecord;

/// How often a small change looks for its place in the tail before the whole session is written.
/// Once is enough unless others write at the same time, or the file system does not tell a file from
/// itself.
const ATTEMPTS: usize = 3;

impl BinaryFileBackend {
    pub(super) fn apply_locked(&self, changes: &[Change<'_>]) -> io::Result<()> {
        let mut state = self.state();
        let applied = self.apply_in(&mut state, changes);
        state.let_go();
        applied
    }

    fn apply_in(&self, state: &mut State, changes: &[Change<'_>]) -> io::Result<()> {
        let apply = |stored: &mut SessionRecord| stored.apply_all(changes).map_err(io::Error::from);
        if !state.must_fold && changes.iter().all(tail::may_take) {
            check_texts(changes)?;
            for _ in 0..ATTEMPTS {
                match self.append(state, changes)? {
                    Appended::Done => return Ok(()),
                    Appended::NotTaken => break,
                    Appended::NotKnown => {}
                }
                let before = state.known.take();
                let paths = self.prepare(state)?;
                if let Some(before) = before {
                    before.tell_if_replaced(&self.path);
                }
                let (known, refreshed) = OpenSession::refresh(paths, self.settings(), apply)?;
                state.known = known;
                if let Outcome::Changed = refreshed {
                    return state.confirm_name();
                }
            }
        }
        let paths = self.prepare(state)?;
        state.known = OpenSession::rewrite(paths, self.settings(), apply)?;
        state.must_fold = false;
        state.confirm_name()
    }

    /// Appends to the file that is known.
    pub(super) fn append(&self, state: &mut State, changes: &[Change<'_>]) -> io::Result<Appended> {
        let State {
            known: Some(known),
            buffers,
            last_flush,
            ..
        } = &mut *state
        else {
            return Ok(Appended::NotKnown);
        };
        let appended = known.append(&self.path, self.settings, changes, buffers)?;
        if appended != Appended::Done {
            return Ok(appended);
        }
        let is_due = last_flush.is_due(self.journal_sync) || changes.iter().any(must_survive);
        if self.settings.fsync == Fsync::Yes && is_due {
            if let Err(error) = known.flush(self.settings) {
                self.fold_unflushed(state, &error)?;
                return Ok(Appended::Done);
            }
            last_flush.is_now();
        }
        if known.is_due_for_folding() {
            self.fold(state, self.settings());
        }
        Ok(Appended::Done)
    }

    /// Writes the session into a new file after a flush of it has failed: what was appended is in
    /// the file, but nobody knows whether it is on the disk.
    fn fold_unflushed(&self, state: &mut State, error: &io::Error) -> io::Result<()> {
        state.must_fold = true;
        let folded = self.prepare(state).and_then(|paths| {
            // Other processes must not rely on what follows either, also if this one is killed now.
            let _ = OpenSession::forbid_appends(&paths, self.settings());
            OpenSession::rewrite(paths, self.settings(), |_| Ok(()))
        });
        match folded {
            Ok(known) => {
                state.known = known;
                state.must_fold = false;
                state.last_flush.is_now();
                state.confirm_name()
            }
            Err(fold) => {
                let message = format!(
                    "the change is stored, but a power cut can lose it: its flush failed ({error}), \
                     and so did writing the session anew ({fold})"
                );
                Err(stored_unflushed(error, message))
            }
        }
    }

    /// Makes the tail part of the snapshot. The change that made it due is stored already, so a
    /// failure only means that the file goes on growing.
    fn fold(&self, state: &mut State, settings: Settings) {
        let Some(mut known) = state.known.take() else {
            return;
        };
        let folded = OpenSession::rewrite(known.paths().clone(), settings, |_| Ok(()));
        let path = || self.path.clone();
        event::emit(|| match &folded {
            Ok(_) => Event::Folded { path: path() },
            Err(error) => Event::FoldFailed {
                path: path(),
                error: error.to_string(),
            },
        });
        state.known = folded.unwrap_or_else(|_| {
            known.postpone_folding();
            Some(known)
        });
    }

    /// Leaves a short session without a tail if this process has made it: a program that knows no tails
    /// finds everything then.
    fn fold_at_the_end(&self) {
        const LONGEST: u64 = 256 * 1024;

        let mut state = self.state();
        let is_due = |known: &OpenSession| known.has_appended_to(LONGEST);
        if state.known.as_ref().is_some_and(is_due) {
            // Nobody waits for it, and a directory can be long.
            let settings = Settings {
                lock_timeout: Duration::ZERO,
                cleans: false,
                ..self.settings()
            };
            self.fold(&mut state, settings);
        }
    }
}

impl Drop for BinaryFileBackend {
    fn drop(&mut self) {
        self.fold_at_the_end();
    }
}

/// Whether the change must survive a power cut once it is acknowledged. A DC entry must even where only
/// its salt differs from what is stored: who calls `update_dc` relies on it.
fn must_survive(change: &Change<'_>) -> bool {
    // Of changes that a tail takes, none weighs more in one session than in another.
    change.weight(&PersistedSession::default()) > Weight::Cache
}

/// Refuses texts that no session file could hold. Whatever else may be too long is not appended.
fn check_texts(changes: &[Change<'_>]) -> io::Result<()> {
    let has_text =
        |change: &&Change<'_>| matches!(change, Change::Names(_) | Change::LoginState(_));
    for change in changes.iter().filter(has_text) {
        SessionRecord::default().apply_all(core::slice::from_ref(change))?;
    }
    Ok(())
}
