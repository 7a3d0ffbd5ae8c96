//! For QEMU's riscv32 `virt` machine: mounts the log in the flash bank whose image file outlives the
//! emulator, prints what it found, then applies updates for ever and prints each acknowledged one.
//! The runner kills the emulator at any moment and compares.
#![no_std]
#![no_main]

mod cfi;

use cfi::Cfi;
use mtsession_core::{
    AuthKeyRef, Change, DcFlags, DcRef, FixedSession, SessionSource, UpdateChange,
};
use mtsession_embedded::{Error, SessionLog, Started};
use semihosting::println;

type Failure = Error<embedded_storage::nor_flash::NorFlashErrorKind>;

const REGION: core::ops::Range<u32> = 0..3 * 256 * 1024;

#[riscv_rt::entry]
fn main() -> ! {
    // SAFETY: the only driver of the bank.
    let flash = unsafe { Cfi::new() };
    if let Err(error) = run(flash) {
        println!("failed {error}");
    }
    semihosting::process::exit(1)
}

/// What a key was made from: its first bytes count the saves.
fn key(count: u32) -> [u8; 256] {
    core::array::from_fn(|n| count.to_le_bytes()[n % 4] ^ n as u8)
}

fn count_of(key: &[u8; 256]) -> Option<u32> {
    let count = u32::from_le_bytes([key[0], key[1] ^ 1, key[2] ^ 2, key[3] ^ 3]);
    (self::key(count) == *key).then_some(count)
}

fn run(flash: Cfi) -> Result<(), Failure> {
    let mut log = SessionLog::<_>::new(flash, REGION);
    if log.mount_or_format()? == Started::Formatted {
        println!("formats");
    }
    let mut session = FixedSession::<6, 32, 64, 0, 0>::new();
    let there = log.load(&mut session)?;
    let dc = session.dc_for(2, false);
    let keys = dc.and_then(|dc| dc.auth_key).map(|key| count_of(key.as_bytes()));
    let mut keys = match keys {
        Some(Some(count)) => count,
        Some(None) => return Err(Error::Corrupt),
        None => 0,
    };
    let mut pts = session.counters().pts;
    println!("found {there} keys {keys} pts {pts} home {}", session.home_dc_id());
    loop {
        keys += 1;
        let bytes = key(keys);
        let dc = DcRef {
            dc_id: 2,
            addr: "149.154.167.51:443",
            auth_key: Some(AuthKeyRef::new(&bytes)),
            first_salt: i64::from(keys),
            time_offset: 0,
            flags: DcFlags::NONE,
        };
        log.append(&Change::Dc(dc))?;
        println!("keys {keys}");
        if keys % 20 == 0 {
            log.load(&mut session)?;
            log.save(&session)?;
            println!("saved {keys}");
        }
        for _ in 0..200 {
            pts += 1;
            let date = 1_750_000_000 + pts;
            log.append(&Change::Update(UpdateChange::Primary { pts, date, seq: 1 }))?;
            println!("pts {pts}");
        }
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    println!("failed {info}");
    semihosting::process::exit(1)
}
