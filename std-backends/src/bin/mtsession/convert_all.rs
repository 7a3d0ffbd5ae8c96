//! `mtsession convert --all`: every session of a place into one store of many accounts.

use std::collections::BTreeMap;
use std::io::Write as _;

use indicatif::{ProgressBar, ProgressStyle};
use mtsession::codec::SessionSource as _;
use mtsession::{SessionBackend, SessionBackendExt as _, SessionRecord, Shown};
use serde_json::json;

use crate::Done;
use crate::args::ConvertArgs;
use crate::compare::{Promise, differences};
use crate::counted::counted;
use crate::failure::{self, Failure};
use crate::keys;
use crate::output;
use crate::places::{self, Candidate};
use crate::report;
use crate::store::{Loaded, Store, add_in};

/// What became of one session.
enum Copied {
    /// It is in the target, and was read back equal.
    Now,
    /// The target had its login already, and was left as it is.
    Before,
}

/// What became of all of them.
#[derive(Default)]
struct Outcome {
    copied: usize,
    there: usize,
    others: usize,
    /// The session and why it is not in the target.
    failed: Vec<(String, Failure)>,
}

/// Copies what is not there yet: a run that was interrupted is gone on with by the same command.
pub(crate) fn run(args: &ConvertArgs) -> Done {
    let target = target(&args.to)?;
    let candidates = places::candidates(core::slice::from_ref(&args.from))?;
    let bar = ProgressBar::new(u64::try_from(candidates.len()).unwrap_or(u64::MAX));
    if let Ok(style) =
        ProgressStyle::with_template("{bar:30} {pos} of {len}, {per_sec}, {eta} left  {wide_msg}")
    {
        bar.set_style(style);
    }
    let mut outcome = Outcome::default();
    // Which session an account of the target was made from in this run.
    let mut taken = BTreeMap::new();
    for session in &candidates {
        bar.inc(1);
        let from = session.name();
        bar.set_message(Shown(&from).to_string());
        match copy(args, session, &target, &mut taken) {
            Ok(Copied::Now) => outcome.copied = outcome.copied.saturating_add(1),
            Ok(Copied::Before) => outcome.there = outcome.there.saturating_add(1),
            Err(failure) if session.is_something_else(&failure) => {
                outcome.others = outcome.others.saturating_add(1);
            }
            Err(failure) => outcome.failed.push((from, failure)),
        }
    }
    bar.finish_and_clear();
    say(args, &outcome)
}

/// The store that takes them.
fn target(to: &Store) -> Result<mtsession::Store, Failure> {
    match to {
        Store::Backend(address) if address.account().is_none() => to.open_or_new(),
        _ => Err(Failure::Usage(format!(
            "{to} is no store of many accounts: name one without an account, as sqlite:FILE, \
             libsql:URL or dir:FOLDER"
        ))),
    }
}

fn copy(
    args: &ConvertArgs,
    session: &Candidate,
    target: &mtsession::Store,
    taken: &mut BTreeMap<String, String>,
) -> Result<Copied, Failure> {
    keys::refuse_plain(&session.store, Some(&args.to))?;
    let mut loaded = session.load()?;
    loaded.complete(&args.account);
    let name = account_name(args.name.as_deref(), session, &loaded)?;
    if let Some(other) = taken.insert(name.clone(), session.name()) {
        return Err(Failure::Usage(format!(
            "{} and {} would both be the account {}: tell them apart with --name",
            Shown(&other),
            session.store,
            Shown(&name)
        )));
    }
    let backend = target.backend(&name)?;
    if let Some(there) = backend.read()?.filter(|_| !args.force) {
        if key(&there) == key(&loaded.record) {
            return Ok(Copied::Before);
        }
        return Err(Failure::Usage(format!(
            "another login is the account {} of {} already; --force replaces it",
            Shown(&name),
            args.to
        )));
    }
    if args.force {
        backend.replace(&loaded.record)?;
    } else {
        add_in(&*backend, &loaded.record, &args.to.with_account(&name))?;
    }
    proved(&*backend, &loaded.record, &name, args)?;
    Ok(Copied::Now)
}

/// Reads back what was written.
fn proved(
    backend: &dyn SessionBackend,
    written: &SessionRecord,
    name: &str,
    args: &ConvertArgs,
) -> Done {
    let stored = backend.read()?.ok_or_else(|| args.to.not_found())?;
    let differences = differences(written, &stored, Promise::Everything);
    if differences.is_empty() {
        return Ok(());
    }
    Err(Failure::Problems(format!(
        "the account {} of {} does not hold what was written to it: {}",
        Shown(name),
        args.to,
        differences.join("; ")
    )))
}

/// The login, in short.
fn key(record: &SessionRecord) -> Option<String> {
    let session = record.session();
    report::home_fingerprint(session.home_dc_id, &session.dcs)
}

/// What the account is called: as the template says, else as the source calls it.
fn account_name(
    template: Option<&str>,
    session: &Candidate,
    loaded: &Loaded,
) -> Result<String, Failure> {
    let own = session.account_name();
    let Some(template) = template else {
        return Ok(own);
    };
    let account = loaded.record.account();
    let mut name = template.replace("{name}", &own);
    for (placeholder, value) in [
        ("{user_id}", account.user_id.map(|id| id.to_string())),
        ("{key}", key(&loaded.record)),
        ("{dc}", Some(loaded.record.session().home_dc_id.to_string())),
    ] {
        if !name.contains(placeholder) {
            continue;
        }
        let value = value.ok_or_else(|| {
            Failure::Usage(format!(
                "{} has nothing for {placeholder} of --name",
                session.store
            ))
        })?;
        name = name.replace(placeholder, &value);
    }
    Ok(name)
}

fn say(args: &ConvertArgs, outcome: &Outcome) -> Done {
    let Outcome {
        copied,
        there,
        others,
        failed,
    } = outcome;
    if args.json {
        output::json(&json!({
            "copied": copied,
            "already_there": there,
            "other_files": others,
            "failed": failure::json(failed),
        }))?;
    } else {
        let mut out = output::stdout();
        let sessions = counted(*copied, ["session", "sessions"]);
        writeln!(
            out,
            "{sessions} copied to {} and read back equal; {there} already there, {} failed, {} passed over",
            args.to,
            failed.len(),
            counted(*others, ["other file", "other files"])
        )?;
        for (name, failure) in failed {
            output::note(format_args!("{}: {failure}", Shown(name)));
        }
        if *copied > 0 {
            writeln!(
                out,
                "Use only one copy of each: two clients with one key end each other's login."
            )?;
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    let sessions = counted(failed.len(), ["session", "sessions"]);
    Err(Failure::Problems(format!("{sessions} not copied")))
}
