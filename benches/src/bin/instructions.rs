//! Instructions of the codec, the flash log and its code size: numbers without noise, compared with those
//! that are committed in `instructions.tsv`. More than 5 % above one of them is an error.
//!
//! ```text
//! cargo run --release -p mtsession-benches --bin instructions -- check    compare
//! cargo run --release -p mtsession-benches --bin instructions -- update   accept what is measured
//! ```
//!
//! The codec runs below valgrind's callgrind, which has no AVX-512: the checksum takes the path of a
//! processor without it. The flash log runs on QEMU, see `embedded/firmware/run.sh`.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use mtsession_benches::codec::{AREA, Operation, operations};
use mtsession_benches::figures::{Figures, directory, unit};
use mtsession_benches::{OURS, must_be_release, program, samples};

/// How much more than the committed number is an error.
const TOLERANCE: f64 = 0.05;

/// The function below which callgrind counts.
const MEASURED: &str = "instructions::measured_operation";

fn main() -> ExitCode {
    program(work)
}

fn work(args: &[&str]) -> io::Result<()> {
    match args {
        ["run"] => run(),
        ["measure"] => measure().map(drop),
        ["check"] => check(&measure()?),
        ["update"] => update(&measure()?),
        _ => Err(io::Error::other("check, update, measure or run")),
    }
}

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.tsv")
}

/// Carries every operation out twice; callgrind counts the second time.
fn run() -> io::Result<()> {
    let mut out = io::stdout().lock();
    for sample in samples() {
        for mut operation in operations(&sample) {
            // What is set up once, at the first call, is no cost of the operation.
            (operation.run)();
            measured_operation(&mut operation);
            let Operation {
                name, contender, ..
            } = operation;
            writeln!(out, "{name}\t{}\t{contender}", sample.size)?;
        }
    }
    Ok(())
}

#[inline(never)]
fn measured_operation(operation: &mut Operation<'_>) {
    (operation.run)();
}

/// Measures everything, and keeps it for the results.
fn measure() -> io::Result<Figures> {
    must_be_release()?;
    let mut figures = codec()?;
    figures.extend(firmware()?);
    figures.save(&directory().join("instructions.tsv"))?;
    Ok(figures)
}

fn codec() -> io::Result<Figures> {
    eprintln!("counting the codec's instructions");
    let dir = tempfile::tempdir()?;
    let counts = dir.path().join("counts");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--callgrind-out-file={}", counts.display()))
        .arg(format!("--toggle-collect={MEASURED}"))
        .arg(format!("--dump-after={MEASURED}"))
        .arg(std::env::current_exe()?)
        .arg("run")
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| io::Error::other(format!("valgrind: {error}; is it installed?")))?;
    if !output.status.success() {
        return Err(io::Error::other("valgrind failed: see above"));
    }
    let mut figures = Figures::default();
    for (n, line) in String::from_utf8_lossy(&output.stdout).lines().enumerate() {
        // Callgrind numbers what it dumps.
        let dump = fs::read_to_string(format!("{}.{}", counts.display(), n + 1))?;
        let count = dump.lines().find_map(|line| line.strip_prefix("totals: "));
        let count = count.and_then(|count| count.trim().parse().ok());
        let words: Vec<_> = line.split('\t').collect();
        let ([name, size, contender], Some(count)) = (words.as_slice(), count) else {
            return Err(io::Error::other(format!("callgrind did not count {line}")));
        };
        figures.put([AREA, name, size, contender, unit::INSTRUCTIONS], count);
    }
    Ok(figures)
}

fn firmware() -> io::Result<Figures> {
    eprintln!("counting the flash log's instructions on QEMU");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../embedded/firmware/run.sh");
    let output = Command::new(&script)
        .arg("figures")
        .stderr(Stdio::inherit())
        .output()?;
    let file = directory().join("firmware.tsv");
    fs::create_dir_all(directory())?;
    fs::write(&file, &output.stdout)?;
    if !output.status.success() {
        return Err(io::Error::other(format!(
            "{} figures failed, see above",
            script.display()
        )));
    }
    Figures::read(&file)
}

/// Compares with the committed numbers.
fn check(measured: &Figures) -> io::Result<()> {
    let path = committed();
    let known = Figures::read(&path)?;
    let (mut worse, mut better) = (0, 0);
    for (key, known) in known.iter() {
        let name = key.join(", ");
        let now = measured.get(key)?;
        let change = (now - known) / known.max(1.0);
        if change > TOLERANCE {
            worse += 1;
            println!("WORSE  {name}: {known} -> {now} ({:+.1} %)", change * 100.0);
        } else if change < -TOLERANCE {
            better += 1;
            println!("better {name}: {known} -> {now} ({:+.1} %)", change * 100.0);
        }
    }
    let new = ours(measured)
        .iter()
        .filter(|(key, _)| known.find(*key).is_none())
        .count();
    let count = known.iter().count();
    println!("{count} numbers compared: {worse} worse, {better} better; {new} new ones");
    if better > 0 || new > 0 {
        println!(
            "to accept them: cargo run --release -p mtsession-benches --bin instructions -- update"
        );
    }
    if worse == 0 {
        return Ok(());
    }
    let before = fs::read_to_string(&path)?;
    let before = before.lines().next().unwrap_or_default();
    Err(io::Error::other(format!(
        "{worse} numbers are more than 5 % above the committed ones\n\
         (then with {}; now with {})\n\
         If that is meant, commit the file that `instructions -- update` writes, and say why",
        before.trim_start_matches("# "),
        compilers()
    )))
}

/// Writes the measured numbers over the committed ones.
fn update(measured: &Figures) -> io::Result<()> {
    let text = format!("# {}\n{}", compilers(), ours(measured).to_text());
    fs::write(committed(), text)
}

/// Other people's crates are not to be guarded.
fn ours(measured: &Figures) -> Figures {
    let mut figures = Figures::default();
    for (key, value) in measured.iter().filter(|(key, _)| key[3].starts_with(OURS)) {
        figures.put(key, value);
    }
    figures
}

/// Another compiler is a reason for other numbers.
fn compilers() -> String {
    // The script may use another one: it says which.
    let firmware = fs::read_to_string(directory().join("firmware.tsv")).unwrap_or_default();
    let version = |program: &str, argument: &str| {
        let output = Command::new(program).arg(argument).output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        text.unwrap_or_default()
    };
    format!(
        "{}, {}, firmware {}",
        version("rustc", "--version"),
        version("valgrind", "--version"),
        firmware
            .lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches("# ")
    )
}
