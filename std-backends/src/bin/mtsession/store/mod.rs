//! `STORE` arguments: what they mean.

mod clients;
mod flash;
mod name;
mod read;
mod write;

use core::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::builder::{OsStringValueParser, TypedValueParser as _, ValueParser, ValueParserFactory};
use mtsession::clients::Target;
use mtsession::codec::clients::StringFormat;
use mtsession::{Address, BinaryFileBackend, Location, SessionBackend, Shown, StoreOptions};
use mtsession_embedded::image::Layout;

pub(crate) use clients::encode_login;
pub(crate) use read::{Loaded, Origin};
pub(crate) use write::{add_in, refuse_others};

use crate::failure::Failure;
use crate::keys;

/// The variables with the token of a libSQL server; the first that is set counts.
const TOKEN_VARIABLES: [&str; 2] = ["LIBSQL_AUTH_TOKEN", "TURSO_AUTH_TOKEN"];

/// The variables with the keys of S3; the last one may be missing.
const KEY_VARIABLES: [&str; 3] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
];

/// A store as named on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    /// A path, whose content decides.
    File(PathBuf),
    /// A session string on standard input or output.
    StringStdio,
    /// A session string in a file.
    StringFile(PathBuf),
    /// A session string in an environment variable.
    StringEnv(String),
    /// What the library opens by an address.
    Backend(Address),
    /// A database for ferogram-session 0.6.6, to be written.
    Ferogram(PathBuf),
    /// The dump of a device's flash region.
    Flash(PathBuf, FlashLayout),
    /// The session of another client library, to be written.
    Library(Target, PathBuf),
    /// The string of another client library, to standard output.
    LibraryString(Target),
}

/// What was said about a flash image or a dump, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FlashLayout {
    /// Where the region begins in a dump.
    pub(crate) offset: Option<usize>,
    pub(crate) write: Option<usize>,
    pub(crate) erase: Option<usize>,
    /// Of a new image, or of the region in a dump.
    pub(crate) size: Option<usize>,
}

impl FlashLayout {
    /// Bytes of a new image where nothing is said.
    pub(crate) const SIZE: usize = 64 * 1024;

    /// The chip, with what many of them have where nothing is said.
    pub(crate) fn chip(&self) -> Layout {
        Layout {
            write: self.write.unwrap_or(4),
            erase: self.erase.unwrap_or(4096),
        }
    }
}

/// The argument again, for people: escaped where it could deceive.
impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Shown(self.name()))
    }
}

