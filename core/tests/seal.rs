//! Boxes and headers of sealed sessions.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "tests"
)]

use mtsession_core::seal::{
    BOX_OVERHEAD, BoxKey, Generation, HEADER_MAC_LEN, Header, HeaderFields, KeySlot, MAX_SLOTS,
    NONCE_LEN, SALT_LEN, SealedKind, StoreId, SyntheticBoxKey, WRAPPED_LEN, put_header,
};
use mtsession_core::{DecodeErrorKind, NewerForm, SealedFile, SessionBytes};

fn hex(bytes: &[u8]) -> String {
    use core::fmt::Write as _;

    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn counting<const N: usize>() -> [u8; N] {
    core::array::from_fn(|at| u8::try_from(at % 256).unwrap())
}

fn text(len: usize) -> Vec<u8> {
    (0..len)
        .map(|at| u8::try_from(7 * at % 256).unwrap())
        .collect()
}

fn room_for(text: &[u8]) -> Vec<u8> {
    let mut buffer = vec![0; NONCE_LEN];
    buffer.extend_from_slice(text);
    buffer.resize(buffer.len() + BOX_OVERHEAD - NONCE_LEN, 0);
    buffer
}

fn sealed(text: &[u8]) -> Vec<u8> {
    let mut buffer = room_for(text);
    BoxKey::new(counting()).seal(&[0x24; NONCE_LEN], b"body", &mut buffer);
    buffer
}

/// The same numbers are computed by `tests/sealing/check.py`, from two other libraries.
#[test]
fn boxes_are_those_of_other_libraries() {
    let text = text(300);
    let mut synthetic = room_for(&text);
    let ad = b"flash\x00\x03";
    SyntheticBoxKey::new(&counting()).seal(ad, &mut synthetic);
    assert_eq!(
        hex(&synthetic),
        include_str!("../../tests/sealing/synthetic.hex").trim()
    );

    let random = sealed(&text[..20]);
    assert_eq!(
        hex(random.get(NONCE_LEN..).unwrap()),
        include_str!("../../tests/sealing/box.hex").trim()
    );
}

#[test]
fn a_box_opens_where_it_was_sealed_and_nowhere_else() {
    let key = BoxKey::new(counting());
    let good = sealed(b"one two three");
    assert_eq!(
        key.open(b"body", &mut good.clone()).unwrap(),
        b"one two three"
    );
    assert!(key.open(b"tail", &mut good.clone()).is_err());
    assert!(
        BoxKey::new([1; 32])
            .open(b"body", &mut good.clone())
            .is_err()
    );
    for bit in 0..good.len() * 8 {
        let mut changed = good.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(key.open(b"body", &mut changed).is_err(), "bit {bit}");
    }
    for len in 0..good.len() {
        assert!(key.open(b"body", &mut good[..len].to_vec()).is_err());
    }
}

#[test]
fn a_synthetic_nonce_repeats_only_with_its_text_its_place_and_its_key() {
    let region = StoreId::new([1; 16]);
    let nonce = |device: u8, region: &StoreId, ad: &[u8], text: &[u8]| {
        let key = SyntheticBoxKey::for_region(&[device; 32], region);
        let mut buffer = room_for(text);
        key.seal(ad, &mut buffer);
        assert_eq!(key.open(ad, &mut buffer.clone()).unwrap(), text);
        buffer[..NONCE_LEN].to_vec()
    };
    let first = nonce(1, &region, b"a", b"text");
    assert_eq!(first, nonce(1, &region, b"a", b"text"));
    for other in [
        nonce(2, &region, b"a", b"text"),
        nonce(1, &StoreId::new([2; 16]), b"a", b"text"),
        nonce(1, &region, b"b", b"text"),
        nonce(1, &region, b"a", b"texu"),
        // Where one ends and the other begins is hashed as well.
        nonce(1, &region, b"a\0", b"text"),
        nonce(1, &region, b"a", b"text\0"),
        nonce(1, &region, b"at", b"ext"),
    ] {
        assert_ne!(first, other);
    }
}

const FIELDS: HeaderFields<'static> = HeaderFields {
    kind: SealedKind::File,
    store: StoreId::new([3; 16]),
    generation: Generation::new(9),
    name: "alice",
};

