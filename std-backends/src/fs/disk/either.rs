//! In tests: the disk of the system, or the simulated one where the thread has been given one.

use core::time::Duration;
use std::ffi::OsString;
use std::fs::TryLockError;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use super::simulated::{self, Actor};
use super::system::System;
use super::{Disk, OpenFile, Status};
use crate::fs::owned::Access;

/// The disk of the system, or a simulated one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Either {
    System(System),
    Simulated(Actor),
}

#[derive(Debug)]
pub(crate) enum File {
    System(std::fs::File),
    Simulated(simulated::File),
}

macro_rules! ask {
    ($disk:expr, $on:ident => $call:expr) => {
        match $disk {
            Either::System($on) => $call,
            Either::Simulated($on) => $call,
        }
    };
}

macro_rules! ask_for_file {
    ($disk:expr, $on:ident => $call:expr) => {
        match $disk {
            Either::System($on) => $call.map(File::System),
            Either::Simulated($on) => $call.map(File::Simulated),
        }
    };
}

impl Disk for Either {
    type File = File;

    fn here() -> Self {
        Actor::of_this_thread().map_or(Self::System(System), Self::Simulated)
    }

    fn open(self, path: &Path, access: Access) -> io::Result<File> {
        ask_for_file!(self, disk => disk.open(path, access))
    }

    fn open_directory(self, path: &Path) -> io::Result<File> {
        ask_for_file!(self, disk => disk.open_directory(path))
    }

    fn make_temporary(
        self,
        dir: &Path,
        prefix: &str,
        random: usize,
        mode: u32,
    ) -> io::Result<(File, PathBuf)> {
        match self {
            Self::System(disk) => disk
                .make_temporary(dir, prefix, random, mode)
                .map(|(file, path)| (File::System(file), path)),
            Self::Simulated(disk) => disk
                .make_temporary(dir, prefix, random, mode)
                .map(|(file, path)| (File::Simulated(file), path)),
        }
    }

    fn status(self, path: &Path) -> io::Result<Status> {
        ask!(self, disk => disk.status(path))
    }

    fn link_status(self, path: &Path) -> io::Result<Status> {
        ask!(self, disk => disk.link_status(path))
    }

    fn read_link(self, path: &Path) -> io::Result<PathBuf> {
        ask!(self, disk => disk.read_link(path))
    }

    fn rename(self, from: &Path, to: &Path) -> io::Result<()> {
        ask!(self, disk => disk.rename(from, to))
    }

    fn rename_new(self, from: &Path, to: &Path) -> io::Result<()> {
        ask!(self, disk => disk.rename_new(from, to))
    }

    fn remove_file(self, path: &Path) -> io::Result<()> {
        ask!(self, disk => disk.remove_file(path))
    }

    fn remove_directory(self, path: &Path) -> io::Result<()> {
        ask!(self, disk => disk.remove_directory(path))
    }

    fn names(self, dir: &Path) -> io::Result<Vec<OsString>> {
        ask!(self, disk => disk.names(dir))
    }

    fn now(self) -> Instant {
        ask!(self, disk => disk.now())
    }

    fn wall_clock(self) -> SystemTime {
        ask!(self, disk => disk.wall_clock())
    }

    fn pause(self, how_long: Duration) {
        ask!(self, disk => disk.pause(how_long));
    }

    fn give_way(self) {
        ask!(self, disk => disk.give_way());
    }

    fn process(self) -> u32 {
        ask!(self, disk => disk.process())
    }
}

macro_rules! ask_file {
    ($file:expr, $on:ident => $call:expr) => {
        match $file {
            File::System($on) => $call,
            File::Simulated($on) => $call,
        }
    };
}

impl OpenFile for File {
    fn status(&self) -> io::Result<Status> {
        ask_file!(self, file => OpenFile::status(file))
    }

    fn read_some_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        ask_file!(self, file => file.read_some_at(into, at))
    }

    fn write_some_at(&self, bytes: &[u8], at: u64) -> io::Result<usize> {
        ask_file!(self, file => file.write_some_at(bytes, at))
    }

    fn set_length(&self, len: u64) -> io::Result<()> {
        ask_file!(self, file => file.set_length(len))
    }

    fn flush_all(&self) -> io::Result<()> {
        ask_file!(self, file => file.flush_all())
    }

    fn flush_data(&self) -> io::Result<()> {
        ask_file!(self, file => file.flush_data())
    }

    fn lock_now(&self) -> Result<(), TryLockError> {
        ask_file!(self, file => OpenFile::lock_now(file))
    }

    fn lock_shared_now(&self) -> Result<(), TryLockError> {
        ask_file!(self, file => OpenFile::lock_shared_now(file))
    }

    fn release(&self) -> io::Result<()> {
        ask_file!(self, file => file.release())
    }

    fn duplicate(&self) -> io::Result<Self> {
        match self {
            Self::System(file) => file.duplicate().map(Self::System),
            Self::Simulated(file) => file.duplicate().map(Self::Simulated),
        }
    }

    fn make_private(&self) -> io::Result<()> {
        ask_file!(self, file => file.make_private())
    }

    fn give_to(&self, owner: &Status) -> io::Result<()> {
        ask_file!(self, file => file.give_to(owner))
    }

    fn is_local(&self) -> bool {
        ask_file!(self, file => file.is_local())
    }

    fn close(self) {
        ask_file!(self, file => file.close());
    }

    fn system(&self) -> Option<&std::fs::File> {
        ask_file!(self, file => file.system())
    }
}
