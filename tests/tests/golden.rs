//! Files and strings that real releases wrote.

use mtsession::codec::text::{decode_any, encode_native};
use mtsession::codec::wire::{encode_body_to_slice, encode_to_slice};
use mtsession::codec::{DecodeErrorKind, Field, Foreign, Integrity, SessionSource, SessionView};
use mtsession::{
    BinaryFileBackend, PersistedSession, SessionBackend, SessionBackendExt, StringSession,
    StringSessionBackend,
};
use mtsession_tests::vectors::{Vector, bytes, dir, i64_of, of_kind, text};

/// The content, or for files that may be refused an error.
fn check(vector: &Vector, read: Result<PersistedSession, impl core::fmt::Display>) {
    match (read, &vector.expect) {
        (Ok(session), Some(expect)) => assert_eq!(&session, expect, "{}", vector.name),
        (Ok(_), None) => panic!("{} must be refused", vector.name),
        (Err(error), Some(_)) => assert!(vector.refuse_ok, "{}: {error}", vector.name),
        (Err(_), None) => {}
    }
}

#[test]
fn every_binary_file_is_read_right() {
    let vectors = of_kind("binary");
    assert_eq!(vectors.len(), 18);
    for vector in vectors {
        let file = std::fs::read(&vector.path).unwrap();
        check(&vector, PersistedSession::from_bytes(&file));
        let view = SessionView::parse(&file).unwrap();
        assert_eq!(
            Some(u64::from(view.version())),
            vector.version,
            "{}",
            vector.name
        );
        assert_eq!(view.integrity(), Integrity::StructureOnly);
    }
}

#[test]
fn every_string_is_read_right() {
    let vectors = of_kind("string");
    assert_eq!(vectors.len(), 6);
    for vector in vectors {
        let text = std::fs::read_to_string(&vector.path).unwrap();
        check(&vector, PersistedSession::from_string(&text));
        check(
            &vector,
            StringSessionBackend::new(text).load().map(Option::unwrap),
        );
    }
}

#[test]
fn every_compact_string_is_read_right_and_written_again() {
    let vectors = of_kind("compact");
    assert_eq!(vectors.len(), 8);
    for vector in vectors {
        let string = std::fs::read_to_string(&vector.path).unwrap();
        let expect = vector.compact.as_ref().unwrap();
        let decoded = StringSession::decode(&string).unwrap();
        let session = decoded.session();
        assert_eq!(
            u64::from(decoded.version()),
            expect["version"].as_u64().unwrap()
        );
        assert_eq!(u64::from(session.dc_id), expect["dc_id"].as_u64().unwrap());
        assert_eq!(session.ip.to_string(), text(&expect["ip"]));
        assert_eq!(u64::from(session.port), expect["port"].as_u64().unwrap());
        assert_eq!(session.user_id, i64_of(&expect["user_id"]));
        assert_eq!(session.auth_key.to_vec(), bytes(&text(&expect["auth_key"])));
        if let Some(full) = decoded.full_session() {
            assert_eq!(full.server_salt, i64_of(&expect["server_salt"]));
            assert_eq!(u64::from(full.seq_no), expect["seq_no"].as_u64().unwrap());
            assert_eq!(u64::from(full.layer), expect["layer"].as_u64().unwrap());
            assert_eq!(decoded.try_encode_v1().unwrap(), string.trim());
        } else {
            assert_eq!(decoded.encode(), string.trim());
            assert!(decoded.try_encode_v1().is_err());
            assert_eq!(decoded.encode_v1(), "");
        }

        // The same string, where any kind is taken: a session of one DC, and the account.
        let backend = StringSessionBackend::new(string);
        let loaded = backend.load().unwrap().unwrap();
        assert_eq!(loaded.home_dc_id, i32::from(session.dc_id));
        assert_eq!(loaded.dcs[0].auth_key, Some(session.auth_key));
        assert_eq!(loaded.dcs[0].socket_addr().unwrap().ip(), session.ip);
        assert_eq!(loaded.dcs[0].is_ipv6(), session.ip.is_ipv6());
        assert_eq!(backend.account().unwrap().user_id, Some(session.user_id));
    }
}

