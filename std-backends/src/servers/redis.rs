//! Redis: one key for each blob.
//!
//! ```text
//! mtsession:NAME    [16] version, random | [10] seconds of the server's clock when it was stored | bytes
//! ```
//!
//! A script of the server compares the version and replaces the value in one step. No command has two keys. A
//! connection is dropped after any error: an answer that comes late would be taken for that of the next
//! command.

mod promises;

use core::time::Duration;
use std::collections::BTreeSet;
use std::io;
use std::time::Instant;

use redis::{Client, Connection, ConnectionAddr, ErrorKind, IntoConnectionInfo as _, RedisError};
use zeroize::Zeroizing;

use super::clear_text::{only_to_this_machine, unknown_host};
use super::pool::{Pool, Reuse};
use super::url::ServerUrl;
use super::{choose_cryptography, invalid, quoted, refused, time_left, unanswered};
use crate::blob::{Blob, BlobError, BlobStore, Expected, Listed, Put, Version};
use crate::error::kind::StoreErrorKind;
use crate::store::StoreOptions;

const DEFAULT_PORT: u16 = 6379;
const KEYS: &str = "mtsession:";

/// Bytes of the version, and of the version and the time.
const VERSION: usize = 16;
const BYTES_AT: usize = VERSION + 10;

/// Compares and replaces. Without a key there are no bytes to compare.
const PUT: &str = "\
    if redis.call('GETRANGE', KEYS[1], 0, 15) ~= ARGV[1] then return 0 end
    local now = redis.call('TIME')
    redis.call('SET', KEYS[1], ARGV[2] .. string.format('%010d', now[1]) .. ARGV[3])
    return 1";

/// How many keys a step of a list looks at.
const STEP: usize = 500;

/// A value and the server's time.
type Found = (Option<Vec<u8>>, (u64, u64));

/// Where a list goes on, and keys.
type Page = (u64, Vec<Vec<u8>>);

pub(crate) struct RedisBlobs {
    client: Client,
    host: String,
    port: u16,
    is_tls: bool,
    may_be_clear: bool,
    password: Zeroizing<String>,
    /// What is shown.
    name: String,
    pool: Pool<Connection>,
}

impl RedisBlobs {
    /// `redis://user@host:port/number` or `rediss://…`. Nothing is asked of the server yet.
    pub(crate) fn new(url: &str, options: &StoreOptions) -> io::Result<Self> {
        let parts = ServerUrl::parse(url)?;
        let is_tls = parts.scheme == "rediss";
        let port = parts.port.unwrap_or(DEFAULT_PORT);
        let database = match parts.path {
            "" => 0,
            number => number
                .parse()
                .ok()
                .filter(|number| *number >= 0)
                .ok_or_else(|| invalid("a Redis database is a number: redis://HOST/0"))?,
        };
        let host = parts.host.to_owned();
        let address = if is_tls {
            ConnectionAddr::TcpTls {
                host: host.clone(),
                port,
                insecure: false,
                tls_params: None,
            }
        } else {
            ConnectionAddr::Tcp(host.clone(), port)
        };
        let password = options.auth_token.clone().unwrap_or_default();
        let unusable = |_: RedisError| invalid("the url is not that of a Redis server");
        let info = address.into_connection_info().map_err(unusable)?;
        let mut settings = info.redis_settings().clone().set_db(database);
        if let Some(user) = &parts.user {
            settings = settings.set_username(user);
        }
        if !password.is_empty() {
            settings = settings.set_password(password.as_str());
        }
        Ok(Self {
            client: Client::open(info.set_redis_settings(settings)).map_err(unusable)?,
            name: format!("{host}:{port}/{database}"),
            host,
            port,
            is_tls,
            may_be_clear: options.insecure,
            password,
            pool: Pool::default(),
        })
    }

    fn connect(&self, timeout: Duration) -> Result<Connection, BlobError> {
        if !self.is_tls && !self.may_be_clear {
            only_to_this_machine(&self.host, self.port, timeout, "rediss://")
                .map_err(BlobError::unchanged)?;
        }
        if self.is_tls {
            choose_cryptography();
        }
        let connected = self.client.get_connection_with_timeout(timeout);
        connected.map_err(|error| {
            let known = self.explained(&error);
            if error.is_io_error() {
                return refused(StoreErrorKind::Unreachable, known.error.to_string());
            }
            BlobError::unchanged(known.error)
        })
    }

