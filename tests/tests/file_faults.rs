//! The file backend where the file system does not help.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::Command;

use mtsession::codec::wire::Crc32c;
use mtsession::codec::wire::session_file::{self, Footer, TailHeader};
use mtsession::{
    BinaryFileBackend, CachedPeer, PersistedSession, SessionBackend, SessionBackendExt, StoreError,
    UpdateStateChange,
};
use mtsession_tests::random::{key_of, sized};
use mtsession_tests::session_files::{load, names, primary, store};
use mtsession_tests::stores::{mode, unflushed};

fn user(id: i64) -> CachedPeer {
    CachedPeer {
        id,
        access_hash: 0,
        is_channel: false,
        is_chat: false,
        channel_kind: None,
        is_community: false,
    }
}

#[test]
fn everything_that_is_written_is_private() {
    let (_dir, path) = store();
    let backend = BinaryFileBackend::new(&path);
    backend.save(&sized(1, 0, 0, 0)).unwrap();
    backend.cache_peer(&user(1)).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(names(path.parent().unwrap()), ["bot.session"]);
}

#[test]
fn a_loose_mode_is_tightened_and_a_stricter_one_kept() {
    let (_dir, path) = store();
    let backend = BinaryFileBackend::new(&path);
    for (before, after) in [(0o644, 0o600), (0o400, 0o400), (0o600, 0o600)] {
        backend.save(&sized(1, 0, 0, 0)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(before)).unwrap();
        backend.save(&sized(2, 0, 0, 0)).unwrap();
        assert_eq!(mode(&path), after);
        assert_eq!(load(&path), sized(2, 0, 0, 0));
    }
}

#[test]
fn symbolic_links_are_written_through() {
    let (dir, path) = store();
    fs::create_dir(dir.path().join("real")).unwrap();
    let target = dir.path().join("real/account.session");
    symlink("real/account.session", &path).unwrap();
    let backend = BinaryFileBackend::new(&path);
    backend.save(&sized(1, 0, 0, 0)).unwrap();
    backend.apply_update_state(primary(5)).unwrap();
    assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
    assert_eq!(load(&target).updates_state.pts, 5);

    // The link is moved to another session while the backend is open.
    let other = dir.path().join("real/other.session");
    BinaryFileBackend::new(&other)
        .save(&sized(2, 0, 0, 0))
        .unwrap();
    fs::remove_file(&path).unwrap();
    symlink("real/other.session", &path).unwrap();
    backend.apply_update_state(primary(6)).unwrap();
    assert_eq!(load(&target).updates_state.pts, 5);
    assert_eq!(load(&other).updates_state.pts, 6);
}

#[test]
fn a_circle_of_links_is_an_error() {
    let (dir, path) = store();
    symlink(dir.path().join("b"), &path).unwrap();
    symlink(&path, dir.path().join("b")).unwrap();
    let error = BinaryFileBackend::new(&path)
        .save(&sized(1, 0, 0, 0))
        .unwrap_err();
    assert!(
        error.to_string().contains("too many symbolic links"),
        "{error}"
    );
}

#[test]
fn two_links_to_one_session_are_one_session() {
    let (dir, path) = store();
    let link = dir.path().join("link");
    symlink(&path, &link).unwrap();
    let (direct, linked) = (BinaryFileBackend::new(&path), BinaryFileBackend::new(&link));
    direct.save(&sized(1, 0, 0, 0)).unwrap();
    for n in 1..20 {
        direct.cache_peer(&user(n)).unwrap();
        linked.cache_peer(&user(-n)).unwrap();
    }
    assert_eq!(load(&path).peers.len(), 38);
    assert_eq!(load(&link).peers.len(), 38);
}

/// The old crate named temporary files and backups after the part before the last dot.
#[test]
fn sessions_with_similar_names_share_nothing() {
    let (dir, _) = store();
    let names = ["bot.one", "bot.two", "bot", "bot.session", "bot.session2"];
    for (n, name) in names.iter().enumerate() {
        let backend = BinaryFileBackend::new(dir.path().join(name));
        backend
            .save(&sized(i32::try_from(n).unwrap() + 1, 0, 0, 0))
            .unwrap();
        backend.cache_peer(&user(1)).unwrap();
    }
    BinaryFileBackend::new(dir.path().join("bot"))
        .delete()
        .unwrap();
    for (n, name) in names.iter().enumerate().filter(|(_, name)| **name != "bot") {
        let session = load(&dir.path().join(name));
        assert_eq!(
            (session.dcs.len(), session.peers.len()),
            (n + 1, 1),
            "{name}"
        );
    }
}

