//! The text of `RESULTS.md`.

use std::fmt::Write as _;
use std::io;

use super::machine;
use super::show::Table;
use super::tables::{
    codec_table, firmware_table, flash_table, instruction_table, shared_table, store_table,
    target_table,
};
use crate::figures::Figures;
use crate::stores::{self, STORES};
use crate::{SIZES, codec, flash, shared};

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

    text += &backends(figures)?;

    text += "\n## Accounts of one database, and look-ups\n\n\
             Many accounts of one SQLite file, open at once in one process; parts of a session of size L, which nobody \
             loads whole for them. Each part runs in a process of its own.\n\n";
    for (name, what) in shared::PARTS {
        let _ = writeln!(text, "- `{name}`: {what}");
    }
    text.push('\n');
    text += &shared_table(figures).to_string();

    text += "\n## Flash\n\n![Flash](flash.svg)\n\n";
    text += "A simulated chip counts: the same numbers on every machine. A fresh session (5 DCs with keys, \
             32 channels, 64 peers), 100,000 updates (80 % counters, 15 % a channel, 5 % a peer), a cold \
             boot. Chips begin erased; ours by its format, which is not counted. The other stores keep \
             each entry as a postcard record; ratios are to `sequential-storage` with all its caches.\n\
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

fn backends(figures: &Figures) -> io::Result<String> {
    let mut text = String::from("\n## Backends\n\n![Backends](backends.svg)\n\n");
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
    Ok(text)
}
