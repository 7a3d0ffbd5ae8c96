//! What a backend must do, written down a second time in the plainest way: lists, first match, no
//! sharing of code with the library.

use mtsession::{
    Account, CachedPeer, Change, DcEntry, PersistedSession, SessionBackend, SessionBackendExt,
    UpdateChange, UpdateStateChange,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::random;

/// One thing to do with a backend.
#[derive(Clone, Debug)]
pub enum Op {
    Save(PersistedSession),
    UpdateDc(DcEntry),
    SetHomeDc(i32),
    Update(UpdateStateChange),
    CachePeer(CachedPeer),
    /// Several at once through `apply`.
    Batch(Vec<Self>),
    SetAccount(Account),
    Delete,
    /// A batch of which a part cannot be stored: nothing of it may be.
    TooLong(CachedPeer),
    /// Drop the backend and open its store again.
    Reopen,
}

fn granular() -> impl Strategy<Value = Op> {
    prop_oneof![
        1 => random::dc().prop_map(Op::UpdateDc),
        1 => (0..6_i32).prop_map(Op::SetHomeDc),
        4 => random::update().prop_map(Op::Update),
        4 => random::peer().prop_map(Op::CachePeer),
    ]
}

pub fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => random::session().prop_map(Op::Save),
        12 => granular(),
        2 => vec(granular(), 0..5).prop_map(Op::Batch),
        1 => random::account().prop_map(Op::SetAccount),
        1 => Just(Op::Delete),
        1 => random::peer().prop_map(Op::TooLong),
        2 => Just(Op::Reopen),
    ]
}

/// The state that a store must have.
#[derive(Clone, Debug, Default)]
pub struct Model {
    pub session: Option<PersistedSession>,
    pub account: Account,
}

impl Model {
    pub fn apply(&mut self, op: &Op) {
        match op {
            Op::Save(session) => {
                // What is known of another login goes.
                let known = self.session.as_ref().and_then(home_key);
                let stays = known.is_none_or(|key| {
                    home_key(session).is_some()
                        && session.dcs.iter().any(|dc| dc.auth_key == Some(key))
                });
                if !stays {
                    self.account = Account::default();
                }
                self.session = Some(session.clone());
            }
            Op::Delete => *self = Self::default(),
            Op::SetAccount(account) => {
                self.session.get_or_insert_default();
                self.account = *account;
            }
            Op::Batch(ops) => {
                self.session.get_or_insert_default();
                ops.iter().for_each(|op| self.apply(op));
            }
            Op::Reopen | Op::TooLong(_) => {}
            Op::UpdateDc(_) | Op::SetHomeDc(_) | Op::Update(_) | Op::CachePeer(_) => {
                granular_on(self.session.get_or_insert_default(), op);
            }
        }
    }
}

fn home_key(session: &PersistedSession) -> Option<[u8; 256]> {
    let home = session.home_dc_id;
    let mut entries = session.dcs.iter().filter(|dc| dc.dc_id == home);
    entries.find_map(|dc| dc.auth_key)
}

fn granular_on(session: &mut PersistedSession, op: &Op) {
    match op {
        Op::UpdateDc(entry) => {
            let slot = |dc: &DcEntry| (dc.dc_id, dc.flags.0 & 0b1111);
            put(&mut session.dcs, entry.clone(), slot);
        }
        Op::SetHomeDc(dc_id) => session.home_dc_id = *dc_id,
        Op::CachePeer(peer) => {
            let identity = |peer: &CachedPeer| {
                let community = peer.is_community && !peer.is_channel && !peer.is_chat;
                (peer.is_channel, peer.is_chat, community, peer.id)
            };
            put(&mut session.peers, peer.clone(), identity);
        }
        Op::Update(update) => {
            let state = &mut session.updates_state;
            match update {
                UpdateStateChange::All(new) => *state = new.clone(),
                UpdateStateChange::Primary { pts, date, seq } => {
                    (state.pts, state.date, state.seq) = (*pts, *date, *seq);
                }
                UpdateStateChange::Secondary { qts } => state.qts = *qts,
                UpdateStateChange::Channel { id, pts } => {
                    put(&mut state.channels, (*id, *pts), |row| row.0);
                }
            }
        }
        other => panic!("{other:?} is not granular"),
    }
}

fn put<T, K: PartialEq>(list: &mut Vec<T>, item: T, key: impl Fn(&T) -> K) {
    match list.iter_mut().find(|known| key(known) == key(&item)) {
        Some(known) => *known = item,
        None => list.push(item),
    }
}

/// Does `op` with a real backend. Reopening is the caller's.
pub fn perform(backend: &dyn SessionBackend, op: &Op) {
    match op {
        Op::Save(session) => backend.save(session).unwrap(),
        Op::UpdateDc(entry) => backend.update_dc(entry).unwrap(),
        Op::SetHomeDc(dc_id) => backend.set_home_dc(*dc_id).unwrap(),
        Op::Update(update) => backend.apply_update_state(update.clone()).unwrap(),
        Op::CachePeer(peer) => backend.cache_peer(peer).unwrap(),
        Op::SetAccount(account) => backend.set_account(*account).unwrap(),
        Op::Delete => backend.delete().unwrap(),
        Op::Batch(ops) => backend.apply(&changes(ops)).unwrap(),
        Op::TooLong(peer) => {
            let long = DcEntry::from_parts(1, &"9".repeat(300), 443, mtsession::DcFlags::NONE);
            let changes = [Change::Peer(peer.into()), Change::Dc(long.as_dc_ref())];
            let error = backend.apply(&changes).unwrap_err();
            assert!(error.to_string().contains("too long"), "{error}");
        }
        Op::Reopen => {}
    }
}

fn changes(ops: &[Op]) -> Vec<Change<'_>> {
    let update = |update| vec![Change::Update(update)];
    ops.iter()
        .flat_map(|op| match op {
            Op::UpdateDc(entry) => vec![Change::Dc(entry.as_dc_ref())],
            Op::SetHomeDc(dc_id) => vec![Change::HomeDc(*dc_id)],
            Op::CachePeer(peer) => vec![Change::Peer(peer.into())],
            Op::Update(UpdateStateChange::Primary { pts, date, seq }) => {
                let (pts, date, seq) = (*pts, *date, *seq);
                update(UpdateChange::Primary { pts, date, seq })
            }
            Op::Update(UpdateStateChange::Secondary { qts }) => {
                update(UpdateChange::Secondary { qts: *qts })
            }
            Op::Update(UpdateStateChange::Channel { id, pts }) => {
                update(UpdateChange::Channel { id: *id, pts: *pts })
            }
            Op::Update(UpdateStateChange::All(snap)) => {
                let mut all = vec![
                    Change::Update(UpdateChange::Counters(mtsession::codec::Counters {
                        pts: snap.pts,
                        qts: snap.qts,
                        date: snap.date,
                        seq: snap.seq,
                    })),
                    Change::Update(UpdateChange::ClearChannels),
                ];
                all.extend(
                    snap.channels
                        .iter()
                        .map(|&(id, pts)| Change::Update(UpdateChange::PushChannel { id, pts })),
                );
                all
            }
            other => panic!("{other:?} is not granular"),
        })
        .collect()
}
