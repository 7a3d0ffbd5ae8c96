//! Storing a session as a new file, in the place of the old one.
//!
//! The new file is locked before it gets the name, and stays so until its directory is flushed: otherwise
//! another process appends, flushes and acknowledges into a file whose name a power cut takes back. The old
//! file's content is not touched: until then it may be what the name leads to again.

use std::io::{self, Write as _};
use std::sync::Arc;

use mtsession_core::{
    DecodeError, DecodeErrorKind, Integrity, PlainFile, SessionBytes, SessionSource, TailEnd,
};

use super::content::{Content, Found, read_locked};
use super::damaged;
use super::extras::Extras;
use super::form::Form;
use super::identity::is_named;
use super::in_place::write_in_place;
use super::last_seen::{LastSeen, Seen};
use super::lock::{Held, Settings};
use super::new_file::NewFile;
use super::paths::Paths;
use super::release_before::{Journal, ReleaseBefore};
use super::snapshot::{self, cannot_be_replaced, keep_owner, private_mode, sync};
use crate::event::{self, Event};
use crate::found::is_string;
use crate::fs::disk::{File, OpenFile as _};
use crate::fs::{Temp, clean_once, is_strangers};
use crate::record::SessionRecord;
use crate::seal::OpenSeal;
use crate::secret_bytes::SecretBytes;

/// What lies alongside the file that is about to be replaced.
#[derive(Default)]
pub(super) struct Old {
    /// Files of the release before, which become part of the new one.
    before: ReleaseBefore,
    /// The salt of its tail.
    pub(super) salt: u64,
    /// How many changes in the journal of the release before are not part of the session.
    of_another: u64,
    /// Whether it has no checksum: then this library has not written it.
    is_unchecked: bool,
    /// The bytes of a file whose tail was damaged after it was written.
    damaged: Option<SecretBytes>,
    /// How it was read.
    form: Form,
    /// How the new one is made, where that is what the caller wants to change.
    #[cfg(feature = "seal")]
    reform: Option<Reform>,
}

/// A change of the form alone.
#[cfg(feature = "seal")]
#[derive(Debug)]
pub(super) enum Reform {
    Seal(Arc<OpenSeal>),
    Unseal,
}

impl Old {
    pub(super) fn of(content: Option<&Content>, bytes: SecretBytes, before: ReleaseBefore) -> Self {
        let salt = || Some(SessionBytes::parse(&bytes).ok()?.tail_header()?.salt);
        let is_damaged = content.is_some_and(|content| content.end == TailEnd::Damaged);
        Self {
            before,
            salt: content
                .and_then(|content| content.header)
                .map(|header| header.salt)
                .or_else(salt)
                .unwrap_or_default(),
            of_another: match content.and_then(|content| content.journal) {
                Some(Journal::OfAnother(changes)) => changes,
                _ => 0,
            },
            is_unchecked: content
                .is_some_and(|content| content.integrity == Integrity::StructureOnly),
            damaged: is_damaged.then_some(bytes),
            form: content.map_or(Form::Plain, |content| content.form.clone()),
            #[cfg(feature = "seal")]
            reform: None,
        }
    }

    /// What lies alongside a file of this form, if nothing does.
    pub(super) fn of_form(form: Form) -> Self {
        Self {
            form,
            ..Self::default()
        }
    }

    #[cfg(feature = "seal")]
    pub(super) fn reformed(self, reform: Reform) -> Self {
        Self {
            reform: Some(reform),
            ..self
        }
    }

    /// What seals the new file.
    #[cfg_attr(
        not(feature = "seal"),
        expect(clippy::needless_pass_by_ref_mut, reason = "of reforms")
    )]
    fn next_seal(
        &mut self,
        paths: &Paths,
        session: &impl SessionSource,
    ) -> io::Result<Option<Arc<OpenSeal>>> {
        #[cfg(feature = "seal")]
        match self.reform.take() {
            Some(Reform::Seal(seal)) => return Ok(Some(seal)),
            Some(Reform::Unseal) => return Ok(None),
            None => {}
        }
        self.form.becomes(paths.seal.as_deref(), session)
    }
}

