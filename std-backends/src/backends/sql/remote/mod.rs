//! The driver for databases on libSQL servers.
//!
//! A request can be lost, and so can its answer; a request that was given up can reach the server later,
//! after one that was sent after it. So each write carries a random tag, and names the tag of the write
//! that it follows: the server refuses it when another write came in between, or when it was there
//! already. That makes it safe to repeat, and never carried out twice.
//!
//! | answer | what is believed | what is done |
//! |---|---|---|
//! | no connection | it was not sent | again |
//! | 429, `BEGIN` refused as busy | this copy was not carried out | again |
//! | 400 to 428, 430 to 499, `BEGIN` refused, an error of a statement | this copy was not carried out | an error, with the server's own words |
//! | 500 to 599, no answer, a garbled one | nothing: it may still arrive | again, then a look for the write's tag |
//! | the fence or `COMMIT` failed | nothing | a look |
//!
//! A status 503 alone therefore does not mean that nothing was changed: a proxy that lost the server in
//! the middle of a request answers with it, too. It does when only reads were sent before.
//!
//! What was read may be old: a copy of the database that is nearer answers for it, and lags. An answer
//! without this process's own newest write is not taken, and "no session" is asked for once more where
//! writes are carried out.

mod address;
mod failure;
mod hrana;
mod http;
mod options;
mod packed;
mod page;
mod read;
mod response;
mod retry_after;
mod value;
mod write;

use core::time::Duration;
use std::io;
use std::time::Instant;

use self::failure::Failure;
pub(crate) use self::failure::RemoteError;
pub(super) use self::failure::{Fate, in_change};
use self::http::Server;
pub use self::options::RemoteOptions;
use self::read::Place;
use super::connection::{Connection, Durability, OnRow, Write, Written};
use super::schema::{self, LegacyTables};
use super::statement::{Select, Statement};

/// A database on a server.
pub(super) struct RemoteConnection {
    server: Server,
    account: String,
    is_ours: bool,
    /// The tag of the newest write at the last read.
    #[expect(
        clippy::option_option,
        reason = "not read yet; there was none; there was one"
    )]
    seen: Option<Option<i64>>,
    /// The place of the last write through this connection in the order of all writes; 0 before the
    /// first. What does not know it is an old answer.
    own_write: i64,
    call: Call,
}

/// What one call of a backend may still use, however many requests it takes, and where it reads.
struct Call {
    until: Instant,
    place: Place,
    rows_left: usize,
    bytes_left: usize,
}

/// How many bytes of answers one call reads.
const MAX_BYTES: usize = 512 << 20;

impl Call {
    fn start(options: &RemoteOptions) -> Self {
        // A deadline that no clock reaches is none; a year is none either.
        const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);
        let now = Instant::now();
        Self {
            until: now
                .checked_add(options.deadline.min(LONGEST))
                .unwrap_or(now),
            place: Place::Anywhere,
            rows_left: options.max_rows,
            bytes_left: MAX_BYTES,
        }
    }
}

/// What is sent in addition to the statements of the tables, for tests of what statements cost.
#[cfg(all(test, feature = "sqlite"))]
pub(super) const OWN_STATEMENTS: [&str; 5] = [
    write::FENCE,
    write::FORGET_OLD_TAGS,
    read::HEAD,
    read::LOOK,
    read::GO_TO_PRIMARY,
];

/// How a list is asked for.
#[cfg(all(test, feature = "sqlite"))]
pub(super) fn sql_of_a_page(select: &Select) -> String {
    page::Page::first(0, select).sql()
}

impl RemoteConnection {
    pub(super) fn new(
        url: &str,
        token: &str,
        account: &str,
        options: RemoteOptions,
    ) -> io::Result<Self> {
        let server = Server::new(url, token, options)?;
        let call = Call::start(server.options());
        Ok(Self {
            server,
            account: account.to_owned(),
            is_ours: false,
            seen: None,
            own_write: 0,
            call,
        })
    }

    pub(super) fn url(&self) -> &str {
        self.server.url()
    }

    /// Waits before something is tried again, unless the call's time is over by then.
    fn wait(&self, wait: Duration) -> Result<(), Failure> {
        if wait >= self.call.until.saturating_duration_since(Instant::now()) {
            return Err(Failure::deadline(self.server.options().deadline));
        }
        std::thread::sleep(wait);
        Ok(())
    }
}

impl Connection for RemoteConnection {
    fn start_call(&mut self) {
        self.call = Call::start(self.server.options());
    }

    fn read(&mut self, selects: &[Select], on_row: &mut OnRow<'_>) -> io::Result<()> {
        self.read_at_one_moment(selects, on_row)
    }

    fn peek(&mut self, selects: &[Select], on_row: &mut OnRow<'_>) -> io::Result<()> {
        let before = self.seen;
        let read = self.read_at_one_moment(selects, on_row);
        if self.seen != before {
            self.seen = None;
        }
        read
    }

    fn can_be_old(&self) -> bool {
        true
    }

    fn read_the_newest(&mut self) {
        self.call.place = Place::Primary;
    }

    fn has_refused(&self, error: &io::Error) -> bool {
        RemoteError::of(error).is_some_and(RemoteError::is_refusal)
    }

    fn is_unchanged(&mut self) -> io::Result<bool> {
        let Some(seen) = self.seen else {
            return Ok(false);
        };
        let head = self.read_head().map_err(Failure::of_read)?;
        Ok(head.tag == seen)
    }

    fn write(&mut self, write: Write) -> io::Result<Written> {
        self.write_until_stored(&write).map_err(Failure::of_change)
    }

    fn is_ours(&mut self) -> io::Result<bool> {
        Ok(self.is_ours)
    }

    fn set_ours(&mut self, is_ours: bool) {
        self.is_ours = is_ours;
    }

    /// There is no file to keep: the old tables stay under other names.
    fn keep_old(&mut self, tables: &LegacyTables) -> io::Result<Vec<Statement>> {
        Ok(schema::keep_legacy(tables).collect())
    }

    /// What a server keeps of deleted rows, in its files and in its backups, is up to the server.
    fn scrub(&mut self, is_default: bool) -> io::Result<()> {
        if !is_default {
            return Ok(());
        }
        let write = Write {
            statements: schema::drop_kept().collect(),
            durability: Durability::Now,
            if_unchanged: false,
            known: None,
        };
        let scrubbed = self.write(write);
        scrubbed.map(|_| ()).map_err(|error| {
            let Some(cause) = RemoteError::of(&error) else {
                return error;
            };
            let reason = cause.message();
            let cause = cause.reworded(
                Fate::Stored,
                format_args!(
                    "the account is deleted, but tables that an older release left may still have \
                     its keys: {reason}: delete again"
                ),
            );
            io::Error::new(error.kind(), cause)
        })
    }
}

fn contended() -> Failure {
    Failure::not_carried_out(
        io::ErrorKind::WouldBlock,
        "gave up, because other writers keep changing the account: try again",
    )
}
