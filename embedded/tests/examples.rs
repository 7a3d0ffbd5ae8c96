//! The examples run, and do what the README says of them.
#![allow(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "tests"
)]

#[path = "../examples/any_log.rs"]
mod any_log;
#[path = "../examples/pc.rs"]
mod pc;
#[path = "../examples/provision.rs"]
mod provision;

use std::fs;
use std::path::PathBuf;

/// A place for files of its own.
fn place(name: &str) -> PathBuf {
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).unwrap();
    place
}

#[test]
fn a_device_on_a_pc_goes_on_where_it_ended() {
    let flash = place("pc").join("flash.bin");
    assert_eq!(pc::run(&flash).unwrap(), 100);
    assert_eq!(pc::run(&flash).unwrap(), 200);
    let dump = fs::read(&flash).unwrap();
    let found = mtsession_embedded::image::find(&dump, None).unwrap();
    assert_eq!(found.region, 0..16384);
}

#[test]
fn an_error_of_the_flash_formats_nothing() {
    let flash = place("pc-foreign").join("flash.bin");
    fs::write(&flash, [7; 16384]).unwrap();
    assert!(pc::run(&flash).is_err());
    assert_eq!(fs::read(&flash).unwrap(), [7; 16384]);
}

#[test]
fn an_image_is_made_of_a_string_and_read_back() {
    let place = place("provision");
    let string = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/vectors/ferogram/string/native_v5_fs051.txt"
    );
    assert_eq!(
        provision::run(&place.join("a.bin"), Some(string.as_ref())).unwrap(),
        2
    );
    assert_eq!(provision::run(&place.join("b.bin"), None).unwrap(), 0);
    // What is there is not written over.
    assert!(provision::run(&place.join("b.bin"), None).is_err());
}

#[test]
fn another_store_is_given_a_few_lives() {
    any_log::run(["--lives", "3", "--seed", "1"].map(String::from)).unwrap();
    assert!(any_log::run(["--seed".to_owned()]).is_err());
}