fn header(slots: &[KeySlot<'_>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let Ok(()) = put_header(&FIELDS, slots, &mut bytes);
    bytes.extend_from_slice(&[0x4D; HEADER_MAC_LEN]);
    bytes
}

#[test]
fn a_header_says_what_was_written() {
    let (salt, wrapped) = (&[5; SALT_LEN], &[6; WRAPPED_LEN]);
    let slots = [
        KeySlot::new(KeySlot::RAW, b"", salt, wrapped),
        KeySlot::new(99, &[7; 1024], salt, wrapped),
    ];
    let mut bytes = header(&slots);
    let len = bytes.len();
    bytes.extend_from_slice(b"what follows");
    let read = Header::first(&bytes).unwrap();
    assert_eq!(read.fields(), FIELDS);
    assert_eq!(read.slots().collect::<Vec<_>>(), slots);
    assert_eq!(read.bytes(), &bytes[..len]);
    assert_eq!(read.parts().1, [0x4D; HEADER_MAC_LEN]);
    for cut in 0..len {
        assert!(Header::first(&bytes[..cut]).is_err(), "{cut}");
    }
}

#[test]
fn a_header_that_makes_no_sense_is_refused() {
    let (salt, wrapped) = (&[5; SALT_LEN], &[6; WRAPPED_LEN]);
    let slot = KeySlot::new(KeySlot::RAW, b"", salt, wrapped);
    let kind = |bytes: &[u8]| Header::first(bytes).unwrap_err().kind;

    assert_eq!(kind(&header(&[])), DecodeErrorKind::SealedHeader);
    assert!(Header::first(&header(&[slot; MAX_SLOTS])).is_ok());
    let mut too_many = header(&[slot; MAX_SLOTS]);
    let count_at = 5 + 2 + 16 + 8 + 1 + "alice".len();
    too_many[count_at] += 1;
    assert_eq!(kind(&too_many), DecodeErrorKind::SealedHeader);

    let good = header(&[slot]);
    let with = |at: usize, byte: u8| {
        let mut changed = good.clone();
        changed[at] = byte;
        kind(&changed)
    };
    assert_eq!(with(5, 2), DecodeErrorKind::NewerForm(NewerForm::Sealed));
    assert_eq!(with(6, 200), DecodeErrorKind::SealedHeader);
    assert_eq!(with(0, b'N'), DecodeErrorKind::SealedHeader);
    // A slot that says that it has more parameters than any.
    assert_eq!(with(count_at + 3, 0xFF), DecodeErrorKind::SealedHeader);
}

#[test]
fn a_sealed_file_is_one_and_is_told_by_its_checksum_when_it_was_damaged() {
    let slot = KeySlot::new(KeySlot::RAW, b"", &[5; SALT_LEN], &[6; WRAPPED_LEN]);
    let mut bytes = header(&[slot]);
    let body = sealed(b"snapshot");
    bytes.extend_from_slice(&u32::try_from(body.len()).unwrap().to_le_bytes());
    bytes.extend_from_slice(&body);
    let mut crc = mtsession_core::wire::Crc32c::new();
    crc.update(&bytes);
    bytes.extend_from_slice(&crc.value().to_le_bytes());
    let SessionBytes::Sealed(file) = SessionBytes::parse(&bytes).unwrap() else {
        panic!("it is plain");
    };
    assert_eq!(file.body(), sealed(b"snapshot"));
    assert_eq!(file.header().fields(), FIELDS);
    assert!(file.tail_header().is_none());
    assert_eq!(
        mtsession_core::PlainFile::parse(&bytes).unwrap_err().kind,
        DecodeErrorKind::Sealed
    );
    assert_eq!(
        mtsession_core::SessionView::parse(&bytes).unwrap_err().kind,
        DecodeErrorKind::Sealed
    );
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(SealedFile::parse(&changed).is_err(), "bit {bit}");
    }
}
