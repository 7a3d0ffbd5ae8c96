//! What may be replaced, and what is left of it.

use std::fs;
use std::path::Path;

use crate::{assert_code, client_vector, error, native, out, run, temp, vector};

#[test]
fn nothing_is_replaced_or_deleted_without_being_asked_to() {
    let (_dir, file) = temp();
    assert_code(&run(&["import", &file], &native()), 0);
    let before = fs::read(&file).unwrap();
    let refused = run(&["import", &file], &native());
    assert_code(&refused, 2);
    assert!(error(&refused).contains("--force"));
    assert_code(&run(&["delete", &file], ""), 2);
    assert_eq!(fs::read(&file).unwrap(), before);
    assert_code(&run(&["import", &file, "--force"], &native()), 0);
    assert_code(&run(&["delete", &file, "--yes"], ""), 0);
    assert!(!Path::new(&file).exists());
    assert_code(&run(&["delete", &file, "--yes"], ""), 3);
}

/// What was written in place could be lost half-way, and stayed readable by others.
#[cfg(unix)]
#[test]
fn a_string_or_image_is_replaced_whole_and_private() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    let (dir, file) = temp();
    assert_code(&run(&["import", &file], &native()), 0);
    for kind in ["string", "flash"] {
        let path = dir.path().join(kind);
        let (link, old) = (dir.path().join("link"), dir.path().join("old"));
        fs::write(&path, "precious").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        fs::hard_link(&path, &old).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let store = format!("{kind}:{}", link.display());
        assert_code(&run(&["convert", &file, &store, "--force"], ""), 0);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&old).unwrap(), b"precious", "the old file itself");
        fs::remove_file(&link).unwrap();
        fs::remove_file(&old).unwrap();
    }
    // The session, the string and the image.
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);

    let socket = dir.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let store = format!("string:{}", socket.display());
    assert_code(&run(&["convert", &file, &store, "--force"], ""), 2);
    assert!(!fs::metadata(&socket).unwrap().is_file());
}

#[test]
fn the_source_is_known_under_another_name() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (old, again) = (at("old.session"), at("./././old.session"));
    fs::copy(vector("binary/v1_lc022_home2.session"), &old).unwrap();
    let before = fs::read(&old).unwrap();
    assert_code(&run(&["upgrade", &again, "--out", &old], ""), 2);
    assert_code(&run(&["convert", &again, &old, "--force"], ""), 2);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&old, at("link")).unwrap();
        assert_code(&run(&["upgrade", &at("link"), "--out", &old], ""), 2);
    }
    assert_eq!(fs::read(&old).unwrap(), before);
}

#[test]
fn what_is_replaced_leaves_nothing_of_its_account_behind() {
    let kurigram = client_vector("kurigram-2.2.26-s01.session");
    let telethon = client_vector("telethon-1.45.0-s01.session");
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    for store in [path("a.session"), format!("sqlite:{}#a", path("a.db"))] {
        assert_code(&run(&["convert", &kurigram, &store], ""), 0);
        let before = out(&run(&["inspect", &store], ""));
        assert!(before.contains("user id "), "{before}");
        let output = run(&["convert", &telethon, &store, "--force"], "");
        assert_code(&output, 0);
        let after = out(&run(&["inspect", &store], ""));
        assert!(!after.contains("user id "), "{after}");
    }
}
