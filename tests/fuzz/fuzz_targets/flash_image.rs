//! Any bytes as the dump of a device's region: reading it never panics. And damage to a dump that the
//! log wrote: no key, peer or account is found in it that never was there.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mtsession_embedded::SessionLog;
use mtsession_embedded::image::{self, Layout};
use mtsession_embedded::sim::{Chip, Dice, OwnedChange, Plain, fresh_session, workload};

const PAGE: usize = 1024;
const REGION: usize = 6 * PAGE;

/// A used region, and every session that was ever in it.
struct Used {
    image: Vec<u8>,
    sessions: Vec<Plain>,
}

static USED: LazyLock<Used> = LazyLock::new(|| {
    let mut dice = Dice::new(7);
    let mut session = fresh_session(&mut dice, 2, 4, 8);
    let mut log = SessionLog::<_>::new(Chip::<4, PAGE>::new(REGION), 0..REGION as u32);
    log.mount_or_format().unwrap();
    log.save(&session).unwrap();
    let mut sessions = vec![session.clone()];
    for _ in 0..1500 {
        let change = workload(&mut dice, &mut session, 8);
        log.append(&change.as_ref()).unwrap();
        if !matches!(change, OwnedChange::Update(_)) {
            sessions.push(session.clone());
        }
    }
    Used { image: log.chip().bytes.clone(), sessions }
});

fn read(bytes: &[u8], layout: Layout) -> Option<Plain> {
    let mut found = Plain::default();
    let report = image::load(bytes, layout, &mut found).ok()?;
    report.present.then_some(found)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&[kind, ..], rest)) = bytes.split_first_chunk::<1>() else { return };
    if kind & 1 == 0 {
        let write = [1, 4, 8, 32][usize::from(kind >> 1 & 3)];
        read(rest, Layout { write, erase: PAGE });
        return;
    }
    let mut image = USED.image.clone();
    // Damage that cannot forge a check: none of it takes the bytes from the input.
    for damage in rest.chunks_exact(4) {
        let at = usize::from(u16::from_le_bytes([damage[0], damage[1]])) % REGION;
        let len = usize::from(damage[3]).min(REGION - at);
        match damage[2] % 5 {
            0 => image[at] ^= 1 << (damage[3] % 8),
            1 => image[at..at + len].fill(0),
            2 => image[at..at + len].fill(0xFF),
            3 => image.copy_within(at..at + len, (at + 1024) % (REGION - len)),
            _ => image[at..at + len].iter_mut().rev().for_each(|byte| *byte = byte.rotate_left(1)),
        }
    }
    let Some(found) = read(&image, Layout { write: 4, erase: PAGE }) else { return };
    let known = &USED.sessions;
    for dc in &found.dcs {
        assert!(known.iter().any(|session| session.dcs.contains(dc)), "{dc:?}");
    }
    for peer in &found.peers {
        assert!(known.iter().any(|session| session.peers.contains(peer)), "{peer:?}");
    }
    for channel in &found.channels {
        let known = known.iter().flat_map(|session| &session.channels);
        assert!(known.into_iter().any(|known| known.id == channel.id), "{channel:?}");
    }
    assert!(found.account.is_empty() || known.iter().any(|session| session.account == found.account));
    assert!(found.token.is_none() && found.min_peers.is_empty());
});
