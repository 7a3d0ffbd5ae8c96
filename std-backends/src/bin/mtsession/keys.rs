//! The keys of sealed sessions that the command line names. Never a key itself: it would be seen by other users
//! and stay in a shell's history.

use std::fs;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use mtsession::codec::seal::is_sealed;
use mtsession::seal::{Kek, Key, KeySlot, KeySource, NewSlot, Passphrase, StoreId};
use mtsession::{Address, Location, Shown, StoreOptions};
use zeroize::Zeroizing;

use crate::Done;
use crate::failure::Failure;
use crate::output;
use crate::store::Store;

/// Which keys open and seal sessions.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Keys")]
pub(crate) struct KeyArgs {
    /// A file with a key that opens sealed sessions, and seals new ones; otherwise the file that
    /// `MTSESSION_KEY_FILE` names
    #[arg(long, global = true, value_name = "FILE")]
    key_file: Vec<PathBuf>,
    /// Ask for a passphrase that opens sealed sessions, and seals new ones. Without a terminal it is the first
    /// line of standard input
    #[arg(long, global = true)]
    passphrase: bool,
    /// The key in the system's keyring, which this release does not read
    #[arg(long, global = true)]
    keyring: bool,
    /// Store in plain what is made, although it comes from a sealed session or a key is given
    #[arg(long, global = true)]
    plain: bool,
}

/// The variable with the name of a key file.
const VARIABLE: &str = "MTSESSION_KEY_FILE";

static GIVEN: OnceLock<Given> = OnceLock::new();

#[derive(Default)]
struct Given {
    /// What the command line names.
    keys: Vec<Shared>,
    files: Vec<PathBuf>,
    /// What the environment names, which is read where a store needs it.
    of_environment: Option<PathBuf>,
    is_plain: bool,
}

/// A key that several stores are opened with.
#[derive(Clone)]
pub(crate) struct Shared(Arc<dyn KeySource>);

impl Shared {
    fn of(key: impl KeySource + 'static) -> Self {
        Self(Arc::new(key))
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

/// How a passphrase is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asking {
    /// It opens what is there.
    Once,
    /// It may seal what is made, and nobody would know of a mistyped one.
    Twice,
}

/// Reads the keys that were named, before anything else is done.
pub(crate) fn read(args: &KeyArgs, asking: Asking) -> Done {
    if args.keyring {
        let message =
            "the system's keyring is not read by this release: use --key-file or --passphrase";
        return Err(Failure::Usage(message.to_owned()));
    }
    let mut keys = keys_in(&args.key_file)?;
    if args.passphrase {
        keys.push(asked("Passphrase", asking)?);
    }
    let of_environment = std::env::var_os(VARIABLE).map(PathBuf::from);
    let given = Given {
        of_environment: of_environment.filter(|_| keys.is_empty()),
        files: args.key_file.clone(),
        is_plain: args.plain,
        keys,
    };
    // The command line is read once.
    let _ = GIVEN.set(given);
    Ok(())
}

/// The keys in these files.
pub(crate) fn keys_in(files: &[PathBuf]) -> Result<Vec<Shared>, Failure> {
    let read = |path: &PathBuf| match Key::from_file(path) {
        Ok(key) => Ok(Shared::of(key)),
        // Not the session is missing.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Failure::Usage(error.to_string()))
        }
        Err(error) => Err(error.into()),
    };
    files.iter().map(read).collect()
}

/// A passphrase that is typed without being shown, or the first line of what is piped in.
pub(crate) fn asked(what: &str, asking: Asking) -> Result<Shared, Failure> {
    let text = if io::stdin().is_terminal() {
        let text = Zeroizing::new(rpassword::prompt_password(format!("{what}: "))?);
        if asking == Asking::Twice {
            let again = rpassword::prompt_password(format!("{what}, once more: "))?;
            if Zeroizing::new(again) != text {
                let message = "two different passphrases were typed: nothing was done";
                return Err(Failure::Usage(message.to_owned()));
            }
        }
        text
    } else {
        // Room for every passphrase that is typed: what grows leaves pieces behind.
        let mut line = Zeroizing::new(String::with_capacity(1024));
        io::stdin().read_line(&mut line)?;
        line
    };
    Ok(Shared::of(Passphrase::new(text.as_str())?))
}

fn given() -> &'static Given {
    GIVEN.get_or_init(Given::default)
}

impl Given {
    fn has_any(&self) -> bool {
        !self.keys.is_empty() || self.of_environment.is_some()
    }

    /// Whether the command line names one, and not the environment for all commands.
    fn is_named(&self) -> bool {
        !self.keys.is_empty()
    }
}

/// Whether a key was given.
pub(crate) fn has_any() -> bool {
    given().has_any()
}

/// All keys that were given; an error where none was.
pub(crate) fn needed() -> Result<Vec<Shared>, Failure> {
    let given = given();
    if !given.has_any() {
        let message =
            "a key is needed: --key-file FILE (`mtsession keygen FILE` makes one) or --passphrase";
        return Err(Failure::Usage(message.to_owned()));
    }
    if given.is_named() {
        return Ok(given.keys.clone());
    }
    keys_in(given.of_environment.as_slice())
}

