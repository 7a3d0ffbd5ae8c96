//! A session in the flash of an ESP32-C3: program unit 4, erase page 4096.
//!
//! The region is a data partition of its own (`partitions.csv`); no `memory.x` is needed, the HAL
//! brings the linker script.
#![no_std]
#![no_main]

use esp_storage::{FlashStorage, FlashStorageError};
use mtsession_core::{Change, FixedSession, UpdateChange};
use mtsession_embedded::{Durability, Error, SessionLog};
use panic_halt as _;

// What the second-stage boot loader looks for.
esp_bootloader_esp_idf::esp_app_desc!();

/// The partition `session`.
const REGION: core::ops::Range<u32> = 0x3F_0000..0x3F_4000;

#[esp_hal::main]
fn main() -> ! {
    let peripherals = esp_hal::init(esp_hal::Config::default());
    // What to do about an error is the application's business.
    let _ = run(FlashStorage::new(peripherals.FLASH));
    loop {}
}

fn run(flash: FlashStorage<'_>) -> Result<(), Error<FlashStorageError>> {
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
