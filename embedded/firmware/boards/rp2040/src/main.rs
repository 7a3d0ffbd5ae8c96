//! A session in the flash of an RP2040: program unit 1, erase page 4096.
#![no_std]
#![no_main]

use embassy_executor::Spawner;
use embassy_rp::flash::{Blocking, Error as FlashError, Flash};
use embassy_rp::peripherals::FLASH;
use mtsession_core::{Change, FixedSession, UpdateChange};
use mtsession_embedded::{Durability, Error, SessionLog};
use panic_halt as _;

/// The whole chip. Offsets count from its start, not from the address that programs see it at.
const CHIP: usize = 2048 * 1024;
/// What `memory.x` leaves out.
const REGION: core::ops::Range<u32> = 2032 * 1024..2048 * 1024;

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let peripherals = embassy_rp::init(embassy_rp::config::Config::default());
    let flash = Flash::<_, Blocking, CHIP>::new_blocking(peripherals.FLASH);
    // What to do about an error is the application's business.
    let _ = run(flash);
}

fn run(flash: Flash<'_, FLASH, Blocking, CHIP>) -> Result<(), Error<FlashError>> {
    let mut log = SessionLog::<_>::new(flash, REGION);
    // On the first start the region is erased; the power may go at any point of this.
    log.mount_or_format()?;
    log.set_durability(Durability::Lazy(32));

    let mut session = FixedSession::<6, 32, 64, 16, 64>::new();
    if !log.load(&mut session)? {
        // First start: log in, then keep what that gave.
        log.save(&session)?;
    }
    // An update came.
    log.append(&Change::Update(UpdateChange::Primary { pts: 7, date: 1_750_000_000, seq: 1 }))?;
    // Nothing else to do.
    log.maintain()
}
