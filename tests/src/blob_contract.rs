//! What a [`BlobStore`] must keep to, as tests: for the stores of the library, and for stores of one's own.
//!
//! Every name that is used begins with `prefix`, so that a shared store can be asked again and again.

use std::collections::BTreeMap;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use mtsession::blob::{BlobStore, Expected, Put, Version};

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn stored(put: Put) -> Version {
    match put {
        Put::Stored(version) => version,
        Put::Conflict => panic!("a put was a conflict that should not be one"),
    }
}

/// Everything that one caller can see, and then what several do to each other.
pub fn keeps_to_the_contract(store: &Arc<dyn BlobStore>, prefix: &str) {
    let name = |part: &str| format!("{prefix}{part}");
    what_is_put_is_read(&**store, &name("a/plain"));
    every_byte_and_size_comes_back(&**store, &name("a/bytes"));
    a_put_has_its_condition(&**store, &name("a/condition"));
    a_blob_can_be_removed_and_made_again(&**store, &name("a/removed"));
    names_of_all_characters_are_told_apart(&**store, &name("names/"));
    a_list_has_what_begins_with_the_prefix(&**store, &name("list/"));
    long_lists_are_whole(&**store, &name("many/"));
    one_of_several_puts_is_stored(store, &name("a/race"));
    what_is_acknowledged_is_seen_by_everybody(store, &name("a/seen"));
}

fn read(store: &dyn BlobStore, name: &str) -> Option<(Vec<u8>, Version)> {
    let blob = store.get(name, soon()).unwrap();
    blob.map(|blob| (blob.bytes.clone(), blob.version.clone()))
}

fn what_is_put_is_read(store: &dyn BlobStore, name: &str) {
    assert_eq!(read(store, name), None);
    let put = store.put(name, b"first", Expected::Absent, soon()).unwrap();
    let first = stored(put);
    assert_eq!(read(store, name), Some((b"first".to_vec(), first.clone())));
    let put = store
        .put(name, b"second", Expected::Is(&first), soon())
        .unwrap();
    let second = stored(put);
    assert_ne!(first, second, "other bytes have another version");
    assert_eq!(read(store, name), Some((b"second".to_vec(), second)));
    let blob = store.get(name, soon()).unwrap().unwrap();
    let age = blob.age.unwrap_or_default();
    assert!(age < Duration::from_secs(300), "{age:?} old");
}

fn every_byte_and_size_comes_back(store: &dyn BlobStore, name: &str) {
    let all: Vec<u8> = (0..=255).cycle().take(3_000_000).collect();
    let mut expected = None;
    for len in [0, 1, 255, 65_536, 1_048_577, 3_000_000] {
        let expects = expected.as_ref().map_or(Expected::Absent, Expected::Is);
        let version = stored(store.put(name, &all[..len], expects, soon()).unwrap());
        let (bytes, found) = read(store, name).unwrap();
        assert!(bytes == all[..len], "{len} bytes");
        assert_eq!(found, version);
        expected = Some(version);
    }
}

fn a_put_has_its_condition(store: &dyn BlobStore, name: &str) {
    let put = |bytes: &[u8], expected| store.put(name, bytes, expected, soon()).unwrap();
    let first = stored(put(b"1", Expected::Absent));
    assert_eq!(put(b"x", Expected::Absent), Put::Conflict);
    assert_eq!(put(b"1", Expected::Absent), Put::Conflict);
    let second = stored(put(b"2", Expected::Is(&first)));
    assert_eq!(put(b"x", Expected::Is(&first)), Put::Conflict);
    assert_eq!(put(b"2", Expected::Is(&first)), Put::Conflict);
    assert_eq!(read(store, name), Some((b"2".to_vec(), second.clone())));
    store.remove(name, soon()).unwrap();
    assert_eq!(put(b"x", Expected::Is(&second)), Put::Conflict);
    assert_eq!(read(store, name), None);
}

fn a_blob_can_be_removed_and_made_again(store: &dyn BlobStore, name: &str) {
    store.remove(name, soon()).unwrap();
    stored(store.put(name, b"1", Expected::Absent, soon()).unwrap());
    store.remove(name, soon()).unwrap();
    assert_eq!(read(store, name), None);
    store.remove(name, soon()).unwrap();
    stored(store.put(name, b"2", Expected::Absent, soon()).unwrap());
    assert_eq!(read(store, name).unwrap().0, b"2");
}

