//! Several handles of one file: what they share, and whose error is whose.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may panic: that is how it fails"
)]

use core::time::Duration;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mtsession_core::{Change, DcFlags, DcRef, UpdateChange};

use super::budget::{Budget, KeepsInMemory as _};
use super::local::LocalConnection;
use super::shared::Shared;
use super::sqlite::SqliteBackend;
use crate::backend::SessionBackend;
use crate::drop_in::dc::DcEntry;
use crate::drop_in::peer::CachedPeer;
use crate::drop_in::session::PersistedSession;
use crate::store::StoreOptions;

const LONG: Duration = Duration::from_secs(60);

/// A database with accounts that have more DC entries than the one before each.
struct Accounts {
    dir: tempfile::TempDir,
    backends: Vec<SqliteBackend>,
}

impl Accounts {
    fn new(number: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut accounts = Self {
            dir,
            backends: Vec::new(),
        };
        for account in 0..number {
            let backend = accounts.open(account, &StoreOptions::new());
            backend.save(&session(1)).unwrap();
            accounts.backends.push(backend);
        }
        accounts
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("accounts.db")
    }

    fn open(&self, account: usize, options: &StoreOptions) -> SqliteBackend {
        let name = format!("account{account}");
        SqliteBackend::configured(&self.path(), &name, options).unwrap()
    }

    fn shared(&self) -> Arc<Shared> {
        let mut connection = LocalConnection::file(&self.path());
        connection.existing().unwrap().unwrap()
    }

    fn qts(&self) -> Vec<i32> {
        let qts_of = |backend: &SqliteBackend| backend.load().unwrap().unwrap().updates_state.qts;
        self.backends.iter().map(qts_of).collect()
    }
}

fn session(dcs: usize) -> PersistedSession {
    let entry = |at: usize| {
        let address = format!("149.154.167.{}", at + 1);
        DcEntry::from_parts(i32::try_from(at + 1).unwrap(), &address, 443, DcFlags::NONE)
    };
    PersistedSession {
        home_dc_id: 2,
        dcs: (0..dcs).map(entry).collect(),
        ..PersistedSession::default()
    }
}

fn secondary(qts: i32) -> Change<'static> {
    Change::Update(UpdateChange::Secondary { qts })
}

/// Which log of a database it is, and the commits in it: frames that say how large the database is then.
fn commits(path: &Path) -> ([u32; 2], usize) {
    let log = std::fs::read(path.with_extension("db-wal")).unwrap();
    let number = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().unwrap());
    let (page, salts) = (
        usize::try_from(number(8)).unwrap(),
        [number(16), number(20)],
    );
    let frames = (32..).step_by(24 + page);
    let commits = frames
        .take_while(|at| at + 24 + page <= log.len())
        .filter(|at| [number(at + 8), number(at + 12)] == salts && number(at + 4) > 0);
    (salts, commits.count())
}

