//! The processor time that the codec takes.

use core::time::Duration;

use cpu_time::ThreadTime;
use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mtsession_benches::codec::{AREA, operations};
use mtsession_benches::{figures, samples};

/// The time that this thread has the processor: the codec waits for nothing, and what else runs on the
/// machine is none of its cost.
struct CpuTime;

impl Measurement for CpuTime {
    type Intermediate = ThreadTime;
    type Value = Duration;

    fn start(&self) -> ThreadTime {
        ThreadTime::now()
    }

    fn end(&self, start: ThreadTime) -> Duration {
        start.elapsed()
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_nanos() as f64
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

fn codec(criterion: &mut Criterion<CpuTime>) {
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
        .with_measurement(CpuTime)
        .output_directory(&figures::directory().join("criterion"))
        .without_plots()
        .sample_size(30)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(700));
    targets = codec
}
criterion_main!(benches);
