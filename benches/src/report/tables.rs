//! The tables and the charts.

use std::fmt::Write as _;
use std::io;

use super::show::{NONE, Table, bytes, count, number, time, times};
use super::svg::{Bar, Group, bars};
use super::targets::{Bound, Judged, Target, targets};
use super::{FIXED_SESSION, machine};
use crate::codec::{self, MEMCPY, OWNED, TRAILER};
use crate::figures::{Figures, unit};
use crate::stores::{self, STORES};
use crate::{OURS, SIZES, THEIRS, flash};

/// The text of `RESULTS.md`.
///
/// # Errors
/// When a figure is missing.
pub fn markdown(figures: &Figures) -> io::Result<String> {
    let mut text = String::from(
        "# Results\n\n\
         Measured in one run, on the same data, beside what one would use instead. Written by\n\n\
         ```sh\ncargo run --release -p mtsession-benches --bin results -- --run\n```\n\n",
    );
    for (name, value) in machine::machine() {
        let _ = writeln!(text, "- {name}: {value}");
    }
    text += "\nSessions: ";
    text += &SIZES
        .map(|(size, what)| format!("**{size}** {what}"))
        .join("; ");
    text += ".\n";

    text += "\n## Targets\n\nOf a group of chips and regions the worst is shown.\n\n";
    text += &target_table(figures)?.to_string();

    text += "\n## Codec\n\n![Codec](codec.svg)\n\n";
    text += "Processor time, medians of criterion. × is how many times as fast as `ferogram-session` 0.6.6; `memcpy` of the \
             same bytes is what the machine could do at best.\n\
             *Trailer* is with the checksum that the old crate does not have; *owned* is into memory of \
             its own, as the old crate does it.\n\n";
    for (name, what) in codec::NAMES {
        let _ = writeln!(text, "- `{name}`: {what}");
    }
    text.push('\n');
    text += &codec_table(figures)?.to_string();

    text += "\n## Backends\n\n![Backends](backends.svg)\n\n";
    text += "Time that passes, medians. × as above. *Written* is what one operation hands to the kernel, of a server what the server \
             hands to it.\n\n";
    for (name, what) in stores::OPERATIONS {
        let _ = writeln!(text, "- `{name}`: {what}");
    }
    text.push('\n');
    let mut durability = Table::new(&["backend", "who", "survives a power cut"]);
    for store in STORES {
        durability.row(vec![
            store.kind.to_owned(),
            store.contender.to_owned(),
            store.durability.to_owned(),
        ]);
    }
    text += &durability.to_string();
    let mut last = "";
    for store in STORES {
        if store.kind != last {
            last = store.kind;
            let _ = write!(text, "\n### {last}\n\n{}", store_table(figures, last)?);
        }
    }

    text += "\n## Flash\n\n![Flash](flash.svg)\n\n";
    text += "A simulated chip counts: the same numbers on every machine. A fresh session (5 DCs with keys, \
             32 channels, 64 peers), 100,000 updates (80 % counters, 15 % a channel, 5 % a peer), a cold \
             boot. The other stores keep each entry as a postcard record; ratios are to \
             `sequential-storage` with all its caches.\n\
             `ekv` is built for one page size and programs at most four bytes at once. *Lazy(32)* writes \
             up to 32 counters together.\n\n";
    for (name, what) in flash::METRICS {
        let _ = writeln!(text, "- {name}: {what}");
    }
    text.push('\n');
    text += &flash_table(figures)?.to_string();

    text += "\n## Firmware\n\nA minimal program for a Cortex-M4 that mounts, loads into a session in fixed \
             memory, stores one update, and stores the session: what it takes more than one that only \
             drives the flash. Instructions on QEMU's mps2-an386, 16 KiB, program unit 4.\n\n";
    text += &firmware_table(figures)?.to_string();

    text += "\n## Instructions of the codec\n\nCounted by callgrind, without noise; the gate of every change \
             (`instructions.tsv`). Callgrind has no AVX-512: with the trailer the checksum takes a slower \
             path there.\n\n";
    text += &instruction_table(figures)?.to_string();
    Ok(text)
}

