//! Reading: what may be believed of an answer.
//!
//! Nothing is, unless its transaction was begun and committed, every step of it has a result, and the
//! row is there that every database has: its `user_version`.

use std::io;

use super::RemoteConnection;
use super::failure::Failure;
use super::hrana::{Answer, Batch, Condition};
use super::http::pause;
use super::page::Page;
use super::value::Cell;
use crate::backends::sql::connection::OnRow;
use crate::backends::sql::statement::{Select, Value, ValueRef};
use crate::event::{self, Event};

/// How often a read is repeated because others wrote in the middle of it.
const CONFLICTS: u32 = 50;

/// How often a read is repeated that is older than what was written through this connection.
const OLD_READS: u32 = 4;

/// The row that every database has, and whether this one has a fence.
const PROOF: &str = "\
    SELECT user_version, EXISTS
        (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'server_write')
    FROM pragma_user_version";
/// The same where the database is known to have one.
const PROOF_OF_OURS: &str = "SELECT user_version, 1 FROM pragma_user_version";
/// The newest write.
pub(super) const HEAD: &str = "\
    SELECT (SELECT id FROM server_write WHERE account = ?1 ORDER BY id DESC LIMIT 1),
        (SELECT tag FROM server_write WHERE account = ?1 ORDER BY id DESC LIMIT 1)";
/// The newest write, whether the write `?2` was carried out, and whether the tags go back as far as
/// the write `?3` that it was to follow.
pub(super) const LOOK: &str = "\
    SELECT max(id),
        (SELECT tag FROM server_write WHERE account = ?1 ORDER BY id DESC LIMIT 1),
        EXISTS (SELECT 1 FROM server_write WHERE account = ?1 AND tag = ?2),
        count(*) < 64 OR EXISTS (SELECT 1 FROM server_write WHERE account = ?1 AND tag = ?3)
    FROM server_write WHERE account = ?1";
/// A write that changes nothing. A copy of the database passes it on to where writes are carried out,
/// and so what follows it in the transaction is read there.
pub(super) const GO_TO_PRIMARY: &str = "\
    UPDATE server_write SET tag = tag
    WHERE id = (SELECT id FROM server_write WHERE account = ?1 ORDER BY id DESC LIMIT 1)";

/// The newest write of an account at some moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// Its place in the order of all writes; 0 before the first.
    pub(super) id: i64,
    pub(super) tag: Option<i64>,
}

/// What a look for a certain write found.
pub(super) struct Look {
    pub(super) head: Head,
    /// The write was carried out.
    pub(super) is_stored: bool,
    /// The tags go back far enough to say that it was not.
    pub(super) is_known: bool,
}

/// Where a read is to be carried out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Anywhere,
    /// Where writes are. It waits for other writers.
    Primary,
}

/// The parts of a read transaction, by their steps.
struct Transaction {
    begin: usize,
    proof: usize,
    selects: Vec<usize>,
    /// The last step before the head, which must have been carried out.
    last: usize,
    head: usize,
    commit: usize,
}

