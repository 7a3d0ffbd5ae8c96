//! One account in a database, whatever the database is.

use std::io;

use mtsession_core::SessionSource;

use super::budget::KeepsInMemory;
use super::connection::{Connection, Durability};
use super::contended::contended;
use super::keep::{Keep, MAX_READ_ATTEMPTS};
use super::ownership::{Court, Owned};
use super::row::Row;
use super::schema::Layout;
use super::statement::Select;
use super::{legacy, names, plan, tables};
use crate::backends::unseen::ToldNone;
use crate::drop_in::session::PersistedSession;
use crate::error::reworded::reworded;
use crate::record::{SessionRecord, check, home_key, is_login_of};

/// The account that databases of older releases hold, too.
pub(super) use crate::address::DEFAULT_ACCOUNT;

/// The account that the session of an older release becomes which such a release made beside ours, in a
/// database of the release before: two logins in one file.
pub(super) const SECOND_SESSION: &str = "default@ferogram-session";

/// How often a write is planned anew because others keep writing, before one that needs no plan.
const PLANS: usize = 3;

/// An account, the database that it is in, and what is known of both.
pub(super) struct SqlStore {
    pub(super) connection: Box<dyn Connection>,
    pub(super) account: String,
    /// What the account held when the connection read last; every write of ours is carried out on it
    /// too. It is only relied on while the connection says that nobody else wrote.
    #[expect(
        clippy::option_option,
        reason = "not read yet; there was none; there was one"
    )]
    pub(super) known: Option<Option<SessionRecord>>,
    /// The revision of the account when it was read, or written here.
    pub(super) revision: Option<String>,
    /// Counts how often what is known was read anew or changed.
    pub(super) stamp: u64,
    /// Whether the database had the table of names when the account was read.
    pub(super) has_names: bool,
    /// What makes the tables of the release before answer as ours.
    pub(super) reads_as: &'static str,
    /// Whether the caller was told that there is no session, and has not written one since.
    told_none: ToldNone,
    /// Whether what is known is needed by a write that others are kept out for.
    pub(super) is_locked: bool,
    /// Whether this handle owns the account.
    pub(super) owned: Owned,
    /// Where it is decided who may.
    pub(super) court: Court,
}

impl SqlStore {
    pub(super) fn new(connection: Box<dyn Connection>, account: &str) -> Self {
        Self {
            connection,
            account: account.to_owned(),
            known: None,
            revision: None,
            stamp: 0,
            has_names: false,
            reads_as: "",
            told_none: ToldNone::default(),
            is_locked: false,
            owned: Owned::default(),
            court: Court::None,
        }
    }

    /// A call of a backend begins.
    #[cfg(feature = "libsql-remote")]
    pub(super) fn start_call(&mut self) {
        self.connection.start_call();
    }

    /// Replaces the whole session, by writing what differs from the one before.
    pub(super) fn save(&mut self, session: &impl SessionSource) -> io::Result<()> {
        check(session)?;
        self.as_owner(|store| store.forget_on_error(|store| store.save_checked(session)))
    }

    fn save_checked(&mut self, session: &impl SessionSource) -> io::Result<()> {
        self.prepare()?;
        for _ in 0..PLANS {
            if self.known.is_none() {
                self.refresh()?;
            }
            let known = self.known.as_ref().and_then(Option::as_ref);
            self.told_none.check(known.and_then(home_key), session)?;
            let mut statements = plan::save(&self.account, known, session);
            if known.is_some_and(|old| !is_login_of(home_key(old), session)) {
                let has_names = self.has_names;
                plan::forget_other_login(&self.account, session, has_names, &mut statements);
            }
            let loses_peers =
                |old: &SessionRecord| crate::record::peer_names::loses_peers(old, session);
            if self.has_names && known.is_none_or(loses_peers) {
                statements.push(names::drop_orphans(&self.account));
            }
            let is_done = if statements.is_empty() {
                // A copy that is behind does not know who wrote since.
                self.connection.read_the_newest();
                self.is_unchanged()?
            } else {
                self.write_if_unchanged(statements, Durability::Now)?
            };
            if is_done {
                self.remember(session);
                self.has_told(true);
                return Ok(());
            }
            self.known = None;
        }
        // Nothing is replaced unseen.
        if self.told_none.get() {
            return Err(contended());
        }
        let mut statements = plan::save(&self.account, None, session);
        plan::forget_other_login(&self.account, session, self.has_names, &mut statements);
        statements.extend(self.has_names.then(|| names::drop_orphans(&self.account)));
        self.write(statements, Durability::Now)
    }

