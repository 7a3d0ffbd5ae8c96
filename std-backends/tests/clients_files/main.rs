//! Every file that the real libraries wrote, read and compared with what it should hold.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::format_collect,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod content;
#[path = "../files/mod.rs"]
mod files;
mod libraries;
mod refused;
#[path = "../tdata/mod.rs"]
mod tdata;
mod untouched;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mtsession::StoreError;
use mtsession::clients::{FileFormat, ForeignError, Import, read};
use serde_json::Value;

struct FileVector {
    id: String,
    format: String,
    path: PathBuf,
    expect: Value,
    meant: Value,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/clients")
}

fn vectors() -> Vec<FileVector> {
    let json = fs::read_to_string(folder().join("vectors.json")).unwrap();
    let json: Value = serde_json::from_str(&json).unwrap();
    json["vectors"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|vector| vector["kind"] != "string")
        .map(|vector| FileVector {
            id: vector["id"].as_str().unwrap().to_owned(),
            format: vector["format"].as_str().unwrap().to_owned(),
            path: folder().join(vector["file"].as_str().unwrap()),
            expect: vector["expect"].clone(),
            meant: vector["meant"].clone(),
        })
        .collect()
}

fn import(vector: &FileVector) -> Import {
    read(&vector.path).unwrap_or_else(|error| panic!("{}: {error}", vector.id))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn format_of(name: &str) -> FileFormat {
    match name {
        _ if name.starts_with("telethon-sqlite") => FileFormat::TelethonSqlite,
        _ if name.starts_with("pyrogram-sqlite") => FileFormat::PyrogramSqlite,
        "pyrofork-sqlite-v4" => FileFormat::PyroforkSqlite,
        "pyrotgfork-sqlite-v6" => FileFormat::PyrotgforkSqlite,
        "kurigram-sqlite-v7" => FileFormat::KurigramSqlite,
        "mtcute-sqlite" => FileFormat::MtcuteSqlite,
        "grammers-sqlite-v1" => FileFormat::GrammersSqlite,
        _ if name.starts_with("grammers-tl") => FileFormat::GrammersTl,
        "gramjs-store-dir" => FileFormat::GramJsStore,
        "tdata" => FileFormat::Tdata,
        other => panic!("unknown format {other}"),
    }
}

fn number(value: &Value) -> i64 {
    match value {
        Value::String(text) => text.parse().unwrap(),
        other => other.as_i64().unwrap_or_default(),
    }
}

type State = ([i64; 4], BTreeMap<i64, i64>);

fn cause(error: &io::Error) -> &ForeignError {
    let store: &StoreError = error.get_ref().unwrap().downcast_ref().unwrap();
    core::error::Error::source(store)
        .unwrap()
        .downcast_ref()
        .unwrap()
}

/// A copy of a database with one change.
fn changed(dir: &Path, name: &str, sql: &str) -> PathBuf {
    let path = dir.join("changed.session");
    fs::copy(folder().join(name), &path).unwrap();
    let database = rusqlite::Connection::open(&path).unwrap();
    database
        .execute_batch("PRAGMA journal_mode = DELETE;")
        .unwrap();
    database.execute_batch(sql).unwrap();
    path
}

/// Whether it is the error that it should be.
type Check = fn(&ForeignError) -> bool;
