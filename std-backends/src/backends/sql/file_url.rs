//! Paths of databases that other tools write as URLs: `file:accounts.db`, `file:///srv/accounts.db`.
//!
//! SQLite reads such names itself, while the file system takes them as they are: the two would mean
//! different files. So they are made paths before either sees them.

use std::io;
use std::path::{Path, PathBuf};

/// The file that is meant; a path that is no URL is that file's.
///
/// # Errors
/// `InvalidInput` for URLs that say more than a path, and for SQLite's name of a database in memory.
pub(super) fn local_path(path: &Path) -> io::Result<PathBuf> {
    if path == Path::new(":memory:") {
        return Err(refused("a database in memory has no path: use in_memory()"));
    }
    let is_url = |bytes: &[u8]| {
        bytes
            .get(..5)
            .is_some_and(|begin| begin.eq_ignore_ascii_case(b"file:"))
    };
    if !is_url(path.as_os_str().as_encoded_bytes()) {
        return Ok(path.to_path_buf());
    }
    let url = path.to_str().and_then(|url| url.get(5..));
    let url = url.ok_or_else(|| refused("a file: URL is UTF-8, other bytes are written %XX"))?;
    if url.contains(['?', '#']) {
        return Err(refused(
            "a file: URL names nothing but a file here: leave out what follows `?` or `#`",
        ));
    }
    let place = match url.strip_prefix("//") {
        // An empty host, or this one.
        Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest),
        None => url,
    };
    if place.len() < url.len() && !place.starts_with('/') {
        return Err(refused(
            "a file: URL of another host is no file here: file:PATH or file:///PATH",
        ));
    }
    let decoded = percent_decoded(place)
        .ok_or_else(|| refused("a file: URL has a `%` without the two digits of a byte"))?;
    let decoded = without_drive_slash(&decoded);
    if decoded.is_empty() {
        return Err(refused(
            "a file: URL without a path: file:PATH or file:///PATH",
        ));
    }
    let decoded = PathBuf::from(decoded);
    // Otherwise SQLite would read it as a URL once more.
    if is_url(decoded.as_os_str().as_encoded_bytes()) || decoded == Path::new(":memory:") {
        return Err(refused(
            "a file: URL whose path is another name of that kind",
        ));
    }
    Ok(decoded)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(
            u8::from_str_radix(digits, 16)
                .ok()
                .filter(|byte| *byte != 0)?,
        );
        bytes.extend(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

/// `/C:/dir` is `C:/dir` on Windows.
fn without_drive_slash(path: &str) -> &str {
    match path.strip_prefix('/') {
        Some(rest) if cfg!(windows) && rest.as_bytes().get(1) == Some(&b':') => rest,
        _ => path,
    }
}

fn refused(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_files_are_the_files() {
        for (url, path) in [
            ("a.db", "a.db"),
            ("./file:a.db", "./file:a.db"),
            ("file:a.db", "a.db"),
            ("FILE:dir/a.db", "dir/a.db"),
            ("file:/srv/a.db", "/srv/a.db"),
            ("file:///srv/a.db", "/srv/a.db"),
            ("file://localhost/srv/a.db", "/srv/a.db"),
            ("file:./a.db", "./a.db"),
            ("file:a%20%23%c3%a4.db", "a #ä.db"),
        ] {
            assert_eq!(
                local_path(Path::new(url)).unwrap(),
                Path::new(path),
                "{url}"
            );
        }
    }

    #[test]
    fn urls_that_say_more_are_refused() {
        for url in [
            "file:",
            "file://",
            "file://a.db",
            "file://host/a.db",
            "file://localhostile/a.db",
            "file:a.db?mode=ro",
            "file:///srv/a.db?cache=shared",
            "file:a.db#bob",
            "file:%00",
            "file:%4",
            "file:%+4",
            "file:%ff",
            "file:file:a.db",
            "file:%66ile:a.db",
            "file::memory:",
            ":memory:",
        ] {
            let error = local_path(Path::new(url)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{url}");
        }
    }
}
