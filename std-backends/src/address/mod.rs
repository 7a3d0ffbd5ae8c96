//! Addresses: text that names a store, an account in it, and what is to be said about opening it.

mod account;
#[cfg(any(
    feature = "libsql-remote",
    feature = "redis",
    feature = "postgres",
    feature = "s3"
))]
mod authority;
mod display;
mod into;
mod meaning;
mod options;
mod parse;
mod text;

use std::path::{Path, PathBuf};

pub(crate) use self::account::{check_name, is_like_a_database};
#[cfg(any(
    feature = "libsql-remote",
    feature = "redis",
    feature = "postgres",
    feature = "s3"
))]
pub(crate) use self::authority::host_and_port;
pub use self::into::IntoAddress;
pub(crate) use self::meaning::Meaning;
pub(crate) use self::options::AddressOption;
pub(crate) use self::text::unescaped;

/// The account that is meant where none is named.
pub(crate) const DEFAULT_ACCOUNT: &str = "default";

/// Where a session is: a store, an account name in it, and options for opening it.
///
/// | address | is |
/// |---|---|
/// | `my.session`, `file:my.session` | what the content of the file says: a session file, a database |
/// | `dir:accounts` | a directory with one session file for each account name |
/// | `sqlite:accounts.db` | an SQLite database |
/// | `libsql:accounts.db` | a file of libSQL |
/// | `libsql://host`, `libsql:http://127.0.0.1:8080` | a libSQL server: Turso, sqld |
/// | `redis://USER@HOST:PORT/NUMBER`, `rediss://…` | Redis, without and with TLS |
/// | `postgres://USER@HOST:PORT/DATABASE` | PostgreSQL |
/// | `s3://BUCKET/PREFIX?endpoint=URL&region=NAME` | S3, or a server that speaks as it does |
/// | `memory:` | a store of its own that is gone with its last handle |
/// | `string:FILE`, `string:-`, `env:NAME` | a session string; the command reads and writes them |
/// | `flash:IMAGE?write=4&erase=4096&size=65536` | the dump of a device's flash region; the command reads and writes them |
/// | `telethon:FILE`, `pyrogram:FILE`, … | the session of another library, to be converted |
///
/// An account name follows the last `#`: `sqlite:accounts.db#alice`. In it, `%23` is `#`, `%3F` is `?` and
/// `%25` is `%`. Without one, the account is [`default`](Self::DEFAULT_ACCOUNT); an empty one is an error, since
/// a script whose variable is empty would otherwise write into that account.
///
/// Options follow a `?`, before or after the account, with `&` between them:
/// `sqlite:accounts.db#alice?deadline=10s&read_only`. They are those of
/// [`StoreOptions`](crate::StoreOptions) that are not secret. A file whose name has a `?` is written with one
/// more at its end: `file:what?.session?`.
///
/// A colon that no slash precedes ends the kind of a store; a kind that is not known is an error, never a
/// file. One letter before it is a drive of Windows, and `./a:b` is a file. A `Path` is taken as it is.
///
/// An address never holds a secret: URLs with passwords or tokens in them are refused.
///
/// ```
/// use mtsession::{Address, Location};
///
/// let address: Address = "sqlite:accounts.db#alice?read_only".parse()?;
/// assert_eq!((address.scheme(), address.account()), ("sqlite", Some("alice")));
/// assert_eq!(address.location(), &Location::Sqlite("accounts.db".into()));
/// assert_eq!(address.to_string(), "sqlite:accounts.db#alice?read_only");
/// assert!("sqlite:accounts.db#".parse::<Address>().is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    location: Location,
    account: Option<String>,
    options: Vec<AddressOption>,
}

/// What an [`Address`] leads to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Location {
    /// A path, whose content decides.
    Path(PathBuf),
    /// A directory with one session file for each account name.
    Directory(PathBuf),
    /// Memory.
    Memory,
    /// An SQLite database.
    Sqlite(PathBuf),
    /// A file of libSQL.
    LibSql(PathBuf),
    /// The URL of a libSQL server, without options.
    Server(String),
    /// The URL of a Redis server, without options.
    Redis(String),
    /// The URL of a `PostgreSQL` database, without options.
    Postgres(String),
    /// A bucket of S3, and perhaps a prefix: `s3://BUCKET/PREFIX`.
    S3(String),
    /// A store of your own, by its name: no text leads to it. See [`Store::on_blobs`](crate::Store::on_blobs).
    Blobs(String),
    /// A session string on standard input or output.
    StringStdio,
    /// A session string in a file.
    StringFile(PathBuf),
    /// A session string in an environment variable.
    Environment(String),
    /// The dump of a device's flash region.
    Flash(PathBuf, FlashRegion),
    /// A database for ferogram-session 0.6.6.
    Ferogram(PathBuf),
    /// The session of another client library.
    Client(ClientLibrary, PathBuf),
    /// The session string of another client library, on standard output.
    ClientString(ClientLibrary),
}

