//! What a program does with its session.

use std::io;
use std::path::{Path, PathBuf};

use mtsession_core::{Account, Change, Peer, UpdateChange};

use crate::drop_in::session::PersistedSession;
use crate::fs::disk::simulated::{DIRECTORY, Dice, Image};
use crate::record::SessionRecord;
use crate::{BinaryFileBackend, DcEntry, DcFlags, SessionBackend as _};

/// One thing to do. Each has a number of its own, so that no two states are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Save(i32),
    /// A new key of the home DC.
    Login(i32),
    /// A new key of another DC.
    Key(i32),
    Salt(i32),
    HomeDc(i32),
    Counter(i32),
    Peer(i32),
    /// Several at once.
    Batch(i32),
    Account(i32),
    Delete,
    /// The backend is dropped, and another one is made.
    Reopen,
}

impl Op {
    pub(super) fn random(dice: &mut Dice, n: i32) -> Self {
        match dice.below(24) {
            0 | 1 => Self::Save(n),
            2 | 3 => Self::Login(n),
            4 => Self::Key(n),
            5 | 6 => Self::Salt(n),
            7 => Self::HomeDc(n),
            13 | 14 => Self::Peer(n),
            15 | 16 => Self::Batch(n),
            17 => Self::Account(n),
            18 if dice.one_in(3) => Self::Delete,
            19 | 20 => Self::Reopen,
            _ => Self::Counter(n),
        }
    }

    /// Whether it is durable when it is acknowledged, also where counters and peers need not be.
    pub(super) const fn is_flushed(self) -> bool {
        !matches!(
            self,
            Self::Counter(_) | Self::Peer(_) | Self::Batch(_) | Self::Reopen
        )
    }

    /// What a store has afterwards that had this.
    pub(super) fn made_of(self, before: Option<&SessionRecord>) -> Option<SessionRecord> {
        match self {
            Self::Delete => return None,
            Self::Reopen => return before.cloned(),
            _ => {}
        }
        let mut after = before.cloned().unwrap_or_default();
        match self {
            Self::Save(n) => after.set_session(session(n)),
            Self::HomeDc(n) => after.apply_all(&[Change::HomeDc(1 + n % 5)]).unwrap(),
            Self::Login(_) | Self::Key(_) | Self::Salt(_) => {
                let entry = self.entry(before.map(SessionRecord::session));
                after.apply_all(&[Change::Dc(entry.as_dc_ref())]).unwrap();
            }
            op => op.with_changes(|changes| after.apply_all(changes).unwrap()),
        }
        Some(after)
    }

    pub(super) fn run(self, backend: &BinaryFileBackend) -> io::Result<()> {
        match self {
            Self::Save(n) => backend.save(&session(n)),
            Self::Login(_) | Self::Key(_) | Self::Salt(_) => {
                let entry = self.entry(backend.load()?.as_ref());
                backend.update_dc(&entry)
            }
            Self::HomeDc(n) => backend.set_home_dc(1 + n % 5),
            Self::Delete => backend.delete(),
            Self::Reopen => Ok(()),
            op => op.with_changes(|changes| backend.apply(changes)),
        }
    }

    fn entry(self, before: Option<&PersistedSession>) -> DcEntry {
        let home = before.map_or(1, |before| before.home_dc_id);
        let known = |id| {
            let dcs = before.map(|before| before.dcs.as_slice());
            dcs.unwrap_or_default()
                .iter()
                .find(|dc| dc.dc_id == id)
                .cloned()
        };
        match self {
            Self::Login(n) => dc(home, n),
            Self::Key(n) => dc(home % 5 + 1, n),
            Self::Salt(n) => DcEntry {
                first_salt: i64::from(n) << 32,
                ..known(home).unwrap_or_else(|| dc(home, n))
            },
            _ => unreachable!("it is no entry"),
        }
    }

    fn with_changes<R>(self, run: impl FnOnce(&[Change<'_>]) -> R) -> R {
        let peer = |n: i32| {
            Change::Peer(Peer {
                id: i64::from(n % 7) + 1,
                access_hash: i64::from(n) << 20,
                ..Peer::default()
            })
        };
        let counter = |n| Change::Update(UpdateChange::Secondary { qts: n });
        match self {
            Self::Counter(n) => run(&[counter(n)]),
            Self::Peer(n) => run(&[peer(n)]),
            Self::Batch(n) => {
                let mut changes: Vec<_> = (n..n + n % 60).map(peer).collect();
                changes.push(counter(n));
                run(&changes)
            }
            Self::Account(n) => run(&[Change::Account(Account {
                user_id: Some(i64::from(n) + 1),
                ..Account::default()
            })]),
            _ => unreachable!("it is no change"),
        }
    }
}

pub(super) fn dc(id: i32, n: i32) -> DcEntry {
    let mut key = [0; 256];
    for (byte, number) in key.iter_mut().zip(0_u32..) {
        *byte = (number.wrapping_mul(n.unsigned_abs() | 1) >> 3) as u8 | 1;
    }
    DcEntry {
        dc_id: id,
        addr: format!("10.0.0.{id}:443"),
        auth_key: Some(key),
        first_salt: i64::from(n),
        time_offset: n,
        flags: DcFlags::NONE,
    }
}

pub(super) fn session(n: i32) -> PersistedSession {
    let dcs = (1..=1 + n % 3).map(|id| dc(id, n)).collect();
    let mut session = PersistedSession {
        home_dc_id: 1 + n % 2,
        dcs,
        ..PersistedSession::default()
    };
    session.updates_state.pts = n;
    session
}

pub(super) fn path() -> PathBuf {
    Path::new(DIRECTORY).join("a.session")
}

/// What a mount point of a single file is at the start.
pub(super) fn empty_file() -> Image {
    Image::from([(path(), Vec::new())])
}

/// What the old crate writes: no checksum, no tail.
pub(super) fn old_crate() -> Image {
    let session = session(77);
    let mut bytes = vec![0; mtsession_core::wire::encoded_body_len(&session).unwrap()];
    let written = mtsession_core::wire::encode_body_to_slice(&session, &mut bytes).unwrap();
    Image::from([(path(), written.to_vec())])
}

/// What a program writes that stores the bytes of a session by itself.
pub(super) fn without_tail() -> Image {
    Image::from([(path(), session(78).to_bytes())])
}
