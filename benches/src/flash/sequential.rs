//! `sequential-storage`'s map, with all its caches.

use mtsession_embedded::sim::{Chip, workload};
use sequential_storage::cache::Cache;
use sequential_storage::cache::key_pointers::HeapKeyPointers;
use sequential_storage::cache::page_pointers::HeapPagePointers;
use sequential_storage::cache::page_states::HeapPageStates;
use sequential_storage::map::{MapConfig, MapStorage};

use super::{Meter, PEERS, UPDATES, Wear, block_on, changes, fresh, key, minus, value};

pub(super) fn run<const W: usize, const E: usize>(size: usize) -> Option<Wear> {
    let (mut dice, mut session) = fresh();
    let range = 0..u32::try_from(size).ok()?;
    let pages = size / E;
    let caches = || {
        Cache::new(
            HeapPageStates::new(pages),
            HeapPagePointers::new(pages),
            HeapKeyPointers::<u16>::new(128),
        )
    };
    // Two bytes of key, as a firmware that counts bytes would have.
    let mut keys = Vec::new();
    let mut short = |key: u64| {
        let known = keys.iter().position(|known| *known == key);
        let at = known.unwrap_or_else(|| {
            keys.push(key);
            keys.len() - 1
        });
        u16::try_from(at).expect("few keys")
    };
    let chip = Chip::<W, E>::new(size);
    let mut map = MapStorage::<u16, _, _>::new(chip, MapConfig::new(range.clone()), caches());
    let (mut data, mut buffer) = ([0; 1024], [0; 512]);
    let records = changes(&session);
    for change in &records {
        let change = change.as_ref();
        let value = value(&change, &mut buffer);
        block_on(map.store_item(&mut data, &short(key(&change)), &value)).ok()?;
    }
    let mut meter = Meter::start(map.flash().counts, &map.flash().erases);
    for _ in 0..UPDATES {
        let change = workload(&mut dice, &mut session, PEERS);
        let change = change.as_ref();
        let value = value(&change, &mut buffer);
        block_on(map.store_item(&mut data, &short(key(&change)), &value)).ok()?;
        meter.note(map.flash().counts);
    }
    let (chip, _) = map.destroy();
    let mut wear = meter.finish(chip.counts, &chip.erases);
    let before = chip.counts;
    let mut map = MapStorage::<u16, _, _>::new(chip, MapConfig::new(range), caches());
    let mut items = block_on(map.fetch_all_items(&mut data)).expect("items");
    let mut found = 0;
    while let Some(_item) = block_on(items.next::<&[u8]>(&mut buffer)).expect("an item") {
        found += 1;
    }
    assert!(found >= records.len(), "what was stored is found");
    let (chip, _) = map.destroy();
    wear.boot = minus(chip.counts, before);
    Some(wear)
}
