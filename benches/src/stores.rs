//! The backends of both crates, each holding one session.

use std::fmt;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

use ferogram_session as old;
use mtsession::{
    BinaryFileBackend, FlushPolicy, InMemoryBackend, LibSqlBackend, SessionBackend, SqliteBackend,
    StoreOptions,
};
use tempfile::TempDir;

use crate::ours;
pub use crate::ours::Took;
use crate::{OURS, Sample, THEIRS, theirs};

/// The real libSQL server of the tests.
#[path = "../../tests/src/sqld.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod sqld;

/// The area of these figures.
pub const AREA: &str = "backends";

/// What is asked of every backend.
pub const OPERATIONS: [(&str, &str); 6] = [
    (
        "save",
        "the whole session, of which one peer in a hundred and the counters are new",
    ),
    ("load", "by a backend that is in use"),
    ("open and load", "by a new one"),
    ("apply_update_state", "`Primary`"),
    ("cache_peer", "one that is known, with another access hash"),
    ("update_dc", "one that is known, with another salt"),
];

/// A backend and where it keeps its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Store {
    /// Backends of one kind are compared with each other.
    pub kind: &'static str,
    /// Whose it is, and how it is set up.
    pub contender: &'static str,
    /// What survives a power cut once it is acknowledged.
    pub durability: &'static str,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    OurMemory,
    TheirMemory,
    OurFile(Place, Flush),
    TheirFile(Place),
    OurSqlite(Place),
    TheirSqlite(Place),
    OurLibsql,
    TheirLibsql,
    OurRemote,
    TheirRemote,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flush {
    Each,
    Within,
    Never,
}

/// Where a database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In the build directory.
    Disk,
    /// In memory, where a flush costs nothing: equal durability.
    Memory,
}

const NOTHING: &str = "nothing: memory";
const IN_MEMORY: &str = "equal: in memory, where a flush costs nothing";
const NEVER: &str = "nothing: never flushed";
const OUR_DEFAULT: &str = "`save`, `update_dc`; counters and peers within 30 s";
const THEIR_WAL: &str = "nothing: the WAL is flushed when it is folded in";
const SERVER: &str = "equal: what the same server does";
/// Every backend that is measured.
pub const STORES: [Store; 16] = {
    const fn store(
        kind: &'static str,
        contender: &'static str,
        durability: &'static str,
        what: What,
    ) -> Store {
        Store {
            kind,
            contender,
            durability,
            what,
        }
    }
    use Place::{Disk, Memory};
    [
        store("memory", OURS, NOTHING, What::OurMemory),
        store("memory", THEIRS, NOTHING, What::TheirMemory),
        store(
            "file",
            OURS,
            IN_MEMORY,
            What::OurFile(Memory, Flush::Within),
        ),
        store("file", THEIRS, IN_MEMORY, What::TheirFile(Memory)),
        store(
            "file on disk",
            OURS,
            NEVER,
            What::OurFile(Disk, Flush::Never),
        ),
        store("file on disk", THEIRS, NEVER, What::TheirFile(Disk)),
        store(
            "file on disk",
            "mtsession, flushed",
            OUR_DEFAULT,
            What::OurFile(Disk, Flush::Within),
        ),
        store(
            "file on disk",
            "mtsession, each flushed",
            "everything",
            What::OurFile(Disk, Flush::Each),
        ),
        store("SQLite", OURS, IN_MEMORY, What::OurSqlite(Memory)),
        store("SQLite", THEIRS, IN_MEMORY, What::TheirSqlite(Memory)),
        store("SQLite on disk", OURS, OUR_DEFAULT, What::OurSqlite(Disk)),
        store("SQLite on disk", THEIRS, THEIR_WAL, What::TheirSqlite(Disk)),
        store("libSQL", OURS, IN_MEMORY, What::OurLibsql),
        store("libSQL", THEIRS, IN_MEMORY, What::TheirLibsql),
        store("libSQL server", OURS, SERVER, What::OurRemote),
        store("libSQL server", THEIRS, SERVER, What::TheirRemote),
    ]
};

