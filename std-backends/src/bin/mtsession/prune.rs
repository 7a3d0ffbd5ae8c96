//! `mtsession prune`: fewer peers.

use std::io::Write as _;

use mtsession::{PeerLimits, Pruned, SessionBackendExt as _};

use crate::Done;
use crate::args::PruneArgs;
use crate::counted::counted;
use crate::failure::Failure;
use crate::output;

pub(crate) fn run(args: &PruneArgs) -> Done {
    let store = &args.store;
    let limits = limits(args);
    if limits == PeerLimits::default() {
        return Err(Failure::Usage(
            "a limit is expected: --users N, --channels N, --chats N or --min-peers N".to_owned(),
        ));
    }
    let backend = store.backend()?.ok_or_else(|| {
        Failure::Usage(format!("{store} is no store of ours, and is not changed"))
    })?;
    let pruned = if args.dry_run {
        let record = backend.read()?;
        record.map(|mut record| record.prune(limits, &[]))
    } else {
        backend.edit(|record| Ok((!record.is_new()).then(|| record.prune(limits, &[]))))?
    };
    let pruned = pruned.ok_or_else(|| store.not_found())?;
    let would = if args.dry_run { "would be" } else { "were" };
    writeln!(
        output::stdout(),
        "{store}: {} {would} removed",
        words(pruned)
    )?;
    Ok(())
}

fn limits(args: &PruneArgs) -> PeerLimits {
    let mut limits = PeerLimits::default();
    limits.users = args.users;
    limits.channels = args.channels;
    limits.chats = args.chats;
    limits.min_peers = args.min_peers;
    limits
}

fn words(pruned: Pruned) -> String {
    [
        counted(pruned.users, ["user", "users"]),
        counted(pruned.channels, ["channel", "channels"]),
        counted(pruned.chats, ["chat", "chats"]),
        counted(pruned.min_peers, ["min peer", "min peers"]),
    ]
    .join(", ")
}
