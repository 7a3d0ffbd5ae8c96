//! Counts the allocations of the codec. A program of its own: the counting allocator takes time.

use allocation_counter::measure;
use mtsession_benches::codec::{AREA, operations};
use mtsession_benches::figures::{Figures, directory, unit};
use mtsession_benches::samples;

fn main() -> std::io::Result<()> {
    let mut figures = Figures::default();
    for sample in samples() {
        for mut operation in operations(&sample) {
            // What is set up once, at the first call, is no cost of the operation.
            (operation.run)();
            let heap = measure(|| (operation.run)());
            let key = |unit| [AREA, operation.name, sample.size, operation.contender, unit];
            figures.put(key(unit::ALLOCATIONS), heap.count_total as f64);
            figures.put(key(unit::PEAK), heap.bytes_max as f64);
        }
    }
    print!("{}", figures.to_text());
    figures.save(&directory().join("allocations.tsv"))
}
