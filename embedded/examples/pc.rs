//! A device on a PC: its flash is a file, everything else is as in a firmware.
//!
//! ```sh
//! cargo run -p mtsession-embedded --example pc -- flash.bin     # first start: formats, "logs in"
//! cargo run -p mtsession-embedded --example pc -- flash.bin     # goes on where the last one ended
//! mtsession inspect flash:flash.bin                             # what a dump of the device shows
//! ```

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read,
    check_write,
};
use mtsession_core::{
    AuthKeyRef, Change, DcFlags, DcRef, FixedSession, SessionMut as _, SessionSource as _,
    UpdateChange,
};
use mtsession_embedded::SessionLog;

/// The region: four pages. On a chip, where `memory.x` or the partition table has room for it.
const REGION: core::ops::Range<u32> = 0..4 * 4096;

/// A file that is written as flash is: programs turn ones to zeros, pages are erased as a whole.
pub(crate) struct FileFlash {
    file: File,
    len: usize,
}

/// What went wrong with the file, as `NorFlash` wants to have it.
#[derive(Debug)]
pub(crate) enum FileError {
    /// The file could not be read or written.
    Io(io::Error),
    /// The call was wrong.
    Rule(NorFlashErrorKind),
}

impl core::fmt::Display for FileError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Io(error) => write!(f, "{error}"),
            Self::Rule(kind) => write!(f, "{kind:?}"),
        }
    }
}

impl core::error::Error for FileError {}

impl NorFlashError for FileError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::Io(_) => NorFlashErrorKind::Other,
            Self::Rule(kind) => *kind,
        }
    }
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<NorFlashErrorKind> for FileError {
    fn from(kind: NorFlashErrorKind) -> Self {
        Self::Rule(kind)
    }
}

impl FileFlash {
    /// Opens a file, or makes an erased one.
    ///
    /// # Errors
    ///
    /// It cannot be opened.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let len = REGION.len();
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        if file.metadata()?.len() == 0 {
            file.write_all(&vec![0xFF; len])?;
        }
        Ok(Self { file, len })
    }

    fn at(&mut self, offset: u32) -> io::Result<&mut File> {
        self.file.seek(SeekFrom::Start(offset.into()))?;
        Ok(&mut self.file)
    }
}

impl ErrorType for FileFlash {
    type Error = FileError;
}

impl ReadNorFlash for FileFlash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FileError> {
        check_read(self, offset, bytes.len())?;
        Ok(self.at(offset)?.read_exact(bytes)?)
    }

    fn capacity(&self) -> usize {
        self.len
    }
}

impl NorFlash for FileFlash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FileError> {
        check_erase(self, from, to)?;
        let blank = vec![0xFF; (from..to).len()];
        self.at(from)?.write_all(&blank)?;
        Ok(self.file.sync_data()?)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FileError> {
        check_write(self, offset, bytes.len())?;
        let mut cells = vec![0; bytes.len()];
        self.at(offset)?.read_exact(&mut cells)?;
        for (cell, byte) in cells.iter_mut().zip(bytes) {
            *cell &= byte;
        }
        self.at(offset)?.write_all(&cells)?;
        Ok(self.file.sync_data()?)
    }
}

/// One start of the device; the pts that it ends with.
///
/// # Errors
///
/// The flash, or what is in it. An error never formats anything.
pub(crate) fn run(path: &Path) -> Result<i32, Box<dyn core::error::Error>> {
    let flash = FileFlash::open(path)?;
    let mut log = SessionLog::<_>::new(flash, REGION);
    println!("{:?}", log.mount_or_format()?);

    let mut session = FixedSession::<6, 32, 64, 16, 64>::new();
    if !log.load(&mut session)? {
        // A client would log in here.
        let key = [7; 256];
        session.set_home_dc_id(2);
        session.apply(&Change::Dc(DcRef {
            dc_id: 2,
            addr: "149.154.167.51:443",
            auth_key: Some(AuthKeyRef::new(&key)),
            first_salt: 5,
            time_offset: 0,
            flags: DcFlags::NONE,
        }))?;
        log.save(&session)?;
        println!("logged in");
    }
    for _ in 0..100 {
        // An update came: to RAM and to flash.
        let counters = session.counters();
        let change = Change::Update(UpdateChange::Primary {
            pts: counters.pts.saturating_add(1),
            date: counters.date,
            seq: counters.seq,
        });
        session.apply(&change)?;
        log.append(&change)?;
    }
    // Nothing else to do.
    log.maintain()?;
    let stats = log.stats()?;
    let pts = session.counters().pts;
    println!(
        "home DC {}, pts {pts}, {} page turns so far",
        session.home_dc_id(),
        stats.turns
    );
    Ok(pts)
}

#[allow(dead_code, reason = "its test calls `run`")]
fn main() -> Result<(), Box<dyn core::error::Error>> {
    let path = std::env::args_os()
        .nth(1)
        .ok_or("say where the flash is: pc FILE")?;
    run(path.as_ref())?;
    Ok(())
}