#[test]
fn a_missing_directory_is_named() {
    let (dir, _) = store();
    let missing = dir.path().join("no/such");
    let backend = BinaryFileBackend::new(missing.join("bot.session"));
    assert_eq!(backend.load().unwrap(), None);
    let error = backend.save(&sized(1, 0, 0, 0)).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains(&format!("directory {} does not exist", missing.display())),
        "{text}"
    );
    assert!(backend.cache_peer(&user(1)).is_err());
    backend.delete().unwrap();
}

#[test]
fn a_directory_is_no_session() {
    let (dir, path) = store();
    fs::create_dir(&path).unwrap();
    fs::write(path.join("inside"), "kept").unwrap();
    let backend = BinaryFileBackend::new(&path);
    for error in [
        backend.load().unwrap_err(),
        backend.save(&sized(1, 0, 0, 0)).unwrap_err(),
        backend.cache_peer(&user(1)).unwrap_err(),
    ] {
        assert!(error.to_string().contains("it is a directory"), "{error}");
        assert_eq!(error.kind(), std::io::ErrorKind::IsADirectory);
    }
    assert!(backend.delete().is_err());
    assert!(path.join("inside").exists());
    drop(dir);
}

/// What is no session of ours is refused by name, by every call but `delete`, and stays as it is.
#[test]
fn foreign_files_are_refused_and_left_alone() {
    let cases: [(&[u8], &str); 6] = [
        (b"SQLite format 3\0 and so on", "an SQLite database"),
        (b"just some text\n", "input is text"),
        (b"{\"auth_key\": null}", "JSON text"),
        (&[b'A'; 364], "a session string"),
        (&[9, 2, 0, 0, 0, 0, 0, 0, 0, 0], "unknown session version 9"),
        (b"TDF$\0\0\0\0", "tdata"),
    ];
    for (content, name) in cases {
        let (_dir, path) = store();
        fs::write(&path, content).unwrap();
        let backend = BinaryFileBackend::new(&path);
        for error in [
            backend.load().unwrap_err(),
            backend.save(&sized(1, 0, 0, 0)).unwrap_err(),
            backend.cache_peer(&user(1)).unwrap_err(),
            backend.set_home_dc(2).unwrap_err(),
            backend.account().unwrap_err(),
        ] {
            let text = error.to_string();
            assert!(text.contains(name), "{text}");
            assert!(text.contains(path.to_str().unwrap()), "{text}");
        }
        assert_eq!(fs::read(&path).unwrap(), content);
        backend.delete().unwrap();
        assert!(!path.exists());
    }
}

/// Every damage is an error with the cause inside, and the file stays byte for byte as it is.
#[test]
fn damaged_files_are_errors_and_left_alone() {
    let good = sized(2, 3, 2, 1).to_bytes();
    let mut flipped = good.clone();
    flipped[40] ^= 4;
    let cases = [
        (vec![0; 4096], "all zeros"),
        (good[..good.len() / 2].to_vec(), "ends inside"),
        (flipped, "checksum does not match"),
        ([good.as_slice(), b"more"].concat(), "more follows"),
    ];
    for (content, cause) in cases {
        let (_dir, path) = store();
        fs::write(&path, &content).unwrap();
        let backend = BinaryFileBackend::new(&path);
        let error = backend.load().unwrap_err();
        assert!(error.to_string().contains(cause), "{error}");
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
        let store = error
            .get_ref()
            .unwrap()
            .downcast_ref::<StoreError>()
            .unwrap();
        let cause = std::error::Error::source(store).unwrap();
        assert!(cause.is::<mtsession::codec::DecodeError>());
        assert!(backend.apply_update_state(primary(1)).is_err());
        assert_eq!(fs::read(&path).unwrap(), content);
        // Replacing it as a whole is a decision, not an accident.
        backend.save(&sized(1, 0, 0, 0)).unwrap();
        assert_eq!(load(&path), sized(1, 0, 0, 0));
    }
}

