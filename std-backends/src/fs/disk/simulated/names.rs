//! The names in a directory: each change of one is a fact of its own until the directory is flushed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::dice::Dice;

/// What a name leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    File(usize),
    Link(PathBuf),
}

#[derive(Clone, Debug)]
enum Fact {
    New(PathBuf, Entry),
    Gone(PathBuf),
    Renamed {
        from: PathBuf,
        to: PathBuf,
        entry: Entry,
    },
}

type Entries = BTreeMap<PathBuf, Entry>;

#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// What programs see.
    pub(super) entries: Entries,
    /// What a cut leaves at least.
    durable: Entries,
    facts: Vec<Fact>,
}

impl Names {
    pub(super) fn durable(entries: Entries) -> Self {
        Self {
            durable: entries.clone(),
            entries,
            facts: Vec::new(),
        }
    }

    pub(super) fn file(&self, path: &Path) -> Option<usize> {
        match self.entries.get(path)? {
            Entry::File(inode) => Some(*inode),
            Entry::Link(_) => None,
        }
    }

    pub(super) fn add(&mut self, path: &Path, entry: Entry) {
        self.change(Fact::New(path.to_owned(), entry));
    }

    pub(super) fn remove(&mut self, path: &Path) {
        self.change(Fact::Gone(path.to_owned()));
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) {
        let entry = self.entries[from].clone();
        self.change(Fact::Renamed {
            from: from.to_owned(),
            to: to.to_owned(),
            entry,
        });
    }

    fn change(&mut self, fact: Fact) {
        fact.make(&mut self.entries);
        self.facts.push(fact);
    }

    pub(super) fn flush(&mut self) {
        self.durable.clone_from(&self.entries);
        self.facts.clear();
    }

    /// What is left after a power cut.
    pub(super) fn after_cut(&self, dice: &mut Dice) -> Entries {
        let mut left = self.durable.clone();
        let kept = dice.below(self.facts.len() + 1);
        let is_in_order = dice.one_in(2);
        for (number, fact) in self.facts.iter().enumerate() {
            let is_kept = if is_in_order {
                number < kept
            } else {
                dice.one_in(2)
            };
            if is_kept {
                fact.make(&mut left);
            }
        }
        left
    }
}

impl Fact {
    fn make(&self, entries: &mut Entries) {
        match self {
            Self::New(path, entry) => {
                entries.insert(path.clone(), entry.clone());
            }
            Self::Gone(path) => {
                entries.remove(path);
            }
            Self::Renamed { from, to, entry } => {
                if entries.get(from) == Some(entry) {
                    entries.remove(from);
                }
                entries.insert(to.clone(), entry.clone());
            }
        }
    }
}
