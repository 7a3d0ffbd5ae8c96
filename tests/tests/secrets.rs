//! Nothing that a program might print or log shows a part of a key or token.

use core::fmt;
use std::sync::{Arc, Mutex};

use mtsession::codec::text::decode_any;
use mtsession::codec::{AuthKey, Change, FixedSession, SessionMut, SessionSource, SessionView};
use mtsession::{
    BinaryFileBackend, InMemoryBackend, PersistedSession, SessionBackend, StringSession,
    StringSessionBackend, UpdateStateChange,
};
use mtsession_tests::conformance::assert_no_key;
use mtsession_tests::random::{key_of, sized};
use mtsession_tests::stores::unflushed;
use tracing::field::{Field, Visit};
use tracing::span;

fn session() -> PersistedSession {
    let mut session = sized(4, 3, 2, 1);
    session.future_auth_token = Some(key_of(1).to_vec());
    session
}

#[test]
fn debug_of_every_type_that_holds_a_key() {
    let session = session();
    let bytes = session.to_bytes();
    let view = SessionView::parse(&bytes).unwrap();
    let mut fixed = FixedSession::<6, 8, 8, 8, 256>::new();
    fixed.copy_from(&view).unwrap();
    let dc = session.dcs[0].as_dc_ref();
    let account = mtsession::Account {
        user_id: Some(5),
        ..Default::default()
    };
    let compact =
        mtsession::codec::text::CompactSession::from_source(&session.with_account(account));
    let compact = compact.unwrap();
    let mut text = Vec::new();
    compact.encode(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let string = StringSession::decode(&text).unwrap();
    let mut buffer = vec![0; text.len()];
    let shown = [
        format!("{session:?} {session:#?}"),
        format!("{view:?} {fixed:?} {dc:?} {compact:?} {string:?}"),
        format!("{:?} {:?}", string.session(), session.dcs),
        format!("{:?}", Change::Dc(dc)),
        format!(
            "{:?}",
            Change::FutureAuthToken(session.future_auth_token.as_deref())
        ),
        format!("{:?}", AuthKey::new(key_of(1))),
        format!("{:?}", decode_any(&text, &mut buffer)),
        format!("{:?}", BinaryFileBackend::new("bot.session")),
        format!("{:?}", session.stats()),
    ];
    for text in shown {
        assert_no_key(&text, &session);
    }
}

/// The assertion itself must be able to fail.
#[test]
#[should_panic(expected = "a part of a key is shown")]
fn a_shown_key_is_noticed() {
    assert_no_key(&format!("{:?}", key_of(1)), &session());
}

#[test]
fn errors_about_damaged_sessions() {
    let session = session();
    let bytes = session.to_bytes();
    let text = session.to_string();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.session");
    for at in (0..bytes.len()).step_by(7) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x5A;
        // A file without a byte is no session yet, not a damaged one.
        for bytes in [&damaged[..], &bytes[..at.max(1)]] {
            let error = PersistedSession::from_bytes(bytes).unwrap_err();
            assert_no_key(&format!("{error} {error:?}"), &session);
            // A reader waits a moment for a writer that may be at work on a damaged file.
            if at % 13 == 0 {
                std::fs::write(&path, bytes).unwrap();
                let error = BinaryFileBackend::new(&path).load().unwrap_err();
                assert_no_key(&format!("{error} {error:?}"), &session);
            }
        }
    }
    for at in (0..text.len()).step_by(11) {
        let damaged = format!("{}!{}", &text[..at], &text[at + 1..]);
        for text in [damaged.as_str(), &text[..at]] {
            if let Err(error) = StringSessionBackend::new(text).load() {
                assert_no_key(&format!("{error} {error:?}"), &session);
                assert!(
                    error.to_string().len() < 200,
                    "the string is in the error: {error}"
                );
            }
            if let Err(error) = StringSession::decode(text) {
                assert_no_key(&format!("{error} {error:?}"), &session);
            }
        }
    }
}

/// Collects everything that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{}={value:?} ", field.name());
        self.0.lock().unwrap().push_str(&text);
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        span.record(&mut self.clone());
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        values.record(&mut self.clone());
    }
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut self.clone());
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[test]
fn the_log() {
    let log = Log::default();
    let session = session();
    tracing::subscriber::with_default(log.clone(), || {
        let dir = tempfile::tempdir().unwrap();
        let file = unflushed(dir.path().join("bot.session"));
        let backends: [&dyn SessionBackend; 3] = [
            &file,
            &InMemoryBackend::new(),
            &StringSessionBackend::new(""),
        ];
        for backend in backends {
            backend.save(&session).unwrap();
            for pts in 0..10_000 {
                let update = UpdateStateChange::Primary {
                    pts,
                    date: pts,
                    seq: pts,
                };
                backend.apply_update_state(update).unwrap();
                if backend.name() != "binary-file" {
                    break;
                }
            }
            backend.load().unwrap();
            backend.delete().unwrap();
        }
    });
    let log = log.0.lock().unwrap();
    assert!(log.contains("changes folded"), "nothing was logged: {log}");
    assert_no_key(&log, &session);
}

/// What follows the snapshot holds no key, whatever is changed.
#[test]
fn the_tail() {
    let dir = tempfile::tempdir().unwrap();
    let backend = BinaryFileBackend::new(dir.path().join("bot.session"));
    let session = session();
    backend.save(&session).unwrap();
    backend.update_dc(&session.dcs[1]).unwrap();
    backend
        .apply(&[Change::FutureAuthToken(
            session.future_auth_token.as_deref(),
        )])
        .unwrap();
    backend.cache_peer(&session.peers[0]).unwrap();
    let snapshot = backend.status().unwrap().unwrap().snapshot_len;
    let mut tail = std::fs::read(dir.path().join("bot.session")).unwrap();
    tail.drain(..usize::try_from(snapshot).unwrap());
    assert!(backend.status().unwrap().unwrap().tail_records > 0);
    for seed in 1..=4 {
        for window in key_of(seed).windows(8) {
            assert!(!tail.windows(8).any(|found| found == window));
        }
    }
}
