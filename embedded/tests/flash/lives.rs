//! The log as a stranger tests his store on the simulated chip: by the public harness alone. `SIM_SEED`
//! shows one life again, `SIM_LIVES` sets how many there are.

use mtsession_embedded::sim::{
    Busy, Call, Chip, ChipError, Dice, Fault, Flash, Plain, Plan, Subject, random_call,
};
use mtsession_embedded::{Error, SessionLog};

/// A log with a session of at most these lists.
struct Log([usize; 4]);

impl<const W: usize, const E: usize> Subject<W, E> for Log {
    type Store = SessionLog<Flash<W, E>>;
    type State = Option<Plain>;
    type Call = Call;
    type Error = Error<ChipError>;

    fn start(&self, flash: Flash<W, E>) -> Result<Self::Store, Self::Error> {
        let end = u32::try_from(flash.chip().bytes.len()).unwrap();
        let mut log = SessionLog::new(flash, 0..end);
        log.mount_or_format()?;
        Ok(log)
    }

    fn run(&self, log: &mut Self::Store, call: &Call) -> Result<(), Self::Error> {
        call.run(log)
    }

    fn read(&self, log: &mut Self::Store) -> Result<Option<Plain>, Self::Error> {
        let mut session = Plain::default();
        Ok(log.load(&mut session)?.then_some(session))
    }

    fn empty(&self) -> Option<Plain> {
        None
    }

    fn draw(&self, state: &Option<Plain>, dice: &mut Dice) -> Call {
        random_call(dice, &state.clone().unwrap_or_default(), self.0)
    }

    fn carry_out(&self, state: &mut Option<Plain>, call: &Call) {
        call.carry_out(state);
    }

    fn is_refusal(&self, error: &Self::Error) -> bool {
        matches!(error, Error::StoreFull)
    }
}

const LISTS: [usize; 4] = [2, 8, 10, 3];

fn lives<const W: usize, const E: usize>(name: &str, chip: &Chip<W, E>, fault: Fault) {
    let plan = Plan::new(1).lives(60).fault(fault);
    let report = plan.clone().asked_for([]).unwrap().run(&Log(LISTS), chip);
    println!("{name}, {fault:?}: {report}");
    report.assert();
}

fn chips(fault: Fault) {
    lives("nRF52840", &Chip::<4, 4096>::new(16 << 10), fault);
    lives("RP2040", &Chip::<1, 4096>::spi_nor(16 << 10), fault);
    let chip = Chip::<8, 2048>::with_error_correction(8 << 10);
    lives("STM32L4", &chip, fault);
}

#[test]
fn power_cuts_lose_nothing_that_was_acknowledged() {
    chips(Fault::PowerCuts);
    let pages = Chip::<1, 4096>::spi_nor(16 << 10).unstable();
    lives("RP2040, unstable", &pages, Fault::PowerCuts);
    let words = Chip::<16, 8192>::with_error_correction(16 << 10).unstable();
    lives("STM32U5, unstable", &words, Fault::PowerCuts);
}

#[test]
fn a_driver_that_fails_loses_nothing_that_was_acknowledged() {
    for busy in [
        Busy::EveryNth(50),
        Busy::EveryNth(5),
        Busy::OneIn(20),
        Busy::OneIn(4),
    ] {
        chips(Fault::Driver(busy));
    }
}

#[test]
fn a_cell_that_is_stuck_loses_nothing_that_was_acknowledged() {
    chips(Fault::StuckCell(true));
    chips(Fault::StuckCell(false));
}

#[test]
fn a_rotten_bit_panics_nowhere() {
    chips(Fault::Rot);
}

/// What the harness is for: a store that forgets is found, and the seed shows it again.
#[test]
fn a_log_that_forgets_is_found_and_shown_again() {
    struct Forgets;
    impl Subject<4, 4096> for Forgets {
        type Store = (SessionLog<Flash<4, 4096>>, u32);
        type State = Option<Plain>;
        type Call = Call;
        type Error = Error<ChipError>;

        fn start(&self, flash: Flash<4, 4096>) -> Result<Self::Store, Self::Error> {
            Ok((Log(LISTS).start(flash)?, 0))
        }

        fn run(&self, (log, n): &mut Self::Store, call: &Call) -> Result<(), Self::Error> {
            *n += 1;
            if *n == 20 { Ok(()) } else { call.run(log) }
        }

        fn read(&self, (log, _): &mut Self::Store) -> Result<Option<Plain>, Self::Error> {
            Subject::<4, 4096>::read(&Log(LISTS), log)
        }

        fn empty(&self) -> Option<Plain> {
            None
        }

        fn draw(&self, state: &Option<Plain>, dice: &mut Dice) -> Call {
            Subject::<4, 4096>::draw(&Log(LISTS), state, dice)
        }

        fn carry_out(&self, state: &mut Option<Plain>, call: &Call) {
            call.carry_out(state);
        }

        fn is_refusal(&self, error: &Self::Error) -> bool {
            matches!(error, Error::StoreFull)
        }
    }
    let chip = Chip::<4, 4096>::new(16 << 10);
    let first = Plan::new(1).lives(50).run(&Forgets, &chip).first.unwrap();
    let again = Plan::new(first.seed).lives(1).run(&Forgets, &chip).first;
    assert_eq!(again, Some(first));
}