#[test]
fn a_string_is_read_through_quotes_breaks_padding_and_the_other_alphabet() {
    for kind in ["string", "compact"] {
        for vector in of_kind(kind) {
            let plain = std::fs::read_to_string(&vector.path).unwrap();
            let plain = plain.trim();
            let expect = PersistedSession::from_string(plain).unwrap();
            let padded = format!("{plain}{}", "=".repeat((4 - plain.len() % 4) % 4));
            let lines: Vec<&str> = plain
                .as_bytes()
                .chunks(76)
                .map(|line| str::from_utf8(line).unwrap())
                .collect();
            for dressed in [
                format!(" \t{plain}\r\n"),
                format!("\"{plain}\""),
                format!("'{plain}',"),
                format!("\u{FEFF}{plain}\u{200B}"),
                plain.replace('-', "+").replace('_', "/"),
                lines.join("\n"),
                padded,
            ] {
                assert_eq!(PersistedSession::from_string(&dressed).unwrap(), expect);
            }
        }
    }
}

#[test]
fn a_damaged_string_is_refused() {
    for kind in ["string", "compact"] {
        for vector in of_kind(kind) {
            let plain = std::fs::read_to_string(&vector.path).unwrap();
            let plain = plain.trim();
            let middle = plain.len() / 2;
            for damaged in [
                plain[..plain.len() - 1].to_owned(),
                plain[..plain.len() - 2].to_owned(),
                plain[..plain.len() - 4].to_owned(),
                plain[..middle].to_owned(),
                plain[1..].to_owned(),
                format!("{}{}", &plain[..middle], &plain[middle + 1..]),
                format!("{plain}A"),
                format!("{plain}!"),
            ] {
                let name = &vector.name;
                assert!(
                    PersistedSession::from_string(&damaged).is_err(),
                    "{name}: {damaged}"
                );
            }
        }
    }
}

/// What a session was before, and what it is in the current version, on a device without a heap.
#[test]
fn every_version_becomes_the_current_one_without_loss() {
    for vector in of_kind("binary") {
        let file = std::fs::read(&vector.path).unwrap();
        let old = SessionView::parse(&file).unwrap();
        let mut buffer = [0; 4096];
        let new = encode_to_slice(&old, &mut buffer).unwrap();
        let view = SessionView::parse(new).unwrap();
        assert_eq!(
            (view.version(), view.integrity()),
            (8, Integrity::Checksummed)
        );
        assert_eq!(
            PersistedSession::from_bytes(new).ok(),
            vector.expect,
            "{}",
            vector.name
        );

        let mut body = [0; 4096];
        let body = encode_body_to_slice(&old, &mut body).unwrap();
        assert!(new.starts_with(body));
        if old.version() == 8 {
            assert_eq!(body, file, "{}", vector.name);
        }
    }
}

#[test]
fn every_single_bit_flip_of_a_checked_session_is_noticed() {
    for name in ["binary/v8_fs066.session", "binary/v8_fs066_default.session"] {
        let file = std::fs::read(dir().join(name)).unwrap();
        let session = PersistedSession::from_bytes(&file).unwrap();
        for account in [
            mtsession::Account::default(),
            mtsession::Account {
                user_id: Some(777_000),
                api_id: Some(7),
                ..Default::default()
            },
        ] {
            let mut checked = Vec::new();
            mtsession::codec::encode(&session.with_account(account), &mut checked).unwrap();
            for bit in 0..checked.len() * 8 {
                let mut flipped = checked.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(SessionView::parse(&flipped).is_err(), "bit {bit} of {name}");
            }
        }
    }
}

/// A count that is one bit too large can make the body's own end fall on the end of the file, so that
/// no trailer would be looked for. The footer tells. Trailers of many lengths, powers of two among
/// them, after tokens of many lengths.
#[test]
fn a_body_that_swallows_its_trailer_is_noticed() {
    const TOKEN_LEN_AT: usize = 29;

    let mut swallowed = 0;
    for digits in 0..9 {
        let account = mtsession::Account {
            user_id: Some(1 << (7 * digits)),
            is_bot: Some(false),
            ..Default::default()
        };
        for token_len in 0..70 {
            let session = PersistedSession {
                future_auth_token: Some(vec![7; token_len]),
                ..Default::default()
            };
            let mut checked = Vec::new();
            mtsession::codec::encode(&session.with_account(account), &mut checked).unwrap();
            let rest = checked.len() - TOKEN_LEN_AT - 2;
            for bit in 0..16 {
                let mut flipped = checked.clone();
                flipped[TOKEN_LEN_AT + bit / 8] ^= 1 << (bit % 8);
                swallowed += usize::from(token_len ^ (1 << bit) == rest);
                assert!(
                    SessionView::parse(&flipped).is_err(),
                    "token {token_len}, bit {bit}"
                );
            }
        }
    }
    assert!(
        swallowed > 10,
        "only {swallowed} cases are what this test is about"
    );
}

