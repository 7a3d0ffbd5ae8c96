//! What our own buffers around a database leave on the heap: no piece of a key.
//!
//! SQLite's page cache and the values that it copies are its own, and cannot be told from ours by looking.
//! So SQLite gets every key with its bits turned round here: a piece of the key itself is ours.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic: that is how it fails"
)]

use std::io;

use mtsession_core::{Change, DcFlags};
use zeroize::{Zeroize as _, Zeroizing};

use self::heap::{Needles, key};
use super::connection::{Connection, OnRow, Write, Written};
use super::local::LocalConnection;
use super::schema::LegacyTables;
use super::statement::{Select, Statement, Value, ValueRef};
use super::store::{DEFAULT_ACCOUNT, SqlStore};
use crate::drop_in::dc::DcEntry;
use crate::drop_in::session::PersistedSession;

#[path = "../../../../tests/src/heap.rs"]
#[allow(
    unreachable_pub,
    missing_docs,
    reason = "it belongs to the library of the tests"
)]
mod heap;

/// A database in memory whose blobs are stored with their bits turned round.
struct TurnedRound(LocalConnection);

fn turned_round(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut turned = Zeroizing::new(Vec::with_capacity(bytes.len()));
    turned.extend(bytes.iter().map(|byte| !byte));
    turned
}

fn turned_value(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Integer(value) => Value::Integer(*value),
        Value::Text(text) => Value::Text(text.clone()),
        Value::Blob(bytes) => Value::Blob(turned_round(bytes)),
    }
}

/// Gives a row with its blobs turned round.
fn give(on_row: &mut OnRow<'_>, index: usize, values: &[ValueRef<'_>]) -> io::Result<()> {
    let blobs: Vec<_> = values
        .iter()
        .map(|value| match value {
            ValueRef::Blob(bytes) => turned_round(bytes),
            _ => Zeroizing::default(),
        })
        .collect();
    let values: Vec<_> = values
        .iter()
        .zip(&blobs)
        .map(|(value, blob)| match value {
            ValueRef::Blob(_) => ValueRef::Blob(blob),
            other => *other,
        })
        .collect();
    on_row(index, &values)
}

impl Connection for TurnedRound {
    fn read(&mut self, selects: &[Select], on_row: &mut OnRow<'_>) -> io::Result<()> {
        let on_row = &mut |index, values: &[ValueRef<'_>]| give(on_row, index, values);
        self.0.read(selects, on_row)
    }

    fn peek(&mut self, selects: &[Select], on_row: &mut OnRow<'_>) -> io::Result<()> {
        let on_row = &mut |index, values: &[ValueRef<'_>]| give(on_row, index, values);
        self.0.peek(selects, on_row)
    }

    fn is_unchanged(&mut self) -> io::Result<bool> {
        self.0.is_unchanged()
    }

    fn write(&mut self, write: Write) -> io::Result<Written> {
        let turned = |statement: &Statement| {
            let params: Vec<_> = statement.params.iter().map(turned_value).collect();
            Statement::new(statement.sql, params)
        };
        self.0.write(Write {
            statements: write.statements.iter().map(turned).collect(),
            durability: write.durability,
            if_unchanged: write.if_unchanged,
            known: None,
        })
    }

    fn is_ours(&mut self) -> io::Result<bool> {
        self.0.is_ours()
    }

    fn set_ours(&mut self, is_ours: bool) {
        self.0.set_ours(is_ours);
    }

    fn keep_old(&mut self, tables: &LegacyTables) -> io::Result<Vec<Statement>> {
        self.0.keep_old(tables)
    }

    fn scrub(&mut self, is_default: bool) -> io::Result<()> {
        self.0.scrub(is_default)
    }
}

#[test]
fn no_buffer_of_ours_leaves_a_piece_of_a_key() {
    let mut needles = Needles::default();
    let (mut first, mut second) = (key(11), key(12));
    needles.add(&first);
    needles.add(&second);
    // The search finds what is there.
    let mut held = Box::new(first);
    assert!(needles.on_the_heap() > 0);
    held.zeroize();
    drop(held);
    assert_eq!(needles.on_the_heap(), 0);

    let connection = TurnedRound(LocalConnection::memory());
    let mut store = SqlStore::new(Box::new(connection), DEFAULT_ACCOUNT);

    let entry = |dc_id, key| DcEntry {
        auth_key: Some(key),
        ..DcEntry::from_parts(dc_id, "149.154.167.51", 443, DcFlags::NONE)
    };
    let mut session = PersistedSession {
        home_dc_id: 2,
        dcs: vec![entry(2, first)],
        future_auth_token: Some(first[..200].to_vec()),
        ..PersistedSession::default()
    };
    store.save(&session).unwrap();
    session.zeroize();
    for dc_id in 3..20 {
        let mut entry = entry(dc_id, first);
        let change = Change::Dc(entry.as_dc_ref());
        store.apply(&[change]).unwrap();
        entry.zeroize();
    }
    // Another key in the place of the first, alone and in a batch.
    let mut other = entry(2, second);
    store.apply(&[Change::Dc(other.as_dc_ref())]).unwrap();
    store
        .apply(&[
            Change::Dc(other.as_dc_ref()),
            Change::FutureAuthToken(Some(&second[..100])),
        ])
        .unwrap();
    other.zeroize();
    // Once from what is known, and once from the rows.
    for _ in 0..2 {
        let mut loaded = store.load().unwrap().unwrap();
        assert_eq!(loaded.dcs.len(), 18);
        store.save(&loaded).unwrap();
        loaded.zeroize();
        store.forget();
    }
    store.load().unwrap().unwrap().zeroize();
    store.delete().unwrap();
    drop(store);
    first.zeroize();
    second.zeroize();
    assert_eq!(needles.on_the_heap(), 0);
}
