//! A chip whose flash is shared: one partition for the session, one for updates over the air.
#![no_std]
#![no_main]

use embassy_embedded_hal::adapter::BlockingAsync;
use embassy_embedded_hal::flash::partition::Partition;
use embassy_executor::Spawner;
use embassy_nrf::nvmc::Nvmc;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_sync::mutex::Mutex;
use embedded_storage_async::nor_flash::NorFlash;
use mtsession_embedded::asynchronous::SessionLog;
use panic_halt as _;

/// Bytes of the session's partition, at the end of the chip: what `memory.x` leaves out.
const SESSION: u32 = 16 * 1024;
/// Where the next firmware is put together.
const UPDATE: core::ops::Range<u32> = 512 * 1024..1008 * 1024;

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    let peripherals = embassy_nrf::init(embassy_nrf::config::Config::default());
    let flash = BlockingAsync::new(Nvmc::new(peripherals.NVMC));
    let flash = Mutex::<NoopRawMutex, _>::new(flash);
    let session = Partition::new(&flash, 1024 * 1024 - SESSION, SESSION);
    let mut update = Partition::new(&flash, UPDATE.start, UPDATE.end - UPDATE.start);

    // Offsets count from the partition's start.
    let mut log = SessionLog::<_>::new(session, 0..SESSION);
    // What to do about an error is the application's business.
    let _ = log.mount_or_format().await;
    let _ = log.maintain().await;
    // The updater's part; each of its calls has the driver for itself.
    let _ = update.erase(0, 4096).await;
}