#[test]
fn every_cut_and_every_extension_is_refused() {
    for vector in of_kind("binary") {
        let file = std::fs::read(&vector.path).unwrap();
        for cut in 0..file.len() {
            // The first five bytes of a version 8 session are the version 1 session of home DC 8:
            // the one cut that nobody can tell.
            if cut == 5 && file[1..5] == [0; 4] {
                continue;
            }
            assert!(
                SessionView::parse(&file[..cut]).is_err(),
                "{} cut at {cut}",
                vector.name
            );
        }
        let mut longer = file;
        longer.push(0);
        let error = SessionView::parse(&longer).unwrap_err();
        let at_end = error.offset == longer.len() - 1 || vector.version == Some(1);
        assert!(at_end, "{}: {error}", vector.name);
    }
}

/// Each kind of damage has its own kind, field and offset.
#[test]
fn errors_say_what_and_where() {
    let file = std::fs::read(dir().join("binary/v8_fs066.session")).unwrap();
    let view = SessionView::parse(&file).unwrap();
    let mut checked = Vec::new();
    mtsession::codec::encode(&view, &mut checked).unwrap();
    let changed = |at: usize, byte: u8| {
        let mut copy = file.clone();
        copy[at] = byte;
        copy
    };
    let first_addr = file
        .windows(7)
        .position(|window| window == b"149.154")
        .unwrap();
    // After version, home DC and count, the first entry has its id and then its presence byte.
    let (has_key, token) = (10, file.len() - 11);
    let kind = |bytes: &[u8]| {
        let error = SessionView::parse(bytes).unwrap_err();
        (error.kind, error.field, error.offset)
    };
    use DecodeErrorKind as Kind;
    let cases = [
        (vec![], (Kind::Empty, Field::Version, 0)),
        (vec![0; 4096], (Kind::Zeroed, Field::Version, 0)),
        (file[..40].to_vec(), (Kind::Truncated, Field::DcAddr, 24)),
        (
            changed(has_key, 2),
            (Kind::Presence(2), Field::DcHasKey, has_key),
        ),
        (
            changed(token, 7),
            (Kind::Presence(7), Field::TokenPresence, token),
        ),
        (
            changed(first_addr, 0xFF),
            (Kind::Utf8, Field::DcAddr, first_addr),
        ),
        (changed(0, 9), (Kind::UnknownVersion(9), Field::Version, 0)),
        (
            [file.as_slice(), b"x"].concat(),
            (Kind::TrailingBytes, Field::Trailer, file.len()),
        ),
        (
            b"SQLite format 3\0rest".to_vec(),
            (Kind::Foreign(Foreign::Sqlite), Field::Version, 0),
        ),
        (
            b"hello, world\n".to_vec(),
            (Kind::Foreign(Foreign::Text), Field::Version, 0),
        ),
        (
            b"{\"Version\":1}".to_vec(),
            (Kind::Foreign(Foreign::Json), Field::Version, 0),
        ),
        (
            b"TDF$\0\0\0\0".to_vec(),
            (Kind::Foreign(Foreign::Tdata), Field::Version, 0),
        ),
        (
            vec![0xCE, 0xB8, 0x3E, 0xA7, 1],
            (Kind::Foreign(Foreign::GrammersTl), Field::Version, 0),
        ),
        (
            vec![b'A'; 364],
            (Kind::Foreign(Foreign::SessionString), Field::Version, 0),
        ),
    ];
    for (bytes, expected) in cases {
        assert_eq!(kind(&bytes), expected);
    }

    let end = checked.len() - 4;
    let mut damaged = checked.clone();
    damaged[first_addr] ^= 1;
    assert_eq!(
        kind(&damaged),
        (Kind::Checksum, Field::TrailerChecksum, end)
    );
}

