//! `ekv`, a transaction for each change.

use core::cell::RefCell;
use std::rc::Rc;

use ekv::flash::PageID;
use ekv::{Config, Database};
use embassy_sync_06::blocking_mutex::raw::NoopRawMutex;
use embedded_storage_async::nor_flash::{NorFlash, ReadNorFlash};
use mtsession_embedded::sim::{Chip, ChipError, OwnedChange, workload};

use super::{Meter, PEERS, UPDATES, Wear, block_on, changes, fresh, key, minus, value};

pub(super) fn run<const W: usize, const E: usize>(size: usize) -> Option<Wear> {
    let (mut dice, mut session) = fresh();
    let mut chip = Chip::<W, E>::new(size);
    // Its buffers are anywhere in memory.
    chip.ram_align = 1;
    let chip = Rc::new(RefCell::new(chip));
    let mut buffer = [0; 512];
    let open = |seed| {
        let mut config = Config::default();
        config.random_seed = seed;
        Database::new(Flash(Rc::clone(&chip)), config)
    };
    let counts = || chip.borrow().counts;
    let erases = || chip.borrow().erases.clone();

    let database = open(1);
    block_on(database.format()).ok()?;
    for change in changes(&session) {
        put(&database, &change, &mut buffer)?;
    }
    let mut meter = Meter::start(counts(), &erases());
    for _ in 0..UPDATES {
        let change = workload(&mut dice, &mut session, PEERS);
        put(&database, &change, &mut buffer)?;
        meter.note(counts());
    }
    drop(database);
    let mut wear = meter.finish(counts(), &erases());
    let before = counts();
    let database = open(2);
    block_on(database.mount()).expect("a database");
    for change in changes(&session) {
        let transaction = block_on(database.read_transaction());
        let key = key(&change.as_ref()).to_be_bytes();
        block_on(transaction.read(&key, &mut buffer)).expect("what was stored is found");
    }
    wear.boot = minus(counts(), before);
    Some(wear)
}

fn put<const W: usize, const E: usize>(
    database: &Database<Flash<W, E>, NoopRawMutex>,
    change: &OwnedChange,
    buffer: &mut [u8],
) -> Option<()> {
    let change = change.as_ref();
    let value = value(&change, buffer);
    let mut transaction = block_on(database.write_transaction());
    block_on(transaction.write(&key(&change).to_be_bytes(), value)).ok()?;
    block_on(transaction.commit()).ok()
}

/// The chip, counted while the database has it.
struct Flash<const W: usize, const E: usize>(Rc<RefCell<Chip<W, E>>>);

#[allow(clippy::await_holding_refcell_ref, reason = "the chip never waits")]
impl<const W: usize, const E: usize> ekv::flash::Flash for Flash<W, E> {
    type Error = ChipError;

    fn page_count(&self) -> usize {
        self.0.borrow().bytes.len() / E
    }

    async fn erase(&mut self, page: PageID) -> Result<(), ChipError> {
        let from = offset::<E>(page, 0);
        self.0.borrow_mut().erase(from, from + E as u32).await
    }

    async fn read(&mut self, page: PageID, at: usize, data: &mut [u8]) -> Result<(), ChipError> {
        let at = offset::<E>(page, at);
        self.0.borrow_mut().read(at, data).await
    }

    async fn write(&mut self, page: PageID, at: usize, data: &[u8]) -> Result<(), ChipError> {
        let at = offset::<E>(page, at);
        self.0.borrow_mut().write(at, data).await
    }
}

fn offset<const E: usize>(page: PageID, at: usize) -> u32 {
    u32::try_from(page.index() * E + at).expect("within the chip")
}
