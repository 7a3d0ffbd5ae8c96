//! A backend of your own in Redis: one key for each account, which holds the bytes of a session file.
//!
//! A write reads the key, changes what it read, and stores that only if nobody else wrote in between;
//! otherwise it starts again. What is acknowledged survives a power cut if the server is told to keep
//! it: `appendonly yes`, `appendfsync always`.

use std::{fmt::Display, io, time::Duration};

use mtsession::{Change, Keeps, PersistedSession, SessionBackend, SessionRecord};
use redis::{Client, Commands as _, Connection};

pub struct RedisBackend {
    client: Client,
    key: String,
}

impl RedisBackend {
    /// `url` is `redis://[user:password@]host[:port][/database]`. Nothing is asked of the server yet.
    pub fn new(url: &str, account: &str) -> io::Result<Self> {
        let client = Client::open(url).map_err(|error| io::Error::other(error.to_string()))?;
        let key = format!("mtsession:{account}");
        Ok(Self { client, key })
    }

    fn connect(&self) -> io::Result<Connection> {
        let patience = Duration::from_secs(10);
        let connection = self.named(self.client.get_connection_with_timeout(patience))?;
        self.named(connection.set_read_timeout(Some(patience)))?;
        Ok(connection)
    }

    fn get(&self, connection: &mut Connection) -> io::Result<Option<SessionRecord>> {
        let bytes: Option<Vec<u8>> = self.named(connection.get(&self.key))?;
        self.named(bytes.as_deref().map(SessionRecord::from_bytes).transpose())
    }

    /// Stores what `change` makes of the record; one that it leaves untouched only where it must be there.
    fn store(
        &self,
        change: &mut dyn FnMut(&mut SessionRecord) -> io::Result<()>,
        must_be_there: bool,
    ) -> io::Result<()> {
        let mut connection = self.connect()?;
        loop {
            self.named(redis::cmd("WATCH").arg(&self.key).exec(&mut connection))?;
            let mut record = SessionRecord::of_store(self.get(&mut connection)?);
            change(&mut record)?;
            if record.changed().is_empty() && !must_be_there {
                return Ok(());
            }
            let bytes = self.named(record.to_bytes())?;
            let mut set = redis::pipe();
            set.atomic().set(&self.key, bytes.as_slice());
            // Nothing comes back when somebody else was faster.
            if self
                .named(set.query::<Option<()>>(&mut connection))?
                .is_some()
            {
                return Ok(());
            }
        }
    }

    fn named<T>(&self, result: Result<T, impl Display>) -> io::Result<T> {
        // The address is without user and password.
        let (place, key) = (self.client.get_connection_info().addr(), &self.key);
        result.map_err(|error| io::Error::other(format!("redis {place} {key}: {error}")))
    }
}

impl SessionBackend for RedisBackend {
    fn save(&self, session: &PersistedSession) -> io::Result<()> {
        self.update(&mut |record| Ok(record.set_session(session.clone())))
    }

    fn load(&self) -> io::Result<Option<PersistedSession>> {
        Ok(self.read()?.map(SessionRecord::into_session))
    }

    fn delete(&self) -> io::Result<()> {
        self.named(self.connect()?.del(&self.key))
    }

    fn name(&self) -> &'static str {
        "redis"
    }

    fn apply(&self, changes: &[Change<'_>]) -> io::Result<()> {
        self.store(&mut |record| Ok(record.apply_all(changes)?), true)
    }

    fn read(&self) -> io::Result<Option<SessionRecord>> {
        self.get(&mut self.connect()?)
    }

    fn update(
        &self,
        change: &mut dyn FnMut(&mut SessionRecord) -> io::Result<()>,
    ) -> io::Result<()> {
        self.store(change, false)
    }

    fn keeps(&self) -> Keeps {
        Keeps::ALL
    }
}

fn main() -> io::Result<()> {
    let url = std::env::var("REDIS_URL").map_err(io::Error::other)?;
    let backend = RedisBackend::new(&url, "example")?;
    backend.set_home_dc(2)?;
    println!("{}: {:?}", backend.name(), backend.load()?);
    backend.delete()
}
