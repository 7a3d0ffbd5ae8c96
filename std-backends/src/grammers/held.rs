//! DCs and peers as grammers has them, while they are held in memory.

use grammers_session::types::{DcOption, PeerInfo};
use mtsession_core::Peer;
use zeroize::Zeroize as _;

/// A DC as grammers has it. Its key is wiped when it is dropped.
pub(super) struct KnownDc(pub(super) DcOption);

impl Drop for KnownDc {
    fn drop(&mut self) {
        // Not the option itself: that would copy what the stack held into its place.
        if let Some(key) = &mut self.0.auth_key {
            key.zeroize();
        }
    }
}

/// A peer as grammers has it, and as the store does, where it has it.
#[derive(Clone)]
pub(super) struct HeldPeer {
    pub(super) info: PeerInfo,
    pub(super) stored: Option<Peer>,
}
