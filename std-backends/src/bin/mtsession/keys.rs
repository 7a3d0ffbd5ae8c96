//! The keys of sealed sessions that the command line names. Never a key itself: it would be seen by other users
//! and stay in a shell's history.

use std::fs;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use mtsession::codec::seal::is_sealed;
use mtsession::seal::{Kek, Key, KeySlot, KeySource, NewSlot, Passphrase, StoreId};
use mtsession::{Address, Location, Shown, StoreOptions};

use crate::Done;
use crate::failure::Failure;
use crate::output;
use crate::store::Store;

/// Which keys open and seal sessions.
#[derive(Debug, clap::Args)]
pub(crate) struct KeyArgs {
    /// A file with a key that opens sealed sessions, and seals new ones; otherwise the file that
    /// `MTSESSION_KEY_FILE` names
    #[arg(long, global = true, value_name = "FILE")]
    key_file: Vec<PathBuf>,
    /// Ask for a passphrase that opens sealed sessions, and seals new ones
    #[arg(long, global = true)]
    passphrase: bool,
    /// The key in the system's keyring, which this release does not read
    #[arg(long, global = true)]
    keyring: bool,
    /// Store the sessions that are made plain, although they come from sealed ones
    #[arg(long, global = true)]
    plain: bool,
}

/// The variable with the name of a key file.
const VARIABLE: &str = "MTSESSION_KEY_FILE";

static GIVEN: OnceLock<Given> = OnceLock::new();

#[derive(Default)]
struct Given {
    keys: Vec<Shared>,
    files: Vec<PathBuf>,
    is_plain: bool,
}

/// A key that several stores are opened with.
#[derive(Clone)]
pub(crate) struct Shared(Arc<dyn KeySource>);

impl Shared {
    pub(crate) fn of(key: Arc<dyn KeySource>) -> Self {
        Self(key)
    }
}

impl KeySource for Shared {
    fn kek(&self, store: &StoreId, slot: &KeySlot<'_>) -> io::Result<Option<Kek>> {
        self.0.kek(store, slot)
    }

    fn new_slot(&self, store: &StoreId) -> io::Result<NewSlot> {
        self.0.new_slot(store)
    }
}

/// Reads the keys that were named, before anything else is done.
pub(crate) fn read(args: &KeyArgs) -> Done {
    if args.keyring {
        let message = "the system's keyring is not read by this release: use --key-file or --passphrase";
        return Err(Failure::Usage(message.to_owned()));
    }
    let mut files = args.key_file.clone();
    if files.is_empty() && !args.passphrase {
        files.extend(std::env::var_os(VARIABLE).map(PathBuf::from));
    }
    let mut keys = keys_in(&files)?;
    if args.passphrase {
        keys.push(Shared::of(Arc::new(asked("Passphrase: ")?)));
    }
    let given = Given {
        keys,
        files,
        is_plain: args.plain,
    };
    // The command line is read once.
    let _ = GIVEN.set(given);
    Ok(())
}

/// The keys in these files.
pub(crate) fn keys_in(files: &[PathBuf]) -> Result<Vec<Shared>, Failure> {
    files
        .iter()
        .map(|path| Ok(Shared::of(Arc::new(Key::from_file(path)?))))
        .collect()
}

/// A passphrase that is typed without being shown, or the first line of what is piped in.
pub(crate) fn asked(prompt: &str) -> Result<Passphrase, Failure> {
    let text = if io::stdin().is_terminal() {
        rpassword::prompt_password(prompt)?
    } else {
        let mut line = String::new();
        io::stdin().read_line(&mut line)?;
        line
    };
    Ok(Passphrase::new(text)?)
}

fn given() -> &'static Given {
    GIVEN.get_or_init(Given::default)
}

/// All keys that were given.
pub(crate) fn all() -> &'static [Shared] {
    &given().keys
}

/// Refuses to store in plain what was sealed, unless that was asked for. `to`: what is written, if that is a store.
pub(crate) fn refuse_plain(from: &Store, to: Option<&Store>) -> Done {
    let is_sealed = from.database().is_some_and(is_sealed_file);
    let stays_sealed = to.and_then(Store::address).is_some_and(|to| seals(&to));
    if !is_sealed || stays_sealed || given().is_plain {
        return Ok(());
    }
    let message = format!("{from} is sealed, and its login would be stored in plain: --plain says that it may");
    Err(Failure::Usage(message))
}

/// The options with what opens the store where it is sealed, and what seals it where it is made.
pub(crate) fn added_to(options: StoreOptions, address: &Address) -> StoreOptions {
    if !seals(address) {
        return options;
    }
    given().keys.iter().cloned().fold(options, StoreOptions::key)
}

/// Whether the keys are for this store.
fn seals(address: &Address) -> bool {
    let (is_there, has_sealed) = match address.location() {
        Location::Path(path) => (has_content(path), is_sealed_file(path)),
        Location::Directory(path) => sealed_in(path),
        _ => return false,
    };
    let is_made_sealed = !is_there && !given().is_plain;
    !given().keys.is_empty() && (has_sealed || is_made_sealed)
}

fn has_content(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file() || found.len() > 0)
}

/// Whether a file is sealed; one that cannot be looked at is not, and says so when it is read.
pub(crate) fn is_sealed_file(path: &Path) -> bool {
    let mut head = [0; 6];
    fs::metadata(path).is_ok_and(|found| found.is_file())
        && fs::File::open(path).is_ok_and(|mut file| file.read_exact(&mut head).is_ok())
        && is_sealed(&head)
}

/// Whether there are sessions in a directory, and whether one is sealed.
fn sealed_in(path: &Path) -> (bool, bool) {
    let Ok(entries) = fs::read_dir(path) else {
        return (false, false);
    };
    let files: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|found| found == "session"))
        .collect();
    let has_sealed = files.iter().any(|path| is_sealed_file(path));
    (!files.is_empty(), has_sealed)
}

/// Warns where one copy takes both the store and its key.
pub(crate) fn warn_of_neighbours(store: &Path) {
    let directory = |path: &Path| path.canonicalize().ok()?.parent().map(Path::to_path_buf);
    for file in &given().files {
        if directory(file).is_some_and(|found| directory(store) == Some(found)) {
            output::note(format_args!(
                "the key file {} lies in the directory of the store: one copy of it takes both",
                Shown(file.display())
            ));
        }
    }
}

/// `mtsession keygen`.
pub(crate) fn generate(path: &Path) -> Done {
    Key::generate()?.write_new(path)?;
    let path = Shown(path.display());
    writeln!(
        output::stdout(),
        "{path}: a new key; keep a copy elsewhere, since without it nobody opens what it seals"
    )?;
    Ok(())
}
