//! The newest generations, remembered in a file.

use core::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::{Anchor, Generation, StoreId};
use crate::StoreError;
use crate::error::kind::StoreErrorKind;
use crate::error::told::told;
use crate::fs::replace_private;

/// Remembers in a file how new each sealed store was when it was last seen: on another disk than the stores, one
/// that no backup puts back along with them.
///
/// One line for each store: its id in hexadecimal digits, and its generation.
///
/// ```
/// use mtsession::seal::{FileAnchor, Key};
/// use mtsession::{PersistedSession, StoreError, StoreErrorKind, StoreOptions};
///
/// let dir = tempfile::tempdir()?;
/// let (file, old) = (dir.path().join("bot.session"), dir.path().join("old.session"));
/// let options = || {
///     let anchor = FileAnchor::new(dir.path().join("anchor"));
///     StoreOptions::new().key(Key::from_bytes([7; 32])).anchor(anchor)
/// };
/// let backend = options().connect(&file)?;
/// backend.save(&PersistedSession { home_dc_id: 2, ..Default::default() })?;
/// std::fs::copy(&file, &old)?;
/// backend.set_home_dc(4)?;
/// drop(backend);
///
/// std::fs::copy(&old, &file)?;
/// let error = options().connect(&file)?.load().unwrap_err();
/// assert_eq!(StoreError::of(&error).expect("typed").kind(), StoreErrorKind::RolledBack);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct FileAnchor {
    path: PathBuf,
}

impl FileAnchor {
    /// The anchor in this file, which need not be there.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn error(&self, action: &'static str) -> impl Fn(io::Error) -> io::Error + '_ {
        move |error| StoreError::io("anchor", self.path.display().to_string(), action, error)
    }

    fn lines(&self) -> io::Result<Vec<(String, u64)>> {
        let text = match fs::read_to_string(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            text => text?,
        };
        let line = |line: &str| {
            let (store, generation) = line.split_once(' ')?;
            Some((store.to_owned(), generation.parse().ok()?))
        };
        text.lines()
            .map(line)
            .collect::<Option<_>>()
            .ok_or_else(|| {
                told(
                    StoreErrorKind::Damaged,
                    "it is not an anchor of sealed stores",
                )
            })
    }

    /// Held while the file is replaced, so that no other process lowers what this one has raised.
    fn lock(&self) -> io::Result<File> {
        let mut path = self.path.as_os_str().to_owned();
        path.push(".lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(Path::new(&path))?;
        file.lock()?;
        Ok(file)
    }

    fn raise(&self, store: &str, to: u64) -> io::Result<()> {
        let _lock = self.lock()?;
        let mut lines = self.lines()?;
        match lines.iter_mut().find(|(known, _)| known == store) {
            Some((_, known)) if *known >= to => return Ok(()),
            Some((_, known)) => *known = to,
            None => lines.push((store.to_owned(), to)),
        }
        let mut text = String::new();
        for (store, generation) in lines {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{store} {generation}");
        }
        replace_private(&self.path, text.as_bytes())
    }
}

impl Anchor for FileAnchor {
    fn read(&self, store: &StoreId) -> io::Result<Option<Generation>> {
        let store = hex(store);
        let lines = self.lines().map_err(self.error("read"))?;
        let found = lines.into_iter().find(|(known, _)| *known == store);
        Ok(found.map(|(_, generation)| Generation::new(generation)))
    }

    fn advance(&self, store: &StoreId, to: Generation) -> io::Result<()> {
        self.raise(&hex(store), to.get())
            .map_err(self.error("advance"))
    }
}

fn hex(store: &StoreId) -> String {
    store
        .as_bytes()
        .iter()
        .fold(String::new(), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_is_never_lowered_and_knows_its_stores_apart() {
        let dir = tempfile::tempdir().unwrap();
        let anchor = || FileAnchor::new(dir.path().join("a"));
        let (one, other) = (StoreId::new([1; 16]), StoreId::new([2; 16]));
        assert_eq!(anchor().read(&one).unwrap(), None);
        for (to, expected) in [(5, 5), (3, 5), (5, 5), (9, 9)] {
            anchor().advance(&one, Generation::new(to)).unwrap();
            assert_eq!(
                anchor().read(&one).unwrap(),
                Some(Generation::new(expected))
            );
        }
        assert_eq!(anchor().read(&other).unwrap(), None);
        fs::write(dir.path().join("a"), "something else").unwrap();
        assert!(
            anchor().read(&one).is_err(),
            "it would pass for a new store"
        );
        assert!(anchor().advance(&one, Generation::new(10)).is_err());
    }

    #[test]
    fn of_writers_at_the_same_time_the_highest_is_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let store = StoreId::new([1; 16]);
        std::thread::scope(|scope| {
            for start in 1..=4 {
                let path = &path;
                scope.spawn(move || {
                    for round in 0..10 {
                        let to = Generation::new(start + round * 4);
                        FileAnchor::new(path).advance(&store, to).unwrap();
                    }
                });
            }
        });
        let newest = FileAnchor::new(&path).read(&store).unwrap();
        assert_eq!(newest, Some(Generation::new(40)));
    }
}
