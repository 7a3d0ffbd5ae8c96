//! Session files as the release before wrote them: a snapshot, and its changes in a journal alongside it.

use std::path::{Path, PathBuf};

use mtsession::Change;
use mtsession::codec::SessionSource;
use mtsession::codec::wire::{encode_to_vec, journal};

/// Where the journal of a session is.
pub fn journal_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".journal");
    name.into()
}

/// The bytes of a journal of this snapshot, with a record for each batch.
pub fn journal(snapshot: &[u8], batches: &[&[Change<'_>]]) -> Vec<u8> {
    let crc = u32::from_le_bytes(*snapshot.last_chunk().expect("a checksum"));
    let header = journal::header(crc);
    let mut bytes = header.to_vec();
    let mut chain = journal::chain_of_header(&header);
    for batch in batches {
        let mut payload = Vec::new();
        for change in *batch {
            payload.extend_from_slice(change.encode(&mut [0; 4096]).expect("room"));
        }
        let put = journal::put_record::<()>(&payload, chain, &mut bytes);
        chain = put.expect("a short record");
    }
    bytes
}

/// Writes a session with these changes after it.
pub fn write(path: &Path, session: &impl SessionSource, batches: &[&[Change<'_>]]) {
    let snapshot = encode_to_vec(session).expect("a session");
    std::fs::write(journal_of(path), journal(&snapshot, batches)).expect("a journal");
    std::fs::write(path, snapshot).expect("a session file");
}
