//! Locks of whole files, waited for in bounded time.

use core::time::Duration;
use std::fs::TryLockError;
use std::io;

#[cfg(target_os = "linux")]
use super::disk::OpenFile as _;
use super::disk::{Disk as _, File, disk};

/// How often a lock is tried without sleeping: most are held for microseconds.
const YIELDS: u32 = 20;
const FIRST_SLEEP: Duration = Duration::from_micros(20);
const LONGEST_SLEEP: Duration = Duration::from_millis(2);

/// Why a lock was not taken.
#[derive(Debug)]
pub(crate) enum NotLocked {
    /// Somebody else held it all the time.
    Busy,
    /// The file system has no locks.
    Unsupported(io::Error),
    /// Anything else.
    Failed(io::Error),
}

/// Tries to lock until `timeout` has passed. `try_lock` is [`OpenFile::lock_now`] or its shared form.
pub(crate) fn lock_in_time(
    file: &File,
    timeout: Duration,
    try_lock: impl Fn(&File) -> Result<(), TryLockError>,
) -> Result<(), NotLocked> {
    let mut since = None;
    let mut attempt = 0_u32;
    let mut sleep = FIRST_SLEEP;
    loop {
        match try_lock(file) {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) if has_no_locks(&error) => {
                return Err(NotLocked::Unsupported(error));
            }
            Err(TryLockError::Error(error)) => return Err(NotLocked::Failed(error)),
        }
        let now = disk().now();
        if now.duration_since(*since.get_or_insert(now)) >= timeout {
            return Err(NotLocked::Busy);
        }
        attempt = attempt.saturating_add(1);
        if attempt <= YIELDS {
            disk().give_way();
        } else {
            disk().pause(sleep);
            sleep = sleep.saturating_mul(2).min(LONGEST_SLEEP);
        }
    }
}

/// Whether that is how this file system is: network file systems without a lock service, some of FUSE.
pub(crate) fn has_no_locks(error: &io::Error) -> bool {
    #[cfg(unix)]
    if let Some(code) = error.raw_os_error() {
        use rustix::io::Errno;

        return [
            Errno::NOLCK,
            Errno::NOSYS,
            Errno::OPNOTSUPP,
            Errno::NOTSUP,
            Errno::INVAL,
            Errno::BADF,
        ]
        .iter()
        .any(|errno| errno.raw_os_error() == code);
    }
    error.kind() == io::ErrorKind::Unsupported
}

/// How often the system's list of locks is read before the holder counts as unknown.
#[cfg(target_os = "linux")]
const MAX_READ_ATTEMPTS: u32 = 16;

/// The process that holds a lock of this file, where the system tells.
///
/// The list is consistent only within one read: where a lock that stands before ours goes away between two
/// reads, the second one starts after ours. So as much as the kernel gives is read at once, and again where
/// the lock was not in it.
#[cfg(target_os = "linux")]
pub(crate) fn holder(file: &File) -> Option<u32> {
    file.system()?;
    let found = file.status().ok()?;
    let (major, minor) = (
        rustix::fs::major(found.device),
        rustix::fs::minor(found.device),
    );
    let wanted = format!("{major:02x}:{minor:02x}:{}", found.inode);
    (0..MAX_READ_ATTEMPTS).find_map(|_| {
        let locks = list_of_locks().ok()?;
        locks.lines().find_map(|line| holder_in(line, &wanted))
    })
}

#[cfg(target_os = "linux")]
fn list_of_locks() -> io::Result<String> {
    use std::io::Read as _;

    let mut file = std::fs::File::open("/proc/locks")?;
    // A vector with room is filled by large reads; without, the first one asks for 32 bytes.
    let mut bytes = Vec::with_capacity(1 << 16);
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn holder(_: &File) -> Option<u32> {
    None
}

/// `1: FLOCK  ADVISORY  WRITE 1234 08:02:131 0 EOF`; who waits for a lock has a `->` in front.
#[cfg(target_os = "linux")]
fn holder_in(line: &str, wanted: &str) -> Option<u32> {
    let mut words = line.split_whitespace();
    let (_, kind, _, _, pid, place) = (
        words.next()?,
        words.next()?,
        words.next()?,
        words.next()?,
        words.next()?,
        words.next()?,
    );
    (kind == "FLOCK" && place == wanted)
        .then(|| pid.parse().ok())
        .flatten()
}
