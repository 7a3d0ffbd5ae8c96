//! For QEMU's mps2-an386: a login, updates, a restart, with log output over semihosting.
#![no_std]
#![no_main]

use defmt_semihosting as _;
use firmware_cortex_m::{Ram, SIZE};
use mtsession_core::{
    AuthKeyRef, Change, DcFlags, DcRef, FixedSession, SessionSource, UpdateChange,
};
use mtsession_embedded::{Error, SessionLog};

type Session = FixedSession<6, 32, 64, 16, 32>;
type Failure = Error<embedded_storage::nor_flash::NorFlashErrorKind>;

#[cortex_m_rt::entry]
fn main() -> ! {
    defmt::info!(
        "RAM: log {=usize} bytes beside its driver, session of 6 DCs, 32 channels, 64 peers {=usize} bytes",
        size_of::<SessionLog<Ram>>() - size_of::<Ram>(),
        size_of::<FixedSession<6, 32, 64, 0, 0>>(),
    );
    let result = firmware_cortex_m::region().map(run);
    match result {
        Some(Ok(())) => semihosting::process::exit(0),
        Some(Err(error)) => defmt::error!("{}", defmt::Display2Format(&error)),
        None => {}
    }
    semihosting::process::exit(1)
}

fn run(mut flash: Ram) -> Result<(), Failure> {
    let region = 0..SIZE as u32;
    let mut log = SessionLog::<_>::new(&mut flash, region.clone());
    defmt::info!("first start: {}", log.mount_or_format()?);
    let key = [7; 256];
    log.append(&Change::Dc(DcRef {
        dc_id: 2,
        addr: "149.154.167.51:443",
        auth_key: Some(AuthKeyRef::new(&key)),
        first_salt: 5,
        time_offset: 0,
        flags: DcFlags::NONE,
    }))?;
    log.append(&Change::HomeDc(2))?;
    for pts in 1..=5000 {
        let date = 1_750_000_000 + pts;
        log.append(&Change::Update(UpdateChange::Primary { pts, date, seq: 1 }))?;
    }
    defmt::info!("{}", log.stats()?);
    drop(log);
    let mut session = Session::new();
    let mut log = SessionLog::<_>::new(&mut flash, region);
    let there = log.load(&mut session)?;
    let dc = session.dc_for(2, false);
    defmt::info!("after a restart: session {=bool}, pts {=i32}, {}", there, session.counters().pts, dc);
    let right = there && session.counters().pts == 5000 && dc.is_some_and(|dc| dc.auth_key.is_some());
    if right { Ok(()) } else { Err(Error::Corrupt) }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    defmt::error!("{}", defmt::Display2Format(info));
    semihosting::process::exit(1)
}
