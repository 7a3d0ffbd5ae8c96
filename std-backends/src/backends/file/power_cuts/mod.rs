//! Session files on the [simulated disk](crate::fs::disk::simulated), whose power is cut before every call.
//!
//! What must hold afterwards is 1.–10. of [the file's invariants](super) as a reader sees them: the session is one
//! that was acknowledged with a flush, or any that was stored later, or the one being written at the cut; whole,
//! never a mixture, never an older one, and never an error. Then the next process goes on with the file, and the
//! power is cut again.
//!
//! `CUTS` says how many cuts are tried, `CUT_SEED` where the random scripts begin: a failure names the seed with
//! which its script alone is played again.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "a fault of a test is loud, and its numbers are small"
)]

mod life;
mod script;

use crate::fs::disk::simulated::{Image, Nature};

/// How many cuts a test tries.
fn cuts() -> usize {
    let asked = std::env::var("CUTS").ok();
    asked.map_or(3_000, |cuts| cuts.parse().unwrap())
}

/// Plays scripts with different seeds until so many cuts were tried.
fn play(kind: u64, nature: Nature, images: &[Image]) {
    let only = std::env::var("CUT_SEED").ok();
    let first = only.as_ref().map_or(0, |seed| seed.parse().unwrap());
    let (mut seed, mut tried) = (first, 0);
    while tried < cuts() {
        let image = &images[seed as usize % images.len()];
        tried += life::play(seed ^ (kind << 48), nature, image);
        seed += 1;
        if only.is_some() {
            break;
        }
    }
    println!(
        "{tried} power cuts in {} scripts, nothing lost",
        seed - first
    );
}

#[test]
fn what_was_acknowledged_survives_every_power_cut() {
    play(1, Nature::default(), &[Image::new(), script::old_crate()]);
}

#[test]
fn a_disk_without_flushes_of_directories_keeps_names_with_their_files() {
    let nature = Nature {
        has_directory_flush: false,
        ..Nature::default()
    };
    play(2, nature, &[Image::new()]);
}

#[test]
fn a_file_that_cannot_be_replaced_survives_every_power_cut_in_place() {
    let nature = Nature {
        can_replace: false,
        ..Nature::default()
    };
    play(
        3,
        nature,
        &[
            script::empty_file(),
            script::old_crate(),
            script::without_tail(),
        ],
    );
}
