//! The session log.

use mtsession_embedded::sim::{Chip, Plain, workload};
use mtsession_embedded::{Durability, SessionLog};

use super::{Meter, PEERS, UPDATES, Wear, fresh, minus};

pub(super) fn run<const W: usize, const E: usize>(
    size: usize,
    durability: Durability,
) -> Option<Wear> {
    let (mut dice, mut session) = fresh();
    let end = u32::try_from(size).ok()?;
    let mut log = SessionLog::<_>::new(Chip::<W, E>::new(size), 0..end);
    log.mount_or_format().ok()?;
    log.set_durability(durability);
    log.save(&session).ok()?;
    let mut meter = Meter::start(log.chip().counts, &log.chip().erases);
    for _ in 0..UPDATES {
        let change = workload(&mut dice, &mut session, PEERS);
        log.append(&change.as_ref()).ok()?;
        meter.note(log.chip().counts);
    }
    // Writes what was put off.
    let mut chip = log.release().map_err(|(_, error)| error).ok()?;
    let mut wear = meter.finish(chip.counts, &chip.erases);
    let before = chip.counts;
    let mut log = SessionLog::<_>::new(&mut chip, 0..end);
    let mut loaded = Plain::default();
    assert!(log.load(&mut loaded).expect("a session"));
    assert_eq!(loaded, session, "what was stored is what is found");
    wear.boot = minus(chip.counts, before);
    Some(wear)
}
