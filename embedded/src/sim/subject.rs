//! What a store has to say about itself to be tested.

use alloc::vec::Vec;
use core::fmt::{Debug, Display};

use super::{Dice, Flash};

/// A store of any kind over flash, with a model of what it must hold.
///
/// The value that implements this is the test's description of the store: sizes, number of keys and the
/// like. The store itself is [`Store`](Self::Store); it owns its driver.
///
/// ```
/// use core::convert::Infallible;
/// use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
/// use mtsession_embedded::sim::{Chip, ChipError, Dice, Flash, Plan, Subject};
///
/// /// Keeps a number by erasing its page and writing it again. A bad idea: see what the test says.
/// struct Naive;
///
/// impl Subject<4, 4096> for Naive {
///     type Store = Flash<4, 4096>;
///     type State = u32;
///     type Call = u32;
///     type Error = ChipError;
///
///     fn start(&self, flash: Flash<4, 4096>) -> Result<Self::Store, ChipError> {
///         Ok(flash)
///     }
///
///     fn run(&self, flash: &mut Self::Store, number: &u32) -> Result<(), ChipError> {
///         flash.erase(0, 4096)?;
///         // In memory that is aligned, as drivers want it.
///         let word = [*number];
///         flash.write(0, &word.map(u32::to_le_bytes).concat())
///     }
///
///     fn read(&self, flash: &mut Self::Store) -> Result<u32, ChipError> {
///         let mut bytes = vec![0; 4];
///         flash.read(0, &mut bytes)?;
///         Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
///     }
///
///     fn empty(&self) -> u32 {
///         u32::MAX
///     }
///
///     fn draw(&self, _state: &u32, dice: &mut Dice) -> u32 {
///         dice.next() as u32
///     }
///
///     fn carry_out(&self, state: &mut u32, number: &u32) {
///         *state = *number;
///     }
/// }
///
/// let report = Plan::new(1).lives(20).run(&Naive, &Chip::new(8192));
/// let failure = report.first.expect("a power cut loses the number");
/// println!("{failure}");
/// // life 1: call 22 3735928559 …, then a start: found 4294967295, allowed …
/// ```
pub trait Subject<const WRITE: usize, const ERASE: usize> {
    /// The store.
    type Store;
    /// What it holds, as a model that can be compared.
    type State: Clone + PartialEq + Debug;
    /// A call that changes it.
    type Call: Debug;
    /// Why a call failed.
    type Error: Display;

    /// Opens the store as a device does that starts. What was never started before is an erased chip.
    fn start(&self, flash: Flash<WRITE, ERASE>) -> Result<Self::Store, Self::Error>;

    /// Carries out a call.
    fn run(&self, store: &mut Self::Store, call: &Self::Call) -> Result<(), Self::Error>;

    /// Reads everything that the store holds.
    fn read(&self, store: &mut Self::Store) -> Result<Self::State, Self::Error>;

    /// What a store holds that was never written.
    fn empty(&self) -> Self::State;

    /// A random call, for a store that holds `state`.
    fn draw(&self, state: &Self::State, dice: &mut Dice) -> Self::Call;

    /// What a call makes of the model.
    fn carry_out(&self, state: &mut Self::State, call: &Self::Call);

    /// What a call that was interrupted, or failed, may leave: by default all of its work or nothing.
    fn interrupted(&self, before: &Self::State, call: &Self::Call) -> Vec<Self::State> {
        let mut after = before.clone();
        self.carry_out(&mut after, call);
        if after == *before {
            return Vec::from([after]);
        }
        Vec::from([before.clone(), after])
    }

    /// Whether the error is a refusal, after which the store is as it was: it is full, say. By default no
    /// error is one.
    fn is_refusal(&self, _error: &Self::Error) -> bool {
        false
    }

    /// Whether a single rotten bit may have made `found` of `before`. By default anything goes that reads;
    /// the report counts how often something was missing or changed.
    fn may_rot(&self, _before: &Self::State, _found: &Self::State) -> bool {
        true
    }
}
