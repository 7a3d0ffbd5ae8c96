//! Completions and the manual know every command.

use super::{Place, out};

const COMMANDS: [&str; 13] = [
    "inspect",
    "verify",
    "upgrade",
    "convert",
    "export",
    "import",
    "delete",
    "accounts",
    "backup",
    "restore",
    "recover",
    "completions",
    "man",
];

#[test]
fn every_shell_completes_every_command() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = out(&place.run(["completions", shell]));
        for command in COMMANDS {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let manual = out(&Place::new().run(["man"]));
    for command in COMMANDS {
        let title = format!(".TH mtsession-{command} 1");
        assert!(manual.contains(&title), "{title}");
    }
    assert!(manual.contains("LIBSQL_AUTH_TOKEN"), "stores are explained");
}
