//! The disk of the system.

use core::time::Duration;
use std::ffi::OsString;
use std::fs::{self, Metadata, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use super::{Disk, Kind, OpenFile, Status};
use crate::fs::owned::Access;
use crate::sqlite_file::open_databases::LockSafeFile;

/// The disk of the system.
#[derive(Clone, Copy, Debug)]
pub(crate) struct System;

impl Disk for System {
    type File = fs::File;

    fn here() -> Self {
        Self
    }

    fn open(self, path: &Path, access: Access) -> io::Result<fs::File> {
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(match access {
                Access::Read => false,
                Access::Write | Access::Create | Access::New => true,
            })
            .create(access == Access::Create)
            .create_new(access == Access::New);
        set_flags(&mut options);
        options.open(path)
    }

    fn open_directory(self, path: &Path) -> io::Result<fs::File> {
        fs::File::open(path)
    }

    fn make_temporary(
        self,
        dir: &Path,
        prefix: &str,
        random: usize,
        mode: u32,
    ) -> io::Result<(fs::File, PathBuf)> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(prefix).rand_bytes(random);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            builder.permissions(fs::Permissions::from_mode(mode));
        }
        #[cfg(not(unix))]
        let _ = mode;
        builder
            .tempfile_in(dir)?
            .keep()
            .map_err(|failed| failed.error)
    }

    fn status(self, path: &Path) -> io::Result<Status> {
        fs::metadata(path).map(|found| Status::from(&found))
    }

    fn link_status(self, path: &Path) -> io::Result<Status> {
        fs::symlink_metadata(path).map(|found| Status::from(&found))
    }

    fn read_link(self, path: &Path) -> io::Result<PathBuf> {
        fs::read_link(path)
    }

    // This rename also replaces a file that is open.
    fn rename(self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn rename_new(self, from: &Path, to: &Path) -> io::Result<()> {
        let from = tempfile::TempPath::try_from_path(from)?;
        from.persist_noclobber(to).map_err(|failed| {
            // It is the caller's to remove.
            let _ = failed.path.keep();
            failed.error
        })
    }

    fn remove_file(self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_directory(self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }

    fn names(self, dir: &Path) -> io::Result<Vec<OsString>> {
        fs::read_dir(dir)?
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect()
    }

    fn now(self) -> Instant {
        Instant::now()
    }

    fn wall_clock(self) -> SystemTime {
        SystemTime::now()
    }

    fn pause(self, how_long: Duration) {
        std::thread::sleep(how_long);
    }

    fn give_way(self) {
        std::thread::yield_now();
    }

    fn process(self) -> u32 {
        std::process::id()
    }
}

impl OpenFile for fs::File {
    fn status(&self) -> io::Result<Status> {
        self.metadata().map(|found| Status::from(&found))
    }

    #[cfg(unix)]
    fn read_some_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, into, at)
    }

    #[cfg(unix)]
    fn write_some_at(&self, bytes: &[u8], at: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::write_at(self, bytes, at)
    }

    #[cfg(not(unix))]
    fn read_some_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        let mut file = self;
        io::Seek::seek(&mut file, io::SeekFrom::Start(at))?;
        io::Read::read(&mut file, into)
    }

    #[cfg(not(unix))]
    fn write_some_at(&self, bytes: &[u8], at: u64) -> io::Result<usize> {
        let mut file = self;
        io::Seek::seek(&mut file, io::SeekFrom::Start(at))?;
        io::Write::write(&mut file, bytes)
    }

    fn set_length(&self, len: u64) -> io::Result<()> {
        Self::set_len(self, len)
    }

    fn flush_all(&self) -> io::Result<()> {
        Self::sync_all(self)
    }

    fn flush_data(&self) -> io::Result<()> {
        Self::sync_data(self)
    }

    fn lock_now(&self) -> Result<(), TryLockError> {
        Self::try_lock(self)
    }

    fn lock_shared_now(&self) -> Result<(), TryLockError> {
        Self::try_lock_shared(self)
    }

    fn release(&self) -> io::Result<()> {
        Self::unlock(self)
    }

    fn duplicate(&self) -> io::Result<Self> {
        Self::try_clone(self)
    }

    fn make_private(&self) -> io::Result<()> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;

            self.set_permissions(fs::Permissions::from_mode(0o600))
        }
        #[cfg(not(unix))]
        Ok(())
    }

    fn give_to(&self, owner: &Status) -> io::Result<()> {
        #[cfg(unix)]
        return std::os::unix::fs::fchown(self, Some(owner.user), Some(owner.group));
        #[cfg(not(unix))]
        {
            let _ = owner;
            Ok(())
        }
    }

    #[cfg(target_os = "linux")]
    fn is_local(&self) -> bool {
        const ELSEWHERE: [u32; 5] = [
            0x6969,      // NFS
            0xFE53_4D42, // SMB 2
            0xFF53_4D42, // CIFS
            0x6573_5546, // FUSE
            0x0102_1997, // 9p
        ];
        rustix::fs::fstatfs(self).is_ok_and(|found| {
            let [a, b, c, d, ..] = found.f_type.to_le_bytes();
            !ELSEWHERE.contains(&u32::from_le_bytes([a, b, c, d]))
        })
    }

    #[cfg(not(target_os = "linux"))]
    fn is_local(&self) -> bool {
        false
    }

    fn close(self) {
        drop(LockSafeFile::from(self));
    }

    fn system(&self) -> Option<&fs::File> {
        Some(self)
    }
}

impl From<&Metadata> for Status {
    fn from(found: &Metadata) -> Self {
        let kind = match found.file_type() {
            kind if kind.is_file() => Kind::File,
            kind if kind.is_dir() => Kind::Directory,
            kind if kind.is_symlink() => Kind::Link,
            _ => Kind::Other,
        };
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;

            Self {
                kind,
                len: found.len(),
                device: found.dev(),
                inode: found.ino(),
                links: found.nlink(),
                user: found.uid(),
                group: found.gid(),
                mode: found.mode(),
                modified: found.modified().ok(),
                changed: time_of(found.ctime(), found.ctime_nsec()),
            }
        }
        #[cfg(not(unix))]
        Self {
            kind,
            len: found.len(),
            device: 0,
            inode: 0,
            // An open file cannot be removed.
            links: 1,
            user: 0,
            group: 0,
            mode: 0,
            modified: found.modified().ok(),
            changed: found.modified().ok(),
        }
    }
}

#[cfg(unix)]
fn time_of(secs: i64, nanos: i64) -> Option<SystemTime> {
    let since = Duration::new(u64::try_from(secs).ok()?, u32::try_from(nanos).ok()?);
    SystemTime::UNIX_EPOCH.checked_add(since)
}

#[cfg(unix)]
fn set_flags(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::OFlags;

    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    options.mode(0o600).custom_flags(flags.bits().cast_signed());
}

#[cfg(not(unix))]
fn set_flags(_: &mut OpenOptions) {}
