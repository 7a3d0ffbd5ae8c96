//! The host and the port of a URL.

/// The host without brackets, and the port where one is written: of what stands between the slashes of a URL, without
/// a user. The error says what is wrong, and shows nothing of it.
pub(crate) fn host_and_port(authority: &str) -> Result<(&str, Option<u16>), &'static str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => rest
            .split_once(']')
            .ok_or("the url's host has no closing bracket")?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    if host.is_empty() {
        return Err("the url names no host");
    }
    let number = match port.strip_prefix(':') {
        Some(number) => number.parse().ok().filter(|number| *number > 0),
        None if port.is_empty() => return Ok((host, None)),
        None => None,
    };
    match number {
        Some(number) => Ok((host, Some(number))),
        None => Err("the url's port is not a number from 1 to 65535"),
    }
}
