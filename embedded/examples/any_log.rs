//! A store of somebody else's on the simulated chip: `sequential-storage`'s map.
//!
//! ```sh
//! cargo run --release -p mtsession-embedded --example any_log                          # every chip and fault
//! cargo run --release -p mtsession-embedded --example any_log -- --seed 17             # one life, as a failure names it
//! cargo run --release -p mtsession-embedded --example any_log -- --seed 1 --lives 5000
//! ```
//!
//! Prints what it survives and what not. Not everything here is a promise of that crate: it asks for flash that
//! takes a word as a whole or not at all.
#![allow(clippy::unwrap_used, reason = "an example")]

use std::collections::BTreeMap;

use mtsession_embedded::sim::{Busy, Chip, ChipError, Dice, Fault, Flash, Plan, Subject, ready};
use sequential_storage::Error;
use sequential_storage::cache::{Cache, CacheImpl};
use sequential_storage::map::{MapConfig, MapStorage};

/// A map of so many keys, each with up to 40 bytes.
struct Map {
    keys: usize,
}

/// Without caches a map has no state of its own, and can be made for each call.
fn map<const W: usize, const E: usize>(
    flash: &Flash<W, E>,
) -> MapStorage<u8, Flash<W, E>, impl CacheImpl<u8> + use<W, E>> {
    let end = u32::try_from(flash.chip().bytes.len()).unwrap();
    MapStorage::new(flash.clone(), MapConfig::new(0..end), Cache::new_uncached())
}

impl<const W: usize, const E: usize> Subject<W, E> for Map {
    type Store = Flash<W, E>;
    type State = BTreeMap<u8, Vec<u8>>;
    type Call = (u8, Vec<u8>);
    type Error = Error<ChipError>;

    fn start(&self, flash: Flash<W, E>) -> Result<Self::Store, Self::Error> {
        Ok(flash)
    }

    fn run(&self, flash: &mut Self::Store, (key, value): &Self::Call) -> Result<(), Self::Error> {
        let mut buffer = [0; 128];
        ready(map(flash).store_item(&mut buffer, key, &value.as_slice()))
    }

    fn read(&self, flash: &mut Self::Store) -> Result<Self::State, Self::Error> {
        let mut buffer = [0; 128];
        let mut found = BTreeMap::new();
        let mut map = map(flash);
        let mut items = ready(map.fetch_all_items(&mut buffer))?;
        let mut buffer = [0; 128];
        // Older values of a key come first.
        while let Some((key, value)) = ready(items.next::<&[u8]>(&mut buffer))? {
            found.insert(key, value.to_vec());
        }
        Ok(found)
    }

    fn empty(&self) -> Self::State {
        BTreeMap::new()
    }

    fn draw(&self, _state: &Self::State, dice: &mut Dice) -> Self::Call {
        let key = u8::try_from(dice.below(self.keys)).unwrap();
        let len = dice.below(41);
        (
            key,
            (0..len)
                .map(|_| u8::try_from(dice.below(256)).unwrap())
                .collect(),
        )
    }

    fn carry_out(&self, state: &mut Self::State, (key, value): &Self::Call) {
        state.insert(*key, value.clone());
    }

    fn is_refusal(&self, error: &Self::Error) -> bool {
        matches!(error, Error::FullStorage)
    }

    /// A value may be missing or an older one, but nothing may be found that was never stored: here every
    /// value of a key that is found must be one of a length that there can be.
    fn may_rot(&self, before: &Self::State, found: &Self::State) -> bool {
        found
            .iter()
            .all(|(key, value)| before.contains_key(key) && value.len() <= 40)
    }
}

fn survey<const W: usize, const E: usize>(plan: &Plan, name: &str, mut chip: Chip<W, E>) {
    // It reads values into the caller's buffer, wherever that is.
    chip.ram_align = 1;
    for fault in [
        Fault::PowerCuts,
        Fault::Driver(Busy::EveryNth(20)),
        Fault::Driver(Busy::OneIn(20)),
        Fault::StuckCell(true),
        Fault::StuckCell(false),
        Fault::Rot,
    ] {
        if chip.is_unstable && fault != Fault::PowerCuts {
            continue;
        }
        let report = plan.clone().fault(fault).run(&Map { keys: 24 }, &chip);
        println!("{name}, {fault:?}: {report}");
        if let Some(failure) = report.first {
            println!("    {failure}");
        }
    }
}

/// Lives on chips of several kinds; their plan is in the arguments.
///
/// # Errors
///
/// The arguments are wrong.
pub(crate) fn run(arguments: impl IntoIterator<Item = String>) -> Result<(), String> {
    // What panics in a life is a failure of it: the message is enough.
    std::panic::set_hook(Box::new(|_| {}));
    let plan = Plan::new(1).asked_for(arguments)?;
    let mut words = Chip::<4, 4096>::new(16 << 10);
    // Without error correction, words of ones are as good as erased.
    words.strict = false;
    survey(&plan, "nRF52840", words.clone());
    words.weakens = false;
    survey(&plan, "nRF52840, what reads as erased is", words);
    survey(&plan, "RP2040", Chip::<1, 4096>::spi_nor(16 << 10));
    survey(
        &plan,
        "RP2040, unstable words",
        Chip::<1, 4096>::spi_nor(16 << 10).unstable(),
    );
    survey(
        &plan,
        "STM32L4",
        Chip::<8, 2048>::with_error_correction(8 << 10),
    );
    let _ = std::panic::take_hook();
    Ok(())
}

#[allow(dead_code, reason = "its test calls `run`")]
fn main() -> Result<(), String> {
    run(std::env::args().skip(1))
}
