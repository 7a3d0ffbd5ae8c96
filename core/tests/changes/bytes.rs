//! The bytes of changes, which are a disk format.

use mtsession_core::{
    Account, Change, ChannelKind, Counters, DcFlags, DcRef, DcSlot, DecodeErrorKind, EntryKey,
    LoginState, MinPeer, NamesOf, Peer, PeerKey, PeerKind, UpdateChange,
};

use crate::{SLOT, dc};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes that are on disks already: where one of these tests fails, a format was changed.
fn assert_bytes(cases: &[(Change<'_>, &str)]) {
    for (change, expected) in cases {
        let expected = expected.replace(' ', "");
        let mut buffer = [0; 400];
        let bytes = change.encode(&mut buffer).unwrap();
        assert_eq!(hex(bytes), expected, "{change:?}");
        assert_eq!(Change::decode(bytes), Ok((*change, &[][..])), "{change:?}");
        for cut in 0..bytes.len() {
            assert!(Change::decode(&bytes[..cut]).is_err(), "{change:?}");
        }
    }
}

#[test]
fn the_bytes_of_dcs_stay_as_they_are() {
    let dc_bytes = format!(
        "0104123134392e3135342e3136372e35313a343433018002{}060110",
        "09".repeat(256)
    );
    assert_bytes(&[
        (Change::HomeDc(-2), "0003"),
        (Change::Dc(dc()), &dc_bytes),
        (Change::Dc(DcRef::new(4, "")), "010800000000 00"),
    ]);
}

#[test]
fn the_bytes_of_update_states_stay_as_they_are() {
    let counters = Counters {
        pts: 1,
        qts: -1,
        date: 2,
        seq: 300,
    };
    assert_bytes(&[
        (
            Change::Update(UpdateChange::Counters(counters)),
            "0200020104d804",
        ),
        (
            Change::Update(UpdateChange::Primary {
                pts: 1,
                date: 2,
                seq: 3,
            }),
            "0201020406",
        ),
        (Change::Update(UpdateChange::Secondary { qts: 3 }), "020206"),
        (
            Change::Update(UpdateChange::Channel { id: 1, pts: 2 }),
            "02030204",
        ),
        (Change::Update(UpdateChange::ClearChannels), "0204"),
        (
            Change::Update(UpdateChange::PushChannel { id: 1, pts: 2 }),
            "02050204",
        ),
    ]);
}

#[test]
fn the_bytes_of_peers_and_accounts_stay_as_they_are() {
    let account = Account {
        user_id: Some(777),
        is_bot: Some(true),
        api_id: None,
        test_mode: Some(false),
    };
    let channel = Peer::channel(5, -6, Some(ChannelKind::Megagroup));
    let community = Peer {
        is_community: true,
        ..Peer::user(5, 6)
    };
    assert_bytes(&[
        (Change::Peer(channel), "030a0b01010100"),
        (Change::Peer(community), "030a0c000001"),
        (
            Change::MinPeer(MinPeer {
                user_id: 1,
                peer_id: 2,
                msg_id: 3,
            }),
            "04020406",
        ),
        (Change::FutureAuthToken(Some(&[1, 2])), "0501020102"),
        (Change::FutureAuthToken(None), "0500"),
        (Change::Account(account), "0601920c0101000100"),
    ]);
}

#[test]
fn the_bytes_of_names_and_login_states_stay_as_they_are() {
    let names = NamesOf::new(5, PeerKind::Chat)
        .with_usernames(&["ab", "c"])
        .with_phone(Some("12"))
        .with_title(Some("T"));
    assert_bytes(&[
        (
            Change::Names(names),
            "0719 02 0500000000000000 02 02006162 010063 03 02003132 010054",
        ),
        (
            Change::Names(NamesOf::new(-1, PeerKind::User)),
            "070b 00 ffffffffffffffff 00 00",
        ),
        (Change::LoginState(LoginState::Active), "0800"),
        (
            Change::LoginState(LoginState::Revoked { at: 1, error: "E" }),
            "0801020145",
        ),
        (
            Change::LoginState(LoginState::Moving { at: 1, to: "a:" }),
            "08020202613a",
        ),
        (
            Change::LoginState(LoginState::Moved { at: 1, to: "" }),
            "08030200",
        ),
    ]);
}

#[test]
fn the_bytes_of_salts_and_what_is_forgotten_stay_as_they_are() {
    let key = PeerKey::new(PeerKind::Channel, false, 5);
    let community = PeerKey::new(PeerKind::User, true, 5);
    assert_bytes(&[
        (
            Change::Salt {
                dc: DcSlot::new(2, DcFlags::MEDIA_ONLY),
                first_salt: 5,
                time_offset: -1,
            },
            "0904020a01",
        ),
        (Change::Forget(EntryKey::Dc(SLOT)), "0a000400"),
        (Change::Forget(EntryKey::Channel(7)), "0a010e"),
        (Change::Forget(EntryKey::Peer(key)), "0a0201000a"),
        (Change::Forget(EntryKey::Peer(community)), "0a0200010a"),
        (Change::Forget(EntryKey::MinPeer(1)), "0a0302"),
    ]);
}

#[test]
fn a_change_of_an_unknown_number_is_named_as_a_newer_releases() {
    for (bytes, number) in [(&[11][..], 11), (&[0x7F, 1, 2], 127), (&[0x80, 1], 128)] {
        let error = Change::decode(bytes).unwrap_err();
        assert_eq!(error.kind, DecodeErrorKind::NewerChange(number));
        assert!(error.to_string().ends_with("written by a newer release"));
    }
    assert_eq!(
        Change::decode(&[2, 6]).unwrap_err().kind,
        DecodeErrorKind::Change
    );
}