fn target_table(figures: &Figures) -> io::Result<Table> {
    let mut table = Table::new(&["what", "ours", "beside", "reached", "target", ""]);
    let mut groups: Vec<Vec<(Target, Judged)>> = Vec::new();
    for target in targets() {
        let judged = target.judge(figures)?;
        let same = |group: &&mut Vec<(Target, Judged)>| {
            !target.group.is_empty() && group.iter().any(|(other, _)| other.group == target.group)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push((target, judged)),
            None => groups.push(vec![(target, judged)]),
        }
    }
    for group in groups {
        let met = group.iter().filter(|(_, judged)| judged.is_met).count();
        let verdict = match (met == group.len(), group.len()) {
            (true, 1) => "met".to_owned(),
            (true, all) => format!("met, as by {all} of {all}"),
            (false, 1) => "**missed**".to_owned(),
            (false, all) => format!("**missed**, met by {met} of {all}"),
        };
        let worst = group
            .into_iter()
            .max_by(|a, b| a.1.part.total_cmp(&b.1.part));
        table.row(
            worst
                .map(|(target, judged)| target_row(&target, &judged, verdict))
                .unwrap_or_default(),
        );
    }
    Ok(table)
}

fn target_row(target: &Target, judged: &Judged, mut verdict: String) -> Vec<String> {
    let unit = target.ours[4].as_str();
    let show = |value: f64| match unit {
        unit::NANOSECONDS => time(value),
        "bytes" => bytes(value),
        _ => count(value),
    };
    let beside = target.beside.as_ref().zip(judged.beside);
    let beside = beside.map(|(name, value)| format!("{}, {}", name[3], show(value)));
    let (reached, bound) = match target.bound {
        Bound::Better(least) => (
            format!("{} ×", number(judged.reached)),
            format!("≥ {least} ×"),
        ),
        Bound::Within(most) => (
            format!("{} of it", number(judged.reached)),
            format!("≤ {most}"),
        ),
        Bound::AtMost(most) => (show(judged.ours), format!("≤ {}", show(most))),
    };
    if !judged.is_met && !target.why.is_empty() {
        verdict = format!("{verdict}: {}", target.why);
    }
    vec![
        target.what.clone(),
        format!("{}, {}", target.ours[3], show(judged.ours)),
        beside.unwrap_or_default(),
        reached,
        bound,
        verdict,
    ]
}

/// Time and ratio at each size.
fn times_of(
    figures: &Figures,
    area: &str,
    operation: &str,
    contender: &str,
    must_be: bool,
) -> io::Result<Vec<String>> {
    let mut cells = Vec::new();
    for (size, _) in SIZES {
        let key = |who| [area, operation, size, who, unit::NANOSECONDS];
        let ours = if must_be {
            Some(figures.get(key(contender))?)
        } else {
            figures.find(key(contender))
        };
        let theirs = figures.find(key(THEIRS));
        cells.push(ours.map_or_else(|| NONE.to_owned(), time));
        let ratio = ours.zip(theirs).map(|(ours, theirs)| times(theirs, ours));
        cells.push(ratio.unwrap_or_else(|| NONE.to_owned()));
    }
    Ok(cells)
}

const TIMES: [&str; 8] = ["operation", "who", "S", "×", "M", "×", "L", "×"];

/// Who takes part in an operation of the codec.
fn contenders(operation: &str) -> &'static [&'static str] {
    match operation {
        "encode" => &[MEMCPY, OURS, TRAILER, OWNED, THEIRS],
        "parse" | "PersistedSession" => &[OURS, TRAILER, THEIRS],
        "FixedSession" => &[OURS, TRAILER],
        "string out" | "string in" => &[OURS, OWNED, THEIRS],
        _ => &[OURS, THEIRS],
    }
}

fn codec_table(figures: &Figures) -> io::Result<Table> {
    let mut head = TIMES.to_vec();
    head.extend(["allocations S / M / L", "heap at most, L"]);
    let mut table = Table::new(&head);
    for (operation, _) in codec::NAMES {
        for who in contenders(operation) {
            let must_be = !operation.starts_with("compact");
            let mut row = vec![operation.to_owned(), (*who).to_owned()];
            row.extend(times_of(figures, codec::AREA, operation, who, must_be)?);
            let heap = |size, unit| figures.find([codec::AREA, operation, size, who, unit]);
            let allocations = SIZES
                .iter()
                .filter_map(|(size, _)| heap(size, unit::ALLOCATIONS).map(count));
            row.push(allocations.collect::<Vec<_>>().join(" / "));
            let peak = heap("L", unit::PEAK).or_else(|| heap("S", unit::PEAK));
            row.push(peak.map_or_else(|| NONE.to_owned(), bytes));
            table.row(row);
        }
    }
    Ok(table)
}

