//! As `empty`, with the caller's own session: one in fixed memory, that is filled, changed and read by
//! its own methods. What the log adds to such a firmware is what it costs.
#![no_std]
#![no_main]

use core::hint::black_box;

use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
use mtsession_core::{Change, FixedSession, Full, SessionMut, SessionSource};

#[cortex_m_rt::entry]
fn main() -> ! {
    if let Some(mut flash) = firmware_cortex_m::region() {
        let mut bytes = [0; 4];
        let _ = flash.erase(0, 4096);
        let _ = flash.write(0, &[1; 4]);
        let _ = flash.read(0, &mut bytes);
        black_box(bytes);
        let mut session = FixedSession::<6, 32, 64, 16, 32>::new();
        let _ = black_box(fill(&mut session));
        read(&session);
    }
    loop {}
}

/// What a client does with its session.
fn fill(session: &mut impl SessionMut<Error = Full>) -> Result<(), Full> {
    session.reset();
    while let Some(change) = black_box(None::<Change<'_>>) {
        session.apply(&change)?;
    }
    Ok(())
}

fn read(session: &impl SessionSource) {
    black_box((session.home_dc_id(), session.counters(), session.account()));
    black_box(session.future_auth_token());
    black_box(session.dc_for(2, false));
    for dc in session.dcs() {
        black_box(dc);
    }
    for peer in session.peers() {
        black_box(peer);
    }
    for min_peer in session.min_peers() {
        black_box(min_peer);
    }
    for channel in session.channels() {
        black_box(channel);
    }
}
