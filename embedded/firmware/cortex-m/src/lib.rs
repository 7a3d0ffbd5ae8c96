//! What the programs share: a flash in RAM that keeps the rules, and the end of a program.
#![no_std]

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};
use mtsession_core::{AuthKeyRef, ChannelPts, DcFlags, DcRef, Full, Peer, SessionMut};

/// Bytes of the region.
pub const SIZE: usize = 16 * 1024;

/// A flash with the nRF52840's geometry.
pub struct Ram(pub &'static mut [u8; SIZE]);

impl ErrorType for Ram {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Ram {
    const READ_SIZE: usize = 4;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        let at = offset as usize;
        let from = self.0.get(at..at.wrapping_add(bytes.len()));
        for (byte, from) in bytes.iter_mut().zip(from.unwrap_or_default()) {
            *byte = *from;
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        SIZE
    }
}

impl NorFlash for Ram {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        if let Some(page) = self.0.get_mut(from as usize..to as usize) {
            page.fill(0xFF);
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        let at = offset as usize;
        let to = self.0.get_mut(at..at.wrapping_add(bytes.len()));
        for (to, byte) in to.unwrap_or_default().iter_mut().zip(bytes) {
            *to &= *byte;
        }
        Ok(())
    }
}

#[cfg(feature = "async")]
impl embedded_storage_async::nor_flash::ReadNorFlash for Ram {
    const READ_SIZE: usize = 4;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        ReadNorFlash::read(self, offset, bytes)
    }

    fn capacity(&self) -> usize {
        SIZE
    }
}

#[cfg(feature = "async")]
impl embedded_storage_async::nor_flash::NorFlash for Ram {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        NorFlash::erase(self, from, to)
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        NorFlash::write(self, offset, bytes)
    }
}

/// The region, handed out once.
pub fn region() -> Option<Ram> {
    cortex_m::singleton!(: [u8; SIZE] = [0xFF; SIZE]).map(Ram)
}

/// Fills the session of a client with 5 DCs, 32 channels and 64 peers.
pub fn login(session: &mut impl SessionMut) -> Result<(), Full> {
    let key = core::array::from_fn(|n| n as u8);
    session.reset();
    session.set_home_dc_id(2);
    (1..=5).try_for_each(|n| session.put_dc(&dc(n, &key)))?;
    (0..32).try_for_each(|n| session.put_channel(ChannelPts { id: channel(n), pts: 1000 }))?;
    (0..64).try_for_each(|n| session.put_peer(peer(n, i64::from(n) << 40)))
}

pub fn dc(n: i32, key: &[u8; 256]) -> DcRef<'_> {
    DcRef {
        dc_id: n,
        addr: "149.154.167.51:443",
        auth_key: Some(AuthKeyRef::new(key)),
        first_salt: 0x1234_5678_9ABC,
        time_offset: 0,
        flags: DcFlags::NONE,
    }
}

pub fn channel(n: u32) -> i64 {
    1_500_000_000 + i64::from(n) * 1013
}

pub fn peer(n: u32, access_hash: i64) -> Peer {
    Peer { id: 5_000_000_000 + i64::from(n) * 777, access_hash, ..Peer::default() }
}

/// The flash in RAM never waits.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return done;
        }
    }
}

#[cfg(not(feature = "demo"))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    #[cfg(feature = "no-panic")]
    {
        unsafe extern "C" {
            fn mtsession_must_not_panic() -> !;
        }
        // SAFETY: never runs; there is no such function, so a program that gets here does not link.
        unsafe { mtsession_must_not_panic() }
    }
    #[cfg(not(feature = "no-panic"))]
    loop {}
}
