//! Writing: single changes, batches, page turns, whole sessions.

use mtsession_core::{Change, ChannelPts, Counters, Field, SessionSource, UpdateChange, WhenFull};

use super::super::{NorFlash, bisync};
use super::{Buffer, Shell};
use crate::error::Error;
use crate::fill::Ignore;
use crate::geometry::Geometry;
use crate::header::{Header, PRESENT, WIPE};
use crate::hot::{self, Hot};
use crate::index::{NOWHERE, Slot, moved, same_entry};
use crate::record::{self, Head, Kind, MAX_RECORD};
use crate::settings::{Durability, KeyCopies};
use crate::state::{Page, seed};

/// Bytes of the longest hot record.
const HOT_LEN: u32 = 8;
/// How often a hot record is tried in other places.
const ATTEMPTS: u8 = 4;

#[bisync]
impl<F: NorFlash> Shell<'_, F> {
    /// Makes sure that head and index are as on flash.
    pub(super) async fn ready(&mut self) -> Result<(), Error<F::Error>> {
        if !self.state.indexed {
            self.scan(&mut Ignore).await?;
        }
        if self.state.wipe {
            self.finish_wipe().await?;
        }
        Ok(())
    }

    /// Carries out one change.
    pub(super) async fn put(&mut self, change: &Change<'_>) -> Result<(), Error<F::Error>> {
        self.ready().await?;
        match change {
            Change::Update(UpdateChange::Channel { id, pts }) => {
                let Some(slot) = self.index.find_channel(*id) else {
                    return self.store(change, false).await;
                };
                if let Some(channel) = self.index.channel_mut(slot) {
                    channel.pts = *pts;
                }
                if self.is_due() {
                    return self.flush_all().await;
                }
                if self.state.lazy == 0 {
                    return self.flush_channel(slot).await;
                }
                Ok(())
            }
            Change::Update(update) => {
                let Some(counters) = moved(self.index.fixed.counters, update) else {
                    return self.store(change, false).await;
                };
                self.index.fixed.counters = counters;
                if self.is_due() {
                    return self.flush_all().await;
                }
                if self.state.lazy == 0 {
                    return self.flush_counters().await;
                }
                Ok(())
            }
            _ => {
                self.store(change, false).await?;
                self.copy_keys(change).await
            }
        }
    }

    /// Counts a change of a counter; whether all that wait have to be written now. While none wait,
    /// [`State::lazy`](crate::state::State) is 0.
    fn is_due(&mut self) -> bool {
        let Durability::Lazy(n @ 2..) = self.state.durability else {
            return self.state.lazy > 0;
        };
        self.state.lazy = self.state.lazy.saturating_add(1);
        self.state.lazy >= n
    }

    /// Writes every counter that is only in RAM.
    pub(super) async fn flush_all(&mut self) -> Result<(), Error<F::Error>> {
        self.flush_counters().await?;
        let mut slot = 0;
        while usize::from(slot) < self.index.channels().len() {
            self.flush_channel(slot).await?;
            slot = slot.wrapping_add(1);
        }
        self.state.lazy = 0;
        Ok(())
    }

    async fn flush_counters(&mut self) -> Result<(), Error<F::Error>> {
        let mut last = None;
        for _ in 0..ATTEMPTS {
            // Reserving may turn the page, which writes the counters.
            self.reserve(self.state.geometry.units(HOT_LEN)).await?;
            let counters = self.index.fixed.counters;
            if counters == self.index.fixed.written && self.state.present {
                return Ok(());
            }
            match self.try_hot(Hot::Primary(counters)).await {
                Some(Ok(())) => return Ok(()),
                Some(Err(error)) => last = Some(error),
                None => {
                    let change = Change::Update(UpdateChange::Counters(counters));
                    return self.store_at(&change, 0, false).await;
                }
            }
        }
        last.map_or(Ok(()), |error| Err(self.failed(error)))
    }

    async fn flush_channel(&mut self, slot: u16) -> Result<(), Error<F::Error>> {
        let mut last = None;
        for _ in 0..ATTEMPTS {
            self.reserve(self.state.geometry.units(HOT_LEN)).await?;
            let Some(channel) = self.index.channel_mut(slot).copied() else {
                return Ok(());
            };
            let (id, pts) = (channel.id(), channel.pts);
            if pts == channel.written {
                return Ok(());
            }
            match self.try_hot(Hot::Channel { slot, pts }).await {
                Some(Ok(())) => return Ok(()),
                Some(Err(error)) => last = Some(error),
                None => {
                    let change = Change::Update(UpdateChange::Channel { id, pts });
                    return self.store_at(&change, slot, false).await;
                }
            }
        }
        last.map_or(Ok(()), |error| Err(self.failed(error)))
    }

    /// Writes a hot record where there is room; `None` where the step is too large for one.
    async fn try_hot(&mut self, hot: Hot) -> Option<Result<(), Error<F::Error>>> {
        let Geometry { shift, .. } = self.state.geometry;
        let seed = self.state.head.seed ^ self.state.head.tail;
        let encoded = hot::encode(shift, seed, &self.index, hot)?;
        let mut bytes = [0xFF; 32];
        if let Some(place) = bytes.first_chunk_mut() {
            *place = encoded.bytes;
        }
        let len = self.state.geometry.units(encoded.len) << shift;
        let (bytes, _) = bytes.split_at_checked(usize::try_from(len).ok()?)?;
        let result = self.emit_hot(bytes).await;
        if result.is_ok() {
            self.index.note_hot(hot);
            self.state.present = true;
        }
        Some(result)
    }

    /// Writes a change that is no hot record; unchanged entries are not written again.
    async fn store(&mut self, change: &Change<'_>, pending: bool) -> Result<(), Error<F::Error>> {
        match self.slot_of(change).await? {
            Some(slot) => self.store_at(change, slot, pending).await,
            None => Ok(()),
        }
    }

    /// Where a change belongs; `None` if flash says the same already.
    async fn slot_of(&mut self, change: &Change<'_>) -> Result<Option<u16>, Error<F::Error>> {
        let known = match change {
            Change::HomeDc(id) => {
                let same = self.state.present && self.index.fixed.home_dc_id == *id;
                return Ok((!same).then_some(0));
            }
            Change::Update(UpdateChange::Channel { id, .. }) => {
                if let Some(slot) = self.index.find_channel(*id) {
                    return Ok(Some(slot));
                }
                return self
                    .index
                    .free_slot(change)
                    .map(Some)
                    .map_err(Error::Capacity);
            }
            Change::Update(_) => return Ok(Some(0)),
            _ => self.find(change).await?,
        };
        match known {
            Known::Same => Ok(None),
            Known::At(slot) => Ok(Some(slot)),
            Known::No => match self.index.free_slot(change) {
                Ok(slot) => Ok(Some(slot)),
                Err(field) => self
                    .evict(change)
                    .await?
                    .map_or(Err(Error::Capacity(field)), |slot| Ok(Some(slot))),
            },
        }
    }

    /// Looks for the entry that a change is about.
    async fn find(&mut self, change: &Change<'_>) -> Result<Known, Error<F::Error>> {
        let mut buffer = Buffer::new([0; MAX_RECORD]);
        let mut first = 0;
        while let Some(slot) = self.index.candidate(change, first) {
            if let Some(head) = self.fetch_slot(change, slot, &mut buffer).await? {
                let known = decode(&buffer, head);
                if let Some(known) = known
                    && same_entry(&known, change)
                {
                    if known == *change {
                        return Ok(Known::Same);
                    }
                    let [generation, _] = head.slot.to_be_bytes();
                    let [high, low] = slot.to_be_bytes();
                    let high = if matches!(change, Change::Dc(_)) {
                        generation.wrapping_add(1)
                    } else {
                        high
                    };
                    return Ok(Known::At(u16::from_be_bytes([high, low])));
                }
            }
            if matches!(change, Change::FutureAuthToken(_) | Change::Account(_)) {
                break;
            }
            first = slot.saturating_add(1);
        }
        Ok(Known::No)
    }

    /// Reads the record of an entry of the kind that `change` is about.
    async fn fetch_slot(
        &mut self,
        change: &Change<'_>,
        slot: u16,
        buffer: &mut Buffer,
    ) -> Result<Option<Head>, Error<F::Error>> {
        let n = usize::from(slot);
        let (at, units) = match change {
            Change::Dc(_) => return self.fetch_dc(slot, buffer).await,
            Change::Peer(_) => self
                .index
                .peers()
                .get(n)
                .map(|entry| (entry.at, entry.units)),
            Change::MinPeer(_) => self
                .index
                .min_peers()
                .get(n)
                .map(|entry| (entry.at, entry.units)),
            Change::FutureAuthToken(_) => {
                Some((self.index.fixed.token.at, self.index.fixed.token.units))
            }
            _ => Some((self.index.fixed.account.at, self.index.fixed.account.units)),
        }
        .unwrap_or((NOWHERE, 0));
        if at == NOWHERE {
            return Ok(None);
        }
        self.fetch(at, units, buffer).await
    }

    /// Reads a DC entry from whichever copy is valid.
    pub(super) async fn fetch_dc(
        &mut self,
        slot: u16,
        buffer: &mut Buffer,
    ) -> Result<Option<Head>, Error<F::Error>> {
        let Some(dc) = self.index.dcs().get(usize::from(slot)).copied() else {
            return Ok(None);
        };
        for at in dc.copies {
            if at != NOWHERE
                && let Some(head) = self.fetch(at, dc.units, buffer).await?
            {
                return Ok(Some(head));
            }
        }
        Ok(None)
    }

    /// The slot of a cache that a new entry may take over.
    async fn evict(&mut self, change: &Change<'_>) -> Result<Option<u16>, Error<F::Error>> {
        if self.state.when_full == WhenFull::Refuse {
            return Ok(None);
        }
        let own = self.index.fixed.own_id;
        let mut buffer = Buffer::new([0; MAX_RECORD]);
        for _ in 0..2_u8 {
            let Some(slot) = self.index.victim(change) else {
                return Ok(None);
            };
            let head = self.fetch_slot(change, slot, &mut buffer).await?;
            let is_own = head.is_some_and(|head| match decode(&buffer, head) {
                Some(Change::Peer(peer)) => {
                    own != 0 && peer.key() == mtsession_core::PeerKey::user(own)
                }
                _ => false,
            });
            if !is_own {
                return Ok(Some(slot));
            }
        }
        Ok(None)
    }

    /// Writes a change's record for a slot.
    async fn store_at(
        &mut self,
        change: &Change<'_>,
        slot: u16,
        pending: bool,
    ) -> Result<(), Error<F::Error>> {
        let mut buffer = Buffer::new([0; MAX_RECORD]);
        let mut head = encode(change, slot, &mut buffer)?;
        head.pending = pending;
        let units = head.units(&self.state.geometry);
        if !pending {
            self.reserve(units).await?;
        }
        let mut at = self.emit_to_head(&mut buffer, head).await;
        if at.is_err() && !pending {
            // Once more on another page.
            self.state.head.tail = self.state.head.end;
            self.state.tail_unknown = false;
            self.reserve(units).await?;
            at = self.emit_to_head(&mut buffer, head).await;
        }
        let at = at.map_err(|error| self.failed(error))?;
        let units = u8::try_from(units).unwrap_or(u8::MAX);
        self.state.present = true;
        self.index
            .note(change, slot, at, units)
            .map_err(Error::Capacity)
    }

    /// After an error in the middle of a write: what is on flash is what counts.
    fn failed(&mut self, error: Error<F::Error>) -> Error<F::Error> {
        self.state.indexed = false;
        self.state.located = false;
        error
    }

    /// Makes room for `units` in the head page.
    async fn reserve(&mut self, units: u32) -> Result<(), Error<F::Error>> {
        if self.state.tail_unknown {
            self.reopen_tail().await?;
        }
        if self.state.head.room() >= units {
            return Ok(());
        }
        // With less than this live in the average page, one of them leaves enough room behind.
        let per_page = self.state.page_room().saturating_sub(units);
        let pages = u32::from(self.state.geometry.pages).wrapping_sub(1);
        let all = 0..pages
            .wrapping_add(1)
            .wrapping_mul(self.state.geometry.page_units());
        if self.index.live_units(&all) > pages.saturating_mul(per_page) {
            return Err(Error::StoreFull);
        }
        for _ in 0..self.state.geometry.pages {
            self.turn(false).await?;
            if self.state.head.room() >= units {
                return Ok(());
            }
        }
        Err(Error::StoreFull)
    }

    /// Goes on behind whatever a power cut or a failed program left: behind one blank unit, since
    /// the last word may be weaker than it looks, with a sync record that readers find.
    async fn reopen_tail(&mut self) -> Result<(), Error<F::Error>> {
        let Page { tail, end, .. } = self.state.head;
        let mut buffer = Buffer::new([0; MAX_RECORD]);
        let mut start = self.programmed_end(tail, end).await?;
        let unit = usize::try_from(self.state.geometry.unit()).unwrap_or_default();
        if start > tail
            && let Some(unit) = buffer.get_mut(..unit)
        {
            // A record that was begun is left out as a whole: units of ones look like erased ones.
            self.read(tail, unit).await.map_err(Error::Flash)?;
            let begun = unit.first_chunk().and_then(|first| Head::decode(*first));
            let units = begun.map_or(0, |head| head.units(&self.state.geometry));
            start = start.max(tail.saturating_add(units));
        }
        self.state.head.tail = start.saturating_add(1).min(end);
        let sync = Head::mark(Kind::Sync, 0);
        let synced = self.state.head.room() >= sync.units(&self.state.geometry)
            && self.emit_to_head(&mut buffer, sync).await.is_ok();
        if !synced {
            // The page is full, or as good as full.
            self.state.head.tail = end;
        }
        self.state.tail_unknown = false;
        Ok(())
    }

    /// Begins the next page: copies what is live in the oldest one, which then is the free page.
    /// With `pack`, goes on with what is live in the pages behind it, as long as it fits.
    async fn turn(&mut self, pack: bool) -> Result<(), Error<F::Error>> {
        let result = self.try_turn(pack).await;
        result.map_err(|error| self.failed(error))
    }

    async fn try_turn(&mut self, pack: bool) -> Result<(), Error<F::Error>> {
        let geometry = self.state.geometry;
        let head = self.state.head.number;
        let next = geometry.next(head, 1);
        let erases = self.erase_next().await?;
        let sequence = self.state.sequence.wrapping_add(1);
        let mut page = Page::new(&geometry, next, seed(sequence));
        let mut buffer = Buffer::new([0; MAX_RECORD]);
        let oldest = geometry.next(next, 1);
        let mut victim = oldest;
        loop {
            self.copy_live(victim, victim == oldest, &mut page, &mut buffer)
                .await?;
            victim = geometry.next(victim, 1);
            if !pack || victim == next || victim == oldest || oldest == head {
                break;
            }
        }
        if self.state.key_copies == KeyCopies::Two {
            self.copy_second(&mut page, &mut buffer).await?;
        }
        let counters = self.index.fixed.counters;
        let header = Header {
            page_size: geometry.page_size,
            pages: geometry.pages,
            shift: geometry.shift,
            flags: if self.state.present { PRESENT } else { 0 },
            sequence,
            erases,
            part: 0,
            parts: 0,
            home_dc_id: self.index.fixed.home_dc_id,
            counters,
        };
        self.commit(page, &header).await?;
        self.began(page, &header);
        Ok(())
    }

    /// A page's header is written.
    fn began(&mut self, page: Page, header: &Header) {
        self.state.begin(page, header);
        self.state.tail_unknown = false;
        self.index.fixed.written = header.counters;
    }

    /// Copies what is live in a page. What does not fit stays, unless it must go.
    async fn copy_live(
        &mut self,
        victim: u8,
        must: bool,
        page: &mut Page,
        buffer: &mut Buffer,
    ) -> Result<(), Error<F::Error>> {
        let units_of = self.state.geometry.page(victim);
        let mut n = 0;
        while let Some((slot, at, units)) = self.index.place(n) {
            n = n.saturating_add(1);
            let here = at != NOWHERE && units_of.contains(&u32::from(at));
            if !here || !must && page.room() < u32::from(units) {
                continue;
            }
            let head = self.load_live(slot, at, units, buffer).await?;
            let Some(head) = head else {
                self.state.damaged = self.state.damaged.saturating_add(1);
                self.index.moved(slot, NOWHERE, units);
                continue;
            };
            let at = self.emit(page, buffer, head).await?;
            self.index.moved(slot, at, units);
        }
        Ok(())
    }

    /// Brings a live record into the buffer, ready to be written elsewhere.
    async fn load_live(
        &mut self,
        slot: Slot,
        at: u16,
        units: u8,
        buffer: &mut Buffer,
    ) -> Result<Option<Head>, Error<F::Error>> {
        if let Slot::Channel(slot) = slot {
            let Some(channel) = self.index.channel_mut(slot).copied() else {
                return Ok(None);
            };
            let change = UpdateChange::Channel {
                id: channel.id(),
                pts: channel.pts,
            };
            return encode(&Change::Update(change), slot, buffer).map(Some);
        }
        let head = self.fetch(at, units, buffer).await?;
        Ok(head.map(|head| Head {
            pending: false,
            ..head
        }))
    }

    /// Gives every DC entry that has only one copy a second one in `page`, as far as there is room
    /// and the first is elsewhere.
    async fn copy_second(
        &mut self,
        page: &mut Page,
        buffer: &mut Buffer,
    ) -> Result<(), Error<F::Error>> {
        let own = self.state.geometry.page(page.number);
        let mut slot = 0;
        while let Some(dc) = self.index.dcs().get(usize::from(slot)).copied() {
            let [first, second] = dc.copies;
            let (at, missing) = if first == NOWHERE {
                (second, false)
            } else {
                (first, true)
            };
            let lacks_one = (first == NOWHERE) != (second == NOWHERE);
            if lacks_one
                && !own.contains(&u32::from(at))
                && page.room() >= u32::from(dc.units)
                && let Some(head) = self.fetch(at, dc.units, buffer).await?
            {
                let head = Head {
                    pending: false,
                    ..head
                };
                let at = self.emit(page, buffer, head).await?;
                self.index.moved(Slot::Dc(slot, missing), at, dc.units);
            }
            slot = slot.saturating_add(1);
        }
        Ok(())
    }

    /// With two copies of keys: writes the second one of a DC entry that was just stored.
    async fn copy_keys(&mut self, change: &Change<'_>) -> Result<(), Error<F::Error>> {
        if self.state.key_copies == KeyCopies::Two && matches!(change, Change::Dc(_)) {
            self.second_copies().await?;
        }
        Ok(())
    }

    /// Turns pages until every key is on two.
    pub(super) async fn second_copies(&mut self) -> Result<(), Error<F::Error>> {
        for _ in 0..self.state.geometry.pages {
            let single = |dc: &crate::index::DcEntry| dc.copies.contains(&NOWHERE);
            if !self.index.dcs().iter().any(single) {
                return Ok(());
            }
            self.turn(false).await?;
        }
        Ok(())
    }

    /// Carries out all changes or none.
    pub(super) async fn apply(&mut self, changes: &[Change<'_>]) -> Result<(), Error<F::Error>> {
        if let [change] = changes {
            return self.put(change).await;
        }
        self.ready().await?;
        let commit = Head::mark(Kind::Commit, 0);
        let mut units = commit.units(&self.state.geometry);
        {
            let mut buffer = Buffer::new([0; MAX_RECORD]);
            for change in changes {
                let change = self.absolute(change);
                let head = encode(&change, 0, &mut buffer)?;
                units = units.saturating_add(head.units(&self.state.geometry));
            }
        }
        let max = self.state.page_room();
        if units > max {
            let shift = self.state.geometry.shift;
            return Err(Error::BatchTooLarge {
                bytes: units << shift,
                max: max << shift,
            });
        }
        if changes.is_empty() {
            return Ok(());
        }
        self.reserve(units).await?;
        let start = self.state.head.tail;
        let in_page = start.wrapping_sub(self.state.geometry.page_at(self.state.head.number));
        let result = self.apply_pending(changes).await;
        result.map_err(|error| self.failed(error))?;
        if self.state.head.tail != start {
            let slot = u16::try_from(in_page).unwrap_or_default();
            let mut buffer = Buffer::new([0; MAX_RECORD]);
            let head = Head::mark(Kind::Commit, slot);
            let result = self.emit_to_head(&mut buffer, head).await;
            result.map_err(|error| self.failed(error))?;
        }
        for change in changes {
            self.copy_keys(change).await?;
        }
        Ok(())
    }

    async fn apply_pending(&mut self, changes: &[Change<'_>]) -> Result<(), Error<F::Error>> {
        for change in changes {
            let change = self.absolute(change);
            self.store(&change, true).await?;
        }
        Ok(())
    }

    /// A counters' change in the form that needs no base.
    fn absolute<'c>(&self, change: &Change<'c>) -> Change<'c> {
        if let Change::Update(update) = change
            && let Some(counters) = moved(self.index.fixed.counters, update)
        {
            return Change::Update(UpdateChange::Counters(counters));
        }
        *change
    }

    /// Replaces everything: writes the new session to pages of its own, the last of whose headers
    /// makes all of them count at once.
    pub(super) async fn save(
        &mut self,
        source: &impl SessionSource,
    ) -> Result<(), Error<F::Error>> {
        self.ready().await?;
        let parts = self.measure(source)?;
        // The pages behind the head must hold nothing that is live.
        let mut turns = 0_u8;
        while self.free_run() < parts {
            if turns >= self.state.geometry.pages.saturating_mul(2) {
                return Err(Error::StoreFull);
            }
            self.turn(true).await?;
            turns = turns.saturating_add(1);
        }
        let result = self.write_all(source, parts, PRESENT).await;
        result.map_err(|error| self.failed(error))?;
        if self.state.key_copies == KeyCopies::Two {
            self.second_copies().await?;
        }
        Ok(())
    }

    /// How many pages a session takes; checks everything that could keep it from being saved.
    fn measure(&self, source: &impl SessionSource) -> Result<u8, Error<F::Error>> {
        let geometry = self.state.geometry;
        let capacity = |len: usize, capacity: usize, field| {
            if len > capacity {
                Err(Error::Capacity(field))
            } else {
                Ok(())
            }
        };
        let [dcs, channels, peers, min_peers] = self.index.capacities();
        capacity(source.dcs().len(), dcs, Field::Dcs)?;
        capacity(source.channels().len(), channels, Field::Channels)?;
        capacity(source.peers().len(), peers, Field::Peers)?;
        capacity(source.min_peers().len(), min_peers, Field::MinPeers)?;
        let mut buffer = Buffer::new([0; MAX_RECORD]);
        let room = self.state.page_room();
        let (mut parts, mut left) = (1_u8, room);
        for (slot, change) in entries(source) {
            let units = encode(&change, slot, &mut buffer)?.units(&geometry);
            if units > left {
                parts = parts.saturating_add(1);
                left = room;
            }
            left = left.saturating_sub(units);
        }
        if parts >= geometry.pages {
            return Err(Error::StoreFull);
        }
        Ok(parts)
    }

    /// How many pages behind the head hold nothing that is live; at least the free one.
    fn free_run(&self) -> u8 {
        let geometry = self.state.geometry;
        let mut run = 1_u8;
        while run < geometry.pages.wrapping_sub(1) {
            let page = geometry.next(self.state.head.number, run.wrapping_add(1));
            if self.index.live_units(&geometry.page(page)) > 0 {
                break;
            }
            run = run.wrapping_add(1);
        }
        run
    }

    /// Writes a session to the `parts` pages behind the head.
    async fn write_all(
        &mut self,
        source: &impl SessionSource,
        parts: u8,
        flags: u8,
    ) -> Result<(), Error<F::Error>> {
        let geometry = self.state.geometry;
        let mut buffer = Buffer::new([0; MAX_RECORD]);
        let mut header = Header {
            page_size: geometry.page_size,
            pages: geometry.pages,
            shift: geometry.shift,
            flags,
            sequence: self.state.sequence.wrapping_add(1),
            erases: self.erase_next().await?,
            part: 1,
            parts,
            home_dc_id: source.home_dc_id(),
            counters: source.counters(),
        };
        let next = geometry.next(self.state.head.number, 1);
        let mut page = Page::new(&geometry, next, seed(header.sequence));
        self.index.clear();
        for (slot, change) in entries(source) {
            let head = encode(&change, slot, &mut buffer)?;
            let units = head.units(&geometry);
            if page.room() < units && header.part < parts {
                self.commit(page, &header).await?;
                self.began(page, &header);
                header.part = header.part.wrapping_add(1);
                header.sequence = header.sequence.wrapping_add(1);
                header.erases = self.erase_next().await?;
                let next = geometry.next(page.number, 1);
                page = Page::new(&geometry, next, seed(header.sequence));
            }
            let at = self.emit(&mut page, &mut buffer, head).await?;
            let units = u8::try_from(units).unwrap_or(u8::MAX);
            self.index
                .note(&change, slot, at, units)
                .map_err(Error::Capacity)?;
        }
        header.part = parts;
        self.commit(page, &header).await?;
        self.began(page, &header);
        self.index.fixed.counters = header.counters;
        self.index.fixed.home_dc_id = header.home_dc_id;
        self.state.lazy = 0;
        Ok(())
    }

    /// Deletes the session: an empty page takes over, then every other page is erased.
    pub(super) async fn delete(&mut self) -> Result<(), Error<F::Error>> {
        if !self.state.located {
            self.locate().await?;
        }
        let nothing = mtsession_core::FixedSession::<0, 0, 0, 0, 0>::new();
        let result = self.write_all(&nothing, 1, WIPE).await;
        result.map_err(|error| self.failed(error))?;
        self.state.indexed = true;
        self.finish_wipe().await
    }

    async fn finish_wipe(&mut self) -> Result<(), Error<F::Error>> {
        let geometry = self.state.geometry;
        for back in 1..geometry.pages {
            let page = geometry.previous(self.state.head.number, back);
            self.erase(page).await?;
        }
        if self.state.tail_unknown {
            self.reopen_tail().await?;
        }
        let mut buffer = Buffer::new([0; MAX_RECORD]);
        let head = Head::mark(Kind::Wiped, 0);
        self.emit_to_head(&mut buffer, head).await?;
        self.state.wipe = false;
        // The next page is erased once more when its turn comes, as all others: equal wear.
        self.state.next_erased = false;
        Ok(())
    }

    /// Begins an empty log; whatever the region holds is erased.
    pub(crate) async fn format(&mut self) -> Result<(), Error<F::Error>> {
        let geometry = self.state.geometry;
        let mut erases = 0;
        for page in 0..geometry.pages {
            if let Ok(Ok(header)) = self.header(page).await {
                erases = header.erases.max(erases);
            }
        }
        for page in 0..geometry.pages {
            self.erase(page).await?;
        }
        let header = Header {
            page_size: geometry.page_size,
            pages: geometry.pages,
            shift: geometry.shift,
            flags: 0,
            sequence: 1,
            erases: erases.saturating_add(1),
            part: 1,
            parts: 1,
            home_dc_id: 0,
            counters: Counters::default(),
        };
        let page = Page::new(&geometry, 0, seed(1));
        self.commit(page, &header).await?;
        self.index.clear();
        self.began(page, &header);
        self.state.chain = 1;
        self.state.located = true;
        self.state.indexed = true;
        Ok(())
    }

    /// Does in idle time what a put would have to wait for.
    pub(super) async fn maintain(&mut self) -> Result<(), Error<F::Error>> {
        self.ready().await?;
        if self.state.key_copies == KeyCopies::Two {
            self.second_copies().await?;
        }
        let record = u32::try_from(MAX_RECORD).unwrap_or_default();
        let enough = self.state.geometry.units(record);
        for _ in 0..self.state.geometry.pages {
            // In a page's first half no turn is near; a device that starts over and over does not
            // erase each time.
            if self.state.head.room() >= enough.max(self.state.page_room() >> 1) {
                break;
            }
            self.erase_next().await?;
            let victim = self.state.geometry.next(self.state.head.number, 2);
            let victim = self.state.geometry.page(victim);
            let live = self.index.live_units(&victim);
            if self.state.page_room().saturating_sub(live) >= enough {
                break;
            }
            // The next turn would leave too little room, and the one behind it would erase.
            self.turn(false).await?;
        }
        Ok(())
    }
}

