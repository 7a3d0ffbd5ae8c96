//! What the crates must not pull in, and that what they do pull in is justified.

use std::path::Path;
use std::process::Command;

fn tree(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--edges", "normal", "--prefix", "none"])
        .args(args)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn assert_without(tree: &str, crates: &[&str]) {
    for name in crates {
        let found = tree
            .lines()
            .find(|line| line.split(' ').next() == Some(name));
        assert!(found.is_none(), "{name} is pulled in:\n{tree}");
    }
}

#[test]
fn the_codec_is_light() {
    let codec = tree(&["--package", "mtsession-core"]);
    assert_without(
        &codec,
        &["std", "crc-fast", "crc32c", "defmt", "rand", "tokio"],
    );
    let heapless = codec
        .lines()
        .filter(|line| line.starts_with("heapless "))
        .count();
    assert!(codec.contains("heapless v0.9"), "{codec}");
    assert!(!codec.contains("heapless v0.7") && heapless >= 1, "{codec}");
    let crates = codec.lines().filter(|line| !line.ends_with("(*)")).count();
    assert!(crates <= 25, "{crates} crates:\n{codec}");
}

#[test]
fn the_backends_need_no_runtime_and_no_database() {
    let backends = tree(&["--package", "mtsession"]);
    assert_without(
        &backends,
        &[
            "tokio",
            "rusqlite",
            "libsqlite3-sys",
            "libsql",
            "clap",
            "serde_json",
            "tracing",
            "ureq",
        ],
    );
}

#[test]
fn the_device_crates_and_the_backends_never_meet() {
    assert_without(
        &tree(&["--package", "mtsession-embedded"]),
        &["mtsession", "crc-fast"],
    );
    assert_without(&tree(&["--package", "mtsession"]), &["mtsession-embedded"]);
}

/// Every dependency of the workspace has a comment above it that says why.
#[test]
fn every_dependency_is_justified() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (_, section) = manifest.split_once("[workspace.dependencies]\n").unwrap();
    let section = section.split("\n[").next().unwrap();
    let mut last = "";
    for line in section.lines() {
        let is_dependency = line.contains(" = ") && !line.starts_with(['#', ' ']);
        if is_dependency && !line.contains("path = ") {
            assert!(last.starts_with("# "), "no reason is given for: {line}");
        }
        last = line;
    }
}
