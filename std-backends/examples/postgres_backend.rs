//! A backend of your own in PostgreSQL: one row for each account, with the bytes of a session file. A
//! write locks the account, reads, changes what it read, and stores it. The client's runtime may not be
//! entered from inside another one: hence the threads. Use a pool when busy, and TLS to other machines.

use mtsession::{Change, Keeps, PersistedSession, SessionBackend, SessionRecord};
use postgres::{Config, NoTls, Transaction as Tx};
use std::{io, thread};

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

pub struct PostgresBackend {
    config: Config,
    account: String,
}

// The first lock is for accounts that make the table at the same time.
const CREATE: &str = "SELECT pg_advisory_xact_lock(hashtext('mtsession'));
    CREATE TABLE IF NOT EXISTS mtsession (account text PRIMARY KEY, session bytea NOT NULL)";
const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtext('mtsession'), hashtext($1))";
const READ: &str = "SELECT session FROM mtsession WHERE account = $1";
const WRITE: &str = "INSERT INTO mtsession VALUES ($1, $2)
    ON CONFLICT (account) DO UPDATE SET session = excluded.session";
const DELETE: &str = "DELETE FROM mtsession WHERE account = $1";

impl PostgresBackend {
    pub fn open(url: &str, account: &str) -> io::Result<Self> {
        let (config, account) = (url.parse().map_err(io::Error::other)?, account.to_owned());
        let backend = Self { config, account };
        backend.run(|tx| Ok(tx.batch_execute(CREATE)?))?;
        Ok(backend)
    }

    fn run<T: Send>(&self, f: impl FnOnce(&mut Tx<'_>) -> Outcome<T> + Send) -> io::Result<T> {
        let run = || {
            let mut client = self.config.connect(NoTls)?;
            let mut tx = client.transaction()?;
            let result = f(&mut tx)?;
            tx.commit()?;
            Ok(result)
        };
        let outcome = thread::scope(|scope| scope.spawn(run).join());
        let outcome: Outcome<T> = outcome.unwrap_or_else(|_| Err("the client panicked".into()));
        let place = (self.config.get_hosts(), &self.account);
        outcome.map_err(|error| {
            let cause = error.source().unwrap_or(&*error);
            io::Error::other(format!("postgres {place:?}: {cause}"))
        })
    }

    fn get(&self, tx: &mut Tx<'_>) -> Outcome<Option<SessionRecord>> {
        let row = tx.query_opt(READ, &[&self.account])?;
        let record = row.map(|row| Ok(SessionRecord::from_bytes(row.try_get(0)?)?));
        record.transpose()
    }

    fn change(
        &self,
        change: impl FnOnce(Option<SessionRecord>) -> Outcome<Option<SessionRecord>> + Send,
    ) -> io::Result<bool> {
        self.run(|tx| {
            tx.execute(LOCK, &[&self.account])?;
            let Some(record) = change(self.get(tx)?)? else {
                return Ok(false);
            };
            tx.execute(WRITE, &[&self.account, &record.to_bytes()?.as_slice()])?;
            Ok(true)
        })
    }
}

impl SessionBackend for PostgresBackend {
    fn save(&self, session: &PersistedSession) -> io::Result<()> {
        let store = |record: Option<SessionRecord>| {
            let mut record = record.unwrap_or_default();
            record.set_session(session.clone());
            Ok(Some(record))
        };
        self.change(store).map(drop)
    }

    fn load(&self) -> io::Result<Option<PersistedSession>> {
        Ok(self.read()?.map(SessionRecord::into_session))
    }

    fn delete(&self) -> io::Result<()> {
        self.run(|tx| Ok(tx.execute(DELETE, &[&self.account]).map(drop)?))
    }

    fn name(&self) -> &'static str {
        "postgres"
    }

    fn apply(&self, changes: &[Change<'_>]) -> io::Result<()> {
        let store = |record: Option<SessionRecord>| {
            let mut record = record.unwrap_or_default();
            record.apply_all(changes)?;
            Ok(Some(record))
        };
        self.change(store).map(drop)
    }

    fn read(&self) -> io::Result<Option<SessionRecord>> {
        self.run(|tx| self.get(tx))
    }

    fn update(
        &self,
        change: &mut dyn FnMut(&mut SessionRecord) -> io::Result<()>,
    ) -> io::Result<()> {
        loop {
            let before = self.read()?;
            let mut after = SessionRecord::of_store(before.clone());
            change(&mut after)?;
            // Somebody else may have written in between.
            if after.changed().is_empty()
                || self.change(|now| Ok((now == before).then_some(after)))?
            {
                return Ok(());
            }
        }
    }

    fn keeps(&self) -> Keeps {
        Keeps::ALL
    }
}

fn main() -> io::Result<()> {
    let url = std::env::var("POSTGRES_URL").map_err(io::Error::other)?;
    let backend = PostgresBackend::open(&url, "example")?;
    backend.set_home_dc(2)?;
    println!("{}: {:?}", backend.name(), backend.load()?);
    backend.delete()
}
