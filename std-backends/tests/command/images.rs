//! The numbers of a flash image.

use super::{Place, error};
use std::fs;

#[test]
fn no_number_of_a_flash_image_panics_or_takes_all_memory() {
    let place = Place::new();
    fs::write(place.path("small.bin"), [0xFF; 100]).unwrap();
    fs::write(place.path("empty.bin"), []).unwrap();
    let huge = fs::File::create(place.path("huge.bin")).unwrap();
    huge.set_len(60 << 30).unwrap();
    let numbers = [
        "0",
        "1",
        "3",
        "4",
        "7",
        "100",
        "4095",
        "4097",
        "65535",
        "4294967295",
        "4294967296",
        "99999999999",
        "9223372036854775807",
        "18446744073709551615",
        "18446744073709551616",
        "-1",
        "1e9",
        "",
        "x",
    ];
    for key in ["size", "write", "erase"] {
        for number in numbers {
            let query = format!("{key}={number}");
            let names = [
                format!("flash:small.bin?{query}"),
                format!("flash:empty.bin?{query}"),
                format!("flash:huge.bin?{query}"),
                format!("flash:small.bin?write=1&erase={number}"),
                format!("flash:small.bin?size={number}&erase={number}&write={number}"),
            ];
            let target = format!("flash:new.bin?{query}");
            let odd = format!("flash:new.bin?{query}&erase=1000&write=8");
            let mut commands: Vec<Vec<&str>> =
                names.iter().map(|name| vec!["inspect", name]).collect();
            commands.push(vec!["convert", "a", &target]);
            commands.push(vec!["convert", "a", &odd, "--force"]);
            for command in commands {
                let output = place.run(&command);
                let code = output.status.code();
                assert!(
                    matches!(code, Some(0 | 2..=5)),
                    "{command:?}: {code:?} {}",
                    error(&output)
                );
                assert!(
                    !error(&output).contains("panicked"),
                    "{command:?}: {}",
                    error(&output)
                );
            }
            let _ = fs::remove_file(place.path("new.bin"));
        }
    }
}