/// Trailers as other releases of this library may write them.
#[test]
fn trailers_are_checked_and_newer_ones_refused_by_name() {
    use mtsession::codec::wire::{Crc32c, encode_to_vec};

    let body = std::fs::read(dir().join("binary/v8_fs066_default.session")).unwrap();
    let with_trailer = |trailer: &[u8]| {
        let mut bytes = [&body, &b"MTSX"[..], trailer].concat();
        let mut crc = Crc32c::new();
        crc.update(&bytes);
        bytes.extend_from_slice(&crc.value().to_le_bytes());
        bytes
    };
    let kind = |trailer: &[u8]| match SessionView::parse(&with_trailer(trailer)) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.kind),
    };
    use DecodeErrorKind as Kind;
    // The smallest there is, and one with an account: user 5, nothing else known.
    assert!(kind(&[1, 0]).is_ok());
    let bytes = with_trailer(&[1, 1, 5, 1, 10, 0, 0, 0, 0]);
    assert_eq!(
        SessionView::parse(&bytes).unwrap().account().user_id,
        Some(5)
    );

    // Sections that may be skipped, one of names and one of a later release.
    let names = [
        1, 7, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, b'h', b'i', 2, 1, 0, b'T',
    ];
    let optional = [&[1, 64, 18][..], &names, &[126, 2, 9, 9, 0]].concat();
    let bytes = with_trailer(&optional);
    let view = SessionView::parse(&bytes).unwrap();
    let found = view.names().iter().next().unwrap();
    assert_eq!((found.id, found.title, found.phone), (7, Some("T"), None));
    assert!(found.usernames().eq(["hi"]) && view.names().iter().count() == 1);
    let again = encode_to_vec(&view).unwrap();
    assert_eq!(SessionView::parse(&again).unwrap().names(), view.names());
    assert_eq!(kind(&[1, 63, 1, 0, 0]).unwrap_err(), Kind::NewerTrailer(63));
    // Every byte of the names is covered by the checksum, and what is malformed is refused.
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert!(SessionView::parse(&damaged).is_err(), "byte {at}");
    }
    for (at, byte) in [(0, 3), (9, 2), (10, 9), (12, 0xFF), (14, 4), (15, 9)] {
        let mut names = names;
        names[at] = byte;
        let section = [&[1, 64, 18][..], &names, &[0]].concat();
        assert_eq!(kind(&section).unwrap_err(), Kind::Trailer, "byte {at}");
    }

    assert_eq!(kind(&[2, 0]).unwrap_err(), Kind::NewerTrailer(2));
    assert_eq!(kind(&[1, 9, 1, 0, 0]).unwrap_err(), Kind::NewerTrailer(9));
    assert_eq!(
        kind(&[1, 0xAC, 2, 0, 0]).unwrap_err(),
        Kind::NewerTrailer(300)
    );
    for malformed in [
        &[1][..],                                           // no end
        &[1, 0, 0],                                         // more after the end
        &[1, 1, 5, 1, 10, 0, 0, 7, 0], // account: a flag that is neither 0 nor 1
        &[1, 1, 6, 1, 10, 0, 0, 0, 0, 0], // account: a byte too many
        &[1, 1, 9, 0],                 // a section longer than the input
        &[1, 2, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], // a channel where the body has room
        &[1, 2, 3, 0, 0, 0, 0],        // a third of a channel
        &[1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0], // no number
    ] {
        assert!(kind(malformed).is_err(), "{malformed:?}");
    }
}

#[test]
fn seventy_thousand_peers_round_trip_through_file_and_string() {
    let session = mtsession_tests::random::sized(5, 70_000, 70_000, 70_000);
    let dir = tempfile::tempdir().unwrap();
    let backend = BinaryFileBackend::new(dir.path().join("large.session"));
    backend.save(&session).unwrap();
    assert!(backend.load().unwrap().unwrap() == session);
    let text = session.to_session_string().unwrap();
    assert!(PersistedSession::from_string(&text).unwrap() == session);
}

#[test]
fn a_native_string_fills_a_buffer_of_its_length() {
    for vector in of_kind("binary") {
        let Some(session) = vector.expect else {
            continue;
        };
        let len = mtsession::codec::text::native_len(&session).unwrap();
        let mut text = vec![0; len];
        let mut free = &mut text[..];
        encode_native(&session, &mut free).unwrap();
        assert!(free.is_empty());
        let mut buffer = vec![0; len];
        let text = str::from_utf8(&text).unwrap();
        let decoded = decode_any(text, &mut buffer).unwrap();
        assert!(matches!(decoded, mtsession::codec::Decoded::Native(view) if view.version() == 8));
    }
}

/// Found by fuzzing: the low byte of the version and three zero bytes of such a home DC look like
/// version 1.
#[test]
fn a_home_dc_that_looks_like_version_1_is_read_back() {
    for home_dc_id in [1 << 24, 7 << 24, -(1 << 24), i32::MIN] {
        let session = PersistedSession {
            home_dc_id,
            ..mtsession_tests::random::sized(2, 3, 1, 1)
        };
        assert_eq!(
            PersistedSession::from_bytes(&session.to_bytes()).unwrap(),
            session
        );
    }
}
