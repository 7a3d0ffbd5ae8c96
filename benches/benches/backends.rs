//! The time that the backends take, and what they write.

use core::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use mtsession_benches::figures::{Figures, directory, unit};
use mtsession_benches::samples;
use mtsession_benches::stores::{AREA, OPERATIONS, Running, STORES};

/// An operation that takes longer is measured three times and no more: criterion wants ten.
const LONG: Duration = Duration::from_millis(150);

fn backends(criterion: &mut Criterion) {
    let is_test = std::env::args().any(|arg| arg == "--test");
    let samples = samples();
    let mut figures = Figures::default();
    for sample in &samples {
        if is_test && sample.size != "S" {
            continue;
        }
        for store in STORES {
            let name = format!("{}, {}, {}", store.kind, store.contender, sample.size);
            if is_test && store.is_apart() {
                println!("skipped: {name}: --test does not build the old crate's databases");
                continue;
            }
            println!("-- {name}");
            let mut running = match store.start(sample) {
                Ok(running) => running,
                Err(error) if is_test => {
                    println!("skipped: {name}: {error}");
                    continue;
                }
                Err(error) => panic!("{name}: {error}"),
            };
            for (operation, _) in OPERATIONS {
                if store.can(operation) {
                    let area = format!("{AREA}: {}", store.kind);
                    let key = [&area, operation, sample.size, store.contender];
                    measure(criterion, &mut figures, &mut running, key);
                }
            }
        }
    }
    if !is_test {
        let path = directory().join("backends.tsv");
        figures.save(&path).expect("the figures are kept");
    }
}

fn measure(
    criterion: &mut Criterion,
    figures: &mut Figures,
    running: &mut Running,
    [area, operation, size, contender]: [&str; 4],
) {
    let mut run = |iterations| running.run(operation, iterations).expect("an answer");
    // The first call of a kind prepares what the later ones reuse.
    let first = run(1).time;
    let once = if first > LONG { first } else { run(1).time };
    let mut written = |iterations: u64| {
        let took = run(iterations);
        (took.time, took.written as f64 / iterations as f64)
    };
    let (per_call, median) = if once > LONG {
        let mut runs = [written(1), written(1), (once, 0.0)].map(|run| run.0);
        runs.sort_unstable();
        (written(1).1, Some(runs[1]))
    } else {
        let fitting = Duration::from_millis(100).as_nanos() / once.as_nanos().max(1);
        // Enough of them that folding a journal now and then is part of the figure.
        let iterations = u64::try_from(fitting).unwrap_or(0).clamp(3, 4_000);
        (written(iterations).1, None)
    };
    let key = |unit| [area, operation, size, contender, unit];
    figures.put(key(unit::WRITTEN), per_call);
    if let Some(median) = median {
        println!("{area}/{operation}/{size}/{contender}: {median:?}, the median of three");
        figures.put(key(unit::NANOSECONDS), median.as_nanos() as f64);
        return;
    }
    let mut group = criterion.benchmark_group(format!("{area}/{operation}/{size}"));
    group.bench_function(contender, |bencher| {
        bencher.iter_custom(|iterations| run(iterations).time);
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .output_directory(&directory().join("criterion"))
        .without_plots()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(300));
    targets = backends
}
criterion_main!(benches);
