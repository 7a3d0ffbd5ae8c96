//! Text of addresses, which need not be Unicode.

use std::ffi::OsStr;

/// Splits at the first of these ASCII characters.
pub(super) fn split_once(text: &OsStr, at: u8) -> Option<(&OsStr, &OsStr)> {
    let bytes = text.as_encoded_bytes();
    split(text, bytes.iter().position(|byte| *byte == at)?)
}

/// Splits at the last of these ASCII characters.
pub(super) fn rsplit_once(text: &OsStr, at: u8) -> Option<(&OsStr, &OsStr)> {
    let bytes = text.as_encoded_bytes();
    split(text, bytes.iter().rposition(|byte| *byte == at)?)
}

#[cfg(unix)]
fn split(text: &OsStr, at: usize) -> Option<(&OsStr, &OsStr)> {
    use std::os::unix::ffi::OsStrExt as _;

    let (before, after) = text.as_bytes().split_at_checked(at)?;
    Some((
        OsStr::from_bytes(before),
        OsStr::from_bytes(after.get(1..)?),
    ))
}

/// Names that are not Unicode exist on Unix; elsewhere they are paths as a whole.
#[cfg(not(unix))]
fn split(text: &OsStr, at: usize) -> Option<(&OsStr, &OsStr)> {
    let (before, after) = text.to_str()?.split_at_checked(at)?;
    Some((OsStr::new(before), OsStr::new(after.get(1..)?)))
}

pub(super) fn utf8<'t>(text: &'t OsStr, what: &str) -> Result<&'t str, String> {
    text.to_str()
        .ok_or_else(|| format!("{} is not UTF-8, which {what} must be", text.display()))
}

/// Text in which `%23` is a `#`. A `%` without two digits after it is itself.
pub(crate) fn unescaped(text: &str, what: &str) -> Result<String, String> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((plain, escaped)) = rest.split_once('%') {
        bytes.extend_from_slice(plain.as_bytes());
        let digits = escaped
            .get(..2)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = escaped.get(2..).unwrap_or_default();
        } else {
            bytes.push(b'%');
            rest = escaped;
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).map_err(|_| format!("{what} is not UTF-8"))
}

/// Text as [`unescaped`] reads it, without the characters that mean something in an address.
pub(super) fn escaped(text: &str) -> String {
    text.replace('%', "%25")
        .replace('#', "%23")
        .replace('?', "%3F")
        .replace('&', "%26")
}
