//! What no session file could hold.

use core::convert::Infallible;

use mtsession_core::wire::encoded_len;
use mtsession_core::{Change, DcRef, EncodeError, Field, LOGIN_TEXT_MAX, NamesBuf, SessionSource};

use super::SessionRecord;

/// The most DC entries that a session file can count, and bytes of an address and of a token.
const MAX_DCS: usize = 255;
const MAX_ADDR: usize = 255;
const MAX_TOKEN: usize = 65_535;

/// Something is longer than the format can say.
pub(crate) type TooLong = EncodeError<Infallible>;

/// Refuses a session that no file could hold: what every backend does before it writes.
pub(crate) fn check(session: &impl SessionSource) -> Result<(), TooLong> {
    encoded_len(session).map(|_| ())
}

impl SessionRecord {
    /// Refuses changes whose result no file could hold, without a copy of what is there: lists other
    /// than that of the DCs have no limit, and an entry's key always fits.
    pub(super) fn check_room(&self, changes: &[Change<'_>]) -> Result<(), TooLong> {
        let mut dcs = self.dcs().len();
        for (at, change) in changes.iter().enumerate() {
            // What a later change replaces need not fit.
            let mut later = changes.iter().skip(at.saturating_add(1));
            match change {
                Change::Dc(dc) if !later.any(|later| is_of_slot(later, dc)) => {
                    at_most(Field::DcAddr, dc.addr.len(), MAX_ADDR)?;
                    if self.dcs().all(|known| known.slot() != dc.slot()) {
                        dcs = dcs.saturating_add(1);
                        at_most(Field::Dcs, dcs, MAX_DCS)?;
                    }
                }
                Change::FutureAuthToken(Some(token))
                    if !later.any(|later| matches!(later, Change::FutureAuthToken(_))) =>
                {
                    at_most(Field::Token, token.len(), MAX_TOKEN)?;
                }
                Change::LoginState(state) => {
                    at_most(Field::LoginState, state.text().len(), LOGIN_TEXT_MAX)?;
                }
                Change::Names(names) => {
                    NamesBuf::new().push(names, names.usernames())?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn at_most(field: Field, len: usize, max: usize) -> Result<(), TooLong> {
    if len > max {
        return Err(EncodeError::TooLong { field, len, max });
    }
    Ok(())
}

fn is_of_slot(change: &Change<'_>, dc: &DcRef<'_>) -> bool {
    matches!(change, Change::Dc(other) if other.slot() == dc.slot())
}