    fn call<R>(
        &self,
        until: Instant,
        call: impl FnOnce(&mut Connection) -> Result<R, RedisError>,
    ) -> Result<R, BlobError> {
        let timeout = time_left(until)?;
        let connect = || self.connect(timeout);
        self.pool.with(until, connect, |connection| {
            let is_set = connection
                .set_read_timeout(Some(timeout))
                .and_then(|()| connection.set_write_timeout(Some(timeout)));
            if let Err(error) = is_set {
                let error = BlobError::unchanged(self.explained(&error).error);
                return (Err(error), Reuse::No);
            }
            match call(connection) {
                Ok(result) => (Ok(result), Reuse::Yes),
                Err(error) => (Err(self.explained(&error)), Reuse::No),
            }
        })
    }

    /// What an error means. What the server says in so many words was not carried out.
    fn explained(&self, error: &RedisError) -> BlobError {
        let words = quoted(&error.to_string(), &self.password);
        let place = format!("{}:{}", self.host, self.port);
        if error.is_connection_refusal() {
            let message = format!("no server listens at {place} (connection refused)");
            return refused(StoreErrorKind::Unreachable, message);
        }
        if error.is_timeout() {
            return unanswered("no answer came in time");
        }
        let code = error.code().unwrap_or_default();
        let (kind, message) = match (error.kind(), code) {
            (ErrorKind::AuthenticationFailed, _) | (_, "NOAUTH" | "WRONGPASS") => (
                StoreErrorKind::Refused,
                "the server refuses the user or the password: it needs one, or another one"
                    .to_owned(),
            ),
            (_, "NOPERM") => (
                StoreErrorKind::Refused,
                format!("the user may not do this on the server ({words})"),
            ),
            (_, "READONLY") => (
                StoreErrorKind::Refused,
                "the server is a replica, which only reads: give the address of the primary"
                    .to_owned(),
            ),
            (_, "OOM") => (
                StoreErrorKind::NoSpace,
                "the server has no memory left (`maxmemory`)".to_owned(),
            ),
            (_, "MISCONF" | "NOREPLICAS") => (
                StoreErrorKind::NoSpace,
                format!("the server cannot keep what it is given ({words})"),
            ),
            (_, "LOADING" | "BUSY" | "TRYAGAIN" | "MASTERDOWN") => (
                StoreErrorKind::Contended,
                format!("the server is busy ({words})"),
            ),
            (_, "MOVED" | "ASK" | "CLUSTERDOWN" | "CROSSSLOT") => (
                StoreErrorKind::Unsupported,
                "the server is a part of a cluster, which this release does not use".to_owned(),
            ),
            (_, "WRONGTYPE") => (
                StoreErrorKind::Foreign,
                "a key of this name holds something else".to_owned(),
            ),
            (ErrorKind::Io, _) if words.contains("failed to lookup") => {
                return BlobError::unchanged(unknown_host(&self.host));
            }
            (ErrorKind::Io | ErrorKind::Parse | ErrorKind::UnexpectedReturnType, _) => {
                return unanswered(format!("the exchange with {place} broke ({words})"));
            }
            _ => (
                StoreErrorKind::Refused,
                format!("the server refuses it ({words})"),
            ),
        };
        refused(kind, message)
    }
}

/// A value is longer than what comes before the bytes.
fn foreign() -> BlobError {
    let message = "a key of this name holds something that this library has not written";
    refused(StoreErrorKind::Foreign, message)
}

fn seconds(text: &[u8]) -> Option<u64> {
    core::str::from_utf8(text).ok()?.parse().ok()
}

fn age(stored: &[u8], now: u64) -> Option<Duration> {
    Some(Duration::from_secs(now.saturating_sub(seconds(stored)?)))
}

fn key(name: &str) -> String {
    [KEYS, name].concat()
}

impl BlobStore for RedisBlobs {
    fn name(&self) -> &str {
        &self.name
    }

