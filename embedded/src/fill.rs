//! Filling a session while the log is read, in one pass over the flash.

use mtsession_core::{Change, DcFlags, DcRef, Field, Full, MinPeer, Peer, SessionMut};

/// Takes the changes that a log holds in the order of the log; a later one replaces an earlier one
/// of the same slot.
pub(crate) trait Receive {
    /// Forgets everything.
    fn reset(&mut self);

    fn receive(&mut self, slot: u16, change: &Change<'_>) -> Result<(), Full>;
}

/// For building only the index.
pub(crate) struct Ignore;

impl Receive for Ignore {
    fn reset(&mut self) {}

    fn receive(&mut self, _: u16, _: &Change<'_>) -> Result<(), Full> {
        Ok(())
    }
}

/// Fills a session. Records come in the order of the log, lists are in the order of slots, so slots
/// not seen yet are filled with placeholders.
pub(crate) struct Fill<'s, S>(pub(crate) &'s mut S);

const NO_DC: DcRef<'static> = DcRef {
    dc_id: 0,
    addr: "",
    auth_key: None,
    first_salt: 0,
    time_offset: 0,
    flags: DcFlags::NONE,
};

impl<S: SessionMut> Receive for Fill<'_, S> {
    fn reset(&mut self) {
        self.0.reset();
    }

    fn receive(&mut self, slot: u16, change: &Change<'_>) -> Result<(), Full> {
        let session = &mut *self.0;
        let at = usize::from(slot);
        match change {
            Change::Dc(dc) => {
                let [_, slot] = slot.to_be_bytes();
                let at = usize::from(slot);
                pad(
                    session,
                    at,
                    |session| session.dcs().len(),
                    |session| session.push_dc(&NO_DC),
                )?;
                session.replace_dc(at, dc)
            }
            Change::Peer(peer) => {
                pad(
                    session,
                    at,
                    |session| session.peers().len(),
                    |session| session.push_peer(Peer::default()),
                )?;
                session.replace_peer(at, *peer);
                Ok(())
            }
            Change::MinPeer(min_peer) => {
                pad(
                    session,
                    at,
                    |session| session.min_peers().len(),
                    |session| session.push_min_peer(MinPeer::default()),
                )?;
                session.replace_min_peer(at, *min_peer);
                Ok(())
            }
            Change::FutureAuthToken(token) => session.set_future_auth_token(*token),
            Change::Account(account) => {
                session.set_account(*account);
                Ok(())
            }
            // Counters, channels and the home DC are kept by the index, and put in at the end.
            _ => Ok(()),
        }
    }
}

/// Lengthens a list beyond `at`. A list that pushes without growing evicts: it is full.
fn pad<S>(
    session: &mut S,
    at: usize,
    len: impl Fn(&S) -> usize,
    push: impl Fn(&mut S) -> Result<(), Full>,
) -> Result<(), Full> {
    loop {
        let before = len(session);
        if before > at {
            return Ok(());
        }
        push(session)?;
        if len(session) <= before {
            return Err(Full(Field::Peers));
        }
    }
}
