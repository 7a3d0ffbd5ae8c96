//! The log itself. This folder is compiled twice: as it stands, and with `async` stripped.

mod flash;
mod scan;
mod write;

use core::ops::Range;

use mtsession_core::{Change, Full, SessionMut, SessionSource, WhenFull};
use zeroize::Zeroizing;

use super::{NorFlash, bisync};
use crate::error::Error;
use crate::fill::Fill;
use crate::geometry::{Geometry, MAX_UNIT_LEN, MIN_UNIT_LEN};
use crate::index::{Index, Memory, NOWHERE};
use crate::record::{self, MAX_RECORD};
use crate::settings::{Durability, FlashStats, KeyCopies};
use crate::state::State;

/// Room for one record; wiped after use, since it may have held a key.
type Buffer = Zeroizing<[u8; MAX_RECORD]>;

/// A session in a region of NOR flash.
///
/// The region is a ring of erase pages. Whatever happens to the power, the session on flash is the
/// one before or after the interrupted call.
///
/// The capacities are those of the largest session that the log keeps an index for: DC entries,
/// channels, peers and min peers. With the default ones the object takes less than 1.2 KiB of RAM.
/// Calls need up to 2 KiB of stack.
#[cfg_attr(feature = "_test", derive(Clone))]
pub struct SessionLog<
    F,
    const DCS: usize = 6,
    const CHANNELS: usize = 32,
    const PEERS: usize = 64,
    const MIN_PEERS: usize = 16,
> {
    flash: F,
    state: State,
    memory: Memory<DCS, CHANNELS, PEERS, MIN_PEERS>,
}

/// The log without its capacities: everything is done here, once for all of them.
pub(crate) struct Shell<'a, F> {
    flash: &'a mut F,
    state: &'a mut State,
    index: Index<'a>,
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

    /// Opens the log in `region` of the chip, in bytes. Reads page headers and writes nothing.
    pub async fn mount(flash: F, region: Range<u32>) -> Result<Self, Error<F::Error>> {
        let () = Self::CHIP;
        let geometry = Geometry::new(&region, F::WRITE_SIZE, F::ERASE_SIZE, flash.capacity())?;
        let mut log = Self::new(flash, geometry);
        log.shell().locate().await?;
        Ok(log)
    }

    /// Erases `region` and begins an empty log in it.
    pub async fn format(flash: F, region: Range<u32>) -> Result<Self, Error<F::Error>> {
        let () = Self::CHIP;
        let geometry = Geometry::new(&region, F::WRITE_SIZE, F::ERASE_SIZE, flash.capacity())?;
        let mut log = Self::new(flash, geometry);
        log.shell().format().await?;
        Ok(log)
    }

    pub(crate) fn new(flash: F, geometry: Geometry) -> Self {
        Self {
            flash,
            state: State::new(geometry),
            memory: Memory::new(),
        }
    }

    pub(crate) fn shell(&mut self) -> Shell<'_, F> {
        Shell {
            flash: &mut self.flash,
            state: &mut self.state,
            index: self.memory.index(),
        }
    }

    /// Makes `session` what the log holds. `false`: nothing was ever saved, or it was deleted.
    pub async fn load(&mut self, session: &mut impl SessionMut) -> Result<bool, Error<F::Error>> {
        self.shell().load(session).await
    }

    /// Carries out one change.
    pub async fn append(&mut self, change: &Change<'_>) -> Result<(), Error<F::Error>> {
        self.shell().put(change).await
    }

    /// Carries out all changes or, whatever happens, none of them.
    pub async fn apply(&mut self, changes: &[Change<'_>]) -> Result<(), Error<F::Error>> {
        self.shell().apply(changes).await
    }

    /// Replaces everything with `session`, or leaves everything as it was.
    pub async fn save(&mut self, session: &impl SessionSource) -> Result<(), Error<F::Error>> {
        self.shell().save(session).await
    }

    /// Deletes the session and erases every page: no key is left on the chip.
    pub async fn delete(&mut self) -> Result<(), Error<F::Error>> {
        self.shell().delete().await
    }

    /// Writes the counters that [`Durability::Lazy`] kept back.
    pub async fn sync(&mut self) -> Result<(), Error<F::Error>> {
        let mut shell = self.shell();
        if shell.state.lazy > 0 {
            shell.flush_all().await?;
        }
        Ok(())
    }

    /// Does ahead of time what would make a later call slow: after it, no [`append`](Self::append)
    /// erases. For idle moments; costs nothing when there is nothing to do.
    pub async fn maintain(&mut self) -> Result<(), Error<F::Error>> {
        self.shell().maintain().await
    }

    /// What the log knows about its region. Reads page headers.
    pub async fn stats(&mut self) -> Result<FlashStats, Error<F::Error>> {
        self.shell().stats().await
    }

    /// How counters are written from now on.
    pub fn set_durability(&mut self, durability: Durability) {
        self.state.durability = durability;
    }

    /// How often keys are kept; entries that have too few copies get them with the next write of a
    /// DC entry, or in [`maintain`](Self::maintain).
    pub fn set_key_copies(&mut self, copies: KeyCopies) -> Result<(), Error<F::Error>> {
        if copies == KeyCopies::Two && self.state.geometry.pages < 3 {
            return Err(Error::NeedsThreePages);
        }
        self.state.key_copies = copies;
        Ok(())
    }

    /// What to do with a peer for which there is no room: refuse it, or forget the one longest in
    /// its place. The account's own peer stays.
    pub fn set_when_full(&mut self, when_full: WhenFull) {
        self.state.when_full = when_full;
    }

    /// The driver, for tests.
    #[cfg(feature = "_test")]
    #[doc(hidden)]
    pub const fn chip(&mut self) -> &mut F {
        &mut self.flash
    }

    /// Writes what is only in RAM and gives the driver back.
    pub async fn release(mut self) -> Result<F, (F, Error<F::Error>)> {
        match self.sync().await {
            Ok(()) => Ok(self.flash),
            Err(error) => Err((self.flash, error)),
        }
    }
}

