//! A directory with one session file for each account.

use core::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::StoreOptions;
use super::accounts::{Accounts, absent, exists};
use crate::address::check_name;
use crate::backend::{SessionBackend, SessionBackendExt as _};
use crate::backends::file::BinaryFileBackend;
#[cfg(feature = "seal")]
use crate::backends::file::Reforming;
use crate::error::StoreError;
#[cfg(feature = "seal")]
use crate::error::kind::StoreErrorKind;
use crate::owner::refusal::owned;
use crate::record::SessionRecord;

/// What is added to the name of an account.
const SUFFIX: &str = ".session";

/// How often a renaming begins again because the account was changed meanwhile.
const ATTEMPTS: usize = 8;

pub(super) struct Directory {
    path: PathBuf,
    options: StoreOptions,
}

impl Directory {
    pub(super) fn new(path: &Path, options: &StoreOptions) -> Self {
        Self {
            path: path.to_owned(),
            options: options.clone(),
        }
    }

    fn file(&self, name: &str) -> io::Result<BinaryFileBackend> {
        check_name(name).map_err(self.error("open"))?;
        let path = self.path.join(format!("{}{SUFFIX}", file_stem(name)));
        Ok(BinaryFileBackend::configured(&path, &self.options).in_directory_of_store())
    }

    fn error(&self, action: &'static str) -> impl Fn(io::Error) -> io::Error + '_ {
        move |source| StoreError::io("store", self.path.display().to_string(), action, source)
    }

    fn list(&self) -> io::Result<Option<Vec<String>>> {
        let entries = match fs::read_dir(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            entries => entries?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            let file_name = entry.file_name();
            let Some(name) = file_name.to_str().and_then(name_of) else {
                continue;
            };
            let is_empty = |found: &fs::Metadata| found.is_dir() || found.len() == 0;
            match fs::metadata(entry.path()) {
                Ok(found) if is_empty(&found) => {}
                // It went meanwhile, or leads nowhere.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                found => {
                    found?;
                    names.push(name);
                }
            }
        }
        names.sort_unstable();
        Ok(Some(names))
    }

    fn copy_and_remove(&self, from: &str, to: &str) -> io::Result<()> {
        let (old, new) = (self.file(from)?, self.file(to)?);
        if let Some(by) = old.owner()? {
            return Err(owned(by));
        }
        for _ in 0..ATTEMPTS {
            let record = old.read()?.ok_or_else(|| absent(from))?;
            new.edit(|there: &mut SessionRecord| {
                if !there.is_new() {
                    return Err(exists(to));
                }
                there.clone_from(&record);
                Ok(())
            })?;
            if old.read()?.as_ref() == Some(&record) {
                return old.delete();
            }
            new.delete()?;
        }
        let message = "its client keeps changing it: stop that first";
        Err(io::Error::new(io::ErrorKind::WouldBlock, message))
    }
}

impl Accounts for Directory {
    fn look(&self) -> io::Result<bool> {
        Ok(self.list().map_err(self.error("open"))?.is_some())
    }

    fn backend(&self, name: &str) -> io::Result<Arc<dyn SessionBackend>> {
        Ok(Arc::new(self.file(name)?))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let names = self.list().map_err(self.error("list the accounts"))?;
        Ok(names.unwrap_or_default())
    }

    /// One file after the other. What was interrupted goes on where it is called again: files that have the new
    /// form already are left as they are.
    #[cfg(feature = "seal")]
    fn reform(&self, reforming: Reforming<'_>) -> io::Result<()> {
        for name in self.names()? {
            let reformed = self
                .file(&name)?
                .reform(reforming, &self.options.sealing_of_store());
            let kind = |error: &io::Error| StoreError::of(error).map(StoreError::kind);
            match (&reformed, reforming) {
                (Err(error), Reforming::Seal(_)) if kind(error) == Some(StoreErrorKind::Sealed) => {
                }
                (Err(error), Reforming::Unseal)
                    if kind(error) == Some(StoreErrorKind::NotSealed) => {}
                _ => reformed?,
            }
        }
        Ok(())
    }

    /// The account is under the new name before it goes under the old one: a crash between the two leaves
    /// both.
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.copy_and_remove(from, to)
            .map_err(self.error("rename an account"))
    }
}

/// An account's name as that of a file, on every system: what means something in a path is written as `%2F`.
pub(crate) fn file_stem(name: &str) -> String {
    let mut stem = String::new();
    for (at, character) in name.char_indices() {
        let is_plain = !character.is_control()
            && !matches!(
                character,
                '%' | '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|'
            )
            && (at > 0 || character != '.');
        if is_plain {
            stem.push(character);
        } else {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                // Writing to a string cannot fail.
                let _ = write!(stem, "%{byte:02X}");
            }
        }
    }
    stem
}

/// The account of a file, unless it is not a file of an account.
fn name_of(file: &str) -> Option<String> {
    let stem = file.strip_suffix(SUFFIX)?;
    let name = crate::address::unescaped(stem, "an account").ok()?;
    (check_name(&name).is_ok() && file_stem(&name) == stem).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_account_name_is_one_file_name_and_back() {
        for name in [
            "alice",
            "a/b",
            "..",
            ".hidden",
            "50%",
            "a%2Fb",
            "Алиса",
            "C:\\x",
            "a b",
        ] {
            let file = format!("{}{SUFFIX}", file_stem(name));
            assert!(!file.contains('/') && !file.starts_with('.'), "{file}");
            assert_eq!(name_of(&file).as_deref(), Some(name), "{file}");
        }
        for file in [
            ".session",
            "a",
            "a.session.journal",
            "%zz.session",
            "a%2fb.session",
            ".a.session",
        ] {
            assert_eq!(name_of(file), None, "{file}");
        }
    }
}
