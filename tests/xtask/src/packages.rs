//! What a package brings along, and what it brings in.

use std::io::{self, Write as _};

use crate::shell::{command, run, sh, words};

/// The crates that are published, in the order in which they need each other.
const PUBLISHED: [&str; 3] = ["mtsession-core", "mtsession-embedded", "mtsession"];

/// What every one of them must bring.
const FILES: [&str; 3] = ["LICENSE-APACHE", "LICENSE-MIT", "README.md"];

/// The packages of the workspace that nobody but us builds.
const PRIVATE: &str = "--exclude mtsession-benches --exclude mtsession-tests --exclude xtask";

/// The committed versions are those that are built, and no licence, source or second version of a crate comes in
/// unseen.
pub(crate) fn dependencies() -> io::Result<()> {
    let deny = format!("cargo deny --locked {PRIVATE} check");
    sh(&format!("{deny} bans licenses sources"))?;
    let fetched = command("cargo").args(["deny", "fetch", "db"]).output()?;
    if fetched.status.success() {
        return sh(&format!("{deny} --disable-fetch advisories"));
    }
    let why = String::from_utf8_lossy(&fetched.stderr);
    let why = why.lines().find(|line| line.starts_with("fatal"));
    writeln!(
        io::stdout(),
        "skipped: advisories, since their database cannot be fetched: {}",
        why.unwrap_or("cargo deny fetch db fails")
    )
}

/// The packages can be made of what is committed, and have a licence and a first page.
pub(crate) fn packages() -> io::Result<()> {
    for package in PUBLISHED {
        let mut list = words(&format!("cargo package --allow-dirty --list -p {package}"));
        let list = list.stderr(std::process::Stdio::inherit()).output()?;
        let list = String::from_utf8_lossy(&list.stdout);
        for file in FILES {
            if !list.lines().any(|line| line == file) {
                return Err(io::Error::other(format!("{package} has no {file}")));
            }
        }
        writeln!(io::stdout(), "{package}: {} files", list.lines().count())?;
    }
    let mut publish = words("cargo package --quiet --workspace --no-verify --allow-dirty");
    for private in [
        "mtsession-benches",
        "mtsession-tests",
        "xtask",
        "ferogram-session",
    ] {
        publish.args(["--exclude", private]);
    }
    run(&mut publish)
}