impl Store {
    /// Whether this backend needs a program that is built apart.
    #[must_use]
    pub const fn is_apart(&self) -> bool {
        matches!(
            self.what,
            What::TheirSqlite(_) | What::TheirLibsql | What::TheirRemote
        )
    }

    /// Whether an operation means something: a memory that is opened anew is empty.
    #[must_use]
    pub fn can(&self, operation: &str) -> bool {
        !(self.kind == "memory" && operation == "open and load")
    }

    /// Sets the backend up, and saves a session in it.
    ///
    /// # Errors
    /// When the program of the old crate cannot be built or run, or there is no server.
    pub fn start(&self, sample: &Sample) -> io::Result<Running> {
        let place = match self.what {
            What::OurFile(place, _)
            | What::TheirFile(place)
            | What::OurSqlite(place)
            | What::TheirSqlite(place) => place,
            _ => Place::Memory,
        };
        let dir = place.directory()?;
        let path = dir.path().join("session");
        let server = match self.what {
            What::OurRemote | What::TheirRemote if !sqld::is_available() => {
                return Err(io::Error::other("no libSQL server here: see tests/sqld.sh"));
            }
            What::OurRemote | What::TheirRemote => Some(sqld::Sqld::start()),
            _ => None,
        };
        let url = server.as_ref().map(sqld::Sqld::url).unwrap_or_default();
        let apart = |kind, database: &str| {
            let session = dir.path().join("sample");
            std::fs::write(&session, &sample.body)?;
            Peer::start(kind, database, &session).map(Worker::Apart)
        };
        let text = path.to_string_lossy().into_owned();
        let worker = match self.what {
            What::OurMemory => ours(sample, || Ok(InMemoryBackend::new())),
            What::TheirMemory => theirs(sample, || Ok(old::InMemoryBackend::new())),
            What::OurFile(_, flush) => ours(sample, move || flush.backend(&path)),
            What::TheirFile(_) => theirs(sample, move || Ok(old::BinaryFileBackend::new(&path))),
            What::OurSqlite(_) => ours(sample, move || SqliteBackend::open(&path)),
            What::TheirSqlite(_) => apart("sqlite", &text)?,
            What::OurLibsql => ours(sample, move || LibSqlBackend::open_local(&path)),
            What::TheirLibsql => apart("libsql", &text)?,
            What::OurRemote => ours(sample, move || LibSqlBackend::open_remote(&url, "")),
            What::TheirRemote => apart("libsql", &url)?,
        };
        Ok(Running {
            worker,
            server,
            _dir: dir,
        })
    }
}

impl Place {
    fn directory(self) -> io::Result<TempDir> {
        let memory = Path::new("/dev/shm");
        match self {
            Self::Memory if memory.is_dir() => tempfile::tempdir_in(memory),
            Self::Memory => Err(io::Error::other(
                "no /dev/shm: where a flush costs nothing is needed to compare equals",
            )),
            Self::Disk => {
                let dir = crate::figures::directory();
                std::fs::create_dir_all(&dir)?;
                tempfile::tempdir_in(dir)
            }
        }
    }
}

impl Flush {
    fn backend(self, path: &Path) -> io::Result<Arc<dyn SessionBackend>> {
        let options = StoreOptions::new();
        match self {
            Self::Each => options.flush(FlushPolicy::Each).connect(path),
            Self::Within => Ok(Arc::new(BinaryFileBackend::new(path))),
            Self::Never => options.flush(FlushPolicy::Never).connect(path),
        }
    }
}

fn ours<B: SessionBackend + 'static>(
    sample: &Sample,
    open: impl Fn() -> io::Result<B> + 'static,
) -> Worker {
    let open = move || Ok(Box::new(open()?) as Box<dyn SessionBackend>);
    Worker::Ours(ours::Workload::new(&sample.body, Box::new(open)))
}

fn theirs<B: old::SessionBackend + 'static>(
    sample: &Sample,
    open: impl Fn() -> io::Result<B> + 'static,
) -> Worker {
    let open = move || Ok(Box::new(open()?) as Box<dyn old::SessionBackend>);
    Worker::Theirs(theirs::Workload::new(&sample.body, Box::new(open)))
}

