//! Times as S3 writes them, in seconds since 1970.

use std::time::{SystemTime, UNIX_EPOCH};

pub(super) use crate::http::date::seconds_of_date as of_header;
use crate::http::date::seconds_since_1970;

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
    basic(ours.as_secs().checked_add_signed(skew)?)
}

fn basic(seconds: u64) -> Option<String> {
    let (days, second) = (seconds / 86_400, seconds.checked_rem(86_400)?);
    // Years that begin in March, so that the leap day is the last one; 400 of them are always as long.
    let days = days.checked_add(719_468)?;
    let (eras, day) = (days / 146_097, days.checked_rem(146_097)?);
    let leap = (day / 1_460).checked_add(day / 146_096)?;
    let year = day.checked_add(day / 36_524)?.checked_sub(leap)? / 365;
    let before = year
        .checked_mul(365)?
        .checked_add(year / 4)?
        .checked_sub(year / 100)?;
    let day = day.checked_sub(before)?;
    let month = day.checked_mul(5)?.checked_add(2)? / 153;
    let day = day.checked_sub(month.checked_mul(153)?.checked_add(2)? / 5)?;
    let (is_next, month) = if month < 10 {
        (0, month.checked_add(3)?)
    } else {
        (1, month.checked_sub(9)?)
    };
    let year = eras
        .checked_mul(400)?
        .checked_add(year)?
        .checked_add(is_next)?;
    let (hour, minute) = (second / 3_600, second / 60);
    Some(format!(
        "{year:04}{month:02}{:02}T{hour:02}{:02}{:02}Z",
        day.checked_add(1)?,
        minute.checked_rem(60)?,
        second.checked_rem(60)?
    ))
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
            assert_eq!(basic(seconds).as_deref(), Some(text));
        }
        assert_eq!(
            of_header("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(784_111_777)
        );
    }
}
