//! A kind of channel that no release knows reads alike wherever it is stored: as not known.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

use mtsession::{
    BinaryFileBackend, CachedPeer, ChannelKind, LibSqlBackend, PersistedSession, SessionBackend,
    SqliteBackend, StringSessionBackend,
};

fn session() -> PersistedSession {
    PersistedSession {
        home_dc_id: 2,
        peers: vec![CachedPeer {
            id: 1_234_567,
            access_hash: 99,
            is_channel: true,
            channel_kind: Some(ChannelKind::Gigagroup),
            is_chat: false,
            is_community: false,
        }],
        ..PersistedSession::default()
    }
}

fn expected() -> PersistedSession {
    let mut session = session();
    session.peers[0].channel_kind = None;
    session
}

#[test]
fn an_unknown_kind_of_channel_is_not_known_in_every_store() {
    let dir = tempfile::tempdir().unwrap();

    // Version 8 without a trailer: one channel whose kind is the last byte but one of its record.
    let encoded = session().to_bytes();
    let record = [
        &1_234_567_i64.to_le_bytes()[..],
        &99_i64.to_le_bytes(),
        &[1, 2, 0],
    ]
    .concat();
    let at = encoded
        .windows(record.len())
        .position(|part| part == record)
        .unwrap();
    let body = mtsession::codec::encoded_len(&session()).unwrap();
    assert_eq!(body, encoded.len());
    for kind in [3, 9, 255] {
        let mut bytes = encoded.clone();
        bytes[at + 17] = kind;
        // The trailer's checksum would notice: it is left out, as older releases do.
        let body = mtsession::codec::wire::encoded_body_len(&session()).unwrap();
        bytes.truncate(body);
        let path = dir.path().join(format!("file{kind}"));
        std::fs::write(&path, &bytes).unwrap();
        let file = BinaryFileBackend::new(&path);
        assert_eq!(file.load().unwrap(), Some(expected()), "file {kind}");
        file.set_home_dc(2).unwrap();
        assert_eq!(file.load().unwrap(), Some(expected()), "file {kind}");

        let mut text = Vec::new();
        let mut sink = mtsession::codec::text::Base64Sink::new(&mut text);
        mtsession::codec::wire::Sink::write(&mut sink, &bytes).unwrap();
        sink.finish().unwrap();
        let string = StringSessionBackend::new(String::from_utf8(text).unwrap());
        assert_eq!(string.load().unwrap(), Some(expected()), "string {kind}");
    }

    for kind in [-1, 3, 255, 256, i64::MAX] {
        let path = dir.path().join(format!("db{kind}"));
        SqliteBackend::open(&path)
            .unwrap()
            .save(&session())
            .unwrap();
        let database = rusqlite::Connection::open(&path).unwrap();
        database
            .execute_batch("PRAGMA ignore_check_constraints = ON")
            .unwrap();
        database
            .execute("UPDATE peer SET channel_kind = ?1", [kind])
            .unwrap();
        drop(database);
        let loaded = SqliteBackend::open(&path).unwrap().load().unwrap();
        assert_eq!(loaded, Some(expected()), "SQLite {kind}");
        let loaded = LibSqlBackend::open_local(path.to_str().unwrap())
            .unwrap()
            .load()
            .unwrap();
        assert_eq!(loaded, Some(expected()), "libSQL {kind}");
    }
}
