//! Why a foreign session could not be read or written.

use core::error::Error;
use core::fmt;
use std::io;

use mtsession_core::clients::Contents;
use mtsession_core::{DecodeError, DecodeErrorKind};

use crate::clients::candidate::Candidate;
use crate::sqlite_file::untouched;

/// What is wrong with a session of another library. Never shows a value, only where it stands.
#[derive(Debug)]
#[non_exhaustive]
pub enum ForeignError {
    /// Nothing here is the session of a known library.
    Unknown,
    /// A session of this library, or of the one that it replaces.
    Own,
    /// The session has no key, or one of zeros: nobody is logged in.
    NotLoggedIn,
    /// The key has another length than 256 bytes.
    KeyLength(usize),
    /// A table lacks a column that every version of the library has.
    MissingColumn {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// A part is damaged, and which.
    Damaged(String),
    /// There is no address for this DC.
    UnknownDc(i32),
    /// Written by another version of the library than those that are known.
    UnknownVersion(i64),
    /// Several logins with different keys, and nothing says which one is meant:
    /// [`read_account`](crate::clients::read_account) takes one by its number.
    SeveralKeys(Vec<Candidate>),
    /// Something that is known but cannot be read here.
    NotReadable {
        /// What it is.
        what: &'static str,
        /// What to do instead.
        advice: &'static str,
    },
    /// Telegram Desktop's data is protected by a passcode.
    Passcode,
    /// `TDLib`'s log is encrypted with a key that the program has chosen.
    DatabaseKey,
    /// The passcode or key that was given does not open it.
    WrongPasscode,
    /// There is no account with this number.
    NoAccount {
        /// The number that was asked for, from 1.
        number: usize,
        /// How many accounts there are.
        count: usize,
    },
    /// The target needs what the session does not have.
    Missing(Contents),
    /// Something does not fit into the target, and what.
    Unfit(String),
    /// SQLite's own words.
    Sqlite(rusqlite::Error),
    /// The file system's own words.
    Io(io::Error),
    /// A session string, and what is wrong with it.
    Text(DecodeError),
}

impl ForeignError {
    /// What is wrong with a foreign session, in an error of this module.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<&Self> {
        crate::error::classify::cause(error)
    }

    /// Whether nothing here is the session of a known library, so that it may be something else: a store of
    /// this library, or any other file.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        match self {
            Self::Unknown | Self::Own | Self::Io(_) => true,
            // Some text, not a session string that was damaged.
            Self::Text(error) => matches!(
                error.kind,
                DecodeErrorKind::Empty
                    | DecodeErrorKind::Character
                    | DecodeErrorKind::Base64Length
                    | DecodeErrorKind::NotASessionString
            ),
            _ => false,
        }
    }

    /// A damaged part.
    pub(super) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }

    /// JSON that is not what it should be. The parser's own words would quote the input.
    pub(super) fn json(what: &str, error: &serde_json::Error) -> Self {
        Self::Damaged(format!(
            "{what}, line {} column {}",
            error.line(),
            error.column()
        ))
    }
}

impl fmt::Display for ForeignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("not a session of any known library"),
            Self::Own => f.write_str("one of our own sessions: open it as a store"),
            Self::NotLoggedIn => f.write_str("no auth key in it: nobody is logged in"),
            Self::KeyLength(len) => write!(f, "its auth key has {len} bytes, not 256"),
            Self::MissingColumn { table, column } => {
                write!(f, "damaged: its table {table} has no column {column}")
            }
            Self::Damaged(what) => write!(f, "damaged: {what}"),
            Self::UnknownDc(dc_id) => {
                write!(f, "it names DC {dc_id} without an address, which is not known")
            }
            Self::UnknownVersion(version) => {
                write!(f, "its version {version} is unknown: written by a newer release")
            }
            Self::SeveralKeys(candidates) => {
                f.write_str("it holds several logins, and one has to be chosen by its number (--account):")?;
                for (index, candidate) in candidates.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ";" };
                    write!(f, "{separator} {candidate}")?;
                }
                Ok(())
            }
            Self::NotReadable { what, advice } => {
                write!(f, "it is {what}, which cannot be read here: {advice}")
            }
            Self::Passcode => f.write_str(
                "it is locked with a local passcode: give it (the command takes it from the variable \
                 MTSESSION_PASSCODE), or remove it in Telegram Desktop's settings first",
            ),
            Self::DatabaseKey => f.write_str(
                "it is encrypted with a key that its program has chosen: give it, as text or in base64 (the \
                 command takes it from the variable MTSESSION_PASSCODE)",
            ),
            Self::WrongPasscode => f.write_str("the passcode does not open it"),
            Self::NoAccount { number, count: 1 } => {
                write!(f, "it holds one account: there is no account number {number}")
            }
            Self::NoAccount { number, count } => {
                write!(f, "it holds {count} accounts: there is no account number {number}")
            }
            Self::Missing(what) => write!(f, "the target needs what is not known: {what}"),
            Self::Unfit(what) => f.write_str(what),
            Self::Sqlite(error) => error.fmt(f),
            Self::Io(error) => error.fmt(f),
            Self::Text(error) => error.fmt(f),
        }
    }
}

impl Error for ForeignError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Sqlite(error) => Some(error),
            Self::Io(error) => Some(error),
            Self::Text(error) => Some(error),
            _ => None,
        }
    }
}

impl From<rusqlite::Error> for ForeignError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<io::Error> for ForeignError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<untouched::Error> for ForeignError {
    fn from(error: untouched::Error) -> Self {
        match error {
            untouched::Error::Io(error) => Self::Io(error),
            untouched::Error::Sqlite(error) => Self::Sqlite(error),
        }
    }
}

impl From<ForeignError> for io::Error {
    fn from(error: ForeignError) -> Self {
        match error {
            ForeignError::Io(error) => error,
            ForeignError::Missing(_) | ForeignError::Unfit(_) | ForeignError::NoAccount { .. } => {
                Self::new(io::ErrorKind::InvalidInput, error)
            }
            error => Self::new(io::ErrorKind::InvalidData, error),
        }
    }
}
