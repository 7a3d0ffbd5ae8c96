//! `PostgreSQL`: one row for each blob.
//!
//! Each call is one statement by itself, sent unnamed with the types of its parameters: so it works through
//! poolers that give a connection to another client after each transaction. The client's runtime may not be
//! entered, nor dropped, within another one, so a connection lives on a thread of its own.

mod errors;
mod worker;

use core::time::Duration;
use std::io;
use std::time::Instant;

use postgres::config::SslMode;
use postgres::error::SqlState;
use postgres::types::Type;
use postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;
use zeroize::Zeroizing;

use self::worker::Worker;
use super::clear_text::only_to_this_machine;
use super::pool::{Pool, Reuse};
use super::url::ServerUrl;
use super::{REQUEST, choose_cryptography, invalid, time_left};
use crate::blob::{Blob, BlobError, BlobStore, Expected, Listed, Put, Version};
use crate::error::kind::StoreErrorKind;
use crate::error::told::told;
use crate::event::{self, Event};
use crate::store::StoreOptions;

const DEFAULT_PORT: u16 = 5432;
const DEFAULT_NAME: &str = "postgres";

/// The lock is for programs that make the table at the same time.
const CREATE: &str = "DO $$ BEGIN
    PERFORM pg_advisory_xact_lock(7883945362);
    CREATE TABLE IF NOT EXISTS mtsession_blob (
        name text COLLATE \"C\" PRIMARY KEY,
        version bytea NOT NULL,
        stored timestamptz NOT NULL,
        bytes bytea NOT NULL);
    END $$";
const GET: &str = "SELECT version, bytes, extract(epoch FROM clock_timestamp() - stored)::float8
    FROM mtsession_blob WHERE name = $1";
const CREATE_BLOB: &str = "INSERT INTO mtsession_blob (name, version, stored, bytes)
    VALUES ($1, $2, clock_timestamp(), $3) ON CONFLICT (name) DO NOTHING";
const REPLACE: &str =
    "UPDATE mtsession_blob SET version = $2, stored = clock_timestamp(), bytes = $3
    WHERE name = $1 AND version = $4";
const REMOVE: &str = "DELETE FROM mtsession_blob WHERE name = $1";
const LIST: &str = "SELECT name, length(bytes)::int8,
        extract(epoch FROM clock_timestamp() - stored)::float8
    FROM mtsession_blob WHERE starts_with(name, $1) AND name > $2 ORDER BY name LIMIT 1000";
const PROMISES: &str =
    "SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on',
        current_setting('synchronous_commit') = 'off', current_setting('fsync') = 'off'";

pub(crate) struct PostgresBlobs {
    config: Config,
    host: String,
    port: u16,
    is_clear: bool,
    may_be_clear: bool,
    password: Zeroizing<String>,
    /// What is shown.
    name: String,
    pool: Pool<Worker>,
}

impl PostgresBlobs {
    /// `postgres://user@host:port/database`. Nothing is asked of the server yet.
    pub(crate) fn new(url: &str, options: &StoreOptions) -> io::Result<Self> {
        let parts = ServerUrl::parse(url)?;
        let (host, port) = (parts.host.to_owned(), parts.port.unwrap_or(DEFAULT_PORT));
        let user = parts.user.as_deref().unwrap_or(DEFAULT_NAME);
        let database = match parts.path {
            "" => user.to_owned(),
            path => crate::address::unescaped(path, "the name of a database").map_err(invalid)?,
        };
        let password = options.auth_token.clone().unwrap_or_default();
        let is_here = host == "localhost"
            || host
                .parse()
                .is_ok_and(|ip: core::net::IpAddr| ip.to_canonical().is_loopback());
        let is_clear = options.insecure || is_here;
        let mut config = Config::new();
        config
            .host(&host)
            .port(port)
            .user(user)
            .dbname(&database)
            .application_name("mtsession")
            .connect_timeout(REQUEST)
            .ssl_mode(if is_clear {
                SslMode::Disable
            } else {
                SslMode::Require
            });
        if !password.is_empty() {
            config.password(password.as_str());
        }
        Ok(Self {
            config,
            name: format!("{host}:{port}/{database}"),
            host,
            port,
            is_clear,
            may_be_clear: options.insecure,
            password,
            pool: Pool::default(),
        })
    }

    fn connect(&self, timeout: Duration) -> Result<Worker, BlobError> {
        if self.is_clear && !self.may_be_clear {
            only_to_this_machine(&self.host, self.port, timeout, "a name that TLS can check")
                .map_err(BlobError::unchanged)?;
        }
        let (config, is_clear) = (self.config.clone(), self.is_clear);
        let connect = move || {
            if is_clear {
                config.connect(NoTls)
            } else {
                choose_cryptography();
                config.connect(MakeRustlsConnect::with_webpki_roots())
            }
        };
        Worker::start(connect, timeout).map_err(|failure| {
            let error = failure.explained(&self.host, self.port, &self.password);
            // It is about the connection: nothing was sent.
            BlobError::unchanged(error.error)
        })
    }

