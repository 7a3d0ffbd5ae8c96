//! How many lives a store is given, and what goes wrong in them.

use std::env;
use std::string::String;

use super::life::Life;
use super::{Busy, Chip, Dice, Report, Subject};

/// What goes wrong in the lives of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The power is cut: in calls, in starts, and often again in what follows.
    PowerCuts,
    /// Calls of the driver fail, and may leave a part of their work.
    Driver(Busy),
    /// A cell in which nothing was written always reads as this from some call on. `true`: it cannot be
    /// programmed; `false`: it cannot be erased.
    StuckCell(bool),
    /// A bit flips while the device is off.
    Rot,
}

/// A test: from which seed, how many lives of a device, how long, and what goes wrong.
///
/// Every life has a seed of its own, the plan's and those after it, and everything in it follows from
/// that: a failure says which it was, and a plan of one life from that seed shows it again.
///
/// ```
/// use mtsession_embedded::sim::{Fault, Plan};
///
/// let plan = Plan::new(1).lives(100).calls(60).fault(Fault::Rot);
/// assert_eq!(plan.seed, 1);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Plan {
    /// The seed of the first life.
    pub seed: u64,
    /// How many lives there are; 200 unless said otherwise.
    pub lives: u64,
    /// How many calls there are in each; 80 unless said otherwise.
    pub calls: usize,
    /// What goes wrong; the power unless said otherwise.
    pub fault: Fault,
}

impl Plan {
    /// A plan of 200 lives of 80 calls with power cuts.
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            lives: 200,
            calls: 80,
            fault: Fault::PowerCuts,
        }
    }

    /// The same with so many lives.
    #[must_use]
    pub fn lives(self, lives: u64) -> Self {
        Self { lives, ..self }
    }

    /// The same with so many calls in each life.
    #[must_use]
    pub fn calls(self, calls: usize) -> Self {
        Self { calls, ..self }
    }

    /// The same with something else that goes wrong.
    #[must_use]
    pub fn fault(self, fault: Fault) -> Self {
        Self { fault, ..self }
    }

    /// The same as the user wants it: the variables `SIM_SEED` and `SIM_LIVES`, and over them the
    /// arguments `--seed N` and `--lives N`. `SIM_SEED` alone means one life.
    ///
    /// # Errors
    ///
    /// Which of them is no number.
    ///
    /// ```
    /// use mtsession_embedded::sim::Plan;
    ///
    /// let arguments = ["--seed", "17", "--lives", "3"].map(String::from);
    /// let plan = Plan::new(1).asked_for(arguments)?;
    /// assert_eq!((plan.seed, plan.lives), (17, 3));
    /// assert!(Plan::new(1).asked_for(["--seed".into(), "x".into()]).is_err());
    /// # Ok::<(), String>(())
    /// ```
    pub fn asked_for(
        mut self,
        arguments: impl IntoIterator<Item = String>,
    ) -> Result<Self, String> {
        let number = |name: &str, value: Option<String>| -> Result<u64, String> {
            let value = value.unwrap_or_default();
            let parsed = value.parse();
            parsed.map_err(|_| std::format!("{name} wants a number, not {value:?}"))
        };
        let mut seed = match env::var("SIM_SEED") {
            Ok(value) => Some(number("SIM_SEED", Some(value))?),
            Err(_) => None,
        };
        let mut lives = match env::var("SIM_LIVES") {
            Ok(value) => Some(number("SIM_LIVES", Some(value))?),
            Err(_) => None,
        };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--seed" => seed = Some(number("--seed", arguments.next())?),
                "--lives" => lives = Some(number("--lives", arguments.next())?),
                _ => return Err(std::format!("{argument:?} is not --seed N or --lives N")),
            }
        }
        if seed.is_some() {
            lives = lives.or(Some(1));
        }
        self.seed = seed.unwrap_or(self.seed);
        self.lives = lives.unwrap_or(self.lives);
        Ok(self)
    }

    /// Tests a store on copies of a chip. [`Report::first`] is the first failure; the lives after it are
    /// lived all the same and counted.
    pub fn run<S, const WRITE: usize, const ERASE: usize>(
        &self,
        subject: &S,
        chip: &Chip<WRITE, ERASE>,
    ) -> Report
    where
        S: Subject<WRITE, ERASE>,
    {
        let mut report = Report::default();
        for n in 0..self.lives {
            let seed = self.seed.wrapping_add(n);
            let mut chip = chip.clone();
            // Of the bits that a tear leaves, as of everything else.
            chip.dice = Dice::new(!seed);
            Life::new(self, seed, subject, chip).live(&mut report);
        }
        report
    }
}
