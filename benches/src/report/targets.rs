//! What was set out to be reached: the one place where it is written down.

use std::io;

use crate::codec::{self, MEMCPY, TRAILER};
use crate::figures::{Figures, unit};
use crate::{OURS, THEIRS, flash, names, stores};

/// A bound, and the two figures that it is about.
#[derive(Clone, Debug)]
pub struct Target {
    /// What is done.
    pub what: String,
    /// Of the targets of one group the table shows the one that is missed most, or met least.
    pub group: &'static str,
    /// Why it is missed where it is.
    pub why: &'static str,
    /// Whose figure is bounded.
    pub ours: Name,
    /// Whose it is compared with; without one the bound is absolute.
    pub beside: Option<Name>,
    /// The bound.
    pub bound: Bound,
}

/// The name of a figure.
pub type Name = [String; 5];

/// What is to hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// The other figure is at least so many times ours.
    Better(f64),
    /// Ours is at most so many times the other.
    Within(f64),
    /// Ours is at most this.
    AtMost(f64),
}

/// What became of a target.
#[derive(Clone, Copy, Debug)]
pub struct Judged {
    /// Our figure.
    pub ours: f64,
    /// The other, where there is one.
    pub beside: Option<f64>,
    /// What the bound is about: the ratio, or our figure itself.
    pub reached: f64,
    /// Whether the bound holds.
    pub is_met: bool,
    /// Ours as a part of what is allowed.
    pub part: f64,
}

impl Target {
    /// Looks whether it is met.
    ///
    /// # Errors
    /// When a figure is missing.
    pub fn judge(&self, figures: &Figures) -> io::Result<Judged> {
        let get = |name: &Name| figures.get(name.each_ref().map(String::as_str));
        let ours = get(&self.ours)?;
        let beside = self.beside.as_ref().map(get).transpose()?;
        let other = beside.unwrap_or(1.0);
        let (reached, allowed) = match self.bound {
            Bound::Better(times) => (other / ours, other / times),
            Bound::Within(times) => (ours / other, other * times),
            Bound::AtMost(most) => (ours, most),
        };
        Ok(Judged {
            ours,
            beside,
            reached,
            is_met: ours <= allowed,
            part: ours / allowed.max(1.0),
        })
    }
}

/// Every target, in the order of the table.
#[must_use]
pub fn targets() -> Vec<Target> {
    let mut list = codec_targets();
    list.extend(store_targets());
    list.extend(names_targets());
    list.extend(flash_targets());
    list.extend(firmware_targets());
    list
}

fn name(key: [&str; 5]) -> Name {
    key.map(str::to_owned)
}

fn codec_targets() -> Vec<Target> {
    let target = |operation, size, ours, beside, bound| {
        let name = |who| name([codec::AREA, operation, size, who, unit::NANOSECONDS]);
        Target {
            group: "",
            why: match operation {
                "encode" if beside == MEMCPY => "fields are put together, not moved as one block",
                "PersistedSession" => {
                    "its allocations and copies of keys are the same; all is checked before any is copied"
                }
                "string out" => "base64 in constant time looks nothing up in a table",
                _ => "",
            },
            what: format!("{operation} {size}"),
            ours: name(ours),
            beside: Some(name(beside)),
            bound,
        }
    };
    use Bound::{Better, Within};
    let mut list = vec![
        target("encode", "S", OURS, THEIRS, Better(2.0)),
        target("encode", "M", OURS, THEIRS, Better(3.0)),
        target("encode", "L", OURS, THEIRS, Better(3.0)),
        target("encode", "L", OURS, MEMCPY, Within(2.0)),
        target("encode", "L", TRAILER, MEMCPY, Within(3.0)),
        target("parse", "L", OURS, THEIRS, Better(1_000.0)),
    ];
    for size in ["S", "M", "L"] {
        list.push(target("PersistedSession", size, OURS, THEIRS, Better(1.5)));
    }
    for size in ["S", "M", "L"] {
        list.push(target("string out", size, OURS, THEIRS, Better(1.0)));
    }
    for size in ["S", "M", "L"] {
        let heap = name([codec::AREA, "string out", size, OURS, unit::ALLOCATIONS]);
        list.push(Target {
            group: "",
            why: "",
            what: format!("string out {size}, allocations"),
            ours: heap,
            beside: None,
            bound: Bound::AtMost(0.0),
        });
    }
    list
}

fn store_targets() -> Vec<Target> {
    let target = |kind, operation, size, times| {
        let area = format!("{}: {kind}", stores::AREA);
        let name = |who| name([&area, operation, size, who, unit::NANOSECONDS]);
        Target {
            group: "",
            why: match kind {
                "file" => {
                    "in memory a rewrite costs no disk; ours are five system calls, two for the lock"
                }
                _ => "",
            },
            what: format!("{kind}, {operation} {size}"),
            ours: name(OURS),
            beside: Some(name(THEIRS)),
            bound: Bound::Better(times),
        }
    };
    vec![
        target("file", "apply_update_state", "M", 20.0),
        target("file", "apply_update_state", "L", 500.0),
        target("file on disk", "apply_update_state", "M", 20.0),
        target("file on disk", "apply_update_state", "L", 500.0),
        target("SQLite", "save", "L", 20.0),
        target("SQLite", "load", "L", 1.3),
    ]
}

