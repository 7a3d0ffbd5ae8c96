//! Everything but the log: what the sizes of the other programs are measured against.
#![no_std]
#![no_main]

use core::hint::black_box;

use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};

#[cortex_m_rt::entry]
fn main() -> ! {
    if let Some(mut flash) = firmware_cortex_m::region() {
        let mut bytes = [0; 4];
        let _ = flash.erase(0, 4096);
        let _ = flash.write(0, &[1; 4]);
        let _ = flash.read(0, &mut bytes);
        black_box(bytes);
    }
    loop {}
}
