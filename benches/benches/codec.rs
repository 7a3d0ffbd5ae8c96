//! The codec beside `ferogram-session` 0.6.6 and beside `memcpy` of the same bytes, which is what the
//! machine could do at best. Each group is one operation on one session.

use core::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ferogram_session as old;
use mtsession::PersistedSession;
use mtsession_benches::{Sample, samples};
use mtsession_core::text::{CompactSession, decode_any, encode_native, native_len};
use mtsession_core::wire::{encode_body_to_slice, encode_to_slice};
use mtsession_core::{Account, FixedSession, SessionMut, SessionSource, SessionView, encoded_len};

fn encode(c: &mut Criterion, Sample { name, session, old }: &Sample) {
    let bytes = session.to_bytes();
    let body = old.to_bytes();
    let mut buffer = vec![0; bytes.len()];
    let mut group = c.benchmark_group(format!("encode/{name}"));
    group.throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function("memcpy", |b| {
        b.iter(|| buffer[..body.len()].copy_from_slice(black_box(&body)));
    });
    group.bench_function("ours: body", |b| {
        b.iter(|| {
            encode_body_to_slice(black_box(session), &mut buffer)
                .unwrap()
                .len()
        });
    });
    group.bench_function("ours: body and trailer", |b| {
        b.iter(|| {
            encode_to_slice(black_box(session), &mut buffer)
                .unwrap()
                .len()
        });
    });
    group.bench_function("ours: to_bytes", |b| {
        b.iter(|| black_box(session).to_bytes());
    });
    group.bench_function("ferogram-session: to_bytes", |b| {
        b.iter(|| black_box(old).to_bytes());
    });
    group.bench_function("ours: encoded_len", |b| {
        b.iter(|| encoded_len(black_box(session)));
    });
    group.finish();
}

fn decode(c: &mut Criterion, Sample { name, session, old }: &Sample) {
    let bytes = session.to_bytes();
    let body = old.to_bytes();
    let mut group = c.benchmark_group(format!("decode/{name}"));
    group.throughput(Throughput::Bytes(body.len() as u64));
    group.bench_function("ours: view", |b| {
        b.iter(|| SessionView::parse(black_box(&body)));
    });
    group.bench_function("ours: view, checksum checked", |b| {
        b.iter(|| SessionView::parse(black_box(&bytes)));
    });
    group.bench_function("ours: from_bytes", |b| {
        b.iter(|| PersistedSession::from_bytes(black_box(&body)));
    });
    group.bench_function("ours: from_bytes, checksum checked", |b| {
        b.iter(|| PersistedSession::from_bytes(black_box(&bytes)));
    });
    group.bench_function("ferogram-session: from_bytes", |b| {
        b.iter(|| old::PersistedSession::from_bytes(black_box(&body)));
    });
    group.finish();
}

fn strings(c: &mut Criterion, Sample { name, session, old }: &Sample) {
    let text = session.to_string();
    let old_text = old.to_string();
    let mut buffer = vec![0; native_len(session).unwrap()];
    let mut group = c.benchmark_group(format!("native string/{name}"));
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("out: ours, into a buffer", |b| {
        b.iter(|| {
            let mut free = &mut buffer[..];
            encode_native(black_box(session), &mut free)
        });
    });
    group.bench_function("out: ours, to_string", |b| {
        b.iter(|| black_box(session).to_string());
    });
    group.bench_function("out: ferogram-session, to_string", |b| {
        b.iter(|| black_box(old).to_string());
    });
    group.bench_function("in: ours, view in a buffer", |b| {
        b.iter(|| decode_any(black_box(&text), &mut buffer).map(|any| any.home_dc_id()));
    });
    group.bench_function("in: ours, from_string", |b| {
        b.iter(|| PersistedSession::from_string(black_box(&text)));
    });
    group.bench_function("in: ferogram-session, from_string", |b| {
        b.iter(|| old::PersistedSession::from_string(black_box(&old_text)));
    });
    group.finish();
}

fn compact(c: &mut Criterion, Sample { session, .. }: &Sample) {
    let account = Account {
        user_id: Some(777_000),
        ..Account::default()
    };
    let ours = CompactSession::from_source(&session.with_account(account)).unwrap();
    let mut text = Vec::new();
    ours.encode(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let old = old::string_session::StringSession::decode(&text).unwrap();
    let mut buffer = [0; 512];
    let mut group = c.benchmark_group("compact string");
    group.bench_function("out: ours", |b| {
        b.iter(|| {
            let mut free = &mut buffer[..];
            black_box(&ours).encode(&mut free)
        });
    });
    group.bench_function("out: ferogram-session", |b| {
        b.iter(|| black_box(&old).encode());
    });
    group.bench_function("in: ours", |b| {
        b.iter(|| decode_any(black_box(&text), &mut buffer).map(|any| any.home_dc_id()));
    });
    group.bench_function("in: ferogram-session", |b| {
        b.iter(|| old::string_session::StringSession::decode(black_box(&text)));
    });
    group.finish();
}

fn device(c: &mut Criterion) {
    let session = PersistedSession {
        peers: samples()[1].session.peers[..64].to_vec(),
        ..samples()[0].session.clone()
    };
    let bytes = session.to_bytes();
    c.bench_function("copy 64 peers into fixed memory", |b| {
        let mut device = FixedSession::<6, 32, 64, 16, 64>::new();
        b.iter_batched(
            || SessionView::parse(&bytes).unwrap(),
            |view| device.copy_from(&view),
            BatchSize::SmallInput,
        );
    });
}

fn all(c: &mut Criterion) {
    let samples = samples();
    for sample in &samples {
        encode(c, sample);
        decode(c, sample);
        strings(c, sample);
    }
    compact(c, &samples[0]);
    device(c);
}

criterion_group!(benches, all);
criterion_main!(benches);
