//! An owner as text: in owner files and databases, for people and for the program that comes second.

use mtsession_core::wire::FencingToken;

use super::OwnerInfo;
use crate::calendar::Date;

/// No name of a program or a machine is kept in more characters.
const LONGEST: usize = 255;

/// The name of this program's file.
pub(super) fn program() -> String {
    let path = std::env::current_exe().ok();
    let name = path.as_deref().and_then(std::path::Path::file_name);
    name.map_or_else(
        || "a program".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// The name of this machine.
pub(super) fn host() -> String {
    #[cfg(unix)]
    let name = Some(
        rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned(),
    );
    #[cfg(not(unix))]
    let name = std::env::var("COMPUTERNAME").ok();
    let name = name.filter(|name| !name.is_empty());
    name.unwrap_or_else(|| "this machine".to_owned())
}

/// What is written down of an owner: lines, so that a person can read it.
pub(crate) fn to_text(info: &OwnerInfo, token: &FencingToken) -> String {
    let OwnerInfo {
        program,
        pid,
        host,
        since,
    } = info;
    let (program, host) = (one_line(program), one_line(host));
    let token = u128::from_be_bytes(*token);
    format!("program {program}\npid {pid}\nhost {host}\nsince {since}\ntoken {token:032x}\n")
}

/// What [`to_text`] has written down. What is missing is said to be unknown: nobody vouches for any of it.
pub(crate) fn from_text(text: &str) -> (OwnerInfo, Option<FencingToken>) {
    let value = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
    };
    let unknown = || "unknown".to_owned();
    let info = OwnerInfo {
        program: value("program").map_or_else(unknown, str::to_owned),
        pid: value("pid")
            .and_then(|pid| pid.parse().ok())
            .unwrap_or_default(),
        host: value("host").map_or_else(unknown, str::to_owned),
        since: value("since")
            .and_then(|since| since.parse().ok())
            .unwrap_or_default(),
    };
    let token = value("token").filter(|token| token.len() == 32);
    let token = token.and_then(|token| u128::from_str_radix(token, 16).ok());
    (info, token.map(u128::to_be_bytes))
}

fn one_line(text: &str) -> String {
    let plain = |character: char| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    };
    text.chars().take(LONGEST).map(plain).collect()
}

/// A moment of Unix time for people, to the second.
pub(crate) fn date(seconds: i64) -> impl core::fmt::Display {
    let Date {
        year,
        month,
        day,
        hour,
        minute,
        second,
    } = Date::of(seconds);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_750_000_000, "2025-06-15 15:06:40 UTC"),
            (-1, "1969-12-31 23:59:59 UTC"),
        ] {
            assert_eq!(date(seconds).to_string(), expected);
        }
        // Programs that write to a store can put any number there.
        let _ = (date(i64::MAX).to_string(), date(i64::MIN).to_string());
    }

    #[test]
    fn what_is_written_down_is_read_again_and_is_one_line_each() {
        let info = OwnerInfo::new("bot\npid 7".to_owned(), 4711, "host".to_owned(), 99);
        let text = to_text(&info, &[0xAB; 16]);
        let (again, token) = from_text(&text);
        assert_eq!(again.program, "bot pid 7");
        assert_eq!((again.pid, again.since), (4711, 99));
        assert_eq!(token, Some([0xAB; 16]));
        let (unknown, token) = from_text("nonsense");
        assert_eq!((unknown.program.as_str(), token), ("unknown", None));
    }
}