/// What is where a store is, as far as sealing is concerned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Nothing,
    Plain,
    Sealed,
    /// A kind of store that this release does not seal.
    Unsealable,
}

impl Found {
    fn at(address: &Address) -> Self {
        match address.location() {
            Location::Path(path) if is_sealed_file(path) => Self::Sealed,
            Location::Path(path) if has_content(path) => Self::Plain,
            Location::Path(_) => match StoreOptions::new().session_file(address) {
                Ok(Some(_)) => Self::Nothing,
                // It becomes a database.
                _ => Self::Unsealable,
            },
            Location::Directory(path) => in_directory(path),
            _ => Self::Unsealable,
        }
    }

    fn of(store: &Store) -> Self {
        store.address().map_or(Self::Unsealable, |it| Self::at(&it))
    }
}

/// Whether a store is sealed, as far as can be seen without its key.
pub(crate) fn is_sealed_store(store: &Store) -> bool {
    Found::of(store) == Found::Sealed
}

/// Refuses to store in plain what was sealed or what a key was given for, unless that was asked for. `to`: what is
/// written, if that is a store.
pub(crate) fn refuse_plain(from: &Store, to: Option<&Store>) -> Done {
    let stays_sealed = to.and_then(Store::address).is_some_and(|to| seals(&to));
    if given().is_plain || stays_sealed {
        return Ok(());
    }
    // Without a key it is not opened at all, which says more.
    let opens = given().has_any() || from.names_a_key();
    if opens && is_sealed_store(from) {
        return Err(Failure::Usage(format!(
            "{from} is sealed, and its login would be stored in plain: --plain says that it may"
        )));
    }
    match to {
        Some(to) if given().is_named() => {
            let why = match Found::of(to) {
                Found::Plain => "it is there and not sealed (`mtsession seal` seals it)",
                _ => "this release seals session files and directories of them",
            };
            Err(Failure::Usage(format!(
                "a key was given, and {to} would be plain: {why}; --plain says that it may"
            )))
        }
        _ => Ok(()),
    }
}

/// Refuses a plain store where a key was named for a sealed one: somebody may have put it in its place.
pub(crate) fn refuse_unsealed(store: &Store) -> Done {
    if !given().is_named() || Found::of(store) != Found::Plain {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "{store} is not sealed although a key was given: `mtsession seal` seals it, and without a key it is read \
         as it is"
    )))
}

/// The options with what opens the store where it is sealed, and what seals it where it is made.
pub(crate) fn added_to(options: StoreOptions, address: &Address) -> Result<StoreOptions, Failure> {
    // What an address says is enough.
    if address.names_a_key() || !seals(address) {
        return Ok(options);
    }
    Ok(needed()?.into_iter().fold(options, StoreOptions::key))
}

/// Whether a store that is opened at this address is sealed with a key that was given.
fn seals(address: &Address) -> bool {
    let given = given();
    address.names_a_key()
        || given.has_any()
            && match Found::at(address) {
                Found::Sealed => true,
                Found::Nothing => !given.is_plain,
                Found::Plain | Found::Unsealable => false,
            }
}

fn has_content(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file() || found.len() > 0)
}

/// Whether a file is sealed; one that cannot be looked at is not, and says so when it is read.
pub(crate) fn is_sealed_file(path: &Path) -> bool {
    let mut head = [0; 5];
    fs::metadata(path).is_ok_and(|found| found.is_file())
        && fs::File::open(path).is_ok_and(|mut file| file.read_exact(&mut head).is_ok())
        && is_sealed(&head)
}

/// Of a directory one sealed session is enough.
fn in_directory(path: &Path) -> Found {
    let Ok(entries) = fs::read_dir(path) else {
        return Found::Nothing;
    };
    let mut found = Found::Nothing;
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let is_session = path.extension().is_some_and(|found| found == "session");
        if is_session && is_sealed_file(&path) {
            return Found::Sealed;
        }
        if is_session && has_content(&path) {
            found = Found::Plain;
        }
    }
    found
}

/// Warns where one copy takes both the store and its key.
pub(crate) fn warn_of_neighbours(store: &Store, files: &[PathBuf]) {
    let directory = |path: &Path| {
        let path = path.canonicalize().ok()?;
        if path.is_dir() {
            return Some(path);
        }
        path.parent().map(Path::to_path_buf)
    };
    let address = store.address();
    let Some(place) = address.as_ref().and_then(Address::path).and_then(directory) else {
        return;
    };
    for file in files {
        if directory(file).is_some_and(|found| found == place) {
            output::note(format_args!(
                "the key file {} lies in the directory of the store: one copy of it takes both",
                Shown(file.display())
            ));
        }
    }
}

/// What to do where a sealed store was opened without a key.
pub(crate) fn hint() -> &'static str {
    if has_any() {
        ""
    } else {
        "; --key-file FILE or --passphrase names one"
    }
}

/// The files with keys that were given.
pub(crate) fn files() -> Vec<PathBuf> {
    let given = given();
    let files = given.files.iter().chain(&given.of_environment);
    files.cloned().collect()
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
