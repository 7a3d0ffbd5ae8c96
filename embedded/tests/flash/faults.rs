//! Rotten bits, stuck cells, drivers that fail, and everything that a region must not be.

use crate::common::{LISTS, Log, load, mount, new_log, pull, run};
use mtsession_core::{Change, SessionMut as _, UpdateChange};
use mtsession_embedded::Durability;
use mtsession_embedded::image::{self, Layout};
use mtsession_embedded::sim::{
    Call, Chip, Cut, Dice, OwnedChange, Plain, Tear, fresh_session, random_calls, workload,
};

#[test]
fn a_stuck_cell_loses_nothing_that_was_acknowledged() {
    let mut dice = Dice::new(11);
    for _ in 0..400 {
        let mut log = new_log::<4, 2048>(5 * 2048);
        log.chip().stuck = Some((
            dice.below(5 * 2048),
            u8::try_from(dice.below(8)).unwrap(),
            dice.chance(30),
        ));
        let calls = random_calls(&mut dice, 700, LISTS);
        let mut model = None;
        for (n, call) in calls.iter().enumerate() {
            let before: Option<Plain> = model.clone();
            call.carry_out(&mut model);
            if run(&mut log, call).is_err() {
                let now = load(&mut log).unwrap();
                assert!(now == before || now == model, "call {n}");
                model = now;
            }
        }
        let mut log = mount(pull(log)).unwrap();
        assert_eq!(load(&mut log).unwrap(), model);
    }
}

/// Wherever a page has a bad word: a batch that does not fit behind it goes to the next page.
#[test]
fn a_stuck_cell_refuses_no_batch() {
    let mut dice = Dice::new(12);
    let saved = fresh_session(&mut dice, 3, 12, 15);
    for byte in 4096..3 * 2048 {
        let mut session = saved.clone();
        let mut log = new_log::<4, 2048>(5 * 2048);
        let bit = u8::try_from(byte % 7).unwrap();
        log.chip().stuck = Some((byte, bit, dice.chance(50)));
        log.save(&session).unwrap();
        while log.stats().unwrap().turns < 4 {
            let batch: [_; 5] = core::array::from_fn(|_| workload(&mut dice, &mut session, 15));
            log.apply(&batch.each_ref().map(|change| change.as_ref()))
                .unwrap();
        }
        let mut log = mount(pull(log)).unwrap();
        assert!(load(&mut log).unwrap() == Some(session), "byte {byte}");
    }
}

#[test]
fn lazy_counters_lose_at_most_what_they_promise() {
    let mut dice = Dice::new(9);
    let mut session = fresh_session(&mut dice, 2, 8, 8);
    let mut log = new_log::<4, 4096>(4 * 4096);
    log.set_durability(Durability::Lazy(32));
    log.save(&session).unwrap();
    let mut recent = vec![session.clone()];
    for n in 0..20_000 {
        let change = workload(&mut dice, &mut session, 8);
        log.append(&change.as_ref()).unwrap();
        if matches!(change, OwnedChange::Update(_)) {
            recent.push(session.clone());
        }
        if recent.len() > 32 {
            recent.remove(0);
        }
        if n % 11 == 0 {
            assert_eq!(
                load(&mut log).unwrap().as_ref(),
                Some(&session),
                "RAM counts"
            );
            let mut cut = mount(pull(log.clone())).unwrap();
            let found = load(&mut cut).unwrap().unwrap();
            assert_eq!(found.peers, session.peers, "peers are never lazy");
            let known = recent
                .iter()
                .any(|recent| recent.counters == found.counters);
            assert!(known, "update {n}: {:?}", found.counters);
            for (n, channel) in found.channels.iter().enumerate() {
                assert!(recent.iter().any(|recent| recent.channels[n] == *channel));
            }
        }
    }
    log.sync().unwrap();
    let mut log = mount(pull(log)).unwrap();
    assert_eq!(load(&mut log).unwrap(), Some(session));
}

#[test]
fn after_maintenance_no_append_erases() {
    let mut dice = Dice::new(2);
    let mut session = fresh_session(&mut dice, 3, 12, 15);
    let mut log = new_log::<4, 2048>(5 * 2048);
    log.save(&session).unwrap();
    let mut turns = 0;
    for _ in 0..6000 {
        let change = workload(&mut dice, &mut session, 15);
        let erases = log.chip().counts.erases;
        log.maintain().unwrap();
        turns += log.chip().counts.erases - erases;
        let erases = log.chip().counts.erases;
        log.append(&change.as_ref()).unwrap();
        assert_eq!(log.chip().counts.erases, erases);
    }
    assert!(turns > 10);
}

