//! The public names of the three libraries with their signatures and traits, in lists that a change of one has
//! to change as well: what a program that uses them could notice is in the diff of the list.
//!
//! They are taken from rustdoc's pages, which know what is re-exported, what macros make and what is hidden.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use crate::shell::{root, run, words};
use crate::signature;

/// The crates, and how their pages are made: with everything that they have.
const CRATES: [(&str, &str); 3] = [
    (
        "mtsession_core",
        "-p mtsession-core --features alloc,std,serde,defmt",
    ),
    (
        "mtsession",
        "-p mtsession --features cli,grammers,serde,tracing",
    ),
    (
        "mtsession_embedded",
        "-p mtsession-embedded --features alloc,async,defmt,sim",
    ),
];

/// What stands before the name of a part of an item, in the page of the item.
const PARTS: [&str; 6] = [
    "method.",
    "tymethod.",
    "variant.",
    "structfield.",
    "associatedconstant.",
    "associatedtype.",
];

/// What is not the item's own begins with one of these.
const ENDS: [&str; 5] = [
    "id=\"trait-implementations\"",
    "id=\"synthetic-implementations\"",
    "id=\"blanket-implementations\"",
    "id=\"implementors\"",
    "id=\"foreign-impls\"",
];

/// Fails where a public name is new or gone, and says which.
pub(crate) fn check() -> io::Result<()> {
    let mut differences = Vec::new();
    for (name, arguments) in CRATES {
        let listed = fs::read_to_string(list_of(name))?;
        let listed: BTreeSet<_> = listed.lines().map(str::to_owned).collect();
        let found = names(name, arguments)?;
        differences.extend(
            found
                .difference(&listed)
                .map(|name| format!("new:  {name}")),
        );
        differences.extend(
            listed
                .difference(&found)
                .map(|name| format!("gone: {name}")),
        );
    }
    if differences.is_empty() {
        return Ok(());
    }
    let lines = differences.join("\n");
    Err(io::Error::other(format!(
        "{lines}\npublic names have changed: `cargo xtask surface` writes the lists anew; CHANGELOG.md and \
         MIGRATION.md say what a user has to know of it"
    )))
}

/// Writes the lists.
pub(crate) fn write() -> io::Result<()> {
    for (name, arguments) in CRATES {
        let names = names(name, arguments)?;
        let lines: Vec<_> = names.iter().map(|name| format!("{name}\n")).collect();
        fs::write(list_of(name), lines.concat())?;
        writeln!(io::stdout(), "{name}: {} names", names.len())?;
    }
    Ok(())
}

fn list_of(name: &str) -> PathBuf {
    root().join(format!("tests/xtask/surface/{name}.txt"))
}

/// All public names of a crate, as paths, each with what it is.
fn names(name: &str, arguments: &str) -> io::Result<BTreeSet<String>> {
    run(&mut words(&format!(
        "cargo doc --quiet --no-deps {arguments}"
    )))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root().join("target"), PathBuf::from);
    let pages = target.join("doc").join(name);
    let all = fs::read_to_string(pages.join("all.html"))?;
    let mut names = BTreeSet::new();
    // Pages of items that are gone stay where they were: what is there is what is listed.
    // The others lead to headings of the page itself.
    let links = after(&all, "<li><a href=\"").filter(|link| !link.starts_with('#'));
    for link in links {
        let Some((item, kind)) = item_of(link) else {
            let message = format!("rustdoc's page names {link}, which is not understood");
            return Err(io::Error::other(message));
        };
        let page = fs::read_to_string(pages.join(link))?;
        names.extend(parts(&page, name, &item));
        names.insert(line(name, &item, kind, &signature::of_item(&page)));
        let traits = signature::traits(&page).into_iter();
        names.extend(traits.map(|of| line(name, &item, "impl", &of)));
    }
    let modules: BTreeSet<_> = names.iter().filter_map(|name| module_of(name)).collect();
    for module in modules {
        let page = module
            .split("::")
            .skip(1)
            .fold(pages.clone(), |at, part| at.join(part));
        let page = fs::read_to_string(page.join("index.html"))?;
        let ids = after(&page, "id=\"reexport.");
        names.extend(ids.map(|id| format!("{module}::{id} (use)")));
    }
    if names.len() < 10 {
        let message =
            format!("rustdoc's pages of {name} have no names: are they made otherwise now?");
        return Err(io::Error::other(message));
    }
    Ok(names)
}

/// `clients/struct.Import.html` is `clients::Import`, a struct.
fn item_of(link: &str) -> Option<(String, &str)> {
    let (module, page) = link.rsplit_once('/').unwrap_or(("", link));
    let (kind, rest) = page.split_once('.')?;
    let name = rest.strip_suffix(".html")?;
    let module = module.split('/').filter(|part| !part.is_empty());
    let path: Vec<_> = module.chain([name]).collect();
    Some((path.join("::"), kind))
}

/// The module of `mtsession::clients::Import (struct)`.
fn module_of(name: &str) -> Option<String> {
    let (path, _) = name.split_once(" (struct)").or(name.split_once(" (fn)"))?;
    path.rsplit_once("::").map(|(module, _)| module.to_owned())
}

/// A line of a list.
fn line(name: &str, item: &str, kind: &str, signature: &str) -> String {
    let colon = if signature.is_empty() { "" } else { ": " };
    format!("{name}::{item} ({kind}){colon}{signature}")
}

/// Methods, fields and variants on the page of an item.
fn parts(page: &str, name: &str, item: &str) -> BTreeSet<String> {
    let ends = ENDS.iter().filter_map(|end| page.find(end));
    let own = page
        .get(..ends.min().unwrap_or(page.len()))
        .unwrap_or_default();
    let mut found = BTreeSet::new();
    for rest in own.split("id=\"").skip(1) {
        let Some((id, rest)) = rest.split_once('"') else {
            continue;
        };
        let part = PARTS
            .iter()
            .find_map(|part| Some((part, id.strip_prefix(part)?)));
        // Headings of a variant's fields are no part of it.
        if let Some((kind, part)) = part.filter(|(_, part)| !part.ends_with(".fields")) {
            let kind = kind.trim_end_matches('.');
            let part = part.replace(".field.", "::");
            let signature = signature::of_part(rest);
            found.insert(line(name, &format!("{item}::{part}"), kind, &signature));
        }
    }
    found
}

/// What stands between `start` and the next quotation mark, wherever it is.
fn after<'t>(text: &'t str, start: &str) -> impl Iterator<Item = &'t str> {
    let parts = text.split(start).skip(1).collect::<Vec<_>>();
    parts.into_iter().filter_map(|rest| rest.split('"').next())
}