    fn get(&self, name: &str, until: Instant) -> Result<Option<Blob>, BlobError> {
        let mut commands = redis::pipe();
        commands.cmd("GET").arg(key(name)).cmd("TIME");
        let (found, (now, _)) =
            self.call(until, |connection| commands.query::<Found>(connection))?;
        let Some(mut value) = found else {
            return Ok(None);
        };
        let Some((version, stored)) = value
            .get(..BYTES_AT)
            .and_then(|start| start.split_at_checked(VERSION))
        else {
            return Err(foreign());
        };
        let (version, age) = (Version::new(version), age(stored, now));
        let blob = Blob::new(value.split_off(BYTES_AT), version);
        Ok(Some(match age {
            Some(age) => blob.with_age(age),
            None => blob,
        }))
    }

    fn put(
        &self,
        name: &str,
        bytes: &[u8],
        expected: Expected<'_>,
        until: Instant,
    ) -> Result<Put, BlobError> {
        let mut version = [0; VERSION];
        getrandom::fill(&mut version).map_err(|error| BlobError::unchanged(error.into()))?;
        let known = match expected {
            Expected::Absent => &[][..],
            Expected::Is(known) => known.as_bytes(),
        };
        let mut command = redis::cmd("EVAL");
        command
            .arg(PUT)
            .arg(1)
            .arg(key(name))
            .arg(known)
            .arg(&version[..])
            .arg(bytes);
        match self.call(until, |connection| command.query::<u8>(connection))? {
            0 => Ok(Put::Conflict),
            _ => Ok(Put::Stored(Version::new(version))),
        }
    }

    fn remove(&self, name: &str, until: Instant) -> Result<(), BlobError> {
        let mut command = redis::cmd("DEL");
        command.arg(key(name));
        self.call(until, |connection| command.exec(connection))
    }

    fn list(
        &self,
        prefix: &str,
        each: &mut dyn FnMut(Listed<'_>),
        until: Instant,
    ) -> Result<(), BlobError> {
        let mut seen = BTreeSet::new();
        let mut cursor = 0_u64;
        loop {
            let mut scan = redis::cmd("SCAN");
            let pattern = format!("{KEYS}{prefix}*");
            scan.arg(cursor)
                .arg("MATCH")
                .arg(pattern)
                .arg("COUNT")
                .arg(STEP);
            let (next, keys) = self.call(until, |connection| scan.query::<Page>(connection))?;
            let names: Vec<String> = keys
                .into_iter()
                .filter_map(|key| Some(String::from_utf8(key).ok()?.strip_prefix(KEYS)?.to_owned()))
                .filter(|name| seen.insert(name.clone()))
                .collect();
            if !names.is_empty() {
                self.list_names(&names, each, until)?;
            }
            if next == 0 {
                return Ok(());
            }
            cursor = next;
        }
    }
}

impl RedisBlobs {
    /// Sizes and ages of keys, each by commands of its own.
    fn list_names(
        &self,
        names: &[String],
        each: &mut dyn FnMut(Listed<'_>),
        until: Instant,
    ) -> Result<(), BlobError> {
        let mut commands = redis::pipe();
        commands.cmd("TIME");
        for name in names {
            commands.cmd("STRLEN").arg(key(name));
            commands
                .cmd("GETRANGE")
                .arg(key(name))
                .arg(VERSION)
                .arg(BYTES_AT.saturating_sub(1));
        }
        let values: Vec<redis::Value> =
            self.call(until, |connection| commands.query(connection))?;
        let mut values = values.into_iter();
        let take =
            |value: Option<redis::Value>| value.ok_or_else(|| unanswered("an answer is short"));
        let now: (u64, u64) = self.decoded(take(values.next())?)?;
        for name in names {
            let len: usize = self.decoded(take(values.next())?)?;
            let stored: Vec<u8> = self.decoded(take(values.next())?)?;
            // It went meanwhile.
            let Some(size) = len.checked_sub(BYTES_AT) else {
                continue;
            };
            let listed = Listed::new(name, u64::try_from(size).unwrap_or(u64::MAX));
            each(match age(&stored, now.0) {
                Some(age) => listed.with_age(age),
                None => listed,
            });
        }
        Ok(())
    }

    fn decoded<R: redis::FromRedisValue>(&self, value: redis::Value) -> Result<R, BlobError> {
        redis::from_redis_value(value).map_err(|error| {
            unanswered(format!(
                "{}:{} does not answer as Redis does ({error})",
                self.host, self.port
            ))
        })
    }
}
