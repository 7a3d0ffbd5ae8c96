//! The log itself. This folder is compiled twice: as it stands, and with `async` stripped.

mod care;
mod flash;
mod format;
mod headers;
mod pages;
mod put;
mod read;
mod save;
mod settle;
mod tail;
mod wipe;

use core::ops::Range;

use flash::Chip;
use mtsession_core::{Change, SessionMut, SessionSource, WhenFull};

use super::{NorFlash, bisync};
use crate::buffer::Buffer;
use crate::error::{Details, Error, Fail};
use crate::fill::Fill;
use crate::geometry::{Geometry, MAX_UNIT_LEN, MIN_UNIT_LEN, RegionError};
use crate::index::{Fixed, Index};
use crate::lists::Memory;
use crate::settings::{Durability, FlashStats, KeyCopies, Started};
use crate::state::State;

/// A session in a region of NOR flash.
///
/// The region is a ring of erase pages. Whatever happens to the power, the session on flash is the
/// one before or after the interrupted call.
///
/// The capacities are those of the largest session that the log keeps an index for: DC entries,
/// channels, peers and min peers. With the default ones the object takes less than 1.2 KiB of RAM.
/// On a Cortex-M, [`append`](Self::append) takes about 2.1 KiB of stack, [`load`](Self::load) into a
/// `FixedSession` 1.6.
#[cfg_attr(feature = "_test", derive(Clone))]
pub struct SessionLog<
    F,
    const DCS: usize = 6,
    const CHANNELS: usize = 32,
    const PEERS: usize = 64,
    const MIN_PEERS: usize = 16,
> {
    base: Base<F>,
    memory: Memory<DCS, CHANNELS, PEERS, MIN_PEERS>,
}

/// The log without its index, which the first steps do not need: it would be moved to the caller.
#[cfg_attr(feature = "_test", derive(Clone))]
pub(crate) struct Base<F> {
    flash: F,
    failed_programs: u16,
    /// 0xFF on a chip whose erased cells read as zeros: see [`Chip`].
    flip: u8,
    state: State,
}

#[bisync]
impl<F: NorFlash> Base<F> {
    pub(crate) fn new(flash: F, geometry: Result<Geometry, RegionError>) -> Self {
        Self {
            flash,
            failed_programs: 0,
            flip: 0,
            state: State::new(geometry),
        }
    }

    #[inline(never)]
    fn shell<'a>(&'a mut self, index: Index<'a>) -> Shell<'a, F> {
        Shell {
            chip: Chip {
                flash: &mut self.flash,
                geometry: self.state.geometry,
                failed_programs: &mut self.failed_programs,
                flip: &mut self.flip,
                details: Details::NONE,
            },
            state: &mut self.state,
            index,
            buffer: Buffer::new(),
        }
    }

    pub(crate) async fn format(&mut self) -> Result<(), Error<F::Error>> {
        let mut fixed = Fixed::default();
        let mut shell = self.shell(Index::none(&mut fixed));
        let result = shell.format().await;
        shell.done(result)
    }
}

/// The log without its capacities: everything is done here, once for all of them.
///
/// One for each call. Its steps fail with a [`Fail`].
pub(crate) struct Shell<'a, F: NorFlash> {
    chip: Chip<'a, F>,
    state: &'a mut State,
    index: Index<'a>,
    buffer: Buffer,
}

#[bisync]
impl<
    F: NorFlash,
    const DCS: usize,
    const CHANNELS: usize,
    const PEERS: usize,
    const MIN_PEERS: usize,
