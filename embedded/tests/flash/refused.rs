//! Everything that a region, a session or a change must not be: specific errors, and nothing is written
//! before they come.

use mtsession_core::{Change, Field, FixedSession, Full, Peer, UpdateChange};
use mtsession_embedded::sim::{Chip, ChipError, Dice, Plain, fresh_session};
use mtsession_embedded::{Error, KeyCopies, RegionError, RegionShape, SessionLog, Started};

use crate::common::{formatted, formatted_as, mounted, mounted_as, pull};

/// A small log type.
type Small<F> = SessionLog<F, 1, 2, 2, 0, 64>;

const PAGE: usize = 2048;
const END: u32 = 4 * 2048;

/// Mounts and loads in every way that there is; the first error. Nothing is written.
fn error<const W: usize, const E: usize>(mut chip: Chip<W, E>, end: u32) -> Error<ChipError> {
    let (bytes, counts) = (chip.bytes.clone(), chip.counts);
    let mut log = SessionLog::<_>::new(&mut chip, 0..end);
    let error = log.open().expect_err("no log that can be mounted");
    // Nor does anything else work, or write.
    assert_eq!(log.load(&mut Plain::default()), Err(error));
    assert_eq!(log.append(&Change::HomeDc(3)), Err(error));
    assert_eq!(log.save(&Plain::default()), Err(error));
    assert_eq!(log.maintain(), Err(error));
    drop(log);
    assert_eq!(chip.counts.programs, counts.programs, "{error}");
    assert_eq!(chip.counts.erases, counts.erases, "{error}");
    assert_eq!(chip.bytes, bytes, "{error}");
    error
}

/// A used region on a chip of twice its size.
fn used() -> Chip<4, PAGE> {
    let mut log = formatted(Chip::<4, PAGE>::new(8 * PAGE), 0..END).unwrap();
    let session = fresh_session(&mut Dice::new(1), 2, 12, 15);
    for _ in 0..4 {
        log.save(&session).unwrap();
    }
    pull(log)
}

/// The same region on another chip.
fn other<const W: usize, const E: usize>() -> Chip<W, E> {
    let mut chip = Chip::<W, E>::new(8 * PAGE);
    chip.bytes = used().bytes;
    chip
}

/// Changes both headers of every page.
fn headers(mut chip: Chip<4, PAGE>, change: impl Fn(&mut [u8])) -> Chip<4, PAGE> {
    for page in chip.bytes.chunks_mut(PAGE) {
        change(&mut page[..64]);
        change(&mut page[64..128]);
    }
    chip
}

#[test]
fn a_region_that_is_no_log_is_named_and_left_alone() {
    let blank = Chip::<4, PAGE>::new(8 * PAGE);
    assert_eq!(error(blank.clone(), END), Error::NotFormatted);
    let mut foreign = blank.clone();
    foreign.bytes.fill(0x5A);
    assert_eq!(error(foreign, END), Error::Foreign);
    let mut partly = blank.clone();
    partly.bytes[3 * PAGE] = 0;
    assert_eq!(error(partly, END), Error::Foreign);
    let zeros = headers(blank.clone(), |header| header.fill(0));
    assert_eq!(error(zeros, END), Error::Foreign);

    let newer = headers(used(), |header| header[4] = 3);
    assert_eq!(error(newer, END), Error::NewerFormat { version: 3 });
    let corrupt = headers(used(), |header| header[30] ^= 1);
    assert_eq!(error(corrupt, END), Error::Corrupt);
    let no_magic = headers(used(), |header| header[0] ^= 1);
    assert_eq!(error(no_magic, END), Error::Foreign);
}

#[test]
fn a_log_of_another_geometry_is_named_and_left_alone() {
    // Written for four pages of 2048 bytes in units of 4, and mounted as something else.
    let mounted_as = |pages, page_size, unit| Error::Geometry {
        pages: 4,
        page_size: 2048,
        unit: 4,
        region: RegionShape {
            pages,
            page_size,
            unit,
        },
    };
    for pages in [2, 3, 5, 8] {
        let found = error(used(), u32::from(pages) * 2048);
        assert_eq!(found, mounted_as(pages, 2048, 4));
        let text = found.to_string();
        let numbers = format!("has {pages} of 2048 in units of 4: nothing was changed");
        assert!(
            text.contains("for 4 pages of 2048") && text.contains(&numbers),
            "{text}"
        );
    }
    assert_eq!(error(other::<8, PAGE>(), END), mounted_as(4, 2048, 8));
    assert_eq!(error(other::<32, PAGE>(), END), mounted_as(4, 2048, 32));
    assert_eq!(error(other::<4, 1024>(), END), mounted_as(8, 1024, 4));
    assert_eq!(error(other::<4, 4096>(), END), mounted_as(2, 4096, 4));
    // Program units up to 4 are written alike.
    let mut log = mounted(other::<1, PAGE>(), 0..END).unwrap();
    assert!(log.load(&mut Plain::default()).unwrap());
}

