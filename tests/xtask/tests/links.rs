//! Documents that are read on a forge: their links resolve, and nothing in them is meant for a machine
//! alone.

mod support;

use std::path::Path;

use support::{files, plain, read, root};

/// The targets of `[text](target)`, outside of code.
fn links(text: &str) -> Vec<&str> {
    let mut links = Vec::new();
    let mut is_code = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        if is_code {
            continue;
        }
        let mut rest = line;
        while let Some((_, after)) = rest.split_once("](") {
            let (target, next) = after.split_once(')').unwrap_or((after, ""));
            links.push(target);
            rest = next;
        }
    }
    links
}

/// The anchors that a forge makes of headings.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = |char: &char| char.is_alphanumeric() || "-_ ".contains(*char);
        title
            .chars()
            .filter(kept)
            .collect::<String>()
            .replace(' ', "-")
    };
    headings.map(anchor).collect()
}

#[test]
fn every_relative_link_of_a_document_leads_somewhere() {
    let mut wrong = Vec::new();
    for file in files(&[".md"]) {
        let text = read(&file);
        for link in links(&text) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => file.clone(),
                // Of rustdoc, where the document is the first page of a crate.
                path if path.contains("::") || path.ends_with("()") => continue,
                path => plain(&file.parent().unwrap().join(path)),
            };
            let exists = root().join(&target).exists();
            let has_anchor = || anchors(&read(&target)).iter().any(|known| known == anchor);
            if !exists || !anchor.is_empty() && !has_anchor() {
                wrong.push(format!("{}: {link}", file.display()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "links that lead nowhere:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn what_a_published_readme_links_to_is_in_its_package() {
    let mut outside = Vec::new();
    for package in ["core", "embedded", "std-backends"] {
        let readme = Path::new(package).join("README.md");
        let text = read(&readme);
        let links = links(&text).into_iter();
        let leaves = links.filter(|link| !link.contains("://") && link.starts_with(".."));
        outside.extend(leaves.map(|link| format!("{}: {link}", readme.display())));
    }
    assert!(
        outside.is_empty(),
        "a registry has no place for these links:\n{}",
        outside.join("\n")
    );
}

#[test]
fn no_example_of_a_readme_has_lines_that_only_rustdoc_hides() {
    let mut hidden = Vec::new();
    for file in files(&["README.md"]) {
        let mut is_rust = false;
        for (line, number) in read(&file).lines().zip(1..) {
            if line.starts_with("```") {
                is_rust = line.starts_with("```rust");
            } else if is_rust && (line == "#" || line.starts_with("# ")) {
                hidden.push(format!("{}:{number}: {line}", file.display()));
            }
        }
    }
    assert!(
        hidden.is_empty(),
        "a forge shows these lines:\n{}",
        hidden.join("\n")
    );
}
