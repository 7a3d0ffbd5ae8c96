//! Many accounts in one database file, open at once in one process.
//!
//! Each part runs in a process of its own, so that what one has left in memory is not counted for the next.

use core::hint::black_box;
use core::time::Duration;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use mtsession::{
    CachedPeer, GrammersSession, InMemoryBackend, PeerKey, PeerQuery, PersistedSession,
    SessionBackend, SqliteBackend, Store, UpdateStateChange,
};

use mtsession_core::Peer;

use crate::figures::{Figures, unit};
use crate::{OURS, samples};

/// The area of these figures.
pub const AREA: &str = "accounts of one database";

/// The parts, and what each measures.
pub const PARTS: [(&str, &str); 5] = [
    ("1", "memory and descriptors of one account"),
    ("1000", "of a thousand, with 100 peers each"),
    ("10000", "of ten thousand"),
    (
        "lookups",
        "heads, single peers and pages of a session of size L",
    ),
    (
        "grouped",
        "a hundred accounts that each change once a second, on disk",
    ),
];

/// Measures one part in a directory that is in memory, but for the last one.
///
/// # Errors
/// Of the stores.
pub fn measure(part: &str, memory: &Path, disk: &Path) -> io::Result<Figures> {
    match part {
        "lookups" => lookups(memory),
        "grouped" => grouped(disk),
        number => {
            let number = number.parse().map_err(io::Error::other)?;
            accounts(number, memory)
        }
    }
}

struct Measured(Figures);

impl Measured {
    fn put(&mut self, operation: &str, size: &str, unit: &str, value: f64) {
        self.0.put([AREA, operation, size, OURS, unit], value);
    }

    /// The median time of a call.
    fn time<R>(
        &mut self,
        operation: &str,
        size: &str,
        repeats: usize,
        mut before: impl FnMut() -> io::Result<()>,
        mut call: impl FnMut() -> io::Result<R>,
    ) -> io::Result<()> {
        let mut times = Vec::with_capacity(repeats);
        for _ in 0..repeats {
            before()?;
            let start = Instant::now();
            black_box(call()?);
            times.push(start.elapsed().as_nanos() as f64);
        }
        times.sort_by(f64::total_cmp);
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        self.put(operation, size, unit::NANOSECONDS, median);
        Ok(())
    }
}

fn session(peers: i64) -> PersistedSession {
    let [small, ..] = samples();
    let peer = |id: i64| CachedPeer {
        id,
        access_hash: id.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64 as i64),
        is_channel: id % 10 == 0,
        is_chat: false,
        channel_kind: None,
        is_community: false,
    };
    PersistedSession {
        peers: (1..=peers).map(peer).collect(),
        ..small.session
    }
}

fn primary(pts: i32) -> UpdateStateChange {
    UpdateStateChange::Primary {
        pts,
        date: pts,
        seq: pts,
    }
}

/// What the kernel counts as this process's memory, in bytes.
fn memory() -> io::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<f64>().ok());
    kilobytes
        .map(|kilobytes| kilobytes * 1024.0)
        .ok_or_else(|| io::Error::other("no VmRSS"))
}

fn descriptors() -> io::Result<f64> {
    // Without the one that lists them.
    Ok(std::fs::read_dir("/proc/self/fd")?.count() as f64 - 1.0)
}