    /// Makes the known session equal to one that was saved.
    fn remember(&mut self, session: &impl SessionSource) {
        let Some(known) = &mut self.known else {
            return;
        };
        known
            .get_or_insert_default()
            .set_session(PersistedSession::copy_of(session));
    }

    /// The session, or `None` when there is none.
    pub(super) fn load(&mut self) -> io::Result<Option<PersistedSession>> {
        let loaded = self.current()?.as_ref();
        let loaded = loaded.map(|record| record.session().clone());
        self.has_told(loaded.is_some());
        Ok(loaded)
    }

    /// Remembers whether the caller was shown a session.
    pub(super) fn has_told(&self, is_some: bool) {
        self.told_none.note(is_some);
    }

    /// What the account holds now.
    pub(super) fn current(&mut self) -> io::Result<&Option<SessionRecord>> {
        self.forget_on_error(|store| {
            // On a server, older releases leave no trace of their writes that could be noticed.
            let is_blind = store.connection.can_be_old() && !store.connection.is_ours()?;
            if store.known.is_none() || is_blind || !store.is_unchanged()? {
                store.refresh()?;
            }
            store.confirm_absence()
        })?;
        Ok(self.known.get_or_insert_default())
    }

    /// "No session" is not the answer of a copy of the database, which may be behind. With a token that
    /// may only read, nothing better can be had.
    fn confirm_absence(&mut self) -> io::Result<()> {
        if self.connection.can_be_old() && matches!(self.known, Some(None)) {
            self.connection.read_the_newest();
            match self.refresh() {
                Err(error) if self.connection.has_refused(&error) => self.known = Some(None),
                read => read?,
            }
        }
        Ok(())
    }

    /// Removes the account, and every trace of its keys.
    pub(super) fn delete(&mut self) -> io::Result<()> {
        self.as_owner(Self::delete_owned)
    }

    fn delete_owned(&mut self) -> io::Result<()> {
        self.forget_on_error(|store| {
            let is_default = store.account == DEFAULT_ACCOUNT;
            store.connection.read_the_newest();
            let layout = store.look()?;
            if layout == Layout::Empty || (matches!(layout, Layout::Legacy(_)) && !is_default) {
                return Ok(());
            }
            let keep = Keep {
                copy: false,
                old_session: !is_default,
            };
            let mut statements = store.make_ours(&layout, keep)?;
            let is_owned = store.owned.token().is_some();
            statements.extend(tables::delete(&store.account, is_owned));
            if is_default {
                statements.extend(tables::delete_unowned(SECOND_SESSION));
            }
            store.known = None;
            store.write(statements, Durability::Now)?;
            store.forget();
            store.connection.scrub(is_default)
        })
    }

    /// Looks whether the database can be one of ours.
    pub(super) fn check_layout(&mut self) -> io::Result<()> {
        self.forget_on_error(|store| store.look().map(|_| ()))
    }

    /// Forgets what is known of the database, so that the next call looks again.
    pub(super) fn forget(&mut self) {
        self.known = None;
        self.stamp = self.stamp.wrapping_add(1);
        self.connection.set_ours(false);
    }

    /// The error with whose session is there instead of ours, where that can be told.
    pub(super) fn naming(&self, error: io::Error) -> io::Error {
        match self.connection.found_instead(&error) {
            Some(found) => reworded(&error, format!("{error} (found {found})")),
            None => error,
        }
    }

    pub(super) fn forget_on_error<R>(
        &mut self,
        f: impl FnOnce(&mut Self) -> io::Result<R>,
    ) -> io::Result<R> {
        f(self).map_err(|error| {
            self.forget();
            self.naming(error)
        })
    }