impl Transaction {
    fn build<'s>(
        batch: &mut Batch<'s>,
        pages: &'s [Page<'_>],
        place: Place,
        is_ours: bool,
        account: &'s Value,
        head: (&'static str, &'s [Value]),
    ) -> Self {
        let begin = match place {
            Place::Anywhere => "BEGIN",
            Place::Primary => "BEGIN IMMEDIATE",
        };
        let begin = batch.push(begin, [], None);
        let mut last = begin;
        if place == Place::Primary && is_ours {
            batch.then(&mut last, GO_TO_PRIMARY, [account]);
        }
        let proof = if is_ours { PROOF_OF_OURS } else { PROOF };
        let proof = batch.then(&mut last, proof, []);
        let selects = pages
            .iter()
            .map(|page| batch.then(&mut last, page.sql(), page.params()))
            .collect();
        let (sql, more) = head;
        let head = batch.push(
            sql,
            core::iter::once(account).chain(more),
            Condition::after(last),
        );
        let commit = batch.push("COMMIT", [], Condition::after(last));
        Self {
            begin,
            proof,
            selects,
            last,
            head,
            commit,
        }
    }

    /// The cells of the head, once all else was seen to be right. `None` where there is no fence yet.
    fn believe<'r, 'a>(
        &self,
        answer: &'r Answer<'a>,
        width: usize,
    ) -> Result<Option<&'r [Cell<'a>]>, Failure> {
        if let Some((step, error)) = answer.stop(self.begin, self.last)? {
            // Nothing of a transaction that did not begin says anything about the database.
            if step == self.begin && error.is_busy() {
                let message = error.to_string();
                return Err(Failure::not_carried_out(io::ErrorKind::WouldBlock, message));
            }
            return Err(Failure::refused(io::ErrorKind::Other, error.to_string()));
        }
        if let Some((_, error)) = answer.stop(self.commit, self.commit)? {
            let message = error.to_string();
            return Err(Failure::not_carried_out(io::ErrorKind::WouldBlock, message));
        }
        let [version, has_fence] = answer.row(self.proof, 2)? else {
            return Err(Failure::garbled("no schema number"));
        };
        integer(version)?.ok_or_else(|| Failure::garbled("no schema number"))?;
        if !is_true(has_fence)? {
            return Ok(None);
        }
        match answer.error(self.head) {
            Some(error) => Err(Failure::refused(io::ErrorKind::Other, error.to_string())),
            None => answer.row(self.head, width).map(Some),
        }
    }
}

