//! From an address to a store.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::accounts::Accounts;
#[cfg(any(feature = "redis", feature = "postgres", feature = "s3"))]
use super::blobs::BlobAccounts;
use super::directory::Directory;
use super::file::OneFile;
use super::honoured::Honours;
use super::memory::Memory;
use super::opened::Opened;
use super::{Store, StoreOptions};
use crate::address::{Address, DEFAULT_ACCOUNT, Location, is_like_a_database};
use crate::backend::SessionBackend;
#[cfg(feature = "cli")]
use crate::backends::file::BinaryFileBackend;
use crate::error::StoreError;
use crate::found;
use crate::sqlite_file::{self, open_databases};

pub(super) fn store(address: &Address, options: StoreOptions) -> io::Result<Store> {
    let address = address.store();
    let accounts = accounts(&address, &options)?;
    on_accounts(address, options, accounts)
}

/// A store of these accounts, after a look at what is there.
pub(super) fn on_accounts(
    address: Address,
    options: StoreOptions,
    accounts: Box<dyn Accounts>,
) -> io::Result<Store> {
    let is_there = options.events.within(|| accounts.look())?;
    if !is_there && !options.may_create() {
        return Err(StoreOptions::absent(&address));
    }
    Ok(Store::new(address, options, accounts))
}

pub(super) fn backend(
    address: Address,
    options: &StoreOptions,
) -> io::Result<Arc<dyn SessionBackend>> {
    let accounts = accounts(&address, options)?;
    let name = address.account().unwrap_or(DEFAULT_ACCOUNT).to_owned();
    account(&*accounts, address, &name, options)
}

/// A handle on one account, with what the options say about all calls.
pub(super) fn account(
    accounts: &dyn Accounts,
    address: Address,
    name: &str,
    options: &StoreOptions,
) -> io::Result<Arc<dyn SessionBackend>> {
    let backend = options.events.within(|| {
        let backend = accounts.backend(name)?;
        if !options.may_create() && backend.head()?.is_none() {
            return Err(StoreOptions::absent(&address));
        }
        Ok(backend)
    })?;
    Ok(Arc::new(Opened::new(backend, address, options)?))
}

/// The accounts of an address. Nothing is looked at but what a path holds.
fn accounts(address: &Address, options: &StoreOptions) -> io::Result<Box<dyn Accounts>> {
    let check = |honours| options.check(address, honours);
    match address.location() {
        Location::Path(path) if is_database(path)? => {
            check(Honours::Database)?;
            sqlite(path, options).map_err(|error| refused(address, error))
        }
        Location::Path(path) => {
            check(Honours::File)?;
            found::refuse_string(path)?;
            Ok(Box::new(OneFile::new(path, &options.with_key_files()?)))
        }
        Location::Directory(path) => {
            check(Honours::File)?;
            Ok(Box::new(Directory::new(path, &options.with_key_files()?)))
        }
        Location::Memory => {
            check(Honours::Memory)?;
            Ok(Box::new(Memory::default()))
        }
        Location::Sqlite(path) => {
            check(Honours::Database)?;
            sqlite(path, options).map_err(|error| refused(address, error))
        }
        Location::LibSql(path) => {
            check(Honours::Database)?;
            libsql(path, options).map_err(|error| refused(address, error))
        }
        Location::Server(url) => {
            check(Honours::Server)?;
            server(url, options).map_err(|error| refused(address, error))
        }
        Location::Redis(url) => {
            check(Honours::Login)?;
            redis(url, options).map_err(|error| refused(address, error))
        }
        Location::Postgres(url) => {
            check(Honours::Login)?;
            postgres(url, options).map_err(|error| refused(address, error))
        }
        Location::S3(url) => {
            check(Honours::S3)?;
            s3(url, options).map_err(|error| refused(address, error))
        }
        location => Err(refused(address, unsupported(&no_store(address, location)))),
    }
}

/// The session file of an address, where it leads to one.
#[cfg(feature = "cli")]
pub(super) fn session_file(
    address: &Address,
    options: &StoreOptions,
) -> io::Result<Option<BinaryFileBackend>> {
    match address.location() {
        Location::Path(path) if !is_database(path)? => {
            let options = options.with_key_files()?;
            Ok(Some(BinaryFileBackend::configured(path, &options)))
        }
        _ => Ok(None),
    }
}

