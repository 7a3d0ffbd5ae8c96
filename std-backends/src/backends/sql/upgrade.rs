//! Finding out what a database is, and making it ours.

use std::io;

use super::connection::Durability;
use super::keep::{Keep, MAX_READ_ATTEMPTS};
use super::schema::{self, Findings, Layout, LegacyTables};
use super::schema10;
use super::shape::Object;
use super::statement::Statement;
use super::store::{DEFAULT_ACCOUNT, SECOND_SESSION, SqlStore};
use super::{definition, legacy, plan};
use crate::event::{self, Event};
use crate::record::{SessionRecord, check};

impl SqlStore {
    /// Finds out what the database is.
    pub(super) fn look(&mut self) -> io::Result<Layout> {
        self.reads_as = "";
        let mut findings = Findings::default();
        self.read_rows(schema::look(), |index, row| {
            match index {
                0 => findings.user_version = row.i64(0)?,
                1 => findings.objects.push(Object {
                    name: row.text(0)?.to_owned(),
                    kind: row.text(1)?.to_owned(),
                    sql: row.text(2)?.to_owned(),
                }),
                _ => findings.peer_columns.push(row.text(0)?.to_owned()),
            }
            Ok(())
        })?;
        self.has_names = findings.has_names();
        let layout = findings.layout()?;
        if layout == Layout::Empty {
            self.connection.check_empty()?;
        }
        if let Layout::Schema10(_) = layout {
            self.reads_as = schema10::READ_AS_OURS;
        }
        self.connection.set_ours(layout == Layout::Ours);
        Ok(layout)
    }

    /// Makes sure that the database has our tables, with what an older release kept in its own.
    pub(super) fn prepare(&mut self) -> io::Result<()> {
        if self.connection.is_ours()? {
            return Ok(());
        }
        for _ in 0..MAX_READ_ATTEMPTS {
            let layout = self.look()?;
            if layout == Layout::Ours {
                // What was known is older than this look.
                self.known = None;
                return Ok(());
            }
            let keep = Keep {
                copy: true,
                old_session: true,
            };
            let statements = match self.make_ours(&layout, keep) {
                Err(_) if !self.connection.is_unchanged()? => continue,
                made => made?,
            };
            let written = self.write_if_nothing_changed(statements, Durability::Now);
            if matches!(written, Ok(true)) {
                self.connection.set_ours(true);
                self.known = (layout == Layout::Empty).then_some(None);
                self.has_names = false;
                self.reads_as = "";
                return Ok(());
            }
            // If another program was faster, the database is no longer what this was planned for.
            if let Err(error) = written
                && self.look().map_or(true, |now| now == layout)
            {
                return Err(error);
            }
        }
        Err(io::Error::new(
            io::ErrorKind::WouldBlock,
            "other programs keep changing its tables: stop those of older releases",
        ))
    }

    /// The statements that make a database ours. They fail when it is another one by then.
    pub(super) fn make_ours(&mut self, layout: &Layout, keep: Keep) -> io::Result<Vec<Statement>> {
        let mark = self.connection.mark();
        let mut statements = Vec::new();
        match layout {
            Layout::Ours => return Ok(statements),
            Layout::Empty => {
                statements.push(schema::only_from(0));
                statements.extend(definition::create());
            }
            Layout::Schema10(beside) => {
                statements.push(schema::only_from(schema10::VERSION));
                let old = self.take_over(SECOND_SESSION, beside, keep, &mut statements)?;
                statements.extend(schema10::migrate());
                statements.extend(old);
            }
            Layout::Legacy(tables) => {
                statements.push(schema::only_from(tables.user_version));
                let old = self.take_over(DEFAULT_ACCOUNT, tables, keep, &mut statements)?;
                statements.extend(definition::create());
                statements.extend(old);
            }
        }
        statements.extend(mark);
        Ok(statements)
    }

    /// Adds what makes room for our tables; gives the statements that store the session of an older
    /// release under this name.
    fn take_over(
        &mut self,
        name: &str,
        tables: &LegacyTables,
        keep: Keep,
        statements: &mut Vec<Statement>,
    ) -> io::Result<Vec<Statement>> {
        if keep.copy {
            statements.extend(self.connection.keep_old(tables)?);
        }
        let mut save = Vec::new();
        if keep.old_session && tables.are_whole() {
            let is_second = name != DEFAULT_ACCOUNT;
            match legacy::read(&mut *self.connection, tables) {
                Ok(Some(_)) if is_second && self.account_names()?.iter().any(|own| own == name) => {
                    set_aside(tables, statements);
                }
                Ok(Some(old)) => {
                    check(&old)?;
                    save = save_as(name, &old);
                }
                Ok(None) => {}
                // What is damaged beside our own accounts must not keep them from being used.
                Err(error) if is_second && error.kind() == io::ErrorKind::InvalidData => {
                    set_aside(tables, statements);
                }
                Err(error) => return Err(error),
            }
            if is_second {
                event::emit(|| Event::SecondSession {
                    account: name.to_owned(),
                });
            }
        }
        statements.extend(schema::drop_legacy());
        Ok(save)
    }
}

/// Keeps tables that cannot be read under other names, unless that is done already.
fn set_aside(tables: &LegacyTables, statements: &mut Vec<Statement>) {
    let is_only_the_check = statements.len() <= 1;
    if is_only_the_check {
        statements.extend(schema::keep_legacy(tables));
    }
}

fn save_as(name: &str, old: &SessionRecord) -> Vec<Statement> {
    plan::save(name, None, old)
}
