//! A short session, and the bytes of changes to it.

use mtsession_core::wire::Crc32c;
use mtsession_core::{Change, FixedSession, Peer, PlainFile, TailEnd, UpdateChange};

pub(crate) type Session = FixedSession<1, 1, 2, 1, 8>;

pub(crate) const QTS: Change<'_> = Change::Update(UpdateChange::Secondary { qts: 6 });

pub(crate) fn crc(snapshot: &[u8]) -> u32 {
    u32::from_le_bytes(*snapshot.last_chunk().unwrap())
}

pub(crate) fn payload_of(batch: &[Change<'_>]) -> Vec<u8> {
    let mut payload = Vec::new();
    for change in batch {
        payload.extend_from_slice(change.encode(&mut [0; 64]).unwrap());
    }
    payload
}

pub(crate) fn crc_of(bytes: &[u8]) -> u32 {
    let mut crc = Crc32c::new();
    crc.update(bytes);
    crc.value()
}

pub(crate) fn peer(id: i64) -> Change<'static> {
    Change::Peer(Peer {
        id,
        ..Peer::default()
    })
}

pub(crate) fn replayed(file: &PlainFile<'_>) -> (Session, TailEnd) {
    let mut session = Session::new();
    let end = file.replay_into(&mut session).unwrap();
    (session, end)
}
