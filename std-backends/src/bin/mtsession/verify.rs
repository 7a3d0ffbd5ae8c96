//! `mtsession verify`: everything that can be wrong with a stored session.

mod sealed;

use std::collections::HashSet;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use mtsession::codec::seal::is_sealed;
use mtsession::codec::text::decode_any;
use mtsession::codec::wire::{encode_body_to_slice, encoded_body_len};
use mtsession::codec::{Integrity, PlainFile, SessionSource as _, SessionView, encode};
use mtsession::{Address, FileStatus, Location, PersistedSession, Shown};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::Done;
use crate::args::VerifyArgs;
use crate::check::{Check, Outcome};
use crate::counted::counted;
use crate::failure::Failure;
use crate::file_modes;
use crate::keys;
use crate::output;
use crate::owners;
use crate::places::{self, Candidate};
use crate::remarks;
use crate::store::{Loaded, Origin, Store};

pub(crate) fn run(args: &VerifyArgs) -> Done {
    let candidates = places::candidates(&args.places)?;
    match candidates.as_slice() {
        [one] if !one.is_guess => alone(args, one),
        several => all(args, several),
    }
}

/// One session that was named.
fn alone(args: &VerifyArgs, session: &Candidate) -> Done {
    let store = &session.store;
    let number = args.number.or(session.number);
    keys::refuse_unsealed(store)?;
    let checks = match store.load_account(number) {
        Ok(loaded) => checks(store, &loaded, &mut HashSet::new())?,
        Err(failure) if sealed::is_without_key(&failure) => sealed::checks(store, failure)?,
        Err(failure) => return Err(unreadable(args, store, failure)),
    };
    print(args, store, &checks)?;
    if has_problem(&checks) {
        return Err(Failure::Problems(format!("{store} has problems")));
    }
    Ok(())
}

/// All sessions of folders, databases and servers: one that cannot be read does not keep the others from
/// being looked at.
fn all(args: &VerifyArgs, candidates: &[Candidate]) -> Done {
    let mut databases = HashSet::new();
    let (mut good, mut others) = (0_usize, 0_usize);
    let mut values = Vec::new();
    for session in candidates {
        let store = &session.store;
        let loaded = store.load_account(session.number);
        let checks = match loaded.and_then(|loaded| checks(store, &loaded, &mut databases)) {
            Ok(checks) => checks,
            Err(failure) if sealed::is_without_key(&failure) => {
                match sealed::checks(store, failure) {
                    Ok(checks) => checks,
                    Err(failure) => vec![(Outcome::Problem, "structure", failure.to_string())],
                }
            }
            Err(failure) if session.is_something_else(&failure) => {
                others = others.saturating_add(1);
                continue;
            }
            Err(failure) => vec![(Outcome::Problem, "structure", failure.to_string())],
        };
        good = good.saturating_add(usize::from(!has_problem(&checks)));
        values.push(json(store, &checks));
        if !args.json {
            print(args, store, &checks)?;
        }
    }
    let bad = values.len().saturating_sub(good);
    if args.json {
        output::json(&json!({ "sessions": values, "other_files": others }))?;
    } else {
        let sessions = counted(values.len(), ["session", "sessions"]);
        let files = counted(others, ["other file", "other files"]);
        let mut out = output::stdout();
        writeln!(
            out,
            "{sessions}: {good} good, {bad} with problems; {files} passed over"
        )?;
    }
    if bad > 0 {
        let sessions = counted(bad, ["session has", "sessions have"]);
        return Err(Failure::Problems(format!("{sessions} problems")));
    }
    Ok(())
}

fn has_problem(checks: &[Check]) -> bool {
    checks
        .iter()
        .any(|(outcome, ..)| *outcome == Outcome::Problem)
}

