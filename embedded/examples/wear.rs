//! How much the session log wears a chip, next to general-purpose stores: bytes, erases, reads.
//!
//! `cargo run --release -p mtsession-embedded --example wear`
//!
//! Deterministic: a simulated chip counts. The workload is a fresh session (5 DCs with keys, 32
//! channels, 64 peers), then 100,000 updates of it, then a cold boot.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::ref_option,
    clippy::tests_outside_test_module,
    clippy::too_many_arguments,
    clippy::too_many_lines,
    clippy::trivially_copy_pass_by_ref,
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    reason = "a panic is a failed test"
)]

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use embassy_sync_06::blocking_mutex::raw::NoopRawMutex;
use mtsession_core::{Change, SessionSource, UpdateChange};
use mtsession_embedded::sim::{
    Chip, ChipError, Counts, Dice, OwnedChange, Plain, fresh_session, workload,
};
use mtsession_embedded::{Durability, SessionLog};
use sequential_storage::cache::{
    Cache, key_pointers::HeapKeyPointers, page_pointers::HeapPagePointers,
    page_states::HeapPageStates,
};
use sequential_storage::map::{MapConfig, MapStorage};

const UPDATES: usize = 100_000;
const CYCLES: f64 = 100_000.0;

/// What a store did.
struct Wear {
    updates: Counts,
    erases: Vec<u32>,
    boot: Counts,
}