/// A file that was stored, whose lock was released, and what is known of it; `None` where it must be read
/// again before anything is appended to it.
pub(super) type Stored = Option<Box<(File, LastSeen)>>;

/// What became of a new session file.
pub(super) enum Written {
    /// It is stored.
    Done(Stored),
    /// Nothing: somebody has replaced the old one without the lock.
    Moved,
}

impl Written {
    /// `None` where the caller has to start over.
    pub(super) fn if_not_moved(self) -> Option<Stored> {
        match self {
            Self::Done(written) => Some(written),
            Self::Moved => None,
        }
    }
}

/// Stores the current session, or an empty one, as a new file with `change` made to it.
pub(super) fn write_changed(
    paths: &Paths,
    held: Held<'_>,
    found: Found,
    settings: Settings,
    change: &mut impl FnMut(&mut SessionRecord) -> io::Result<()>,
) -> io::Result<Written> {
    let Found {
        content,
        bytes,
        before,
    } = found;
    let old = Old::of(content.as_ref(), bytes, before);
    let mut stored = content.map(|content| content.stored).unwrap_or_default();
    change(&mut stored)?;
    write(paths, held, &stored, old, settings)
}

/// Writes a new session file, whose tail is empty.
///
/// # Errors
/// Nothing was changed.
pub(super) fn write(
    paths: &Paths,
    held: Held<'_>,
    session: &impl SessionSource,
    mut old: Old,
    settings: Settings,
) -> io::Result<Written> {
    let new = NewFile::of(
        session,
        old.next_seal(paths, session)?,
        settings.fence.token(),
    )?;
    if new.form.seal().is_none() {
        refuse_to_hand_over(paths, held, session)?;
    }
    if let Some(bytes) = &old.damaged {
        damaged::keep(paths, bytes, &[])?;
    }
    old.keep_stale(paths);
    let replaced = match replace(paths, held, &new, settings)? {
        Replaced::Moved => return Ok(Written::Moved),
        Replaced::By(file, is_durable) => Some((file, is_durable)),
        Replaced::Not(error) => {
            let file = write_in_place(paths, held, &new, old.salt, settings, error)?;
            file.map(|file| (file, true))
        }
    };
    // From here on the session is stored.
    old.before.remove(paths);
    if let (Some(sealing), Some(seal)) = (&paths.seal, new.form.seal()) {
        sealing.written(seal)?;
    }
    Ok(Written::Done(replaced.map(|(file, is_durable)| {
        let seen = Seen {
            header: new.header,
            tail: new.form.start(new.header),
            form: new.form,
        };
        let mut seen = LastSeen::new(&file, seen, session);
        seen.is_durable = is_durable;
        Box::new((file, seen))
    })))
}

enum Replaced {
    /// By this file, and whether a power cut cannot bring the old one back.
    By(File, bool),
    /// Not, because the file or its directory does not allow it.
    Not(io::Error),
    /// Not, because somebody else has replaced it.
    Moved,
}

fn replace(
    paths: &Paths,
    held: Held<'_>,
    new: &NewFile,
    settings: Settings,
) -> io::Result<Replaced> {
    let Settings { fsync, .. } = settings;
    let found = held.file.status()?;
    // Opened before the name changes: afterwards it is too late to find out that it cannot be.
    let dir = fsync.directory(&paths.dir)?;
    if settings.cleans {
        clean_once(&paths.dir);
    }
    let mut temp = match Temp::with_mode(&paths.snapshot, private_mode(Some(&found))) {
        Err(error) if held.is_writable && cannot_be_replaced(&error) => {
            return Ok(Replaced::Not(error));
        }
        temp => temp?,
    };
    temp.write_all(&new.snapshot)?;
    temp.write_all(&new.opening)?;
    if !held.is_new {
        keep_owner(temp.file(), Some(&found));
    }
    fsync.file(temp.file())?;
    if !is_named(held.file, &paths.snapshot)? {
        return Ok(Replaced::Moved);
    }
    match temp.replace_locked(&paths.snapshot) {
        Ok(file) => {
            let is_durable = sync(dir.as_ref(), Some(&file));
            #[cfg(unix)]
            let _ = file.release();
            Ok(Replaced::By(file, is_durable))
        }
        // Somebody has cleaned the directory.
        Err((error, _)) if error.kind() == io::ErrorKind::NotFound => Ok(Replaced::Moved),
        Err((error, _)) if held.is_writable && cannot_be_replaced(&error) => {
            Ok(Replaced::Not(error))
        }
        Err((error, _)) => Err(error),
    }
}

