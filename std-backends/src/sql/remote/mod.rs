//! The driver for libSQL servers: Turso, sqld.
//!
//! Every read and every write is one request. A write that was given up may still reach the server
//! later, or may have reached it before its answer was lost. So each write carries a random tag, and
//! names the tag of the write that it follows: the server refuses it when another write came in
//! between, or when it was there already. That makes it safe to repeat, and never carried out twice.

mod hrana;
mod http;

use core::time::Duration;
use std::io;

use self::hrana::{Answer, Batch, Condition, Packed};
use self::http::{Failure, Limits, Server, pause};
use super::connection::{Connection, OnRow, Write, Written};
use super::definition;
use super::schema::{self, LegacyTables};
use super::statement::{Select, Value, ValueRef, random_tag};

/// How many rows of a list one answer holds. Servers refuse answers over 10 MB; a row is 50 bytes.
const PAGE: i64 = 50_000;

/// How often a write is repeated because others wrote at the same time.
const CONFLICTS: u32 = 50;

/// How long requests to a server may take, and how often they are repeated.
///
/// ```
/// use core::time::Duration;
/// use mtsession::RemoteOptions;
///
/// let patient = RemoteOptions::default().request_timeout(Duration::from_secs(120));
/// # let _ = patient;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RemoteOptions(Limits);

impl Default for RemoteOptions {
    /// 10 seconds to connect, 30 seconds for a request with its answer, 3 repetitions.
    fn default() -> Self {
        Self(Limits {
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            retries: 3,
        })
    }
}

impl RemoteOptions {
    /// How long to wait for a connection.
    #[must_use]
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.0.connect_timeout = timeout;
        self
    }

    /// How long to wait for one answer, connecting included.
    #[must_use]
    pub const fn request_timeout(mut self, timeout: Duration) -> Self {
        self.0.request_timeout = timeout;
        self
    }

    /// How often a request is repeated that was not answered, or answered with "try again" (status
    /// 429, 502, 503, 504).
    #[must_use]
    pub const fn retries(mut self, retries: u32) -> Self {
        self.0.retries = retries;
        self
    }
}

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
}

const MAKE_FENCE: &str = definition::CREATE_SERVER_WRITE;
const FENCE: &str = "\
    INSERT INTO server_write (account, tag) VALUES (
        CASE WHEN (SELECT tag FROM server_write WHERE account = ?1 ORDER BY id DESC LIMIT 1) IS ?2
        THEN ?1 END, ?3)";
const FORGET_OLD_TAGS: &str = "\
    DELETE FROM server_write WHERE account = ?1 AND id NOT IN
        (SELECT id FROM server_write WHERE account = ?1 ORDER BY id DESC LIMIT 64)";
const NEWEST_TAG: &str = "\
    SELECT tag, EXISTS (SELECT 1 FROM server_write WHERE account = ?1 AND tag = ?2)
    FROM server_write WHERE account = ?1 ORDER BY id DESC LIMIT 1";

/// What is sent beside the statements of the tables, for tests of what statements cost.
#[cfg(test)]
pub(super) const OWN_STATEMENTS: [&str; 4] = [MAKE_FENCE, FENCE, FORGET_OLD_TAGS, NEWEST_TAG];

/// How a list is asked for.
#[cfg(test)]
pub(super) fn sql_of_a_page(select: &Select) -> String {
    Page::first(0, select).sql()
}

impl RemoteConnection {
    pub(super) fn new(
        url: &str,
        token: &str,
        account: &str,
        options: RemoteOptions,
    ) -> io::Result<Self> {
        Ok(Self {
            server: Server::new(url, token, options.0)?,
            account: account.to_owned(),
            is_ours: false,
            seen: None,
        })
    }

    pub(super) fn url(&self) -> &str {
        self.server.url()
    }

