//! Instructions per update, next to sequential-storage with all its caches, on QEMU's mps2-an386 with
//! `-icount shift=0`: one instruction is one nanosecond, and SysTick counts 40 of them.
#![no_std]
#![no_main]

use core::mem::{size_of, size_of_val};

use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::peripheral::{Peripherals, SYST};
use firmware_cortex_m::peers::{block_on, channel, dc, login, peer};
use firmware_cortex_m::{Ram, SIZE};
use mtsession_core::{Change, Counters, FixedSession, SessionMut, SessionSource, UpdateChange};
use mtsession_embedded::{SessionLog, Started};
use semihosting::println;
use sequential_storage::cache::Cache;
use sequential_storage::cache::key_pointers::ArrayKeyPointers;
use sequential_storage::cache::page_pointers::ArrayPagePointers;
use sequential_storage::cache::page_states::ArrayPageStates;
use sequential_storage::map::{MapConfig, MapStorage};

const UPDATES: u32 = 20_000;
/// Instructions per tick: the machine's clock is 25 MHz.
const TICK: u64 = 40;
const MAX: u32 = 0xFF_FFFF;

#[derive(Default)]
struct Tally {
    sum: u64,
    worst: u64,
}

impl Tally {
    fn time(&mut self, put: impl FnOnce() -> bool) -> bool {
        let start = SYST::get_current();
        let done = put();
        let ticks = start.wrapping_sub(SYST::get_current()) & MAX;
        let instructions = u64::from(ticks) * TICK;
        self.sum += instructions;
        self.worst = self.worst.max(instructions);
        done
    }

    fn mean(&self) -> u64 {
        self.sum / u64::from(UPDATES)
    }
}

/// The session's updates, the same for both stores.
struct Updates {
    seed: u32,
    counters: Counters,
    channels: [i32; 32],
}

enum Slot {
    Counters,
    Channel(u16),
    Peer(u16),
}

impl Updates {
    const fn new() -> Self {
        let counters = Counters { pts: 100_000, qts: 3, date: 1_750_000_000, seq: 500 };
        Self { seed: 1, counters, channels: [1000; 32] }
    }

    fn below(&mut self, n: u32) -> u32 {
        self.seed = self.seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.seed >> 8) % n
    }

    fn next(&mut self) -> (Slot, Change<'static>) {
        match self.below(100) {
            0..80 => {
                self.counters.pts += 1;
                self.counters.date += self.below(4) as i32;
                let Counters { pts, date, seq, .. } = self.counters;
                (Slot::Counters, Change::Update(UpdateChange::Primary { pts, date, seq }))
            }
            80..95 => {
                let n = self.below(32);
                let pts = &mut self.channels[n as usize];
                *pts += 1;
                let id = channel(n);
                let update = UpdateChange::Channel { id, pts: *pts };
                (Slot::Channel(n as u16), Change::Update(update))
            }
            _ => {
                let n = self.below(64);
                let hash = i64::from(self.below(1 << 24)) << 32;
                (Slot::Peer(n as u16), Change::Peer(peer(n, hash)))
            }
        }
    }
}

fn key(slot: &Slot) -> u16 {
    match slot {
        Slot::Counters => 0,
        Slot::Channel(n) => 100 + n,
        Slot::Peer(n) => 200 + n,
    }
}

#[cortex_m_rt::entry]
fn main() -> ! {
    let (Some(mut syst), Some(mut flash)) =
        (Peripherals::take().map(|all| all.SYST), firmware_cortex_m::region())
    else {
        semihosting::process::exit(1)
    };
    syst.set_clock_source(SystClkSource::Core);
    syst.set_reload(MAX);
    syst.clear_current();
    syst.enable_counter();
    let Some(own) = own(&mut flash) else { semihosting::process::exit(1) };
    flash.0.fill(0xFF);
    let Some(seq) = sequential(&mut flash) else { semihosting::process::exit(1) };
    for (store, done) in [("mtsession", &own), ("sequential-storage 8", &seq)] {
        let figure = |what: &str, unit: &str, value: u64| {
            println!("flash\t{what}\tnRF52840 16K\t{store}\t{unit}\t{value}");
        };
        figure("update, mean", "instructions", done.updates.mean());
        figure("update, worst", "instructions", done.updates.worst);
        figure("mount and load", "instructions", done.load.sum);
        figure("RAM of the store", "bytes", done.ram as u64);
        figure("stack of an update", "bytes", done.stack as u64);
    }
    println!(
        "flash\tFixedSession<6, 32, 64, 16, 32>\tnRF52840 16K\tmtsession\tbytes\t{}",
        size_of::<FixedSession<6, 32, 64, 16, 32>>()
    );
    // The bounds that the log keeps to: a quarter on average, half in the worst case.
    let kept = own.updates.mean() * 4 <= seq.updates.mean() && own.updates.worst * 2 <= seq.updates.worst;
    semihosting::process::exit(i32::from(!kept))
}

