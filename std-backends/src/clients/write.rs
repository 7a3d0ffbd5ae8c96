//! Writes session files of other libraries, complete from their first moment on: each is made next to
//! its place under another name, private to its owner, and then moved there.

use std::io::{self, Write as _};
use std::path::Path;

use mtsession_core::SessionSource;
use mtsession_core::clients::StringFormat;
use rusqlite::Connection;
use zeroize::Zeroizing;

use crate::clients::error::ForeignError;
use crate::clients::outgoing::{Outgoing, Secret};
use crate::clients::target::{Options, Target};
use crate::clients::{gramjs, grammers, mtcute, pyrogram, tdata, telethon};
use crate::error::{StoreError, already_there};
use crate::fs::{Temp, keep_new};
use crate::record::peer_names::PeerNames;
use crate::sqlite_file::new_database::{create, in_memory};

/// Writes `session` to `path`, where nothing may be yet, so that the library of `target` opens it and
/// goes on with it.
///
/// What the target has no room for is left out. Peers without an access hash are left out as well:
/// no library could use them. Stop every other client of this session first: two clients with one key
/// make the servers destroy it.
///
/// ```no_run
/// use mtsession::clients::{self, Target};
///
/// let import = clients::read("kurigram.session".as_ref())?;
/// clients::write(
///     "telethon.session".as_ref(),
///     Target::Telethon8,
///     clients::Options::default(),
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

/// The bytes of the file that [`write()`] would make, without a file system.
///
/// # Errors
/// As [`write()`]; [`ForeignError::Unfit`] for a target that is a directory.
pub fn write_bytes(
    target: Target,
    options: Options,
    session: &impl SessionSource,
    names: &[PeerNames],
) -> io::Result<Zeroizing<Vec<u8>>> {
    let bytes = Outgoing::new(target, session, names).and_then(|outgoing| match Form::of(target) {
        Form::Database(fill) => in_memory(|db| fill(db, options, &outgoing)).map(Zeroizing::new),
        Form::Text(format) => text(format, options, &outgoing),
        Form::Directory(_) => Err(ForeignError::Unfit(format!(
            "{} is a directory, not one file",
            target.format()
        ))),
    });
    bytes.map_err(|error| StoreError::io("foreign session", "bytes", "write", error))
}

/// What a library keeps a session in, and what makes it.
enum Form {
    Database(fn(&Connection, Options, &Outgoing<'_>) -> Result<(), ForeignError>),
    Directory(fn(&Path, &Outgoing<'_>) -> Result<(), ForeignError>),
    Text(StringFormat),
}

impl Form {
    fn of(target: Target) -> Self {
        match target {
            Target::Telethon7 => Self::Database(|db, how, it| telethon::write(db, 7, how, it)),
            Target::Telethon8 => Self::Database(|db, how, it| telethon::write(db, 8, how, it)),
            Target::Pyrogram3 => Self::Database(|db, _, it| pyrogram::write_v3(db, it)),
            Target::Kurigram7 => Self::Database(|db, _, it| pyrogram::write_kurigram(db, it)),
            Target::Mtcute => Self::Database(|db, _, it| mtcute::write(db, it)),
            Target::Grammers => Self::Database(|db, _, it| grammers::write(db, it)),
            Target::GramJsStore => Self::Directory(gramjs::write),
            Target::Tdata => Self::Directory(tdata::write),
            Target::Text(format) => Self::Text(format),
        }
    }
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
    match Form::of(target) {
        Form::Database(fill) => create(path, |db| fill(db, options, &outgoing)),
        Form::Directory(make) => make(path, &outgoing),
        Form::Text(format) => {
            let mut file = Temp::beside(path)?;
            file.write_all(&text(format, options, &outgoing)?)?;
            Ok(keep_new(file, path)?)
        }
    }
}

/// A session string on a line of its own.
fn text(
    format: StringFormat,
    options: Options,
    outgoing: &Outgoing<'_>,
) -> Result<Secret, ForeignError> {
    let text = outgoing.text(format, options)?;
    // A vector that grows leaves what it held in freed memory.
    let mut line = Zeroizing::new(Vec::with_capacity(text.len().saturating_add(1)));
    line.extend_from_slice(&text);
    line.push(b'\n');
    Ok(line)
}
