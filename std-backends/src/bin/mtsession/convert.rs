//! `mtsession convert`, `export` and `import`.

use std::io::Write as _;

use mtsession::PeerNames;
use mtsession::codec::clients::{Contents, StringFormat};
use mtsession::codec::{LoginState, SessionMut as _};

use crate::Done;
use crate::args::{AccountArgs, ConvertArgs, ExportArgs, ImportArgs};
use crate::compare::{Promise, differences};
use crate::convert_all;
use crate::failure::Failure;
use crate::keys;
use crate::moving::Moving;
use crate::output;
use crate::owners;
use crate::remarks;
use crate::store::{Loaded, Origin, Store, encode_login};
use crate::{compared, report};

pub(crate) fn convert(args: &ConvertArgs) -> Done {
    if args.all {
        return convert_all::run(args);
    }
    if args.from.is_same_place(&args.to) {
        let message = format!("{} is both source and target", args.from);
        return Err(Failure::Usage(message));
    }
    if args.moves {
        return moved(args);
    }
    let from = || {
        let loaded = args.from.load_account(args.number)?;
        owners::refuse_in_use(&args.from, &loaded, args.in_use)?;
        Ok(loaded)
    };
    let fingerprint = store((&args.from, from), &args.to, args.force, &args.account)?;
    say_both(fingerprint)
}

/// Copies the session, and takes the login away from where it was.
fn moved(args: &ConvertArgs) -> Done {
    let (from, to) = (&args.from, &args.to);
    if args.undo {
        Moving::undo(args)?;
        writeln!(output::stdout(), "{from} is in use again")?;
        return Ok(());
    }
    if to.printed_string().is_some() {
        let message = format!("{to} cannot be read back: --move is for targets that can");
        return Err(Failure::Usage(message));
    }
    keys::refuse_plain(from, Some(to))?;
    let moving = Moving::of(args)?;
    let mut loaded = from.load()?;
    let Ok(()) = loaded.record.set_login_state(LoginState::Active);
    if !moving.is_there(to, &loaded.record)? {
        refuse_taken(to, args.force)?;
        moving.begin()?;
        store((from, || Ok(loaded)), to, args.force, &args.account)?;
    }
    moving.end()?;
    writeln!(
        output::stdout(),
        "{from} has no login any more: it is at {to}."
    )?;
    Ok(())
}

pub(crate) fn import(args: &ImportArgs) -> Done {
    let from = (&Store::StringStdio, || Store::StringStdio.load());
    let fingerprint = store(from, &args.store, args.force, &args.account)?;
    say_both(fingerprint)
}

/// Copies a session, reads it back, and says what happened where that does not go between the lines
/// of a string. Gives the fingerprint of the key that is on both sides now.
fn store(
    (from, load): (&Store, impl FnOnce() -> Result<Loaded, Failure>),
    to: &Store,
    force: bool,
    account: &AccountArgs,
) -> Result<Option<String>, Failure> {
    refuse_taken(to, force)?;
    keys::refuse_plain(from, Some(to))?;
    let progress = Progress::start();
    progress.step(format!("reading {from}"));
    let mut loaded = load()?;
    loaded.complete(account);
    progress.step(format!(
        "writing {} peers to {to}",
        loaded.record.session().peers.len()
    ));
    to.save(&loaded.record, force, account.telethon_ipv6())?;
    if let Some(format) = to.printed_string() {
        drop(progress);
        say_lost(&loaded, format);
        return Ok(None);
    }
    progress.step(format!("reading {to} back"));
    let stored = to.load()?;
    drop(progress);
    let differences = differences(&loaded.record, &stored.record, promise(to, &stored));
    if !differences.is_empty() {
        return Err(Failure::Problems(format!(
            "{to} does not hold what was written to it:\n  {}\n{from} is unchanged: go on with it, and \
             use {to} for nothing. Check its disk, or its server, before it is tried again with --force",
            differences.join("\n  ")
        )));
    }
    let kept = kept_lines(to, &loaded, &stored);
    let mut out = output::stdout();
    writeln!(out, "{from}: {}", report::origin(&loaded.origin))?;
    writeln!(out, "{to}: {}", report::origin(&stored.origin))?;
    for line in kept.into_iter().chain(remarks::lines(&loaded)) {
        writeln!(out, "{line}")?;
    }
    let session = loaded.record.session();
    Ok(report::home_fingerprint(session.home_dc_id, &session.dcs))
}