/// What to do with an address that is no store.
fn no_store(address: &Address, location: &Location) -> String {
    let command =
        "the command `mtsession` reads and writes it, and `mtsession convert` makes a store of it";
    match location {
        Location::Client(..) | Location::ClientString(_) => format!(
            "it is a session of another library, not a store: `mtsession convert {address} NEW`, or \
             `clients::read` (feature `clients`), takes it over"
        ),
        Location::StringStdio | Location::StringFile(_) | Location::Environment(_) => format!(
            "it is a session string, not a store: `StringSessionBackend` keeps one; {command}"
        ),
        Location::Flash(..) => format!("it is the dump of a flash region, not a store: {command}"),
        _ => format!("it is not a store: {command}"),
    }
}

fn refused(address: &Address, error: io::Error) -> io::Error {
    if StoreError::of(&error).is_some() {
        return error;
    }
    StoreError::io("store", address.to_string(), "open", error)
}

/// What [`refused`] names the store of.
fn unsupported(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, message)
}

#[cfg(feature = "sqlite")]
fn sqlite(path: &Path, options: &StoreOptions) -> io::Result<Box<dyn Accounts>> {
    Ok(Box::new(super::database::Sqlite::new(path, options)?))
}

#[cfg(not(feature = "sqlite"))]
fn sqlite(_: &Path, _: &StoreOptions) -> io::Result<Box<dyn Accounts>> {
    let message = "this is an SQLite database: enable the feature `sqlite` of mtsession";
    Err(unsupported(message))
}

#[cfg(feature = "libsql")]
fn libsql(path: &Path, options: &StoreOptions) -> io::Result<Box<dyn Accounts>> {
    Ok(Box::new(super::database::LibSql::new(path, options)?))
}

#[cfg(not(feature = "libsql"))]
fn libsql(_: &Path, _: &StoreOptions) -> io::Result<Box<dyn Accounts>> {
    let message = "this is a libSQL database: enable the feature `libsql` of mtsession";
    Err(unsupported(message))
}

#[cfg(feature = "libsql-remote")]
fn server(url: &str, options: &StoreOptions) -> io::Result<Box<dyn Accounts>> {
    Ok(Box::new(super::server::Server::new(url, options)?))
}

#[cfg(not(feature = "libsql-remote"))]
fn server(_: &str, _: &StoreOptions) -> io::Result<Box<dyn Accounts>> {
    let message = "this is a libSQL server: enable the feature `libsql-remote` of mtsession";
    Err(unsupported(message))
}

/// A server that keeps blobs, or the error that names its feature.
macro_rules! blob_server {
    ($open:ident, $feature:literal, $kind:literal, $store:ident, $what:literal) => {
        #[cfg(feature = $feature)]
        fn $open(url: &str, options: &StoreOptions) -> io::Result<Box<dyn Accounts>> {
            let blobs = Arc::new(crate::servers::$open::$store::new(url, options)?);
            let promises = Arc::clone(&blobs);
            let accounts = BlobAccounts::new($kind, blobs, options);
            Ok(Box::new(
                accounts.checking(move |until| promises.check_promises(until)),
            ))
        }

        #[cfg(not(feature = $feature))]
        fn $open(_: &str, _: &StoreOptions) -> io::Result<Box<dyn Accounts>> {
            let message = concat!(
                "this is ",
                $what,
                ": enable the feature `",
                $feature,
                "` of mtsession"
            );
            Err(unsupported(message))
        }
    };
}

blob_server!(redis, "redis", "redis", RedisBlobs, "a Redis server");
blob_server!(
    postgres,
    "postgres",
    "postgres",
    PostgresBlobs,
    "a PostgreSQL server"
);
blob_server!(s3, "s3", "s3", S3Blobs, "a bucket of S3");

/// Whether a path means a database: by its content, or where nothing is yet, or an empty file, by its
/// extension.
fn is_database(path: &Path) -> io::Result<bool> {
    let error =
        |source: io::Error| StoreError::io("session", path.display().to_string(), "open", source);
    if open_databases::is_open(path) {
        return Ok(true);
    }
    match fs::metadata(path) {
        Ok(found) if found.is_file() && found.len() == 0 => return Ok(is_like_a_database(path)),
        // Opening a pipe could wait for ever. The file backend's own errors say more.
        Ok(found) if !found.is_file() => return Ok(false),
        Ok(_) => {}
        Err(source) if source.kind() == io::ErrorKind::NotFound => {
            return Ok(is_like_a_database(path));
        }
        Err(source) => return Err(error(source)),
    }
    sqlite_file::is_database(path).map_err(error)
}
