//! Makes the image of a device's region on a PC and reads it back.
//!
//! ```sh
//! cargo run -p mtsession-embedded --example provision -- image.bin session.txt   # that session string
//! cargo run -p mtsession-embedded --example provision -- image.bin               # a device that logs in itself
//! ```
//!
//! The string may be of any client library that `mtsession` knows. `mtsession convert` does the same with
//! any store: this is for a factory's own program.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use mtsession_core::foreign::detect;
use mtsession_core::{Change, DcFlags, DcRef, FixedSession, SessionMut as _, SessionSource as _};
use mtsession_embedded::image::{self, Layout};

/// The region and the chip that the firmware has: here an nRF52840, or an ESP32-C3.
const REGION: usize = 16 * 1024;
const CHIP: Layout = Layout {
    write: 4,
    erase: 4096,
};

/// What the firmware holds a session in: what does not fit there is of no use in the image.
type Session = FixedSession<6, 32, 64, 16, 64>;
type Failure = Box<dyn core::error::Error>;

/// A device that is not logged in: it knows where to begin.
fn prepared() -> Result<Session, Failure> {
    let mut session = Session::new();
    session.set_home_dc_id(2);
    let addr = "149.154.167.51:443";
    session.apply(&Change::Dc(DcRef {
        dc_id: 2,
        addr,
        auth_key: None,
        first_salt: 0,
        time_offset: 0,
        flags: DcFlags::NONE,
    }))?;
    Ok(session)
}

/// The session of a string.
fn of_string(path: &Path) -> Result<Session, Failure> {
    let text = fs::read_to_string(path)?;
    let mut buffer = vec![0; text.len()];
    let mut session = Session::new();
    session.copy_from(&detect(&text, &mut buffer)?)?;
    Ok(session)
}

fn write(path: &Path, image: &[u8]) -> Result<(), Failure> {
    // It holds keys: nobody else may read it.
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(image)?;
    Ok(())
}

/// Makes an image; the DCs of it that have keys.
///
/// # Errors
///
/// No such string, or an image that is there already.
pub(crate) fn run(to: &Path, string: Option<&Path>) -> Result<usize, Failure> {
    let session = match string {
        Some(path) => of_string(path)?,
        None => prepared()?,
    };
    let image = image::provision(REGION, CHIP, &session)?;
    write(to, &image)?;

    // As a dump of a device is read: where the log is and how the chip is built is in its headers.
    let dump = fs::read(to)?;
    let found = image::find(&dump, None).ok_or("no log in the image")?;
    let mut back = Session::new();
    let image = dump.get(found.region.clone()).unwrap_or_default();
    let report = image::load(image, found.layout, &mut back)?;
    if !report.present || !back.dcs().eq(session.dcs()) || back.counters() != session.counters() {
        return Err("the image does not hold the session".into());
    }
    let keys = back.dcs().filter(|dc| dc.auth_key.is_some()).count();
    println!(
        "{:#x?}, pages of {}: home DC {}, {keys} keys",
        found.region,
        found.layout.erase,
        back.home_dc_id()
    );
    Ok(keys)
}

#[allow(dead_code, reason = "its test calls `run`")]
fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args_os().skip(1);
    let to = arguments
        .next()
        .ok_or("say what to make: provision IMAGE [STRING-FILE]")?;
    let string = arguments.next();
    run(to.as_ref(), string.as_deref().map(Path::new))?;
    Ok(())
}
