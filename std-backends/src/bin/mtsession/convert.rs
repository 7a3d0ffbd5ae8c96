//! `mtsession convert`, `export` and `import`.

use std::io::Write as _;

use mtsession::core::SessionSource;
use mtsession::core::foreign::{Carries, StringFormat};
use mtsession::{Fingerprint, PeerNames};

use crate::Done;
use crate::args::{AccountArgs, ConvertArgs, ExportArgs, ImportArgs};
use crate::failure::Failure;
use crate::output;
use crate::remarks;
use crate::report;
use crate::store::{Loaded, Origin, Store, encode_login};

pub(crate) fn convert(args: &ConvertArgs) -> Done {
    if args.from.is_same_place(&args.to) {
        let message = format!("{} is both source and target", args.from);
        return Err(Failure::Usage(message));
    }
    let from = || args.from.load_account(args.number);
    store((&args.from, from), &args.to, args.force, &args.account)
}

pub(crate) fn import(args: &ImportArgs) -> Done {
    let from = (&Store::StringStdio, || Store::StringStdio.load());
    store(from, &args.store, args.force, &args.account)
}

/// Copies a session, reads it back, and says what happened where that does not go between the lines
/// of a string.
fn store(
    (from, load): (&Store, impl FnOnce() -> Result<Loaded, Failure>),
    to: &Store,
    force: bool,
    account: &AccountArgs,
) -> Done {
    if (!force || !to.is_replaceable()) && to.is_taken()? {
        let advice = if to.is_replaceable() {
            "--force replaces it"
        } else {
            "sessions of other libraries are not replaced: move it away first"
        };
        let message = format!("{to} exists already; {advice}");
        return Err(Failure::Usage(message));
    }
    let progress = Progress::start();
    progress.step(format!("reading {from}"));
    let mut loaded = load()?;
    account.complete(&mut loaded.parts.account);
    progress.step(format!(
        "writing {} peers to {to}",
        loaded.parts.session.peers.len()
    ));
    to.save(&loaded.parts, account.telethon_ipv6())?;
    if let Some(format) = to.printed_string() {
        drop(progress);
        say_lost(&loaded, format);
        return Ok(());
    }
    progress.step(format!("reading {to} back"));
    let stored = to.load()?;
    drop(progress);
    let (kept, same_key) = compare(to, &loaded, &stored);
    if !same_key {
        let message = format!("{to} does not read back with the keys of {from}");
        return Err(Failure::Problems(message));
    }
    let mut out = output::stdout();
    writeln!(out, "{from}: {}", report::origin(&loaded.origin))?;
    writeln!(out, "{to}: {}", report::origin(&stored.origin))?;
    for line in kept.into_iter().chain(remarks::lines(&loaded)) {
        writeln!(out, "{line}")?;
    }
    if let Some(fingerprint) = home_fingerprint(&loaded) {
        writeln!(
            out,
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

/// What got lost, in lines for a person, and whether the home DC's key is the same.
fn compare(to: &Store, loaded: &Loaded, stored: &Loaded) -> (Vec<String>, bool) {
    let same_key = home_fingerprint(loaded) == home_fingerprint(stored);
    let carries = |loaded: &Loaded| Carries::of(&with_account(loaded));
    let lines = lost(loaded, carries(stored), &stored.parts.names, to);
    let is_ours =
        !matches!(stored.origin, Origin::Foreign(..)) && !matches!(to, Store::Ferogram(_));
    let same = !is_ours
        || report::equal(
            (&loaded.parts.session, &loaded.parts.account),
            (&stored.parts.session, &stored.parts.account),
        );
    let lines = if lines.is_empty() {
        vec!["Read back equal.".to_owned()]
    } else {
        lines
    };
    (lines, same && same_key)
}

/// What the target does not hold, going by what it can hold and by the names that it has.
fn lost(loaded: &Loaded, kept: Carries, names: &[PeerNames], to: &Store) -> Vec<String> {
    let mut lines = Vec::new();
    let lost = Carries::of(&with_account(loaded)).without(kept);
    if !lost.is_empty() {
        lines.push(format!(
            "Left out, because the target has no place for it: {lost}."
        ));
    }
    if let Some(names) = report::names_lost(&loaded.parts.names, names) {
        lines.push(format!("Not kept by {}: {names}.", to.kind()));
    }
    lines
}

fn with_account(loaded: &Loaded) -> impl SessionSource + '_ {
    loaded.parts.session.with_account(loaded.parts.account)
}

fn home_fingerprint(loaded: &Loaded) -> Option<Fingerprint> {
    let session = &loaded.parts.session;
    let dc = session.dc_for(session.home_dc_id, false)?;
    dc.as_dc_ref().auth_key.map(Fingerprint::of)
}

pub(crate) fn export(args: &ExportArgs) -> Done {
    let mut loaded = args.store.load_account(args.number)?;
    args.account.complete(&mut loaded.parts.account);
    let ipv6 = args.account.telethon_ipv6();
    let Some(format) = args.format.login() else {
        say_lost(&loaded, StringFormat::Native);
        return Store::StringStdio.save(&loaded.parts, ipv6);
    };
    say_lost(&loaded, format);
    let session = loaded.parts.session.with_account(loaded.parts.account);
    Store::StringStdio.put_text(&encode_login(&session, format, ipv6)?)
}

/// Says what a string on standard output leaves out, and what could not be read before.
fn say_lost(loaded: &Loaded, format: StringFormat) {
    let lost = lost(loaded, format.carries(), &[], &Store::StringStdio);
    for line in lost.into_iter().chain(remarks::lines(loaded)) {
        output::note(line);
    }
}
