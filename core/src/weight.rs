//! How much it matters that a change is not lost.

use crate::change::Change;
use crate::dc::DcSlot;
use crate::entry::EntryKey;
use crate::source::SessionSource;

/// How much it matters that a change is not lost: the one rule by which every store decides when a
/// change must be on the disk.
///
/// ```
/// use mtsession_core::{Change, FixedSession, SessionMut, UpdateChange, Weight};
///
/// let session = FixedSession::<1, 0, 0, 0, 0>::new();
/// let counters = Change::Update(UpdateChange::Secondary { qts: 1 });
/// assert_eq!(counters.weight(&session), Weight::Cache);
/// assert_eq!(Change::HomeDc(2).weight(&session), Weight::Login);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Weight {
    /// Can be learnt again from the server: counters, peers and their names, salts.
    Cache,
    /// Costs time to make anew: the entry of a DC other than the home DC, which has a key.
    Key,
    /// Costs the login: the home DC and its entry, the future auth token, whose login it is and whether
    /// it still holds.
    Login,
}

impl Change<'_> {
    /// How much it matters that the change is not lost, in a session that is as `session` is.
    #[must_use]
    pub fn weight(&self, session: &impl SessionSource) -> Weight {
        let entry = |slot: DcSlot| {
            if slot.dc_id == session.home_dc_id() {
                Weight::Login
            } else {
                Weight::Key
            }
        };
        match self {
            Self::HomeDc(_) | Self::FutureAuthToken(_) | Self::Account(_) | Self::LoginState(_) => {
                Weight::Login
            }
            Self::Dc(dc) => entry(dc.slot()),
            // Removes a key.
            Self::Forget(EntryKey::Dc(slot)) => entry(*slot),
            Self::Update(_)
            | Self::Peer(_)
            | Self::MinPeer(_)
            | Self::Names(_)
            | Self::Salt { .. }
            | Self::Forget(_) => Weight::Cache,
        }
    }
}