#[test]
fn wears_every_page_alike() {
    let mut dice = Dice::new(2);
    let mut session = fresh_session(&mut dice, 3, 12, 15);
    let mut log = new_log::<4, 2048>(5 * 2048);
    log.save(&session).unwrap();
    for _ in 0..10_000 {
        let change = workload(&mut dice, &mut session, 15);
        log.append(&change.as_ref()).unwrap();
    }
    let erases = log.chip().erases.clone();
    let (min, max) = (*erases.iter().min().unwrap(), *erases.iter().max().unwrap());
    assert!(max - min <= 1 && min > 4, "{erases:?}");
    let stats = log.stats().unwrap();
    // The first page counts one erase that a blank chip did not need.
    assert!((max..=max + 1).contains(&stats.max_erases), "{stats:?}");
    assert!(stats.min_erases >= min - 1, "{stats:?} {erases:?}");
    assert_eq!((stats.damaged, stats.failed_programs), (0, 0));
}

/// The first lap after a deletion writes pages that are known to be erased; after a start nothing is
/// known, nor on a new chip, of which the first page is written as it is.
#[test]
fn what_was_erased_since_the_start_is_not_erased_again() {
    let mut dice = Dice::new(3);
    let saved = fresh_session(&mut dice, 3, 12, 15);
    let mut lap = |log: &mut Log<4, 2048>, turns| {
        let mut session = saved.clone();
        log.save(&session).unwrap();
        while log.stats().unwrap().turns < turns {
            let change = workload(&mut dice, &mut session, 15);
            log.append(&change.as_ref()).unwrap();
        }
        log.chip().erases.clone()
    };
    let mut log = new_log::<4, 2048>(5 * 2048);
    assert_eq!(lap(&mut log, 4), [0, 1, 1, 1, 1]);
    log.delete().unwrap();
    assert_eq!(lap(&mut log, 9), [1, 2, 2, 2, 2]);
    log.delete().unwrap();
    let mut log = mount(pull(log)).unwrap();
    assert_eq!(lap(&mut log, 14), [2, 4, 4, 4, 4]);
}

#[test]
fn delete_leaves_no_key_on_the_chip() {
    let mut dice = Dice::new(8);
    let session = fresh_session(&mut dice, 3, 12, 15);
    let mut log = new_log::<4, 2048>(5 * 2048);
    for _ in 0..4 {
        log.save(&session).unwrap();
    }
    log.delete().unwrap();
    assert_eq!(load(&mut log).unwrap(), None);
    let chip = pull(log);
    for dc in &session.dcs {
        let key = dc.auth_key.unwrap();
        for piece in key.chunks(8) {
            assert!(!chip.bytes.windows(8).any(|bytes| bytes == piece));
        }
    }
    let mut log = mount(chip).unwrap();
    assert_eq!(load(&mut log).unwrap(), None);
    log.save(&session).unwrap();
    assert_eq!(load(&mut log).unwrap(), Some(session));
}

#[test]
fn a_deletion_that_was_cut_is_finished_before_anything_else() {
    let mut dice = Dice::new(8);
    let session = fresh_session(&mut dice, 3, 12, 15);
    let mut log = new_log::<4, 2048>(5 * 2048);
    for _ in 0..4 {
        log.save(&session).unwrap();
    }
    let mut deleted = 0;
    for after in 0.. {
        let mut trial = log.clone();
        let tear = Tear::new(0, 0);
        trial.chip().cut(Cut { after, tear }, after);
        let _ = trial.delete();
        let mut chip = pull(trial);
        if !chip.power_up() {
            break;
        }
        let mut log = mount(chip).unwrap();
        if load(&mut log).unwrap().is_none() {
            deleted += 1;
            let chip = pull(log);
            for dc in &session.dcs {
                let key = dc.auth_key.unwrap();
                let there = chip.bytes.windows(16).any(|bytes| *bytes == key[..16]);
                assert!(!there, "cut at step {after}");
            }
        }
    }
    assert!(deleted > 0);
}

#[test]
fn the_async_twin_writes_the_same_bytes() {
    use mtsession_embedded::asynchronous::SessionLog as AsyncLog;

    let calls = random_calls(&mut Dice::new(4), 2500, LISTS);
    let mut log = new_log::<4, 2048>(5 * 2048);
    let chip = Chip::<4, 2048>::new(5 * 2048);
    let mut twin = AsyncLog::<_>::new(chip, 0..5 * 2048);
    block_on(twin.mount_or_format()).unwrap();
    for call in &calls {
        run(&mut log, call).unwrap();
        match call {
            Call::Append(change) => block_on(twin.append(&change.as_ref())),
            Call::Apply(changes) => {
                let changes: Vec<_> = changes.iter().map(OwnedChange::as_ref).collect();
                block_on(twin.apply(&changes))
            }
            Call::Save(session) => block_on(twin.save(session)),
            Call::Delete => block_on(twin.delete()),
            Call::Maintain => block_on(twin.maintain()),
            Call::Sync => block_on(twin.sync()),
        }
        .unwrap();
    }
    assert_eq!(log.chip().bytes, twin.chip().bytes);
    assert_eq!(log.chip().counts, twin.chip().counts);
    let mut session = Plain::default();
    let there = block_on(twin.load(&mut session)).unwrap();
    assert_eq!(there.then_some(session), load(&mut log).unwrap());
}

