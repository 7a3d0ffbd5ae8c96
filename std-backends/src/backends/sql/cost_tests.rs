//! What statements cost: how SQLite plans each of them, and how many steps of its machine they take.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic: that is how it fails"
)]

mod plan;
mod watched;

use core::sync::atomic::Ordering;
use std::io;
use std::path::Path;

use mtsession_core::{
    Account, Change, DcFlags, DcRef, EntryKey, MinPeer, Peer, PeerKey, PeerKind, UpdateChange,
};

use self::plan::{plan_of, problems_of};
use self::watched::{Seen, Watched};
use super::local::LocalConnection;
use super::store::{DEFAULT_ACCOUNT, SqlStore};
use crate::drop_in::session::PersistedSession;
use crate::record::PeerQuery;
use crate::record::peer_names::PeerNames;

fn open(path: &Path, seen: &Seen) -> SqlStore {
    let watched = Watched {
        inner: LocalConnection::file(path),
        seen: seen.clone(),
    };
    SqlStore::new(Box::new(watched), DEFAULT_ACCOUNT)
}

fn peer(id: i64) -> Peer {
    Peer {
        id,
        access_hash: id.wrapping_mul(7919),
        kind: if id % 2 == 0 {
            PeerKind::User
        } else {
            PeerKind::Channel
        },
        ..Peer::default()
    }
}

fn session(peers: i64) -> PersistedSession {
    let mut session = PersistedSession {
        home_dc_id: 2,
        ..PersistedSession::default()
    };
    session.peers = (1..=peers).map(|id| peer(id).into()).collect();
    session.updates_state.channels = (1..=peers).map(|id| (id, 5)).collect();
    session
}

fn names(peers: i64) -> Vec<PeerNames> {
    (1..=peers)
        .map(|id| PeerNames {
            id,
            kind: peer(id).kind,
            usernames: vec![format!("user{id}")],
            title: Some(format!("Name {id}")),
            ..PeerNames::default()
        })
        .collect()
}

/// Every operation of a store with this many peers: what it is called, whether it is about one row
/// only, and the steps that it took.
fn operations(peers: i64, seen: &Seen) -> Vec<(&'static str, bool, u64)> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("accounts.db");
    let mut store = open(&path, seen);
    // A neighbour, whose rows are nobody else's business.
    let other = crate::connect(format!("sqlite:{}#other", path.display())).unwrap();
    crate::SessionBackend::save(&other, &session(peers)).unwrap();

    let mut done = Vec::new();
    let mut cost = |store: &mut SqlStore,
                    name: &'static str,
                    is_single: bool,
                    operation: &dyn Fn(&mut SqlStore) -> io::Result<()>| {
        seen.steps.store(0, Ordering::Relaxed);
        operation(store).unwrap();
        done.push((name, is_single, seen.steps.load(Ordering::Relaxed)));
    };
    let full = session(peers);
    let reopened = |store: &mut SqlStore| *store = open(&path, seen);

    cost(&mut store, "save anew", false, &|store| store.save(&full));
    cost(&mut store, "set names", false, &|store| {
        set_names(store, &names(peers))
    });
    cost(&mut store, "names", false, &|store| {
        store.read_record().map(|_| ())
    });
    cost(&mut store, "load", false, &|store| {
        reopened(store);
        store.load().map(|_| ())
    });
    look_ups(&mut store, peers, &mut cost);
    cost(
        &mut store,
        "load after a neighbour has written",
        true,
        &|store| {
            let qts = Change::Update(UpdateChange::Secondary { qts: 5 });
            crate::SessionBackend::apply(&other, &[qts])?;
            store.load().map(|_| ())
        },
    );
    cost(&mut store, "save without one peer", false, &|store| {
        let mut less = full.clone();
        less.peers.remove(0);
        store.save(&less)
    });
    cost(&mut store, "save over what is not known", false, &|store| {
        reopened(store);
        store.save(&full)
    });
    let singles = singles(peers);
    for (name, change) in &singles {
        cost(&mut store, name, true, &|store| {
            store.apply(core::slice::from_ref(change))
        });
    }
    batches(
        &mut store,
        peers,
        &singles,
        &|store| *store = open(&path, seen),
        &mut cost,
    );
    removals(&mut store, peers, &mut cost);
    cost(&mut store, "accounts", true, &|store| {
        store.accounts().map(|_| ())
    });
    cost(&mut store, "rename", true, &|store| store.rename("renamed"));
    cost(&mut store, "forget channels", false, &|store| {
        store.apply(&[Change::Update(UpdateChange::ClearChannels)])
    });
    cost(&mut store, "delete", false, &SqlStore::delete);
    done
}

