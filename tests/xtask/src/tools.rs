//! What the steps need and a machine with Rust alone does not have.

use std::io::{self, Write as _};
use std::process::{Command, Stdio};

use crate::shell::{command, run, tools};

/// Debian's packages: a compiler for bare metal, emulators, an instruction counter, Windows.
const PACKAGES: [&str; 11] = [
    "rustc-web",
    "cargo-web",
    "rust-web-src",
    "lld",
    "g++",
    "qemu-system-arm",
    "qemu-system-misc",
    "valgrind",
    "gcc-mingw-w64-x86-64",
    "wine",
    "wine64",
];

/// Installs what is missing where that is possible, and says what is missing where it is not.
pub(crate) fn install() -> io::Result<()> {
    let missing: Vec<&str> = PACKAGES
        .into_iter()
        .filter(|package| !succeeds(command("dpkg").args(["-s", package])))
        .collect();
    if !missing.is_empty() {
        if is_root() && succeeds(command("apt-get").arg("--version")) {
            run(command("apt-get").args(["update", "-qq"]))?;
            run(command("apt-get")
                .env("DEBIAN_FRONTEND", "noninteractive")
                .args(["install", "-y", "-qq", "--no-install-recommends"])
                .args(missing)
                .stdout(Stdio::null()))?;
        } else {
            let missing = missing.join(" ");
            writeln!(
                io::stdout(),
                "not installed, and not possible to install here: {missing}"
            )?;
        }
    }
    run(command("python3")
        .args(["-m", "pip", "install", "--quiet", "--no-deps", "--upgrade"])
        .args([
            "--disable-pip-version-check",
            "--root-user-action",
            "ignore",
        ])
        .args(["--requirement", "tests/xtask/requirements.txt", "--target"])
        .arg(tools()))?;
    if !succeeds(command("cargo").args(["fuzz", "--version"])) {
        run(command("cargo")
            .env("CARGO_TARGET_DIR", "target/cargo-fuzz")
            .args(["install", "--quiet", "--locked", "cargo-fuzz"]))?;
    }
    Ok(())
}

fn is_root() -> bool {
    let output = command("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn succeeds(command: &mut Command) -> bool {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
