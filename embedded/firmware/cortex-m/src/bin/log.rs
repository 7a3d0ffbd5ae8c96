//! Mount, load, append, save: the log's hot path, with a session in fixed memory.
#![no_std]
#![no_main]

use core::hint::black_box;

use firmware_cortex_m::{Ram, SIZE};
use mtsession_core::{Change, FixedSession, UpdateChange};
use mtsession_embedded::{Error, SessionLog};

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
    log.open()?;
    black_box(log.session());
    let primary = UpdateChange::Primary { pts: black_box(7), date: 1_750_000_000, seq: 1 };
    log.append(black_box(&Change::Update(primary)))?;
    log.save(&Session::new())
}
