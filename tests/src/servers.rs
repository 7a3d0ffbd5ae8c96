//! Servers that `tests/servers.sh` has started.

use std::net::SocketAddr;

use mtsession::{Address, Location, StoreOptions};

/// A kind of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    Redis,
    Postgres,
    S3,
}

impl Server {
    /// All that were started; says which were not.
    pub fn all() -> Vec<Self> {
        let all = [Self::Redis, Self::Postgres, Self::S3];
        all.into_iter().filter(|server| server.is_there()).collect()
    }

    /// Whether it was started; says that it was not.
    pub fn is_there(self) -> bool {
        let is_there = std::env::var(self.variable()).is_ok();
        if !is_there {
            eprintln!("skipped: no {self:?}: run tests/servers.sh");
        }
        is_there
    }

    const fn variable(self) -> &'static str {
        match self {
            Self::Redis => "SERVERS_REDIS",
            Self::Postgres => "SERVERS_POSTGRES",
            Self::S3 => "SERVERS_S3",
        }
    }

    /// Its address, without an account.
    pub fn address(self) -> Address {
        started(self.variable()).expect("it was started")
    }

    /// The same server by another way.
    pub fn by_way_of(self, way: SocketAddr) -> Address {
        let text = std::env::var(self.variable()).unwrap();
        text.replace(&self.socket().to_string(), &way.to_string())
            .parse()
            .unwrap()
    }

    /// Where it listens.
    pub fn socket(self) -> SocketAddr {
        let text = std::env::var(self.variable()).unwrap();
        let at = text.find("127.0.0.1").unwrap();
        let end = text[at..].find('/').map_or(text.len(), |end| at + end);
        text[at..end].parse().unwrap()
    }
}

/// What the variable of a server says.
pub fn started(variable: &str) -> Option<Address> {
    Some(std::env::var(variable).ok()?.parse().unwrap())
}

/// The password of all servers.
pub fn password() -> String {
    std::env::var("SERVERS_PASSWORD").unwrap_or_default()
}

/// How to open an address.
pub fn options(address: &Address) -> StoreOptions {
    with_secret(address, &password())
}

/// The same with a secret of one's own.
pub fn with_secret(address: &Address, secret: &str) -> StoreOptions {
    let options = StoreOptions::new();
    match address.location() {
        Location::S3(_) => options.auth_token(format!("id:{secret}")),
        _ => options.auth_token(secret),
    }
}
