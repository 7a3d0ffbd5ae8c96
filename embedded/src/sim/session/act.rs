//! Calls in small numbers: what they say depends on the session that they meet.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use mtsession_core::{Account, DcFlags, MinPeer, Peer, UpdateChange};

use super::{Call, OwnedChange, OwnedDc, Plain, fresh_session};
use crate::sim::Dice;

/// A call in small numbers; what it says depends on the session that it meets.
#[derive(Clone, Debug)]
pub enum Act {
    Primary {
        pts: u16,
        date: u8,
        seq: u8,
    },
    Secondary(u8),
    Channel {
        id: u8,
        step: u16,
    },
    ClearChannels,
    Peer {
        id: u8,
        hash: u8,
    },
    MinPeer {
        id: u8,
        message: u8,
    },
    Dc {
        key: u8,
    },
    HomeDc(u8),
    Token {
        len: u8,
        byte: u8,
    },
    Account(u8),
    Batch(Vec<Act>),
    Save {
        dcs: u8,
        channels: u8,
        peers: u8,
    },
    Delete,
    Maintain,
    Sync,
    /// The device is switched off and on.
    Mount,
}

/// Entries of each list at most: what fits the smallest region.
const DCS: u8 = 1;
const CHANNELS: u8 = 3;
const PEERS: u8 = 4;

impl Act {
    fn change(&self, session: &Plain) -> Option<OwnedChange> {
        let counters = session.counters;
        Some(match *self {
            Self::Primary { pts, date, seq } => OwnedChange::Update(UpdateChange::Primary {
                pts: counters.pts.wrapping_add(pts.into()),
                date: counters.date.wrapping_add(date.into()),
                seq: counters.seq.wrapping_add(seq.into()),
            }),
            Self::Secondary(qts) => OwnedChange::Update(UpdateChange::Secondary {
                qts: counters.qts.wrapping_add(qts.into()),
            }),
            Self::Channel { id, step } => {
                let id = i64::from(id % CHANNELS) + 1;
                let known = session.channels.iter().find(|known| known.id == id);
                let pts = known.map_or(1, |known| known.pts).wrapping_add(step.into());
                OwnedChange::Update(UpdateChange::Channel { id, pts })
            }
            Self::ClearChannels => OwnedChange::Update(UpdateChange::ClearChannels),
            Self::Peer { id, hash } => OwnedChange::Peer(Peer {
                id: i64::from(id % PEERS) + 1,
                access_hash: spread(hash),
                ..Peer::default()
            }),
            Self::MinPeer { id, message } => OwnedChange::MinPeer(MinPeer {
                user_id: i64::from(id % 2) + 1,
                peer_id: 7,
                msg_id: message.into(),
            }),
            Self::Dc { key } => OwnedChange::Dc(OwnedDc {
                dc_id: 1,
                addr: format!("10.0.0.{key}:443"),
                auth_key: (key != 0).then_some([key; 256]),
                first_salt: spread(key),
                time_offset: 0,
                flags: DcFlags::NONE,
            }),
            Self::HomeDc(id) => OwnedChange::HomeDc(id.into()),
            Self::Token { len, byte } => {
                OwnedChange::Token((len > 0).then(|| vec![byte; usize::from(len % 40)]))
            }
            Self::Account(id) => OwnedChange::Account(Account {
                user_id: Some(i64::from(id) + 1),
                ..Account::default()
            }),
            _ => return None,
        })
    }

    /// The call; `None` for a restart, and for what a batch cannot hold.
    pub(super) fn call(&self, session: &Plain) -> Option<Call> {
        Some(match self {
            Self::Batch(acts) => {
                let mut session = session.clone();
                let mut changes = Vec::new();
                for change in acts.iter().take(5) {
                    if let Some(change) = change.change(&session) {
                        change.apply(&mut session);
                        changes.push(change);
                    }
                }
                Call::Apply(changes)
            }
            Self::Save {
                dcs,
                channels,
                peers,
            } => {
                let mut dice = Dice::new(u64::from(*dcs) << 8 | u64::from(*peers));
                let [dcs, channels, peers] = [dcs % (DCS + 1), channels % CHANNELS, peers % PEERS];
                let mut new = fresh_session(&mut dice, dcs.into(), channels.into(), peers.into());
                // The same identities as in single changes.
                for (n, channel) in new.channels.iter_mut().enumerate() {
                    channel.id = n as i64 + 1;
                }
                for (n, peer) in new.peers.iter_mut().enumerate() {
                    peer.id = n as i64 + 1;
                    peer.kind = Peer::default().kind;
                }
                Call::Save(new)
            }
            Self::Delete => Call::Delete,
            Self::Maintain => Call::Maintain,
            Self::Sync => Call::Sync,
            Self::Mount => return None,
            _ => Call::Append(self.change(session)?),
        })
    }
}

/// A hash of ones every so often: as erased flash.
fn spread(byte: u8) -> i64 {
    if byte % 8 == 7 {
        -1
    } else {
        i64::from(byte).wrapping_mul(0x0123_4567_89AB_CDEF)
    }
}