fn refuse_taken(to: &Store, force: bool) -> Done {
    if (force && to.is_replaceable()) || !to.is_taken()? {
        return Ok(());
    }
    let advice = if to.is_replaceable() {
        "--force replaces it"
    } else {
        "sessions of other libraries are not replaced: move it away first"
    };
    let message = format!("{to} exists already; {advice}");
    Err(Failure::Usage(message))
}

fn say_both(fingerprint: Option<String>) -> Done {
    if let Some(fingerprint) = fingerprint {
        writeln!(
            output::stdout(),
            "The auth key is {fingerprint} on both sides. Use only one of them: two clients with\n\
             one key end each other's login."
        )?;
    }
    Ok(())
}

/// What is being done, on the terminal if there is one, for as long as it takes.
struct Progress(indicatif::ProgressBar);

impl Progress {
    fn start() -> Self {
        const TICK: core::time::Duration = core::time::Duration::from_millis(100);

        let bar = indicatif::ProgressBar::new_spinner();
        bar.enable_steady_tick(TICK);
        Self(bar)
    }

    fn step(&self, what: String) {
        self.0.set_message(what);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// What got lost, in lines for a person.
fn kept_lines(to: &Store, loaded: &Loaded, stored: &Loaded) -> Vec<String> {
    let kept = Contents::of(&stored.login());
    let lines = lost(loaded, kept, &stored.record.peer_names(), to);
    if lines.is_empty() {
        return vec!["Read back equal.".to_owned()];
    }
    lines
}

/// What the target must give back as it was written.
fn promise(to: &Store, stored: &Loaded) -> Promise {
    match to {
        Store::Ferogram(_) => Promise::Login,
        _ if matches!(stored.origin, Origin::Foreign(..)) => Promise::Login,
        Store::Flash(..) => Promise::NoNames,
        _ => Promise::Everything,
    }
}

/// What the target does not hold, going by what it can hold and by the names that it has.
fn lost(loaded: &Loaded, kept: Contents, names: &[PeerNames], to: &Store) -> Vec<String> {
    let mut lines = Vec::new();
    let lost = Contents::of(&loaded.login()).without(kept);
    if !lost.is_empty() {
        lines.push(format!(
            "Left out, because the target has no place for it: {lost}."
        ));
    }
    if let Some(names) = compared::names_lost(&loaded.record.peer_names(), names) {
        lines.push(format!("Not kept by {}: {names}.", to.kind()));
    }
    lines
}

pub(crate) fn export(args: &ExportArgs) -> Done {
    keys::refuse_unsealed(&args.store)?;
    keys::refuse_plain(&args.store, None)?;
    let mut loaded = args.store.load_account(args.number)?;
    owners::refuse_in_use(&args.store, &loaded, args.in_use)?;
    loaded.complete(&args.account);
    let ipv6 = args.account.telethon_ipv6();
    let Some(format) = args.format.login() else {
        say_lost(&loaded, StringFormat::Native);
        return Store::StringStdio.save(&loaded.record, true, ipv6);
    };
    say_lost(&loaded, format);
    Store::StringStdio.put_text(&encode_login(&loaded.login(), format, ipv6)?)
}

/// Says what a string on standard output leaves out, and what could not be read before.
fn say_lost(loaded: &Loaded, format: StringFormat) {
    let names = match format {
        StringFormat::Native => loaded.record.peer_names(),
        _ => Vec::new(),
    };
    let lost = lost(loaded, format.carries(), &names, &Store::StringStdio);
    for line in lost.into_iter().chain(remarks::lines(loaded)) {
        output::note(line);
    }
}
