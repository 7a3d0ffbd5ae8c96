//! One conversion, and what has to hold wherever it is killed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use mtsession::SessionRecord;

use crate::place::{Place, contents, copy_of, readable_by_others, state, with_key};
use crate::record::Login;
use crate::stores::Kind;
use crate::strace::{Call, Invocation, chosen};

/// What is stored where, and over what.
pub(crate) struct Case {
    /// `None`: a string on standard input.
    source: Option<Kind>,
    new: Login,
    target: Kind,
    old: Option<Login>,
}

impl Case {
    pub(crate) fn convert(source: Kind, new: Login, target: Kind, old: Option<Login>) -> Self {
        Self {
            source: Some(source),
            new,
            target,
            old,
        }
    }

    pub(crate) fn import(new: Login, target: Kind, old: Option<Login>) -> Self {
        Self {
            source: None,
            ..Self::convert(Kind::String, new, target, old)
        }
    }

    pub(crate) fn place(&self) -> Place {
        let place = Place::new();
        let source = self.source.unwrap_or(Kind::String);
        source.put(self.new, &place.source());
        if let Some(old) = self.old {
            self.target.put(old, &place.target());
        }
        place
    }

    fn address(&self, place: &Place) -> String {
        self.target.address(&place.target(), "default")
    }

    /// The command, with or without leave to replace.
    fn args(&self, place: &Place, may_replace: bool) -> Vec<String> {
        let mut args = match self.source {
            None => vec!["import".to_owned(), self.address(place)],
            Some(source) => {
                let from = source.address(&place.source(), "default");
                vec!["convert".to_owned(), from, self.address(place)]
            }
        };
        if may_replace {
            args.push("--force".to_owned());
        }
        let is_incomplete = !self.target.is_replaceable();
        if is_incomplete {
            let options = "--user-id 777001 --user --api-id 12345 --production";
            args.extend(options.split(' ').map(str::to_owned));
        }
        args
    }

    pub(crate) fn invocation(&self, place: &Place, may_replace: bool) -> Invocation {
        Invocation {
            args: self.args(place, may_replace),
            input: match self.source {
                None => place.source().join("text"),
                Some(_) => PathBuf::from("/dev/null"),
            },
            temporary: place.temporary(),
        }
    }

    /// Kills it everywhere.
    pub(crate) fn run(&self) {
        let place = self.place();
        let old = self.old.and_then(|_| self.state(&place));
        let calls = self
            .invocation(&place, self.old.is_some())
            .calls(place.root());
        let whole = Whole {
            old,
            new: self.state(&place).unwrap(),
            names: contents(&place.target()).into_keys().collect(),
            with_old_key: self.with_old_key(&place),
            neighbour: self.neighbour(&place),
        };
        assert!(
            whole.old.as_ref() != Some(&whole.new),
            "nothing would be seen"
        );
        drop(place);
        let mut found = BTreeMap::new();
        for call in chosen(calls) {
            if let Some(state) = self.kill(&call, &whole) {
                *found.entry(state).or_insert(0_usize) += 1;
            }
        }
        println!("{self}: {found:?}");
        assert_eq!(
            found.len(),
            2,
            "{self}: it was never killed before it was done, or after"
        );
    }

    fn kill(&self, call: &Call, whole: &Whole) -> Option<Found> {
        let place = self.place();
        let source = source_of(&place);
        let may_replace = self.old.is_some();
        if !self.invocation(&place, may_replace).is_killed_at(call) {
            return None;
        }
        let at = format!("{self}, killed at {call:?}");
        let open = readable_by_others(&place.target());
        assert!(open.is_empty(), "{at}: others can read {open:?}");
        let open = readable_by_others(&place.temporary());
        assert!(open.is_empty(), "{at}: others can read {open:?}");
        assert!(source_of(&place) == source, "{at}: the source changed");
        let state = self.state(&place);
        assert!(
            self.neighbour(&place) == whole.neighbour,
            "{at}: another account changed"
        );
        let found = if state.as_ref() == Some(&whole.new) {
            Found::New
        } else {
            assert!(state == whole.old, "{at}: {state:?}");
            Found::Old
        };

        self.again(&place, found, whole, &at);
        Some(found)
    }

    /// The command once more, which has to end what was begun and leave nothing of it.
    fn again(&self, place: &Place, found: Found, whole: &Whole, at: &str) {
        const REFUSED: i32 = 2;

        let is_there = found == Found::New || self.old.is_some();
        let may_replace = is_there && self.target.is_replaceable();
        let (code, said) = self.invocation(place, may_replace).run();
        let expected = if is_there && !may_replace { REFUSED } else { 0 };
        assert_eq!(code, Some(expected), "{at}, the second run: {said}");
        assert!(
            self.state(place).as_ref() == Some(&whole.new),
            "{at}, after the second run"
        );
        assert!(
            self.neighbour(place) == whole.neighbour,
            "{at}: another account changed"
        );
        let names: Vec<_> = contents(&place.target()).into_keys().collect();
        assert_eq!(names, whole.names, "{at}: something is left");
        assert_eq!(
            self.with_old_key(place),
            whole.with_old_key,
            "{at}: an old key is left"
        );
        let left = contents(&place.temporary());
        assert!(left.is_empty(), "{at}: {:?} is left", left.into_keys());
    }

    /// What the target holds. Read from a copy, so that reading repairs nothing.
    fn state(&self, place: &Place) -> Option<SessionRecord> {
        let copy = tempfile::tempdir().unwrap();
        copy_of(&place.target(), copy.path());
        state(&self.target.address(copy.path(), "default"))
    }

    /// Another account of the same database.
    fn neighbour(&self, place: &Place) -> Option<SessionRecord> {
        if !self.target.has_accounts() || self.old.is_none() {
            return None;
        }
        let copy = tempfile::tempdir().unwrap();
        copy_of(&place.target(), copy.path());
        state(&self.target.address(copy.path(), "neighbour"))
    }

    fn with_old_key(&self, place: &Place) -> Vec<PathBuf> {
        self.old
            .map(|old| with_key(&place.target(), &old.key()))
            .unwrap_or_default()
    }
}

/// What is in the source. Reading a database puts its locks alongside it, and an empty log.
fn source_of(place: &Place) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut source = contents(&place.source());
    source.retain(|name, content| {
        let is_log = name.to_string_lossy().ends_with("-wal") && content.is_empty();
        !is_log && !name.to_string_lossy().ends_with("-shm")
    });
    source
}

/// What a run leaves that nobody kills, and what was there before.
struct Whole {
    old: Option<SessionRecord>,
    new: SessionRecord,
    names: Vec<PathBuf>,
    with_old_key: Vec<PathBuf>,
    neighbour: Option<SessionRecord>,
}

/// Which session was found after a kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Old,
    New,
}

impl core::fmt::Display for Case {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self {
            source,
            new,
            target,
            old,
        } = self;
        let command = if source.is_some() {
            "convert"
        } else {
            "import"
        };
        let source = source.unwrap_or(Kind::String);
        write!(f, "{command} {source:?} {new:?} to {target:?} over {old:?}")
    }
}
