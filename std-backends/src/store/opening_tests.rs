//! Options, addresses of other things, events and writers.

use std::sync::Mutex;

use mtsession_core::Change;

#[cfg(feature = "tokio")]
use super::tests::home;
use super::tests::{kind, session};
use super::*;
use crate::error::kind::StoreErrorKind;
use crate::event::Event;
use crate::sync::lock;

#[test]
fn an_address_of_something_else_says_what_to_do_with_it() {
    for (address, advice) in [
        (
            "telethon:me.session",
            "mtsession convert telethon:me.session",
        ),
        ("mtkruto:-", "session of another library"),
        ("string:-", "StringSessionBackend"),
        ("env:SESSION", "a session string"),
        ("flash:image.bin", "a flash region"),
        ("ferogram:old.db", "mtsession convert"),
    ] {
        let error = crate::connect(address).err().unwrap();
        assert_eq!(kind(&error), StoreErrorKind::Unsupported, "{error}");
        assert!(error.to_string().contains(advice), "{error}");
    }
}

/// The feature that an address needs is named where it is not compiled in.
#[test]
fn databases_are_recognised_and_the_feature_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    std::fs::write(path("bot.session"), b"SQLite format 3\0 and the rest").unwrap();
    std::fs::write(path("touched.db"), b"").unwrap();
    for name in ["new.db", "new.SQLITE3", "bot.session", "touched.db"] {
        match crate::connect(path(name)) {
            Err(error) if cfg!(not(feature = "sqlite")) => {
                assert_eq!(kind(&error), StoreErrorKind::Unsupported);
                let text = error.to_string();
                assert!(text.contains("the feature `sqlite`"), "{text}");
                assert!(text.contains(name), "{text}");
            }
            Err(error) => assert!(error.to_string().contains("sqlite"), "{error}"),
            Ok(backend) => assert_ne!(backend.name(), "binary-file"),
        }
    }
    for (address, feature, has_it) in [
        ("libsql:a.db", "`libsql`", cfg!(feature = "libsql")),
        (
            "libsql://h",
            "`libsql-remote`",
            cfg!(feature = "libsql-remote"),
        ),
    ] {
        if !has_it {
            let error = crate::connect(address).err().unwrap();
            assert_eq!(kind(&error), StoreErrorKind::Unsupported);
            assert!(error.to_string().contains(feature), "{error}");
        }
    }
    std::fs::write(path("touched.session"), b"").unwrap();
    for name in ["new.session", "new", "db", "touched.session"] {
        assert_eq!(crate::connect(path(name)).unwrap().name(), "binary-file");
    }
}

#[test]
fn what_happens_is_told_to_whoever_asked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.session");
    let told = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&told);
    let options = StoreOptions::new().on_event(move |event| lock(&listener).push(event.clone()));
    let backend = options.connect(&path).unwrap();
    backend.save(&session(2)).unwrap();
    for pts in 0..10_000 {
        let update = mtsession_core::UpdateChange::Primary {
            pts,
            date: pts,
            seq: pts,
        };
        backend.apply(&[Change::Update(update)]).unwrap();
    }
    assert!(lock(&told).contains(&Event::Folded { path: path.clone() }));

    std::fs::write(&path, b"\x08\0\0\0\x02damaged").unwrap();
    backend.save(&session(4)).unwrap();
    let kept = dir.path().join("bot.session.damaged-1");
    assert!(lock(&told).contains(&Event::DamagedKept { path: kept }));

    let before = lock(&told).len();
    crate::connect(&path).unwrap().save(&session(3)).unwrap();
    assert_eq!(lock(&told).len(), before, "another handle has no listener");
}

#[cfg(feature = "tokio")]
#[test]
fn the_writers_of_a_store_share_four_threads() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let store = Store::open("memory:").unwrap();
    let names: Vec<_> = (0..100).map(|number| number.to_string()).collect();
    let writers: Vec<_> = names
        .iter()
        .map(|name| store.writer(name).unwrap())
        .collect();
    runtime.block_on(async {
        let mut threads = std::collections::HashSet::new();
        for round in 1..=3 {
            for writer in &writers {
                writer.set_home_dc(round).await.unwrap();
                let thread = writer.run(|_| Ok(std::thread::current().id()));
                threads.insert(thread.await.unwrap());
            }
        }
        assert!(threads.len() <= 4, "{}", threads.len());
        // One store that panics leaves the others alone.
        let panicked = writers[0]
            .run(|_| -> io::Result<()> { panic!("on purpose") })
            .await;
        assert_eq!(panicked.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert!(writers[0].set_home_dc(9).await.is_err());
        for writer in &writers[1..] {
            writer.set_home_dc(5).await.unwrap();
        }
    });
    drop(writers);
    assert_eq!((home(&store, "0"), home(&store, "99")), (Some(3), Some(5)));
}