/// A backend with a session in it.
pub struct Running {
    worker: Worker,
    server: Option<sqld::Sqld>,
    _dir: TempDir,
}

enum Worker {
    Ours(ours::Workload),
    Theirs(theirs::Workload),
    Apart(Peer),
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").finish_non_exhaustive()
    }
}

impl Running {
    /// Carries an operation out that often. Of a server, what it wrote itself is counted.
    ///
    /// # Errors
    /// When the program of the old crate is gone.
    pub fn run(&mut self, operation: &str, iterations: u64) -> io::Result<Took> {
        let before = self
            .server
            .as_ref()
            .map(|server| written_below(server.id()));
        let mut took = match &mut self.worker {
            Worker::Ours(workload) => workload.run(operation, iterations),
            Worker::Theirs(workload) => {
                let took = workload.run(operation, iterations);
                Took {
                    time: took.time,
                    written: took.written,
                }
            }
            Worker::Apart(peer) => peer.run(operation, iterations)?,
        };
        if let Some((server, before)) = self.server.as_ref().zip(before) {
            took.written = written_below(server.id()).saturating_sub(before);
        }
        Ok(took)
    }
}

/// What the processes below this one have written.
fn written_below(process: u32) -> u64 {
    let read = |file: String| std::fs::read_to_string(file).unwrap_or_default();
    let counts = read(format!("/proc/{process}/io"));
    let count = counts.lines().find_map(|line| line.strip_prefix("wchar: "));
    let own: u64 = count.and_then(|count| count.parse().ok()).unwrap_or(0);
    let children = read(format!("/proc/{process}/task/{process}/children"));
    let children = children.split_whitespace().flat_map(str::parse);
    own + children.map(written_below).sum::<u64>()
}

/// The old crate's SQL backends, in a process of their own.
struct Peer {
    child: Child,
    input: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    fn start(kind: &str, database: &str, session: &Path) -> io::Result<Self> {
        let mut child = Command::new(build(kind)?)
            .args(["bench", database])
            .arg(session)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let gone = || io::Error::other(format!("peer-{kind} has no pipes"));
        let input = Some(child.stdin.take().ok_or_else(gone)?);
        let answers = BufReader::new(child.stdout.take().ok_or_else(gone)?);
        let mut peer = Self {
            child,
            input,
            answers,
        };
        peer.answer()?;
        Ok(peer)
    }

    fn run(&mut self, operation: &str, iterations: u64) -> io::Result<Took> {
        if let Some(input) = &mut self.input {
            writeln!(input, "{operation}\t{iterations}")?;
        }
        let line = self.answer()?;
        let took = line.trim().split_once('\t').and_then(|(time, written)| {
            Some(Took {
                time: core::time::Duration::from_nanos(time.parse().ok()?),
                written: written.parse().ok()?,
            })
        });
        took.ok_or_else(|| io::Error::other(format!("the peer answered {line:?}")))
    }

    fn answer(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(io::Error::other("the peer ended: see its message above"));
        }
        Ok(line)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// Builds the programs of the old crate; some minutes the first time.
///
/// # Errors
/// When one does not build.
pub fn build_peers() -> io::Result<()> {
    build("sqlite")?;
    build("libsql").map(drop)
}

/// Builds the program of the old crate for one kind of database.
fn build(kind: &str) -> io::Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("peer/Cargo.toml");
    let target = crate::figures::directory().join("peer");
    let status = crate::cargo()
        .args([
            "build",
            "--release",
            "--quiet",
            "--locked",
            "--features",
            kind,
        ])
        .arg("--manifest-path")
        .arg(&manifest)
        .arg("--target-dir")
        .arg(&target)
        .status()?;
    if !status.success() {
        let message = format!("{} does not build with feature {kind}", manifest.display());
        return Err(io::Error::other(message));
    }
    Ok(target.join("release").join(format!("peer-{kind}")))
}
