//! Decode, copy, apply, encode and journal a session, in a program whose panic handler calls a symbol
//! that does not exist. It links if, and only if, no panic can be reached.

#![no_std]
#![no_main]

use mtsession_core::clients::{Login, StringFormat, TelethonIpv6, detect};
use mtsession_core::text::{decode_any, encode_native};
use mtsession_core::wire::encode_to_slice;
use mtsession_core::{Change, Decoded, FixedSession, SessionMut, SessionSource, SessionView, WhenFull};

type Device = FixedSession<6, 32, 64, 16, 64>;

unsafe extern "C" {
    fn a_panic_can_be_reached() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: never run: the program does not link when this is reachable.
    unsafe { a_panic_can_be_reached() }
}

/// What the program works on; the linker must not know what is in it.
#[unsafe(no_mangle)]
static mut INPUT: [u8; 4096] = [0; 4096];
#[unsafe(no_mangle)]
static mut INPUT_LEN: usize = 0;
#[unsafe(no_mangle)]
static mut OUTPUT: [u8; 8192] = [0; 8192];

#[unsafe(no_mangle)]
pub extern "C" fn _start() -> ! {
    // SAFETY: there is one thread, and this is its only function.
    let (input, len, output) = unsafe {
        (
            &*&raw const INPUT,
            (&raw const INPUT_LEN).read_volatile(),
            &mut *&raw mut OUTPUT,
        )
    };
    let input = input.get(..len).unwrap_or_default();
    let mut session = Device::new().when_full(WhenFull::EvictOldest);
    let mut done = decode(input, &mut session);
    done += journal(input, &mut session, output);
    done += strings(input, &mut session, output);
    done += foreign(input, &mut session, output);
    done += encode_to_slice(&session, output).map_or(0, |bytes| bytes.len());
    done += session
        .dc_for(session.home_dc_id(), false)
        .map_or(0, |dc| dc.addr.len());
    #[cfg(feature = "control")]
    {
        done += usize::from(input[done]);
    }
    // SAFETY: see above.
    unsafe { (&raw mut INPUT_LEN).write_volatile(done) };
    loop {
        core::hint::spin_loop();
    }
}

// Not inlined, so that what reaches a panic after a change can be told by its name.

#[inline(never)]
fn decode(input: &[u8], session: &mut Device) -> usize {
    let Ok(view) = SessionView::parse(input) else {
        return 0;
    };
    usize::from(session.copy_from(&view).is_ok()) + view.stats().peers
}

#[inline(never)]
fn journal(input: &[u8], session: &mut Device, output: &mut [u8]) -> usize {
    let mut done = 0;
    let mut rest = input;
    while let Ok((change, more)) = Change::decode(rest) {
        done += usize::from(session.apply(&change).is_ok());
        done += change.encode(output).map_or(0, |bytes| bytes.len());
        rest = more;
    }
    done
}

#[inline(never)]
fn strings(input: &[u8], session: &mut Device, output: &mut [u8]) -> usize {
    let Ok(text) = core::str::from_utf8(input) else {
        return 0;
    };
    let Ok(any) = decode_any(text, output) else {
        return 0;
    };
    let copied = usize::from(session.copy_from(&any).is_ok());
    let mut text = heapless::Vec::<u8, 8192>::new();
    let encoded = match any {
        Decoded::Native(_) | Decoded::Client(..) => encode_native(session, &mut text).is_ok(),
        Decoded::Compact(compact) => compact.encode(&mut text).is_ok(),
    };
    copied + usize::from(encoded)
}

#[inline(never)]
fn foreign(input: &[u8], session: &mut Device, output: &mut [u8]) -> usize {
    let Ok(text) = core::str::from_utf8(input) else {
        return 0;
    };
    let Ok(detected) = detect(text, output) else {
        return 0;
    };
    let mut done = usize::from(session.copy_from(&detected).is_ok());
    let Ok(login) = Login::from_source(session) else {
        return done;
    };
    for format in StringFormat::ALL {
        let mut text = heapless::Vec::<u8, 512>::new();
        let encoded = login.encode(format, TelethonIpv6::Replace, &mut text);
        done += usize::from(encoded.is_ok()) + text.len();
    }
    done
}
