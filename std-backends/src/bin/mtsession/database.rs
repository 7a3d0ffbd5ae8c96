//! Databases: many accounts in one store.

use core::fmt;
use std::path::{Path, PathBuf};

use mtsession::{LibSqlBackend, RemoteOptions, SessionBackend, SqliteBackend};
use zeroize::Zeroizing;

use crate::Done;
use crate::args::{AccountsArgs, BackupArgs};
use crate::failure::Failure;
use crate::store::Store;

/// Where the token of a libSQL server is looked for.
const TOKEN_VARIABLES: [&str; 2] = ["LIBSQL_AUTH_TOKEN", "TURSO_AUTH_TOKEN"];

/// The account that is meant where none is named.
const DEFAULT_ACCOUNT: &str = "default";

/// An account of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Database {
    place: Place,
    account: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Sqlite(PathBuf),
    LibSqlFile(PathBuf),
    LibSqlServer(String),
}

impl Database {
    /// `FILE[#account]`.
    pub(crate) fn sqlite(text: &str) -> Result<Self, String> {
        let (place, account) = split(text)?;
        Ok(Self {
            place: Place::Sqlite(place.into()),
            account,
        })
    }

    /// `URL[#account]`, or `FILE[#account]`.
    pub(crate) fn libsql(text: &str) -> Result<Self, String> {
        let (place, account) = split(text)?;
        // `libsql://host` is a url by itself; the scheme was taken for the kind of store.
        let place = match place.strip_prefix("//") {
            Some(_) => Place::LibSqlServer(format!("libsql:{place}")),
            None if place.contains("://") => Place::LibSqlServer(place.to_owned()),
            None => Place::LibSqlFile(place.into()),
        };
        Ok(Self { place, account })
    }

    fn account(&self) -> &str {
        self.account.as_deref().unwrap_or(DEFAULT_ACCOUNT)
    }

    pub(crate) fn backend(&self) -> Result<Box<dyn SessionBackend>, Failure> {
        Ok(match &self.place {
            Place::Sqlite(path) => Box::new(SqliteBackend::open_account(path, self.account())?),
            _ => Box::new(self.libsql_backend()?),
        })
    }

    fn libsql_backend(&self) -> Result<LibSqlBackend, Failure> {
        Ok(match &self.place {
            Place::Sqlite(path) | Place::LibSqlFile(path) => {
                LibSqlBackend::open_local_account(path, self.account())?
            }
            Place::LibSqlServer(url) => {
                let options = RemoteOptions::default();
                LibSqlBackend::open_remote_account(url, &*token(), self.account(), options)?
            }
        })
    }

    fn accounts(&self) -> Result<Vec<String>, Failure> {
        Ok(match &self.place {
            Place::Sqlite(path) => SqliteBackend::accounts(path)?,
            _ => self.libsql_backend()?.accounts()?,
        })
    }

    pub(crate) fn has_account(&self) -> Result<bool, Failure> {
        Ok(self.accounts()?.iter().any(|name| name == self.account()))
    }

    /// The file, where there is one.
    fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::Sqlite(path) | Place::LibSqlFile(path) => Some(path),
            Place::LibSqlServer(_) => None,
        }
    }
}

fn split(text: &str) -> Result<(&str, Option<String>), String> {
    let (place, account) = match text.rsplit_once('#') {
        Some((_, "")) => return Err("a name is missing behind the #".to_owned()),
        Some((place, account)) => (place, Some(account.to_owned())),
        None => (text, None),
    };
    if place.is_empty() {
        return Err("a name is missing behind the colon".to_owned());
    }
    Ok((place, account))
}

fn token() -> Zeroizing<String> {
    let mut tokens = TOKEN_VARIABLES
        .iter()
        .filter_map(|name| std::env::var(name).ok());
    Zeroizing::new(tokens.next().unwrap_or_default())
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Sqlite(path) => write!(f, "sqlite:{}", path.display())?,
            Place::LibSqlFile(path) => write!(f, "libsql:{}", path.display())?,
            // A secret that somebody put into the url is not repeated.
            Place::LibSqlServer(url) => {
                let shown = url.split('?').next().unwrap_or_default();
                let shown = shown.rsplit_once('@').map_or(shown, |(_, host)| host);
                write!(f, "libsql:{shown}")?;
            }
        }
        match &self.account {
            Some(account) => write!(f, "#{account}"),
            None => Ok(()),
        }
    }
}

/// `mtsession accounts`.
pub(crate) fn accounts(args: &AccountsArgs) -> Done {
    let accounts = of(&args.store)?.accounts()?;
    if args.json {
        println!("{:#}", serde_json::json!(accounts));
    } else {
        for name in accounts {
            println!("{name}");
        }
    }
    Ok(())
}

/// `mtsession backup`.
pub(crate) fn backup(args: &BackupArgs) -> Done {
    let database = of(&args.store)?;
    let Some(path) = database.path() else {
        let message = "a server makes its own backups; `convert` copies one account";
        return Err(Failure::Usage(message.to_owned()));
    };
    if !path.exists() {
        return Err(args.store.not_found());
    }
    SqliteBackend::back_up(path, &args.file)?;
    let accounts = SqliteBackend::accounts(&args.file)?.len();
    println!("{}: {accounts} accounts", args.file.display());
    Ok(())
}

/// The database of a store; a file is taken for one.
fn of(store: &Store) -> Result<Database, Failure> {
    match store {
        Store::Database(database) => Ok(database.clone()),
        Store::File(path) => Ok(Database {
            place: Place::Sqlite(path.clone()),
            account: None,
        }),
        _ => Err(Failure::Usage(format!("{store} is no database"))),
    }
}
