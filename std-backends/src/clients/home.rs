//! Which of the DCs of a source is the account's: one rule for every library.
//!
//! The key and its DC are what an import must have. Everything else about a DC may be odd.

use mtsession_core::clients::Server;
use mtsession_core::{AUTH_KEY_LEN, Account, AuthKeyRef};
use zeroize::Zeroizing;

use crate::clients::candidate::Candidate;
use crate::clients::error::ForeignError;
use crate::fingerprint::Fingerprint;

/// An auth key on its way; wiped on drop.
pub(super) struct Key(pub(super) Box<Zeroizing<[u8; AUTH_KEY_LEN]>>);

impl Key {
    pub(super) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(AuthKeyRef::new(&self.0))
    }
}

/// What stands where a key belongs.
pub(super) enum Found {
    /// Nothing at all.
    Nothing,
    /// A key of no bytes, or of zeros: what libraries write where they have none.
    Empty,
    /// Something of another length.
    Length(usize),
    /// A key.
    Key(Key),
}

impl Found {
    pub(super) fn of(bytes: &[u8]) -> Self {
        if bytes.iter().all(|byte| *byte == 0) {
            return Self::Empty;
        }
        match bytes.try_into() {
            Ok(key) => Self::Key(Key(Box::new(Zeroizing::new(key)))),
            Err(_) => Self::Length(bytes.len()),
        }
    }

    pub(super) const fn key(&self) -> Option<&Key> {
        match self {
            Self::Key(key) => Some(key),
            _ => None,
        }
    }

    /// What is odd about it; a DC without one is not.
    pub(super) fn oddity(&self) -> Option<String> {
        match self {
            Self::Nothing | Self::Key(_) => None,
            Self::Empty => Some("its auth key is empty".to_owned()),
            Self::Length(len) => Some(format!("its auth key has {len} bytes, not 256")),
        }
    }
}

/// A DC as a source has it.
pub(super) struct Dc {
    /// Its id, where that can be one.
    pub(super) id: Option<i32>,
    /// Where it is reached: one address of each family at most.
    pub(super) servers: Vec<Server>,
    pub(super) key: Found,
    /// What the same row says of the account.
    pub(super) account: Account,
    /// The row it was read from, counted from 1.
    pub(super) row: usize,
}

impl Dc {
    /// The id, or that of the DC that is known to have its address.
    pub(super) fn resolved_id(&self) -> Option<i32> {
        let known = || self.servers.iter().find_map(Server::known_dc);
        self.id.or_else(|| known().map(|(dc_id, _)| dc_id))
    }
}

impl Candidate {
    fn of(number: usize, dc: &Dc) -> Option<Self> {
        Some(Self {
            number,
            dc_id: dc.resolved_id().unwrap_or_default(),
            fingerprint: dc.key.key()?.fingerprint(),
            user_id: dc.account.user_id,
        })
    }
}

/// The DC that was chosen.
pub(super) struct Home {
    /// Where it stands in the list.
    pub(super) index: usize,
    /// Of how many that could have been meant.
    pub(super) of: usize,
}

/// Chooses the home: the DC that the source states, if that has a key; otherwise the only one with a
/// key. Of several, `choice` says which, counted from 1; none is picked silently.
pub(super) fn choose(
    stated: Option<i32>,
    dcs: &[Dc],
    choice: Option<usize>,
) -> Result<Home, ForeignError> {
    let is_home = |dc: &Dc| stated.is_some() && dc.resolved_id() == stated;
    let with_key = |wanted: &dyn Fn(&Dc) -> bool| -> Vec<usize> {
        let all = dcs.iter().enumerate();
        all.filter(|(_, dc)| dc.key.key().is_some() && wanted(dc))
            .map(|(index, _)| index)
            .collect()
    };
    let mut found = with_key(&is_home);
    if found.is_empty() {
        // A home whose key is damaged is not replaced by another DC's.
        if let Some(length) = dcs.iter().find_map(|dc| damage(dc).filter(|_| is_home(dc))) {
            return Err(ForeignError::KeyLength(length));
        }
        found = with_key(&|_| true);
    }
    let number = choice.unwrap_or(1);
    match (found.as_slice(), choice) {
        ([], _) => Err(dcs
            .iter()
            .find_map(damage)
            .map_or(ForeignError::NotLoggedIn, ForeignError::KeyLength)),
        ([_, _, ..], None) => Err(ForeignError::SeveralKeys(
            (1..)
                .zip(&found)
                .filter_map(|(number, index)| Candidate::of(number, dcs.get(*index)?))
                .collect(),
        )),
        (found, _) => number
            .checked_sub(1)
            .and_then(|at| found.get(at))
            .map(|index| Home {
                index: *index,
                of: found.len(),
            })
            .ok_or(ForeignError::NoAccount {
                number,
                count: found.len(),
            }),
    }
}

fn damage(dc: &Dc) -> Option<usize> {
    match dc.key {
        Found::Length(len) => Some(len),
        _ => None,
    }
}