    /// Sends one read transaction; returns its tag.
    fn read_pages(&self, pages: &mut [Page<'_>]) -> io::Result<Option<i64>> {
        let account = Value::from(self.account.as_str());
        let no_tag = Value::Null;
        let mut batch = Batch::default();
        let begin = batch.push("BEGIN", [], None);
        let mut steps = Vec::with_capacity(pages.len());
        for page in pages.iter() {
            steps.push(batch.push(page.sql(), page.params(), ok(begin)));
        }
        let tag = batch.push(NEWEST_TAG, [&account, &no_tag], ok(begin));
        batch.push("COMMIT", [], ok(begin));

        let body = self
            .server
            .send(&batch.encode()?)
            .map_err(|failure| failure.error)?;
        let answer = Answer::decode(&body)?;
        for (page, step) in pages.iter_mut().zip(steps) {
            if let Some(error) = answer.error(step) {
                return Err(io::Error::other(error.to_string()));
            }
            page.take(&answer, step)?;
        }
        // Before the first write there is no table of tags.
        if answer.is_ok(tag) || !self.is_ours {
            return Ok(newest_tag(&answer, tag));
        }
        let error = answer.error(tag).or(answer.error(begin));
        Err(io::Error::other(error.map_or_else(
            || "the server did not carry out a read".to_owned(),
            ToString::to_string,
        )))
    }

    /// Sends one write transaction that follows the write `from`.
    fn write_once(&self, write: &Write, from: Option<i64>, to: i64) -> io::Result<Attempt> {
        let account = Value::from(self.account.as_str());
        let (from, to_value) = (Value::from(from), Value::from(to));
        let mut batch = Batch::default();
        let mut last = batch.push("BEGIN IMMEDIATE", [], None);
        let begin = last;
        if !self.is_ours {
            last = batch.push(MAKE_FENCE, [], ok(last));
        }
        let fence = batch.push(FENCE, [&account, &from, &to_value], ok(last));
        last = fence;
        for statement in &write.statements {
            last = batch.push(statement.sql, &statement.params, ok(last));
        }
        last = batch.push(FORGET_OLD_TAGS, [&account], ok(last));
        let commit = batch.push("COMMIT", [], ok(last));
        batch.push("ROLLBACK", [], Condition::not_ok(commit));
        let tag = batch.push(NEWEST_TAG, [&account, &to_value], None);

        let body = match self.server.send(&batch.encode()?) {
            Ok(body) => body,
            Err(failure) => return Err(unfinished(&failure)),
        };
        let answer = Answer::decode(&body).map_err(|error| unfinished(&Failure::garbled(error)))?;
        let is_stored = answer.rows(tag).first().and_then(|row| row.get(1));
        if answer.is_ok(commit)
            || matches!(
                is_stored.map(hrana::Cell::value_ref),
                Some(ValueRef::Integer(1))
            )
        {
            return Ok(Attempt::Stored);
        }
        let newest = newest_tag(&answer, tag);
        match answer.first_error() {
            Some((step, error)) if step == begin && error.is_busy() => Ok(Attempt::Refused(newest)),
            Some((step, _)) if step == fence => Ok(Attempt::Refused(newest)),
            Some((_, error)) => Err(error.explain()),
            None => Err(io::Error::other(
                "the server carried out a part and rolled it back",
            )),
        }
    }
}

/// What became of one attempt to write.
enum Attempt {
    Stored,
    /// Somebody else's write came before; its tag.
    Refused(Option<i64>),
}

/// Says what is known of a write whose answer did not come.
fn unfinished(failure: &Failure) -> io::Error {
    let what = if failure.is_unknown {
        "whether the change was stored is unknown; load to find out"
    } else {
        "nothing was changed"
    };
    io::Error::new(failure.error.kind(), format!("{} ({what})", failure.error))
}

fn ok(step: usize) -> Condition {
    Condition::Ok { step }
}

fn newest_tag(answer: &Answer<'_>, step: usize) -> Option<i64> {
    let cell = answer.rows(step).first()?.first()?;
    match cell.value_ref() {
        ValueRef::Integer(tag) => Some(tag),
        _ => None,
    }
}

/// A select and what came of it so far.
struct Page<'s> {
    select: &'s Select,
    index: usize,
    /// Where the next page of a list begins.
    from: Value,
    limit: Value,
    rows: PageRows,
    is_last: bool,
}

enum PageRows {
    Packed(Packed),
    Plain(Vec<Vec<hrana::Cell<'static>>>),
}

impl<'s> Page<'s> {
    fn first(index: usize, select: &'s Select) -> Self {
        Self {
            select,
            index,
            from: Value::Integer(i64::MIN),
            limit: Value::Integer(PAGE),
            rows: PageRows::Plain(Vec::new()),
            is_last: true,
        }
    }

    fn sql(&self) -> String {
        let Select {
            columns,
            from,
            params,
            prefix,
            ..
        } = self.select;
        if !self.select.is_list {
            return self.select.sql();
        }
        let key = self.select.key();
        let first = params.len().saturating_add(1);
        let limit = params.len().saturating_add(2);
        // Packed into one text, a row is a fifth of what it is as Hrana's values.
        format!(
            "{prefix}SELECT json_group_array(json_array({columns})) FROM (SELECT * FROM {from} \
             AND {key} >= ?{first} ORDER BY {key} LIMIT ?{limit})"
        )
    }

    fn params(&self) -> impl Iterator<Item = &Value> {
        let paging = self.select.is_list.then_some([&self.from, &self.limit]);
        self.select
            .params
            .iter()
            .chain(paging.into_iter().flatten())
    }

