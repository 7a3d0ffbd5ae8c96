//! Every row of the table of formats is true: what it names is read, written, and accepted as a target.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use mtsession::clients::{self, FileFormat, Options, Target, read};
use mtsession::codec::clients::{Contents, StringFormat};
use mtsession::codec::{SessionMut as _, SessionSource as _};
use mtsession::{Account, SessionRecord};

/// A session that every target accepts.
fn login() -> SessionRecord {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/clients");
    let import = read(&vectors.join("mtcute-0.29.7-s01.session")).unwrap();
    let mut record = import.record().unwrap();
    record.set_account(Account {
        user_id: record.account().user_id.or(Some(777_000)),
        is_bot: Some(false),
        api_id: Some(12_345),
        test_mode: Some(false),
    });
    record
}

#[test]
fn every_target_is_written_read_back_and_has_a_name_of_its_own() {
    let record = login();
    let dir = tempfile::tempdir().unwrap();
    let mut schemes = BTreeSet::new();
    for target in Target::ALL {
        let scheme = target.scheme();
        assert!(!scheme.is_empty() && schemes.insert(scheme), "{target:?}");
        assert_eq!(Target::from_scheme(scheme), Some(target));

        let path = dir.path().join(scheme);
        let names = record.peer_names();
        clients::write(&path, target, Options::default(), &record, &names).unwrap();
        assert_eq!(read(&path).unwrap().format, target.format(), "{target:?}");
    }
}

#[test]
fn every_format_is_named_once_with_an_article_or_as_a_name() {
    let files = FileFormat::ALL.map(FileFormat::name);
    let strings = StringFormat::ALL.map(StringFormat::name);
    let names: BTreeSet<_> = files.into_iter().chain(strings).collect();
    assert_eq!(names.len(), files.len() + strings.len());
    for name in names {
        let begins = ["a ", "an ", "the ", "Telegram ", "TDLib's "]
            .iter()
            .any(|start| name.starts_with(start));
        assert!(begins, "{name}");
    }
}

/// Files and folders below a folder.
fn all_below(folder: PathBuf) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path.clone());
            }
            found.push(path);
        }
    }
    found
}

/// Every format that there are files of, by reading all of them.
#[test]
fn every_file_format_has_a_reader() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let vectors = all_below(root.join("../tests/vectors"));
    let vectors = vectors.iter().filter_map(|path| read(path).ok());
    let found: BTreeSet<_> = vectors.map(|import| import.format.name()).collect();
    // The files of the others are made by tests, which say what they are read as.
    let sources = all_below(root.join("tests"));
    let sources = sources
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok());
    let sources: Vec<String> = sources.collect();
    for format in FileFormat::ALL {
        let variant = format!("{format:?}");
        let is_made = sources.iter().any(|source| source.contains(&variant));
        assert!(found.contains(format.name()) || is_made, "{format}");
    }
}

/// The table of the documentation has a row for each string, and each cell says what is carried.
#[test]
fn the_table_of_the_documentation_says_what_strings_carry() {
    let rows = [
        ("Telethon", StringFormat::Telethon),
        ("Pyrogram before 2", StringFormat::PyrogramOld64),
        ("Pyrogram 2 and its forks", StringFormat::Pyrogram),
        ("GramJS", StringFormat::GramJs),
        ("mtcute", StringFormat::Mtcute),
        ("MTKruto, old", StringFormat::MtkrutoOld),
        ("MTKruto", StringFormat::Mtkruto),
        ("compact", StringFormat::Compact),
        ("native", StringFormat::Native),
    ];
    let columns = [
        Contents::HOME_DC,
        Contents::ADDRESS,
        Contents::HOME_KEY,
        Contents::USER_ID,
        Contents::API_ID,
        Contents::TEST_MODE,
        Contents::MEDIA_DC,
    ];
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src/clients/mod.rs");
    let text = fs::read_to_string(file).unwrap();
    let written: Vec<Vec<&str>> = text
        .lines()
        .filter_map(|line| line.strip_prefix("//! | "))
        .map(|row| row.split('|').map(str::trim).collect())
        .collect();
    assert_eq!(
        written.len(),
        rows.len() + 1,
        "one row for each format, and the head"
    );
    for (name, format) in rows {
        let row = written
            .iter()
            .find(|row| row.first() == Some(&name))
            .unwrap();
        for (cell, member) in row.iter().skip(1).zip(columns) {
            let says = cell.starts_with("yes") || *cell == "user id only";
            assert_eq!(
                says,
                format.carries().contains(member),
                "{name}, {member}: {cell}"
            );
        }
    }
}
