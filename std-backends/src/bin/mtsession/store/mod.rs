//! `STORE` arguments: what they mean.

mod clients;
mod flash;
mod name;
mod read;
mod write;

use core::fmt;
use std::io;
use std::path::{Path, PathBuf};

use clap::builder::{OsStringValueParser, TypedValueParser as _, ValueParser, ValueParserFactory};
use mtsession::clients::Target;
use mtsession::codec::SessionSource as _;
use mtsession::codec::clients::StringFormat;
use mtsession::{
    Account, Change, LibSqlBackend, OwnedLoginState, PeerNames, PersistedSession, RemoteOptions,
    SessionBackend, SessionRecord, Shown, SqliteBackend,
};
use mtsession_embedded::image::Layout;
use zeroize::Zeroizing;

pub(crate) use clients::encode_login;
use name::escaped_account;
pub(crate) use read::{Loaded, Origin};
pub(crate) use write::{refuse_others, save_in};

use crate::failure::Failure;

/// The account of a database where none is named.
const DEFAULT_ACCOUNT: &str = "default";

/// The variables with the token of a libSQL server; the first that is set counts.
const TOKEN_VARIABLES: [&str; 2] = ["LIBSQL_AUTH_TOKEN", "TURSO_AUTH_TOKEN"];

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
    /// One account of an SQLite database.
    Sqlite(PathBuf, String),
    /// One account of a libSQL database: a url or a file.
    LibSql(String, String),
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
            Self::File(path) => path.display().to_string(),
            Self::StringStdio => "string:-".to_owned(),
            Self::StringFile(path) => format!("string:{}", path.display()),
            Self::StringEnv(name) => format!("env:{name}"),
            Self::Sqlite(path, account) => {
                format!("sqlite:{}#{}", path.display(), escaped_account(account))
            }
            Self::LibSql(url, account) => format!("libsql:{url}#{}", escaped_account(account)),
            Self::Ferogram(path) => format!("ferogram:{}", path.display()),
            Self::Flash(path, _) => format!("flash:{}", path.display()),
            Self::Library(target, path) => format!("{}:{}", target.scheme(), path.display()),
            Self::LibraryString(target) => format!("{}:-", target.scheme()),
        }
    }

    /// The backend behind a store that has one.
    pub(crate) fn backend(&self) -> Result<Option<Box<dyn SessionBackend>>, Failure> {
        Ok(Some(match self {
            Self::File(path) if is_stream(path) => {
                return Err(Failure::Usage(format!(
                    "{self} is a pipe or a device, not a file; string:{self} reads a session string \
                     from one"
                )));
            }
            Self::File(path) => mtsession::open(path)?,
            Self::Sqlite(path, account) => Box::new(SqliteBackend::open_account(path, account)?),
            Self::LibSql(url, account) => Box::new(libsql(url, account)?),
            _ => return Ok(None),
        }))
    }

    /// The path on this machine that may lead to a database.
    pub(crate) fn database(&self) -> Option<&Path> {
        match self {
            Self::File(path) | Self::Sqlite(path, _) => Some(path),
            Self::LibSql(path, _) if !is_remote(path) => Some(Path::new(path)),
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
            Self::Sqlite(..) | Self::LibSql(..) => "the database",
            Self::Ferogram(_) => "ferogram-session",
            Self::Flash(..) => "a flash image",
            Self::Library(target, _) => target.format().name(),
        }
    }

    /// The names of all accounts in a database.
    pub(crate) fn accounts(&self) -> Result<Vec<String>, Failure> {
        match self {
            Self::File(path) | Self::Sqlite(path, _) => {
                if !path.exists() {
                    return Err(self.not_found());
                }
                Ok(SqliteBackend::accounts(path)?)
            }
            Self::LibSql(url, _) if !is_remote(url) && !Path::new(url).exists() => {
                Err(self.not_found())
            }
            Self::LibSql(url, account) => Ok(libsql(url, account)?.accounts()?),
            _ => Err(Failure::Usage(format!(
                "{self} is not a database of many accounts: name one as sqlite:FILE or libsql:URL"
            ))),
        }
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
                | Self::Library(_, path) => (path, None),
                Self::Sqlite(path, account) => (path, Some(account.clone())),
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

pub(crate) fn is_remote(url: &str) -> bool {
    url.contains("://")
}

fn libsql(url: &str, account: &str) -> io::Result<LibSqlBackend> {
    if !is_remote(url) {
        return LibSqlBackend::open_local_account(url, account);
    }
    let token = TOKEN_VARIABLES
        .iter()
        .find_map(|name| std::env::var(name).ok());
    let token = Zeroizing::new(token.unwrap_or_default());
    LibSqlBackend::open_remote_account(url, token.as_str(), account, RemoteOptions::default())
}

/// A session on its way from one store to another.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) session: Zeroizing<PersistedSession>,
    pub(crate) account: Account,
    pub(crate) login_state: OwnedLoginState,
    /// What other libraries know of peers, in the order of the session's.
    pub(crate) names: Vec<PeerNames>,
}

impl Parts {
    /// All of it as one value, which stores move whole.
    pub(crate) fn record(&self) -> io::Result<SessionRecord> {
        let mut record = SessionRecord::from(PersistedSession::clone(&self.session));
        record.apply_all(&[
            Change::Account(self.account),
            Change::LoginState(self.login_state.as_state()),
        ])?;
        record.set_peer_names(&self.names)?;
        Ok(record)
    }
}

impl From<SessionRecord> for Parts {
    fn from(record: SessionRecord) -> Self {
        Self {
            account: record.account(),
            login_state: record.login_state().into(),
            names: record.peer_names(),
            session: Zeroizing::new(record.into_session()),
        }
    }
}