impl Old {
    /// A program that knows no journals has replaced the file: what the journal holds is not part of the
    /// session any more, and is kept as `<file>.damaged-N`. As well as can be: counters and peers can be
    /// fetched again.
    fn keep_stale(&self, paths: &Paths) {
        if self.of_another == 0 {
            return;
        }
        event::emit(|| Event::JournalOfAnother {
            path: paths.journal.clone(),
            changes: self.of_another,
        });
        if self.is_unchecked {
            let _ = damaged::keep(paths, &self.before.bytes, &[]);
        }
    }
}

/// What of a session that is about to be replaced as a whole stays, and what lies alongside it.
///
/// A damaged session may be replaced by a good one, once a copy of it is kept. What is no session of
/// ours, or one of a newer release, may not: the path is probably a mistake.
pub(super) fn replaceable(
    paths: &Paths,
    held: Held<'_>,
    settings: Settings,
) -> io::Result<(Extras, Old)> {
    let error = match read_locked(held, paths, settings) {
        Ok(Found {
            content,
            bytes,
            before,
        }) => {
            let there = content.as_ref().and_then(|content| content.owner);
            settings.fence.admit_token(there, paths)?;
            let extras = content
                .as_ref()
                .map_or_else(Extras::default, |content| Extras::of(&content.stored));
            let old = Old::of(content.as_ref(), bytes, before);
            return Ok((extras, old));
        }
        Err(error) => error,
    };
    settings.fence.admit_token(None, paths)?;
    let before = ReleaseBefore::take(paths, settings.lock_timeout)?;
    let bytes = snapshot::read_all(held.file, &paths.snapshot)?;
    let cause = error.get_ref().and_then(|error| error.downcast_ref());
    match cause {
        Some(decoding) if !is_somebody_elses(decoding) && !is_string(&bytes) => {
            damaged::keep(paths, &bytes, &before.bytes)?;
        }
        // It was emptied: there is nothing to keep but the journal.
        None if bytes.is_empty() && before.changes() > 0 => {
            damaged::keep(paths, &before.bytes, &[])?;
        }
        _ => return Err(error),
    }
    Ok((Extras::default(), Old::of(None, bytes, before)))
}

fn is_somebody_elses(error: &DecodeError) -> bool {
    error.kind.is_newer() || matches!(error.kind, DecodeErrorKind::Foreign(_))
}

/// Refuses to write a key into a file that stays somebody else's, unless they have it already.
///
/// Only root gets here: it may write to everything, and leaves sessions to their owners. Where others
/// can make files, it cannot be told whether the owner of one had it put there for just that.
fn refuse_to_hand_over(
    paths: &Paths,
    held: Held<'_>,
    session: &impl SessionSource,
) -> io::Result<()> {
    if held.is_new || !is_strangers(&held.file.status()?, &paths.snapshot)? {
        return Ok(());
    }
    let known = snapshot::read_all(held.file, &paths.snapshot)?;
    let known = PlainFile::parse(&known).ok();
    let known = known.as_ref().map(PlainFile::snapshot);
    let has_key = |key| {
        let view = known.as_ref()?;
        view.dcs().find(|dc| dc.auth_key == Some(key))
    };
    let has_token = |token| known.is_some_and(|view| view.future_auth_token() == Some(token));
    let mut keys = session.dcs().filter_map(|dc| dc.auth_key);
    if keys.all(|key| has_key(key).is_some()) && session.future_auth_token().is_none_or(has_token) {
        return Ok(());
    }
    let message = format!(
        "{} belongs to another user, who may have put it there to be given this key, because others \
         can write to its directory: write it as that user, or give file and directory to one user",
        paths.snapshot.display()
    );
    Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
}
