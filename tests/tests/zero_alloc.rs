//! The codec allocates nothing, and std decoding no more than what it returns.

use allocation_counter::measure;
use mtsession::PersistedSession;
use mtsession::codec::text::{CompactSession, decode_any, encode_native, native_len};
use mtsession::codec::wire::{encode_body_to_slice, encode_to_slice};
use mtsession::codec::{
    Account, Change, FixedSession, Names, NamesOf, Peer, PeerKind, SessionMut, SessionSource,
    SessionView, UpdateChange, encoded_len,
};
use mtsession_tests::random::sized;

type Device = FixedSession<6, 32, 64, 16, 64>;

fn assert_none(what: &str, f: impl FnOnce()) {
    let info = measure(f);
    assert_eq!(
        info.count_total, 0,
        "{what} allocated {} bytes",
        info.bytes_total
    );
}

/// The counter itself must count.
#[test]
fn the_counter_counts() {
    assert_eq!(measure(|| drop(vec![1_u8; 10])).count_total, 1);
}

#[test]
fn nothing_is_allocated_by_the_codec() {
    let session = sized(5, 60, 30, 10);
    let bytes = session.to_bytes();
    let mut buffer = vec![0; 2 * bytes.len()];
    let mut device = Device::new();

    assert_none("parse", || {
        let view = SessionView::parse(&bytes).unwrap();
        assert_eq!(view.peers().map(|peer| peer.id).max(), Some(1_000_059));
        assert_eq!(view.stats().peers, 60);
    });
    assert_none("copy", || {
        device
            .copy_from(&SessionView::parse(&bytes).unwrap())
            .unwrap();
    });
    assert_none("apply", || {
        let changes = [
            Change::HomeDc(4),
            Change::Update(UpdateChange::Primary {
                pts: 1,
                date: 2,
                seq: 3,
            }),
            Change::Update(UpdateChange::Channel { id: 1, pts: 2 }),
            Change::Peer(Peer {
                id: 7,
                ..Peer::default()
            }),
        ];
        for change in &changes {
            let mut record = [0; 64];
            let record = change.encode(&mut record).unwrap();
            device.apply(&Change::decode(record).unwrap().0).unwrap();
        }
    });
    assert_none("encode", || {
        encode_to_slice(&device, &mut buffer).unwrap();
        encode_body_to_slice(&session, &mut buffer).unwrap();
        assert!(encoded_len(&session).unwrap() > 0);
    });
}

#[test]
fn nothing_is_allocated_by_strings_and_names() {
    let session = sized(5, 60, 30, 10);
    let mut buffer = vec![0; 2 * session.to_bytes().len()];
    let mut text = vec![0; native_len(&session).unwrap()];

    assert_none("a native string", || {
        let mut free = &mut text[..];
        encode_native(&session, &mut free).unwrap();
    });
    let native = String::from_utf8(text).unwrap();
    assert_none("reading a native string", || {
        assert_eq!(decode_any(&native, &mut buffer).unwrap().home_dc_id(), 2);
    });
    assert_none("names", || {
        let mut block = [0; 64];
        let mut free = &mut block[..];
        let alice = NamesOf::new(1_000_059, PeerKind::User).with_phone(Some("15550001000"));
        alice.encode(["alice", "a"].into_iter(), &mut free).unwrap();
        let left = free.len();
        let names = Names::parse(&block[..block.len() - left]).unwrap();
        let session = session.with_account(Account::default()).with_names(names);
        let encoded = encode_to_slice(&session, &mut buffer).unwrap();
        let view = SessionView::parse(encoded).unwrap();
        assert_eq!(view.names(), names);
        let usernames = view.names().iter().map(|names| names.usernames().len());
        assert_eq!(usernames.sum::<usize>(), 2);
    });
    let account = Account {
        user_id: Some(5),
        ..Default::default()
    };
    let mut compact = [0; 512];
    assert_none("a compact string", || {
        let session = CompactSession::from_source(&session.with_account(account)).unwrap();
        let mut free = &mut compact[..];
        session.encode(&mut free).unwrap();
        let left = free.len();
        let text = str::from_utf8(&compact[..512 - left]).unwrap();
        decode_any(text, &mut buffer).unwrap();
    });
}

/// Hostile counts promise much and bring nothing: memory follows the input's length.
#[test]
fn memory_is_bounded_by_the_input() {
    // Version 8, no DCs, and then counts of 65,535 after which nothing comes.
    let mut hostile = vec![0; 24];
    hostile[0] = 8;
    hostile[1] = 1;
    hostile[22..24].copy_from_slice(&[0xFF, 0xFF]);
    let info = measure(|| assert!(PersistedSession::from_bytes(&hostile).is_err()));
    assert!(
        info.bytes_max < 1024,
        "{} bytes for an input of 24",
        info.bytes_max
    );

    let large = sized(10, 60_000, 1_000, 5_000);
    let bytes = large.to_bytes();
    let info = measure(|| drop(PersistedSession::from_bytes(&bytes).unwrap()));
    let bound = 2 * u64::try_from(bytes.len()).unwrap();
    assert!(
        info.bytes_max < bound,
        "{} bytes for {}",
        info.bytes_max,
        bytes.len()
    );
    assert!(info.count_total < 40, "{} allocations", info.count_total);

    let info = measure(|| drop(large.to_bytes()));
    assert_eq!(
        info.count_total, 1,
        "encoding into a list takes it once, at its final size"
    );
}
