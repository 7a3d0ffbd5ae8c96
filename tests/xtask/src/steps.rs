//! The steps, in the order in which a full run takes them: what fails fast comes first.

use std::io::{self, Write as _};

use crate::shell::{command, run, sh, succeeded, words};
use crate::{first_program, packages, readme, surface, tools};

/// A part of the checks.
pub(crate) struct Step {
    /// How it is asked for.
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    /// Whether it is worth running after every change.
    pub(crate) is_quick: bool,
    pub(crate) run: fn() -> io::Result<()>,
}

const fn quick(name: &'static str, what: &'static str, run: fn() -> io::Result<()>) -> Step {
    Step {
        name,
        what,
        is_quick: true,
        run,
    }
}

const fn slow(name: &'static str, what: &'static str, run: fn() -> io::Result<()>) -> Step {
    Step {
        is_quick: false,
        ..quick(name, what, run)
    }
}

pub(crate) const STEPS: &[Step] = &[
    slow("tools", "installs what the others need", tools::install),
    quick("format", "rustfmt", || sh("cargo fmt --all --check")),
    quick("tidy", "lengths, words, files, links", || {
        sh("cargo test --quiet -p xtask")
    }),
    quick("lint-libraries", "clippy on the three libraries", || {
        check("-p mtsession-core --features alloc,std,serde")?;
        check("-p mtsession")?;
        check("-p mtsession-embedded --features async,sim")
    }),
    quick("test-libraries", "tests without any feature", || {
        sh("cargo test --quiet -p mtsession-core --no-default-features")?;
        sh("cargo test --quiet -p mtsession --no-default-features")
    }),
    slow("lints", "clippy on everything", || {
        sh("cargo clippy --quiet --workspace --all-targets -- -D warnings")
    }),
    slow(
        "features",
        "every feature alone, and what people take together",
        features,
    ),
    slow(
        "dependencies",
        "licences, sources and versions of what is built in",
        packages::dependencies,
    ),
    slow("packages", "what would be published", packages::packages),
    slow("docs", "documentation without a broken link", docs),
    slow(
        "surface",
        "public names and signatures, against tests/xtask/surface",
        surface::check,
    ),
    slow("readme", "the README's commands", readme::run),
    slow(
        "flash",
        "the flash log: its examples, its first program, its README",
        || {
            sh("cargo test --quiet -p mtsession-embedded --test examples")?;
            sh("cargo test --quiet -p mtsession-embedded --doc")?;
            first_program::run_them()
        },
    ),
    slow("servers", "accounts on Redis, PostgreSQL and S3", || {
        sh("tests/servers.sh")
    }),
    slow("interop", "our databases read by others", || {
        sh(
            "INTEROP=1 cargo test --quiet -p mtsession-tests --test libsql_interop --test sqlite_downgrade",
        )
    }),
    slow("libraries", "sessions of other libraries", || {
        sh(
            "cargo test --quiet -p mtsession --features clients --test clients_files --test clients_write",
        )?;
        sh("tests/real-libraries/run.sh")
    }),
    slow(
        "sealing",
        "sealed stores read with other libraries' ciphers",
        || sh("tests/sealing/run.sh"),
    ),
    slow("drop-in", "the client ferogram on this library", || {
        sh("tests/drop-in/run.sh")
    }),
    slow(
        "windows",
        "the suite, compiled for Windows, under Wine",
        || sh("tests/windows/run.sh"),
    ),
    slow("benchmarks", "every benchmark runs once", benchmarks),
    slow(
        "bare-metal",
        "no panic, and the flash log on emulators",
        || {
            sh("tests/bare-metal/run.sh")?;
            let kills = std::env::var("KILLS").unwrap_or_else(|_| "20".to_owned());
            run(command("embedded/firmware/run.sh").env("KILLS", kills))
        },
    ),
    slow(
        "instructions",
        "counts and code sizes, against benches/instructions.tsv",
        || sh("cargo run --quiet --release -p mtsession-benches --bin instructions -- check"),
    ),
    slow("fuzzing", "every fuzz target for 12 seconds", || {
        sh("tests/fuzz/run.sh 12")
    }),
];

/// Clippy on one package with one set of features.
fn check(arguments: &str) -> io::Result<()> {
    sh(&format!("cargo clippy --quiet {arguments} -- -D warnings"))?;
    writeln!(io::stdout(), "ok: {arguments}")
}

/// The libraries, with features that are not worth a run of their own: none, private ones, second names.
const LIBRARIES: [(&str, &str); 3] = [
    ("mtsession-core", "default"),
    ("mtsession-embedded", "default,_test"),
    (
        "mtsession",
        "default,foreign,sqlite-session,libsql-session,libsql-remote-session",
    ),
];

/// What people build together, and not everything: the step before checks that.
const TOGETHER: [&str; 5] = [
    "-p mtsession-core --no-default-features --features alloc,serde",
    "-p mtsession-embedded --no-default-features --features async,alloc,defmt,sim",
    "-p mtsession --no-default-features --features sqlite,libsql-remote,tokio,serde",
    "-p mtsession --no-default-features --features grammers,sqlite,libsql-remote",
    "-p ferogram-session --features serde,sqlite-session,libsql-session,libsql-remote-session",
];

fn features() -> io::Result<()> {
    for (package, without) in LIBRARIES {
        sh(&format!(
            "cargo hack clippy --quiet -p {package} --each-feature --exclude-features {without} -- -D warnings"
        ))?;
    }
    TOGETHER.into_iter().try_for_each(check)
}

fn docs() -> io::Result<()> {
    for arguments in [
        "--workspace --exclude ferogram-session",
        "-p mtsession-core --features alloc,std,serde,defmt",
        "-p mtsession --features cli,grammers,serde,tracing",
        "-p mtsession-embedded --features alloc,async,defmt,sim",
    ] {
        let mut doc = words(&format!("cargo doc --quiet --no-deps {arguments}"));
        run(doc.env("RUSTDOCFLAGS", "-D warnings"))?;
    }
    Ok(())
}

fn benchmarks() -> io::Result<()> {
    let mut bench = words("cargo bench --quiet -p mtsession-benches -- --test");
    let output = bench.stderr(std::process::Stdio::inherit()).output()?;
    let mut out = io::stdout().lock();
    for line in output.stdout.split(|byte| *byte == b'\n') {
        if line.starts_with(b"skipped") {
            out.write_all(line)?;
            writeln!(out)?;
        }
    }
    succeeded(&bench, output.status)?;
    writeln!(out, "ok")
}
