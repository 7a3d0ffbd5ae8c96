//! How much stack each call takes: what is below the caller is painted before it, and looked at after.
//! And how much RAM the objects take, the futures of the async twin among them.
#![no_std]
#![no_main]

use core::hint::black_box;

use firmware_cortex_m::peers::{block_on, channel, login, peer};
use firmware_cortex_m::{Ram, SIZE};
use mtsession_core::{Change, FixedSession, UpdateChange};
use mtsession_embedded::{SessionLog, asynchronous};
use semihosting::println;

type Session = FixedSession<6, 32, 64, 16, 32>;

/// Bytes that are painted.
const DEPTH: usize = 16 * 1024;
const PAINT: u8 = 0xA5;
/// The painter's own frame is not painted.
const OWN: usize = 64;

/// Runs `call` and says how many bytes below the caller it wrote to.
#[inline(never)]
fn depth<T>(call: impl FnOnce() -> T) -> (usize, T) {
    let top = cortex_m::register::msp::read() as usize - OWN;
    for at in top - DEPTH..top {
        // SAFETY: RAM below the stack pointer, which nothing else uses: interrupts are off.
        unsafe { core::ptr::write_volatile(at as *mut u8, PAINT) };
    }
    let result = call();
    // SAFETY: as above.
    let is_paint = |at: &usize| unsafe { core::ptr::read_volatile(*at as *const u8) } == PAINT;
    let untouched = (top - DEPTH..top).take_while(is_paint).count();
    (DEPTH - untouched + OWN, result)
}

#[cortex_m_rt::entry]
fn main() -> ! {
    cortex_m::interrupt::disable();
    let done = firmware_cortex_m::region().and_then(measure);
    semihosting::process::exit(i32::from(done.is_none()))
}

fn measure(mut flash: Ram) -> Option<()> {
    let mut session = Session::new();
    login(&mut session).ok()?;
    let region = 0..SIZE as u32;
    let mut log = SessionLog::<_>::new(&mut flash, region);
    log.reformat().ok()?;
    log.save(&session).ok()?;

    let (mount, mounted) = depth(|| log.open().map(drop));
    mounted.ok()?;
    let (load, loaded) = depth(|| log.load(&mut session));
    let mut append = 0;
    for pts in 0..5000 {
        let change = change(pts);
        let (bytes, done) = depth(|| log.append(black_box(&change)));
        done.ok()?;
        append = append.max(bytes);
    }
    let (save, saved) = depth(|| log.save(&session));
    (loaded.ok()?, saved.ok()?);
    println!("stack of mount {mount}, load {load}, append {append}, save {save} bytes");
    drop(log);
    println!(
        "RAM of the log {} bytes beside its driver and session, of a session of 6 DCs, 32 channels, 64 peers {}",
        size_of::<SessionLog<Ram>>() - size_of::<Ram>() - size_of::<FixedSession<6, 32, 64, 16, 64>>(),
        size_of::<FixedSession<6, 32, 64, 0, 0>>(),
    );
    futures(flash, &mut session)
}

fn futures(flash: Ram, session: &mut Session) -> Option<()> {
    let mut log = asynchronous::SessionLog::<_>::new(flash, 0..SIZE as u32);
    let mount = log.open();
    let size = size_of_val(&mount);
    block_on(mount).ok()?;
    let load = size_of_val(&log.load(session));
    let append = size_of_val(&log.append(&change(1)));
    let save = size_of_val(&log.save(session));
    println!("futures of mount {size}, load {load}, append {append}, save {save} bytes");
    Some(())
}

fn change(n: i32) -> Change<'static> {
    match n % 10 {
        0 => Change::Peer(peer(n as u32 % 50, n.into())),
        1 | 2 => Change::Update(UpdateChange::Channel { id: channel(n as u32 % 30), pts: n }),
        _ => Change::Update(UpdateChange::Primary { pts: n, date: 1_750_000_000, seq: 1 }),
    }
}
