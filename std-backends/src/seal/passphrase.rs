//! Keys that are stretched from a passphrase.

use core::fmt;
use std::io;
use std::sync::Mutex;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use mtsession_core::seal::{KeySlot, StoreId};
use zeroize::{Zeroize as _, Zeroizing};

use super::slots::random;
use super::{Kek, KeySource, NewSlot};
use crate::error::kind::StoreErrorKind;
use crate::error::told::told;
use crate::sync::lock;

const SALT_LEN: usize = 16;
const PARAMETERS_LEN: usize = SALT_LEN + 12;

/// What a passphrase costs here: 64 MiB, three passes, one thread.
const WRITTEN: Work = Work {
    memory: 64 * 1024,
    passes: 3,
    lanes: 1,
};

/// Most memory of all passphrase slots of a store together, in KiB.
const MOST_MEMORY: u64 = 256 * 1024;
/// Most memory times passes of all of them together, in KiB.
const MOST_WORK: u64 = 1024 * 1024;
const MOST_LANES: u32 = 4;
/// Most passphrase slots of a store.
const MOST_SLOTS: usize = 2;

/// A passphrase that opens a sealed store, at the price of Argon2id: 64 MiB and some tenths of a second for each
/// guess. A key is stretched once for each store that is opened, and kept.
pub struct Passphrase {
    text: Zeroizing<Vec<u8>>,
    /// The keys that were stretched, by the parameters of their slots.
    kept: Mutex<Vec<(Vec<u8>, Kek)>>,
}

impl Passphrase {
    /// This passphrase, as it was typed; one end of a line after it does not belong to it.
    ///
    /// # Errors
    /// `InvalidInput` for an empty one.
    pub fn new(text: impl Into<String>) -> io::Result<Self> {
        let mut text = Zeroizing::new(text.into().into_bytes());
        if text.last() == Some(&b'\n') {
            text.pop();
            if text.last() == Some(&b'\r') {
                text.pop();
            }
        }
        if text.is_empty() {
            return Err(told(StoreErrorKind::Invalid, "the passphrase is empty"));
        }
        Ok(Self {
            text,
            kept: Mutex::default(),
        })
    }

    fn stretched(&self, parameters: &[u8]) -> io::Result<Kek> {
        let mut kept = lock(&self.kept);
        if let Some((_, kek)) = kept.iter().find(|(known, _)| known == parameters) {
            return Ok(Kek::new(*kek.as_bytes()));
        }
        let (salt, work) = parse(parameters).ok_or_else(senseless)?;
        let kek = work.stretch(&self.text, salt)?;
        kept.push((parameters.to_vec(), Kek::new(*kek.as_bytes())));
        Ok(kek)
    }
}

impl KeySource for Passphrase {
    fn kek(&self, _: &StoreId, slot: &KeySlot<'_>) -> io::Result<Option<Kek>> {
        if slot.kind != KeySlot::PASSPHRASE {
            return Ok(None);
        }
        self.stretched(slot.parameters).map(Some)
    }

    /// Slots that are made with the same passphrase in one process have the same salt, so that any number of
    /// stores costs one stretching.
    fn new_slot(&self, _: &StoreId) -> io::Result<NewSlot> {
        let known = lock(&self.kept)
            .iter()
            .find(|(parameters, _)| parse(parameters).is_some_and(|(_, work)| work == WRITTEN))
            .map(|(parameters, _)| parameters.clone());
        let parameters = match known {
            Some(parameters) => parameters,
            None => WRITTEN.parameters(&random()?),
        };
        Ok(NewSlot {
            kind: KeySlot::PASSPHRASE,
            ..NewSlot::new(self.stretched(&parameters)?, parameters)
        })
    }
}

/// Never the passphrase.
impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passphrase").finish_non_exhaustive()
    }
}

/// What one passphrase costs to try.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Work {
    /// In KiB.
    memory: u32,
    passes: u32,
    lanes: u32,
}

impl Work {
    fn parameters(self, salt: &[u8; SALT_LEN]) -> Vec<u8> {
        let mut parameters = salt.to_vec();
        for number in [self.memory, self.passes, self.lanes] {
            parameters.extend_from_slice(&number.to_le_bytes());
        }
        parameters
    }

    fn stretch(self, passphrase: &[u8], salt: &[u8]) -> io::Result<Kek> {
        let Self {
            memory,
            passes,
            lanes,
        } = self;
        let params = Params::new(memory, passes, lanes, Some(32)).map_err(|_| senseless())?;
        let mut blocks = Vec::new();
        let count = params.block_count();
        blocks.try_reserve_exact(count).map_err(|_| {
            let message = format!("there are not {memory} KiB of memory to try the passphrase");
            told(StoreErrorKind::TooLarge, message)
        })?;
        blocks.resize(count, Block::default());
        let mut key = Zeroizing::new([0; 32]);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let stretched =
            argon2.hash_password_into_with_memory(passphrase, salt, &mut *key, &mut blocks);
        for block in &mut blocks {
            block.zeroize();
        }
        stretched.map_err(|_| senseless())?;
        Ok(Kek::new(*key))
    }
}

