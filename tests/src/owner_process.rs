//! A process that owns a session, and is asked line by line.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running `owner`.
pub struct OwnerProcess {
    child: Child,
    asked: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// The first thing that it said: `owned`, or why not.
    pub said: String,
}

impl OwnerProcess {
    /// Starts `program`, the `owner` of this crate, for a store.
    pub fn start(program: &str, args: &[&str]) -> Self {
        let mut child = Command::new(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let asked = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let mut started = Self {
            child,
            asked,
            answers,
            said: String::new(),
        };
        started.said = started.answer();
        started
    }

    /// The number of the process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Has it carry out a command, and gives its answer.
    pub fn ask(&mut self, command: &str) -> String {
        self.tell(command);
        self.answer()
    }

    /// Gives it a command, which it carries out when it can.
    pub fn tell(&mut self, command: &str) {
        writeln!(self.asked, "{command}").unwrap();
    }

    /// The next answer.
    pub fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Sends it a signal, by name: `STOP`, `CONT`.
    pub fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &pid])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Kills it, and waits until it is gone.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for OwnerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
