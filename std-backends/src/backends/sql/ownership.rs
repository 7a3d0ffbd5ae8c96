//! Owning an account of a database.

use core::time::Duration;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};

use mtsession_core::wire::{Crc32c, FencingToken};

use super::connection::{Durability, Write};
use super::file_url::local_path;
use super::statement::Statement;
use super::store::{DEFAULT_ACCOUNT, SqlStore};
use super::tables::owner::{self as statements, TERM, Terms};
use crate::error::classify::of_error;
use crate::error::kind::StoreErrorKind;
use crate::fs::follow_links;
use crate::owner::file::{NewOwnerFile, OwnerFile, look, owner_at};
use crate::owner::refusal::{not_owner, owned};
use crate::owner::{Lease, Owner, OwnerInfo, Ownership, from_text, to_text, token};
use crate::store::file_stem;
use crate::sync::lock;

/// How often the owner of an account on a server is heard of.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// How soon it is tried again after it could not be.
const AGAIN: Duration = Duration::from_secs(2);

/// How long the server has given an account for.
const LENGTH: Duration = Duration::from_secs(30);
const _: () = assert!(TERM == 30, "both are the same time");

/// Whether a handle owns its account.
#[derive(Clone, Debug, Default)]
pub(super) struct Owned(Arc<Mutex<Option<Held>>>);

#[derive(Debug)]
struct Held {
    token: FencingToken,
    lease: Lease,
    /// Where a lock of the system decides.
    file: Option<OwnerFile>,
}

impl Owned {
    pub(super) fn token(&self) -> Option<FencingToken> {
        lock(&self.0).as_ref().map(|held| held.token)
    }

    pub(super) fn lease(&self) -> Option<Lease> {
        lock(&self.0).as_ref().map(|held| held.lease.clone())
    }

    fn is_lost(&self) {
        if let Some(held) = &*lock(&self.0) {
            held.lease.lose();
        }
    }
}

/// Where it is decided who may own an account.
#[derive(Clone, Debug)]
pub(super) enum Court {
    /// By the lock of a file alongside this database.
    File(PathBuf),
    /// By the clock of the server.
    #[cfg_attr(
        not(feature = "libsql-remote"),
        expect(dead_code, reason = "no servers")
    )]
    Server,
    /// Nowhere: the database is in the memory of one handle.
    None,
}

/// The files by which it is decided who owns an account.
struct Files {
    owner: PathBuf,
    database: PathBuf,
}

impl Files {
    fn of(path: &Path, account: &str) -> io::Result<Self> {
        let database = follow_links(&local_path(path)?)?;
        let mut name = database.as_os_str().to_os_string();
        if account != DEFAULT_ACCOUNT {
            name.push("#");
            name.push(short(&file_stem(account)));
        }
        name.push(".owner");
        Ok(Self {
            owner: name.into(),
            database,
        })
    }
}

/// A part of a file's name that every file system has room for. Where two of them are alike, one account is not
/// owned while the other one is.
fn short(stem: &str) -> String {
    const LONGEST: usize = 80;

    if stem.len() <= LONGEST {
        return stem.to_owned();
    }
    let mut crc = Crc32c::new();
    crc.update(stem.as_bytes());
    let begin: String = stem.chars().take(LONGEST / 4).collect();
    format!("{begin}~{:08x}", crc.value())
}

impl SqlStore {
    /// Carries out a change; where somebody owns the account who is not there any more, once more after that.
    pub(super) fn as_owner<R>(
        &mut self,
        change: impl Fn(&mut Self) -> io::Result<R>,
    ) -> io::Result<R> {
        match change(self) {
            Err(error) if of_error(&error).0 == StoreErrorKind::NotOwner => {
                if self.owned.token().is_none() && self.forget_dead_owner()? {
                    return change(self).map_err(|error| self.refusal(error));
                }
                Err(self.refusal(error))
            }
            changed => changed,
        }
    }

    /// Says who the owner is, where that is why.
    fn refusal(&mut self, error: io::Error) -> io::Error {
        if of_error(&error).0 != StoreErrorKind::NotOwner {
            return error;
        }
        let by = self.find_owner().unwrap_or_default();
        match (self.owned.token(), by) {
            (None, Some(by)) => owned(by),
            (None, None) => error,
            (Some(_), by) => {
                self.owned.is_lost();
                not_owner(by)
            }
        }
    }

    /// Who owns the account now.
    pub(super) fn find_owner(&mut self) -> io::Result<Option<OwnerInfo>> {
        match &self.court {
            Court::File(path) => {
                let files = Files::of(path, &self.account)?;
                owner_at(&files.owner, &files.database)
            }
            Court::Server => {
                let found = self.find_lease()?;
                Ok(found.filter(|found| found.is_held).map(|found| found.info))
            }
            Court::None => Ok(None),
        }
    }

    /// Gives the account free if its owner is gone; says whether it is free now.
    fn forget_dead_owner(&mut self) -> io::Result<bool> {
        let account = self.account.clone();
        match &self.court {
            Court::File(path) => {
                let files = Files::of(path, &account)?;
                if look(&files.owner, &files.database)?.is_some_and(|found| found.is_held) {
                    return Ok(false);
                }
                let Some(found) = self.find_lease()? else {
                    return Ok(false);
                };
                self.put(statements::release(&account, &found.token))?;
            }
            Court::Server => {
                if self.find_lease()?.is_some_and(|found| found.is_held) {
                    return Ok(false);
                }
                self.put(statements::release_expired(&account))?;
            }
            Court::None => return Ok(false),
        }
        self.forget();
        Ok(true)
    }