impl RemoteConnection {
    /// Reads the pages and the newest write. A copy of the database that is behind may not have our
    /// tables yet, or still those of an older release.
    fn read_pages(&mut self, pages: &mut [Page<'_>]) -> Result<Head, Failure> {
        match self.send_read(pages) {
            Err(failure)
                if failure.is_refusal() && self.is_ours && self.call.place == Place::Anywhere =>
            {
                self.call.place = Place::Primary;
                self.send_read(pages)
            }
            read => read,
        }
    }

    /// Sends one read transaction; returns the newest write that it saw.
    fn send_read(&mut self, pages: &mut [Page<'_>]) -> Result<Head, Failure> {
        let account = Value::from(self.account.as_str());
        let mut batch = Batch::default();
        let transaction = Transaction::build(
            &mut batch,
            pages,
            self.call.place,
            self.is_ours,
            &account,
            (HEAD, &[]),
        );
        let (body, steps) = (encode(&batch)?, batch.len());
        drop(batch);
        let call = &mut self.call;
        let exchanged = self.server.exchange(&body, call.until, |answer| {
            let bytes_left = call.bytes_left.checked_sub(answer.len());
            call.bytes_left = bytes_left.ok_or_else(too_many_bytes)?;
            let answer = Answer::decode(answer, steps)?;
            let head = match transaction.believe(&answer, 2)? {
                Some([id, tag]) => head_of(id, tag)?,
                _ => Head::default(),
            };
            // Only what is kept counts.
            let mut rows_left = call.rows_left;
            for (page, step) in pages.iter_mut().zip(&transaction.selects) {
                page.take(&answer, *step, &mut rows_left)?;
            }
            call.rows_left = rows_left;
            Ok(head)
        });
        exchanged.map(|(head, _)| head)
    }

    /// The newest write now.
    pub(super) fn read_head(&mut self) -> Result<Head, Failure> {
        self.read_pages(&mut [])
    }

    /// Asks, where writes are carried out, what became of the write `to` that was to follow `from`.
    pub(super) fn look(&mut self, from: Option<i64>, to: i64) -> Result<Look, Failure> {
        let account = Value::from(self.account.as_str());
        let tags = [Value::from(to), Value::from(from)];
        let mut batch = Batch::default();
        let head = (LOOK, &tags[..]);
        let transaction = Transaction::build(
            &mut batch,
            &[],
            Place::Primary,
            self.is_ours,
            &account,
            head,
        );
        let (body, steps) = (encode(&batch)?, batch.len());
        let exchanged = self.server.exchange(&body, self.call.until, |answer| {
            let answer = Answer::decode(answer, steps)?;
            let Some(cells) = transaction.believe(&answer, 4)? else {
                // Without a fence nothing was ever written.
                return Ok(Look {
                    head: Head::default(),
                    is_stored: false,
                    is_known: true,
                });
            };
            let [id, tag, is_stored, is_known] = cells else {
                return Err(Failure::garbled("no tags"));
            };
            Ok(Look {
                head: head_of(id, tag)?,
                is_stored: is_true(is_stored)?,
                is_known: is_true(is_known)?,
            })
        });
        exchanged.map(|(look, _)| look)
    }

    /// Reads everything as of one moment.
    pub(super) fn read_at_one_moment(
        &mut self,
        selects: &[Select],
        on_row: &mut OnRow<'_>,
    ) -> io::Result<()> {
        self.seen = None;
        let mut old_reads = 0_u32;
        for attempt in 0..CONFLICTS {
            if old_reads >= OLD_READS {
                self.call.place = Place::Primary;
            }
            let rows_left = self.call.rows_left;
            let (head, pages) = match self.read_all(selects) {
                Ok(Some(read)) => read,
                Ok(None) => {
                    self.call.rows_left = rows_left;
                    self.wait(pause(attempt)).map_err(Failure::of_read)?;
                    continue;
                }
                Err(failure) => return Err(failure.of_read()),
            };
            if head.id < self.own_write && self.call.place == Place::Anywhere {
                // A copy of the database that is behind.
                old_reads = old_reads.saturating_add(1);
                self.call.rows_left = rows_left;
                self.wait(pause(attempt)).map_err(Failure::of_read)?;
                continue;
            }
            if head.id < self.own_write {
                // Set back: what the server has now is what there is.
                event::emit(|| Event::SetBack {
                    server: self.server.url().to_owned(),
                });
                self.own_write = 0;
            }
            self.seen = Some(head.tag);
            let given = pages.iter().try_for_each(|page| page.give(on_row));
            return given.map_err(|error| of_rows(&error));
        }
        Err(super::contended().of_read())
    }

    /// All pages of all selects. `None` when somebody wrote in between.
    fn read_all<'s>(
        &mut self,
        selects: &'s [Select],
    ) -> Result<Option<(Head, Vec<Page<'s>>)>, Failure> {
        let first = |(index, select)| Page::first(index, select);
        let mut pages: Vec<_> = selects.iter().enumerate().map(first).collect();
        let head = self.read_pages(&mut pages)?;
        let mut done = Vec::new();
        while !pages.is_empty() {
            let mut next: Vec<_> = pages.iter().filter_map(Page::next).collect();
            done.append(&mut pages);
            if !next.is_empty() && self.read_pages(&mut next)? != head {
                return Ok(None);
            }
            pages = next;
        }
        Ok(Some((head, done)))
    }
}

/// A request that cannot be encoded was not sent.
pub(super) fn encode(batch: &Batch<'_>) -> Result<zeroize::Zeroizing<Vec<u8>>, Failure> {
    batch.encode().map_err(|error| Failure::about(&error))
}

/// An error about what was read, as one of the server's.
fn of_rows(error: &io::Error) -> io::Error {
    Failure::about(error).of_read()
}

fn too_many_bytes() -> Failure {
    let message = "the server sends more bytes than a call takes: its lists may never end";
    Failure::refused(io::ErrorKind::InvalidData, message)
}

fn head_of(id: &Cell<'_>, tag: &Cell<'_>) -> Result<Head, Failure> {
    match (integer(id)?, integer(tag)?) {
        (Some(id), Some(tag)) if id > 0 => Ok(Head { id, tag: Some(tag) }),
        (None, None) => Ok(Head::default()),
        _ => Err(Failure::garbled("half a tag")),
    }
}

/// A number, or nothing.
fn integer(cell: &Cell<'_>) -> Result<Option<i64>, Failure> {
    match cell.value_ref() {
        ValueRef::Integer(value) => Ok(Some(value)),
        ValueRef::Null => Ok(None),
        _ => Err(Failure::garbled("something else where a number belongs")),
    }
}

fn is_true(cell: &Cell<'_>) -> Result<bool, Failure> {
    match integer(cell)? {
        Some(0) => Ok(false),
        Some(1) => Ok(true),
        _ => Err(Failure::garbled("neither yes nor no")),
    }
}