/// What a store did.
struct Done {
    updates: Tally,
    load: Tally,
    ram: usize,
    stack: usize,
}

/// Bytes below this function's frame that are watched, far more than any store takes.
const WATCHED: usize = 16 * 1024;
const PAINT: u8 = 0xA5;

/// How much stack a call takes.
#[inline(never)]
fn stack_of(call: impl FnOnce() -> bool) -> Option<usize> {
    // Some room for this function itself.
    let top = cortex_m::register::msp::read() as usize - 256;
    let bottom = top - WATCHED;
    for at in bottom..top {
        // SAFETY: free stack below the frames of all that runs; there are no interrupts.
        unsafe { (at as *mut u8).write_volatile(PAINT) };
    }
    let done = call();
    // SAFETY: as above.
    let used = (bottom..top).find(|at| unsafe { (*at as *const u8).read_volatile() } != PAINT);
    done.then(|| top - used.unwrap_or(top) + 256)
}

/// A log of the session that both stores keep.
type Log<F> = SessionLog<F, 6, 32, 64, 0, 0>;

fn own(mut flash: &mut Ram) -> Option<Done> {
    let mut session = FixedSession::<6, 32, 64, 0, 0>::new();
    login(&mut session).ok()?;
    let mut updates = Updates::new();
    session.set_counters(updates.counters);
    let mut log = Log::new(&mut flash, 0..SIZE as u32);
    log.reformat().ok()?;
    log.save(&session).ok()?;
    let mut tally = Tally::default();
    for _ in 0..UPDATES {
        let (_, change) = updates.next();
        tally.time(|| log.append(&change).is_ok()).then_some(())?;
    }
    // The session in it is the caller's: no other one is needed.
    let ram = size_of_val(&log) - size_of_val(log.session());
    let mut stack = 0;
    // A page turn is among so many.
    for _ in 0..1_000 {
        let (_, change) = updates.next();
        stack = stack.max(stack_of(|| log.append(&change).is_ok())?);
    }
    drop(log);
    let mut load = Tally::default();
    let mut log = Log::new(&mut flash, 0..SIZE as u32);
    load.time(|| log.open() == Ok(Started::Mounted)).then_some(())?;
    (log.session().counters() == updates.counters).then_some(())?;
    Some(Done { updates: tally, load, ram, stack })
}

fn sequential(flash: &mut Ram) -> Option<Done> {
    let caches = || {
        Cache::new(
            ArrayPageStates::<4>::new(),
            ArrayPagePointers::<4>::new(),
            ArrayKeyPointers::<u16, 128>::new(),
        )
    };
    let config = MapConfig::new(0..SIZE as u32);
    let mut map = MapStorage::<u16, _, _>::new(flash, config, caches());
    let (mut data, mut buffer) = ([0; 1024], [0; 512]);
    let bytes = core::array::from_fn(|n| n as u8);
    let mut put = |key: u16, change: &Change<'_>, tally: Option<&mut Tally>| {
        let mut store = || {
            let Ok(value) = change.encode(&mut buffer) else { return false };
            block_on(map.store_item(&mut data, &key, &&*value)).is_ok()
        };
        match tally {
            Some(tally) => tally.time(store),
            None => store(),
        }
    };
    let mut updates = Updates::new();
    for n in 1..=5 {
        put(10 + n as u16, &Change::Dc(dc(n, &bytes)), None).then_some(())?;
    }
    for n in 0..32 {
        let update = UpdateChange::Channel { id: channel(n), pts: 1000 };
        put(100 + n as u16, &Change::Update(update), None).then_some(())?;
    }
    for n in 0..64 {
        put(200 + n as u16, &Change::Peer(peer(n, i64::from(n) << 40)), None).then_some(())?;
    }
    let mut tally = Tally::default();
    for _ in 0..UPDATES {
        let (slot, change) = updates.next();
        put(key(&slot), &change, Some(&mut tally)).then_some(())?;
    }
    let mut stack = 0;
    for _ in 0..1_000 {
        let (slot, change) = updates.next();
        stack = stack.max(stack_of(|| put(key(&slot), &change, None))?);
    }
    let ram = size_of_val(&map);
    let (flash, _) = map.destroy();
    let mut map = MapStorage::<u16, _, _>::new(flash, MapConfig::new(0..SIZE as u32), caches());
    let mut load = Tally::default();
    let mut session = FixedSession::<6, 32, 64, 0, 0>::new();
    load.time(|| {
        let read = async {
            let mut items = map.fetch_all_items(&mut data).await.ok()?;
            while let Some((_, value)) = items.next::<&[u8]>(&mut buffer).await.ok()? {
                session.apply(&Change::decode(value).ok()?.0).ok()?;
            }
            Some(())
        };
        block_on(read).is_some()
    })
    .then_some(())?;
    Some(Done { updates: tally, load, ram, stack })
}