> SessionLog<F, DCS, CHANNELS, PEERS, MIN_PEERS>
{
    /// The chip's geometry, checked when the program is compiled.
    const CHIP: () = {
        assert!(
            F::WRITE_SIZE.is_power_of_two(),
            "program unit is no power of two"
        );
        assert!(
            F::WRITE_SIZE <= MAX_UNIT_LEN,
            "program unit is larger than 32 bytes"
        );
        assert!(
            F::ERASE_SIZE.is_multiple_of(F::WRITE_SIZE),
            "erase page is no whole program units"
        );
        assert!(
            F::WRITE_SIZE.is_multiple_of(F::READ_SIZE) || MIN_UNIT_LEN.is_multiple_of(F::READ_SIZE),
            "read unit is larger than the program unit"
        );
        assert!(
            DCS <= 255 && CHANNELS < 0xFFFF && PEERS < 0xFFFF && MIN_PEERS < 0xFFFF,
            "capacity too large"
        );
    };

    /// A log in `region` of the chip, in bytes; nothing is read yet. The first call that needs the log
    /// opens it, [`mount_or_format`](Self::mount_or_format) begins one where there is none. No error
    /// takes the driver: [`release`](Self::release) gives it back.
    ///
    /// Write `SessionLog::<_>::new(…)` for the default capacities.
    ///
    /// ```
    /// # use mtsession_embedded::sim::Chip;
    /// use mtsession_embedded::{Error, SessionLog};
    ///
    /// # let flash = Chip::<4, 4096>::new(16384);
    /// let mut log = SessionLog::<_>::new(flash, 0..16384);
    /// let error = log.stats().unwrap_err();
    /// assert_eq!(error, Error::NotFormatted);
    /// let flash = log.release().map_err(|(_flash, error)| error)?;
    /// # drop(flash);
    /// # Ok::<(), mtsession_embedded::Error<mtsession_embedded::sim::ChipError>>(())
    /// ```
    #[inline(never)]
    pub fn new(flash: F, region: Range<u32>) -> Self {
        let () = Self::CHIP;
        let geometry = Geometry::new(&region, F::WRITE_SIZE, F::ERASE_SIZE);
        Self::with(Base::new(flash, geometry))
    }

    /// Opens the log, or begins one in a region that is erased: what a firmware does when it starts.
    ///
    /// Power may be lost at any point of it: the next start goes on. Anything but a log and erased flash
    /// is an error, and nothing is changed.
    #[inline(never)]
    pub async fn mount_or_format(&mut self) -> Result<Started, Error<F::Error>> {
        let mut fixed = Fixed::default();
        let mut shell = self.base.shell(Index::none(&mut fixed));
        let result = shell.mount_or_format().await;
        shell.done(result)
    }

    /// Opens the log in `region` of the chip, in bytes. Reads page headers and writes nothing.
    ///
    /// An error drops the driver: pass it as `&mut flash`, or take [`new`](Self::new).
    #[inline(never)]
    pub async fn mount(flash: F, region: Range<u32>) -> Result<Self, Error<F::Error>> {
        let () = Self::CHIP;
        let geometry = Geometry::new(&region, F::WRITE_SIZE, F::ERASE_SIZE);
        let mut base = Base::new(flash, geometry);
        let located = {
            // Its memory is free again before the index takes some.
            let mut fixed = Fixed::default();
            let mut shell = base.shell(Index::none(&mut fixed));
            let result = shell.locate().await;
            shell.done(result)
        };
        located?;
        Ok(Self::with(base))
    }

    /// Begins an empty log in `region`; whatever was there is erased, a log's keys too. For a start,
    /// [`mount_or_format`](Self::mount_or_format) is safer.
    ///
    /// An error drops the driver: pass it as `&mut flash`.
    pub async fn format(flash: F, region: Range<u32>) -> Result<Self, Error<F::Error>> {
        let () = Self::CHIP;
        let geometry = Geometry::new(&region, F::WRITE_SIZE, F::ERASE_SIZE);
        let mut base = Base::new(flash, geometry);
        base.format().await?;
        Ok(Self::with(base))
    }

    pub(crate) fn with(base: Base<F>) -> Self {
        Self {
            base,
            memory: Memory::new(),
        }
    }

    fn shell(&mut self) -> Shell<'_, F> {
        self.base.shell(self.memory.index())
    }

    /// Makes `session` what the log holds. `false`: nothing was ever saved, or it was deleted.
    #[inline(never)]
    pub async fn load(&mut self, session: &mut impl SessionMut) -> Result<bool, Error<F::Error>> {
        let mut shell = self.shell();
        let result = shell.load(&mut Fill(session)).await;
        shell.done(result)
    }

    /// Carries out one change.
    #[inline(never)]
    pub async fn append(&mut self, change: &Change<'_>) -> Result<(), Error<F::Error>> {
        let mut shell = self.shell();
        let result = shell.put(change).await;
        shell.done(result)
    }

    /// Carries out all changes or, whatever happens, none of them.
    ///
    /// A batch needs room for each of its peers and DC entries as if it were new: near the limit it may
    /// be refused as [`StoreFull`](Error::StoreFull) where the same changes one by one are not.
    pub async fn apply(&mut self, changes: &[Change<'_>]) -> Result<(), Error<F::Error>> {
        let mut shell = self.shell();
        let result = shell.apply(changes).await;
        shell.done(result)
    }

    /// Replaces everything with `session`, or leaves everything as it was.
    #[inline(never)]
    pub async fn save(&mut self, session: &impl SessionSource) -> Result<(), Error<F::Error>> {
        let mut shell = self.shell();
        let result = shell.save(session).await;
        shell.done(result)
    }

    /// Deletes the session and erases every page: no key is left on the chip.
    pub async fn delete(&mut self) -> Result<(), Error<F::Error>> {
        let mut shell = self.shell();
        let result = shell.delete().await;
        shell.done(result)
    }

    /// Writes the counters that [`Durability::Lazy`] kept back.
    pub async fn sync(&mut self) -> Result<(), Error<F::Error>> {
        let mut shell = self.shell();
        let result = shell.flush_lazy().await;
        shell.done(result)
    }

    /// Does ahead of time what would make a later call slow: after it, no [`append`](Self::append)
    /// erases. For idle moments; costs nothing when there is nothing to do.
    pub async fn maintain(&mut self) -> Result<(), Error<F::Error>> {
        let mut shell = self.shell();
        let result = shell.maintain().await;
        shell.done(result)
    }

    /// What the log knows about its region. Reads page headers.
    pub async fn stats(&mut self) -> Result<FlashStats, Error<F::Error>> {
        let mut shell = self.shell();
        let result = shell.stats().await;
        shell.done(result)
    }

    /// How counters are written from now on.
    pub fn set_durability(&mut self, durability: Durability) {
        self.base.state.durability = durability;
    }

    /// How often keys are kept; entries that have too few copies get them with the next write of a
    /// DC entry, or in [`maintain`](Self::maintain). Where the region has no room for all of them, keys
    /// stay on one page, and changes to them are refused as [`StoreFull`](Error::StoreFull).
    pub fn set_key_copies(&mut self, copies: KeyCopies) -> Result<(), Error<F::Error>> {
        if copies == KeyCopies::Two && self.base.state.geometry.pages < 3 {
            return Err(Error::NeedsThreePages);
        }
        self.base.state.key_copies = copies;
        Ok(())
    }

    /// What to do with a peer for which there is no room: refuse it, or forget the one longest in
    /// its place. The account's own peer stays.
    pub fn set_when_full(&mut self, when_full: WhenFull) {
        self.base.state.when_full = when_full;
    }

    /// The driver, for tests.
    #[cfg(feature = "_test")]
    #[doc(hidden)]
    pub const fn chip(&mut self) -> &mut F {
        &mut self.base.flash
    }

    /// Writes what is only in RAM and gives the driver back.
    pub async fn release(mut self) -> Result<F, (F, Error<F::Error>)> {
        match self.sync().await {
            Ok(()) => Ok(self.base.flash),
            Err(error) => Err((self.base.flash, error)),
        }
    }
}

impl<F: NorFlash> Shell<'_, F> {
    /// Ends a call.
    fn done<T>(&mut self, result: Result<T, Fail>) -> Result<T, Error<F::Error>> {
        result.map_err(|fail| self.chip.details.explain(fail))
    }
}
