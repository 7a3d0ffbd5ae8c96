//! Writing: a change is carried out once, and what became of it is found out.
//!
//! A write names the tag of the write that it follows and carries a tag of its own. The same request can
//! be sent again and again: where its tag is already there, or another write came in between, the fence
//! ends the transaction.

use std::io;

use super::RemoteConnection;
use super::failure::Failure;
use super::hrana::{Answer, Batch, Condition};
use super::http::pause;
use super::read::{Head, encode};
use crate::backends::sql::connection::{Write, Written};
use crate::backends::sql::statement::{Value, ValueRef};
use crate::backends::sql::{definition, schema};
use crate::unique::unique_number;

/// How often a write is repeated because others wrote at the same time.
const CONFLICTS: u32 = 50;

pub(super) const FENCE: &str = "\
    INSERT INTO server_write (account, tag) VALUES (
        CASE WHEN (SELECT tag FROM server_write WHERE account = ?1 ORDER BY id DESC LIMIT 1) IS ?2
        THEN ?1 END, ?3)
    RETURNING id";
pub(super) const FORGET_OLD_TAGS: &str = "\
    DELETE FROM server_write WHERE account = ?1 AND id NOT IN
        (SELECT id FROM server_write WHERE account = ?1 ORDER BY id DESC LIMIT 64)";

/// What the answer to one request says.
enum Answered {
    /// Committed; the write's place in the order of all writes.
    Stored { id: i64 },
    /// The fence or the commit failed, in the server's words: only a look can tell what that means.
    Unsettled { words: String, at_commit: bool },
}

/// What became of a write.
enum Settled {
    Stored {
        id: i64,
    },
    /// Somebody else's write came before; it will never be carried out.
    Lost(Head),
}

impl RemoteConnection {
    /// Sends a write transaction, until it is answered.
    fn send_write(
        &mut self,
        write: &Write,
        from: Option<i64>,
        to: i64,
    ) -> Result<(Answered, bool), Failure> {
        let account = Value::from(self.account.as_str());
        let (from, to) = (Value::from(from), Value::from(to));
        let mut batch = Batch::default();
        let begin = batch.push("BEGIN IMMEDIATE", [], None);
        let mut last = begin;
        if !self.is_ours {
            batch.then(&mut last, definition::CREATE_SERVER_WRITE, []);
        }
        let fence = batch.then(&mut last, FENCE, [&account, &from, &to]);
        for statement in &write.statements {
            batch.then(&mut last, statement.sql, &statement.params);
        }
        batch.then(&mut last, FORGET_OLD_TAGS, [&account]);
        let commit = batch.then(&mut last, "COMMIT", []);
        batch.push("ROLLBACK", [], Condition::in_transaction());

        let (body, steps) = (encode(&batch)?, batch.len());
        self.server.exchange(&body, self.call.until, |answer| {
            let answer = Answer::decode(answer, steps)?;
            let Some((stop, error)) = answer.stop(begin, commit)? else {
                return stored_id(&answer, fence).map(|id| Answered::Stored { id });
            };
            let words = error.to_string();
            if stop == begin && error.is_busy() {
                return Err(Failure::not_carried_out(io::ErrorKind::WouldBlock, words));
            }
            if stop == fence || stop == commit {
                let at_commit = stop == commit;
                return Ok(Answered::Unsettled { words, at_commit });
            }
            if error.is_not_owner() {
                return Err(Failure::about(&schema::somebody_elses()));
            }
            if error.is_too_many_dcs() {
                return Err(Failure::about(&schema::too_many_dcs()));
            }
            Err(Failure::refused(io::ErrorKind::Other, words))
        })
    }

    /// Carries a write out, or finds out that it never will be.
    ///
    /// # Errors
    /// When it was refused for another reason than another write, and when that cannot be found out.
    fn settle(&mut self, write: &Write, from: Option<i64>, to: i64) -> Result<Settled, Failure> {
        let mut attempt = 0;
        loop {
            let failure = match self.send_write(write, from, to) {
                Ok((Answered::Stored { id }, _)) => return Ok(Settled::Stored { id }),
                Ok((Answered::Unsettled { words, at_commit }, may_arrive)) => Failure {
                    is_unknown: may_arrive || at_commit,
                    ..Failure::not_carried_out(io::ErrorKind::Other, self.server.quote(&words))
                },
                // Nothing of it was carried out, and nothing will be.
                Err(failure) if !failure.is_unknown => return Err(failure),
                Err(failure) => Failure {
                    can_be_repeated: false,
                    ..failure
                },
            };
            let Ok(look) = self.look(from, to) else {
                return Err(failure);
            };
            if look.is_stored {
                return Ok(Settled::Stored { id: look.head.id });
            }
            if look.head.tag != from {
                // Another write follows `from`, so no copy of this one can any more; unless one did, so
                // long ago that its tag is forgotten.
                return if look.is_known || !failure.is_unknown {
                    Ok(Settled::Lost(look.head))
                } else {
                    Err(failure)
                };
            }
            // Not carried out yet. The same request again cannot do harm.
            if !failure.can_be_repeated || attempt >= self.server.options().retries {
                return Err(failure);
            }
            if self.wait(pause(attempt)).is_err() {
                return Err(failure);
            }
            attempt = attempt.saturating_add(1);
        }
    }

    pub(super) fn write_until_stored(&mut self, write: &Write) -> Result<Written, Failure> {
        let known = self.seen.take();
        let mut from = match known {
            Some(tag) => tag,
            None if write.if_unchanged => return Ok(Written::Conflict),
            None => self.read_head()?.tag,
        };
        for attempt in 0..CONFLICTS {
            let to = unique_number().cast_signed();
            match self.settle(write, from, to)? {
                Settled::Stored { id } => {
                    self.own_write = self.own_write.max(id);
                    // What the caller knows is only good while no other write came in between.
                    self.seen = (known == Some(from)).then_some(Some(to));
                    return Ok(Written::Done);
                }
                Settled::Lost(_) if write.if_unchanged => return Ok(Written::Conflict),
                Settled::Lost(head) => {
                    from = head.tag;
                    self.wait(pause(attempt.min(3)))?;
                }
            }
        }
        Err(super::contended())
    }
}

/// The row that the fence returns: its number.
fn stored_id(answer: &Answer<'_>, fence: usize) -> Result<i64, Failure> {
    match answer.row(fence, 1)? {
        [id] => match id.value_ref() {
            ValueRef::Integer(id) if id > 0 => Ok(id),
            _ => Err(Failure::garbled("no number of the write")),
        },
        _ => Err(Failure::garbled("no number of the write")),
    }
}