#[bisync]
impl<F: NorFlash> Shell<'_, F> {
    async fn load<S: SessionMut>(&mut self, session: &mut S) -> Result<bool, Error<F::Error>> {
        if self.state.indexed {
            self.ready().await?;
            return self.emit_session(session).await;
        }
        match self.scan(&mut Fill(session)).await {
            Ok(()) if !self.index.has_holes() => {}
            Ok(()) | Err(Error::Session(_)) => {
                // Lists with holes, or a session that makes room by forgetting.
                self.ready().await?;
                return self.emit_session(session).await;
            }
            Err(error) => return Err(error),
        }
        self.ready().await?;
        self.put_counters(session)?;
        Ok(self.state.present)
    }

    /// What the index itself knows.
    fn put_counters<S: SessionMut>(&self, session: &mut S) -> Result<(), Full> {
        session.set_home_dc_id(self.index.fixed.home_dc_id);
        session.set_counters(self.index.fixed.counters);
        for channel in self.index.channels() {
            if channel.at != NOWHERE {
                session.push_channel(mtsession_core::ChannelPts {
                    id: channel.id(),
                    pts: channel.pts,
                })?;
            }
        }
        Ok(())
    }

    /// Reads the session record by record, in the order of its lists.
    async fn emit_session<S: SessionMut>(
        &mut self,
        session: &mut S,
    ) -> Result<bool, Error<F::Error>> {
        session.reset();
        self.put_counters(session)?;
        let mut buffer = Buffer::new([0; MAX_RECORD]);
        let mut n = 0;
        while let Some((slot, at, units)) = self.index.place(n) {
            n = n.saturating_add(1);
            self.emit_entry(session, slot, at, units, &mut buffer)
                .await?;
        }
        Ok(self.state.present)
    }

    async fn emit_entry<S: SessionMut>(
        &mut self,
        session: &mut S,
        slot: crate::index::Slot,
        at: u16,
        units: u8,
        buffer: &mut Buffer,
    ) -> Result<(), Error<F::Error>> {
        use crate::index::Slot;

        let head = match slot {
            Slot::Dc(slot, false) => self.fetch_dc(slot, buffer).await?,
            Slot::Dc(_, true) | Slot::Channel(_) => return Ok(()),
            _ if at == NOWHERE => return Ok(()),
            _ => self.fetch(at, units, buffer).await?,
        };
        let Some(head) = head else {
            self.state.damaged = self.state.damaged.saturating_add(1);
            return Ok(());
        };
        match record::decode(head, record::payload_of(buffer.as_slice(), head)) {
            Some(Change::Dc(dc)) => session.push_dc(&dc)?,
            Some(Change::Peer(peer)) => session.push_peer(peer)?,
            Some(Change::MinPeer(min_peer)) => session.push_min_peer(min_peer)?,
            Some(change) => session.apply(&change)?,
            None => {}
        }
        Ok(())
    }

    async fn stats(&mut self) -> Result<FlashStats, Error<F::Error>> {
        self.ready().await?;
        let geometry = self.state.geometry;
        let mut stats = FlashStats {
            pages: geometry.pages,
            page_size: geometry.page_size,
            turns: self.state.sequence,
            max_erases: self.state.erases,
            min_erases: u32::MAX,
            damaged: self.state.damaged,
            failed_programs: self.state.failed_programs,
            ..FlashStats::default()
        };
        for page in 0..geometry.pages {
            let header = self.header(page).await.map_err(Error::Flash)?;
            // A page without a header is the free one: as often as its neighbours, or one behind.
            let erases = header.map_or(self.state.erases, |header| header.erases);
            stats.max_erases = stats.max_erases.max(erases);
            stats.min_erases = stats.min_erases.min(erases);
        }
        let pages = u32::from(geometry.pages).wrapping_sub(1);
        let all = 0..pages.wrapping_add(1).wrapping_mul(geometry.page_units());
        let live = self.index.live_units(&all);
        let capacity = pages.saturating_mul(self.state.page_room());
        stats.live = live << geometry.shift;
        stats.free = capacity.saturating_sub(live) << geometry.shift;
        stats.free_in_page = self.state.head.room() << geometry.shift;
        Ok(stats)
    }
}
