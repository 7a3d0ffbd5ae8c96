//! A machine with its disk, between two power cuts.

use core::time::Duration;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::dice::Dice;
use super::faults::{Fault, Mistake};
use super::inode::Inode;
use super::locks::Description;
use super::names::{Entry, Names};

/// Files that are gone, whose bytes may come up again.
const FREED: usize = 6;

/// What is on a disk while no machine runs.
pub(crate) type Image = BTreeMap<PathBuf, Vec<u8>>;

/// What kind of disk it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nature {
    /// Whether a directory can be flushed.
    pub(crate) has_directory_flush: bool,
    /// Whether a block that is being written can be lost as a whole.
    pub(crate) tears_blocks: bool,
    /// Whether a file can get the name of another one: not where it is a mount point.
    pub(crate) can_replace: bool,
    /// Whether an open file tells of a rename over it.
    pub(crate) is_local: bool,
}

impl Nature {
    /// A local disk.
    pub(crate) const USUAL: Self = Self {
        has_directory_flush: true,
        tears_blocks: false,
        can_replace: true,
        is_local: true,
    };
}

/// A process.
#[derive(Clone, Debug)]
pub(super) struct Process {
    pub(super) is_dead: bool,
    /// How many calls it makes before it is killed.
    pub(super) dies_in: Option<usize>,
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) nature: Nature,
    pub(super) inodes: Vec<Inode>,
    pub(super) names: Names,
    /// What each open file is open for: its inode, and the process that has opened it.
    pub(super) open: BTreeMap<Description, (usize, usize)>,
    pub(super) next_description: Description,
    freed: Vec<Vec<u8>>,
    pub(super) clock: Duration,
    pub(super) dice: Dice,
    pub(super) fault: Option<Fault>,
    pub(super) mistake: Option<Mistake>,
    pub(super) processes: Vec<Process>,
    pub(super) calls: usize,
    /// Cuts per call that changes something; what they leave.
    pub(super) cuts: usize,
    pub(super) left: Vec<(u64, Image)>,
    /// Noted with each cut: what the test knows at that moment.
    pub(super) note: u64,
    /// Most bytes that the disk takes.
    pub(super) room: usize,
    /// Temporary files that were made.
    pub(super) temporary_files: usize,
}

impl World {
    pub(super) fn new(image: &Image, nature: Nature, seed: u64) -> Self {
        let (mut inodes, mut entries) = (Vec::new(), BTreeMap::new());
        for (path, content) in image {
            entries.insert(path.clone(), Entry::File(inodes.len()));
            let mut inode = Inode::durable(content.clone());
            inode.links = 1;
            inodes.push(inode);
        }
        Self {
            nature,
            inodes,
            names: Names::durable(entries),
            open: BTreeMap::new(),
            next_description: 0,
            freed: Vec::new(),
            // Files that were there are not of this moment.
            clock: Duration::from_secs(3_600),
            dice: Dice::new(seed),
            fault: None,
            mistake: None,
            processes: Vec::new(),
            calls: 0,
            cuts: 0,
            left: Vec::new(),
            note: 0,
            room: usize::MAX,
            temporary_files: 0,
        }
    }

    /// What the disk has after a power cut at this moment.
    pub(super) fn cut(&mut self) -> Image {
        let mut content = BTreeMap::new();
        let mut image = Image::new();
        let entries = self.names.after_cut(&mut self.dice);
        for (path, entry) in entries {
            if let Entry::File(inode) = entry {
                // Of a file with two names there is one content.
                let content = content.entry(inode).or_insert_with(|| {
                    let tears = self.nature.tears_blocks;
                    self.inodes[inode].after_cut(&mut self.dice, &self.freed, tears)
                });
                image.insert(path, content.clone());
            }
        }
        image
    }

    pub(super) fn take_cuts(&mut self) {
        for _ in 0..self.cuts {
            let image = self.cut();
            self.left.push((self.note, image));
        }
    }

    pub(super) fn flush(&mut self, inode: usize) {
        self.inodes[inode].flush();
        if !self.nature.has_directory_flush {
            self.names.flush();
        }
    }

    pub(super) fn fail_to_flush(&mut self, inode: usize) {
        self.inodes[inode].fail_to_flush(&mut self.dice, &self.freed);
    }

    pub(super) fn unlink(&mut self, path: &Path) {
        if let Some(inode) = self.names.file(path) {
            self.lose_name(inode);
        }
        self.names.remove(path);
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) {
        if let Some(inode) = self.names.file(to) {
            self.lose_name(inode);
            if self.has(Mistake::WipesReplaced) {
                let len = self.inodes[inode].content.len();
                self.inodes[inode].write(0, &vec![0; len]);
                self.inodes[inode].flush();
            }
        }
        self.names.rename(from, to);
    }

    fn lose_name(&mut self, inode: usize) {
        let lost = &mut self.inodes[inode];
        lost.links = lost.links.saturating_sub(1);
        if lost.links == 0 {
            if self.freed.len() == FREED {
                self.freed.remove(0);
            }
            self.freed.push(lost.content.clone());
        }
    }

    pub(super) fn link(&mut self, from: &Path, to: &Path) {
        if let Some(inode) = self.names.file(from) {
            self.inodes[inode].links += 1;
            self.names.add(to, Entry::File(inode));
        }
    }

    /// What is open in the process is open in its child too.
    pub(super) fn fork(&mut self, process: usize) {
        self.processes.push(Process {
            is_dead: false,
            dies_in: None,
        });
        let child = self.processes.len() - 1;
        for (_, by) in self.open.values_mut() {
            if *by == process {
                // It is closed when both are gone; the child outlives the parent here.
                *by = child;
            }
        }
    }

    pub(super) fn kill(&mut self, process: usize) {
        self.processes[process].is_dead = true;
        let open = core::mem::take(&mut self.open);
        for (description, (inode, by)) in open {
            if by == process {
                self.inodes[inode].lock.release(description);
            } else {
                self.open.insert(description, (inode, by));
            }
        }
    }

    /// Whether the program that runs has this mistake.
    pub(super) fn has(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    /// Bytes of all files.
    pub(super) fn used(&self) -> usize {
        let named = self.inodes.iter().filter(|inode| inode.links > 0);
        named.map(|inode| inode.content.len()).sum()
    }
}
