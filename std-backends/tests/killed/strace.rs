//! Which system calls a run makes, and a run that is killed at one of them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::is_thorough;

/// Every call that can change a file or a name; between two of them nothing changes.
const CHANGING: &str = "openat,creat,write,writev,pwrite64,pwritev,pwritev2,rename,renameat,renameat2,unlink,\
    unlinkat,rmdir,mkdir,mkdirat,link,linkat,symlink,symlinkat,ftruncate,truncate,fallocate,fsync,fdatasync,\
    sync_file_range,chmod,fchmod,fchmodat,fchown,copy_file_range,sendfile,utimensat,exit_group";

/// What changes locks, and memory that several processes share.
const SHARED: &str = "flock,fcntl,close,mmap,munmap,msync";

/// How many calls of each kind a usual run tries.
const SAMPLES: usize = 2;

pub(crate) fn is_there() -> bool {
    let works = Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "true"])
        .status();
    let works = works.is_ok_and(|status| status.success());
    if !works {
        println!("skipped: killing at a system call needs strace, and that it may trace");
    }
    works
}

/// A call: its name, and how many of that name the process has made with it.
pub(crate) type Call = (String, usize);

/// How the command is run.
pub(crate) struct Invocation {
    pub(crate) args: Vec<String>,
    pub(crate) input: PathBuf,
    pub(crate) temporary: PathBuf,
}

impl Invocation {
    /// The command in `program`'s place, which may be strace's.
    fn set_up<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .args(&self.args)
            .env("TMPDIR", &self.temporary)
            .stdin(fs::File::open(&self.input).unwrap())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
    }

    fn traced(&self, options: &[&str]) -> Command {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq"]).args(options);
        command.arg(env!("CARGO_BIN_EXE_mtsession"));
        self.set_up(&mut command);
        command
    }

    /// Runs it to its end. The exit code, and what it said.
    pub(crate) fn run(&self) -> (Option<i32>, String) {
        let mut command = crate::place::command();
        let output = self.set_up(&mut command).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said)
    }

    /// Runs it to its end, and says which calls it made since it looked at anything under `root`.
    pub(crate) fn calls(&self, root: &Path) -> Vec<Call> {
        let log = tempfile::NamedTempFile::new().unwrap();
        let trace = if is_thorough() {
            format!("trace={CHANGING},{SHARED}")
        } else {
            format!("trace={CHANGING}")
        };
        let options = ["-y", "-o", log.path().to_str().unwrap(), "-e", &trace];
        let output = self.traced(&options).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{:?}: {said}", self.args);
        let log = fs::read_to_string(log.path()).unwrap();
        let root = root.to_str().unwrap();
        let mut counts = BTreeMap::<String, usize>::new();
        let (mut calls, mut has_begun) = (Vec::new(), false);
        for line in log.lines() {
            let Some((call, _)) = line.split_once('(') else {
                continue;
            };
            let Some(name) = call.split_whitespace().nth(1).filter(|it| *it != "<...") else {
                continue;
            };
            let count = counts.entry(name.to_owned()).or_default();
            *count += 1;
            has_begun |= line.contains(root);
            if has_begun {
                calls.push((name.to_owned(), *count));
            }
        }
        calls
    }

    /// Runs it until it is killed at this call, before the call does anything. False where it ended before:
    /// how often memory is mapped differs from run to run.
    pub(crate) fn is_killed_at(&self, (name, number): &Call) -> bool {
        const KILL: i32 = 9;

        let trace = format!("trace={name}");
        let inject = format!("inject={name}:signal=KILL:when={number}");
        let options = ["-o", "/dev/null", "-e", &trace, "-e", &inject];
        let output = self.traced(&options).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let signal = output.status.signal();
        if signal.is_none() && name.ends_with("map") {
            return false;
        }
        assert_eq!(
            signal,
            Some(KILL),
            "{name} {number} of {:?}: {said}",
            self.args
        );
        true
    }
}

/// Those that a run tries: the last of each kind, and one in the middle.
pub(crate) fn chosen(calls: Vec<Call>) -> Vec<Call> {
    if is_thorough() {
        return calls;
    }
    let mut kinds = BTreeMap::<String, Vec<usize>>::new();
    for (name, number) in calls {
        kinds.entry(name).or_default().push(number);
    }
    let samples = kinds.into_iter().flat_map(|(name, numbers)| {
        let last = numbers.len() - 1;
        let mut chosen: Vec<_> = (1..=SAMPLES)
            .map(|part| numbers[last * part / SAMPLES])
            .collect();
        chosen.dedup();
        chosen.into_iter().map(move |number| (name.clone(), number))
    });
    samples.collect()
}
