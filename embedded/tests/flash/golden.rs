//! Images of format 1, as a release wrote them: whatever becomes of the code, it reads them. See
//! `tests/images/README.md`.

use core::fmt::Write;

use mtsession_core::{Account, ChannelPts, Counters, DcFlags, Peer, UpdateChange};
use mtsession_embedded::KeyCopies;
use mtsession_embedded::image::{self, Layout};
use mtsession_embedded::sim::{Call, Chip, OwnedChange, OwnedDc, Plain};

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
    let mut bytes = vec![0xFF; SIZE];
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

fn reads<const W: usize>() {
    for (kind, name) in KINDS {
        let image = bytes(text(W), kind);
        let layout = Layout {
            write: W,
            erase: PAGE,
        };
        let mut found = Plain::default();
        let report = image::load(&image, layout, &mut found).unwrap();
        assert!(report.present);
        assert_eq!(found, kind.session(), "unit {W}, {name}");
        assert_eq!(
            report.stats.damaged > 0,
            kind == Kind::Rotten,
            "unit {W}, {name}"
        );

        // And goes on.
        let mut log = mount(Chip::<W, PAGE>::with(&image)).unwrap();
        let mut now = load(&mut log).unwrap();
        assert_eq!(now.as_ref(), Some(&kind.session()), "unit {W}, {name}");
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
    reads::<1>();
    reads::<2>();
    reads::<4>();
    reads::<8>();
    reads::<16>();
    reads::<32>();
}

fn primary(pts: i32) -> OwnedChange {
    OwnedChange::Update(UpdateChange::Primary {
        pts,
        date: 1_750_000_000 + pts - 8_000,
        seq: pts / 4 - 2_000,
    })
}

/// Writes an image: a save, many laps of delta records of all sizes, second copies of keys, a batch, and
/// a start.
fn made<const W: usize>() -> Log<W, PAGE> {
    let end = u32::try_from(SIZE).unwrap();
    let mut log = Log::<W, PAGE>::format(Chip::new(SIZE), 0..end).unwrap();
    log.set_key_copies(KeyCopies::Two).unwrap();
    let mut first = session();
    first.counters.pts = 8_000;
    first.counters.date = 1_750_000_000;
    first.counters.seq = 0;
    first.dcs[0] = dc(1, 1);
    first.token = None;
    first.channels[0].pts = 100_000;
    first.channels[1].pts = 1;
    first.channels.pop();
    first.peers.pop();
    log.save(&first).unwrap();
    let channel = |id, pts| OwnedChange::Update(UpdateChange::Channel { id, pts });
    for n in 1..=1_400 {
        let change = primary(8_000 + n);
        log.append(&change.as_ref()).unwrap();
        if n % 5 == 0 {
            log.append(&channel(1_500_000_001, 100_000 + n / 5).as_ref())
                .unwrap();
        }
    }
    log.append(&channel(1_500_000_002, 2_000_000_000).as_ref())
        .unwrap();
    let dc = OwnedChange::Dc(dc(1, 40));
    let token = OwnedChange::Token(Some(b"future auth token".to_vec()));
    log.append(&dc.as_ref()).unwrap();
    log.maintain().unwrap();
    let [new, peer] = [
        channel(1_500_000_003, 2),
        OwnedChange::Peer(session().peers[3]),
    ];
    log.apply(&[new.as_ref(), token.as_ref(), peer.as_ref()])
        .unwrap();
    let mut log = mount(pull(log)).unwrap();
    for n in 1_401..=1_500 {
        log.append(&primary(8_000 + n).as_ref()).unwrap();
        if n % 5 == 0 {
            log.append(&channel(1_500_000_001, 100_000 + n / 5).as_ref())
                .unwrap();
        }
    }
    log.append(&channel(1_500_000_003, 3).as_ref()).unwrap();
    assert!(log.chip().erases.iter().all(|erases| *erases > 1), "laps");
    log
}

/// Lines for what is different.
fn section(name: &str, from: &[u8], to: &[u8]) -> String {
    let mut text = format!("[{name}]\n");
    for (n, (from, to)) in from.chunks(32).zip(to.chunks(32)).enumerate() {
        if from != to {
            write!(text, "{:04x}: ", n * 32).unwrap();
            for byte in to {
                write!(text, "{byte:02x}").unwrap();
            }
            text.push('\n');
        }
    }
    text
}

fn make<const W: usize>() {
    let path = format!(
        "{}/tests/images/format-1-unit-{W}.txt",
        env!("CARGO_MANIFEST_DIR")
    );
    if std::fs::metadata(&path).is_ok_and(|found| found.len() > 0) {
        println!("{path} is there already and stays");
        return;
    }
    let mut log = made::<W>();
    assert_eq!(load(&mut log).unwrap(), Some(session()));
    let whole = pull(log);

    let mut log = mount(whole.clone()).unwrap();
    let change = OwnedChange::Dc(dc(2, 90));
    let tear = mtsession_embedded::sim::Tear::new(1, 0);
    let steps = if W < 4 { 300 } else { 900 / W.max(8) };
    let cut = mtsession_embedded::sim::Cut {
        after: steps as u64 / 3,
        tear,
    };
    log.chip().cut(cut, 5);
    assert!(log.append(&change.as_ref()).is_err());
    let torn = pull(log).bytes;

    let mut rotten = whole.bytes.clone();
    let places = |what: &[u8]| -> Vec<usize> {
        let all = whole.bytes.windows(what.len()).enumerate();
        all.filter(|(_, bytes)| *bytes == what)
            .map(|(at, _)| at)
            .collect()
    };
    let keys = places(&session().dcs[1].auth_key.unwrap());
    rotten[keys[keys.len() - 1] + 100] ^= 4;
    // Wherever it is, since older records of it are there too.
    for at in places(&session().peers[1].access_hash.to_le_bytes()) {
        rotten[at] ^= 1;
    }

    let mut text = format!("# Format 1, program unit {W}, 6 pages of 1024 bytes: see README.md.\n");
    text += &section("whole", &[0xFF; SIZE], &whole.bytes);
    text += &section("torn", &whole.bytes, &torn);
    text += &section("rotten", &whole.bytes, &rotten);
    std::fs::write(path, text).unwrap();
}

#[test]
#[ignore = "makes the images of a new format; those that are there stay"]
fn images_are_made() {
    make::<1>();
    make::<2>();
    make::<4>();
    make::<8>();
    make::<16>();
    make::<32>();
}