fn store_table(figures: &Figures, kind: &str) -> io::Result<Table> {
    let area = format!("{}: {kind}", stores::AREA);
    let mut head = TIMES.to_vec();
    head.push("written S / M / L");
    let mut table = Table::new(&head);
    for (operation, _) in stores::OPERATIONS {
        let able = |store: &&stores::Store| store.kind == kind && store.can(operation);
        for store in STORES.iter().filter(able) {
            let who = store.contender;
            let mut row = vec![operation.to_owned(), who.to_owned()];
            row.extend(times_of(figures, &area, operation, who, true)?);
            let written = |(size, _)| figures.get([&area, operation, size, who, unit::WRITTEN]);
            let written: Vec<_> = SIZES.map(written).into_iter().collect::<Result<_, _>>()?;
            let written: Vec<_> = written.into_iter().map(bytes).collect();
            row.push(written.join(" / "));
            table.row(row);
        }
    }
    Ok(table)
}

/// The table of the flash log.
///
/// # Errors
/// When a figure is missing.
pub fn flash_table(figures: &Figures) -> io::Result<Table> {
    let mut head = vec!["chip, region", "store"];
    for (metric, _) in flash::METRICS {
        head.push(metric);
        if RATIOS.contains(&metric) {
            head.push("ratio");
        }
    }
    let mut table = Table::new(&head);
    for case in flash::cases() {
        for store in flash::STORES {
            let of = |who, metric| {
                figures.find([flash::AREA, metric, case.name.as_str(), who, unit::COUNT])
            };
            let mut row = vec![case.name.clone(), store.to_owned()];
            if of(store, "years").is_none() {
                if store == OURS {
                    // Our own log fits everywhere.
                    figures.get([flash::AREA, "years", case.name.as_str(), OURS, unit::COUNT])?;
                }
                let cannot = store == flash::EKV && case.program_unit > 4;
                row.push(if cannot { "cannot" } else { "does not fit" }.to_owned());
                row.resize(head.len(), String::new());
                table.row(row);
                continue;
            }
            for (metric, _) in flash::METRICS {
                let key = [flash::AREA, metric, case.name.as_str(), store, unit::COUNT];
                let value = figures.get(key)?;
                row.push(count(value));
                if RATIOS.contains(&metric) {
                    let seq = of(flash::SEQUENTIAL, metric);
                    let ratio = seq.map(|seq| number(value / seq));
                    row.push(ratio.unwrap_or_else(|| NONE.to_owned()));
                }
            }
            table.row(row);
        }
    }
    Ok(table)
}

/// Metrics that are compared.
const RATIOS: [&str; 3] = ["bytes/update", "erases/100k", "boot calls"];

fn firmware_table(figures: &Figures) -> io::Result<Table> {
    let asynchronous = "mtsession, async";
    let mut table = Table::new(&["", OURS, asynchronous, flash::SEQUENTIAL, flash::EKV]);
    let chip = "nRF52840 16K";
    let arm = "thumbv7em-none-eabihf";
    let rows = [
        ("firmware", "code, opt s", arm, "bytes"),
        ("firmware", "code, opt z", arm, "bytes"),
        (flash::AREA, "update, mean", chip, unit::INSTRUCTIONS),
        (flash::AREA, "update, worst", chip, unit::INSTRUCTIONS),
        (flash::AREA, "mount and load", chip, unit::INSTRUCTIONS),
        (flash::AREA, "RAM of the store", chip, "bytes"),
        (flash::AREA, "stack of an update", chip, "bytes"),
        (flash::AREA, FIXED_SESSION, chip, "bytes"),
    ];
    for (area, what, place, unit) in rows {
        let mut row = vec![format!("{what}, {unit}")];
        figures.get([area, what, place, OURS, unit])?;
        for who in [OURS, asynchronous, flash::SEQUENTIAL, flash::EKV] {
            let value = figures.find([area, what, place, who, unit]);
            row.push(value.map_or_else(|| NONE.to_owned(), count));
        }
        table.row(row);
    }
    Ok(table)
}

fn instruction_table(figures: &Figures) -> io::Result<Table> {
    let mut table = Table::new(&TIMES);
    for (operation, _) in codec::NAMES {
        // Callgrind counts the processor's block move as an instruction a byte.
        for who in contenders(operation).iter().filter(|who| **who != MEMCPY) {
            let mut row = vec![operation.to_owned(), (*who).to_owned()];
            for (size, _) in SIZES {
                let get =
                    |who| figures.find([codec::AREA, operation, size, who, unit::INSTRUCTIONS]);
                let must_be = !operation.starts_with("compact");
                let key = [codec::AREA, operation, size, who, unit::INSTRUCTIONS];
                let ours = if must_be {
                    Some(figures.get(key)?)
                } else {
                    get(who)
                };
                let ratio = ours
                    .zip(get(THEIRS))
                    .map(|(ours, theirs)| times(theirs, ours));
                row.push(ours.map_or_else(|| NONE.to_owned(), count));
                row.push(ratio.unwrap_or_else(|| NONE.to_owned()));
            }
            table.row(row);
        }
    }
    Ok(table)
}

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