/// Where an entry is.
enum Known {
    /// On flash, with the same content.
    Same,
    At(u16),
    No,
}

/// Everything that a saved session has records for, with its slots. Counters and home DC are in the
/// header.
fn entries<S: SessionSource>(source: &S) -> impl Iterator<Item = (u16, Change<'_>)> {
    let account = source.account();
    let account = (!account.is_empty()).then_some((0, Change::Account(account)));
    let token = source.future_auth_token();
    let token = token.map(|token| (0, Change::FutureAuthToken(Some(token))));
    let channel = |ChannelPts { id, pts }| Change::Update(UpdateChange::Channel { id, pts });
    (0..)
        .zip(source.dcs().map(Change::Dc))
        .chain(account)
        .chain(token)
        .chain((0..).zip(source.channels().map(channel)))
        .chain((0..).zip(source.peers().map(Change::Peer)))
        .chain((0..).zip(source.min_peers().map(Change::MinPeer)))
}

/// Encodes a change as a record's payload.
fn encode<E>(change: &Change<'_>, slot: u16, buffer: &mut Buffer) -> Result<Head, Error<E>> {
    record::encode(change, slot, buffer).ok_or(Error::RecordTooLarge(field(change)))
}

/// Decodes a record that was fetched.
fn decode(buffer: &Buffer, head: Head) -> Option<Change<'_>> {
    record::decode(head, record::payload_of(buffer.as_slice(), head))
}

const fn field(change: &Change<'_>) -> Field {
    match change {
        Change::Dc(_) => Field::Dcs,
        Change::FutureAuthToken(_) => Field::Token,
        _ => Field::Change,
    }
}
