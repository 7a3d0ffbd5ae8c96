//! What a firmware needs to keep a session in a general store: a key for every record; and a session.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use mtsession_core::{
    AuthKeyRef, Change, ChannelPts, DcFlags, DcRef, Full, Peer, SessionMut, SessionSource,
    UpdateChange,
};

/// The key of the counters.
pub const COUNTERS: u16 = 0;

/// The records of a session, each with its key.
pub fn records(session: &impl SessionSource) -> impl Iterator<Item = (u16, Change<'_>)> {
    let counters = session.counters();
    let primary = UpdateChange::Primary {
        pts: counters.pts,
        date: counters.date,
        seq: counters.seq,
    };
    let dcs = session.dcs().map(Change::Dc);
    let channels = session.channels().map(|channel| {
        Change::Update(UpdateChange::Channel { id: channel.id, pts: channel.pts })
    });
    let peers = session.peers().map(Change::Peer);
    core::iter::once((COUNTERS, Change::Update(primary)))
        .chain((10..).zip(dcs))
        .chain((100..).zip(channels))
        .chain((200..).zip(peers))
}

/// Fills the session of a client with 5 DCs, 32 channels and 64 peers.
pub fn login(session: &mut impl SessionMut<Error = Full>) -> Result<(), Full> {
    let key = core::array::from_fn(|n| n as u8);
    session.reset();
    session.set_home_dc_id(2);
    (1..=5).try_for_each(|n| session.put_dc(&dc(n, &key)))?;
    (0..32).try_for_each(|n| session.put_channel(ChannelPts { id: channel(n), pts: 1000 }))?;
    (0..64).try_for_each(|n| session.put_peer(peer(n, i64::from(n) << 40)))
}

/// The id of its channel number `n`.
pub fn channel(n: u32) -> i64 {
    1_500_000_000 + i64::from(n) * 1013
}

/// Its peer number `n`.
pub fn peer(n: u32, access_hash: i64) -> Peer {
    Peer { id: 5_000_000_000 + i64::from(n) * 777, access_hash, ..Peer::default() }
}

/// Its DC number `n`.
pub fn dc(n: i32, key: &[u8; 256]) -> DcRef<'_> {
    DcRef {
        dc_id: n,
        addr: "149.154.167.51:443",
        auth_key: Some(AuthKeyRef::new(key)),
        first_salt: 0x1234_5678_9ABC,
        time_offset: 0,
        flags: DcFlags::NONE,
    }
}

/// The flash in RAM never waits.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return done;
        }
    }
}