/// The simulated chip never waits.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    use core::task::{Context, Poll, Waker};

    let mut future = core::pin::pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return done;
        }
    }
}

/// A device whose power fails in its first program of every boot leaves one unreadable word after
/// another, which is no reason to give the region up.
#[test]
fn many_words_torn_side_by_side_are_no_broken_driver() {
    let mut dice = Dice::new(5);
    let session = fresh_session(&mut dice, 3, 12, 15);
    let mut log = new_log::<8, 2048>(4 * 2048);
    log.save(&session).unwrap();
    let mut chip = pull(log);
    chip.corrects = true;
    let unreadable = Tear::new(5, 7);
    for boot in 0..40 {
        let mut log = mount(chip).unwrap_or_else(|error| panic!("boot {boot}: {error}"));
        let found = load(&mut log).unwrap_or_else(|error| panic!("boot {boot}: {error}"));
        assert_eq!(found.as_ref(), Some(&session), "boot {boot}");
        log.chip().cut(
            Cut {
                after: 0,
                tear: unreadable,
            },
            boot,
        );
        let counter = Change::Update(UpdateChange::Secondary { qts: 7 });
        log.append(&counter).unwrap_err();
        chip = pull(log);
        chip.power_up();
    }
}

/// An erase that said it was done, and was not: behind what the head page holds stands what it held a
/// lap ago, at the same places. Only the page's sequence number tells it from what was just written.
#[test]
fn what_an_erase_left_of_an_older_lap_does_not_count() {
    const PAGE: usize = 1024;
    let layout = Layout {
        write: 4,
        erase: PAGE,
    };
    let mut dice = Dice::new(8);
    let mut session = fresh_session(&mut dice, 2, 4, 8);
    let mut log = new_log::<4, PAGE>(3 * PAGE);
    log.save(&session).unwrap();
    let mut older: [Option<Vec<u8>>; 3] = [const { None }; 3];
    let mut before = log.chip().bytes.clone();
    let (mut tried, mut wrong) = (0, 0);
    for _ in 0..3000 {
        let change = workload(&mut dice, &mut session, 8);
        log.append(&change.as_ref()).unwrap();
        let bytes = log.chip().bytes.clone();
        for (page, older) in older.iter_mut().enumerate() {
            let here = page * PAGE..(page + 1) * PAGE;
            let (was, is) = (&before[here.clone()], &bytes[here.clone()]);
            let end = (0..PAGE).rev().find(|at| was[*at] != is[*at]);
            if let (Some(end), Some(old)) = (end, &older) {
                let tail = (end + 1).next_multiple_of(4);
                let mut image = bytes.clone();
                image[here.start + tail..here.end].copy_from_slice(&old[tail..]);
                let mut found = Plain::default();
                assert!(image::load(&image, layout, &mut found).unwrap().present);
                // The shortest records have a check of 11 bits.
                wrong += usize::from(found != session);
                tried += 1;
            }
            // It was full, and was erased now.
            if was[PAGE - 4..] != [0xFF; 4] && is[PAGE - 4..] == [0xFF; 4] {
                *older = Some(was.to_vec());
            }
        }
        before = bytes;
    }
    assert!(tried > 400 && wrong * 500 < tried, "{wrong} of {tried}");
}

/// With error correction a word that was torn may be any word, and another one at the next start: first the
/// head of a record of 1,031 bytes, which is as many blank ones to leave out, then a channel's record.
#[test]
fn a_torn_word_that_looks_like_a_long_record_hides_nothing_after_it() {
    for kind in 0..5_u8 {
        let mut session = fresh_session(&mut Dice::new(13), 1, 2, 2);
        let mut log = new_log::<8, 4096>(16 << 10);
        log.save(&session).unwrap();
        let mut chip = pull(log);
        let last = chip.bytes.iter().rposition(|byte| *byte != 0xFF).unwrap();
        let torn = (last + 1).next_multiple_of(8);
        let torn = torn..torn + 8;
        chip.bytes[torn.clone()].copy_from_slice(&[0xC3 | kind << 2, 0xFF, 0, 0, 0, 0, 0, 0]);
        let mut log = mount(chip).unwrap();
        let change = Change::Update(UpdateChange::Primary {
            pts: 200_000,
            date: 1_750_000_009,
            seq: 501,
        });
        log.append(&change).unwrap();
        session.apply(&change).unwrap();
        let mut chip = pull(log);
        chip.bytes[torn].copy_from_slice(&[0x7F, 0xFF, 0, 0, 0, 0, 0, 0]);
        let mut log = mount(chip).unwrap();
        assert_eq!(load(&mut log).unwrap(), Some(session), "kind {kind}");
    }
}
