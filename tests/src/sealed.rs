//! Sealed session files, and what tests ask of them.

use std::path::Path;
use std::sync::Arc;

use mtsession::codec::{Peer, SealedFile};
use mtsession::seal::Key;
use mtsession::{
    PeerNames, PersistedSession, SessionBackend, SessionBackendExt as _, SessionRecord,
    StoreOptions,
};

use crate::random::sized;
use crate::session_files::primary;

/// Options with the key that is 32 times this byte.
#[must_use]
pub fn keyed(byte: u8) -> StoreOptions {
    StoreOptions::new().key(Key::from_bytes([byte; 32]))
}

/// The session file with that key.
#[must_use]
pub fn open(path: &Path, byte: u8) -> Arc<dyn SessionBackend> {
    keyed(byte).connect(path).unwrap()
}

/// Bytes of the header and of header and body in a sealed file.
#[must_use]
pub fn parts(bytes: &[u8]) -> (usize, usize) {
    let file = SealedFile::parse(bytes).unwrap();
    (file.header().bytes().len(), file.bytes().len())
}

/// Sets the checksum over header and body right, as somebody would who changes them on purpose.
pub fn set_right(bytes: &mut [u8], len: usize) {
    let mut crc = mtsession::codec::wire::Crc32c::new();
    crc.update(&bytes[..len - 4]);
    bytes[len - 4..len].copy_from_slice(&crc.value().to_le_bytes());
}

/// A phone number in that session.
pub const PHONE: &str = "4915112345678";
/// A username in it.
pub const NAME: &str = "secretary_of_state";

/// A session with logins in three DCs.
#[must_use]
pub fn session() -> PersistedSession {
    sized(3, 5, 3, 3)
}

/// A sealed file with a login, names, and changes in its tail.
pub fn write(path: &Path, key: u8) -> SessionRecord {
    let backend = open(path, key);
    backend.save(&session()).unwrap();
    let peer = Peer::from(&session().peers[0]);
    backend
        .set_peer_names(&[PeerNames {
            usernames: vec![NAME.to_owned()],
            phone: Some(PHONE.to_owned()),
            id: peer.id,
            kind: peer.key().kind(),
            title: None,
        }])
        .unwrap();
    for pts in 1..=3 {
        backend.apply_update_state(primary(pts)).unwrap();
    }
    let record = backend.read().unwrap().unwrap();
    // Dropped, it would fold its tail.
    std::mem::forget(backend);
    record
}

/// Its auth keys.
#[must_use]
pub fn keys_of(session: &PersistedSession) -> Vec<[u8; 256]> {
    session.dcs.iter().filter_map(|dc| dc.auth_key).collect()
}

/// The records with the checksums that somebody would give them who knows no key.
#[must_use]
pub fn records(bytes: &[u8], from: usize) -> Vec<Vec<u8>> {
    let mut rest = &bytes[from..];
    let mut records = Vec::new();
    while !rest.is_empty() {
        // None is longer than 127 bytes.
        let len = usize::from(rest[0]);
        records.push(rest[1..=len].to_vec());
        rest = &rest[len + 5..];
    }
    records
}

/// A file with these records, as somebody would chain them who has no key.
#[must_use]
pub fn chained(head: &[u8], records: &[Vec<u8>]) -> Vec<u8> {
    let mut file = head.to_vec();
    let mut chain = u32::from_le_bytes(*head.last_chunk().unwrap());
    for record in records {
        let outcome: Result<u32, mtsession::codec::EncodeError<()>> =
            mtsession::codec::wire::journal::put_record(record, chain, &mut file);
        chain = outcome.unwrap();
    }
    file
}
