//! SQLite: what a batch saves. 32 changes in one transaction compared with 32 transactions, in memory, where a
//! disk flush costs nothing; with flushes the batch gains more.
//!
//! One change is a transaction of 7 to 10 µs, most of it system calls. In a batch of rows that are known
//! to be there a change is one statement of 1 µs: rows are updated where they were last seen, one
//! prepared statement serves all changes of a kind, and the account's name is bound once. On a shared
//! busy machine of two cores, 32 single changes took 8.4 to 10 times as long as a batch of 32.

#![allow(missing_docs, clippy::expect_used, reason = "a benchmark may panic")]

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use mtsession::{Change, SessionBackend as _, SqliteBackend, UpdateChange};

fn batches(criterion: &mut Criterion) {
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() {
        memory.to_path_buf()
    } else {
        std::env::temp_dir()
    };
    let dir = tempfile::tempdir_in(place).expect("a directory");
    let backend = SqliteBackend::open(dir.path().join("batch.db")).expect("open");
    let changes: Vec<_> = (0..32)
        .map(|id| Change::Update(UpdateChange::Channel { id, pts: 1 }))
        .collect();
    backend.apply(&changes).expect("apply");
    let mut group = criterion.benchmark_group("sql/32_changes");
    group.bench_function("one by one", |bencher| {
        bencher.iter(|| {
            for change in &changes {
                let change = black_box(core::slice::from_ref(change));
                backend.apply(change).expect("apply");
            }
        });
    });
    group.bench_function("one batch", |bencher| {
        bencher.iter(|| backend.apply(black_box(&changes)).expect("apply"));
    });
    group.finish();
}

criterion_group!(benches, batches);
criterion_main!(benches);
