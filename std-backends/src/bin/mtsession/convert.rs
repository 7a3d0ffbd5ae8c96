//! `mtsession convert`, `export` and `import`.

use mtsession::PersistedSession;
use mtsession::core::SessionSource as _;
use mtsession::core::text::CompactSession;
use zeroize::Zeroizing;

use crate::Done;
use crate::args::{ConvertArgs, ExportArgs, ImportArgs, StringKind};
use crate::failure::Failure;
use crate::report;
use crate::store::{Loaded, Store};

pub(crate) fn convert(args: &ConvertArgs) -> Done {
    if args.from == args.to {
        return Err(Failure::Usage(format!(
            "{} is both source and target",
            args.from
        )));
    }
    store(&args.from, &args.to, args.force)
}

pub(crate) fn import(args: &ImportArgs) -> Done {
    store(&Store::StringStdio, &args.store, args.force)
}

/// Copies a session, reads it back, and says what happened where that does not go between the lines
/// of a string.
fn store(from: &Store, to: &Store, force: bool) -> Done {
    if !force && to.is_taken()? {
        let message = format!("{to} exists already; --force replaces it");
        return Err(Failure::Usage(message));
    }
    let progress = Progress::start();
    progress.step(format!("reading {from}"));
    let loaded = from.load()?;
    progress.step(format!(
        "writing {} peers to {to}",
        loaded.session.peers.len()
    ));
    to.save(&loaded.session, loaded.account)?;
    if *to == Store::StringStdio {
        return Ok(());
    }
    progress.step(format!("reading {to} back"));
    let stored = to.load()?;
    progress.end();
    let same = match to {
        Store::Ferogram(_) => in_order(&loaded.session) == in_order(&stored.session),
        _ => report::equal(
            (&loaded.session, &loaded.account),
            (&stored.session, &stored.account),
        ),
    };
    if !same {
        return Err(Failure::Problems(format!(
            "{to} does not read back equal to {from}"
        )));
    }
    println!("{from}: {}", report::origin(&loaded.origin));
    println!("{to}: {}, read back equal", report::origin(&stored.origin));
    println!("Use only one of them: two clients with one key end each other's login.");
    Ok(())
}

/// The same session in the order that tables of ferogram-session have, which keep none.
fn in_order(session: &PersistedSession) -> Zeroizing<PersistedSession> {
    let mut session = Zeroizing::new(session.clone());
    session.dcs.sort_by_key(|dc| (dc.dc_id, dc.flags.0));
    session.updates_state.channels.sort_unstable();
    session.peers.sort_by_key(|peer| peer.id);
    session.min_peers.sort_by_key(|peer| peer.user_id);
    session
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

    fn end(&self) {
        self.0.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

pub(crate) fn export(args: &ExportArgs) -> Done {
    let loaded = args.store.load()?;
    match args.format {
        StringKind::Native => Store::StringStdio.save(&loaded.session, loaded.account),
        StringKind::Compact => Store::StringStdio.put_text(&compact(args, &loaded)?),
    }
}

fn compact(args: &ExportArgs, loaded: &Loaded) -> Result<Zeroizing<String>, Failure> {
    let mut account = loaded.account;
    account.user_id = args.user_id.or(account.user_id);
    if account.user_id.is_none() {
        let message = "a compact string needs the account's user id: give it with --user-id";
        return Err(Failure::Usage(message.to_owned()));
    }
    let session = CompactSession::from_source(&loaded.session.with_account(account))
        .map_err(|error| Failure::Usage(format!("no compact string: {error}")))?;
    let mut text = Vec::with_capacity(mtsession::core::text::COMPACT_MAX_CHARS);
    let Ok(()) = session.encode(&mut text);
    Ok(Zeroizing::new(String::from_utf8(text).unwrap_or_default()))
}
