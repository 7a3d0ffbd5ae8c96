//! A change of a session's keys that is killed leaves every session whole, under the old keys or the new ones.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use mtsession::seal::Key;
use mtsession::{SessionBackend as _, SessionBackendExt as _, StoreOptions};

use crate::place::{Place, contents, readable_by_others, with_key};
use crate::record::Login::{Another, Whole};
use crate::strace::{self, Call, Invocation, chosen};

/// What opens a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Plain,
    /// The key in the file of this name.
    Sealed(&'static str),
}

const OLD: Form = Form::Sealed("old");
const NEW: Form = Form::Sealed("new");

/// What opens a session of this form.
fn options(place: &Place, form: Form) -> StoreOptions {
    match form {
        Form::Plain => StoreOptions::new(),
        Form::Sealed(key) => {
            let key = Key::from_file(place.source().join(key)).unwrap();
            StoreOptions::new().key(key)
        }
    }
}

/// A command that gives the sessions of a directory, or its only one, another form.
#[derive(Debug)]
struct Change {
    from: Form,
    to: Form,
    sessions: &'static [&'static str],
}

impl Change {
    fn place(&self) -> Place {
        let place = Place::new();
        for key in ["old", "new"] {
            let key_file = place.source().join(key);
            Key::generate().unwrap().write_new(&key_file).unwrap();
        }
        for (name, login) in self.sessions.iter().zip([Whole, Another]) {
            let store = options(&place, self.from);
            let store = store.connect(place.target().join(name)).unwrap();
            store.replace(&login.record()).unwrap();
        }
        place
    }

    fn invocation(&self, place: &Place) -> Invocation {
        let store = match self.sessions {
            [only] => place.target().join(only).display().to_string(),
            _ => format!("dir:{}", place.target().display()),
        };
        let file = |name| place.source().join(name).display().to_string();
        let (command, key) = match (self.from, self.to) {
            (Form::Plain, Form::Sealed(key)) => ("seal", key),
            (Form::Sealed(key), Form::Plain) => ("unseal", key),
            (Form::Sealed(key), Form::Sealed(_)) => ("reseal", key),
            (Form::Plain, Form::Plain) => panic!("no change"),
        };
        let mut args = vec![
            command.to_owned(),
            store,
            format!("--key-file={}", file(key)),
        ];
        if let (Form::Sealed(_), Form::Sealed(new)) = (self.from, self.to) {
            args.push(format!("--new-key-file={}", file(new)));
        }
        Invocation {
            args,
            input: PathBuf::from("/dev/null"),
            temporary: place.temporary(),
        }
    }

    /// The form of each session, all of which are whole.
    fn forms(&self, place: &Place, at: &str) -> Vec<Form> {
        let logins = self.sessions.iter().zip([Whole, Another]);
        logins
            .map(|(name, login)| {
                let opens = |form: &Form| {
                    // From a copy, so that reading repairs nothing.
                    let copy = tempfile::tempdir().unwrap();
                    let copy = copy.path().join("session");
                    fs::copy(place.target().join(name), &copy).unwrap();
                    let store = options(place, *form).connect(&copy).unwrap();
                    store.read().is_ok_and(|record| {
                        assert!(record == Some(login.record()), "{at}: {record:?}");
                        true
                    })
                };
                let opened: Vec<_> = [Form::Plain, OLD, NEW].into_iter().filter(opens).collect();
                let [form] = opened.as_slice() else {
                    panic!("{at}: {name} opens as {opened:?}");
                };
                *form
            })
            .collect()
    }

    fn run(&self) {
        if !strace::is_there() {
            return;
        }
        let place = self.place();
        let calls = self.invocation(&place).calls(place.root());
        let names: Vec<_> = contents(&place.target()).into_keys().collect();
        let after = self.forms(&place, "a whole run");
        assert!(after.iter().all(|form| *form == self.to), "{after:?}");
        let mut found = BTreeSet::new();
        for call in chosen(calls) {
            found.extend(self.kill(&call, &names));
        }
        println!("{self:?}: {found:?}");
        assert_eq!(found, BTreeSet::from([self.from, self.to]), "{self:?}");
    }

    /// The forms that were found.
    fn kill(&self, call: &Call, names: &[PathBuf]) -> Vec<Form> {
        let place = self.place();
        if !self.invocation(&place).is_killed_at(call) {
            return Vec::new();
        }
        let at = format!("{self:?}, killed at {call:?}");
        let open = readable_by_others(&place.target());
        assert!(open.is_empty(), "{at}: others can read {open:?}");
        let forms = self.forms(&place, &at);

        // Once more, with both keys: some sessions may have the new one.
        let mut again = self.invocation(&place);
        if let (Form::Sealed(_), Form::Sealed(new)) = (self.from, self.to) {
            let new = place.source().join(new);
            again.args.push(format!("--key-file={}", new.display()));
        }
        let is_done = forms.iter().all(|form| *form == self.to);
        let (code, said) = again.run();
        // Nothing is left to do, which it says.
        let may_refuse = is_done && (self.from == Form::Plain || self.to == Form::Plain);
        assert!(
            code == Some(0) || may_refuse && code == Some(2),
            "{at}: {said}"
        );
        let after = self.forms(&place, &at);
        assert!(after.iter().all(|form| *form == self.to), "{at}: {after:?}");
        let left: Vec<_> = contents(&place.target()).into_keys().collect();
        assert_eq!(left, names, "{at}: something is left");
        if self.to != Form::Plain {
            let plain = with_key(&place.target(), &Whole.key());
            assert!(plain.is_empty(), "{at}: a key is left in {plain:?}");
        }
        forms
    }
}

fn run(from: Form, to: Form) {
    for sessions in [&["a.session"][..], &["a.session", "b.session"]] {
        Change { from, to, sessions }.run();
    }
}

#[test]
fn a_session_that_is_being_sealed_is_plain_or_sealed() {
    run(Form::Plain, OLD);
}

#[test]
fn a_session_that_is_being_unsealed_is_sealed_or_plain() {
    run(OLD, Form::Plain);
}

#[test]
fn a_session_that_is_being_resealed_has_the_old_key_or_the_new_one() {
    run(OLD, NEW);
}
