//! A copy of a sealed session file, byte for byte: every key that opens the file opens the copy.

use std::io::{self, Write as _};
use std::path::Path;

use super::backend::BinaryFileBackend;
use super::content::judge;
use super::lock::Locked;
use super::release_before::ReleaseBefore;
use super::snapshot;
use crate::fs::disk::OpenFile as _;
use crate::fs::{Access, Directory, Temp, directory_of, open_owned};

impl BinaryFileBackend {
    /// Copies the file to where nothing is, after it was opened and read.
    pub(crate) fn copy_sealed(&self, to: &Path) -> io::Result<()> {
        self.copy_whole(to).map_err(self.error("back up"))
    }

    fn copy_whole(&self, to: &Path) -> io::Result<()> {
        let paths = self.paths()?;
        let file = open_owned(&paths.snapshot, Access::Read, Some(&paths.snapshot))?;
        let bytes = {
            let _locked = Locked::shared(&file, &paths, self.settings.lock_timeout)?;
            snapshot::read_all(&file, &paths.snapshot)?
        };
        let before = |_: &_| Ok(ReleaseBefore::default());
        let found = judge(bytes, false, &paths, before)?;
        if found.content.is_none() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let dir = Directory::open(directory_of(to))?;
        let mut temp = Temp::beside(to)?;
        temp.write_all(&found.bytes)?;
        temp.file().flush_all()?;
        let file = temp.keep_as(to).map_err(|(error, _)| error)?;
        dir.sync(Some(&file));
        Ok(())
    }
}