fn listed(store: &dyn BlobStore, prefix: &str) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    let mut each = |listed: mtsession::blob::Listed<'_>| {
        let before = found.insert(listed.name.to_owned(), listed.size);
        assert_eq!(before, None, "{} is listed twice", listed.name);
        let age = listed.age.unwrap_or_default();
        assert!(age < Duration::from_secs(300), "{age:?} old");
    };
    store.list(prefix, &mut each, soon()).unwrap();
    found
}

fn names_of_all_characters_are_told_apart(store: &dyn BlobStore, prefix: &str) {
    let long = "x".repeat(200);
    let names = [
        "a", "A", "a.b", "a-b", "a_b", "a%2Fb", "a%20b", "%25", "a/b", "a/b/c", "0", &long,
    ];
    for name in names {
        let full = format!("{prefix}{name}");
        stored(
            store
                .put(&full, name.as_bytes(), Expected::Absent, soon())
                .unwrap(),
        );
    }
    for name in names {
        let full = format!("{prefix}{name}");
        assert_eq!(read(store, &full).unwrap().0, name.as_bytes(), "{name}");
    }
    let expected: BTreeMap<_, _> = names
        .iter()
        .map(|name| (format!("{prefix}{name}"), name.len() as u64))
        .collect();
    assert_eq!(listed(store, prefix), expected);
}

fn a_list_has_what_begins_with_the_prefix(store: &dyn BlobStore, prefix: &str) {
    assert_eq!(listed(store, prefix), BTreeMap::new());
    for name in ["one/a", "one/b", "one_a", "oneXa", "two/a", "one"] {
        let full = format!("{prefix}{name}");
        stored(store.put(&full, b"123", Expected::Absent, soon()).unwrap());
    }
    let names = |prefix: &str| listed(store, prefix).into_keys().collect::<Vec<_>>();
    let full = |name: &str| format!("{prefix}{name}");
    assert_eq!(names(&full("one/")), [full("one/a"), full("one/b")]);
    assert_eq!(names(&full("one_")), [full("one_a")]);
    assert_eq!(names(&full("t")), [full("two/a")]);
    assert_eq!(names(&full("none")), Vec::<String>::new());
    store.remove(&full("one/a"), soon()).unwrap();
    assert_eq!(names(&full("one/")), [full("one/b")]);
}

/// More than servers put into one answer.
fn long_lists_are_whole(store: &dyn BlobStore, prefix: &str) {
    const NUMBER: usize = 1_234;

    for number in 0..NUMBER {
        let name = format!("{prefix}{number}");
        stored(store.put(&name, b"", Expected::Absent, soon()).unwrap());
    }
    assert_eq!(listed(store, prefix).len(), NUMBER);
}

fn one_of_several_puts_is_stored(store: &Arc<dyn BlobStore>, name: &str) {
    const WRITERS: usize = 4;
    const ROUNDS: usize = 20;

    let mut expected = None;
    for round in 0..ROUNDS {
        let start = Barrier::new(WRITERS);
        let (start, expects) = (
            &start,
            expected.as_ref().map_or(Expected::Absent, Expected::Is),
        );
        let won: Vec<Version> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    scope.spawn(move || {
                        start.wait();
                        let bytes = format!("{round} {writer}");
                        store.put(name, bytes.as_bytes(), expects, soon()).unwrap()
                    })
                })
                .collect();
            let puts = writers.into_iter().map(|writer| writer.join().unwrap());
            puts.filter_map(|put| match put {
                Put::Stored(version) => Some(version),
                Put::Conflict => None,
            })
            .collect()
        });
        let [version] = won.try_into().expect("one of them is stored, and no other");
        assert_eq!(read(&**store, name).unwrap().1, version);
        expected = Some(version);
    }
}

/// Several count together, each on what it has read: nothing is lost.
fn what_is_acknowledged_is_seen_by_everybody(store: &Arc<dyn BlobStore>, name: &str) {
    const WRITERS: u32 = 4;
    const EACH: u32 = 10;

    stored(store.put(name, b"0", Expected::Absent, soon()).unwrap());
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                let mut left = EACH;
                while left > 0 {
                    let (bytes, version) = read(&**store, name).unwrap();
                    let count: u32 = String::from_utf8(bytes).unwrap().parse().unwrap();
                    let next = (count + 1).to_string();
                    let expects = Expected::Is(&version);
                    match store.put(name, next.as_bytes(), expects, soon()).unwrap() {
                        Put::Stored(_) => left -= 1,
                        Put::Conflict => {}
                    }
                }
            });
        }
    });
    let sum = (WRITERS * EACH).to_string();
    assert_eq!(read(&**store, name).unwrap().0, sum.as_bytes());
}
