//! The whole API of the log.
#![no_std]
#![no_main]

use core::hint::black_box;

use firmware_cortex_m::{Ram, SIZE};
use mtsession_core::{Change, FixedSession, UpdateChange};
use mtsession_embedded::{Durability, Error, KeyCopies, SessionLog};

type Session = FixedSession<6, 32, 64, 16, 32>;
type Log = SessionLog<Ram, 6, 32, 64, 16, 32>;
type Failure = Error<embedded_storage::nor_flash::NorFlashErrorKind>;

#[cortex_m_rt::entry]
fn main() -> ! {
    if let Some(flash) = firmware_cortex_m::region() {
        let _ = black_box(run(flash));
    }
    loop {}
}

fn run(flash: Ram) -> Result<(), Failure> {
    let mut log = Log::new(flash, 0..SIZE as u32);
    log.set_key_copies(black_box(KeyCopies::One))?;
    log.set_durability(black_box(Durability::Lazy(32)));
    log.mount_or_format()?;
    black_box(log.session());
    let primary = UpdateChange::Primary { pts: black_box(7), date: 1_750_000_000, seq: 1 };
    log.append(black_box(&Change::Update(primary)))?;
    let changes = [Change::HomeDc(black_box(2)), Change::Update(primary)];
    log.apply(black_box(&changes))?;
    log.save(&Session::new())?;
    log.maintain()?;
    log.sync()?;
    black_box(log.stats()?);
    log.delete()?;
    log.reformat()
}
