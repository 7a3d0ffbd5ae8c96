//! The connection through which a process writes to a database, for all of its handles.
//!
//! What waits in the [line](super::line) is carried out in one transaction, each write in a savepoint of its
//! own, with one commit and so with one flush. There is no timer: who is alone waits for nobody.

use core::time::Duration;
use std::io;
use std::sync::Arc;

use rusqlite::ErrorCode;

use super::connection::{Durability, Written};
use super::copies;
use super::line::{Basis, Done, Job, Line};
use super::local::DEFAULT_BUSY_TIMEOUT;
use super::local_error::explain;
use super::local_open::{Moment, Open};
use super::main_file::Debt;
use super::statement::Statement;
use crate::flush::LastFlush;

/// A commit of a writer. Nobody has committed anything since, as long as it is the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Commit {
    /// What other connections have committed until then.
    others: Moment,
    /// How many the writer itself has carried out.
    number: u64,
}

/// Says whether nothing was committed since another connection has read.
pub(super) type IsUnchanged<'f> = dyn Fn(Moment) -> rusqlite::Result<bool> + 'f;

/// A connection, and what is known of what was written through it and by others.
pub(super) struct Writer {
    pub(super) open: Open,
    /// How many commits it has carried out.
    commits: u64,
    /// The last commit of others that was seen here.
    others: Option<i64>,
    /// The newest commit, where everything is known to be on the disk.
    flushed: Option<Commit>,
    last_flush: LastFlush,
    /// What the main file may lack of what was acknowledged.
    pub(super) debt: Debt,
    /// Whether a transaction is open that keeps other writers out.
    is_locked: bool,
}

impl Writer {
    pub(super) fn new(open: Open) -> Self {
        Self {
            open,
            commits: 0,
            others: None,
            flushed: None,
            last_flush: LastFlush::default(),
            debt: Debt::of_others(),
            is_locked: false,
        }
    }

    /// The newest commit.
    fn newest(&mut self) -> rusqlite::Result<Commit> {
        let others = self.open.moment()?;
        if self.others.replace(others.version) != Some(others.version) {
            self.debt.may_have_grown();
        }
        Ok(Commit {
            others,
            number: self.commits,
        })
    }

    /// Whether the log has reached the disk, and the last login the main file.
    pub(super) fn is_flushed(&mut self) -> rusqlite::Result<bool> {
        let newest = self.newest()?;
        Ok(self.flushed == Some(newest) && self.debt.is_settled())
    }

    /// Begins a transaction that keeps all other writers out.
    fn begin(&mut self, durability: Durability) -> rusqlite::Result<()> {
        // Not possible within the transaction.
        self.open.set_synchronous(durability)?;
        self.open.control("BEGIN IMMEDIATE")?;
        self.is_locked = true;
        Ok(())
    }

    fn commit(&mut self) -> rusqlite::Result<()> {
        self.open.control("COMMIT")?;
        self.is_locked = false;
        Ok(())
    }

    /// Begins the transaction of a write that is not known yet.
    pub(super) fn lock(&mut self) -> rusqlite::Result<()> {
        self.begin(Durability::Now)
    }

    /// Ends it without a write.
    pub(super) fn unlock(&mut self) {
        if core::mem::take(&mut self.is_locked) {
            // It fails where SQLite has ended the transaction itself, after an error.
            let _ = self.open.control("ROLLBACK");
        }
    }

    /// Puts the whole content of another database in place of this one's.
    pub(super) fn replace_by(&mut self, from: &Open) -> io::Result<()> {
        self.open
            .set_synchronous(Durability::Now)
            .map_err(|error| explain(&error))?;
        self.commits = self.commits.wrapping_add(1);
        let to = &mut self.open.database;
        copies::write_into(&from.database, to, DEFAULT_BUSY_TIMEOUT)?;
        self.debt.grows_by_login();
        self.debt.settle(&mut self.open, DEFAULT_BUSY_TIMEOUT);
        Ok(())
    }

    /// Whether a job has to be on the disk when it is acknowledged.
    fn is_due(&mut self, job: &Job) -> bool {
        job.write.durability == Durability::Now || self.last_flush.is_due(job.policy)
    }

    /// Carries out a job on its own, in the transaction that [`lock`](Self::lock) began if it did.
    pub(super) fn write(
        &mut self,
        job: &Job,
        is_unchanged: &IsUnchanged<'_>,
        patience: Duration,
    ) -> rusqlite::Result<Done> {
        let durability = if self.is_locked || self.is_due(job) {
            Durability::Now
        } else {
            Durability::Soon
        };
        let done = match self.write_statement(job, durability)? {
            Some(done) => done,
            None => self.write_transaction(job, durability, is_unchanged)?,
        };
        self.pay([(job, done.written)], patience);
        Ok(done)
    }

    /// Carries out a single statement without a transaction, which costs more than finding a row: where it
    /// does not depend on what is there, or nobody has written since that was known.
    fn write_statement(
        &mut self,
        job: &Job,
        durability: Durability,
    ) -> rusqlite::Result<Option<Done>> {
        let is_single = job.write.statements.len() == 1;
        if self.is_locked || !is_single || job.write.if_unchanged {
            return Ok(None);
        }
        let before = self.newest()?;
        let needs_before = job.write.known.is_some();
        if needs_before && job.since != Some(before) {
            return Ok(None);
        }
        self.open.set_synchronous(durability)?;
        self.open.execute(&job.write.statements)?;
        // What others have committed in between may have come before it or after.
        let is_overtaken = self.newest()? != before;
        let at = self.has_committed(job, Written::Done, before, durability);
        Ok(Some(Done {
            written: if needs_before && is_overtaken {
                Written::Overtaken
            } else {
                Written::Done
            },
            at: at.filter(|_| !is_overtaken),
        }))
    }

