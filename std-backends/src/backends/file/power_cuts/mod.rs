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

mod failing;
mod life;
mod mistakes;
mod script;
mod together;

use crate::fs::disk::simulated::{Image, Nature};

/// How many cuts a test tries.
fn cuts() -> usize {
    let asked = std::env::var("CUTS").ok();
    asked.map_or(3_000, |cuts| cuts.parse().unwrap())
}

/// Plays scripts with different seeds until so many cuts were tried.
fn until_done(script: impl Fn(u64) -> usize) {
    until(cuts(), script);
}

fn until(cuts: usize, script: impl Fn(u64) -> usize) {
    let only = std::env::var("CUT_SEED").ok();
    let first = only.as_ref().map_or(0, |seed| seed.parse().unwrap());
    let (mut seed, mut tried) = (first, 0);
    while tried < cuts {
        tried += script(seed);
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

fn of(images: &[Image], seed: u64) -> &Image {
    &images[seed as usize % images.len()]
}

const IN_PLACE: Nature = Nature {
    can_replace: false,
    ..Nature::USUAL
};

#[test]
fn what_was_acknowledged_survives_every_power_cut() {
    let images = [Image::new(), script::old_crate(), script::without_tail()];
    until_done(|seed| life::play(seed, Nature::USUAL, of(&images, seed), None));
}

#[test]
fn a_disk_without_flushes_of_directories_keeps_names_with_their_files() {
    let nature = Nature {
        has_directory_flush: false,
        ..Nature::USUAL
    };
    until_done(|seed| life::play(seed, nature, &Image::new(), None));
}

#[test]
fn a_file_that_cannot_be_replaced_survives_every_power_cut_in_place() {
    let images = [
        script::empty_file(),
        script::old_crate(),
        script::without_tail(),
    ];
    until_done(|seed| life::play(seed, IN_PLACE, of(&images, seed), None));
}

#[test]
fn processes_that_write_at_once_lose_nothing_to_each_other_or_to_a_power_cut() {
    // Threads that wait for each other take longer.
    until(cuts() / 4, |seed| together::play(seed, Nature::USUAL, None));
}

#[test]
fn a_call_that_fails_has_done_what_its_error_says_and_a_power_cut_takes_nothing_else() {
    let images = [Image::new(), script::old_crate()];
    until_done(|seed| failing::play(seed, Nature::USUAL, of(&images, seed), None));
}

#[test]
fn a_call_that_fails_in_place_has_done_what_its_error_says() {
    let images = [script::old_crate(), script::without_tail()];
    until_done(|seed| failing::play(seed, IN_PLACE, of(&images, seed), None));
}
