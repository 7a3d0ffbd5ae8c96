//! The file backend beside that of `ferogram-session` 0.6.6, which never flushes to the disk: ours is
//! shown with and without, so that equals are compared.

use core::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use ferogram_session::{self as old, SessionBackend as _};
use mtsession::{BinaryFileBackend, JournalSync, SessionBackend as _, UpdateStateChange};
use mtsession_benches::{Sample, samples};

fn file(c: &mut Criterion, dir: &Path, Sample { name, session, old }: &Sample) {
    let path = |kind: &str| dir.join(format!("{}-{kind}", &name[..1]));
    let synced = BinaryFileBackend::new(path("synced"));
    let unsynced = BinaryFileBackend::new(path("unsynced")).without_fsync();
    let each = BinaryFileBackend::new(path("each")).with_journal_sync(JournalSync::Each);
    let theirs = old::BinaryFileBackend::new(path("old"));
    for backend in [&synced, &unsynced, &each] {
        backend.save(session).unwrap();
    }
    theirs.save(old).unwrap();

    let mut group = c.benchmark_group(format!("save/{name}"));
    group.bench_function("ours, flushed", |b| {
        b.iter(|| synced.save(black_box(session)));
    });
    group.bench_function("ours, not flushed", |b| {
        b.iter(|| unsynced.save(black_box(session)));
    });
    group.bench_function("ferogram-session, not flushed", |b| {
        b.iter(|| theirs.save(black_box(old)));
    });
    group.finish();

    let mut group = c.benchmark_group(format!("load/{name}"));
    group.bench_function("ours", |b| b.iter(|| synced.load()));
    group.bench_function("ferogram-session", |b| b.iter(|| theirs.load()));
    group.finish();

    let mut group = c.benchmark_group(format!("apply_update_state/{name}"));
    let mut pts = 0;
    for (kind, backend) in [
        ("ours, flushed every 30 s", &synced),
        ("ours, each flushed", &each),
        ("ours, not flushed", &unsynced),
    ] {
        group.bench_function(kind, |b| {
            b.iter(|| {
                pts += 1;
                backend.apply_update_state(UpdateStateChange::Primary {
                    pts,
                    date: pts,
                    seq: pts,
                })
            });
        });
    }
    group.bench_function("ferogram-session, not flushed", |b| {
        b.iter(|| {
            pts += 1;
            let update = old::UpdateStateChange::Primary {
                pts,
                date: pts,
                seq: pts,
            };
            theirs.apply_update_state(update)
        });
    });
    group.finish();
}

fn all(c: &mut Criterion) {
    let dir = tempfile::tempdir().unwrap();
    for sample in samples() {
        file(c, dir.path(), &sample);
    }
}

criterion_group!(benches, all);
criterion_main!(benches);
