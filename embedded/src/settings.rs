//! How a log writes, and what it tells about itself.

/// When a counter's change reaches the flash. Keys, salts and everything else always do at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Durability {
    /// With every change.
    #[default]
    Now,
    /// With every `n`th change of a counter, and whenever a page turn writes them anyway: a power cut
    /// loses at most the last `n - 1`. Lost counters are no lost data: Telegram sends those updates
    /// again. 0 is as good as 1.
    Lazy(u16),
}

/// How often the records of DC entries, which hold the auth keys, are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum KeyCopies {
    /// Once.
    #[default]
    One,
    /// Twice, on different pages: no single damaged bit loses a key. Costs a page turn per changed
    /// entry and the entries' size again; needs three pages.
    Two,
}

/// What [`open`](crate::SessionLog::open) and [`mount_or_format`](crate::SessionLog::mount_or_format) found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Started {
    /// A log with a session.
    Mounted,
    /// A log without one: log in, then [`save`](crate::SessionLog::save).
    Empty,
    /// Erased flash, in which an empty log was begun.
    Formatted,
}

/// What a log knows about its region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct FlashStats {
    /// Pages in the region.
    pub pages: u8,
    /// Bytes per page.
    pub page_size: u32,
    /// Page turns since the region was formatted.
    pub turns: u32,
    /// Erases of the page that was erased most often. Chips promise 10,000 to 100,000.
    pub max_erases: u32,
    /// Erases of the page that was erased least often.
    pub min_erases: u32,
    /// Bytes that live records occupy.
    pub live: u32,
    /// Bytes that can be written before the next page turn.
    pub free_in_page: u32,
    /// Bytes of live records that the region could still take.
    pub free: u32,
    /// Records found damaged otherwise than by a power cut, since mount.
    pub damaged: u16,
    /// Programs that did not read back as written, since mount.
    pub failed_programs: u16,
}
