//! The conformance suite on the examples, against real servers: run by `tests/servers.sh`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use custom_backends::postgres_backend::PostgresBackend;
use custom_backends::redis_backend::RedisBackend;
use mtsession::{Change, SessionBackend, UpdateChange, UpdateStateChange};
use mtsession_tests::conformance;
use mtsession_tests::conformance::Fixture;
use mtsession_tests::random::sized;
use redis::Commands as _;

/// An account that no other test uses.
struct Server {
    open: fn(&str, &str) -> Box<dyn SessionBackend>,
    url: Option<String>,
    account: String,
}

impl Server {
    fn new(variable: &str, open: fn(&str, &str) -> Box<dyn SessionBackend>) -> Self {
        static ACCOUNTS: AtomicU32 = AtomicU32::new(0);
        let url = std::env::var(variable).ok();
        if url.is_none() {
            eprintln!(
                "skipped: {variable} is not set; tests/servers.sh starts servers and sets it"
            );
        }
        let account = format!("account {}", ACCOUNTS.fetch_add(1, Ordering::Relaxed));
        Self { open, url, account }
    }

    fn redis() -> Self {
        Self::new("REDIS_URL", |url, account| {
            Box::new(RedisBackend::new(url, account).unwrap())
        })
    }

    fn postgres() -> Self {
        Self::new("POSTGRES_URL", |url, account| {
            Box::new(PostgresBackend::open(url, account).unwrap())
        })
    }

    /// Goes around the backend.
    fn raw<T>(
        &self,
        with_redis: impl FnOnce(&mut redis::Client, String) -> T,
        with_postgres: impl FnOnce(&mut postgres::Client, &String) -> T,
    ) -> T {
        drop(self.open());
        let url = self.url.as_deref().unwrap();
        if url.starts_with("redis") {
            let key = format!("mtsession:{}", self.account);
            with_redis(&mut redis::Client::open(url).unwrap(), key)
        } else {
            let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
            with_postgres(&mut client, &self.account)
        }
    }

    fn both() -> impl Iterator<Item = Self> {
        [Self::redis(), Self::postgres()]
            .into_iter()
            .filter(|server| !server.is_missing())
    }
}

impl Fixture for Server {
    fn open(&self) -> Box<dyn SessionBackend> {
        (self.open)(self.url.as_ref().unwrap(), &self.account)
    }

    fn is_missing(&self) -> bool {
        self.url.is_none()
    }

    fn damage(&self) -> bool {
        let damage = b"\x08\x01\x00".as_slice();
        self.raw(
            |redis, key| redis.set::<_, _, ()>(key, damage).unwrap(),
            |postgres, account| {
                let sql = "INSERT INTO mtsession VALUES ($1, $2)";
                postgres.execute(sql, &[account, &damage]).unwrap();
            },
        );
        true
    }

    /// The value or the row; what else a server keeps is its own affair.
    fn stored_bytes(&self) -> Vec<u8> {
        self.raw(
            |redis, key| redis.get::<_, Option<_>>(key).unwrap(),
            |postgres, account| {
                let sql = "SELECT session FROM mtsession WHERE account = $1";
                postgres
                    .query_opt(sql, &[account])
                    .unwrap()
                    .map(|row| row.get(0))
            },
        )
        .unwrap_or_default()
    }
}

conformance!(on_redis, Server::redis());
conformance!(on_postgres, Server::postgres());

/// Two writers that each read what the other wrote: of 200 appended channels none is lost.
#[test]
fn no_update_of_two_writers_is_lost() {
    for server in Server::both() {
        let backends: Vec<_> = (0..2).map(|_| server.open()).collect();
        backends[0].delete().unwrap();
        std::thread::scope(|scope| {
            for (writer, backend) in (0_i64..).zip(&backends) {
                scope.spawn(move || {
                    for n in 0..100 {
                        let id = writer * 1_000 + n;
                        let change = Change::Update(UpdateChange::PushChannel { id, pts: 1 });
                        backend.apply(&[change]).unwrap();
                    }
                });
            }
        });
        let mut channels = backends[0].load().unwrap().unwrap().updates_state.channels;
        channels.sort_unstable();
        let expected: Vec<_> = (0..100).chain(1_000..1_100).map(|id| (id, 1)).collect();
        assert_eq!(channels, expected);
        backends[0].delete().unwrap();
    }
}

#[test]
fn async_code_may_call_and_drop_them() {
    let runtimes = [
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap(),
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .build()
            .unwrap(),
    ];
    for server in Server::both() {
        for runtime in &runtimes {
            let backend: Arc<dyn SessionBackend> = server.open().into();
            let task = runtime.spawn(async move {
                backend.save(&sized(2, 5, 2, 2)).unwrap();
                backend
                    .apply_update_state(UpdateStateChange::Secondary { qts: 1 })
                    .unwrap();
                assert_eq!(backend.load().unwrap().unwrap().updates_state.qts, 1);
                backend.delete().unwrap();
            });
            runtime.block_on(task).unwrap();
        }
    }
}

/// A wrong password, and a server that is not there: the store and the cause, never the password.
#[test]
fn errors_hold_no_password() {
    let nowhere = mtsession_tests::sqld::free_port();
    let mut errors = Vec::new();
    for (variable, scheme) in [("REDIS_URL", "redis"), ("POSTGRES_URL", "postgres")] {
        let Ok(url) = std::env::var(variable) else {
            continue;
        };
        let address = url
            .rsplit(['@', '/'])
            .find(|part| part.contains(':'))
            .unwrap();
        for address in [address, &format!("127.0.0.1:{nowhere}")] {
            let url = format!("{scheme}://mallory:hunter2secret@{address}");
            errors.push(match scheme {
                "redis" => RedisBackend::new(&url, "bot")
                    .unwrap()
                    .set_home_dc(1)
                    .unwrap_err(),
                _ => PostgresBackend::open(&url, "bot").err().unwrap(),
            });
        }
        let error = match scheme {
            "redis" => RedisBackend::new("redis//:hunter2secret@x", "bot").err(),
            _ => PostgresBackend::open("postgres://u:hunter2secret@x:y", "bot").err(),
        };
        errors.push(error.unwrap());
    }
    for error in errors {
        let text = format!("{error} {error:?}");
        println!("{error}");
        assert!(!text.contains("hunter2secret"), "{text}");
    }
}
