//! What a place holds: every session of a folder, a database, a server, or of `tdata`.

use core::error::Error as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mtsession::clients::ForeignError;
use mtsession::codec::{DecodeError, DecodeErrorKind};
use mtsession::{Address, Location, OwnerInfo, SessionHead, StoreError, StoreErrorKind};

use crate::Done;
use crate::failure::Failure;
use crate::owners;
use crate::report;
use crate::store::{Loaded, Store};

/// Folders in folders that are looked into.
const MAX_DEPTH: usize = 16;

/// What lies beside a session or a database and belongs to it.
const SIDE_FILES: [&str; 6] = [".journal", ".owner", "-journal", "-wal", "-shm", "-info"];

/// What may be one session of a place.
pub(crate) struct Candidate {
    /// Where it is, as an argument of the other commands.
    pub(crate) store: Store,
    /// Which of the logins there, counted from 1, where they have no names.
    pub(crate) number: Option<usize>,
    /// It lies in a folder that was named, and may be anything.
    pub(crate) is_guess: bool,
}

/// A session in short.
pub(crate) struct Summary {
    pub(crate) format: String,
    pub(crate) head: SessionHead,
    pub(crate) owner: Option<OwnerInfo>,
}

impl Candidate {
    /// What the other commands take for it, and which of its logins.
    pub(crate) fn name(&self) -> String {
        match self.number {
            Some(number) => format!("{} --account {number}", self.store.name()),
            None => self.store.name(),
        }
    }

    /// What a store of many accounts would call it: its account's name, or that of its file.
    pub(crate) fn account_name(&self) -> String {
        let path = match &self.store {
            Store::Backend(address) => match (address.account(), address.path()) {
                (Some(account), _) => return account.to_owned(),
                (None, path) => path,
            },
            Store::File(path)
            | Store::StringFile(path)
            | Store::Ferogram(path)
            | Store::Flash(path, _)
            | Store::Library(_, path) => Some(&**path),
            Store::StringStdio | Store::StringEnv(_) | Store::LibraryString(_) => None,
        };
        let file = path
            .and_then(Path::file_name)
            .map(|name| name.to_string_lossy());
        let name = file.as_deref().unwrap_or(Address::DEFAULT_ACCOUNT);
        let name = name.strip_suffix(".session").unwrap_or(name);
        match self.number {
            Some(number) => format!("{name} {number}"),
            None => name.to_owned(),
        }
    }

    /// Reads everything.
    pub(crate) fn load(&self) -> Result<Loaded, Failure> {
        self.store.load_account(self.number)
    }

    /// Reads it. Peers of databases and servers are counted and not read.
    pub(crate) fn summary(&self) -> Result<Summary, Failure> {
        if let Store::Backend(address) = &self.store
            && !matches!(
                address.location(),
                Location::Path(_) | Location::Directory(_)
            )
        {
            let backend = self
                .store
                .backend()?
                .ok_or_else(|| self.store.not_found())?;
            let head = backend.head()?.ok_or_else(|| self.store.not_found())?;
            let format = format!("account ({})", address.scheme());
            let owner = backend.owner()?;
            return Ok(Summary {
                format,
                head,
                owner,
            });
        }
        let loaded = self.load()?;
        Ok(Summary {
            format: report::short_origin(&loaded.origin),
            head: loaded.record.head(),
            owner: owners::of_loaded(&self.store, &loaded)?,
        })
    }

    /// Whether a failure means that this is something else than a session. What was named is one, and so
    /// is a damaged session.
    pub(crate) fn is_something_else(&self, failure: &Failure) -> bool {
        self.is_guess
            && match failure {
                Failure::NotFound(_) | Failure::Usage(_) => true,
                Failure::Problems(_) => false,
                Failure::Store(error) => match (ForeignError::of(error), StoreError::of(error)) {
                    (Some(error), _) => error.is_unknown(),
                    (None, Some(error)) => {
                        error.kind() == StoreErrorKind::Foreign || begins_like_no_session(error)
                    }
                    (None, None) => false,
                },
            }
    }
}

