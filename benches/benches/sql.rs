//! SQLite: `ferogram-session` and mtsession, in turns, with the same code, on the same directory.
//!
//! `SQL_BENCH_DIR` says where. By default it is memory (`/dev/shm`), where a disk flush costs nothing:
//! the old crate never flushes on `save`, mtsession always does, and the comparison is one of equal
//! durability.

#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark may panic"
)]

use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use mtsession as api;
use mtsession::{Change, SessionBackend as _, SqliteBackend, UpdateChange};

#[path = "../sqlite-peer/src/workload.rs"]
mod workload;

/// The old crate, in a process of its own.
struct Peer {
    child: Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Peer {
    fn start(dir: &Path) -> Self {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("sqlite-peer/Cargo.toml");
        let status = Command::new(env!("CARGO"))
            .args(["build", "--release", "--quiet", "--manifest-path"])
            .arg(&manifest)
            .status()
            .expect("cargo");
        assert!(status.success(), "sqlite-peer does not build");
        let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        let target = target.unwrap_or_else(|| manifest.with_file_name("target"));
        let mut child = Command::new(target.join("release/sqlite-peer"))
            .arg("bench")
            .arg(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sqlite-peer");
        let answers = BufReader::new(child.stdout.take().expect("its output"));
        Self { child, answers }
    }

    fn run(&mut self, operation: &str, iterations: u64) -> Duration {
        let input = self.child.stdin.as_mut().expect("its input");
        writeln!(input, "{operation} {iterations}").expect("a request");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("an answer");
        Duration::from_nanos(line.trim().parse().expect("a number"))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn directory() -> tempfile::TempDir {
    let dir = std::env::var_os("SQL_BENCH_DIR").map(PathBuf::from);
    let memory = PathBuf::from("/dev/shm");
    let dir = dir.or_else(|| memory.is_dir().then_some(memory));
    tempfile::tempdir_in(dir.unwrap_or_else(std::env::temp_dir)).expect("a directory")
}

fn against_the_old_crate(criterion: &mut Criterion) {
    let (old_dir, new_dir) = (directory(), directory());
    let mut old = Peer::start(old_dir.path());
    let mut new = workload::Workload::new(new_dir.path());
    for operation in [
        "save_100_of_10000",
        "save_0_of_60000",
        "apply_update_state",
        "load_60000",
        "open_and_load_60000",
    ] {
        let mut group = criterion.benchmark_group(format!("sql/{operation}"));
        group.sample_size(10);
        group.bench_function("ferogram-session", |bencher| {
            bencher.iter_custom(|iterations| old.run(operation, iterations));
        });
        group.bench_function("mtsession", |bencher| {
            bencher.iter_custom(|iterations| new.run(operation, iterations));
        });
        group.finish();
    }
}

/// What a batch saves, counters and channels alike.
fn batches(criterion: &mut Criterion) {
    let dir = directory();
    let backend = SqliteBackend::open(dir.path().join("batch.db")).expect("open");
    let changes: Vec<_> = (0..32)
        .map(|id| Change::Update(UpdateChange::Channel { id, pts: 1 }))
        .collect();
    backend.apply(&changes).expect("apply");
    let mut group = criterion.benchmark_group("sql/32_changes");
    group.bench_function("one by one", |bencher| {
        bencher.iter(|| {
            for change in &changes {
                backend
                    .apply(black_box(core::slice::from_ref(change)))
                    .expect("apply");
            }
        });
    });
    group.bench_function("one batch", |bencher| {
        bencher.iter(|| backend.apply(black_box(&changes)).expect("apply"));
    });
    group.finish();
}

criterion_group!(benches, against_the_old_crate, batches);
criterion_main!(benches);