#[test]
fn a_region_that_cannot_hold_a_log_is_refused() {
    for (start, end, wrong) in [
        (0, 0, RegionError::TooSmall),
        (0, 2048, RegionError::TooSmall),
        (0, 5000, RegionError::NotAligned),
        (100, 8292, RegionError::NotAligned),
        (4096, 2048, RegionError::NotAligned),
        (u32::MAX - 4095, u32::MAX, RegionError::NotAligned),
        (0, 1 << 22, RegionError::TooLarge),
    ] {
        let mut chip = used();
        let counts = chip.counts;
        let mounted = mounted_as::<_, 1, 2, 2, 0, 64>(&mut chip, start..end).map(drop);
        assert_eq!(mounted, Err(Error::Region(wrong)), "{start}..{end}");
        let formatted = formatted_as::<_, 1, 2, 2, 0, 64>(&mut chip, start..end).map(drop);
        assert_eq!(formatted, Err(Error::Region(wrong)), "{start}..{end}");
        assert_eq!(chip.counts, counts, "not even read");
    }
}

#[test]
fn a_session_that_is_too_large_for_its_reader_is_left_alone() {
    let mut chip = used();
    let (bytes, counts) = (chip.bytes.clone(), chip.counts);
    let mut log = Small::new(&mut chip, 0..END);
    let full = Err(Error::Capacity(Field::Dcs));
    assert_eq!(log.open(), full.map(|()| Started::Mounted));
    let result = log.load(&mut Plain::default());
    assert_eq!(result, full.map(|()| true));
    // Nor does anything else write to a log that it cannot read.
    let change = Change::HomeDc(3);
    assert_eq!(log.append(&change), full);
    assert_eq!(log.apply(&[change, change]), full);
    let session = FixedSession::<1, 1, 1, 0, 0>::new();
    assert_eq!(log.save(&session), full);
    assert_eq!(log.delete(), full);
    assert_eq!(log.maintain(), full);
    assert_eq!(log.stats().map(drop), full);
    let mut log = mounted(&mut chip, 0..END).unwrap();
    let mut small = FixedSession::<1, 32, 64, 0, 0>::new();
    let result = log.load(&mut small);
    assert_eq!(result, Err(Error::Session(Full(Field::Dcs))));
    assert_eq!(chip.bytes, bytes);
    assert_eq!(
        (chip.counts.programs, chip.counts.erases),
        (counts.programs, counts.erases)
    );
}

#[test]
fn refuses_before_it_writes() {
    let end = 2 * 2048;
    let mut log =
        formatted_as::<_, 1, 2, 2, 0, 64>(Chip::<4, PAGE>::new(2 * PAGE), 0..end).unwrap();
    let mut dice = Dice::new(1);
    let session = fresh_session(&mut dice, 1, 2, 2);
    log.save(&session).unwrap();
    let counts = log.chip().counts;
    let peer = Peer {
        id: 1,
        ..Peer::default()
    };
    let refused = log.append(&Change::Peer(peer));
    assert_eq!(refused, Err(Error::Capacity(Field::Peers)));
    let channel = UpdateChange::Channel { id: 1, pts: 1 };
    let refused = log.append(&Change::Update(channel));
    assert_eq!(refused, Err(Error::Capacity(Field::Channels)));
    let refused = log.append(&Change::FutureAuthToken(Some(&[1; 65])));
    assert_eq!(refused, Err(Error::RecordTooLarge(Field::Token)));
    let batch = vec![Change::FutureAuthToken(Some(&[1; 65])); 4];
    assert_eq!(log.apply(&batch), Err(Error::RecordTooLarge(Field::Token)));
    assert_eq!(
        log.set_key_copies(KeyCopies::Two),
        Err(Error::NeedsThreePages)
    );
    let large = fresh_session(&mut dice, 2, 2, 2);
    assert_eq!(log.save(&large), Err(Error::Capacity(Field::Dcs)));
    let now = log.chip().counts;
    assert_eq!((now.programs, now.erases), (counts.programs, counts.erases));
}