fn main() {
    println!(
        "ratios to sequential-storage 8 with all caches; years until 100,000 cycles at 1 update/s\n"
    );
    println!(
        "| chip | store | B/update | ratio | write ampl. | erases/100k | ratio | max-min | years | boot bytes | boot calls | ratio |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    chip::<1, 4096>("RP2040 16K", 16);
    chip::<1, 4096>("RP2040 64K", 64);
    chip::<4, 4096>("nRF52840 8K", 8);
    chip::<4, 4096>("nRF52840 16K", 16);
    chip::<4, 4096>("nRF52840 64K", 64);
    chip::<8, 2048>("STM32L4 16K", 16);
    chip::<8, 2048>("STM32L4 64K", 64);
    chip::<32, 131_072>("STM32H7 256K", 256);
}

fn chip<const W: usize, const E: usize>(name: &str, kib: usize) {
    let size = kib * 1024;
    let own_now = own::<W, E>(size, Durability::Now);
    let own_lazy = own::<W, E>(size, Durability::Lazy(32));
    let seq = sequential::<W, E>(size);
    match &seq {
        Some(seq) => row(name, "sequential-storage 8", seq, Some(seq)),
        None => println!("| {name} | sequential-storage 8 | full ||||||||||"),
    }
    row(name, "mtsession", &own_now, seq.as_ref());
    row(name, "mtsession, Lazy(32)", &own_lazy, seq.as_ref());
    if W == 4 && kib >= 32 {
        row(name, "ekv 1.0", &ekv_run::<W, E>(size), seq.as_ref());
    }
}

fn row(chip: &str, store: &str, wear: &Wear, seq: Option<&Wear>) {
    let per = |counts: &Counts| counts.programmed_bytes as f64 / UPDATES as f64;
    let total = |wear: &Wear| wear.updates.erases as f64;
    let (min, max) = (
        wear.erases.iter().min().unwrap(),
        wear.erases.iter().max().unwrap(),
    );
    // 1.2 bytes of information per update.
    let bytes = per(&wear.updates);
    let years = CYCLES / f64::from(*max).max(1.0) * UPDATES as f64 / (365.25 * 86400.0);
    let ratio = |of: &dyn Fn(&Wear) -> f64| {
        seq.map_or_else(|| "-".into(), |seq| format!("{:.3}", of(wear) / of(seq)))
    };
    println!(
        "| {chip} | {store} | {bytes:.2} | {} | {:.1} | {} | {} | {} | {years:.1} | {} | {} | {} |",
        ratio(&|wear| per(&wear.updates)),
        bytes / 1.2,
        wear.updates.erases,
        ratio(&total),
        max - min,
        wear.boot.read_bytes,
        wear.boot.reads,
        ratio(&|wear| wear.boot.reads as f64),
    );
}

fn minus(a: Counts, b: Counts) -> Counts {
    Counts {
        reads: a.reads - b.reads,
        read_bytes: a.read_bytes - b.read_bytes,
        programs: a.programs - b.programs,
        programmed_bytes: a.programmed_bytes - b.programmed_bytes,
        erases: a.erases - b.erases,
        steps: a.steps - b.steps,
        calls: a.calls - b.calls,
    }
}

fn fresh() -> (Dice, Plain) {
    let mut dice = Dice::new(7);
    let session = fresh_session(&mut dice, 5, 32, 64);
    (dice, session)
}

fn own<const W: usize, const E: usize>(size: usize, durability: Durability) -> Wear {
    let (mut dice, mut session) = fresh();
    let end = u32::try_from(size).unwrap();
    let mut log = SessionLog::<_>::format(Chip::<W, E>::new(size), 0..end).unwrap();
    log.set_durability(durability);
    log.save(&session).unwrap();
    let before = log.chip().counts;
    let erases = log.chip().erases.clone();
    for _ in 0..UPDATES {
        let change = workload(&mut dice, &mut session, 64);
        log.append(&change.as_ref()).unwrap();
    }
    let mut chip = log.release().map_err(|(_, error)| error).unwrap();
    let updates = minus(chip.counts, before);
    let erases = chip
        .erases
        .iter()
        .zip(erases)
        .map(|(now, before)| now - before)
        .collect();
    let before = chip.counts;
    let mut log = SessionLog::<_>::mount(&mut chip, 0..end).unwrap();
    let mut loaded = Plain::default();
    assert!(log.load(&mut loaded).unwrap());
    assert_eq!(loaded, session);
    let boot = minus(chip.counts, before);
    Wear {
        updates,
        erases,
        boot,
    }
}

/// A key per record: 0 for the counters, then DCs, channels and peers.
fn key(change: &Change<'_>) -> u64 {
    match change {
        Change::Dc(dc) => 1 + u64::from(dc.dc_id.cast_unsigned()),
        Change::Update(UpdateChange::Channel { id, .. }) => 1 << 60 | id.cast_unsigned(),
        Change::Peer(peer) => 2 << 60 | peer.id.cast_unsigned(),
        _ => 0,
    }
}

/// What a general store keeps: the change, encoded with postcard.
fn value<'b>(change: &Change<'_>, buffer: &'b mut [u8]) -> &'b [u8] {
    let len = change.encode(buffer).unwrap().len();
    &buffer[..len]
}

fn changes(session: &Plain) -> Vec<OwnedChange> {
    let counters = session.counters();
    let primary = UpdateChange::Primary {
        pts: counters.pts,
        date: counters.date,
        seq: counters.seq,
    };
    let channel = |channel: &mtsession_core::ChannelPts| {
        OwnedChange::Update(UpdateChange::Channel {
            id: channel.id,
            pts: channel.pts,
        })
    };
    [OwnedChange::Update(primary)]
        .into_iter()
        .chain(session.dcs.iter().cloned().map(OwnedChange::Dc))
        .chain(session.channels.iter().map(channel))
        .chain(session.peers.iter().copied().map(OwnedChange::Peer))
        .collect()
}

/// `None`: the session does not fit.
fn sequential<const W: usize, const E: usize>(size: usize) -> Option<Wear> {
    let (mut dice, mut session) = fresh();
    let range = 0..u32::try_from(size).unwrap();
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
        u16::try_from(at).unwrap()
    };
    let mut map = MapStorage::<u16, _, _>::new(
        Chip::<W, E>::new(size),
        MapConfig::new(range.clone()),
        caches(),
    );
    let (mut data, mut buffer) = ([0; 1024], [0; 512]);
    for change in changes(&session) {
        let change = change.as_ref();
        let value = value(&change, &mut buffer);
        block_on(map.store_item(&mut data, &short(key(&change)), &value)).ok()?;
    }
    let before = map.flash().counts;
    let erases = map.flash().erases.clone();
    for _ in 0..UPDATES {
        let change = workload(&mut dice, &mut session, 64);
        let change = change.as_ref();
        let value = value(&change, &mut buffer);
        block_on(map.store_item(&mut data, &short(key(&change)), &value)).ok()?;
    }
    let (chip, _) = map.destroy();
    let updates = minus(chip.counts, before);
    let erases = chip
        .erases
        .iter()
        .zip(erases)
        .map(|(now, before)| now - before)
        .collect();
    let before = chip.counts;
    let mut map = MapStorage::<u16, _, _>::new(chip, MapConfig::new(range), caches());
    let mut items = block_on(map.fetch_all_items(&mut data)).unwrap();
    let mut found = 0;
    while block_on(items.next::<&[u8]>(&mut buffer))
        .unwrap()
        .is_some()
    {
        found += 1;
    }
    assert!(found >= 102);
    let (chip, _) = map.destroy();
    Some(Wear {
        updates,
        erases,
        boot: minus(chip.counts, before),
    })
}

