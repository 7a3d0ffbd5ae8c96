//! Times as S3 writes them, in seconds since 1970.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::calendar::{Date, seconds_since_1970};
pub(super) use crate::http::date::seconds_of_date as of_header;

/// `1994-11-06T08:49:37.000Z`.
pub(super) fn of_iso_8601(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let numbers = |text: &str, between: char| {
        let mut parts = text.split(between).map(|part| part.parse::<u64>().ok());
        let numbers = [parts.next()??, parts.next()??, parts.next()??];
        parts.next().is_none().then_some(numbers)
    };
    let [year, month, day] = numbers(date, '-')?;
    let whole = time.split('.').next()?;
    let [hours, minutes, seconds] = numbers(whole, ':')?;
    seconds_since_1970([year, month, day], [hours, minutes, seconds])
}

/// Now, by a clock that is so many seconds ahead of ours, as signatures have it: `20130524T000000Z`.
pub(super) fn now(skew: i64) -> Option<String> {
    let ours = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let ours = i64::try_from(ours.as_secs()).ok()?;
    Some(basic(ours.checked_add(skew)?))
}

fn basic(seconds: i64) -> String {
    let Date {
        year,
        month,
        day,
        hour,
        minute,
        second,
    } = Date::of(seconds);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_since_1970() {
        assert_eq!(of_iso_8601("1994-11-06T08:49:37.000Z"), Some(784_111_777));
        assert_eq!(of_iso_8601("1994-11-06T08:49:37Z"), Some(784_111_777));
        for wrong in [
            "",
            "1994-11-06",
            "1994-13-06T08:49:37Z",
            "1994-11-06T08:49Z",
        ] {
            assert_eq!(of_iso_8601(wrong), None, "{wrong}");
        }
        for (seconds, text) in [
            (0, "19700101T000000Z"),
            (784_111_777, "19941106T084937Z"),
            (1_709_251_199, "20240229T235959Z"),
            (1_709_251_200, "20240301T000000Z"),
            (1_767_225_599, "20251231T235959Z"),
            (4_133_894_400, "21001231T000000Z"),
        ] {
            assert_eq!(basic(seconds), text);
        }
        assert_eq!(
            of_header("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(784_111_777)
        );
    }
}