/// Look-ups by rows, each of which leads to a place in the middle.
fn look_ups(
    store: &mut SqlStore,
    peers: i64,
    cost: &mut impl FnMut(&mut SqlStore, &'static str, bool, &dyn Fn(&mut SqlStore) -> io::Result<()>),
) {
    cost(store, "account", true, &|store| store.current().map(|_| ()));
    let id = peers.wrapping_div(2);
    let key = peer(id).key();
    let name = format!("@USER{id}");
    let queries = [
        ("peer by key", PeerQuery::Key(key)),
        ("peer by username", PeerQuery::Username(&name)),
        ("peer by phone", PeerQuery::Phone("+1")),
    ];
    for (what, query) in queries {
        cost(store, what, true, &|store| {
            let found = store.find_peer(query)?;
            assert!(found.is_none_or(|found| found.peer.id == id));
            Ok(())
        });
    }
    // Where a kind ends, the ids of all others are passed over, once in a list of all pages.
    for (after, is_single) in [
        (None, true),
        (Some(key), true),
        (Some(PeerKey::user(peers)), false),
    ] {
        cost(store, "a page of peers", is_single, &|store| {
            let page = store.peers_after(after, 10)?;
            assert!(page.len() == 10 || peers <= 10, "{}", page.len());
            Ok(())
        });
    }
    cost(store, "head", false, &|store| store.head().map(|_| ()));
}

/// Batches of one change of every kind, and of one kind for every entry.
fn batches(
    store: &mut SqlStore,
    peers: i64,
    singles: &[(&'static str, Change<'static>)],
    reopened: &dyn Fn(&mut SqlStore),
    cost: &mut impl FnMut(&mut SqlStore, &'static str, bool, &dyn Fn(&mut SqlStore) -> io::Result<()>),
) {
    let all: Vec<_> = singles.iter().map(|(_, change)| *change).collect();
    cost(store, "a batch of all", true, &|store| store.apply(&all));
    let known: Vec<_> = (1..=peers).map(|id| Change::Peer(peer(id))).collect();
    cost(store, "a batch of every peer", false, &|store| {
        store.apply(&known)
    });
    cost(store, "a batch of every peer, not known", false, &|store| {
        reopened(store);
        store.apply(&known)
    });
    let pushed: Vec<_> = (1..=peers)
        .map(|id| Change::Update(UpdateChange::PushChannel { id, pts: 1 }))
        .collect();
    cost(store, "push channels", false, &|store| store.apply(&pushed));
}

/// Removals by identity.
fn removals(
    store: &mut SqlStore,
    peers: i64,
    cost: &mut impl FnMut(&mut SqlStore, &'static str, bool, &dyn Fn(&mut SqlStore) -> io::Result<()>),
) {
    let first = [Change::Forget(EntryKey::Peer(peer(1).key()))];
    cost(store, "forget a peer", false, &|store| store.apply(&first));
    let absent = [Change::Forget(EntryKey::Peer(PeerKey::user(-1)))];
    cost(store, "forget a peer that is not there", true, &|store| {
        store.apply(&absent)
    });
    let odd: Vec<_> = (1..=peers)
        .step_by(2)
        .flat_map(|id| [EntryKey::Peer(peer(id).key()), EntryKey::Channel(id)])
        .map(Change::Forget)
        .collect();
    cost(store, "forget every other entry", false, &|store| {
        store.apply(&odd)
    });
}

/// One change of every kind, about a peer in the middle.
fn singles(peers: i64) -> Vec<(&'static str, Change<'static>)> {
    let id = peers.wrapping_div(2);
    let min_peer = MinPeer {
        user_id: id,
        peer_id: 1,
        msg_id: 1,
    };
    vec![
        ("home DC", Change::HomeDc(4)),
        ("token", Change::FutureAuthToken(Some(b"token"))),
        ("account data", Change::Account(Account::default())),
        (
            "DC",
            Change::Dc(DcRef {
                dc_id: 4,
                addr: "149.154.167.91:443",
                auth_key: None,
                first_salt: 0,
                time_offset: 0,
                flags: DcFlags::NONE,
            }),
        ),
        ("known peer", Change::Peer(peer(id))),
        ("new peer", Change::Peer(peer(peers.wrapping_add(1)))),
        ("min peer", Change::MinPeer(min_peer)),
        (
            "channel",
            Change::Update(UpdateChange::Channel { id, pts: 9 }),
        ),
        ("qts", Change::Update(UpdateChange::Secondary { qts: 9 })),
        (
            "pts",
            Change::Update(UpdateChange::Primary {
                pts: 9,
                date: 9,
                seq: 9,
            }),
        ),
        (
            "pushed channel",
            Change::Update(UpdateChange::PushChannel { id, pts: 9 }),
        ),
    ]
}

#[test]
fn four_times_the_peers_cost_less_than_eight_times_the_steps() {
    const PEERS: i64 = 1000;
    let few = operations(PEERS, &Seen::default());
    let many = operations(PEERS * 4, &Seen::default());
    for ((name, is_single, few), (_, _, many)) in few.into_iter().zip(many) {
        let limit = if is_single { 2 } else { 8 };
        assert!(
            many < few.saturating_mul(limit).saturating_add(50),
            "{name}: {few} steps with {PEERS} peers, {many} with four times as many"
        );
    }
}

/// A part of a statement is carried out again and again, or in addition to the rows that the statement is
/// about; it may search by an index that leads to the row, never go through what the account has.
#[test]
fn no_statement_scans_an_account_in_a_part_of_it() {
    let seen = Seen::default();
    operations(10, &seen);
    let statements = seen.sql.lock().unwrap().clone();
    #[cfg(feature = "libsql-remote")]
    let statements = &statements | &super::remote::OWN_STATEMENTS.map(str::to_owned).into();
    assert!(statements.len() > 30, "{}", statements.len());

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("accounts.db");
    let mut store = open(&path, &Seen::default());
    store.save(&session(3)).unwrap();
    set_names(&mut store, &names(3)).unwrap();
    let database = rusqlite::Connection::open(&path).unwrap();
    let mut explained = 0_usize;
    for sql in &statements {
        if sql.starts_with("PRAGMA") || sql.starts_with("CREATE") {
            continue;
        }
        let problems = problems_of(sql, &plan_of(&database, sql));
        assert!(problems.is_empty(), "{sql}\n{}", problems.join("\n"));
        explained += 1;
    }
    assert!(explained > 25, "{explained}");
}

/// Replaces all names, as `update` does.
fn set_names(store: &mut SqlStore, names: &[PeerNames]) -> io::Result<()> {
    let (record, stamp) = store.read_record()?;
    let mut record = crate::record::SessionRecord::of_store(record);
    record.set_peer_names(names)?;
    assert!(store.replace_read(&record, stamp)?);
    Ok(())
}

/// The names of the test's own session are those that a store gives back.
#[test]
fn names_by_index_are_the_same_names() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir.path().join("accounts.db"), &Seen::default());
    store.save(&session(100)).unwrap();
    let mut given = names(200);
    set_names(&mut store, &given).unwrap();
    given.retain(|names| names.id <= 100);
    let by_id = |names: &PeerNames| (names.kind.to_byte(), names.id);
    given.sort_by_key(by_id);
    let mut found = store.read_record().unwrap().0.unwrap().peer_names();
    found.sort_by_key(by_id);
    assert_eq!(found, given);
}
