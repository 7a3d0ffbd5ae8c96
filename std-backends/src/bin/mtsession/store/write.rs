//! Writing a session to wherever it shall be.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use mtsession::clients::{self, FileFormat, Options};
use mtsession::codec::SessionSource as _;
use mtsession::codec::clients::TelethonIpv6;
use mtsession::{
    SessionBackend, SessionBackendExt as _, SessionRecord, SqliteBackend, StringSessionBackend,
};
use zeroize::Zeroizing;

use super::Store;
use super::clients::{encode_login, missing_options};
use super::read::login;
use crate::failure::Failure;
use crate::output;
use crate::report;

impl Store {
    /// Stores a session and everything that is known of it, as one. With `force` whatever is there is
    /// replaced.
    pub(crate) fn save(
        &self,
        record: &SessionRecord,
        force: bool,
        ipv6: TelethonIpv6,
    ) -> Result<(), Failure> {
        let source = login(record);
        match self {
            Self::File(_) | Self::Backend(_) => {
                let backend = self.backend()?.ok_or_else(|| self.not_found())?;
                if force {
                    return Ok(backend.replace(record)?);
                }
                add_in(&*backend, record, self)
            }
            _ if !record.login_state().is_active() && !self.keeps_login_state() => {
                Err(Failure::Usage(format!(
                    "the login was ended or moved, and {self} has no place for that: choose a session file"
                )))
            }
            Self::Ferogram(path) => {
                let left_out = SqliteBackend::export_ferogram(record.session(), path)?;
                if left_out > 0 {
                    let entries = report::counted(left_out, ["entry", "entries"]);
                    output::note(format_args!(
                        "{entries} left out: ferogram-session keeps the first of each id"
                    ));
                }
                Ok(())
            }
            Self::StringEnv(_) => Err(Failure::Usage(format!("{self} can only be read"))),
            Self::StringStdio | Self::StringFile(_) => {
                let backend = StringSessionBackend::new("");
                backend.replace(record)?;
                self.put_text(&Zeroizing::new(backend.current()))
            }
            Self::Flash(path, layout) => {
                let image = self.flash_image(*layout, record)?;
                self.write_private(path, &image)
            }
            Self::Library(target, path) => {
                let missing = target
                    .needs()
                    .without(mtsession::codec::clients::Contents::of(&source));
                if !missing.is_empty() {
                    return Err(missing_options(target.format().name(), missing));
                }
                let options = Options::default().with_ipv6(ipv6);
                let names = record.peer_names();
                Ok(clients::write(path, *target, options, &source, &names)?)
            }
            Self::LibraryString(target) => {
                let Some(format) = target.string() else {
                    return Err(Failure::Usage(format!(
                        "{} has no strings",
                        target.scheme()
                    )));
                };
                self.put_text(&encode_login(&source, format, ipv6)?)
            }
        }
    }

    /// Whether the store can say that a login was ended or moved.
    const fn keeps_login_state(&self) -> bool {
        matches!(
            self,
            Self::File(_)
                | Self::Backend(_)
                | Self::StringStdio
                | Self::StringFile(_)
                | Self::Flash(..)
        )
    }

    /// Writes a session string.
    pub(crate) fn put_text(&self, text: &str) -> Result<(), Failure> {
        if let Self::StringFile(path) = self {
            self.write_private(path, Zeroizing::new(format!("{text}\n")).as_bytes())
        } else {
            writeln!(io::stdout(), "{text}")?;
            Ok(())
        }
    }

    /// Whether something is there already.
    pub(crate) fn is_taken(&self) -> Result<bool, Failure> {
        Ok(match self {
            Self::File(path)
            | Self::StringFile(path)
            | Self::Flash(path, _)
            | Self::Ferogram(path)
            | Self::Library(_, path) => {
                let found = match fs::metadata(path) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                    found => Some(found.map_err(|error| self.refused("look at", &error))?),
                };
                // An empty file is nothing yet: `touch`, then a mount of it into a container.
                let is_empty = |found: &fs::Metadata| found.is_file() && found.len() == 0;
                found.is_some_and(|found| !self.is_replaceable() || !is_empty(&found))
            }
            Self::Backend(_) => match self.backend()? {
                Some(backend) => backend.load()?.is_some(),
                None => false,
            },
            Self::StringStdio | Self::StringEnv(_) | Self::LibraryString(_) => false,
        })
    }

    /// Whether `--force` means anything: the sessions of other libraries are theirs to change.
    pub(crate) fn is_replaceable(&self) -> bool {
        !matches!(self, Self::Library(..) | Self::Ferogram(_))
    }

    /// Writes a file that only its owner can read.
    fn write_private(&self, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
        refuse_others(path)?;
        mtsession::replace_private(path, bytes).map_err(|error| self.refused("write", &error))
    }

    /// Says which store the system's words are about.
    pub(crate) fn refused(&self, action: &str, error: &io::Error) -> Failure {
        let message = format!("cannot {action} {self}: {error}");
        Failure::Store(io::Error::new(error.kind(), message))
    }
}

/// Refuses to replace or remove a database or the session of another library, which is not what the
/// store's name says.
pub(crate) fn refuse_others(path: &Path) -> Result<(), Failure> {
    let what = match clients::read(path) {
        Ok(import) if !matches!(import.format, FileFormat::Text(_)) => import.format.name(),
        _ if mtsession::is_database_file(path) => "a database",
        _ => return Ok(()),
    };
    Err(Failure::Usage(format!(
        "{} is {what}, which is never replaced or removed: move it away first",
        path.display()
    )))
}

/// Stores a session where there is none, as one.
pub(crate) fn add_in(
    backend: &dyn SessionBackend,
    record: &SessionRecord,
    to: &Store,
) -> Result<(), Failure> {
    backend.update(&mut |there| {
        if !there.is_new() {
            let message = format!("another program has stored a session at {to} meanwhile");
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
        }
        there.clone_from(record);
        Ok(())
    })?;
    Ok(())
}
