//! Reading, diagnosing and writing session strings takes no heap.

mod support;

use mtsession_core::Decoded;
use mtsession_core::clients::{StringFormat, TelethonIpv6, detect};
use mtsession_core::wire::Counter;
use mtsession_core::{FixedSession, SessionMut};
use support::string_vectors;

fn allocations_of(work: impl FnOnce()) -> u64 {
    allocation_counter::measure(work).count_total
}

#[test]
fn strings_take_no_heap() {
    assert_eq!(
        allocations_of(|| drop(core::hint::black_box(Box::new(1)))),
        1,
        "the counter counts"
    );
    for vector in string_vectors() {
        let mut buffer = [0; 1024];
        let cut = vector
            .value
            .get(..vector.value.len() - 3)
            .unwrap()
            .to_owned();
        let count = allocations_of(|| {
            assert!(detect(&cut, &mut buffer).is_err());
            let Ok(Decoded::Client(_, login)) = detect(&vector.value, &mut buffer) else {
                panic!("{}", vector.id);
            };
            let mut session = FixedSession::<2, 0, 0, 0, 0>::new();
            session.copy_from(&login).unwrap();
            for format in StringFormat::ALL {
                let mut counter = Counter::default();
                // Refused where something is not known: that takes no heap either.
                let _ = login.encode(format, TelethonIpv6::Keep, &mut counter);
            }
        });
        assert_eq!(count, 0, "{}", vector.id);
    }
}
