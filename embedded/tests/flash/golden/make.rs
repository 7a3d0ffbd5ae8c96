//! Makes the images of a new format; those that are there stay.

use core::fmt::Write;

use mtsession_core::UpdateChange;
use mtsession_embedded::KeyCopies;
use mtsession_embedded::sim::{Cut, OwnedChange, Tear};

use super::{PAGE, SIZE, dc, primary, session};
use crate::common::{Log, load, mount, new_log, pull};

/// Writes an image: a save, many laps of delta records of all sizes, second copies of keys, a batch, and
/// a start.
fn made<const W: usize>() -> Log<W, PAGE> {
    let mut log = new_log::<W, PAGE>(SIZE);
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
    log.set_key_copies(KeyCopies::Two).unwrap();
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
        "{}/tests/images/format-2-unit-{W}.txt",
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
    let tear = Tear::new(1, 0);
    let steps = if W < 4 { 300 } else { 900 / W.max(8) };
    let cut = Cut {
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

    let mut text = format!("# Format 2, program unit {W}, 6 pages of 1024 bytes: see README.md.\n");
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
