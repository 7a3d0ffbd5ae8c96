//! One version for everything that is released together.

mod support;

use std::path::Path;

use support::read;

/// What stands between quotation marks after `start`, in each line that begins with it.
fn quoted<'t>(text: &'t str, start: &str) -> Vec<&'t str> {
    let lines = text.lines().map(str::trim);
    let values = lines.filter_map(|line| line.strip_prefix(start)?.split('"').nth(1));
    values.collect()
}

#[test]
fn the_npm_packages_have_the_version_of_the_crates() {
    let manifest = read(Path::new("Cargo.toml"));
    let [version] = *quoted(&manifest, "version =") else {
        panic!("Cargo.toml has one line with the version");
    };
    let package = read(Path::new(
        "std-backends/packaging/npm/mtsession/package.json",
    ));
    assert_eq!(quoted(&package, "\"version\":"), [version]);
    let systems = quoted(&package, "\"@mtsession/");
    assert_eq!(systems.len(), 6);
    let wanted = package.matches(&format!(": \"{version}\"")).count();
    assert_eq!(wanted, 7, "its own version and those of six systems");
}

#[test]
fn the_crates_ask_for_each_other_in_the_version_of_the_workspace() {
    let manifest = read(Path::new("Cargo.toml"));
    let version = quoted(&manifest, "version =")[0];
    for name in ["mtsession-core", "mtsession", "mtsession-embedded"] {
        let line = manifest
            .lines()
            .find(|line| line.starts_with(&format!("{name} = {{ path")));
        assert!(
            line.is_some_and(|line| line.contains(&format!("version = \"{version}\""))),
            "{name}: {line:?}"
        );
    }
}