#[test]
fn a_long_tail_is_folded_into_the_session() {
    let (_dir, path) = store();
    let backend = unflushed(&path);
    backend.save(&sized(2, 0, 0, 0)).unwrap();
    let mut longest = 0;
    for pts in 1..=10_000 {
        backend.apply_update_state(primary(pts)).unwrap();
        longest = longest.max(fs::metadata(&path).unwrap().len());
    }
    assert!(longest < 75_000, "the file grew to {longest} bytes");
    assert_eq!(load(&path).updates_state.pts, 10_000);
    // The file alone, as the old crate sees it, lags by little.
    let old = ferogram_session::PersistedSession::load(&path).unwrap();
    assert!(old.updates_state.pts > 4_000);
}

/// "Bytes written per call", whatever the size of the session.
#[test]
fn a_small_change_is_a_small_write() {
    let (_dir, path) = store();
    let backend = BinaryFileBackend::new(&path);
    backend.save(&sized(5, 60_000, 0, 0)).unwrap();
    let inode = fs::metadata(&path).unwrap().ino();
    let mut before = fs::metadata(&path).unwrap().len();
    for pts in [1, 1_000_000, i32::MAX, i32::MIN] {
        backend
            .apply_update_state(UpdateStateChange::Primary {
                pts,
                date: pts,
                seq: pts,
            })
            .unwrap();
        let after = fs::metadata(&path).unwrap().len();
        assert!(after - before < 64, "{} bytes", after - before);
        before = after;
    }
    assert_eq!(
        fs::metadata(&path).unwrap().ino(),
        inode,
        "the session was rewritten"
    );
}

/// A tail of many peers costs its length to replay, not its length times the peers.
#[test]
fn a_tail_of_peers_is_replayed_with_an_index() {
    let (_dir, path) = store();
    let backend = unflushed(&path);
    backend.save(&sized(1, 60_000, 0, 0)).unwrap();
    for id in 0..20_000 {
        backend.cache_peer(&user(id)).unwrap();
    }
    assert_eq!(load(&path).peers.len(), 80_000);
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout == b"0\n")
}

/// Runs `mount`, or says why not.
fn mount(args: &[&str]) -> bool {
    if !is_root() {
        println!("skipped: mounting needs root");
        return false;
    }
    match Command::new("mount").args(args).output() {
        Ok(done) if done.status.success() => true,
        other => {
            println!("skipped: mounting is not possible here: {other:?}");
            false
        }
    }
}

struct Mounted(PathBuf);

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily: a process that another test is about to start has our files open until it runs.
        let unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
        assert!(
            unmounted.is_ok_and(|status| status.success()),
            "still mounted"
        );
    }
}

/// A file with the complete copy of `next` at its end, of which a part was written over its beginning.
fn unfinished(file: &[u8], next: &PersistedSession) -> Vec<u8> {
    let snapshot = next.to_bytes();
    let crc = u32::from_le_bytes(*snapshot.last_chunk().unwrap());
    let header = TailHeader {
        snapshot_len: snapshot.len() as u64,
        snapshot_crc: crc,
        salt: 77,
    };
    let mut copy = snapshot;
    copy.resize(session_file::tail_start(copy.len()), 0);
    copy.extend_from_slice(&header.to_bytes());
    let mut crc = Crc32c::new();
    crc.update(&copy);
    let at = file
        .len()
        .max(copy.len())
        .next_multiple_of(session_file::BLOCK);
    let footer = Footer {
        at: at as u64,
        len: copy.len() as u64,
        salt: TailHeader::first(&file[session_file::BLOCK..])
            .unwrap()
            .salt,
        crc: crc.value(),
    };
    let mut bytes = file.to_vec();
    bytes.resize(at, 0);
    bytes.extend_from_slice(&copy);
    bytes.extend_from_slice(&footer.to_bytes());
    bytes[..100].copy_from_slice(&copy[..100]);
    bytes
}

