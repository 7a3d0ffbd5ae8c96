//! As `log`, with ekv and postcard records: for the size.
#![no_std]
#![no_main]

use core::hint::black_box;

use ekv::flash::PageID;
use ekv::{Config, Database};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embedded_storage::nor_flash::{NorFlash, NorFlashErrorKind, ReadNorFlash};
use firmware_cortex_m::peers::{COUNTERS, block_on, records};
use firmware_cortex_m::{Ram, SIZE};
use mtsession_core::{Change, FixedSession, SessionMut, UpdateChange};

struct Pages(Ram);

impl ekv::flash::Flash for Pages {
    type Error = NorFlashErrorKind;

    fn page_count(&self) -> usize {
        SIZE / Ram::ERASE_SIZE
    }

    async fn erase(&mut self, page: PageID) -> Result<(), Self::Error> {
        let from = page.index() * Ram::ERASE_SIZE;
        self.0.erase(from as u32, (from + Ram::ERASE_SIZE) as u32)
    }

    async fn read(&mut self, page: PageID, at: usize, data: &mut [u8]) -> Result<(), Self::Error> {
        self.0.read((page.index() * Ram::ERASE_SIZE + at) as u32, data)
    }

    async fn write(&mut self, page: PageID, at: usize, data: &[u8]) -> Result<(), Self::Error> {
        self.0.write((page.index() * Ram::ERASE_SIZE + at) as u32, data)
    }
}

#[cortex_m_rt::entry]
fn main() -> ! {
    if let Some(flash) = firmware_cortex_m::region() {
        let _ = black_box(block_on(run(flash)));
    }
    loop {}
}

async fn run(flash: Ram) -> Option<()> {
    let mut session = FixedSession::<6, 32, 64, 16, 32>::new();
    let mut config = Config::default();
    config.random_seed = black_box(1);
    let database = Database::<_, NoopRawMutex>::new(Pages(flash), config);
    database.mount().await.ok()?;
    let (mut key, mut buffer) = ([0; 2], [0; 512]);

    let read = database.read_transaction().await;
    let mut items = read.read_all().await.ok()?;
    while let Some((_, len)) = items.next(&mut key, &mut buffer).await.ok()? {
        let (change, _) = Change::decode(buffer.get(..len)?).ok()?;
        session.apply(&change).ok()?;
    }
    drop(items);
    drop(read);
    let primary = UpdateChange::Primary { pts: black_box(7), date: 1_750_000_000, seq: 1 };
    let change = black_box(Change::Update(primary));
    let value = &*change.encode(&mut buffer).ok()?;
    let mut write = database.write_transaction().await;
    write.write(&COUNTERS.to_be_bytes(), value).await.ok()?;
    write.commit().await.ok()?;
    let mut write = database.write_transaction().await;
    for (key, change) in records(&session) {
        let value = &*change.encode(&mut buffer).ok()?;
        write.write(&key.to_be_bytes(), value).await.ok()?;
    }
    write.commit().await.ok()
}
