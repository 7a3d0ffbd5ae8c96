//! What the log does while nothing goes wrong.

use crate::common::{LISTS, load, mounted, new_log, run};
use mtsession_embedded::sim::{Dice, random_calls};

fn model<const W: usize, const E: usize>(size: usize, calls: usize) {
    for seed in 0..20 {
        let mut dice = Dice::new(seed);
        let calls = random_calls(&mut dice, calls, LISTS);
        let end = u32::try_from(size).unwrap();
        let mut log = new_log::<W, E>(size);
        let mut model = None;
        for (n, call) in calls.iter().enumerate() {
            run(&mut log, call).unwrap_or_else(|error| panic!("{call:?}: {error}"));
            call.carry_out(&mut model);
            if n % 7 == 0 {
                assert_eq!(
                    load(&mut log).unwrap(),
                    model,
                    "seed {seed}, call {n}: {call:?}"
                );
            }
            if n % 50 == 0 {
                let chip = log.release().map_err(|(_, error)| error).unwrap();
                assert_eq!(chip.violations, 0);
                log = mounted(chip, 0..end).unwrap();
                assert_eq!(
                    load(&mut log).unwrap(),
                    model,
                    "seed {seed}, mount after call {n}"
                );
            }
        }
        let erases = &log.chip().erases;
        assert!(
            erases.iter().all(|erases| *erases > 2),
            "must lap the region: {erases:?}"
        );
    }
}

#[test]
fn agrees_with_a_model_on_every_geometry() {
    model::<1, 4096>(4 * 4096, 8000);
    model::<4, 4096>(2 * 4096, 3000);
    model::<4, 1024>(8 * 1024, 3000);
    model::<8, 2048>(6 * 2048, 3000);
    model::<16, 2048>(6 * 2048, 3000);
    model::<32, 8192>(3 * 8192, 3000);
    model::<4, 256>(8 * 1024, 3000);
}

#[test]
fn takes_the_memory_that_the_documents_say() {
    use mtsession_core::FixedSession;
    use mtsession_embedded::SessionLog;

    struct Nothing;
    let log = size_of::<SessionLog<Nothing>>();
    let session = size_of::<FixedSession<6, 32, 64, 0, 0>>();
    println!(
        "log and session {log} bytes beside the driver, session of 6 DCs, 32 channels, 64 peers {session}"
    );
    assert!(log <= 5824 && session <= 5120);
}