struct Ekv<const W: usize, const E: usize>(Chip<W, E>);

impl<const W: usize, const E: usize> ekv::flash::Flash for Ekv<W, E> {
    type Error = ChipError;

    fn page_count(&self) -> usize {
        self.0.bytes.len() / E
    }

    async fn erase(&mut self, page: ekv::flash::PageID) -> Result<(), ChipError> {
        let from = u32::try_from(page.index() * E).unwrap();
        embedded_storage_async::nor_flash::NorFlash::erase(&mut self.0, from, from + E as u32).await
    }

    async fn read(
        &mut self,
        page: ekv::flash::PageID,
        offset: usize,
        data: &mut [u8],
    ) -> Result<(), ChipError> {
        let at = u32::try_from(page.index() * E + offset).unwrap();
        embedded_storage_async::nor_flash::ReadNorFlash::read(&mut self.0, at, data).await
    }

    async fn write(
        &mut self,
        page: ekv::flash::PageID,
        offset: usize,
        data: &[u8],
    ) -> Result<(), ChipError> {
        let at = u32::try_from(page.index() * E + offset).unwrap();
        embedded_storage_async::nor_flash::NorFlash::write(&mut self.0, at, data).await
    }
}

fn ekv_put<const W: usize, const E: usize>(
    database: &ekv::Database<&mut Ekv<W, E>, NoopRawMutex>,
    change: &OwnedChange,
    buffer: &mut [u8],
) {
    let change = change.as_ref();
    let value = value(&change, buffer);
    let mut transaction = block_on(database.write_transaction());
    block_on(transaction.write(&key(&change).to_be_bytes(), value)).unwrap();
    block_on(transaction.commit()).unwrap();
}

fn ekv_run<const W: usize, const E: usize>(size: usize) -> Wear {
    let (mut dice, mut session) = fresh();
    let mut flash = Ekv(Chip::<W, E>::new(size));
    let mut buffer = [0; 512];
    let (updates, erases, before) = {
        let mut marks = (Counts::default(), Vec::new());
        let mut config = ekv::Config::default();
        config.random_seed = 1;
        {
            let database = ekv::Database::<_, NoopRawMutex>::new(&mut flash, config);
            block_on(database.format()).unwrap();
            // Keys in order, as its transactions demand; one each is what a running client does.
            for change in changes(&session) {
                ekv_put(&database, &change, &mut buffer);
            }
        }
        marks.0 = flash.0.counts;
        marks.1.clone_from(&flash.0.erases);
        {
            let mut config = ekv::Config::default();
            config.random_seed = 2;
            let database = ekv::Database::<_, NoopRawMutex>::new(&mut flash, config);
            block_on(database.mount()).unwrap();
            for _ in 0..UPDATES {
                let change = workload(&mut dice, &mut session, 64);
                ekv_put(&database, &change, &mut buffer);
            }
        }
        let erases = flash
            .0
            .erases
            .iter()
            .zip(marks.1)
            .map(|(now, before)| now - before)
            .collect();
        (minus(flash.0.counts, marks.0), erases, flash.0.counts)
    };
    let mut config = ekv::Config::default();
    config.random_seed = 3;
    {
        let database = ekv::Database::<_, NoopRawMutex>::new(&mut flash, config);
        block_on(database.mount()).unwrap();
        for change in changes(&session) {
            let transaction = block_on(database.read_transaction());
            block_on(transaction.read(&key(&change.as_ref()).to_be_bytes(), &mut buffer)).unwrap();
        }
    }
    Wear {
        updates,
        erases,
        boot: minus(flash.0.counts, before),
    }
}

/// The simulated chip never waits.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return done;
        }
    }
}
