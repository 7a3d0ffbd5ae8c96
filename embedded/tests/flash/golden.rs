//! Images of every format, as a release wrote them: whatever becomes of the code, it reads them. See
//! `tests/images/README.md`.

mod make;

use mtsession_core::{Account, ChannelPts, Counters, DcFlags, Peer, UpdateChange};
use mtsession_embedded::Error;
use mtsession_embedded::image::{self, Layout};
use mtsession_embedded::sim::{Call, Chip, Cut, OwnedChange, OwnedDc, Plain, Tear};

use crate::common::{Log, load, mount, pull, run};

const PAGE: usize = 1024;
const SIZE: usize = 6 * PAGE;

/// What the images hold. Not made by anything that may change.
fn session() -> Plain {
    Plain {
        home_dc_id: 2,
        counters: Counters {
            pts: 9_500,
            qts: 77,
            date: 1_750_001_500,
            seq: 375,
        },
        account: Account {
            user_id: Some(5_000_000_777),
            is_bot: Some(true),
            ..Account::default()
        },
        token: Some(b"future auth token".to_vec()),
        dcs: vec![dc(1, 40), dc(2, 2)],
        channels: vec![
            channel(1_500_000_001, 100_300),
            channel(1_500_000_002, 2_000_000_000),
            channel(1_500_000_003, 3),
        ],
        peers: (1..=4).map(|id| peer(id, id * 0x0102_0304_0506)).collect(),
        min_peers: Vec::new(),
    }
}

fn dc(dc_id: i32, key: u8) -> OwnedDc {
    OwnedDc {
        dc_id,
        addr: format!("149.154.167.{dc_id}:443"),
        auth_key: Some(core::array::from_fn(|n| (n as u8).wrapping_mul(7) ^ key)),
        first_salt: -5,
        time_offset: 3,
        flags: DcFlags::NONE,
    }
}

fn channel(id: i64, pts: i32) -> ChannelPts {
    ChannelPts { id, pts }
}

fn peer(id: i64, access_hash: i64) -> Peer {
    Peer {
        id,
        access_hash,
        ..Peer::default()
    }
}

/// What an image reads as.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Whole,
    /// The power was lost while a DC entry got another key.
    Torn,
    /// Of one key a copy is bad, and the record of a peer, which has none.
    Rotten,
}

const KINDS: [(Kind, &str); 3] = [
    (Kind::Whole, "whole"),
    (Kind::Torn, "torn"),
    (Kind::Rotten, "rotten"),
];

impl Kind {
    fn session(self) -> Plain {
        let mut session = session();
        if self == Self::Rotten {
            session.peers.remove(1);
        }
        session
    }
}

/// The bytes of one image: a section holds what is not as in the one before, or not blank.
fn bytes(text: &str, kind: Kind) -> Vec<u8> {
    bytes_of(SIZE, text, kind)
}

fn bytes_of(size: usize, text: &str, kind: Kind) -> Vec<u8> {
    let mut bytes = vec![0xFF; size];
    let mut is_wanted = false;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[') {
            let section = KINDS
                .iter()
                .find(|(_, known)| name.strip_suffix(']') == Some(known));
            let (section, _) = section.expect("a section that is known");
            is_wanted = matches!(section, Kind::Whole) || *section == kind;
        } else if is_wanted {
            let (at, hex) = line.split_once(": ").unwrap();
            let at = usize::from_str_radix(at, 16).unwrap();
            for n in 0..hex.len() / 2 {
                bytes[at + n] = u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap();
            }
        }
    }
    bytes
}

fn text(unit: usize) -> &'static str {
    match unit {
        1 => include_str!("../images/format-1-unit-1.txt"),
        2 => include_str!("../images/format-1-unit-2.txt"),
        4 => include_str!("../images/format-1-unit-4.txt"),
        8 => include_str!("../images/format-1-unit-8.txt"),
        16 => include_str!("../images/format-1-unit-16.txt"),
        _ => include_str!("../images/format-1-unit-32.txt"),
    }
}

fn text_2(unit: usize) -> &'static str {
    match unit {
        1 => include_str!("../images/format-2-unit-1.txt"),
        2 => include_str!("../images/format-2-unit-2.txt"),
        4 => include_str!("../images/format-2-unit-4.txt"),
        8 => include_str!("../images/format-2-unit-8.txt"),
        16 => include_str!("../images/format-2-unit-16.txt"),
        _ => include_str!("../images/format-2-unit-32.txt"),
    }
}

fn reads<const W: usize>(text: &str) {
    for (kind, name) in KINDS {
        let image = bytes(text, kind);
        let layout = Layout {
            write: W,
            erase: PAGE,
        };
        let mut found = Plain::default();
        let report = image::load(&image, layout, &mut found).unwrap();
        assert!(report.present);
        // The last entry of a list takes the place of one that is lost.
        found.peers.sort_by_key(|peer| peer.id);
        assert_eq!(found, kind.session(), "unit {W}, {name}");
        assert_eq!(
            report.stats.damaged > 0,
            kind == Kind::Rotten,
            "unit {W}, {name}"
        );

        // And goes on.
        let mut log = mount(Chip::<W, PAGE>::with(&image)).unwrap();
        let mut now = load(&mut log).unwrap();
        let mut sorted = now.clone().unwrap();
        sorted.peers.sort_by_key(|peer| peer.id);
        assert_eq!(sorted, kind.session(), "unit {W}, {name}");
        for pts in 9_501..10_500 {
            let call = Call::Append(primary(pts));
            run(&mut log, &call).unwrap();
            call.carry_out(&mut now);
        }
        assert_eq!(log.chip().violations, 0);
        let found = load(&mut mount(pull(log)).unwrap()).unwrap();
        assert_eq!(found, now, "unit {W}, {name}");
    }
}

