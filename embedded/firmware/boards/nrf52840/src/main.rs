//! A session in the flash of an nRF52840, with the async log: program unit 4, erase page 4096.
//!
//! With a radio stack that owns the flash (`nrf-softdevice`, `nrf-sdc`), take its async flash driver
//! in place of [`BlockingAsync`]: the rest stays.
#![no_std]
#![no_main]

use embassy_embedded_hal::adapter::BlockingAsync;
use embassy_executor::Spawner;
use embassy_nrf::nvmc::{Error as FlashError, Nvmc};
use mtsession_core::{Change, FixedSession, UpdateChange};
use mtsession_embedded::asynchronous::SessionLog;
use mtsession_embedded::{Error, KeyCopies};
use panic_halt as _;

/// What `memory.x` leaves out.
const REGION: core::ops::Range<u32> = 1008 * 1024..1024 * 1024;

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let peripherals = embassy_nrf::init(embassy_nrf::config::Config::default());
    let flash = BlockingAsync::new(Nvmc::new(peripherals.NVMC));
    // What to do about an error is the application's business.
    let _ = run(flash).await;
}

async fn run(flash: BlockingAsync<Nvmc<'_>>) -> Result<(), Error<FlashError>> {
    let mut log = SessionLog::<_>::new(flash, REGION);
    // On the first start the region is erased; the power may go at any point of this.
    log.mount_or_format().await?;
    log.set_key_copies(KeyCopies::Two)?;

    let mut session = FixedSession::<6, 32, 64, 16, 64>::new();
    if !log.load(&mut session).await? {
        // First start: log in, then keep what that gave.
        log.save(&session).await?;
    }
    // An update came.
    let update = UpdateChange::Primary { pts: 7, date: 1_750_000_000, seq: 1 };
    log.append(&Change::Update(update)).await?;
    // Nothing else to do.
    log.maintain().await
}
