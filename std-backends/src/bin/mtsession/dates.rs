//! Dates for people, and ages that people write.

use core::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::{SpanRelativeTo, Timestamp, Unit};

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Unix time now, in seconds.
pub(crate) fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH);
    elapsed.map_or(0, |elapsed| {
        i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX)
    })
}

/// The day of a Unix time, in UTC, and how long ago that is. A time that has not come is said without an age.
pub(crate) fn date_and_age(time: i64, now: i64) -> String {
    let Ok(stamp) = Timestamp::from_second(time) else {
        return format!("{time} (Unix time)");
    };
    let date = stamp.strftime("%Y-%m-%d");
    match now.saturating_sub(time) {
        ..0 => date.to_string(),
        0..DAY => format!("{date} (today)"),
        age if age < 2 * DAY => format!("{date} (1 day ago)"),
        age => format!("{date} ({} days ago)", age.saturating_div(DAY)),
    }
}

/// A Unix time in UTC, to the second.
pub(crate) fn date_and_time(time: i64) -> String {
    match Timestamp::from_second(time) {
        Ok(stamp) => stamp.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        Err(_) => format!("{time} (Unix time)"),
    }
}

/// Reads an age such as `90d`, `2w` or `36h`.
pub(crate) fn age(text: &str) -> Result<Duration, String> {
    let wrong = |error: jiff::Error| format!("no span of time such as 90d or 36h: {error}");
    let span: jiff::Span = text.parse().map_err(wrong)?;
    let seconds = span
        .total((Unit::Second, SpanRelativeTo::days_are_24_hours()))
        .map_err(wrong)?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "an age is not negative".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_date_is_a_day_in_utc_with_its_age() {
        let time = 1_759_449_600; // 2025-10-03T00:00:00Z
        assert_eq!(date_and_age(time, time), "2025-10-03 (today)");
        assert_eq!(date_and_age(time - 1, time), "2025-10-02 (today)");
        assert_eq!(date_and_age(time, time + DAY), "2025-10-03 (1 day ago)");
        assert_eq!(
            date_and_age(time, time + 90 * DAY),
            "2025-10-03 (90 days ago)"
        );
        assert_eq!(date_and_age(time, time - 1), "2025-10-03");
        assert_eq!(
            date_and_age(i64::MAX, 0),
            format!("{} (Unix time)", i64::MAX)
        );
    }

    #[test]
    fn an_age_is_what_people_write() {
        assert_eq!(age("90d").unwrap(), Duration::from_secs(90 * 86_400));
        assert_eq!(age("2w").unwrap(), Duration::from_secs(14 * 86_400));
        assert_eq!(age("36h").unwrap(), Duration::from_secs(36 * 3_600));
        for wrong in ["", "90", "d", "-3d", "1mo"] {
            age(wrong).unwrap_err();
        }
    }
}
