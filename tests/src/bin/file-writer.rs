//! A process that writes to a session file: `file-writer PATH FIRST` counts up from a number until it is
//! killed, `file-writer PATH WRITER:WRITES` makes writes of its own and ends.
//!
//! Every acknowledged write is reported as one line on standard output before the next begins.

use std::io::Write as _;

use mtsession::codec::{EntryKey, LoginState, NamesOf, Peer, PeerKey, PeerKind};
use mtsession::{
    Account, BinaryFileBackend, CachedPeer, Change, DcEntry, DcFlags, SessionBackend, UpdateChange,
    UpdateStateChange,
};
use mtsession_tests::random::{key_of, sized};

fn main() {
    let mut args = std::env::args().skip(1);
    let path = args.next().expect("a path");
    let mode = args.next().expect("a mode");
    let backend = BinaryFileBackend::new(path);
    match mode.split_once(':') {
        None => count_up(&backend, mode.parse().expect("a number")),
        Some((writer, writes)) => write_own(
            &backend,
            writer.parse().expect("a number"),
            writes.parse().expect("a number"),
        ),
    }
}

/// Counts pts up with every kind of write; each one carries the number in a way that tells it apart.
fn count_up(backend: &dyn SessionBackend, first: i32) {
    for n in first.. {
        let primary = UpdateStateChange::Primary {
            pts: n,
            date: n,
            seq: n,
        };
        match n % 16 {
            0 => {
                let mut session = sized(3, i64::from(n % 300), 5, 5);
                session.updates_state.pts = n;
                session.updates_state.date = n;
                session.updates_state.seq = n;
                backend.save(&session).expect("save");
            }
            1 => {
                backend.update_dc(&key_of_number(n)).expect("update_dc");
                backend.apply_update_state(primary).expect("apply");
            }
            3..8 => with_others(backend, n),
            _ => backend.apply_update_state(primary).expect("apply"),
        }
        acknowledge(n);
    }
}

/// The counters in one batch with the changes that are rarer, each of which tells the number as well.
fn with_others(backend: &dyn SessionBackend, n: i32) {
    let title = n.to_string();
    let id = 1_000_000_000 + i64::from(n % 8);
    let names = NamesOf::new(id, PeerKind::User).with_title(Some(&title));
    let batch = [
        Change::Update(UpdateChange::Primary {
            pts: n,
            date: n,
            seq: n,
        }),
        Change::Peer(Peer::user(id, n.into())),
        Change::Names(names),
        Change::Account(Account::user(n.into())),
        Change::LoginState(LoginState::Moving {
            at: n.into(),
            to: &title,
        }),
        Change::Forget(EntryKey::Peer(PeerKey::user(
            1_000_000_000 + i64::from((n + 1) % 8),
        ))),
    ];
    backend.apply(&batch).expect("apply");
}

/// The entry of DC 9 whose key tells the number.
fn key_of_number(n: i32) -> DcEntry {
    DcEntry {
        auth_key: Some(key_of(n.to_le_bytes()[0])),
        first_salt: n.into(),
        ..DcEntry::from_parts(9, "149.154.167.9", 443, DcFlags::NONE)
    }
}

/// Writes what no other writer writes.
fn write_own(backend: &dyn SessionBackend, writer: i64, writes: i64) {
    for n in 0..writes {
        let id = writer * 1_000_000 + n;
        let peer = CachedPeer {
            id,
            access_hash: n,
            is_channel: false,
            is_chat: false,
            channel_kind: None,
            is_community: false,
        };
        backend.cache_peer(&peer).expect("cache_peer");
        let channel = UpdateStateChange::Channel { id, pts: 1 };
        backend.apply_update_state(channel).expect("apply");
        if n % 50 == 0 {
            let dc_id = i32::try_from(id).expect("a small id");
            let entry = DcEntry::from_parts(dc_id, "149.154.167.9", 443, DcFlags::NONE);
            backend.update_dc(&entry).expect("update_dc");
        }
    }
    acknowledge(0);
}

fn acknowledge(n: i32) {
    let mut out = std::io::stdout();
    writeln!(out, "{n}")
        .and_then(|()| out.flush())
        .expect("a reader");
}
