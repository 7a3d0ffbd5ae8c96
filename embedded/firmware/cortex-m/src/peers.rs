//! What a firmware needs to keep a session in a general store: a key for every record.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use mtsession_core::{Change, SessionSource, UpdateChange};

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