    fn write_transaction(
        &mut self,
        job: &Job,
        durability: Durability,
        is_unchanged: &IsUnchanged<'_>,
    ) -> rusqlite::Result<Done> {
        if !self.is_locked {
            self.begin(durability)?;
        }
        let carried_out = self.newest().and_then(|before| {
            let is_current = match job.since {
                Some(since) => since == before,
                None => false,
            };
            let written = self.carry_out(job, is_current, is_unchanged)?;
            if written != Written::Conflict {
                self.commit()?;
            }
            Ok((before, written))
        });
        self.unlock();
        let (before, written) = carried_out?;
        let at = self.has_committed(job, written, before, durability);
        Ok(Done { written, at })
    }

    /// Carries out all jobs that wait, in one transaction.
    ///
    /// # Errors
    /// When the transaction could not begin; all of them still wait then.
    pub(super) fn write_together(
        &mut self,
        line: &Line,
        own: &Arc<Job>,
        patience: Duration,
    ) -> rusqlite::Result<()> {
        let durability = line.durability_together(&mut |job| self.is_due(job));
        self.begin(durability)?;
        let fits = &mut |job: &Job| {
            durability == Durability::Now
                || core::ptr::eq(job, &raw const **own)
                || !self.is_due(job)
        };
        let taken = line.take_together(fits);
        let carried_out = self.carry_out_all(taken.jobs(), durability);
        self.unlock();
        match carried_out {
            Ok(done) => {
                let written = taken.jobs().iter().zip(&done).filter_map(|(job, done)| {
                    let done = done.as_ref().ok()?;
                    Some((&**job, done.written))
                });
                self.pay(written, patience);
                taken.end(done);
            }
            Err(error) => {
                // Nothing is stored. Those who are ready to wait for longer than this one still do.
                let is_busy = error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
                taken.fail(line, |job| {
                    let waits = is_busy && !core::ptr::eq(job, &raw const **own);
                    (!waits).then(|| explain(&error))
                });
            }
        }
        Ok(())
    }

    /// Carries out jobs in the transaction that has begun, and commits it. The outer error is everybody's.
    fn carry_out_all(
        &mut self,
        jobs: &[Arc<Job>],
        durability: Durability,
    ) -> rusqlite::Result<Vec<io::Result<Done>>> {
        let before = self.newest()?;
        let mut results = Vec::with_capacity(jobs.len());
        for job in jobs {
            self.open.control("SAVEPOINT one")?;
            // Another one in this transaction may have changed the same account.
            let written = self.carry_out(job, false, &|_| Ok(false));
            let written = match written {
                // SQLite has ended the whole transaction.
                Err(error) if self.open.database.is_autocommit() => return Err(error),
                Err(error) => {
                    self.open.control("ROLLBACK TO one")?;
                    Err(error)
                }
                written => written,
            };
            self.open.control("RELEASE one")?;
            results.push(written);
        }
        self.commit()?;
        let mut done = Vec::with_capacity(jobs.len());
        for (job, written) in jobs.iter().zip(results) {
            let written = written.map_err(|error| explain(&error));
            done.push(written.map(|written| {
                let at = self.has_committed(job, written, before, durability);
                Done { written, at }
            }));
        }
        Ok(done)
    }

    /// Carries a job out within a transaction.
    fn carry_out(
        &self,
        job: &Job,
        is_current: bool,
        is_unchanged: &IsUnchanged<'_>,
    ) -> rusqlite::Result<Written> {
        let write = &job.write;
        let is_current = match &write.known {
            Some(known) => is_current || self.open.revision_of(&known.name)? == known.revision,
            None if write.if_unchanged => match job.basis {
                Basis::Nothing => self.open.is_empty()?,
                Basis::Unknown => false,
                Basis::Read(moment) if moment.connection == self.open.id() => {
                    moment == self.open.moment()?
                }
                Basis::Read(moment) => is_unchanged(moment)?,
            },
            None => true,
        };
        if write.if_unchanged && !is_current {
            return Ok(Written::Conflict);
        }
        self.open.execute(&write.statements)?;
        Ok(if is_current {
            Written::Done
        } else {
            Written::Overtaken
        })
    }

    /// Notes what was committed.
    fn has_committed(
        &mut self,
        job: &Job,
        written: Written,
        before: Commit,
        durability: Durability,
    ) -> Option<Commit> {
        if written == Written::Conflict {
            return None;
        }
        self.commits = self.commits.wrapping_add(1);
        let at = Commit {
            number: self.commits,
            ..before
        };
        // One that changes nothing is not flushed either.
        let leaves_revision = job.write.statements.iter().any(Statement::is_revising);
        if durability == Durability::Now && leaves_revision {
            self.flushed = Some(at);
            self.last_flush.is_now();
        }
        Some(at)
    }

    /// Copies logins that were committed into the main file.
    fn pay<'j>(
        &mut self,
        written: impl IntoIterator<Item = (&'j Job, Written)>,
        patience: Duration,
    ) {
        let mut has_committed = false;
        for (job, written) in written {
            if written != Written::Conflict {
                has_committed = true;
                if job.write.durability == Durability::Now {
                    self.debt.grows_by_login();
                }
            }
        }
        if has_committed {
            self.debt.settle(&mut self.open, patience);
        }
    }
}