fn accounts(number: usize, dir: &Path) -> io::Result<Figures> {
    let mut figures = Measured(Figures::default());
    let size = &number.to_string();
    let store = Store::open(format!("sqlite:{}", dir.join("accounts.db").display()))?;
    let name = |account: usize| format!("account{account}");
    // By a process of their own: nothing of it is left in this one.
    let filled = std::process::Command::new(std::env::current_exe()?)
        .args(["fill", size])
        .arg(dir.join("accounts.db"))
        .status()?;
    if !filled.success() {
        return Err(io::Error::other("the accounts were not made"));
    }

    let (memory_before, descriptors_before) = (memory()?, descriptors()?);
    let backends: io::Result<Vec<_>> = (0..number).map(|at| store.backend(&name(at))).collect();
    let backends = backends?;
    for (backend, pts) in backends.iter().zip(1..) {
        black_box(backend.load()?);
        backend.apply_update_state(primary(pts))?;
    }
    figures.put("memory", size, unit::BYTES, memory()? - memory_before);
    figures.put("descriptors", size, unit::COUNT, descriptors()?);
    figures.put(
        "descriptors of the database",
        size,
        unit::COUNT,
        descriptors()? - descriptors_before,
    );

    let mut turn = 0;
    let mut next = || {
        turn += 1;
        backends.get(turn % number).ok_or(io::ErrorKind::NotFound)
    };
    figures.time(
        "apply_update_state, in turn",
        size,
        2_001,
        || Ok(()),
        || next()?.apply_update_state(primary(7)),
    )?;
    if let [one, .., other] = backends.as_slice() {
        figures.time(
            "load after another account was changed",
            size,
            501,
            || other.apply_update_state(primary(8)),
            || one.load(),
        )?;
    }
    figures.time(
        "open and load",
        size,
        201,
        || Ok(()),
        || store.backend(&name(0))?.load(),
    )?;
    Ok(figures.0)
}

/// Makes that many accounts.
///
/// # Errors
/// Of the store.
pub fn fill(number: usize, path: &Path) -> io::Result<()> {
    let store = Store::open(format!("sqlite:{}", path.display()))?;
    let session = session(100);
    for account in 0..number {
        store
            .backend(&format!("account{account}"))?
            .save(&session)?;
    }
    Ok(())
}

fn lookups(dir: &Path) -> io::Result<Figures> {
    let mut figures = Measured(Figures::default());
    let [.., large] = samples();
    let path = dir.join("large.db");
    let sqlite = SqliteBackend::open(&path)?;
    let file = mtsession::connect(dir.join("large.session"))?;
    let stores: [(&str, &dyn SessionBackend); 3] = [
        ("memory", &InMemoryBackend::new()),
        ("file", &*file),
        ("SQLite", &sqlite),
    ];
    for (store, backend) in stores {
        backend.save(&large.session)?;
        let page = backend.peers_after(None, 30_000)?;
        let key: Option<PeerKey> = page.last().map(|known| Peer::from(&known.peer).key());
        let key = key.ok_or(io::ErrorKind::NotFound)?;
        let quiet = || Ok(());
        figures.time("head", store, 201, quiet, || backend.head())?;
        figures.time("find_peer, there", store, 201, quiet, || {
            backend.find_peer(PeerQuery::Key(key))
        })?;
        let absent = PeerKey::new(key.kind(), false, i64::MAX);
        figures.time("find_peer, absent", store, 201, quiet, || {
            backend.find_peer(PeerQuery::Key(absent))
        })?;
        figures.time("peers_after, 100", store, 201, quiet, || {
            backend.peers_after(Some(key), 100)
        })?;
    }

    beside_another(&mut figures, &sqlite, &path)?;
    drop(sqlite);
    opening(&mut figures, &path)?;
    Ok(figures.0)
}

/// Loads of the large account while nothing, and while another one is changed.
fn beside_another(figures: &mut Measured, sqlite: &SqliteBackend, path: &Path) -> io::Result<()> {
    let neighbour = Store::open(format!("sqlite:{}", path.display()))?.backend("neighbour")?;
    neighbour.save(&session(100))?;
    sqlite.load()?;
    figures.time("load, others quiet", "L", 501, || Ok(()), || sqlite.load())?;
    figures.time(
        "load after another account was changed",
        "L",
        501,
        || neighbour.apply_update_state(primary(9)),
        || sqlite.load(),
    )?;
    let busy = while_busy(&*neighbour, || {
        let mut busy = Measured(Figures::default());
        busy.time(
            "load while another account is changed",
            "L",
            2_001,
            || Ok(()),
            || sqlite.load(),
        )?;
        Ok(busy.0)
    })?;
    figures.0.extend(busy);
    Ok(())
}

/// What a client does when it starts.
fn opening(figures: &mut Measured, path: &Path) -> io::Result<()> {
    figures.time(
        "open and head",
        "L, first of the process",
        101,
        || Ok(()),
        || SqliteBackend::open(path)?.head(),
    )?;
    figures.time(
        "GrammersSession",
        "L, first of the process",
        101,
        || Ok(()),
        || GrammersSession::new(Arc::new(SqliteBackend::open(path)?)),
    )?;
    let _held = SqliteBackend::open(path)?;
    figures.time(
        "GrammersSession",
        "L, the file is open",
        101,
        || Ok(()),
        || GrammersSession::new(Arc::new(SqliteBackend::open(path)?)),
    )?;
    Ok(())
}