/// Refuses slots that would cost more to try than any passphrase is worth, before the first is tried.
pub(super) fn check_work<'s>(slots: impl Iterator<Item = KeySlot<'s>>) -> io::Result<()> {
    let (mut count, mut memory, mut work) = (0_usize, 0_u64, 0_u64);
    let too_much = |what: String| {
        let message = format!(
            "its passphrases would cost {what}: it was made to keep this program busy; open it with \
             another key"
        );
        Err(told(StoreErrorKind::TooLarge, message))
    };
    for slot in slots {
        let (_, asked) = parse(slot.parameters).ok_or_else(senseless)?;
        let (kib, passes) = (u64::from(asked.memory), u64::from(asked.passes));
        count = count.saturating_add(1);
        memory = memory.saturating_add(kib);
        work = work.saturating_add(kib.saturating_mul(passes));
        if asked.lanes > MOST_LANES {
            let lanes = asked.lanes;
            return too_much(format!(
                "{lanes} threads, of which at most {MOST_LANES} are allowed"
            ));
        }
    }
    if count > MOST_SLOTS {
        return too_much(format!(
            "{count} stretchings, of which at most {MOST_SLOTS} are allowed"
        ));
    }
    if memory > MOST_MEMORY {
        return too_much(format!(
            "{memory} KiB of memory, of which at most {MOST_MEMORY} are allowed"
        ));
    }
    if work > MOST_WORK {
        return too_much(format!(
            "{work} KiB of passes, of which at most {MOST_WORK} are allowed"
        ));
    }
    Ok(())
}

fn parse(parameters: &[u8]) -> Option<(&[u8; SALT_LEN], Work)> {
    let parameters: &[u8; PARAMETERS_LEN] = parameters.try_into().ok()?;
    let (salt, rest) = parameters.split_first_chunk()?;
    let (memory, rest) = rest.split_first_chunk()?;
    let (passes, lanes) = rest.split_first_chunk()?;
    let work = Work {
        memory: u32::from_le_bytes(*memory),
        passes: u32::from_le_bytes(*passes),
        lanes: u32::from_le_bytes(*lanes.first_chunk()?),
    };
    Some((salt, work))
}

fn senseless() -> io::Error {
    told(
        StoreErrorKind::Damaged,
        "the parameters of a passphrase slot make no sense: the header was changed or damaged",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(work: &[(u32, u32, u32)]) -> io::Result<()> {
        let parameters: Vec<_> = work
            .iter()
            .map(|(memory, passes, lanes)| {
                let work = Work {
                    memory: *memory,
                    passes: *passes,
                    lanes: *lanes,
                };
                work.parameters(&[0; SALT_LEN])
            })
            .collect();
        let slot = |parameters| KeySlot::new(KeySlot::PASSPHRASE, parameters, &[0; 16], &[0; 48]);
        check_work(parameters.iter().map(|parameters| slot(parameters)))
    }

    /// None of them is stretched, so that they cost nothing.
    #[test]
    fn slots_that_are_made_to_exhaust_a_machine_are_refused_by_their_numbers() {
        let written = (WRITTEN.memory, WRITTEN.passes, WRITTEN.lanes);
        slots(&[written]).unwrap();
        slots(&[written, written]).unwrap();
        for (work, number) in [
            (&[written; 3][..], "3 stretchings"),
            (&[(u32::MAX, 1, 1)], "4294967295 KiB"),
            (&[(256 * 1024, 1, 1), (1024, 1, 1)], "263168 KiB"),
            (&[(64 * 1024, u32::MAX, 1)], "KiB of passes"),
            (&[(64 * 1024, 3, 5)], "5 threads"),
        ] {
            let error = slots(work).unwrap_err();
            assert!(error.to_string().contains(number), "{error}");
        }
        assert!(parse(&[0; PARAMETERS_LEN - 1]).is_none());
        assert!(parse(&[0; PARAMETERS_LEN + 1]).is_none());
    }

    #[test]
    fn a_passphrase_is_what_was_typed_without_the_end_of_its_line() {
        let text = |typed: &str| Passphrase::new(typed).map(|made| made.text.to_vec());
        assert_eq!(text("a b ").unwrap(), b"a b ");
        assert_eq!(text("a\n").unwrap(), b"a");
        assert_eq!(text("a\r\n").unwrap(), b"a");
        assert_eq!(text("a\n\n").unwrap(), b"a\n");
        assert!(text("").is_err() && text("\n").is_err());
    }
}