/// Everything about one session; a database that holds it is looked at once.
fn checks(
    store: &Store,
    loaded: &Loaded,
    databases: &mut HashSet<PathBuf>,
) -> Result<Vec<Check>, Failure> {
    let mut checks = vec![(
        Outcome::Good,
        "structure",
        "every byte is accounted for".to_owned(),
    )];
    checks.push(checksum(&loaded.origin));
    checks.push(re_encoded(store, loaded)?);
    for left_out in &loaded.left_out {
        checks.push((Outcome::Note, "left out", left_out.to_string()));
    }
    if let Some(by) = owners::of_loaded(store, loaded)? {
        checks.push((
            Outcome::Note,
            "owner",
            Shown(owners::in_words(&by)).to_string(),
        ));
    }
    let state = loaded.record.login_state();
    if !state.is_active() {
        checks.push((Outcome::Note, "login", owners::state_in_words(&state)));
    }
    for note in remarks::notes(loaded) {
        checks.push((Outcome::Note, "note", Shown(note).to_string()));
    }
    if let Origin::File(status) = &loaded.origin
        && status.generation.is_some()
    {
        let text = "it opens with the key, and nothing of what was read was changed";
        checks.push((Outcome::Good, "seal", text.to_owned()));
    }
    if let Origin::File(status) = &loaded.origin {
        checks.push(changes(status));
        if !status.has_tail {
            let text = "the file ends with its session, as an older release wrote it or as a copy that was cut \
                        short: the next write makes it whole";
            checks.push((Outcome::Note, "end", text.to_owned()));
        }
    }
    if let Origin::File(status) = &loaded.origin
        && status.padding > 0
    {
        let text = format!(
            "{} bytes follow the session, a newline or zeros: harmless, the next save drops them",
            status.padding
        );
        checks.push((Outcome::Note, "end", text));
    }
    if let Some(path) = database_of(store, loaded)
        && databases.insert(path.to_owned())
    {
        checks.extend(database(problems_of(path)?));
    }
    checks.extend(file_modes::check(&files(store, loaded)?)?);
    Ok(checks)
}

/// What is to say of the changes after the snapshot.
fn changes(status: &FileStatus) -> Check {
    let (outcome, text) = match status.tail_lost {
        _ if status.flush_failed => (
            Outcome::Problem,
            format!(
                "{}, whose flush to the disk has failed, or a write of the file in place was not finished: a \
                 power cut can lose them; the next write stores the session anew",
                status.tail_records
            ),
        ),
        _ if status.journal_of_another > 0 => (
            Outcome::Problem,
            format!(
                "{} in the journal of the release before continue another session file than this one: a \
                 program that knows no journals has replaced it, or an older copy of it was put back; the \
                 next write keeps or drops them",
                status.journal_of_another
            ),
        ),
        0 => (Outcome::Good, format!("{}", status.tail_records)),
        lost if status.is_tail_damaged => (
            Outcome::Problem,
            format!(
                "{}, and {lost} bytes after them that were damaged after they were written: `mtsession recover` \
                 reads the rest; the next write keeps a copy",
                status.tail_records
            ),
        ),
        lost => (
            Outcome::Problem,
            format!(
                "{}, and {lost} trailing bytes belong to none: torn by a crash; nobody was told that they are \
                 stored, and the next write cuts them off",
                status.tail_records
            ),
        ),
    };
    (outcome, "changes", text)
}

/// Of a database whose account cannot be read, everything else is looked at all the same.
fn unreadable(args: &VerifyArgs, store: &Store, failure: Failure) -> Failure {
    let is_damaged =
        matches!(&failure, Failure::Store(error) if error.kind() == io::ErrorKind::InvalidData);
    let (true, Some(path)) = (is_damaged, store.database()) else {
        return failure;
    };
    let Ok(problems) = problems_of(path) else {
        // It is not a database of ours, or damaged as a whole, which the failure says.
        return failure;
    };
    let report = || {
        let mut checks = database(problems);
        checks.extend(file_modes::check(&mtsession::files_of_database(path)?)?);
        print(args, store, &checks)
    };
    report().err().unwrap_or(failure)
}

/// What is wrong with a whole database.
fn problems_of(path: &Path) -> io::Result<Vec<String>> {
    let address = Address::from(Location::Sqlite(path.to_owned()));
    Ok(mtsession::Store::open(address)?.verify()?.problems)
}

fn json(store: &Store, checks: &[Check]) -> Value {
    let check = |(outcome, name, text): &Check| json!({ "check": name, "outcome": outcome.name(), "text": text });
    let checks: Vec<_> = checks.iter().map(check).collect();
    json!({ "store": store.name(), "checks": checks })
}

fn print(args: &VerifyArgs, store: &Store, checks: &[Check]) -> Done {
    if args.json {
        output::json(&json(store, checks))?;
    } else {
        let mut out = output::stdout();
        writeln!(out, "{store}")?;
        for (outcome, name, text) in checks {
            writeln!(out, "  {:8} {name}: {}", outcome.name(), Shown(text))?;
        }
    }
    Ok(())
}

