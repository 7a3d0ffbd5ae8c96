//! `mtsession convert`, `export` and `import`.

use std::io::Write as _;

use mtsession::PeerNames;
use mtsession::codec::clients::{Contents, StringFormat};

use crate::Done;
use crate::args::{AccountArgs, ConvertArgs, ExportArgs, ImportArgs};
use crate::compare::{Promise, differences};
use crate::convert_all;
use crate::failure::Failure;
use crate::output;
use crate::remarks;
use crate::report;
use crate::store::{Loaded, Origin, Store, encode_login};

pub(crate) fn convert(args: &ConvertArgs) -> Done {
    if args.all {
        return convert_all::run(args);
    }
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
    loaded.complete(account);
    progress.step(format!(
        "writing {} peers to {to}",
        loaded.record.session().peers.len()
    ));
    to.save(&loaded.record, force, account.telethon_ipv6())?;
    if let Some(format) = to.printed_string() {
        drop(progress);
        say_lost(&loaded, format);
        return Ok(());
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
    if let Some(fingerprint) = report::home_fingerprint(session.home_dc_id, &session.dcs) {
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
    if let Some(names) = report::names_lost(&loaded.record.peer_names(), names) {
        lines.push(format!("Not kept by {}: {names}.", to.kind()));
    }
    lines
}

pub(crate) fn export(args: &ExportArgs) -> Done {
    let mut loaded = args.store.load_account(args.number)?;
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
