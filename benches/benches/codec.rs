//! The time that the codec takes.

use core::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mtsession_benches::codec::{AREA, operations};
use mtsession_benches::{figures, samples};

fn codec(criterion: &mut Criterion) {
    for sample in samples() {
        for mut operation in operations(&sample) {
            let name = format!("{AREA}/{}/{}", operation.name, sample.size);
            let mut group = criterion.benchmark_group(name);
            group.throughput(Throughput::Bytes(operation.bytes as u64));
            group.bench_function(operation.contender, |bencher| {
                bencher.iter(|| (operation.run)());
            });
            group.finish();
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .output_directory(&figures::directory().join("criterion"))
        .without_plots()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(700));
    targets = codec
}
criterion_main!(benches);