    /// Reads the account anew.
    fn refresh(&mut self) -> io::Result<()> {
        self.known = None;
        self.revision = None;
        self.has_names = false;
        self.stamp = self.stamp.wrapping_add(1);
        if !self.connection.is_ours()? {
            for _ in 0..MAX_READ_ATTEMPTS {
                let read = match self.look()? {
                    Layout::Ours => break,
                    Layout::Empty => Ok(None),
                    Layout::Legacy(_) if self.account != DEFAULT_ACCOUNT => Ok(None),
                    Layout::Schema10(tables)
                        if self.account != SECOND_SESSION || !tables.are_whole() =>
                    {
                        self.read_account()
                    }
                    Layout::Legacy(tables) | Layout::Schema10(tables) => {
                        legacy::read(&mut *self.connection, &tables)
                    }
                };
                // Between the look and the read somebody may have migrated it.
                if read.is_ok() || self.connection.is_unchanged()? {
                    self.known = Some(read?);
                    return Ok(());
                }
            }
        }
        self.known = Some(self.read_account()?);
        Ok(())
    }

    fn read_account(&mut self) -> io::Result<Option<SessionRecord>> {
        use mtsession_core::{ChannelPts, MinPeer, Peer};
        use tables::ListItem as _;

        let account = &self.account;
        let selects = [
            tables::select_account(account),
            tables::select_dcs(account),
            tables::select::<ChannelPts>(account),
            tables::select::<Peer>(account),
            tables::select::<MinPeer>(account),
            names::look(),
            tables::select_login_state(account),
            tables::select_revision(account),
        ];
        let mut has_names = false;
        let mut revision = None;
        let mut stored = SessionRecord::default();
        let mut exists = false;
        self.read_rows(selects, |index, row| match index {
            0 => {
                exists = true;
                tables::read_account_row(row, &mut stored)
            }
            1 => tables::push_dc_row(row, &mut stored),
            2 => ChannelPts::push_row(row, &mut stored),
            3 => Peer::push_row(row, &mut stored),
            4 => MinPeer::push_row(row, &mut stored),
            5 => {
                has_names = true;
                Ok(())
            }
            6 => tables::read_login_state(row, &mut stored),
            _ => {
                revision = Some(row.text(1)?.to_owned());
                Ok(())
            }
        })?;
        self.has_names = has_names;
        self.revision = revision;
        Ok(exists.then_some(stored))
    }

    pub(super) fn account_name(&self) -> &str {
        &self.account
    }

    pub(super) fn revision(&self) -> Option<&str> {
        self.revision.as_deref()
    }

    pub(super) fn stamp(&self) -> u64 {
        self.stamp
    }

    pub(super) fn has_names(&self) -> bool {
        self.has_names
    }

    pub(super) fn read_rows(
        &mut self,
        selects: impl Into<Vec<Select>>,
        mut on_row: impl FnMut(usize, &Row<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut selects = selects.into();
        for select in &mut selects {
            select.prefix = self.reads_as;
        }
        self.connection
            .read(&selects, &mut |index, values| match selects.get(index) {
                Some(select) => on_row(index, &Row::new(select, values)),
                None => Ok(()),
            })
    }

    /// Reads rows of our own tables that say nothing of what is known of the account.
    pub(super) fn peek_rows(
        &mut self,
        selects: impl Into<Vec<Select>>,
        mut on_row: impl FnMut(usize, &Row<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let selects = selects.into();
        self.connection
            .peek(&selects, &mut |index, values| match selects.get(index) {
                Some(select) => on_row(index, &Row::new(select, values)),
                None => Ok(()),
            })
    }
}

impl KeepsInMemory for SqlStore {
    fn kept(&self) -> usize {
        let known = self.known.as_ref().and_then(Option::as_ref);
        known.map_or(0, SessionRecord::memory)
    }

    fn keep_nothing(&mut self) {
        if !self.is_locked {
            self.known = None;
        }
    }
}
