//! The log over a driver. This folder is compiled twice: as it stands, and with `async` stripped.

mod driver;

use core::ops::Range;

use mtsession_core::{Change, FixedSession, SessionMut, SessionSource, WhenFull};

use super::{NorFlash, bisync};
use crate::error::Error;
use crate::geometry::{Geometry, MAX_UNIT_LEN, MIN_UNIT_LEN};
use crate::index::{Held, Table, View};
use crate::machine::{Job, Machine};
use crate::settings::{Durability, FlashStats, KeyCopies, Started};
use driver::explain;

/// A session in a region of NOR flash.
///
/// The log holds the session: it is read from flash once, changed in RAM, and every change is written.
/// Whatever happens to the power, the session on flash is the one before or after the interrupted call.
///
/// The capacities are those of the session: DC entries, channels, peers, min peers, bytes of the future auth
/// token.
#[cfg_attr(feature = "_test", derive(Clone))]
pub struct SessionLog<
    F,
    const DCS: usize = 6,
    const CHANNELS: usize = 32,
    const PEERS: usize = 64,
    const MIN_PEERS: usize = 16,
    const TOKEN: usize = 64,
> {
    flash: F,
    machine: Machine,
    held: Held<DCS, CHANNELS, PEERS, MIN_PEERS, TOKEN>,
}

#[bisync]
impl<
    F: NorFlash,
    const DCS: usize,
    const CHANNELS: usize,
    const PEERS: usize,
    const MIN_PEERS: usize,
    const TOKEN: usize,