#[test]
fn a_mount_point_is_written_in_place() {
    let (dir, path) = store();
    let real = dir.path().join("outside");
    fs::write(&real, sized(1, 0, 0, 0).to_bytes()).unwrap();
    fs::write(&path, b"").unwrap();
    if !mount(&["--bind", real.to_str().unwrap(), path.to_str().unwrap()]) {
        return;
    }
    let mounted = Mounted(path.clone());
    let backend = BinaryFileBackend::new(&path);
    let session = sized(3, 5, 1, 1);
    backend.save(&session).unwrap();
    backend.apply_update_state(primary(77)).unwrap();
    backend.set_home_dc(5).unwrap();
    let stored = load(&path);
    assert_eq!((stored.home_dc_id, stored.updates_state.pts), (5, 77));
    let shorter = sized(1, 0, 0, 0);
    backend.save(&shorter).unwrap();
    assert_eq!(load(&path), shorter);

    // A crash in the middle of writing in place: the complete copy at its end is what is valid.
    fs::write(&path, unfinished(&fs::read(&path).unwrap(), &session)).unwrap();
    assert_eq!(load(&path), session);
    assert!(
        BinaryFileBackend::new(&path)
            .status()
            .unwrap()
            .unwrap()
            .flush_failed
    );
    backend.apply_update_state(primary(78)).unwrap();
    let stored = load(&path);
    assert_eq!((stored.dcs, stored.updates_state.pts), (session.dcs, 78));
    let status = backend.status().unwrap().unwrap();
    assert!(status.has_tail && !status.flush_failed);

    // The file has to stay, its keys have not: emptied, it is no session, and one can be stored again.
    for _ in 0..2 {
        backend.delete().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
        assert_eq!(backend.load().unwrap(), None);
        backend.set_home_dc(4).unwrap();
        assert_eq!(load(&path).home_dc_id, 4);
    }
    assert_eq!(mode(&path), 0o600);
    backend.delete().unwrap();
    drop(mounted);
    assert_eq!(fs::read(&real).unwrap(), b"");
}

#[test]
fn a_full_disk_leaves_the_session_as_it_was() {
    let (dir, _) = store();
    let disk = dir.path().join("disk");
    fs::create_dir(&disk).unwrap();
    if !mount(&[
        "-t",
        "tmpfs",
        "-o",
        "size=256k",
        "tmpfs",
        disk.to_str().unwrap(),
    ]) {
        return;
    }
    let _mounted = Mounted(disk.clone());
    let path = disk.join("bot.session");
    let backend = BinaryFileBackend::new(&path);
    let before = sized(2, 10, 0, 0);
    backend.save(&before).unwrap();
    let error = backend.save(&sized(2, 60_000, 0, 0)).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull, "{error}");
    assert_eq!(load(&path), before);
    backend.apply_update_state(primary(1)).unwrap();

    // Full to the last byte: not even the tail can grow.
    let ballast = disk.join("ballast");
    let mut size = 256 * 1024;
    while size > 0 {
        let mut content = fs::read(&ballast).unwrap_or_default();
        content.resize(content.len() + size, 1);
        if fs::write(&ballast, &content).is_err() {
            fs::write(&ballast, &content[..content.len() - size]).unwrap();
            size /= 2;
        }
    }
    let mut failed = false;
    let mut last = 1;
    for pts in 2..5_000 {
        if let Ok(()) = backend.apply_update_state(primary(pts)) {
            last = pts;
        } else {
            failed = true;
            break;
        }
    }
    assert!(failed, "the disk never was full");
    assert_eq!(load(&path).updates_state.pts, last);
    fs::remove_file(&ballast).unwrap();
    backend.apply_update_state(primary(9_999)).unwrap();
    assert_eq!(load(&path).updates_state.pts, 9_999);
    assert_eq!(load(&path).peers, before.peers);
    assert_eq!(names(&disk), ["bot.session"], "a temporary file is left");
}

#[test]
fn a_read_only_directory_can_be_read() {
    let (dir, _) = store();
    let disk = dir.path().join("disk");
    fs::create_dir(&disk).unwrap();
    if !mount(&["-t", "tmpfs", "tmpfs", disk.to_str().unwrap()]) {
        return;
    }
    let _mounted = Mounted(disk.clone());
    let path = disk.join("bot.session");
    let backend = BinaryFileBackend::new(&path);
    backend.save(&sized(2, 0, 0, 0)).unwrap();
    backend.apply_update_state(primary(5)).unwrap();
    // An open file would keep the disk writable.
    drop(backend);
    assert!(mount(&["-o", "remount,ro", disk.to_str().unwrap()]));
    assert_eq!(load(&path).updates_state.pts, 5);
    for error in [
        BinaryFileBackend::new(&path)
            .save(&sized(1, 0, 0, 0))
            .unwrap_err(),
        BinaryFileBackend::new(&path)
            .cache_peer(&user(1))
            .unwrap_err(),
        BinaryFileBackend::new(disk.join("new"))
            .set_home_dc(1)
            .unwrap_err(),
    ] {
        assert_eq!(
            error.kind(),
            std::io::ErrorKind::ReadOnlyFilesystem,
            "{error}"
        );
    }
    assert_eq!(load(&path).updates_state.pts, 5);
}

