//! Open files.

use std::fs::TryLockError;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::io::Errno;

use super::calls::call;
use super::faults::{Call, Mistake};
use super::locks::Description;
use super::names::Entry;
use super::schedule::{Machine, here};
use super::world::World;
use crate::fs::disk::{OpenFile, Status};

/// An open file; its lock goes with its last handle.
#[derive(Debug)]
struct Open {
    machine: Machine,
    /// `None`: the directory.
    inode: Option<usize>,
    description: Description,
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut world = self.machine.world();
        if let Some((inode, _)) = world.open.remove(&self.description) {
            world.inodes[inode].lock.release(self.description);
        }
    }
}

#[derive(Debug)]
pub(crate) struct File {
    open: Arc<Open>,
}

/// The file that a process has opened.
pub(super) fn handle((inode, description): (Option<usize>, Description)) -> File {
    let (machine, _) = here().expect("a process of the machine calls");
    let open = Arc::new(Open {
        machine,
        inode,
        description,
    });
    File { open }
}

impl File {
    fn on<R>(
        &self,
        what: Call,
        run: impl FnOnce(&mut World, usize) -> io::Result<R>,
    ) -> io::Result<R> {
        let inode = self.open.inode.ok_or(Errno::ISDIR)?;
        call(what, |world, _| run(world, inode))
    }

    fn take(&self, is_shared: bool) -> Result<(), TryLockError> {
        let taken = self.on(Call::Lock, |world, inode| {
            let is_named = |(path, entry): (&PathBuf, &Entry)| {
                *entry == Entry::File(inode) && !path.to_string_lossy().contains("-tmp-")
            };
            if world.has(Mistake::NoLocks)
                || (world.has(Mistake::NewFilesUnlocked)
                    && !world.names.entries.iter().any(is_named))
            {
                return Ok(true);
            }
            let lock = &mut world.inodes[inode].lock;
            Ok(lock.take(self.open.description, is_shared))
        });
        match taken {
            Ok(true) => Ok(()),
            Ok(false) => Err(TryLockError::WouldBlock),
            Err(error) => Err(TryLockError::Error(error)),
        }
    }

    fn flush(&self) -> io::Result<()> {
        let Some(inode) = self.open.inode else {
            return call(Call::FlushDirectory, |world, _| {
                if world.has(Mistake::NoDirectoryFlush) {
                    return Ok(());
                }
                if !world.nature.has_directory_flush {
                    return Err(Errno::INVAL.into());
                }
                world.names.flush();
                Ok(())
            });
        };
        let flushed = call(Call::Flush, |world, _| {
            if !world.has(Mistake::NoFlush) {
                world.flush(inode);
            }
            Ok(())
        });
        let is_failure = |error: &io::Error| error.raw_os_error().is_some();
        if flushed.as_ref().is_err_and(is_failure) {
            let mut world = self.open.machine.world();
            world.fail_to_flush(inode);
            if world.has(Mistake::FlushErrorsUnseen) {
                return Ok(());
            }
        }
        flushed
    }
}

impl OpenFile for File {
    fn status(&self) -> io::Result<Status> {
        self.on(Call::Status, |world, inode| Ok(world.status_of(inode)))
    }

    fn read_some_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        self.on(Call::Read, |world, inode| {
            let content = &world.inodes[inode].content;
            let rest = content.get(at as usize..).unwrap_or_default();
            // As if it were interrupted now and then.
            let most = if world.dice.one_in(8) {
                700
            } else {
                usize::MAX
            };
            let len = rest.len().min(into.len()).min(most);
            into[..len].copy_from_slice(&rest[..len]);
            Ok(len)
        })
    }

    fn write_some_at(&self, bytes: &[u8], at: u64) -> io::Result<usize> {
        self.on(Call::Write, |world, inode| {
            let at = at as usize;
            let room = world.room.saturating_sub(world.used());
            let clock = world.clock;
            let most = if world.dice.one_in(8) {
                700
            } else {
                usize::MAX
            };
            let file = &mut world.inodes[inode];
            let most = most.min(file.content.len().saturating_sub(at).saturating_add(room));
            let len = bytes.len().min(most);
            if len == 0 && !bytes.is_empty() {
                return Err(Errno::NOSPC.into());
            }
            file.write(at, &bytes[..len]);
            file.changed = clock;
            Ok(len)
        })
    }

    fn set_length(&self, len: u64) -> io::Result<()> {
        self.on(Call::SetLength, |world, inode| {
            let clock = world.clock;
            let file = &mut world.inodes[inode];
            file.set_length(len as usize);
            file.changed = clock;
            Ok(())
        })
    }

    fn flush_all(&self) -> io::Result<()> {
        self.flush()
    }

    fn flush_data(&self) -> io::Result<()> {
        self.flush()
    }

    fn lock_now(&self) -> Result<(), TryLockError> {
        self.take(false)
    }

    fn lock_shared_now(&self) -> Result<(), TryLockError> {
        self.take(true)
    }

    fn release(&self) -> io::Result<()> {
        self.on(Call::Lock, |world, inode| {
            world.inodes[inode].lock.release(self.open.description);
            Ok(())
        })
    }

    fn duplicate(&self) -> io::Result<Self> {
        Ok(Self {
            open: Arc::clone(&self.open),
        })
    }

    fn make_private(&self) -> io::Result<()> {
        Ok(())
    }

    fn give_to(&self, _: &Status) -> io::Result<()> {
        Ok(())
    }

    fn is_local(&self) -> bool {
        self.open.machine.world().nature.is_local
    }

    fn close(self) {}

    fn system(&self) -> Option<&std::fs::File> {
        None
    }
}