> SessionLog<F, DCS, CHANNELS, PEERS, MIN_PEERS, TOKEN>
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
            DCS <= 255 && CHANNELS < 0x2000 && PEERS < 0x2000 && MIN_PEERS < 0x2000,
            "capacity too large"
        );
        assert!(TOKEN <= 256, "future auth token is longer than a record");
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
    /// assert_eq!(log.open(), Err(Error::NotFormatted));
    /// let flash = log.release().map_err(|(_flash, error)| error)?;
    /// # drop(flash);
    /// # Ok::<(), mtsession_embedded::Error<mtsession_embedded::sim::ChipError>>(())
    /// ```
    #[inline(never)]
    pub fn new(flash: F, region: Range<u32>) -> Self {
        let () = Self::CHIP;
        Self::with(flash, Geometry::new(&region, F::WRITE_SIZE, F::ERASE_SIZE))
    }

    pub(crate) fn with(flash: F, geometry: Result<Geometry, crate::geometry::RegionError>) -> Self {
        let chip = u32::try_from(flash.capacity()).unwrap_or(u32::MAX);
        Self {
            flash,
            machine: Machine::new(geometry, chip),
            held: Held::new(),
        }
    }

    async fn run(&mut self, job: Job) -> Result<(), Error<F::Error>> {
        let op = self.machine.begin(&mut self.held, job);
        driver::run(&mut self.flash, &mut self.machine, &mut self.held, op).await
    }

    /// Opens the log where that was not done.
    async fn ready(&mut self) -> Result<(), Error<F::Error>> {
        if self.machine.is_mounted {
            return Ok(());
        }
        self.machine.format = Machine::refuse;
        self.run(Job::Mount).await
    }

    /// The same, and what has to be written before any change is.
    async fn settled(&mut self) -> Result<(), Error<F::Error>> {
        self.ready().await?;
        if self.machine.is_batch || self.machine.again {
            self.run(Job::Flush).await?;
        }
        Ok(())
    }

    fn started(&self) -> Started {
        if self.machine.has_session() {
            Started::Mounted
        } else {
            Started::Empty
        }
    }

    /// The log in `region` of the chip, in bytes, [opened](Self::open).
    ///
    /// An error drops the driver: pass it as `&mut flash`, or take [`new`](Self::new).
    pub async fn mount(flash: F, region: Range<u32>) -> Result<Self, Error<F::Error>> {
        let mut log = Self::new(flash, region);
        log.open().await?;
        Ok(log)
    }

    /// An empty log in `region`, [begun](Self::reformat) whatever was there. For a start,
    /// [`mount_or_format`](Self::mount_or_format) is safer.
    ///
    /// An error drops the driver: pass it as `&mut flash`, or take [`new`](Self::new).
    pub async fn format(flash: F, region: Range<u32>) -> Result<Self, Error<F::Error>> {
        let mut log = Self::new(flash, region);
        log.reformat().await?;
        Ok(log)
    }

    /// Reads the log. Writes nothing, unless a deletion was cut: that is finished.
    pub async fn open(&mut self) -> Result<Started, Error<F::Error>> {
        self.machine.is_mounted = false;
        self.ready().await?;
        Ok(self.started())
    }

    /// Reads the log, or begins one in a region that is erased: what a firmware does when it starts.
    ///
    /// Power may be lost at any point of it: the next start goes on. Anything but a log and erased flash
    /// is an error, and nothing is changed.
    pub async fn mount_or_format(&mut self) -> Result<Started, Error<F::Error>> {
        self.machine.has_formatted = false;
        self.machine.format = |machine, table, _| machine.format_first(table);
        self.run(Job::Mount).await?;
        if self.machine.has_formatted {
            return Ok(Started::Formatted);
        }
        Ok(self.started())
    }

    /// Begins an empty log; whatever was there is erased, a log's keys too. For a factory reset: a start
    /// calls [`mount_or_format`](Self::mount_or_format).
    ///
    /// Until it has returned, an older session may be found again.
    pub async fn reformat(&mut self) -> Result<(), Error<F::Error>> {
        self.machine.format = Machine::format;
        self.run(Job::Format).await
    }

    /// The session. Before the log is mounted, and after a deletion, an empty one.
    pub const fn session(&self) -> &FixedSession<DCS, CHANNELS, PEERS, MIN_PEERS, TOKEN> {
        &self.held.session
    }

    /// Whether there is a session: something was saved or appended, and not deleted since.
    pub const fn has_session(&self) -> bool {
        self.machine.has_session()
    }

    /// Copies the session to one of another type. `false`: nothing was ever saved, or it was deleted.
    pub async fn load(&mut self, session: &mut impl SessionMut) -> Result<bool, Error<F::Error>> {
        self.ready().await?;
        if self.machine.has_session() {
            session
                .copy_from(&self.held.session)
                .map_err(|full| Error::Session(full.into()))?;
        }
        Ok(self.machine.has_session())
    }

    /// Carries out one change.
    #[inline(never)]
    pub async fn append(&mut self, change: &Change<'_>) -> Result<(), Error<F::Error>> {
        self.settled().await?;
        match self.machine.apply(&mut self.held, change, false) {
            Ok(true) => self.run(Job::Flush).await,
            Ok(false) => Ok(()),
            Err(fail) => Err(explain(fail, &self.machine)),
        }
    }

    /// Carries out all changes or, whatever happens, none of them.
    ///
    /// A batch needs room for each of its peers and DC entries as if it were new: near the limit it may
    /// be refused as [`StoreFull`](Error::StoreFull) where the same changes one by one are not.
    pub async fn apply(&mut self, changes: &[Change<'_>]) -> Result<(), Error<F::Error>> {
        if let [change] = changes {
            return self.append(change).await;
        }
        self.settled().await?;
        if changes.is_empty() {
            return Ok(());
        }
        let job = match self.machine.check_batch(&mut self.held, changes) {
            Ok(job) => job,
            Err(fail) => return Err(explain(fail, &self.machine)),
        };
        self.run(job).await?;
        for change in changes {
            if let Err(fail) = self.machine.apply(&mut self.held, change, true) {
                return Err(explain(fail, &self.machine));
            }
        }
        self.run(Job::Flush).await
    }

    /// Replaces everything with `session`, or leaves everything as it was.
    pub async fn save(&mut self, session: &impl SessionSource) -> Result<(), Error<F::Error>> {
        self.ready().await?;
        let twice = self.held.is_twice();
        let new = View { session, twice };
        let pages = match self.machine.may_save(&self.held, &new) {
            Ok(pages) => pages,
            Err(fail) => return Err(explain(fail, &self.machine)),
        };
        self.run(Job::Room { pages }).await?;
        self.machine
            .replace(&mut self.held, &View { session, twice });
        self.run(Job::Save).await
    }

    /// Deletes the session and erases every page: no key is left on the chip.
    pub async fn delete(&mut self) -> Result<(), Error<F::Error>> {
        self.ready().await?;
        self.held.clear();
        self.machine.delete();
        self.run(Job::Save).await
    }

    /// Writes the counters that [`Durability::Lazy`] kept back.
    pub async fn sync(&mut self) -> Result<(), Error<F::Error>> {
        self.ready().await?;
        if self.machine.has_session() {
            self.machine.more = true;
        }
        self.run(Job::Flush).await
    }

    /// Does ahead of time what would make a later call slow: after it, no [`append`](Self::append)
    /// erases. For idle moments; costs nothing when there is nothing to do.
    pub async fn maintain(&mut self) -> Result<(), Error<F::Error>> {
        self.ready().await?;
        self.machine.idle = Machine::maintain;
        self.run(Job::Maintain).await
    }

    /// What the log knows about its region.
    pub async fn stats(&mut self) -> Result<FlashStats, Error<F::Error>> {
        self.ready().await?;
        Ok(self.machine.stats(&self.held))
    }

    /// How counters are written from now on.
    pub const fn set_durability(&mut self, durability: Durability) {
        self.machine.lazy = match durability {
            Durability::Now => 0,
            Durability::Lazy(n) => n,
        };
    }

    /// How often keys are kept; entries that have too few copies get them with the next write of a
    /// DC entry, or in [`maintain`](Self::maintain). Where the region has no room for all of them, keys
    /// stay on one page, and changes to them are refused as [`StoreFull`](Error::StoreFull).
    pub fn set_key_copies(&mut self, copies: KeyCopies) -> Result<(), Error<F::Error>> {
        let twice = copies == KeyCopies::Two;
        if twice && self.machine.geometry.pages < 3 {
            return Err(Error::NeedsThreePages);
        }
        self.held.twice = twice;
        self.machine.copies_refused = false;
        Ok(())
    }

    /// What to do with a peer for which there is no room: refuse it, or forget another one. The account's own
    /// peer stays.
    pub const fn set_when_full(&mut self, when_full: WhenFull) {
        self.held.when_full = when_full;
    }

    /// Names the region: a chip's serial number, or a random number, which a later format writes. Sealing
    /// needs one.
    pub fn set_region_id(&mut self, id: [u8; 16]) {
        for (word, bytes) in self.machine.new_region.iter_mut().zip(id.as_chunks().0) {
            *word = u32::from_le_bytes(*bytes);
        }
    }

    /// The name that the region was formatted with; zeros where none was given.
    pub fn region_id(&self) -> [u8; 16] {
        let mut id = [0; 16];
        for (place, word) in id.as_chunks_mut().0.iter_mut().zip(self.machine.region) {
            *place = word.to_le_bytes();
        }
        id
    }

    /// The driver, for tests.
    #[cfg(feature = "_test")]
    #[doc(hidden)]
    pub const fn chip(&mut self) -> &mut F {
        &mut self.flash
    }

    /// Writes what is only in RAM and gives the driver back.
    pub async fn release(mut self) -> Result<F, (F, Error<F::Error>)> {
        if !self.machine.is_mounted {
            return Ok(self.flash);
        }
        match self.sync().await {
            Ok(()) => Ok(self.flash),
            Err(error) => Err((self.flash, error)),
        }
    }
}
