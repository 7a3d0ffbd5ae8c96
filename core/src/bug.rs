//! What cannot happen is loud: where tests run it panics, in a release it is an error that says so.

use core::fmt;

/// Something that cannot happen has happened: a fault of this library, or of a type that implements one of
/// its traits.
///
/// Where `debug_assertions` are on, making one panics, so that tests, models and fuzzers find what led to it.
///
/// ```should_panic
/// fn third(list: &[u8; 4]) -> Result<u8, mtsession_core::Bug> {
///     list.get(7).copied().ok_or_else(|| mtsession_core::bug!("an array of four has a seventh item"))
/// }
///
/// assert!(third(&[0; 4]).is_err());
/// panic!("as it would have where debug assertions are on");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Bug(&'static str);

impl Bug {
    /// What [`bug!`](crate::bug) makes.
    #[doc(hidden)]
    #[cold]
    #[track_caller]
    #[must_use]
    pub const fn new(what: &'static str) -> Self {
        if cfg!(debug_assertions) {
            loud(what);
        }
        Self(what)
    }
}

#[track_caller]
#[expect(clippy::panic, reason = "only where debug assertions are on")]
const fn loud(what: &'static str) -> ! {
    panic!("{}", what)
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "this cannot happen, please report it as a fault of mtsession: {}",
            self.0
        )
    }
}

impl core::error::Error for Bug {}

/// Makes a [`Bug`]: panics where `debug_assertions` are on, is an error in a release.
#[macro_export]
macro_rules! bug {
    ($what:literal) => {
        $crate::Bug::new($what)
    };
}

/// For values that are always there, in functions that have no error to return.
///
/// ```
/// use mtsession_core::Certain as _;
///
/// let text = String::from_utf8(b"QUJD".to_vec()).certain("base64 is ASCII");
/// assert_eq!(text, "QUJD");
/// ```
pub trait Certain<T> {
    /// The value. Without it: a panic where `debug_assertions` are on, the default in a release.
    fn certain(self, what: &'static str) -> T
    where
        T: Default;
}

impl<T> Certain<T> for Option<T> {
    #[inline]
    #[track_caller]
    fn certain(self, what: &'static str) -> T
    where
        T: Default,
    {
        if let Some(value) = self {
            return value;
        }
        let _ = Bug::new(what);
        T::default()
    }
}

impl<T, E> Certain<T> for Result<T, E> {
    #[inline]
    #[track_caller]
    fn certain(self, what: &'static str) -> T
    where
        T: Default,
    {
        self.ok().certain(what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "a list without its first item")]
    fn what_cannot_happen_is_loud_where_tests_run() {
        let list: &[u8] = &[];
        let _ = list
            .first()
            .copied()
            .certain("a list without its first item");
    }

    #[test]
    fn what_is_always_there_is_passed_on() {
        assert_eq!(Some(7).certain("seven"), 7);
        assert_eq!(u8::try_from(7_i32).certain("seven"), 7);
    }
}