/// Has each account carry out a change while it is somebody else's turn, and ends that when all of them wait.
fn together(accounts: &Accounts, changes: &[Vec<Change<'_>>]) -> Vec<io::Result<()>> {
    let shared = accounts.shared();
    std::thread::scope(|scope| {
        let writers = shared.alone(LONG, |_| {
            let write = |(backend, changes)| {
                scope.spawn(move || SqliteBackend::apply(backend, Vec::as_slice(changes)))
            };
            let all: Vec<_> = accounts.backends.iter().zip(changes).map(write).collect();
            while shared.waiting() < all.len() {
                std::thread::yield_now();
            }
            Ok(all)
        });
        let joined = writers.unwrap().into_iter();
        joined.map(|writer| writer.join().unwrap()).collect()
    })
}

#[test]
fn what_waits_for_a_turn_is_one_commit() {
    let accounts = Accounts::new(20);
    let (log, before) = commits(&accounts.path());
    let changes: Vec<_> = (1..=20).map(|qts| vec![secondary(qts)]).collect();
    for stored in together(&accounts, &changes) {
        stored.unwrap();
    }
    let (log_now, commits) = commits(&accounts.path());
    // A log of which everything is in the main file begins anew.
    let before = if log_now == log { before } else { 0 };
    assert_eq!(commits, before + 1);
    assert_eq!(accounts.qts(), (1..=20).collect::<Vec<_>>());
    // Other handles and other connections see the same.
    let fresh = accounts.open(7, &StoreOptions::new());
    assert_eq!(fresh.load().unwrap().unwrap().updates_state.qts, 8);
}

#[test]
fn an_error_of_one_account_is_its_own() {
    let accounts = Accounts::new(6);
    // More entries than any session has.
    accounts.backends[3].save(&session(255)).unwrap();
    let changes: Vec<_> = (0..6)
        .map(|at: i32| {
            let another = DcRef::new(300, "149.154.167.51:443");
            match at {
                3 => vec![secondary(14), Change::Dc(another)],
                _ => vec![secondary(at + 11)],
            }
        })
        .collect();
    let stored = together(&accounts, &changes);
    for (at, stored) in stored.iter().enumerate() {
        assert_eq!(stored.is_err(), at == 3, "{stored:?}");
    }
    assert_eq!(accounts.qts(), [11, 12, 13, 0, 15, 16]);
    assert_eq!(accounts.backends[3].load().unwrap().unwrap().dcs.len(), 255);
    accounts.backends[3].apply(&[secondary(9)]).unwrap();
    assert_eq!(accounts.qts(), [11, 12, 13, 9, 15, 16]);
}

#[test]
fn handles_of_one_account_in_one_commit_lose_nothing_of_each_other() {
    let mut accounts = Accounts::new(1);
    for _ in 0..4 {
        let again = accounts.open(0, &StoreOptions::new());
        again.load().unwrap();
        accounts.backends.push(again);
    }
    let changes: Vec<_> = (0..5)
        .map(|id| vec![Change::Update(UpdateChange::Channel { id, pts: 5 })])
        .collect();
    for stored in together(&accounts, &changes) {
        stored.unwrap();
    }
    for backend in &accounts.backends {
        let mut channels = backend.load().unwrap().unwrap().updates_state.channels;
        channels.sort_unstable();
        assert_eq!(channels, (0..5).map(|id| (id, 5)).collect::<Vec<_>>());
    }
}

#[test]
fn a_turn_that_does_not_end_is_an_error_after_the_deadline() {
    let accounts = Accounts::new(2);
    let hasty = StoreOptions::new().deadline(Duration::from_millis(1));
    let hasty = accounts.open(1, &hasty);
    let shared = accounts.shared();
    shared
        .alone(LONG, |_| {
            let error = hasty.apply(&[secondary(5)]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "{error}");
            assert_eq!(shared.waiting(), 0);
            // A reader waits for nobody.
            assert_eq!(accounts.qts(), [0, 0]);
            Ok(())
        })
        .unwrap();
    hasty.apply(&[secondary(6)]).unwrap();
    assert_eq!(accounts.qts(), [0, 6]);
}

#[test]
fn every_handle_of_a_file_has_the_same_database() {
    let accounts = Accounts::new(2);
    let shared = accounts.shared();
    let link = accounts.dir.path().join("link");
    #[cfg(unix)]
    std::os::unix::fs::symlink(accounts.path(), &link).unwrap();
    #[cfg(not(unix))]
    let link = accounts.path();
    let mut by_link = LocalConnection::file(&link);
    assert!(Arc::ptr_eq(&shared, &by_link.existing().unwrap().unwrap()));

    // What took its place is another one.
    let moved = accounts.dir.path().join("moved.db");
    drop(accounts.backends);
    drop((shared, by_link));
    let again = accounts.dir.path().join("accounts.db");
    let mut one = LocalConnection::file(&again);
    let first = one.existing().unwrap().unwrap();
    std::fs::copy(&again, &moved).unwrap();
    std::fs::rename(&moved, &again).unwrap();
    let second = one.existing().unwrap().unwrap();
    assert!(!Arc::ptr_eq(&first, &second));
    let mut other = LocalConnection::file(&again);
    assert!(Arc::ptr_eq(&second, &other.existing().unwrap().unwrap()));
}

#[test]
fn accounts_beyond_the_budget_are_read_again() {
    const ENOUGH_FOR_ONE: usize = 24_000;

    let mut accounts = Accounts::new(3);
    let budget = Budget::new(ENOUGH_FOR_ONE);
    let backends = core::mem::take(&mut accounts.backends).into_iter();
    let within = |backend: SqliteBackend| backend.within(Some(Arc::clone(&budget)));
    accounts.backends = backends.map(within).collect();
    let mut large = session(1);
    large.peers = (1..=300)
        .map(|id| CachedPeer {
            id,
            access_hash: 7,
            is_channel: false,
            is_chat: false,
            channel_kind: None,
            is_community: false,
        })
        .collect();
    for round in 0..3 {
        for (backend, qts) in accounts.backends.iter().zip(round..) {
            backend.save(&large).unwrap();
            backend.apply(&[secondary(qts)]).unwrap();
            let token = [round.to_le_bytes()[0]];
            backend
                .update(&mut |record| {
                    Ok(record.apply_all(&[Change::FutureAuthToken(Some(&token))])?)
                })
                .unwrap();
            let loaded = backend.load().unwrap().unwrap();
            assert_eq!(loaded.future_auth_token.as_deref(), Some(&token[..]));
            assert_eq!(loaded.peers, large.peers);
        }
        assert_eq!(accounts.qts(), [round, round + 1, round + 2]);
    }
    let kept = |backend: &SqliteBackend| backend.store.lock().kept();
    let kept: Vec<_> = accounts.backends.iter().map(kept).collect();
    assert_eq!(kept[..2], [0, 0]);
    assert!((1..=ENOUGH_FOR_ONE).contains(&kept[2]), "{kept:?}");
}
