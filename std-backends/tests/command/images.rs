//! Flash images and dumps: their numbers, and what is found without them.

use super::{Place, ended, error};
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
    for key in ["size", "write", "erase", "offset"] {
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

/// A dump of a whole chip: the log in it is found by its headers, and the command says what it took.
#[test]
fn a_log_is_found_in_the_dump_of_a_chip() {
    let place = Place::new();
    for (write, erase, size) in [
        (4, 4096, 16384),
        (1, 4096, 65536),
        (8, 2048, 8192),
        (16, 8192, 65536),
        (32, 131_072, 262_144),
    ] {
        let image = format!("flash:image.bin?write={write}&erase={erase}&size={size}");
        ended(&place.run(["convert", "a", &image, "--force"]), 0);
        let image = fs::read(place.path("image.bin")).unwrap();
        // A program with the log's magic number in it, and something else after the region.
        let mut dump = vec![0xE5; 2 * erase];
        dump[16..20].copy_from_slice(b"MTSL");
        dump.extend(&image);
        dump.extend(vec![0xFF; erase]);
        fs::write(place.path("chip.bin"), &dump).unwrap();
        let start = 2 * erase;
        let unit = write.max(4);
        let said = format!("offset={start}&size={size}&erase={erase}&write={unit}");

        for name in [
            "flash:chip.bin".to_owned(),
            format!("flash:chip.bin?offset={start}"),
            format!("flash:chip.bin?offset={start:#x}"),
        ] {
            let output = place.run(["inspect", &name]);
            assert_eq!(output.status.code(), Some(0), "{}", error(&output));
            let shown = String::from_utf8_lossy(&output.stdout);
            assert!(shown.contains(&said), "{name}: {shown}");
        }
        // Who says all of it is told nothing.
        let output = place.run(["inspect", &format!("flash:chip.bin?{said}")]);
        assert_eq!(output.status.code(), Some(0), "{}", error(&output));
        assert!(!String::from_utf8_lossy(&output.stdout).contains("headers"));
        let wrong = format!(
            "flash:chip.bin?offset={start}&write={unit}&erase={}",
            erase / 2
        );
        assert_eq!(place.run(["inspect", &wrong]).status.code(), Some(4));
        let elsewhere = format!("flash:chip.bin?offset={erase}");
        assert_eq!(place.run(["inspect", &elsewhere]).status.code(), Some(4));
    }
    let written = place.run(["convert", "a", "flash:new.bin?offset=4096"]);
    assert_eq!(written.status.code(), Some(2));
    assert!(error(&written).contains("offset= is for dumps"));
}
