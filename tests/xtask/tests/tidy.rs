//! What a machine can see of style. What is over a limit already is listed, and the lists can only
//! become shorter: an entry that is no longer needed is an error as well.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use support::{files, plain, read, root};

/// Lines of a file, and of a function.
const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 70;

/// Words that the copy-edit replaces: after, in addition to, anyone who, will.
const WORDS: [&str; 4] = ["behind", "beside", "whoever", "shall"];

/// What is allowed to be over a limit: kind, name, and how much.
fn allowed(kind: &str) -> BTreeMap<String, usize> {
    let list = read(Path::new("tests/xtask/tests/allowed.tsv"));
    let entries = list.lines().filter(|line| !line.starts_with('#'));
    let entries = entries.map(|line| line.split('\t').collect::<Vec<_>>());
    let of_kind = entries.filter(|entry| entry[0] == kind);
    of_kind
        .map(|entry| (entry[1].to_owned(), entry[2].parse().unwrap()))
        .collect()
}

/// Compares what is over a limit with what is allowed to be.
fn check(kind: &str, limit: usize, found: &BTreeMap<String, usize>) {
    let allowed = allowed(kind);
    let mut wrong = Vec::new();
    for (name, count) in found.iter().filter(|(_, count)| **count > limit) {
        match allowed.get(name) {
            Some(most) if count <= most => {}
            Some(most) => wrong.push(format!(
                "{kind}\t{name}\t{count}, of which {most} are allowed"
            )),
            None => wrong.push(format!("{kind}\t{name}\t{count}, at most {limit}")),
        }
    }
    for name in allowed.keys() {
        if found.get(name).is_none_or(|count| *count <= limit) {
            wrong.push(format!("{kind}\t{name}: delete this line of allowed.tsv"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn name(path: &Path) -> String {
    path.to_str().unwrap().replace('\\', "/")
}

#[test]
fn files_are_short() {
    let found = files(&[".rs"]);
    let lines = |path: &PathBuf| (name(path), read(path).lines().count());
    check("file", FILE_LINES, &found.iter().map(lines).collect());
}

/// The functions of a file as rustfmt lays them out: from `fn` to the brace in the same column.
fn functions(text: &str) -> Vec<(&str, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let Some((before, after)) = code.split_once("fn ") else {
            continue;
        };
        let is_item = before.split_whitespace().all(|word| {
            let word = word.split('(').next().unwrap();
            ["pub", "const", "async", "extern", "\"C\"", "unsafe"].contains(&word)
                || word.ends_with(')')
        });
        if !is_item || line.ends_with('}') || line.ends_with(';') {
            continue;
        }
        // A signature over several lines, without a body.
        let mut signature = lines[at..].iter();
        if signature
            .find(|line| line.ends_with(['{', '}', ';']))
            .is_some_and(|end| end.ends_with(';'))
        {
            continue;
        }
        let column = &line[..line.len() - code.len()];
        let is_end = |line: &&str| line.strip_prefix(column).is_some_and(|end| end == "}");
        let rest = &lines[at..];
        let length = rest
            .iter()
            .position(is_end)
            .map_or(rest.len(), |end| end + 1);
        let name = after.split(['(', '<']).next().unwrap();
        found.push((name, length));
    }
    found
}

#[test]
fn functions_are_short() {
    let mut found = BTreeMap::new();
    for path in files(&[".rs"]) {
        for (function, length) in functions(&read(&path)) {
            let longest = found
                .entry(format!("{} {function}", name(&path)))
                .or_insert(0);
            *longest = length.max(*longest);
        }
    }
    check("function", FUNCTION_LINES, &found);
}

#[test]
fn words_that_the_copy_edit_replaces_become_fewer() {
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    let generated = |path: &Path| path.ends_with("RESULTS.md");
    for path in files(&[".rs", ".md"]) {
        if generated(&path) || path.starts_with("tests/xtask") {
            continue;
        }
        let text = read(&path).to_lowercase();
        let words = text.split(|char: char| !char.is_alphanumeric() && char != '_');
        for word in words.filter(|word| WORDS.contains(word)) {
            let folder = path.components().next().unwrap();
            let folder = folder.as_os_str().to_str().unwrap();
            *found.entry(format!("{word} in {folder}")).or_default() += 1;
        }
    }
    check("word", 0, &found);
}

/// The files that the modules of `path` are in, as far as they exist.
fn modules(path: &Path, is_root: bool) -> Vec<PathBuf> {
    let folder = path.parent().unwrap();
    let stem = path.file_stem().unwrap().to_str().unwrap();
    let below = if is_root || stem == "mod" {
        folder.to_owned()
    } else {
        folder.join(stem)
    };
    let text = read(path);
    let mut found = Vec::new();
    let mut place = None;
    for line in text.lines().map(str::trim) {
        let module = line
            .strip_suffix(';')
            .and_then(|line| line.rsplit_once("mod "));
        if let Some(quoted) = line.strip_prefix("#[path = \"") {
            place = quoted
                .strip_suffix("\"]")
                .map(|place| plain(&folder.join(place)));
        } else if let Some((_, module)) = module {
            let file = below.join(format!("{module}.rs"));
            let own_folder = below.join(module).join("mod.rs");
            found.extend(place.take().into_iter().chain([file, own_folder]));
        } else if let Some((_, rest)) = line.split_once("include!(\"") {
            found.extend(rest.split('"').next().map(|file| folder.join(file)));
        }
    }
    found.retain(|file| root().join(file).exists());
    found
}

/// Whether cargo compiles a file by itself: by its place, or since a manifest names it.
fn is_root(path: &Path, manifests: &str) -> bool {
    const FOLDERS: [&str; 4] = ["tests", "benches", "bin", "examples"];

    let folder = path.parent().unwrap();
    let file = path.file_name().unwrap().to_str().unwrap();
    ["lib.rs", "main.rs", "build.rs"].contains(&file)
        || FOLDERS.iter().any(|end| folder.ends_with(end))
        || manifests.contains(&format!("path = \"{}\"", name(path)))
}

#[test]
fn every_source_file_is_a_part_of_a_program_or_library() {
    let manifest = |path: &PathBuf| {
        let folder = name(path.parent().unwrap());
        read(path).replace("path = \"", &format!("path = \"{folder}/"))
    };
    let manifests: String = files(&["Cargo.toml"]).iter().map(manifest).collect();
    let all = files(&[".rs"]);
    let mut reached = BTreeSet::new();
    let mut next: Vec<&PathBuf> = Vec::new();
    next.extend(all.iter().filter(|path| is_root(path, &manifests)));
    while let Some(path) = next.pop() {
        if reached.insert(path) {
            let modules = modules(path, is_root(path, &manifests));
            next.extend(all.iter().filter(|path| modules.contains(path)));
        }
    }
    let unused = all.iter().filter(|path| !reached.contains(path));
    let unused: Vec<String> = unused.map(|path| name(path)).collect();
    assert!(
        unused.is_empty(),
        "nothing includes these files:\n{}",
        unused.join("\n")
    );
}

#[test]
fn every_script_is_named_where_it_is_used() {
    let readers = files(&[".rs", ".md", ".sh", ".toml", "run", ".js", ".mjs", ".py"]);
    let texts: Vec<(PathBuf, String)> = readers
        .into_iter()
        .map(|path| (path.clone(), read(&path)))
        .collect();
    let mut unused = Vec::new();
    for path in files(&[".sh", ".py", ".js", ".mjs", ".c"]) {
        let file = path.file_name().unwrap().to_str().unwrap();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let names = |(other, text): &(PathBuf, String)| {
            *other != path && (text.contains(file) || text.contains(stem))
        };
        if !texts.iter().any(names) {
            unused.push(name(&path));
        }
    }
    assert!(
        unused.is_empty(),
        "nothing names these scripts:\n{}",
        unused.join("\n")
    );
}