fn checksum(origin: &Origin) -> Check {
    let integrity = match origin {
        Origin::File(status) => status.integrity,
        Origin::Native(_, integrity) => *integrity,
        Origin::Compact(_) | Origin::Foreign(..) => Integrity::StructureOnly,
        Origin::Database => {
            return (
                Outcome::Note,
                "checksum",
                "none: SQLite keeps none".to_owned(),
            );
        }
        Origin::Flash(0) => Integrity::Checksummed,
        Origin::Flash(damaged) => {
            let text = format!("{damaged} records are damaged; the rest was read");
            return (Outcome::Problem, "checksum", text);
        }
    };
    match integrity {
        Integrity::Checksummed => (Outcome::Good, "checksum", "holds".to_owned()),
        Integrity::StructureOnly => (
            Outcome::Note,
            "checksum",
            "none: this format has no place for one, damage inside keys goes unnoticed".to_owned(),
        ),
    }
}

/// Encodes the session anew and compares: byte for byte where the source is in the current version.
fn re_encoded(store: &Store, loaded: &Loaded) -> Result<Check, Failure> {
    if !matches!(
        loaded.origin,
        Origin::File(_) | Origin::Native(..) | Origin::Compact(_)
    ) {
        let session = PersistedSession::from_bytes(&loaded.record.session().to_bytes())?;
        let same = session == *loaded.record.session();
        return Ok(outcome(same));
    }
    let raw = store.raw()?;
    let mut buffer = Zeroizing::new(vec![0; raw.len()]);
    let same = if let Origin::File(_) = &loaded.origin {
        // Of a sealed file, whose boxes have opened, what was read is encoded.
        let plain = if is_sealed(&raw) {
            loaded.record.to_bytes()?
        } else {
            raw
        };
        PlainFile::parse(&plain).is_ok_and(|file| same_body(&file.snapshot(), file.bytes()))
    } else {
        let text = core::str::from_utf8(&raw).unwrap_or_default();
        decode_any(text, &mut buffer).is_ok_and(|any| {
            let mut bytes = Zeroizing::new(Vec::new());
            encode(&any, &mut *bytes).is_ok() && SessionView::parse(&bytes).is_ok()
        })
    };
    Ok(outcome(same))
}

fn outcome(same: bool) -> Check {
    let (outcome, text) = if same {
        (Outcome::Good, "gives the same session")
    } else {
        (Outcome::Problem, "gives another session: report this")
    };
    (outcome, "re-encoding", text.to_owned())
}

fn same_body(view: &SessionView<'_>, raw: &[u8]) -> bool {
    let Ok(len) = encoded_body_len(view) else {
        // More than the body can count: the trailer's checksum has covered it.
        return view.integrity() == Integrity::Checksummed;
    };
    let mut buffer = Zeroizing::new(vec![0; len]);
    let Ok(body) = encode_body_to_slice(view, &mut buffer) else {
        return false;
    };
    if view.version() == 8 {
        return raw.starts_with(body);
    }
    SessionView::parse(body).is_ok_and(|again| {
        again.dcs().eq(view.dcs())
            && again.channels().eq(view.channels())
            && again.peers().eq(view.peers())
            && again.min_peers().eq(view.min_peers())
            && again.counters() == view.counters()
            && again.home_dc_id() == view.home_dc_id()
            && again.future_auth_token() == view.future_auth_token()
    })
}

/// The file of a database of ours on this machine.
fn database_of<'s>(store: &'s Store, loaded: &Loaded) -> Option<&'s Path> {
    store
        .database()
        .filter(|_| matches!(loaded.origin, Origin::Database))
}

/// What a check of the whole database says.
fn database(problems: Vec<String>) -> Vec<Check> {
    if problems.is_empty() {
        let text = "pages, rows and indexes hold, every account can be loaded";
        return vec![(Outcome::Good, "database", text.to_owned())];
    }
    let check = |problem| (Outcome::Problem, "database", problem);
    problems.into_iter().map(check).collect()
}

/// Every file that has, or can have, a key of this session; the one that was named first.
fn files(store: &Store, loaded: &Loaded) -> Result<Vec<PathBuf>, Failure> {
    if let Some(path) = database_of(store, loaded) {
        return Ok(mtsession::files_of_database(path)?);
    }
    Ok(match store {
        Store::File(path) if matches!(loaded.origin, Origin::File(_)) => {
            mtsession::files_of_session(path)?
        }
        Store::File(path)
        | Store::StringFile(path)
        | Store::Flash(path, _)
        | Store::Ferogram(path)
        | Store::Library(_, path) => vec![path.clone()],
        _ => Vec::new(),
    })
}