    fn call<R: Send + 'static>(
        &self,
        until: Instant,
        call: impl FnOnce(&mut Client) -> Result<R, postgres::Error> + Send + 'static,
    ) -> Result<R, BlobError> {
        let timeout = time_left(until)?;
        let connect = || self.connect(timeout);
        self.pool
            .with(until, connect, |worker| match worker.call(call, timeout) {
                Ok(result) => (Ok(result), Reuse::Yes),
                Err(failure) => {
                    let reuse = failure.reuse();
                    let error = failure.explained(&self.host, self.port, &self.password);
                    (Err(error), reuse)
                }
            })
    }

    /// The same on a database that may have no table yet: `None` then.
    fn call_on_table<R: Send + 'static>(
        &self,
        until: Instant,
        call: impl FnOnce(&mut Client) -> Result<R, postgres::Error> + Send + 'static,
    ) -> Result<Option<R>, BlobError> {
        self.call(until, |client| match call(client) {
            Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(None),
            result => result.map(Some),
        })
    }

    /// Refuses a server that does not take changes, and tells what it may lose.
    pub(crate) fn check_promises(&self, until: Instant) -> io::Result<()> {
        let row = self.call(until, |client| client.query_typed(PROMISES, &[]));
        let rows = row.map_err(|error| error.error)?;
        let says = |column: usize| {
            rows.first()
                .and_then(|row| row.try_get::<_, bool>(column).ok())
                .unwrap_or_default()
        };
        if says(0) || says(1) {
            let message = "the server or the user only reads: give the address of the primary";
            return Err(told(StoreErrorKind::Refused, message));
        }
        for (column, reason) in [
            (
                2,
                "it acknowledges before it has written to its disk (`synchronous_commit` is `off`)",
            ),
            (3, "a power cut can damage its files (`fsync` is `off`)"),
        ] {
            if says(column) {
                event::emit(|| Event::WeakPromise {
                    server: self.name.clone(),
                    reason: reason.to_owned(),
                });
            }
        }
        Ok(())
    }
}

fn age(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default()
}

impl BlobStore for PostgresBlobs {
    fn name(&self) -> &str {
        &self.name
    }

    fn get(&self, name: &str, until: Instant) -> Result<Option<Blob>, BlobError> {
        let name = name.to_owned();
        let found = self.call_on_table(until, move |client| {
            let row = client.query_typed_opt(GET, &[(&name, Type::TEXT)])?;
            row.map(|row| {
                let version: Vec<u8> = row.try_get(0)?;
                let blob = Blob::new(row.try_get(1)?, Version::new(version));
                Ok(blob.with_age(age(row.try_get(2)?)))
            })
            .transpose()
        })?;
        Ok(found.flatten())
    }

    fn put(
        &self,
        name: &str,
        bytes: &[u8],
        expected: Expected<'_>,
        until: Instant,
    ) -> Result<Put, BlobError> {
        let mut version = [0; 16];
        getrandom::fill(&mut version).map_err(|error| BlobError::unchanged(error.into()))?;
        let known = match expected {
            Expected::Absent => None,
            Expected::Is(known) => Some(known.as_bytes().to_vec()),
        };
        let is_new = known.is_none();
        let (name, bytes) = (name.to_owned(), Zeroizing::new(bytes.to_vec()));
        let put = move |client: &mut Client| {
            let (version, bytes) = (&version[..], bytes.as_slice());
            let mut params: Vec<(&(dyn postgres::types::ToSql + Sync), Type)> = vec![
                (&name, Type::TEXT),
                (&version, Type::BYTEA),
                (&bytes, Type::BYTEA),
            ];
            if let Some(known) = &known {
                params.push((known, Type::BYTEA));
                return client.execute_typed(REPLACE, &params);
            }
            match client.execute_typed(CREATE_BLOB, &params) {
                Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => {
                    client.execute_typed(CREATE, &[])?;
                    client.execute_typed(CREATE_BLOB, &params)
                }
                result => result,
            }
        };
        let rows = if is_new {
            Some(self.call(until, move |client| put(client))?)
        } else {
            self.call_on_table(until, move |client| put(client))?
        };
        Ok(match rows {
            Some(1) => Put::Stored(Version::new(version)),
            _ => Put::Conflict,
        })
    }

    fn remove(&self, name: &str, until: Instant) -> Result<(), BlobError> {
        let name = name.to_owned();
        let removed = self.call_on_table(until, move |client| {
            client.execute_typed(REMOVE, &[(&name, Type::TEXT)])
        });
        removed.map(drop)
    }

    fn list(
        &self,
        prefix: &str,
        each: &mut dyn FnMut(Listed<'_>),
        until: Instant,
    ) -> Result<(), BlobError> {
        let mut after = String::new();
        loop {
            let (prefix, from) = (prefix.to_owned(), after.clone());
            let page = self.call_on_table(until, move |client| {
                let rows =
                    client.query_typed(LIST, &[(&prefix, Type::TEXT), (&from, Type::TEXT)])?;
                let entries = rows.iter().map(|row| {
                    let (name, size): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
                    Ok((name, size, age(row.try_get(2)?)))
                });
                entries.collect::<Result<Vec<_>, postgres::Error>>()
            })?;
            let Some((last, ..)) = page.as_ref().and_then(|page| page.last()) else {
                return Ok(());
            };
            after.clone_from(last);
            for (name, size, age) in page.iter().flatten() {
                let size = u64::try_from(*size).unwrap_or_default();
                each(Listed::new(name, size).with_age(*age));
            }
        }
    }
}
