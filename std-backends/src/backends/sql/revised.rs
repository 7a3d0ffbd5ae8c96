//! Revisions: whether what is known of an account is still true, and writes that leave a new one.

use std::io;

use super::connection::{Durability, KnownAccount, Write, Written};
use super::statement::Statement;
use super::store::SqlStore;
use super::tables;

impl SqlStore {
    /// Whether what is known is what the account holds now. Where others have only changed other accounts, its
    /// revision says so.
    pub(super) fn is_unchanged(&mut self) -> io::Result<bool> {
        if self.connection.is_unchanged()? {
            return Ok(true);
        }
        if self.known.is_none() || self.connection.can_be_old() || !self.connection.is_ours()? {
            return Ok(false);
        }
        let mut revision = None;
        let select = tables::select_revision(&self.account);
        self.read_rows([select], |_, row| {
            revision = Some(row.text(1)?.to_owned());
            Ok(())
        })?;
        // From now on it counts as read at this moment.
        if revision != self.revision {
            self.known = None;
        }
        Ok(self.known.is_some())
    }

    /// What is known of the account, as a write takes it.
    fn known_account(&self) -> Option<KnownAccount> {
        self.known.as_ref().map(|_| KnownAccount {
            name: self.account.clone(),
            revision: self.revision.clone(),
        })
    }

    fn write_with(
        &mut self,
        mut statements: Vec<Statement>,
        durability: Durability,
        if_unchanged: bool,
        known: Option<KnownAccount>,
    ) -> io::Result<bool> {
        let revision = Statement::revise(&mut statements, self.owned.token());
        let write = Write {
            statements,
            durability,
            if_unchanged,
            known,
        };
        self.stamp = self.stamp.wrapping_add(1);
        let written = self.connection.write(write)?;
        match written {
            Written::Done => {
                if revision.is_some() {
                    self.revision = revision;
                }
            }
            Written::Overtaken => self.known = None,
            Written::Conflict => {}
        }
        Ok(written != Written::Conflict)
    }

    pub(super) fn write(
        &mut self,
        statements: Vec<Statement>,
        durability: Durability,
    ) -> io::Result<()> {
        let known = self.known_account();
        self.write_with(statements, durability, false, known)?;
        Ok(())
    }

    /// Writes unless somebody else has changed the account since it was read; says whether it did.
    pub(super) fn write_if_unchanged(
        &mut self,
        statements: Vec<Statement>,
        durability: Durability,
    ) -> io::Result<bool> {
        let known = self.known_account();
        self.write_with(statements, durability, true, known)
    }

    /// Writes unless somebody else has changed anything in the database since the last read; says whether it
    /// did.
    pub(super) fn write_if_nothing_changed(
        &mut self,
        statements: Vec<Statement>,
        durability: Durability,
    ) -> io::Result<bool> {
        self.write_with(statements, durability, true, None)
    }
}