/// In a child that is nobody: the administrator may read everything. This test is its own child.
#[test]
fn without_permission_nothing_is_read_or_written() {
    const CHILD: &str = "MTSESSION_TEST_NO_PERMISSION";
    if let Ok(path) = std::env::var(CHILD) {
        let backend = BinaryFileBackend::new(&path);
        for error in [
            backend.load().unwrap_err(),
            backend.save(&sized(1, 0, 0, 0)).unwrap_err(),
            backend.cache_peer(&user(1)).unwrap_err(),
            backend.delete().unwrap_err(),
        ] {
            assert_eq!(
                error.kind(),
                std::io::ErrorKind::PermissionDenied,
                "{error}"
            );
            assert!(error.to_string().contains(&path), "{error}");
        }
        return;
    }
    let (dir, path) = store();
    let session = sized(2, 2, 2, 2);
    BinaryFileBackend::new(&path).save(&session).unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let test = dir.path().join("test");
    fs::copy(std::env::current_exe().unwrap(), &test).unwrap();
    let mut child = if is_root() {
        let mut child = Command::new("setpriv");
        child
            .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
            .arg(&test);
        child
    } else {
        println!("skipped: only the administrator can become somebody else");
        return;
    };
    let name = "without_permission_nothing_is_read_or_written";
    let status = child
        .args(["--exact", name, "--test-threads", "1"])
        .env(CHILD, &path)
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(load(&path), session);
}

/// In a child, so that the limit is its own. This test is its own child.
#[test]
fn running_out_of_file_descriptors_loses_nothing() {
    const CHILD: &str = "MTSESSION_TEST_FEW_FILES";
    if let Ok(path) = std::env::var(CHILD) {
        let backend = BinaryFileBackend::new(&path);
        let hoard: Vec<_> = core::iter::from_fn(|| fs::File::open("/dev/null").ok()).collect();
        assert!(backend.save(&sized(1, 0, 0, 0)).is_err());
        assert!(backend.cache_peer(&user(1)).is_err());
        assert!(backend.load().is_err());
        drop(hoard);
        assert_eq!(load(path.as_ref()), sized(2, 2, 2, 2));
        backend.cache_peer(&user(1)).unwrap();
        return;
    }
    let (_dir, path) = store();
    BinaryFileBackend::new(&path)
        .save(&sized(2, 2, 2, 2))
        .unwrap();
    let name = "running_out_of_file_descriptors_loses_nothing";
    let status = Command::new("sh")
        .args([
            "-c",
            "ulimit -n 24 && exec \"$0\" --exact \"$1\" --test-threads 1",
        ])
        .arg(std::env::current_exe().unwrap())
        .arg(name)
        .env(CHILD, &path)
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(load(&path).peers.len(), 3);
}

/// Rule 8, with what a killed writer may have left.
#[test]
fn delete_removes_every_file_of_the_session_and_no_other() {
    let (dir, path) = store();
    let backend = BinaryFileBackend::new(&path);
    backend.save(&sized(2, 0, 0, 0)).unwrap();
    backend.cache_peer(&user(1)).unwrap();
    let stale = dir.path().join(".bot.session.abcDEF123456.mtsession-tmp");
    let pending = dir.path().join(".bot.session.mtsession-pending");
    let others = dir.path().join(".bot.session.backup.mtsession-tmp");
    fs::write(&stale, key_of(1)).unwrap();
    fs::write(&pending, sized(2, 0, 0, 0).to_bytes()).unwrap();
    fs::write(&others, "not ours: a dot in the random part").unwrap();
    fs::rename(&others, dir.path().join(".bot.session.a.b.mtsession-tmp")).unwrap();
    backend.delete().unwrap();
    let left: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(left, [".bot.session.a.b.mtsession-tmp"]);
}
