//! The tables.

use std::io;

use super::FIXED_SESSION;
use super::show::{NONE, Table, bytes, count, number, time, times};
use super::targets::{Bound, Judged, Target, targets};
use crate::codec::{self, MEMCPY, OWNED, TRAILER};
use crate::figures::{Figures, unit};
use crate::stores::{self, STORES};
use crate::{OURS, SIZES, THEIRS, flash, shared};

pub(super) fn target_table(figures: &Figures) -> io::Result<Table> {
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

/// Whether an operation is measured at every size: not every session fits into a compact string.
fn is_for_all(operation: &str) -> bool {
    !operation.starts_with("compact")
}

/// What was measured of `who` at each size, and how many times as much the old crate takes.
fn sizes(
    figures: &Figures,
    [area, operation, who, unit]: [&str; 4],
    must_be: bool,
    show: fn(f64) -> String,
) -> io::Result<Vec<String>> {
    let mut cells = Vec::new();
    for (size, _) in SIZES {
        let key = |who| [area, operation, size, who, unit];
        let ours = if must_be {
            Some(figures.get(key(who))?)
        } else {
            figures.find(key(who))
        };
        let theirs = figures.find(key(THEIRS));
        let ratio = ours.zip(theirs).map(|(ours, theirs)| times(theirs, ours));
        for cell in [ours.map(show), ratio] {
            cells.push(cell.unwrap_or_else(|| NONE.to_owned()));
        }
    }
    Ok(cells)
}

const TIMES: [&str; 8] = ["operation", "who", "S", "×", "M", "×", "L", "×"];

/// Who takes part in an operation of the codec.
pub(super) fn contenders(operation: &str) -> &'static [&'static str] {
    match operation {
        "encode" => &[MEMCPY, OURS, TRAILER, OWNED, THEIRS],
        "parse" | "PersistedSession" => &[OURS, TRAILER, THEIRS],
        "FixedSession" => &[OURS, TRAILER],
        "string out" | "string in" => &[OURS, OWNED, THEIRS],
        _ => &[OURS, THEIRS],
    }
}

pub(super) fn codec_table(figures: &Figures) -> io::Result<Table> {
    let mut head = TIMES.to_vec();
    head.extend(["allocations S / M / L", "heap at most, L"]);
    let mut table = Table::new(&head);
    for (operation, _) in codec::NAMES {
        for who in contenders(operation) {
            let mut row = vec![operation.to_owned(), (*who).to_owned()];
            let what = [codec::AREA, operation, who, unit::NANOSECONDS];
            row.extend(sizes(figures, what, is_for_all(operation), time)?);
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

/// Every figure of many accounts and of look-ups, as it was measured.
pub(super) fn shared_table(figures: &Figures) -> Table {
    let mut table = Table::new(&["what", "of what", ""]);
    for ([area, operation, size, _, unit], value) in figures.iter() {
        if area == shared::AREA {
            let shown = match unit {
                unit::NANOSECONDS => time(value),
                unit::BYTES => bytes(value),
                _ => count(value),
            };
            table.row(vec![operation.to_owned(), size.to_owned(), shown]);
        }
    }
    table
}

pub(super) fn store_table(figures: &Figures, kind: &str) -> io::Result<Table> {
    let area = format!("{}: {kind}", stores::AREA);
    let mut head = TIMES.to_vec();
    head.push("written S / M / L");
    let mut table = Table::new(&head);
    for (operation, _) in stores::OPERATIONS {
        let able = |store: &&stores::Store| store.kind == kind && store.can(operation);
        for store in STORES.iter().filter(able) {
            let who = store.contender;
            let mut row = vec![operation.to_owned(), who.to_owned()];
            let what = [&area, operation, who, unit::NANOSECONDS];
            row.extend(sizes(figures, what, true, time)?);
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

pub(super) fn firmware_table(figures: &Figures) -> io::Result<Table> {
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

pub(super) fn instruction_table(figures: &Figures) -> io::Result<Table> {
    let mut table = Table::new(&TIMES);
    for (operation, _) in codec::NAMES {
        // Callgrind counts the processor's block move as an instruction a byte.
        for who in contenders(operation).iter().filter(|who| **who != MEMCPY) {
            let mut row = vec![operation.to_owned(), (*who).to_owned()];
            let what = [codec::AREA, operation, who, unit::INSTRUCTIONS];
            row.extend(sizes(figures, what, is_for_all(operation), count)?);
            table.row(row);
        }
    }
    Ok(table)
}
