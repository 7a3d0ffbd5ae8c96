//! Writes session files of other libraries, complete from their first moment on: each is made beside
//! its place under another name, private to its owner, and then moved there.

mod gramjs;
mod grammers;
mod mtcute;
mod outgoing;
mod pyrogram;
mod telethon;

use std::io::{self, Write as _};
use std::path::Path;

use mtsession_core::foreign::{Carries, StringFormat, TelethonIpv6};
use mtsession_core::{Counters, SessionSource};
use rusqlite::{Connection, Statement};
use zeroize::Zeroizing;

use self::outgoing::Outgoing;
use super::error::ForeignError;
use super::format::FileFormat;
use crate::error::{StoreError, already_there};
use crate::fs::{Directory, Temp, directory_of};
use crate::names::PeerNames;

/// What is written, in the version that the library itself writes today (or still reads).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Target {
    /// Telethon 1.17 to 1.42; newer releases migrate it.
    Telethon7,
    /// Telethon 1.43 and later. Older releases cannot open it.
    Telethon8,
    /// Pyrogram 2; pyrofork, pyrotgfork and kurigram migrate it.
    Pyrogram3,
    /// kurigram 2.2.
    Kurigram7,
    /// mtcute's SQLite storage.
    Mtcute,
    /// grammers 0.8 and later.
    Grammers,
    /// The directory of a GramJS `StoreSession`, which must have the session's name.
    GramJsStore,
    /// A text file with a session string.
    Text(StringFormat),
}

impl Target {
    /// The format of what is written.
    #[must_use]
    pub const fn format(self) -> FileFormat {
        match self {
            Self::Telethon7 | Self::Telethon8 => FileFormat::TelethonSqlite,
            Self::Pyrogram3 => FileFormat::PyrogramSqlite,
            Self::Kurigram7 => FileFormat::KurigramSqlite,
            Self::Mtcute => FileFormat::MtcuteSqlite,
            Self::Grammers => FileFormat::GrammersSqlite,
            Self::GramJsStore => FileFormat::GramJsStore,
            Self::Text(format) => FileFormat::Text(format),
        }
    }

    /// What must be known, because the library would throw the login away without it.
    #[must_use]
    pub const fn needs(self) -> Carries {
        const LOGIN: Carries = Carries::HOME_DC
            .union(Carries::HOME_KEY)
            .union(Carries::ADDRESS);
        const WHO: Carries = Carries::USER_ID.union(Carries::IS_BOT);
        match self {
            Self::Telethon7 | Self::Telethon8 | Self::GramJsStore => LOGIN,
            // The api id is asked for by the library where it is not known.
            Self::Pyrogram3 | Self::Kurigram7 => LOGIN.union(WHO).union(Carries::TEST_MODE),
            Self::Mtcute => LOGIN.union(Carries::TEST_MODE),
            Self::Grammers => LOGIN.union(WHO),
            Self::Text(format) => format.needs(),
        }
    }
}

/// How to write.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// What Telethon gets where the session has an IPv6 address.
    pub ipv6: TelethonIpv6,
}

impl Options {
    /// The same with another treatment of IPv6 addresses for Telethon.
    #[must_use]
    pub const fn with_ipv6(self, ipv6: TelethonIpv6) -> Self {
        Self { ipv6 }
    }
}

/// Writes `session` to `path`, where nothing may be yet, so that the library of `target` opens it and
/// goes on with it.
///
/// What the target has no room for is left out. Peers without an access hash are left out as well:
/// no library could use them. Stop every other client of this session first: two clients with one key
/// make the servers destroy it.
///
/// ```no_run
/// use mtsession::foreign::{self, Target};
///
/// let import = foreign::read("kurigram.session".as_ref())?;
/// foreign::write(
///     "telethon.session".as_ref(),
///     Target::Telethon8,
///     foreign::Options::default(),
///     &import.source(),
///     &import.names,
/// )?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// `InvalidInput` with [`ForeignError::Missing`] naming everything that `target` needs and the session
/// lacks; `AlreadyExists` where something is at `path`. Nothing is written then.
pub fn write(
    path: &Path,
    target: Target,
    options: Options,
    session: &impl SessionSource,
    names: &[PeerNames],
) -> io::Result<()> {
    write_any(path, target, options, session, names).map_err(|error| {
        StoreError::io(
            "foreign session",
            path.display().to_string(),
            "write",
            error,
        )
    })
}

fn write_any(
    path: &Path,
    target: Target,
    options: Options,
    session: &impl SessionSource,
    names: &[PeerNames],
) -> Result<(), ForeignError> {
    let outgoing = Outgoing::new(target, session, names)?;
    if path.symlink_metadata().is_ok() {
        return Err(already_there().into());
    }
    match target {
        Target::Telethon7 => database(path, |db| telethon::write(db, 7, options, &outgoing)),
        Target::Telethon8 => database(path, |db| telethon::write(db, 8, options, &outgoing)),
        Target::Pyrogram3 => database(path, |db| pyrogram::write_v3(db, &outgoing)),
        Target::Kurigram7 => database(path, |db| pyrogram::write_kurigram(db, &outgoing)),
        Target::Mtcute => database(path, |db| mtcute::write(db, &outgoing)),
        Target::Grammers => database(path, |db| grammers::write(db, &outgoing)),
        Target::GramJsStore => gramjs::write(path, &outgoing),
        Target::Text(format) => text(path, format, options, &outgoing),
    }
}

/// A new database, filled in one transaction.
fn database(
    path: &Path,
    fill: impl FnOnce(&Connection) -> Result<(), ForeignError>,
) -> Result<(), ForeignError> {
    let file = Temp::beside(path)?;
    let mut connection = Connection::open(file.path())?;
    // The file is nobody's yet: a journal beside it would only be one more file with the key.
    connection.pragma_update(None, "journal_mode", "MEMORY")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let transaction = connection.transaction()?;
    fill(&transaction)?;
    transaction.commit()?;
    connection.close().map_err(|(_, error)| error)?;
    persist(file, path)
}

/// The row 0 of an `update_state`, which is the account's own.
fn write_counters(state: &mut Statement<'_>, counters: Counters) -> Result<(), ForeignError> {
    if counters.is_initialised() {
        let Counters {
            pts,
            qts,
            date,
            seq,
        } = counters;
        state.execute([0, pts, qts, date, seq])?;
    }
    Ok(())
}

fn text(
    path: &Path,
    format: StringFormat,
    options: Options,
    outgoing: &Outgoing<'_>,
) -> Result<(), ForeignError> {
    let text = outgoing.text(format, options)?;
    let mut file = Temp::beside(path)?;
    file.write_all(&text)?;
    file.write_all(b"\n")?;
    persist(file, path)
}

fn persist(file: Temp, path: &Path) -> Result<(), ForeignError> {
    file.file().sync_all()?;
    let dir = Directory::open(directory_of(path))?;
    let file = file.keep_as(path).map_err(|(error, _)| error)?;
    dir.sync(Some(&file));
    Ok(())
}

/// A buffer for bytes that hold a key.
type Secret = Zeroizing<Vec<u8>>;
