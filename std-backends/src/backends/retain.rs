//! Pruning peers where they can be looked at page by page.

use std::io;

use mtsession_core::{Change, EntryKey, Peer};

use crate::backend::SessionBackend;
use crate::record::KnownPeer;

/// Peers that are looked at between two calls of the store.
const PAGE: usize = 1_000;

/// Peers that are removed as one: the rows after the first of them are numbered anew each time.
const BATCH: usize = 10_000;

/// Removes the peers that `keep` does not want; nothing but pages is read.
pub(crate) fn retain_by_pages(
    backend: &dyn SessionBackend,
    keep: &mut dyn FnMut(&KnownPeer) -> bool,
) -> io::Result<()> {
    let (mut after, mut gone) = (None, Vec::new());
    loop {
        let page = backend.peers_after(after, PAGE)?;
        after = page
            .last()
            .filter(|_| page.len() == PAGE)
            .map(|last| Peer::from(&last.peer).key());
        for known in page.iter().filter(|known| !keep(known)) {
            gone.push(Change::Forget(EntryKey::Peer(
                Peer::from(&known.peer).key(),
            )));
        }
        if gone.len() >= BATCH || (after.is_none() && !gone.is_empty()) {
            backend.apply(&gone)?;
            gone.clear();
        }
        if after.is_none() {
            return Ok(());
        }
    }
}
