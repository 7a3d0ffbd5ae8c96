//! Many channels, channels replaced one by one, and logs whose type has less room than there was.

use mtsession_core::{
    Change, ChannelPts, Field, FixedSession, SessionMut, SessionSource, UpdateChange, WhenFull,
};
use mtsession_embedded::Error;
use mtsession_embedded::sim::{Chip, Dice, Plain, fresh_session};

use crate::common::{formatted_as, load, mount, mounted_as, new_log, pull};

/// Steps that fit the short form, the middle form and none. In larger regions units would be too long for
/// either.
fn many_channels<const W: usize>(count: i64) {
    let id = |n| 1_000_000_000 + n;
    let mut session = Plain::default();
    for n in 0..count {
        session
            .push_channel(ChannelPts { id: id(n), pts: 10 })
            .unwrap();
    }
    let mut log =
        formatted_as::<_, 6, 700, 64, 16, 64>(Chip::<W, 4096>::new(128 << 10), 0..128 << 10)
            .unwrap();
    log.save(&session).unwrap();
    for step in [1, 30, 1_000, 100_000, -7] {
        for channel in &mut session.channels {
            // The first record after a start is never a hot one, the second one may be.
            for step in [1, step] {
                channel.pts += step;
                let update = UpdateChange::Channel {
                    id: channel.id,
                    pts: channel.pts,
                };
                log.append(&Change::Update(update)).unwrap();
            }
        }
        let chip = core::mem::replace(log.chip(), Chip::new(0));
        log = mounted_as::<_, 6, 700, 64, 16, 64>(chip, 0..128 << 10).unwrap();
        let mut found = Plain::default();
        assert!(log.load(&mut found).unwrap());
        assert_eq!(found, session, "{count} channels, unit {W}, step {step}");
    }
}

#[test]
fn every_pts_of_more_than_256_channels_is_there_after_a_start() {
    for count in [255, 256, 257, 300, 513, 700] {
        many_channels::<1>(count);
        many_channels::<4>(count);
    }
    many_channels::<8>(700);
    many_channels::<32>(300);
}

#[test]
fn channels_are_replaced_in_a_batch_or_one_by_one() {
    let session = fresh_session(&mut Dice::new(1), 1, 5, 2);
    let push = |id, pts| Change::Update(UpdateChange::PushChannel { id, pts });
    let clear = Change::Update(UpdateChange::ClearChannels);
    let changes = [
        clear,
        push(7, 70),
        push(8, 80),
        push(7, 71),
        push(9, i32::MIN),
    ];
    for in_batch in [true, false] {
        let mut expected = session.clone();
        for change in &changes {
            expected.apply(change).unwrap();
        }
        let mut log = new_log::<4, 4096>(16 << 10);
        log.save(&session).unwrap();
        if in_batch {
            log.apply(&changes).unwrap();
        } else {
            for change in &changes {
                log.append(change).unwrap();
            }
        }
        // The first of two is the one that counts.
        let update = Change::Update(UpdateChange::Channel { id: 7, pts: 75 });
        log.append(&update).unwrap();
        expected.apply(&update).unwrap();
        assert_eq!(load(&mut log).unwrap().as_ref(), Some(&expected));
        assert_eq!(
            load(&mut mount(pull(log)).unwrap()).unwrap(),
            Some(expected)
        );
    }
}

#[test]
fn a_channel_that_has_no_room_is_refused_as_a_channel() {
    let mut log =
        formatted_as::<_, 1, 2, 2, 0, 64>(Chip::<4, 4096>::new(8 << 10), 0..8 << 10).unwrap();
    let push = |id| Change::Update(UpdateChange::PushChannel { id, pts: 1 });
    log.append(&push(1)).unwrap();
    log.append(&push(1)).unwrap();
    assert_eq!(log.append(&push(2)), Err(Error::Capacity(Field::Channels)));
    let batch = log.apply(&[push(2), push(3)]);
    assert_eq!(batch, Err(Error::Capacity(Field::Channels)));
    let mut found = Plain::default();
    assert!(log.load(&mut found).unwrap());
    assert_eq!(found.channels, [ChannelPts { id: 1, pts: 1 }; 2]);
}

/// A firmware update that takes less memory: what can be learnt again is forgotten, keys are not.
#[test]
fn a_log_with_less_room_than_there_was_keeps_the_keys() {
    let session = fresh_session(&mut Dice::new(1), 5, 30, 60);
    for when_full in [WhenFull::Refuse, WhenFull::EvictOldest] {
        let mut log = new_log::<4, 4096>(32 << 10);
        log.save(&session).unwrap();
        let mut log = mounted_as::<_, 6, 8, 10, 2, 64>(pull(log), 0..32 << 10).unwrap();
        log.set_when_full(when_full);
        let mut found = Box::new(FixedSession::<6, 8, 10, 2, 64>::new());
        assert!(log.load(&mut *found).unwrap());
        let check = |found: &FixedSession<6, 8, 10, 2, 64>| {
            assert!(found.dcs().eq(session.dcs()), "every key");
            assert!(found.channels().eq(session.channels().take(8)));
            assert_eq!(found.peers().len(), 10);
            assert_eq!(found.account(), session.account());
        };
        check(&found);
        // It goes on for laps.
        let mut pts = 0;
        while log.chip().erases.iter().any(|erases| *erases < 3) {
            pts += 1;
            let update = UpdateChange::Primary {
                pts,
                date: 5,
                seq: pts,
            };
            log.append(&Change::Update(update)).unwrap();
            if pts % 50 == 0 {
                let peer = session.peers[usize::try_from(pts / 50).unwrap() % 10];
                log.append(&Change::Peer(peer)).unwrap();
            }
        }
        let chip = core::mem::replace(log.chip(), Chip::new(0));
        let mut log = mounted_as::<_, 6, 8, 10, 2, 64>(chip, 0..32 << 10).unwrap();
        assert!(log.load(&mut *found).unwrap());
        check(&found);
        assert_eq!(found.counters().pts, pts);
    }
}