    fn take(&mut self, answer: &Answer<'_>, step: usize) -> io::Result<()> {
        if !self.select.is_list {
            self.rows = PageRows::Plain(
                answer
                    .rows(step)
                    .iter()
                    .map(|row| row.iter().map(hrana::Cell::to_owned_cell).collect())
                    .collect(),
            );
            return Ok(());
        }
        let text = answer.rows(step).first().and_then(|row| row.first());
        let Some(ValueRef::Text(text)) = text.map(hrana::Cell::value_ref) else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the server sent no list",
            ));
        };
        let packed = Packed::decode(text)?;
        self.is_last = i64::try_from(packed.len()).is_ok_and(|len| len < PAGE);
        if let Some(key) = packed.last_key() {
            self.from = Value::Integer(key.saturating_add(1));
        }
        self.rows = PageRows::Packed(packed);
        Ok(())
    }

    fn give(&self, on_row: &mut OnRow<'_>) -> io::Result<()> {
        match &self.rows {
            PageRows::Packed(packed) => packed.rows().try_for_each(|row| on_row(self.index, &row)),
            PageRows::Plain(rows) => rows.iter().try_for_each(|row| {
                let values: Vec<_> = row.iter().map(hrana::Cell::value_ref).collect();
                on_row(self.index, &values)
            }),
        }
    }

    /// The page after this one.
    fn next(&self) -> Option<Self> {
        let Value::Integer(from) = self.from else {
            return None;
        };
        (!self.is_last).then(|| Self {
            from: Value::Integer(from),
            ..Self::first(self.index, self.select)
        })
    }
}

impl RemoteConnection {
    fn read_at_one_moment(&mut self, selects: &[Select], on_row: &mut OnRow<'_>) -> io::Result<()> {
        self.seen = None;
        for attempt in 0..CONFLICTS {
            let mut pages: Vec<_> = selects
                .iter()
                .enumerate()
                .map(|(index, select)| Page::first(index, select))
                .collect();
            let tag = self.read_pages(&mut pages)?;
            let mut done = Vec::new();
            let mut is_one_moment = true;
            while !pages.is_empty() {
                let mut next: Vec<_> = pages.iter().filter_map(Page::next).collect();
                done.append(&mut pages);
                if !next.is_empty() && self.read_pages(&mut next)? != tag {
                    is_one_moment = false;
                    break;
                }
                pages = next;
            }
            if is_one_moment {
                self.seen = Some(tag);
                return done.iter().try_for_each(|page| page.give(on_row));
            }
            std::thread::sleep(pause(attempt));
        }
        Err(contended())
    }

    fn write_until_stored(&mut self, write: &Write) -> io::Result<Written> {
        let known = self.seen.take();
        let mut from = match known {
            Some(tag) => tag,
            None if write.if_unchanged => return Ok(Written::Conflict),
            None => self.read_pages(&mut [])?,
        };
        for attempt in 0..CONFLICTS {
            let to = random_tag();
            match self.write_once(write, from, to)? {
                Attempt::Stored => {
                    // What the caller knows is only good while no other write came in between.
                    self.seen = (known == Some(from)).then_some(Some(to));
                    return Ok(Written::Done);
                }
                Attempt::Refused(_) if write.if_unchanged => return Ok(Written::Conflict),
                Attempt::Refused(newest) => {
                    from = newest;
                    std::thread::sleep(pause(attempt.min(3)));
                }
            }
        }
        Err(contended())
    }
}

impl Connection for RemoteConnection {
    fn read(&mut self, selects: &[Select], on_row: &mut OnRow<'_>) -> io::Result<()> {
        let read = self.read_at_one_moment(selects, on_row);
        read.map_err(|error| self.server.without_token(error))
    }

    fn is_unchanged(&mut self) -> io::Result<bool> {
        let Some(seen) = self.seen else {
            return Ok(false);
        };
        match self.read_pages(&mut []) {
            Ok(newest) => Ok(newest == seen),
            Err(error) => Err(self.server.without_token(error)),
        }
    }

    fn write(&mut self, write: &Write) -> io::Result<Written> {
        let written = self.write_until_stored(write);
        written.map_err(|error| self.server.without_token(error))
    }

    fn is_ours(&mut self) -> io::Result<bool> {
        Ok(self.is_ours)
    }

    fn set_ours(&mut self, is_ours: bool) {
        self.is_ours = is_ours;
    }

    /// There is no file to keep: the old tables stay under other names.
    fn keep_old(&mut self, tables: &LegacyTables) -> io::Result<Vec<super::statement::Statement>> {
        Ok(schema::keep_legacy(tables).collect())
    }

    /// What a server keeps of deleted rows, in its files and in its backups, is up to the server.
    fn scrub(&mut self, is_default: bool) -> io::Result<()> {
        if !is_default {
            return Ok(());
        }
        let write = Write {
            statements: schema::drop_kept().collect(),
            durability: super::connection::Durability::Now,
            if_unchanged: false,
        };
        self.write(&write).map(|_| ())
    }
}

fn contended() -> io::Error {
    io::Error::new(
        io::ErrorKind::WouldBlock,
        "others write to the account without a pause; nothing was changed",
    )
}
