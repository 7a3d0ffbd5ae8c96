//! Random calls, and the workload of the benchmarks.

use alloc::format;
use alloc::vec::Vec;

use embedded_storage::nor_flash::NorFlash;
use mtsession_core::{
    Account, ChannelPts, Counters, DcFlags, MinPeer, Peer, PeerKind, SessionMut, SessionSource,
    UpdateChange,
};

use super::{OwnedChange, OwnedDc, Plain};
use crate::sim::Dice;
use crate::{Error, SessionLog};

/// One call of a log.
#[derive(Clone, Debug)]
pub enum Call {
    Append(OwnedChange),
    Apply(Vec<OwnedChange>),
    Save(Plain),
    Delete,
    Maintain,
    Sync,
}

impl Call {
    /// What the call does to the session; `None` is no session.
    pub fn carry_out(&self, session: &mut Option<Plain>) {
        match self {
            Self::Append(change) => {
                let session = session.get_or_insert_with(Plain::default);
                change.apply(session);
            }
            Self::Apply(changes) if changes.is_empty() => {}
            Self::Apply(changes) => {
                let session = session.get_or_insert_with(Plain::default);
                for change in changes {
                    change.apply(session);
                }
            }
            Self::Save(new) => *session = Some(new.clone()),
            Self::Delete => *session = None,
            Self::Maintain | Self::Sync => {}
        }
    }

    /// Makes the call.
    pub fn run<F: NorFlash>(&self, log: &mut SessionLog<F>) -> Result<(), Error<F::Error>> {
        match self {
            Self::Append(change) => log.append(&change.as_ref()),
            Self::Apply(changes) => {
                let changes: Vec<_> = changes.iter().map(OwnedChange::as_ref).collect();
                log.apply(&changes)
            }
            Self::Save(session) => log.save(session),
            Self::Delete => log.delete(),
            Self::Maintain => log.maintain(),
            Self::Sync => log.sync(),
        }
    }
}

fn key(dice: &mut Dice) -> [u8; 256] {
    core::array::from_fn(|_| dice.next() as u8)
}

fn dc(dice: &mut Dice, dc_id: i32, flags: DcFlags) -> OwnedDc {
    let has_key = dice.chance(90);
    OwnedDc {
        dc_id,
        addr: format!("149.154.{}.{}:443", dice.below(256), dice.below(256)),
        auth_key: has_key.then(|| key(dice)),
        first_salt: dice.next().cast_signed(),
        time_offset: dice.small(20) - 10,
        flags,
    }
}

fn peer(dice: &mut Dice, n: usize) -> Peer {
    Peer {
        id: 5_000_000_000 + n as i64 * 777,
        access_hash: dice.next().cast_signed(),
        kind: if n.is_multiple_of(3) {
            PeerKind::Channel
        } else {
            PeerKind::User
        },
        ..Peer::default()
    }
}

/// A session as after a login: DCs with keys, channels, peers.
pub fn fresh_session(dice: &mut Dice, dcs: usize, channels: usize, peers: usize) -> Plain {
    Plain {
        home_dc_id: 2,
        counters: Counters {
            pts: 100_000,
            qts: 3,
            date: 1_750_000_000,
            seq: 500,
        },
        account: Account {
            user_id: Some(5_000_000_777),
            ..Account::default()
        },
        token: None,
        dcs: (1..=dcs)
            .map(|id| OwnedDc {
                auth_key: Some(key(dice)),
                ..dc(dice, id as i32, DcFlags::NONE)
            })
            .collect(),
        channels: (0..channels)
            .map(|n| ChannelPts {
                id: 1_500_000_000 + n as i64 * 1013,
                pts: 1000 + dice.small(100_000),
            })
            .collect(),
        peers: (0..peers).map(|n| peer(dice, n)).collect(),
        min_peers: Vec::new(),
    }
}

/// The updates of the benchmarks: 80 % move the primary counters, 15 % one channel's pts, 5 % bring
/// a new or changed peer. One in 200 of the counters jumps.
pub fn workload(dice: &mut Dice, session: &mut Plain, peers: usize) -> OwnedChange {
    let kind = dice.below(100);
    let change = if kind < 80 {
        let counters = session.counters;
        let jump = if dice.below(200) == 0 {
            dice.small(2000)
        } else {
            0
        };
        OwnedChange::Update(UpdateChange::Primary {
            pts: counters.pts + 1 + dice.small(2) + jump,
            date: counters.date + dice.small(4),
            seq: counters.seq + dice.small(2),
        })
    } else if kind < 95 {
        let n = dice.below(session.channels.len());
        let channel = session.channels[n];
        let jump = if dice.below(200) == 0 {
            dice.small(2000)
        } else {
            0
        };
        OwnedChange::Update(UpdateChange::Channel {
            id: channel.id,
            pts: channel.pts + 1 + dice.small(3) + jump,
        })
    } else {
        let n = dice.below(peers);
        OwnedChange::Peer(peer(dice, n))
    };
    session.apply(&change.as_ref()).unwrap();
    change
}

