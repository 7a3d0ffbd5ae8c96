//! As `log`, with sequential-storage, all its caches, and postcard records: for the size.
#![no_std]
#![no_main]

use core::hint::black_box;

use firmware_cortex_m::peers::{COUNTERS, block_on, records};
use firmware_cortex_m::{Ram, SIZE};
use mtsession_core::{Change, FixedSession, SessionMut, UpdateChange};
use sequential_storage::cache::Cache;
use sequential_storage::cache::key_pointers::ArrayKeyPointers;
use sequential_storage::cache::page_pointers::ArrayPagePointers;
use sequential_storage::cache::page_states::ArrayPageStates;
use sequential_storage::map::{MapConfig, MapStorage};

#[cortex_m_rt::entry]
fn main() -> ! {
    if let Some(flash) = firmware_cortex_m::region() {
        let _ = black_box(block_on(run(flash)));
    }
    loop {}
}

async fn run(flash: Ram) -> Option<()> {
    let mut session = FixedSession::<6, 32, 64, 16, 32>::new();
    let cache = Cache::new(
        ArrayPageStates::<4>::new(),
        ArrayPagePointers::<4>::new(),
        ArrayKeyPointers::<u16, 128>::new(),
    );
    let config = MapConfig::new(0..SIZE as u32);
    let mut map = MapStorage::<u16, _, _>::new(flash, config, cache);
    let (mut data, mut buffer) = ([0; 512], [0; 512]);

    let mut items = map.fetch_all_items(&mut data).await.ok()?;
    while let Some((_, value)) = items.next::<&[u8]>(&mut buffer).await.ok()? {
        session.apply(&Change::decode(value).ok()?.0).ok()?;
    }
    let primary = UpdateChange::Primary { pts: black_box(7), date: 1_750_000_000, seq: 1 };
    let change = black_box(Change::Update(primary));
    let value = &*change.encode(&mut buffer).ok()?;
    map.store_item(&mut data, &COUNTERS, &value).await.ok()?;
    for (key, change) in records(&session) {
        let value = &*change.encode(&mut buffer).ok()?;
        map.store_item(&mut data, &key, &value).await.ok()?;
    }
    Some(())
}
