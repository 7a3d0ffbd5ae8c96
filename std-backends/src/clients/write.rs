//! Writes session files of other libraries, complete from their first moment on: each is made next to
//! its place under another name, private to its owner, and then moved there.

use std::io::{self, Write as _};
use std::path::Path;

use mtsession_core::SessionSource;
use mtsession_core::clients::StringFormat;

use crate::clients::error::ForeignError;
use crate::clients::outgoing::Outgoing;
use crate::clients::target::{Options, Target};
use crate::clients::{gramjs, grammers, mtcute, pyrogram, tdata, telethon};
use crate::error::{StoreError, already_there};
use crate::fs::{Temp, keep_new};
use crate::record::peer_names::PeerNames;
use crate::sqlite_file::new_database::create;

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
        Target::Telethon7 => create(path, |db| telethon::write(db, 7, options, &outgoing)),
        Target::Telethon8 => create(path, |db| telethon::write(db, 8, options, &outgoing)),
        Target::Pyrogram3 => create(path, |db| pyrogram::write_v3(db, &outgoing)),
        Target::Kurigram7 => create(path, |db| pyrogram::write_kurigram(db, &outgoing)),
        Target::Mtcute => create(path, |db| mtcute::write(db, &outgoing)),
        Target::Grammers => create(path, |db| grammers::write(db, &outgoing)),
        Target::GramJsStore => gramjs::write(path, &outgoing),
        Target::Tdata => tdata::write(path, &outgoing),
        Target::Text(format) => text(path, format, options, &outgoing),
    }
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
    Ok(keep_new(file, path)?)
}