/// `count` random calls, whose sessions have at most these list lengths.
pub fn random_calls(dice: &mut Dice, count: usize, lists: [usize; 4]) -> Vec<Call> {
    let mut now: Option<Plain> = None;
    (0..count)
        .map(|_| {
            let call = random_call(dice, &now.clone().unwrap_or_default(), lists);
            call.carry_out(&mut now);
            call
        })
        .collect()
}

/// One random call for a log that holds `session`.
pub fn random_call(dice: &mut Dice, session: &Plain, lists: [usize; 4]) -> Call {
    let [dcs, channels, peers, min_peers] = lists;
    match dice.below(400) {
        0..4 => {
            let dcs = dice.below(dcs + 1);
            let channels = dice.below(channels + 1);
            // One place is for a duplicate.
            let peers = dice.below(peers);
            let mut new = fresh_session(dice, dcs, channels, peers);
            // Duplicates and order are part of a session.
            if let Some(first) = new.peers.first().copied()
                && new.peers.len() < lists[2]
            {
                new.peers.push(first);
            }
            new.token = dice.chance(50).then(|| dice.next().to_le_bytes().to_vec());
            Call::Save(new)
        }
        4 => Call::Delete,
        5..9 => Call::Maintain,
        9..11 => Call::Sync,
        11..15 => {
            // Replaces all channels, in small sessions with one twice.
            let first = dice.below(channels);
            let count = 1 + dice.below(3.min(channels));
            let push = |n| {
                OwnedChange::Update(UpdateChange::PushChannel {
                    id: 1_500_000_000 + ((first + n) % channels) as i64 * 1013,
                    pts: n as i32,
                })
            };
            let twice = (channels < 16).then(|| push(0));
            let clear = OwnedChange::Update(UpdateChange::ClearChannels);
            let changes = core::iter::once(clear).chain((0..count).map(push));
            Call::Apply(changes.chain(twice).collect())
        }
        15..31 => {
            let count = dice.below(5);
            let mut model = session.clone();
            let mut changes = Vec::new();
            for _ in 0..count {
                let change = random_change(dice, &model, [dcs, channels, peers, min_peers]);
                model.apply(&change.as_ref()).unwrap();
                changes.push(change);
            }
            Call::Apply(changes)
        }
        _ => Call::Append(random_change(dice, session, lists)),
    }
}

fn random_change(dice: &mut Dice, session: &Plain, lists: [usize; 4]) -> OwnedChange {
    let [dcs, channels, peers, min_peers] = lists;
    let counters = session.counters();
    match dice.below(100) {
        0..60 => OwnedChange::Update(UpdateChange::Primary {
            pts: counters.pts.wrapping_add(dice.small(4)),
            date: counters.date + dice.small(10),
            seq: counters.seq + dice.small(2),
        }),
        60..64 => OwnedChange::Update(UpdateChange::Primary {
            pts: counters.pts.wrapping_add(dice.small(5000) - 100),
            date: counters.date + dice.small(20_000),
            seq: counters.seq + dice.small(40),
        }),
        64..66 => OwnedChange::Update(UpdateChange::Secondary {
            qts: counters.qts.wrapping_add(dice.small(9)),
        }),
        66..67 => OwnedChange::Update(UpdateChange::Counters(Counters {
            pts: dice.next() as i32,
            ..counters
        })),
        67..86 => {
            let id = 1_500_000_000 + dice.below(channels) as i64 * 1013;
            let known = session.channels.iter().find(|known| known.id == id);
            let step = if dice.chance(90) {
                dice.small(40)
            } else {
                dice.small(100_000) - 900
            };
            let pts = known.map_or(1, |known| known.pts.wrapping_add(step));
            OwnedChange::Update(UpdateChange::Channel { id, pts })
        }
        86..87 => OwnedChange::Update(UpdateChange::ClearChannels),
        87..93 => {
            let n = dice.below(peers - 1);
            let mut peer = peer(dice, n);
            if dice.chance(20) {
                // In flash, this is as erased.
                peer.access_hash = -1;
            }
            OwnedChange::Peer(peer)
        }
        93..95 => OwnedChange::MinPeer(MinPeer {
            user_id: dice.below(min_peers) as i64 + 9,
            peer_id: dice.next().cast_signed(),
            msg_id: dice.small(1000),
        }),
        95..97 => {
            let id = 1 + dice.small(dcs);
            let mut dc = dc(dice, id, DcFlags::NONE);
            if let Some(key) = &mut dc.auth_key
                && dice.chance(30)
            {
                let (start, len) = (dice.below(200), dice.below(56));
                key[start..start + len].fill(0xFF);
            }
            OwnedChange::Dc(dc)
        }
        97 => OwnedChange::HomeDc(1 + dice.small(5)),
        98 => OwnedChange::Token(dice.chance(80).then(|| {
            let len = dice.below(40);
            let ones = if dice.chance(30) { 0xFF } else { 0 };
            (0..len).map(|_| dice.next() as u8 | ones).collect()
        })),
        _ => OwnedChange::Account(Account {
            user_id: Some(5_000_000_000 + i64::from(dice.small(99))),
            is_bot: Some(dice.chance(50)),
            ..Account::default()
        }),
    }
}