/// Everything in `places`, in their order; what one of them holds is ordered by name.
///
/// # Errors
/// Where a place that was named cannot be looked into.
pub(crate) fn candidates(places: &[Store]) -> Result<Vec<Candidate>, Failure> {
    let mut found = Search::default();
    for place in places {
        match place {
            Store::File(path) if path.is_dir() => found.folder(path, MAX_DEPTH)?,
            Store::File(path) if path.is_file() => found.file(path),
            Store::Backend(address) if address.account().is_none() => {
                for name in place.accounts()? {
                    found.push(place.with_account(&name), None);
                }
            }
            _ => found.push(place.clone(), None),
        }
    }
    Ok(found.candidates)
}

#[derive(Default)]
struct Search {
    candidates: Vec<Candidate>,
    /// What is found lies in a folder that was named.
    is_in_folder: bool,
}

impl Search {
    fn push(&mut self, store: Store, number: Option<usize>) {
        let is_guess = self.is_in_folder;
        self.candidates.push(Candidate {
            store,
            number,
            is_guess,
        });
    }

    /// A database of ours holds accounts; any other file is one session, or none.
    fn file(&mut self, path: &Path) {
        let place = Store::File(path.to_owned());
        let is_database = mtsession::is_database_file(path);
        match is_database.then(|| place.accounts()) {
            Some(Ok(names)) => {
                let names = names.iter().map(|name| place.with_account(name));
                names.for_each(|account| self.push(account, None));
            }
            _ => self.push(place, None),
        }
    }

    /// A folder that is itself a session, as `tdata` is, or the sessions in it.
    fn folder(&mut self, path: &Path, depth: usize) -> Done {
        let place = Store::File(path.to_owned());
        match place.load() {
            Ok(_) => self.push(place, None),
            Err(Failure::Store(error)) => match ForeignError::of(&error) {
                Some(ForeignError::SeveralKeys(logins)) => {
                    let numbers = logins.iter().map(|login| login.number);
                    numbers.for_each(|number| self.push(place.clone(), Some(number)));
                }
                Some(error) if !error.is_unknown() => self.push(place, None),
                _ => self.inside(path, depth)?,
            },
            Err(_) => self.inside(path, depth)?,
        }
        Ok(())
    }

    fn inside(&mut self, path: &Path, depth: usize) -> Done {
        let was_in_folder = core::mem::replace(&mut self.is_in_folder, true);
        let unreadable = |error| Store::File(path.to_owned()).unreadable(error);
        for entry in entries(path).map_err(unreadable)? {
            if !entry.is_dir() {
                self.file(&entry);
            } else if let Some(depth) = depth.checked_sub(1).filter(|_| !entry.is_symlink()) {
                self.folder(&entry, depth)?;
            }
        }
        self.is_in_folder = was_in_folder;
        Ok(())
    }
}

/// The first byte of a session is its version. Releases to come count on from here, and stay far below the
/// first bytes of pictures, archives and text.
fn begins_like_no_session(error: &StoreError) -> bool {
    const PLAUSIBLE: core::ops::Range<u8> = 0..32;

    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(DecodeErrorKind::UnknownVersion(version)) =
            error.downcast_ref().map(|error: &DecodeError| error.kind)
        {
            return !PLAUSIBLE.contains(&version);
        }
        cause = error.source();
    }
    false
}

/// What a folder holds, by name, without what belongs to its neighbours.
fn entries(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?.path();
        let name = entry.file_name().unwrap_or_default().to_string_lossy();
        let is_side_file = SIDE_FILES.iter().any(|end| name.ends_with(end));
        if !is_side_file && !name.starts_with('.') {
            entries.push(entry);
        }
    }
    entries.sort();
    Ok(entries)
}