#[test]
fn images_of_format_1_are_read_for_every_program_unit() {
    reads::<1>(text(1));
    reads::<2>(text(2));
    reads::<4>(text(4));
    reads::<8>(text(8));
    reads::<16>(text(16));
    reads::<32>(text(32));
}

#[test]
fn images_of_format_2_are_read_for_every_program_unit() {
    reads::<1>(text_2(1));
    reads::<2>(text_2(2));
    reads::<4>(text_2(4));
    reads::<8>(text_2(8));
    reads::<16>(text_2(16));
    reads::<32>(text_2(32));
}

/// Logs of format 1 had up to 255 pages, those of this one have up to 126: a computer reads them, a device leaves
/// them as they are.
#[test]
fn an_image_of_format_1_with_more_pages_than_a_log_has_now_is_read_on_a_computer() {
    const PAGES: usize = 200;
    let text = include_str!("../images/format-1-200-pages.txt");
    let image = bytes_of(PAGES * PAGE, text, Kind::Whole);
    let layout = Layout {
        write: 4,
        erase: PAGE,
    };
    let mut found = Plain::default();
    assert!(image::load(&image, layout, &mut found).unwrap().present);
    assert_eq!(found, session());
    let place = image::find(&image, None).unwrap();
    assert_eq!((place.region, place.layout), (0..image.len(), layout));

    let made = image::provision(image.len(), layout, &found).unwrap();
    let mut again = Plain::default();
    assert!(image::load(&made, layout, &mut again).unwrap().present);
    assert_eq!(again, found);

    let mut log = Log::new(Chip::<4, PAGE>::with(&image), 0..(PAGES * PAGE) as u32);
    let error = log.mount_or_format().unwrap_err();
    assert_eq!(error, Error::OlderFormat { version: 1 });
    assert_eq!(log.append(&primary(9_501).as_ref()).unwrap_err(), error);
    assert_eq!(pull(log).bytes, image);
}

/// Calls with a log of format 1, with the power cut at every `stride`th step of them. How many cuts there were.
fn survives<const W: usize>(calls: &[Call], stride: usize) -> u32 {
    let mut cuts = 0;
    for after in (0_u64..).step_by(stride) {
        let image = bytes(text(W), Kind::Whole);
        let mut log = mount(Chip::<W, PAGE>::with(&image)).unwrap();
        let mut known = load(&mut log).unwrap();
        let tear = Tear::new((after % 6) as u8, (after % 8) as u8);
        log.chip().cut(Cut { after, tear }, after);
        let mut left = calls;
        while let [call, rest @ ..] = left {
            if run(&mut log, call).is_err() {
                break;
            }
            call.carry_out(&mut known);
            left = rest;
        }
        let mut chip = pull(log);
        if !chip.power_up() {
            assert_eq!(load(&mut mount(chip).unwrap()).unwrap(), known);
            return cuts;
        }
        cuts += 1;
        let mut log = mount(chip).unwrap();
        let found = load(&mut log).unwrap();
        let mut with = known.clone();
        left[0].carry_out(&mut with);
        assert!(
            found == known || found == with,
            "unit {W}, step {after}, {:?}: {found:?}, not {known:?} nor {with:?}",
            left[0]
        );
        known = found;
        for call in left {
            run(&mut log, call).unwrap();
            call.carry_out(&mut known);
        }
        assert_eq!(load(&mut mount(pull(log)).unwrap()).unwrap(), known);
    }
    cuts
}

#[test]
fn a_log_of_format_1_goes_on_as_format_2_and_no_cut_loses_anything() {
    let mut other = session();
    other.dcs.truncate(1);
    other.peers.truncate(2);
    let batch = vec![primary(20_000), OwnedChange::Peer(peer(9, 9))];
    let starts = [
        Call::Append(primary(9_501)),
        Call::Append(OwnedChange::Dc(dc(2, 90))),
        Call::Append(OwnedChange::Update(UpdateChange::ClearChannels)),
        Call::Apply(batch),
        Call::Save(other),
        Call::Maintain,
        Call::Delete,
    ];
    let mut cuts = 0;
    for call in starts {
        cuts += survives::<1>(core::slice::from_ref(&call), 23);
        cuts += survives::<8>(core::slice::from_ref(&call), 3);
        cuts += survives::<32>(core::slice::from_ref(&call), 1);
    }
    // Until no page of format 1 is left.
    let updates: Vec<_> = (9_501..10_500)
        .map(|pts| Call::Append(primary(pts)))
        .collect();
    cuts += survives::<1>(&updates, 911);
    cuts += survives::<8>(&updates, 113);
    cuts += survives::<32>(&updates, 97);
    println!("{cuts} cuts");
}

fn primary(pts: i32) -> OwnedChange {
    OwnedChange::Update(UpdateChange::Primary {
        pts,
        date: 1_750_000_000 + pts - 8_000,
        seq: pts / 4 - 2_000,
    })
}
