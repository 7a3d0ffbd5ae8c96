//! What an account held when it was last read, and what was written since.

use mtsession_core::Change;

use crate::stored::Stored;

/// How many small changes wait: looking up where they belong costs most for the first ones.
const MAX_WAITING: usize = 1024;

/// The account in memory. Small changes wait until somebody looks: to find the place of one peer among
/// 60,000 takes ten times as long as to store it.
#[derive(Default)]
pub(super) struct Known {
    stored: Option<Stored>,
    waiting: Vec<Change<'static>>,
}

impl Known {
    pub(super) fn new(stored: Option<Stored>) -> Self {
        Self {
            stored,
            waiting: Vec::new(),
        }
    }

    /// Whether the account exists.
    pub(super) fn exists(&self) -> bool {
        self.stored.is_some() || !self.waiting.is_empty()
    }

    /// What the account holds; `None` when it does not exist.
    pub(super) fn stored(&mut self) -> Option<&Stored> {
        if !self.waiting.is_empty() {
            let waiting = core::mem::take(&mut self.waiting);
            self.stored.get_or_insert_default().replay(&waiting);
        }
        self.stored.as_ref()
    }

    /// Carries out changes that were written.
    pub(super) fn apply(&mut self, changes: &[Change<'_>]) {
        if let [change] = changes
            && let Some(small) = small(change)
        {
            if self.waiting.len() >= MAX_WAITING {
                self.stored();
            }
            self.waiting.push(small);
        } else {
            self.stored();
            self.stored.get_or_insert_default().replay(changes);
        }
    }
}

/// A change that borrows nothing.
fn small(change: &Change<'_>) -> Option<Change<'static>> {
    Some(match *change {
        Change::HomeDc(dc_id) => Change::HomeDc(dc_id),
        Change::Update(update) => Change::Update(update),
        Change::Peer(peer) => Change::Peer(peer),
        Change::MinPeer(min_peer) => Change::MinPeer(min_peer),
        Change::Account(account) => Change::Account(account),
        _ => return None,
    })
}
