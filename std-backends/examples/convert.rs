//! Converts the session file of one client library into that of another:
//! `convert IN TARGET OUT [user_id] [bot|user] [api_id]`.

use core::error::Error;
use std::path::Path;

use mtsession::Fingerprint;
use mtsession::clients::{Options, ReadOptions, Target, read_with, write};
use mtsession::codec::SessionSource;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, target, output, account @ ..] = arguments.as_slice() else {
        return Err("usage: convert IN TARGET OUT [user_id] [bot|user] [api_id]".into());
    };
    let target = match target.as_str() {
        "telethon7" => Target::Telethon7,
        "telethon" => Target::Telethon8,
        "pyrogram" => Target::Pyrogram3,
        "kurigram" => Target::Kurigram7,
        "mtcute" => Target::Mtcute,
        "grammers" => Target::Grammers,
        "gramjs" => Target::GramJsStore,
        other => return Err(format!("unknown target {other}").into()),
    };
    let mut options = ReadOptions::default();
    if let Ok(passcode) = std::env::var("MTSESSION_PASSCODE") {
        options = options.passcode(passcode);
    }
    let mut import = read_with(Path::new(input), &options)?;
    if let [user_id, kind, api_id] = account {
        import.account.user_id = Some(user_id.parse()?);
        import.account.is_bot = Some(kind == "bot");
        import.account.api_id = Some(api_id.parse()?);
        import.account.test_mode.get_or_insert(false);
    }
    let source = import.source();
    write(
        Path::new(output),
        target,
        Options::default(),
        &source,
        &import.names,
    )?;
    let home = source.dc_for(source.home_dc_id(), false);
    if let Some(key) = home.and_then(|dc| dc.auth_key) {
        println!("{} to {}", import.format, target.format());
        println!(
            "auth key {} on both sides: use only one of them",
            Fingerprint::of(key)
        );
    }
    let lost = import.carries().without(target.format().carries());
    if !lost.is_empty() {
        println!("lost: {lost}");
    }
    Ok(())
}
