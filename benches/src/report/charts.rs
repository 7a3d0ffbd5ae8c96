//! The charts.

use std::io;

use super::show::{number, time};
use super::svg::{Bar, Group, bars};
use super::tables::contenders;
use crate::codec::{self, MEMCPY};
use crate::figures::{Figures, unit};
use crate::{OURS, THEIRS, flash, stores};

/// The charts by their file names.
///
/// # Errors
/// When a figure is missing.
pub fn charts(figures: &Figures) -> io::Result<[(&'static str, String); 3]> {
    Ok([
        ("codec.svg", codec_chart(figures)?),
        ("backends.svg", store_chart(figures)?),
        ("flash.svg", flash_chart(figures)?),
    ])
}

fn bar(who: &str, value: f64, text: String) -> Bar {
    Bar {
        who: who.to_owned(),
        value,
        text,
    }
}

fn codec_chart(figures: &Figures) -> io::Result<String> {
    let mut groups: Vec<Group> = Vec::new();
    let operations = [
        "encode",
        "parse",
        "PersistedSession",
        "string out",
        "string in",
    ];
    for operation in operations {
        let mut bars = Vec::new();
        for who in [OURS, THEIRS, MEMCPY] {
            if contenders(operation).contains(&who) {
                let value = figures.get([codec::AREA, operation, "L", who, unit::NANOSECONDS])?;
                bars.push(bar(who, value, time(value)));
            }
        }
        groups.push((operation.to_owned(), bars));
    }
    Ok(bars(
        "Codec: 60,000 peers",
        "time, logarithmic; shorter is better",
        &groups,
    ))
}

fn store_chart(figures: &Figures) -> io::Result<String> {
    let mut groups: Vec<Group> = Vec::new();
    let rows = [
        ("file", "apply_update_state"),
        ("file", "save"),
        ("file", "load"),
        ("SQLite", "save"),
        ("SQLite", "load"),
        ("libSQL", "save"),
        ("libSQL server", "save"),
    ];
    for (kind, operation) in rows {
        let area = format!("{}: {kind}", stores::AREA);
        let mut bars = Vec::new();
        for who in [OURS, THEIRS] {
            let value = figures.get([&area, operation, "L", who, unit::NANOSECONDS])?;
            bars.push(bar(who, value, time(value)));
        }
        groups.push((format!("{kind}: {operation}"), bars));
    }
    Ok(bars(
        "Backends: 60,000 peers, equal durability",
        "time, logarithmic; shorter is better",
        &groups,
    ))
}

fn flash_chart(figures: &Figures) -> io::Result<String> {
    let mut groups: Vec<Group> = Vec::new();
    for case in flash::cases() {
        if case.name.ends_with(" 8K") || case.name.ends_with(" 32K") {
            continue;
        }
        let mut bars = Vec::new();
        for who in [OURS, flash::SEQUENTIAL, flash::EKV] {
            let key = [flash::AREA, "years", case.name.as_str(), who, unit::COUNT];
            let value = if who == OURS {
                Some(figures.get(key)?)
            } else {
                figures.find(key)
            };
            bars.extend(value.map(|value| bar(who, value, number(value))));
        }
        groups.push((case.name, bars));
    }
    Ok(bars(
        "Flash: years of life at one update a second",
        "until a page has been erased 100,000 times, logarithmic; longer is better",
        &groups,
    ))
}
