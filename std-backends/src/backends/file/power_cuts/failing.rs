//! Calls that fail, at any place, once or for good.
//!
//! What a call said is what is there: an error that says "unchanged" has changed nothing, and one that says "stored"
//! has stored everything. A later power cut takes nothing that was acknowledged, whatever failed before it.

use core::time::Duration;

use rustix::io::Errno;

use super::script::{Op, path};
use crate::error::StoreError;
use crate::error::kind::Outcome;
use crate::fs::disk::simulated::{Call, Dice, Fault, Image, Machine, Mistake, Nature};
use crate::record::SessionRecord;
use crate::store::StoreOptions;
use crate::{BinaryFileBackend, FlushPolicy, SessionBackend as _};

const CALLS: [Option<Call>; 12] = [
    None,
    Some(Call::Open),
    Some(Call::Create),
    Some(Call::Status),
    Some(Call::Read),
    Some(Call::Write),
    Some(Call::SetLength),
    Some(Call::Flush),
    Some(Call::Flush),
    Some(Call::FlushDirectory),
    Some(Call::Rename),
    Some(Call::Lock),
];

const ERRORS: [Errno; 8] = [
    Errno::IO,
    Errno::NOSPC,
    Errno::NOLCK,
    Errno::BUSY,
    Errno::XDEV,
    Errno::STALE,
    Errno::ACCESS,
    Errno::INTR,
];

/// Plays one script. Returns how many cuts were tried.
pub(super) fn play(seed: u64, nature: Nature, image: &Image, mistake: Option<Mistake>) -> usize {
    let mut dice = Dice::new(seed);
    let machine = Machine::start(image, nature, dice.next());
    machine.make(mistake);
    machine.try_cuts(1);
    let _entered = machine.enter();
    let flush = *dice.of(&[FlushPolicy::Each, FlushPolicy::Within(Duration::MAX)]);
    let open = || BinaryFileBackend::configured(&path(), &StoreOptions::new().flush(flush));
    let mut backend = open();
    let mut state = BinaryFileBackend::new(path()).read().unwrap();
    // What a cut may leave: one of these.
    let mut may_be_left = vec![state.clone()];
    let (mut told, mut tried) = (Vec::new(), 0);
    for _ in 0..10 {
        let number = 1 + dice.below(1_000) as i32;
        let op = Op::random(&mut dice, number);
        let fault = dice.one_in(2).then(|| Fault {
            only: *dice.of(&CALLS),
            after: dice.below(12),
            times: if dice.one_in(3) {
                usize::MAX
            } else {
                1 + dice.below(3)
            },
            error: *dice.of(&ERRORS),
        });
        let asked = op.made_of(state.as_ref());
        may_be_left.push(asked.clone());
        machine.fail(fault);
        let done = if op == Op::Reopen {
            drop(backend);
            backend = open();
            Ok(())
        } else {
            op.run(&backend)
        };
        machine.fail(None);
        told.push(format!(
            "{op:?} {fault:?} {}",
            done.as_ref()
                .map_or_else(ToString::to_string, |()| "ok".to_owned())
        ));
        let context = || format!("CUT_SEED={}, {flush:?}: {told:#?}", seed & 0xFFFF_FFFF_FFFF);
        let found = BinaryFileBackend::new(path()).read();
        let found = found.unwrap_or_else(|error| panic!("{}: not read: {error}", context()));
        let outcome = done
            .as_ref()
            .err()
            .map(|error| StoreError::of(error).map_or(Outcome::Unknown, StoreError::outcome));
        let expected = match outcome {
            None | Some(Outcome::Stored) => found == asked,
            Some(Outcome::Unchanged) => found == state,
            Some(_) => found == asked || found == state,
        };
        assert!(
            expected,
            "{}: {outcome:?}, but the store says otherwise",
            context()
        );
        tried += check(&machine, &may_be_left, nature, seed, &context);
        if done.is_ok() && (op.is_flushed() || flush == FlushPolicy::Each) {
            may_be_left.clear();
        } else if outcome == Some(Outcome::Unchanged) && !may_be_left.contains(&found) {
            may_be_left.pop();
        }
        state = found;
        may_be_left.push(state.clone());
    }
    tried
}

fn check(
    machine: &Machine,
    may_be_left: &[Option<SessionRecord>],
    nature: Nature,
    seed: u64,
    context: &dyn Fn() -> String,
) -> usize {
    let mut left = machine.take_left();
    left.push((0, machine.cut()));
    let tried = left.len();
    for (_, image) in left {
        let again = Machine::start(&image, nature, seed);
        let _entered = again.enter();
        let found = BinaryFileBackend::new(path()).read();
        if !nature.can_replace && may_be_left.contains(&None) {
            continue;
        }
        let found = found.unwrap_or_else(|error| panic!("{}: after a cut: {error}", context()));
        assert!(
            may_be_left.contains(&found),
            "{}: another session after a cut",
            context()
        );
    }
    tried
}