    fn find_lease(&mut self) -> io::Result<Option<Found>> {
        if !self.has_own_tables()? {
            return Ok(None);
        }
        self.connection.read_the_newest();
        let mut found = None;
        self.peek_rows([statements::select(&self.account.clone())], |_, row| {
            let (info, _) = from_text(row.text(1)?);
            found = Some(Found {
                info,
                token: row.optional_blob(2)?.unwrap_or_default().to_vec(),
                is_held: row.i64(3)? != 0,
            });
            Ok(())
        })?;
        Ok(found)
    }

    /// Writes what says who owns the account, and nothing of what it holds.
    fn put(&mut self, statements: impl Into<Vec<Statement>>) -> io::Result<()> {
        self.connection.write(Write {
            statements: statements.into(),
            durability: Durability::Now,
            if_unchanged: false,
            known: None,
        })?;
        Ok(())
    }

    /// Owns the account, as far as the database is concerned.
    fn take(&mut self, token: &FencingToken, info: &OwnerInfo, terms: Terms) -> io::Result<()> {
        let who = to_text(info, token);
        let account = self.account.clone();
        match self.put(statements::take(&account, token, &who, terms)) {
            Err(error) if of_error(&error).0 == StoreErrorKind::NotOwner => {
                Err(self.find_owner()?.map_or(error, owned))
            }
            taken => taken,
        }
    }
}

/// What a database says of an owner.
struct Found {
    info: OwnerInfo,
    token: Vec<u8>,
    is_held: bool,
}

/// Makes the handle with `owned` the owner of its account. `store` is another handle on that account, which knows
/// nothing of owners.
pub(super) fn own(owned: &Owned, mut store: SqlStore, owner: &Owner) -> io::Result<Ownership> {
    let (token, info) = (token::new(), owner.info());
    store.prepare()?;
    let (lease, file) = match &store.court {
        Court::File(path) => {
            let Files {
                owner: path,
                database,
            } = Files::of(path, &store.account)?;
            // Nobody else can become the owner meanwhile.
            store.lock()?;
            let new = NewOwnerFile::prepare(&path, &database, owner.takes_over(), &info, token);
            let file = match new.and_then(NewOwnerFile::put) {
                Ok(file) => file,
                Err(error) => {
                    store.unlock();
                    return Err(error);
                }
            };
            if let Err(error) = store.take(&token, &info, Terms::Lock) {
                file.remove();
                return Err(error);
            }
            (Lease::of_lock(), Some(file))
        }
        Court::Server => {
            let terms = Terms::Lease {
                takes_over: owner.takes_over(),
            };
            let asked = Lease::now();
            store.take(&token, &info, terms)?;
            let lease = Lease::of_time(Duration::ZERO);
            lease.extend(asked, LENGTH);
            (lease, None)
        }
        Court::None => {
            let message = "a database in memory has one handle, and no owners";
            return Err(crate::error::unsupported(message.to_owned()));
        }
    };
    let is_server = file.is_none();
    *lock(&owned.0) = Some(Held {
        token,
        lease: lease.clone(),
        file,
    });
    let (owned, store) = (owned.clone(), Arc::new(Mutex::new(store)));
    let heart = is_server.then(|| beat(Arc::clone(&store), token, lease.clone()));
    Ok(Ownership::new(lease, move || {
        drop(heart);
        release(&owned, &mut lock(&store), token)
    }))
}

fn release(owned: &Owned, store: &mut SqlStore, token: FencingToken) -> io::Result<()> {
    let Some(held) = lock(&owned.0).take_if(|held| held.token == token) else {
        return Ok(());
    };
    #[cfg(feature = "libsql-remote")]
    store.start_call();
    let account = store.account.clone();
    let released = store.put(statements::release(&account, &token));
    if let Some(file) = held.file {
        file.remove();
    }
    released
}

/// Lets the server hear of the owner until the sender is dropped.
fn beat(store: Arc<Mutex<SqlStore>>, token: FencingToken, lease: Lease) -> mpsc::Sender<()> {
    let (heart, stopped) = mpsc::channel();
    let run = move || {
        let mut wait = HEARTBEAT;
        while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
            wait = match extend(&mut lock(&store), &token, &lease) {
                Ok(()) => HEARTBEAT,
                Err(error) if of_error(&error).0 == StoreErrorKind::NotOwner => {
                    lease.lose();
                    return;
                }
                Err(_) => AGAIN,
            };
        }
    };
    // Without a thread, the lease ends, and the client with it.
    let _ = std::thread::Builder::new().spawn(run);
    heart
}

fn extend(store: &mut SqlStore, token: &FencingToken, lease: &Lease) -> io::Result<()> {
    #[cfg(feature = "libsql-remote")]
    store.start_call();
    let asked = Lease::now();
    let account = store.account.clone();
    store.put(statements::extend(&account, token))?;
    lease.extend(asked, LENGTH);
    Ok(())
}
