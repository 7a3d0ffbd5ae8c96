//! The calls of programs.

use core::time::Duration;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use rustix::io::Errno;

use super::DIRECTORY;
use super::faults::{Call, Mistake};
use super::inode::Inode;
use super::locks::Description;
use super::names::Entry;
use super::open_file::{File, handle};
use super::schedule::here;
use super::world::World;
use crate::fs::disk::{Disk, Kind, Status};
use crate::fs::owned::Access;

/// The process that this thread is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Actor(());

impl Actor {
    pub(crate) fn of_this_thread() -> Option<Self> {
        here().map(|_| Self(()))
    }
}

/// Runs a call of this process, unless it is dead or the call is to fail.
pub(super) fn call<R>(
    call: Call,
    run: impl FnOnce(&mut World, usize) -> io::Result<R>,
) -> io::Result<R> {
    let (machine, process) = here().expect("a process of the machine calls");
    machine.take_turns(process);
    let mut world = machine.world();
    world.begin(call, process)?;
    run(&mut world, process)
}

impl World {
    fn begin(&mut self, call: Call, process: usize) -> io::Result<()> {
        match &mut self.processes[process].dies_in {
            Some(0) => self.kill(process),
            Some(calls) => *calls -= 1,
            None => {}
        }
        if self.processes[process].is_dead {
            return Err(io::Error::other("the process is dead"));
        }
        self.calls += 1;
        self.clock += Duration::from_micros(1);
        if call.changes() {
            self.take_cuts();
        }
        let fault = self.fault.as_mut();
        match fault.and_then(|fault| fault.comes(call)) {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }

    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000) + self.clock
    }

    pub(super) fn status_of(&self, inode: usize) -> Status {
        let found = &self.inodes[inode];
        let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000) + found.changed;
        Status {
            kind: Kind::File,
            len: found.content.len() as u64,
            device: 1,
            inode: inode as u64 + 2,
            links: if self.has(Mistake::LinksUnseen) {
                1
            } else {
                found.links
            },
            ..plain(Kind::File, Some(changed))
        }
    }

    fn new_file(&mut self, path: &Path) -> usize {
        let mut inode = Inode::default();
        inode.links = 1;
        inode.changed = self.clock;
        self.inodes.push(inode);
        let number = self.inodes.len() - 1;
        self.names.add(path, Entry::File(number));
        number
    }

    fn open_file(&mut self, inode: usize, process: usize) -> Description {
        let description = self.next_description;
        self.next_description += 1;
        self.open.insert(description, (inode, process));
        description
    }
}

fn plain(kind: Kind, changed: Option<SystemTime>) -> Status {
    Status {
        kind,
        len: 0,
        device: 1,
        inode: 1,
        links: 1,
        user: rustix::process::geteuid().as_raw(),
        group: 0,
        mode: 0o700,
        modified: changed,
        changed,
    }
}

fn opened(world: &mut World, inode: Option<usize>, process: usize) -> (Option<usize>, Description) {
    let description = inode.map_or(usize::MAX, |inode| world.open_file(inode, process));
    (inode, description)
}

impl Disk for Actor {
    type File = File;

    fn here() -> Self {
        Self(())
    }

    fn open(self, path: &Path, access: Access) -> io::Result<File> {
        let makes = matches!(access, Access::New | Access::Create);
        let what = if makes { Call::Create } else { Call::Open };
        let found = call(what, |world, process| {
            let inode = match world.names.entries.get(path) {
                Some(Entry::Link(_)) => return Err(Errno::LOOP.into()),
                Some(Entry::File(_)) if access == Access::New => return Err(Errno::EXIST.into()),
                Some(Entry::File(inode)) => *inode,
                None if makes => world.new_file(path),
                None => return Err(Errno::NOENT.into()),
            };
            Ok(opened(world, Some(inode), process))
        })?;
        Ok(handle(found))
    }

