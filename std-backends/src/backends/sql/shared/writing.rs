//! Writing to a database that several handles share, one turn after the other.

use core::sync::atomic::Ordering;
use core::time::Duration;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::Shared;
use crate::backends::sql::line::{Done, Job, Joined, Line, deadline};
use crate::backends::sql::local_connect;
use crate::backends::sql::local_error::explain;
use crate::backends::sql::local_file::{make_private, use_wal};
use crate::backends::sql::owners::refuse_planted;
use crate::backends::sql::writer::Writer;
use crate::sync::lock;

impl Shared {
    /// Carries out a write when it is its turn, alone or with others.
    pub(in crate::backends::sql) fn write(&self, job: Job, patience: Duration) -> io::Result<Done> {
        let job = Arc::new(job);
        let until = deadline(patience);
        match self.line.join(&job, until) {
            Joined::Ended(result) => result,
            Joined::Turn => {
                let _turn = Turn(&self.line);
                let left = until.map_or(patience, |until| {
                    until.saturating_duration_since(Instant::now())
                });
                let carried_out = self.with_writer(|writer| {
                    // Left so by a panic.
                    writer.unlock();
                    self.carry_out(writer, &job, left);
                    Ok(())
                });
                if let Err(error) = carried_out {
                    self.line.leave(&job);
                    return Err(error);
                }
                job.into_result()
            }
        }
    }

    /// Carries out a job whose turn it is, and what waits with it.
    fn carry_out(&self, writer: &mut Writer, job: &Arc<Job>, patience: Duration) {
        let result = writer.open.set_busy_timeout(patience).and_then(|()| {
            if !job.stands_alone() && self.line.together() > 1 {
                return writer
                    .write_together(&self.line, job, patience)
                    .map(|()| None);
            }
            self.line.leave(job);
            let is_unchanged = |since| self.is_unchanged(since);
            writer.write(job, &is_unchanged, patience).map(Some)
        });
        match result {
            Ok(None) => {}
            Ok(Some(done)) => job.ends(Ok(done)),
            Err(error) => {
                self.line.leave(job);
                job.ends(Err(explain(&error)));
            }
        }
    }

    /// Keeps all other writers out, until [`write_locked`](Self::write_locked) or [`unlock`](Self::unlock).
    pub(in crate::backends::sql) fn lock(&self, patience: Duration) -> io::Result<()> {
        self.line.take_turn(deadline(patience))?;
        let turn = Turn(&self.line);
        self.with_writer(|writer| {
            writer.unlock();
            let begun = writer
                .open
                .set_busy_timeout(patience)
                .and_then(|()| writer.lock());
            begun.map_err(|error| explain(&error))
        })?;
        core::mem::forget(turn);
        Ok(())
    }

    /// Carries out the write for which the others were kept out.
    pub(in crate::backends::sql) fn write_locked(
        &self,
        job: &Job,
        patience: Duration,
    ) -> io::Result<Done> {
        let _turn = Turn(&self.line);
        self.with_writer(|writer| {
            let is_unchanged = |since| self.is_unchanged(since);
            let written = writer.write(job, &is_unchanged, patience);
            written.map_err(|error| explain(&error))
        })
    }

    /// Lets the others write again.
    pub(in crate::backends::sql) fn unlock(&self) {
        let _turn = Turn(&self.line);
        if let Some(writer) = lock(&self.writer).as_mut() {
            writer.unlock();
        }
    }

    /// Lends the writer while it is nobody else's turn.
    pub(in crate::backends::sql) fn alone<R>(
        &self,
        patience: Duration,
        call: impl FnOnce(&mut Writer) -> io::Result<R>,
    ) -> io::Result<R> {
        self.line.take_turn(deadline(patience))?;
        let _turn = Turn(&self.line);
        self.with_writer(|writer| {
            writer.unlock();
            let set = writer.open.set_busy_timeout(patience);
            set.map_err(|error| explain(&error))?;
            call(writer)
        })
    }

    /// Opens the writer and prepares the file at `path` for it: journal mode and file mode.
    pub(in crate::backends::sql) fn prepare(
        &self,
        path: &Path,
        patience: Duration,
    ) -> io::Result<()> {
        if self.is_prepared() {
            return Ok(());
        }
        self.line.take_turn(deadline(patience))?;
        let _turn = Turn(&self.line);
        let mut writer = lock(&self.writer);
        let writer = match &mut *writer {
            Some(writer) => writer,
            none => {
                let open = local_connect::to_write(path, || self.connect_again(patience))?;
                none.insert(Writer::new(open))
            }
        };
        writer.unlock();
        refuse_planted(path)?;
        make_private(path)?;
        // The tables of a new database come first, and the log with the write after that; see
        // `check_log_of_empty`.
        let is_empty = writer.open.is_empty().map_err(|error| explain(&error))?;
        if !is_empty && !self.is_prepared() {
            use_wal(&writer.open.database, path, patience)?;
            self.is_prepared.store(true, Ordering::Release);
        }
        Ok(())
    }
}

/// Somebody's turn to write.
struct Turn<'l>(&'l Line);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.end_turn();
    }
}
