//! The calendar: the date of a second since 1970, and the second of a date.

const DAY: i64 = 86_400;

/// Days of 400 years, after which the calendar repeats.
const ERA: i64 = 146_097;

/// Days from 0000-03-01 to 1970-01-01.
const EPOCH: i64 = 719_468;

/// A date and a time of UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
}

impl Date {
    /// The date of a moment of Unix time, whatever it is.
    pub(crate) const fn of(seconds: i64) -> Self {
        let (days, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        let days = days.saturating_add(EPOCH);
        Self::in_era(days.div_euclid(ERA), days.rem_euclid(ERA), second)
    }

    /// The date of a day of an era of 400 years. Its years begin in March, so that a leap day is the last one.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "the day is one of an era, the second one of a day; the era is below 2^47"
    )]
    const fn in_era(era: i64, day: i64, second: i64) -> Self {
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (month, later) = if month < 10 {
            (month + 3, 0)
        } else {
            (month - 9, 1)
        };
        Self {
            year: year + era * 400 + later,
            month,
            day,
            hour: second / 3_600,
            minute: second / 60 % 60,
            second: second % 60,
        }
    }
}

/// Seconds since 1970 of a year, month and day, and of hours, minutes and seconds.
#[cfg(any(feature = "libsql-remote", feature = "s3"))]
pub(crate) fn seconds_since_1970(
    [year, month, day]: [u64; 3],
    [hours, minutes, seconds]: [u64; 3],
) -> Option<u64> {
    let is_date =
        (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !is_date || hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    // Years that begin in March, so that the leap day is the last one.
    let (year, month) = if month < 3 {
        (year.checked_sub(1)?, month.checked_add(9)?)
    } else {
        (year, month.checked_sub(3)?)
    };
    let leap_days = (year / 4)
        .checked_sub(year / 100)?
        .checked_add(year / 400)?;
    let day_of_year = month.checked_mul(153)?.checked_add(2)? / 5;
    let days = year
        .checked_mul(365)?
        .checked_add(leap_days)?
        .checked_add(day_of_year)?
        .checked_add(day)?
        .checked_sub(719_469)?;
    let minutes = hours.checked_mul(60)?.checked_add(minutes)?;
    days.checked_mul(86_400)?
        .checked_add(minutes.checked_mul(60)?)?
        .checked_add(seconds)
}
