//! What a Redis server promises about what it acknowledges.

use std::collections::HashMap;
use std::io;
use std::time::Instant;

use super::RedisBlobs;
use crate::error::kind::StoreErrorKind;
use crate::error::told::told;
use crate::event::{self, Event};

impl RedisBlobs {
    /// Refuses a server that would lose sessions by design, and tells what else it may lose.
    pub(crate) fn check_promises(&self, until: Instant) -> io::Result<()> {
        let info = redis::cmd("INFO");
        let answer: Result<String, _> = self.call(until, |connection| info.query(connection));
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if is_forbidden(&error.error) => {
                self.tell("its user may not ask what it keeps (`INFO`)");
                return Ok(());
            }
            Err(error) => return Err(error.error),
        };
        let info: HashMap<&str, &str> = answer
            .lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name, value.trim()))
            .collect();
        let says = |name: &str| info.get(name).copied().unwrap_or_default();
        if matches!(says("role"), "slave" | "replica") {
            let message =
                "the server is a replica, which only reads: give the address of the primary";
            return Err(told(StoreErrorKind::Refused, message));
        }
        if says("maxmemory_policy").starts_with("allkeys-") && says("maxmemory") != "0" {
            return Err(told(
                StoreErrorKind::Unsupported,
                format!(
                    "the server removes keys when its memory is full (`maxmemory-policy {}`), sessions as well: \
                     set it to `noeviction`",
                    says("maxmemory_policy")
                ),
            ));
        }
        let policy = self.setting("appendfsync", until)?;
        match says("aof_enabled") {
            "1" if policy.as_deref() == Some("always") => {}
            "1" => self.tell("it writes to its disk once a second (`appendfsync` is not `always`)"),
            _ if self.setting("save", until)?.as_deref() == Some("") => {
                return Err(told(
                    StoreErrorKind::Unsupported,
                    "the server keeps nothing on a disk, and every session is gone when it restarts: set \
                     `appendonly yes` and `appendfsync always`",
                ));
            }
            _ => self.tell("it writes to its disk from time to time (`appendonly` is `no`)"),
        }
        if says("connected_slaves") != "0" {
            self.tell(
                "it acknowledges before its replicas have it, and one of them may take its place",
            );
        }
        Ok(())
    }

    /// A setting; `None` where the user may not ask.
    fn setting(&self, name: &str, until: Instant) -> io::Result<Option<String>> {
        let mut command = redis::cmd("CONFIG");
        command.arg("GET").arg(name);
        let answer: Result<Vec<String>, _> =
            self.call(until, |connection| command.query(connection));
        match answer {
            Ok(answer) => Ok(answer.into_iter().nth(1)),
            Err(error) if is_forbidden(&error.error) => Ok(None),
            Err(error) => Err(error.error),
        }
    }

    fn tell(&self, reason: &str) {
        event::emit(|| Event::WeakPromise {
            server: self.name.clone(),
            reason: reason.to_owned(),
        });
    }
}

/// Whether the server does not let this user ask.
fn is_forbidden(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied
}