fn names_targets() -> Vec<Target> {
    const MOST: f64 = 5e9;

    let target = |operation: String| Target {
        what: format!("{operation} {} names, processor time", names::SIZE),
        group: "",
        why: "",
        ours: name([
            names::AREA,
            &operation,
            names::SIZE,
            OURS,
            unit::NANOSECONDS,
        ]),
        beside: None,
        bound: Bound::AtMost(MOST),
    };
    let steps = |store: &'static str| names::STEPS.map(|step| target(format!("{store}, {step}")));
    names::STORES.into_iter().flat_map(steps).collect()
}

fn flash_targets() -> Vec<Target> {
    let mut list = Vec::new();
    for case in flash::cases() {
        // Where the other store does not fit there is nothing to compare with.
        if case.size < 16 * 1024 {
            continue;
        }
        let target = |(group, why), metric, ours, beside: Option<&str>, bound| {
            let name = |who| name([flash::AREA, metric, &case.name, who, unit::COUNT]);
            Target {
                what: format!("{metric}, {}", case.name),
                group,
                why,
                ours: name(ours),
                beside: beside.map(name),
                bound,
            }
        };
        // A group for each bound.
        let (bytes, erases, groups) = match case.program_unit {
            0..=4 => (0.25, 0.25, ("bytes, unit 1 and 4", "erases, unit 1 and 4")),
            5..=8 => (0.40, 0.42, ("bytes, unit 8", "erases, unit 8")),
            _ => (0.55, 0.55, ("bytes, unit 32", "erases, unit 32")),
        };
        let seq = Some(flash::SEQUENTIAL);
        let calls = (
            "boot calls",
            "large pages are read in pieces that fit in little memory",
        );
        list.extend([
            target(
                (groups.0, ""),
                "bytes/update",
                OURS,
                seq,
                Bound::Within(bytes),
            ),
            target(
                (groups.1, ""),
                "erases/100k",
                OURS,
                seq,
                Bound::Within(erases),
            ),
            target(
                ("lazy", ""),
                "erases/100k",
                flash::LAZY,
                seq,
                Bound::Within(0.1),
            ),
            target(("uneven", ""), "uneven", OURS, None, Bound::AtMost(1.0)),
            target(calls, "boot calls", OURS, seq, Bound::Within(0.06)),
            target(
                ("boot", ""),
                "boot bytes",
                OURS,
                None,
                Bound::AtMost(case.size as f64),
            ),
        ]);
    }
    list
}

fn firmware_targets() -> Vec<Target> {
    let count = |what, times| {
        let name = |who| name([flash::AREA, what, "nRF52840 16K", who, unit::INSTRUCTIONS]);
        Target {
            what: format!("instructions of an {what}, nRF52840 16K"),
            group: "",
            why: "",
            ours: name(OURS),
            beside: Some(name(flash::SEQUENTIAL)),
            bound: Bound::Within(times),
        }
    };
    let bytes = |what: &str, key: [&str; 4], most| Target {
        what: what.to_owned(),
        group: "",
        why: if key[0] == "firmware" {
            "it includes the session in fixed memory, for every store: compare under Firmware"
        } else {
            ""
        },
        ours: name([key[0], key[1], key[2], key[3], "bytes"]),
        beside: None,
        bound: Bound::AtMost(most),
    };
    let code = ["firmware", "code, opt z", "thumbv7em-none-eabihf"];
    let ram = [flash::AREA, "RAM of the store", "nRF52840 16K", OURS];
    let session = [flash::AREA, super::FIXED_SESSION, "nRF52840 16K", OURS];
    vec![
        count("update, mean", 0.25),
        count("update, worst", 0.5),
        bytes(
            "code, blocking",
            [code[0], code[1], code[2], OURS],
            7.5 * 1024.0,
        ),
        bytes(
            "code, async",
            [code[0], code[1], code[2], "mtsession, async"],
            9.0 * 1024.0,
        ),
        bytes("RAM of the log", ram, 1.2 * 1024.0),
        bytes(
            "RAM of `FixedSession`, 6 DCs, 32 channels, 64 peers",
            session,
            5.0 * 1024.0,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::{Bound, Target, name};
    use crate::figures::Figures;

    fn reached(bound: Bound, ours: f64, beside: f64) -> (f64, bool) {
        let keys = ["ours", "beside"].map(|who| ["area", "what", "S", who, "ns"]);
        let mut figures = Figures::default();
        figures.put(keys[0], ours);
        figures.put(keys[1], beside);
        let target = Target {
            what: "what".to_owned(),
            group: "",
            why: "",
            ours: name(keys[0]),
            beside: Some(name(keys[1])),
            bound,
        };
        let judged = target.judge(&figures).expect("both are there");
        assert!(
            target.judge(&Figures::default()).is_err(),
            "nothing is missing"
        );
        (judged.reached, judged.is_met)
    }

    #[test]
    fn a_target_is_met_up_to_its_bound() {
        assert_eq!(reached(Bound::Better(2.0), 50.0, 100.0), (2.0, true));
        assert!(!reached(Bound::Better(2.0), 51.0, 100.0).1);
        assert_eq!(reached(Bound::Within(0.25), 25.0, 100.0), (0.25, true));
        assert!(!reached(Bound::Within(0.25), 26.0, 100.0).1);
        assert_eq!(reached(Bound::AtMost(25.0), 25.0, 100.0), (25.0, true));
        assert!(!reached(Bound::AtMost(25.0), 26.0, 100.0).1);
    }
}
