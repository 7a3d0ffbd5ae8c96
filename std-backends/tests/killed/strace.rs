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
        let trace = if is_thorough() {
            format!("{CHANGING},{SHARED}")
        } else {
            CHANGING.to_owned()
        };
        let root = root.to_str().unwrap();
        let calls = self.logged(&trace).into_iter();
        calls
            .skip_while(|(_, line)| !line.contains(root))
            .map(|(call, _)| call)
            .collect()
    }

    /// Runs it to its end. The calls of these names, each with its line of the log.
    fn logged(&self, names: &str) -> Vec<(Call, String)> {
        let log = tempfile::NamedTempFile::new().unwrap();
        let trace = format!("trace={names}");
        let options = ["-y", "-o", log.path().to_str().unwrap(), "-e", &trace];
        let output = self.traced(&options).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{:?}: {said}", self.args);
        let mut counts = BTreeMap::<String, usize>::new();
        let mut calls = Vec::new();
        for line in fs::read_to_string(log.path()).unwrap().lines() {
            let name = line
                .split_once('(')
                .and_then(|(call, _)| call.split_whitespace().nth(1));
            if let Some(name) = name.filter(|it| *it != "<...") {
                let count = counts.entry(name.to_owned()).or_default();
                *count += 1;
                calls.push(((name.to_owned(), *count), line.to_owned()));
            }
        }
        calls
    }

    /// Runs it, and stops it where it has opened this many files, for as long as `meanwhile` takes. The
    /// exit code, and what it said.
    pub(crate) fn stopped_at_opening(
        &self,
        number: usize,
        meanwhile: impl FnOnce(),
    ) -> (Option<i32>, String) {
        let log = tempfile::NamedTempFile::new().unwrap();
        let inject = format!("inject=openat:signal=STOP:when={number}");
        let options = [
            "-o",
            log.path().to_str().unwrap(),
            "-e",
            "trace=openat",
            "-e",
            &inject,
        ];
        let running = self.traced(&options).spawn().unwrap();
        let process = loop {
            let log = fs::read_to_string(log.path()).unwrap();
            let stopped = log
                .lines()
                .find(|line| line.contains("--- stopped by SIGSTOP"));
            if let Some(process) = stopped.and_then(|line| line.split_whitespace().next()) {
                break process.to_owned();
            }
            assert!(!log.contains("+++ exited"), "it was not stopped: {log}");
            std::thread::yield_now();
        };
        meanwhile();
        let goes_on = Command::new("kill").args(["-CONT", &process]).status();
        assert!(goes_on.unwrap().success());
        let output = running.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said)
    }

    /// How many files the command has opened when it opens `path` for the first time after it has put it
    /// there.
    pub(crate) fn first_opening(&self, path: &Path) -> usize {
        let path = format!("\"{}\"", path.display());
        let calls = self.logged("openat,rename,renameat,renameat2");
        let is_put = |name: &str, line: &str| name.starts_with("rename") && line.contains(&path);
        let mut after = calls
            .iter()
            .skip_while(|((name, _), line)| !is_put(name, line));
        let opened = after.find(|((name, _), line)| name == "openat" && line.contains(&path));
        opened.unwrap().0.1
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
