//! How much the session log wears a chip, next to general-purpose stores. Deterministic: a simulated
//! chip counts.
//!
//! The workload is a fresh session (5 DCs with keys, 32 channels, 64 peers), then 100,000 updates of it
//! (80 % counters, 15 % a channel, 5 % a peer; one counter in 200 jumps), then a cold boot.

mod ekv;
mod log;
mod sequential;

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use mtsession_core::{Change, SessionSource, UpdateChange};
use mtsession_embedded::Durability;
use mtsession_embedded::sim::{Counts, Dice, OwnedChange, Plain, fresh_session};

use crate::OURS;
use crate::figures::{Figures, unit};

/// The area of these figures.
pub const AREA: &str = "flash";
/// The log, with counters written together.
pub const LAZY: &str = "mtsession, Lazy(32)";
/// The store to compare with, with all its caches.
pub const SEQUENTIAL: &str = "sequential-storage 8";
/// Another one.
pub const EKV: &str = "ekv 1.0";
/// The stores, in the order of the table.
pub const STORES: [&str; 4] = [SEQUENTIAL, OURS, LAZY, EKV];

/// What is counted, and what that means.
pub const METRICS: [(&str, &str); 13] = [
    ("login bytes", "programmed to store the fresh session"),
    ("login programs", "calls for that"),
    ("bytes/update", "programmed per update"),
    ("programs/update", "calls for that"),
    ("erases/100k", "pages erased by 100,000 updates"),
    ("worst bytes", "programmed by the worst single update"),
    ("worst programs", "calls of the worst single update"),
    ("worst erases", "pages erased by the worst single update"),
    (
        "uneven",
        "erases of the most worn page less those of the least worn",
    ),
    (
        "years",
        "at one update a second, until a page has been erased 100,000 times",
    ),
    ("boot bytes", "read by a cold boot that loads everything"),
    ("boot calls", "reads for that"),
    (
        "write ampl.",
        "bytes programmed per byte of information, 1.2 per update",
    ),
];

const UPDATES: usize = 100_000;
const PEERS: usize = 64;
const CYCLES: f64 = 100_000.0;

/// A chip and a region of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// `nRF52840 16K`.
    pub name: String,
    /// Bytes that are programmed at once.
    pub program_unit: usize,
    /// Bytes of the region.
    pub size: usize,
}

/// Every chip and region of the table; each is measured when it is asked for.
#[must_use]
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    each(&mut |case, _| cases.push(case));
    cases
}

/// Measures everything; half a minute in a release build.
#[must_use]
pub fn measure(mut progress: impl FnMut(&str)) -> Figures {
    let mut figures = Figures::default();
    each(&mut |case, stores| {
        progress(&case.name);
        for (store, run) in stores {
            if let Some(wear) = run(case.size) {
                wear.put(&case.name, store, &mut figures);
            }
        }
    });
    figures
}

/// What stores a session in a region of that size and updates it; `None` when it is too small.
type Run = fn(usize) -> Option<Wear>;

fn each(visit: &mut dyn FnMut(Case, &[(&'static str, Run)])) {
    fn chip<const W: usize, const E: usize>(
        visit: &mut dyn FnMut(Case, &[(&'static str, Run)]),
        name: &str,
        kib: &[usize],
        fits_ekv: bool,
    ) {
        let stores: [(&str, Run); 4] = [
            (SEQUENTIAL, sequential::run::<W, E>),
            (OURS, |size| log::run::<W, E>(size, Durability::Now)),
            (LAZY, |size| log::run::<W, E>(size, Durability::Lazy(32))),
            (EKV, ekv::run::<W, E>),
        ];
        for kib in kib {
            let case = Case {
                name: format!("{name} {kib}K"),
                program_unit: W,
                size: kib * 1024,
            };
            visit(case, &stores[..if fits_ekv { 4 } else { 3 }]);
        }
    }
    // ekv is built for one page size, and programs at most four bytes at once.
    chip::<1, 4096>(visit, "RP2040", &[16, 32, 64], true);
    chip::<4, 4096>(visit, "nRF52840", &[8, 16, 32, 64], true);
    chip::<8, 2048>(visit, "STM32L4", &[16, 32, 64], false);
    chip::<32, 131_072>(visit, "STM32H7", &[256, 512, 1024], false);
}

/// What a store did.
#[derive(Default)]
struct Wear {
    login: Counts,
    updates: Counts,
    worst: Counts,
    /// Of each page, by the updates.
    erases: Vec<u32>,
    boot: Counts,
}

impl Wear {
    fn put(&self, case: &str, store: &str, figures: &mut Figures) {
        let per_update = |count: u64| count as f64 / UPDATES as f64;
        let most = self.erases.iter().max().copied().unwrap_or(0);
        let least = self.erases.iter().min().copied().unwrap_or(0);
        let bytes = per_update(self.updates.programmed_bytes);
        let seconds = CYCLES / f64::from(most).max(1.0) * UPDATES as f64;
        let values = [
            self.login.programmed_bytes as f64,
            self.login.programs as f64,
            bytes,
            per_update(self.updates.programs),
            self.updates.erases as f64,
            self.worst.programmed_bytes as f64,
            self.worst.programs as f64,
            self.worst.erases as f64,
            f64::from(most - least),
            seconds / (365.25 * 86_400.0),
            self.boot.read_bytes as f64,
            self.boot.reads as f64,
            bytes / 1.2,
        ];
        for ((metric, _), value) in METRICS.iter().zip(values) {
            figures.put([AREA, metric, case, store, unit::COUNT], value);
        }
    }
}

/// Counts what updates do, the worst of them too.
struct Meter {
    last: Counts,
    before: Counts,
    erases: Vec<u32>,
    worst: Counts,
}

impl Meter {
    fn start(counts: Counts, erases: &[u32]) -> Self {
        Self {
            last: counts,
            before: counts,
            erases: erases.to_vec(),
            worst: Counts::default(),
        }
    }

    /// After one update.
    fn note(&mut self, counts: Counts) {
        let one = minus(counts, self.last);
        self.last = counts;
        let worst = &mut self.worst;
        worst.programmed_bytes = worst.programmed_bytes.max(one.programmed_bytes);
        worst.programs = worst.programs.max(one.programs);
        worst.erases = worst.erases.max(one.erases);
    }

    fn finish(self, counts: Counts, erases: &[u32]) -> Wear {
        let pages = erases.iter().zip(self.erases);
        Wear {
            login: self.before,
            updates: minus(counts, self.before),
            worst: self.worst,
            erases: pages.map(|(now, before)| now - before).collect(),
            boot: Counts::default(),
        }
    }
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
    let session = fresh_session(&mut dice, 5, 32, PEERS);
    (dice, session)
}

/// A key per record, for general stores: 0 for the counters, then DCs, channels and peers.
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
    let len = change.encode(buffer).expect("room").len();
    &buffer[..len]
}

/// The records of a session, for general stores.
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