    fn open_directory(self, path: &Path) -> io::Result<File> {
        assert_eq!(path, Path::new(DIRECTORY), "there is one directory");
        let found = call(Call::Open, |world, process| {
            Ok(opened(world, None, process))
        })?;
        Ok(handle(found))
    }

    fn make_temporary(
        self,
        dir: &Path,
        prefix: &str,
        random: usize,
        _: u32,
    ) -> io::Result<(File, PathBuf)> {
        let (found, path) = call(Call::Create, |world, process| {
            world.temporary_files += 1;
            let name = format!("{prefix}{:0random$}", world.next_description);
            let path = dir.join(name);
            let inode = world.new_file(&path);
            Ok((opened(world, Some(inode), process), path))
        })?;
        Ok((handle(found), path))
    }

    fn status(self, path: &Path) -> io::Result<Status> {
        if path == Path::new(DIRECTORY) {
            return Ok(plain(Kind::Directory, None));
        }
        call(Call::Status, |world, _| {
            let target = match world.names.entries.get(path) {
                Some(Entry::Link(to)) => to.as_path(),
                _ => path,
            };
            let inode = world.names.file(target).ok_or(Errno::NOENT)?;
            Ok(world.status_of(inode))
        })
    }

    fn link_status(self, path: &Path) -> io::Result<Status> {
        call(Call::Status, |world, _| {
            match world.names.entries.get(path) {
                Some(Entry::File(inode)) => Ok(world.status_of(*inode)),
                Some(Entry::Link(_)) => Ok(plain(Kind::Link, None)),
                None => Err(Errno::NOENT.into()),
            }
        })
    }

    fn read_link(self, path: &Path) -> io::Result<PathBuf> {
        call(Call::Status, |world, _| {
            match world.names.entries.get(path) {
                Some(Entry::Link(to)) => Ok(to.clone()),
                _ => Err(Errno::INVAL.into()),
            }
        })
    }

    fn rename(self, from: &Path, to: &Path) -> io::Result<()> {
        call(Call::Rename, |world, _| {
            if !world.names.entries.contains_key(from) {
                return Err(Errno::NOENT.into());
            }
            if !world.nature.can_replace {
                return Err(Errno::BUSY.into());
            }
            world.rename(from, to);
            Ok(())
        })
    }

    fn rename_new(self, from: &Path, to: &Path) -> io::Result<()> {
        call(Call::Rename, |world, _| {
            if world.names.entries.contains_key(to) {
                return Err(Errno::EXIST.into());
            }
            world.rename(from, to);
            Ok(())
        })
    }

    fn remove_file(self, path: &Path) -> io::Result<()> {
        call(Call::Remove, |world, _| {
            if !world.names.entries.contains_key(path) {
                return Err(Errno::NOENT.into());
            }
            world.unlink(path);
            Ok(())
        })
    }

    fn remove_directory(self, _: &Path) -> io::Result<()> {
        Err(Errno::PERM.into())
    }

    fn names(self, dir: &Path) -> io::Result<Vec<OsString>> {
        call(Call::List, |world, _| {
            let here = world.names.entries.keys();
            let here = here.filter(|path| path.parent() == Some(dir));
            Ok(here
                .filter_map(|path| Some(path.file_name()?.into()))
                .collect())
        })
    }

    fn now(self) -> Instant {
        thread_local! {
            static START: Instant = Instant::now();
        }
        let (machine, _) = here().expect("a process of the machine calls");
        let clock = machine.world().clock;
        START.with(|start| *start) + clock
    }

    fn wall_clock(self) -> SystemTime {
        let (machine, _) = here().expect("a process of the machine calls");
        let world = machine.world();
        world.now()
    }

    fn pause(self, how_long: Duration) {
        let (machine, process) = here().expect("a process of the machine calls");
        machine.world().clock += how_long;
        machine.take_turns(process);
    }

    fn give_way(self) {
        self.pause(Duration::from_micros(1));
    }

    fn process(self) -> u32 {
        let process = here().map_or(0, |(_, process)| process);
        u32::try_from(process).unwrap_or_default() + 1_000
    }
}
