//! The power is cut in the middle of programs and erases: what is on flash is the session before or
//! after the interrupted call, and goes on working.
//!
//! Small regions are cut at every step of scripts that lap them, with every kind of damage; of the
//! geometries of real chips a number of cuts is drawn. `MTSESSION_CUTS` sets that number, for each of
//! them; see TESTING.md for the large run.

mod run;
mod script;

use run::Run;
use script::Setting;

use crate::common::LISTS;

/// Lists of a session that just fits small regions.
const TINY: [usize; 4] = [1, 3, 4, 1];
/// Those of a device: as much as the log's type has room for.
const FULL: [usize; 4] = [5, 32, 64, 16];

#[test]
fn every_cut_of_small_regions() {
    Run::<1, 1024>::new(Setting::new("unit 1, 3 pages of 1024", 3 << 10, TINY)).every();
    Run::<4, 2048>::new(Setting::new("unit 4, 2 pages of 2048", 4 << 10, TINY)).every();
    Run::<4, 1024>::new(Setting::new("unit 4, 4 pages of 1024", 4 << 10, TINY)).every();
    let twice = Setting::new("unit 4, 4 pages of 1024, keys twice", 4 << 10, TINY).keys_twice();
    Run::<4, 1024>::new(twice).every();
}

#[test]
fn every_cut_of_small_regions_with_error_correction() {
    let setting = |name, size| Setting::new(name, size, TINY).corrects();
    Run::<8, 1024>::new(setting("unit 8, 3 pages of 1024", 3 << 10)).every();
    Run::<16, 2048>::new(setting("unit 16, 2 pages of 2048", 4 << 10)).every();
    Run::<32, 2048>::new(setting("unit 32, 3 pages of 2048", 6 << 10)).every();
}

#[test]
fn rp2040() {
    Run::<1, 4096>::new(Setting::new("RP2040 16K", 16 << 10, LISTS)).some();
    Run::<1, 4096>::new(Setting::new("RP2040 32K", 32 << 10, FULL)).some();
    Run::<1, 4096>::new(Setting::new("RP2040 64K", 64 << 10, FULL)).some();
}

/// SPI NOR programs up to 256 bytes in one operation, in no order that a data sheet would say.
#[test]
fn page_programs() {
    let small = Setting::new("unit 1, 3 pages of 1024, page programs", 3 << 10, TINY);
    Run::<1, 1024>::new(small.page_programs()).every();
    let setting = |name, size| Setting::new(name, size, LISTS).page_programs();
    Run::<1, 4096>::new(setting("RP2040 16K, page programs", 16 << 10)).some();
    Run::<4, 4096>::new(setting("ESP32 16K, page programs", 16 << 10)).some();
    let twice = setting("ESP32 32K, page programs, keys twice", 32 << 10).keys_twice();
    Run::<4, 4096>::new(twice).some();
    let lazy = setting("RP2040 8K, page programs, lazy 8", 8 << 10).lazy(8);
    Run::<1, 4096>::new(lazy).some();
}

#[test]
fn unstable_words() {
    let setting = |name, size, lists| Setting::new(name, size, lists).is_unstable();
    let small = setting("unit 4, 3 pages of 1024, unstable", 3 << 10, TINY);
    Run::<4, 1024>::new(small).every();
    Run::<4, 4096>::new(setting("nRF52840 16K, unstable", 16 << 10, FULL)).some();
    let pages = setting("RP2040 16K, page programs, unstable", 16 << 10, LISTS);
    Run::<1, 4096>::new(pages.page_programs()).some();
    let pages = setting("ESP32 16K, page programs, unstable", 16 << 10, LISTS);
    Run::<4, 4096>::new(pages.page_programs().keys_twice()).some();
}

/// A torn word with error correction: unreadable for good, or another one at each reading.
#[test]
fn unstable_words_with_error_correction() {
    let setting = |name, size, lists| Setting::new(name, size, lists).corrects().is_unstable();
    let small = setting("unit 8, 3 pages of 1024, unstable", 3 << 10, TINY);
    Run::<8, 1024>::new(small).every();
    Run::<8, 2048>::new(setting("STM32L4 16K, unstable", 16 << 10, FULL)).some();
    Run::<16, 8192>::new(setting("STM32U5 32K, unstable", 32 << 10, FULL)).some();
    let twice = setting(
        "unit 32, 3 pages of 2048, unstable, keys twice",
        6 << 10,
        TINY,
    );
    Run::<32, 2048>::new(twice.keys_twice()).every();
}

#[test]
fn nrf52840() {
    Run::<4, 4096>::new(Setting::new("nRF52840 8K", 8 << 10, LISTS)).some();
    Run::<4, 4096>::new(Setting::new("nRF52840 16K", 16 << 10, FULL)).some();
    Run::<4, 4096>::new(Setting::new("nRF52840 32K", 32 << 10, FULL)).some();
    Run::<4, 4096>::new(Setting::new("nRF52840 64K", 64 << 10, FULL)).some();
    let twice = Setting::new("nRF52840 16K, keys twice", 16 << 10, LISTS).keys_twice();
    Run::<4, 4096>::new(twice).some();
}

#[test]
fn stm32l4() {
    let setting = |name, size| Setting::new(name, size, FULL).corrects();
    Run::<8, 2048>::new(setting("STM32L4 16K", 16 << 10)).some();
    Run::<8, 2048>::new(setting("STM32L4 32K", 32 << 10)).some();
    Run::<8, 2048>::new(setting("STM32L4 64K", 64 << 10)).some();
    let twice = setting("STM32L4 64K, keys twice", 64 << 10).keys_twice();
    Run::<8, 2048>::new(twice).some();
}

#[test]
fn stm32h7() {
    let setting = Setting::new("STM32H7 256K", 256 << 10, FULL).corrects();
    Run::<32, { 128 << 10 }>::new(setting).some();
}

#[test]
fn stm32u5() {
    let setting = |name, size| Setting::new(name, size, FULL).corrects();
    Run::<16, 8192>::new(setting("STM32U5 32K", 32 << 10)).some();
    Run::<16, 8192>::new(setting("STM32U5 64K, keys twice", 64 << 10).keys_twice()).some();
}

#[test]
fn lazy_counters() {
    let lazy = Setting::new("unit 4, 4 pages of 1024, lazy 5", 4 << 10, TINY).lazy(5);
    Run::<4, 1024>::new(lazy).every();
    let lazy = Setting::new("unit 16, 2 pages of 2048, lazy 3", 4 << 10, TINY).corrects();
    Run::<16, 2048>::new(lazy.lazy(3)).every();
    Run::<1, 4096>::new(Setting::new("RP2040 16K, lazy 32", 16 << 10, LISTS).lazy(32)).some();
    let lazy = Setting::new("nRF52840 16K, keys twice, lazy 32", 16 << 10, LISTS).lazy(32);
    Run::<4, 4096>::new(lazy.keys_twice()).some();
    let lazy = Setting::new("STM32L4 32K, lazy 8", 32 << 10, FULL).lazy(8);
    Run::<8, 2048>::new(lazy.corrects()).some();
}

#[test]
fn sessions_of_several_pages() {
    Run::<4, 1024>::new(Setting::new("unit 4, 8 pages of 1024", 8 << 10, LISTS)).some();
}