/// What is said about the dump of a flash region, in bytes; the rest is looked for, or as many chips have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct FlashRegion {
    /// Where the region begins in the dump of a whole chip.
    pub offset: Option<usize>,
    /// The unit that is written.
    pub write: Option<usize>,
    /// The unit that is erased.
    pub erase: Option<usize>,
    /// The size of a new dump, or of the region in one.
    pub size: Option<usize>,
}

/// The client libraries that addresses name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClientLibrary {
    /// Telethon, in its newest format.
    Telethon,
    /// Telethon, in the format before.
    Telethon7,
    /// Pyrogram.
    Pyrogram,
    /// Kurigram.
    Kurigram,
    /// mtcute.
    Mtcute,
    /// grammers.
    Grammers,
    /// GramJS.
    GramJs,
    /// MTKruto.
    Mtkruto,
    /// Telegram Desktop's `tdata`.
    Tdata,
}

impl ClientLibrary {
    pub(crate) const ALL: [Self; 9] = [
        Self::Telethon,
        Self::Telethon7,
        Self::Pyrogram,
        Self::Kurigram,
        Self::Mtcute,
        Self::Grammers,
        Self::GramJs,
        Self::Mtkruto,
        Self::Tdata,
    ];

    /// The name before the colon.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Telethon => "telethon",
            Self::Telethon7 => "telethon7",
            Self::Pyrogram => "pyrogram",
            Self::Kurigram => "kurigram",
            Self::Mtcute => "mtcute",
            Self::Grammers => "grammers",
            Self::GramJs => "gramjs",
            Self::Mtkruto => "mtkruto",
            Self::Tdata => "tdata",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|library| library.name() == name)
    }
}

impl Address {
    /// The account that is meant where an address names none.
    pub const DEFAULT_ACCOUNT: &'static str = DEFAULT_ACCOUNT;

    /// The address of a path, whose content decides what it is. Nothing in it is a kind, an account or an
    /// option.
    pub fn of_path(path: impl Into<PathBuf>) -> Self {
        Location::Path(path.into()).into()
    }

    /// What it leads to.
    #[must_use]
    pub const fn location(&self) -> &Location {
        &self.location
    }

    /// The kind of store, as it is written before the colon.
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        match &self.location {
            Location::Path(_) => "file",
            Location::Directory(_) => "dir",
            Location::Memory => "memory",
            Location::Redis(_) => "redis",
            Location::Postgres(_) => "postgres",
            Location::S3(_) => "s3",
            Location::Blobs(_) => "blobs",
            Location::Sqlite(_) => "sqlite",
            Location::LibSql(_) | Location::Server(_) => "libsql",
            Location::StringStdio | Location::StringFile(_) => "string",
            Location::Environment(_) => "env",
            Location::Flash(..) => "flash",
            Location::Ferogram(_) => "ferogram",
            Location::Client(library, _) | Location::ClientString(library) => library.name(),
        }
    }

    /// The account that it names, if it names one.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// The same store with this account.
    #[must_use]
    pub fn with_account(mut self, name: &str) -> Self {
        self.account = Some(name.to_owned());
        self
    }

    /// The same store without an account and without options.
    #[must_use]
    pub(crate) fn store(&self) -> Self {
        self.location.clone().into()
    }

    /// Whether it says `own`, which a command that ends at once has no use for.
    #[cfg(feature = "cli")]
    #[doc(hidden)]
    #[must_use]
    pub fn asks_to_own(&self) -> bool {
        self.options.iter().any(|option| option.name == "own")
    }

    /// Whether it says which key opens the store.
    #[cfg(feature = "seal")]
    #[doc(hidden)]
    #[must_use]
    pub fn names_a_key(&self) -> bool {
        self.options.iter().any(|option| option.name == "key_file")
    }

    pub(crate) fn options(&self) -> &[AddressOption] {
        &self.options
    }

    /// The file or directory on this machine, where it is one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.location {
            Location::Path(path)
            | Location::Directory(path)
            | Location::Sqlite(path)
            | Location::LibSql(path)
            | Location::StringFile(path)
            | Location::Flash(path, _)
            | Location::Ferogram(path)
            | Location::Client(_, path) => Some(path),
            _ => None,
        }
    }
}

/// The address of a place, without an account and options.
impl From<Location> for Address {
    fn from(location: Location) -> Self {
        Self {
            location,
            account: None,
            options: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