/// Measures while a thread changes an account all the time.
fn while_busy<R>(
    neighbour: &dyn SessionBackend,
    measure: impl FnOnce() -> io::Result<R>,
) -> io::Result<R> {
    let is_over = core::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for pts in 0.. {
                if is_over.load(core::sync::atomic::Ordering::Relaxed) {
                    break;
                }
                neighbour.apply_update_state(primary(pts))?;
            }
            Ok(())
        });
        let measured = measure();
        is_over.store(true, core::sync::atomic::Ordering::Relaxed);
        let written: io::Result<()> = writer.join().unwrap_or(Err(io::ErrorKind::Other.into()));
        written.and(measured)
    })
}

const GROUP: usize = 100;

/// A hundred threads with an account each: once a second, and as fast as they can.
fn grouped(dir: &Path) -> io::Result<Figures> {
    let mut figures = Measured(Figures::default());
    let path = dir.join("grouped.db");
    let store = mtsession::StoreOptions::new()
        .flush(mtsession::FlushPolicy::Each)
        .open(format!("sqlite:{}", path.display()))?;
    let backends: io::Result<Vec<_>> = (0..GROUP)
        .map(|account| store.backend(&format!("account{account}")))
        .collect();
    let backends = backends?;
    for backend in &backends {
        backend.save(&session(100))?;
    }
    for (size, pause) in [
        ("once a second", Duration::from_secs(1)),
        ("without a pause", Duration::ZERO),
    ] {
        let before = writes()?;
        let start = Instant::now();
        let mut times = run(&backends, pause)?;
        let seconds = start.elapsed().as_secs_f64();
        times.sort_by(f64::total_cmp);
        let part = |of: usize| {
            times
                .get(times.len() * of / 100)
                .copied()
                .unwrap_or_default()
        };
        figures.put(
            "changes per second",
            size,
            unit::COUNT,
            times.len() as f64 / seconds,
        );
        figures.put("a change, median", size, unit::NANOSECONDS, part(50));
        figures.put("a change, 99 of 100", size, unit::NANOSECONDS, part(99));
        let writes = (writes()? - before) / times.len() as f64;
        figures.put("calls that write, per change", size, unit::COUNT, writes);
    }
    Ok(figures.0)
}

fn run(backends: &[Arc<dyn SessionBackend>], pause: Duration) -> io::Result<Vec<f64>> {
    const LASTS: Duration = Duration::from_secs(10);
    std::thread::scope(|scope| {
        let one = |(at, backend): (usize, &Arc<dyn SessionBackend>)| {
            let backend = Arc::clone(backend);
            scope.spawn(move || {
                let mut times = Vec::new();
                let start = Instant::now();
                // Not all at the same moment.
                std::thread::sleep(pause.mul_f64(at as f64 / GROUP as f64));
                for pts in 0.. {
                    let begin = Instant::now();
                    backend.apply_update_state(primary(pts))?;
                    times.push(begin.elapsed().as_nanos() as f64);
                    if start.elapsed() >= LASTS {
                        break;
                    }
                    std::thread::sleep(pause.saturating_sub(begin.elapsed()));
                }
                Ok(times)
            })
        };
        let threads: Vec<_> = backends.iter().enumerate().map(one).collect();
        let mut all = Vec::new();
        for thread in threads {
            let times: io::Result<Vec<f64>> =
                thread.join().unwrap_or(Err(io::ErrorKind::Other.into()));
            all.extend(times?);
        }
        Ok(all)
    })
}

/// How many calls of this process have written. A commit of one page is two of them.
fn writes() -> io::Result<f64> {
    let counts = std::fs::read_to_string("/proc/self/io")?;
    let line = counts.lines().find_map(|line| line.strip_prefix("syscw: "));
    let calls = line.and_then(|line| line.trim().parse().ok());
    calls.ok_or_else(|| io::Error::other("no syscw"))
}
