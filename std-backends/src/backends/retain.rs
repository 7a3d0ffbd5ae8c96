//! Pruning peers where they can be looked at page by page.

use std::io;

use mtsession_core::Peer;

use crate::backend::SessionBackend;
use crate::record::KnownPeer;

/// Peers that are looked at between two calls of the store.
const PAGE: usize = 1_000;

/// Removes the peers that `keep` does not want. Where it wants all of them, which is what pruning again and
/// again mostly finds, nothing but their pages is read. Otherwise the rows after each peer that goes are
/// numbered anew, so that the record is changed as a whole.
pub(crate) fn retain_by_pages(
    backend: &dyn SessionBackend,
    keep: &mut dyn FnMut(&KnownPeer) -> bool,
) -> io::Result<()> {
    let mut after = None;
    loop {
        let page = backend.peers_after(after, PAGE)?;
        if !page.iter().all(&mut *keep) {
            return backend.update(&mut |record| {
                record.retain_peers(keep);
                Ok(())
            });
        }
        let Some(last) = page.last().filter(|_| page.len() == PAGE) else {
            return Ok(());
        };
        after = Some(Peer::from(&last.peer).key());
    }
}