impl Store {
    /// The argument again, as it was.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::File(path) => Address::of_path(path).to_text(),
            Self::StringStdio => "string:-".to_owned(),
            Self::StringFile(path) => format!("string:{}", path.display()),
            Self::StringEnv(name) => format!("env:{name}"),
            Self::Backend(address) => address.to_text(),
            Self::Ferogram(path) => format!("ferogram:{}", path.display()),
            Self::Flash(path, _) => format!("flash:{}", path.display()),
            Self::Library(target, path) => format!("{}:{}", target.scheme(), path.display()),
            Self::LibraryString(target) => format!("{}:-", target.scheme()),
        }
    }

    /// The backend behind a store that has one.
    pub(crate) fn backend(&self) -> Result<Option<Arc<dyn SessionBackend>>, Failure> {
        let Some(address) = self.address() else {
            return Ok(None);
        };
        if let Some(path) = address.path()
            && is_stream(path)
        {
            return Err(Failure::Usage(format!(
                "{self} is a pipe or a device, not a file; string:{self} reads a session string \
                 from one"
            )));
        }
        Ok(Some(options(&address)?.connect(address)?))
    }

    /// The library's store, whatever account is meant.
    pub(crate) fn open(&self) -> Result<mtsession::Store, Failure> {
        let address = self.address();
        if address.is_some_and(|address| address.path().is_some_and(|path| !path.exists())) {
            return Err(self.not_found());
        }
        self.open_or_new()
    }

    /// The same without any key: it is to be sealed.
    pub(crate) fn open_plain(&self) -> Result<mtsession::Store, Failure> {
        let Some(address) = self.address() else {
            return Err(Failure::Usage(format!(
                "{self} cannot be sealed: a session file or a directory of them can"
            )));
        };
        if address.names_a_key() {
            return Err(Failure::Usage(format!(
                "{self}: the key that is to seal it is named with --key-file"
            )));
        }
        if address.path().is_some_and(|path| !path.exists()) {
            return Err(self.not_found());
        }
        Ok(StoreOptions::new().open(address)?)
    }

    /// The same where nothing is yet.
    pub(crate) fn open_or_new(&self) -> Result<mtsession::Store, Failure> {
        let Some(address) = self.address() else {
            return Err(Failure::Usage(format!(
                "{self} is no store of accounts: a database, a directory of session files or a server is"
            )));
        };
        Ok(options(&address)?.open(address)?)
    }

    pub(crate) fn address(&self) -> Option<Address> {
        match self {
            Self::File(path) => Some(Address::of_path(path)),
            Self::Backend(address) => Some(address.clone()),
            _ => None,
        }
    }

    /// Whether its address says which key opens it.
    pub(crate) fn names_a_key(&self) -> bool {
        self.address().is_some_and(|address| address.names_a_key())
    }

    /// The session file that it is, if it is one.
    pub(crate) fn session_file(&self) -> Result<Option<BinaryFileBackend>, Failure> {
        let Some(address) = self.address() else {
            return Ok(None);
        };
        Ok(options(&address)?.session_file(&address)?)
    }

    /// The path on this machine that may lead to a database.
    pub(crate) fn database(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Backend(address) => match address.location() {
                Location::Path(path) | Location::Sqlite(path) | Location::LibSql(path) => {
                    Some(path)
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// The format of the string that writing to it prints.
    pub(crate) fn printed_string(&self) -> Option<StringFormat> {
        match self {
            Self::StringStdio => Some(StringFormat::Native),
            Self::LibraryString(target) => target.string(),
            _ => None,
        }
    }

    /// What kind of store it is, with its article.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::File(_) => "a session file",
            Self::StringStdio
            | Self::StringFile(_)
            | Self::StringEnv(_)
            | Self::LibraryString(_) => "a string session",
            Self::Backend(_) => "the store",
            Self::Ferogram(_) => "ferogram-session",
            Self::Flash(..) => "a flash image",
            Self::Library(target, _) => target.format().name(),
        }
    }

    /// The same store with this account of it.
    pub(crate) fn with_account(&self, name: &str) -> Self {
        match self.address() {
            Some(address) => Self::Backend(database_address(address).with_account(name)),
            None => self.clone(),
        }
    }

    /// The account that is meant, where a store has several.
    pub(crate) fn account_name(&self) -> String {
        let account = self
            .address()
            .and_then(|address| address.account().map(str::to_owned));
        account.unwrap_or_else(|| Address::DEFAULT_ACCOUNT.to_owned())
    }

    /// The names of all accounts in a store.
    pub(crate) fn accounts(&self) -> Result<Vec<String>, Failure> {
        Ok(self.open()?.names()?)
    }

    pub(crate) fn not_found(&self) -> Failure {
        Failure::NotFound(format!("no session at {self}"))
    }

    /// There is no such account, but perhaps others.
    pub(crate) fn no_account(&self) -> Failure {
        match self.accounts() {
            Ok(names) if !names.is_empty() => Failure::NotFound(format!(
                "no session at {self}, but the database has other accounts: `mtsession accounts` \
                 lists them, and sqlite:FILE#NAME or libsql:URL#NAME names one"
            )),
            _ => self.not_found(),
        }
    }

    /// Whether both mean the same account or file, however they are written.
    pub(crate) fn is_same_place(&self, other: &Self) -> bool {
        let place = |store: &Self| {
            let (path, account) = match store {
                Self::File(path)
                | Self::StringFile(path)
                | Self::Ferogram(path)
                | Self::Flash(path, _)
                | Self::Library(_, path) => (&**path, None),
                Self::Backend(address) => (address.path()?, account_of(address)),
                _ => return None,
            };
            Some((path.canonicalize().ok()?, account))
        };
        self == other || place(self).is_some_and(|found| place(other) == Some(found))
    }

    /// Says which store the error is about.
    pub(crate) fn unreadable(&self, error: impl fmt::Display) -> Failure {
        let message = format!("cannot read {self}: {error}");
        Failure::Store(io::Error::new(io::ErrorKind::InvalidData, message))
    }
}

impl ValueParserFactory for Store {
    type Parser = ValueParser;

    fn value_parser() -> ValueParser {
        OsStringValueParser::new()
            .try_map(|text| Self::parse(&text))
            .into()
    }
}

/// Whether a path names what can be read only once, or never ends.
fn is_stream(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// A path that leads to a database, as the database's address: its accounts have names.
fn database_address(address: Address) -> Address {
    match address.location() {
        Location::Path(path) => Location::Sqlite(path.clone()).into(),
        _ => address,
    }
}

/// The account that an address means, where its store has several.
fn account_of(address: &Address) -> Option<String> {
    let account = address.account().unwrap_or(Address::DEFAULT_ACCOUNT);
    (!matches!(address.location(), Location::Path(_))).then(|| account.to_owned())
}

/// What is to be said about opening an address: the token, password or keys of a server, or what opens a sealed
/// session.
fn options(address: &Address) -> Result<StoreOptions, Failure> {
    let first = |names: &[&str]| names.iter().find_map(|name| std::env::var(name).ok());
    let token = match address.location() {
        Location::Server(_) => Some(first(&TOKEN_VARIABLES).unwrap_or_default()),
        Location::Redis(_) => first(&["REDISCLI_AUTH"]),
        Location::Postgres(_) => first(&["PGPASSWORD"]),
        Location::S3(_) => {
            let parts = KEY_VARIABLES.iter().map_while(|name| first(&[*name]));
            let keys: Vec<String> = parts.collect();
            (keys.len() > 1).then(|| keys.join(":"))
        }
        _ => return keys::added_to(StoreOptions::new(), address),
    };
    Ok(match token {
        Some(token) => StoreOptions::new().auth_token(token),
        None => StoreOptions::new(),
    })
}
