//! The sessions of other client libraries as targets.

use mtsession::clients::Target;
use mtsession::codec::clients::{Carries, Login, StringFormat, TelethonIpv6};
use mtsession::core::SessionSource;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// A client library by the name that it has on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Library {
    Telethon,
    Telethon7,
    Pyrogram,
    Kurigram,
    Mtcute,
    Grammers,
    GramJs,
    Mtkruto,
}

impl Library {
    const ALL: [Self; 8] = [
        Self::Telethon,
        Self::Telethon7,
        Self::Pyrogram,
        Self::Kurigram,
        Self::Mtcute,
        Self::Grammers,
        Self::GramJs,
        Self::Mtkruto,
    ];

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|library| library.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Telethon => "telethon",
            Self::Telethon7 => "telethon7",
            Self::Pyrogram => "pyrogram",
            Self::Kurigram => "kurigram",
            Self::Mtcute => "mtcute",
            Self::Grammers => "grammers",
            Self::GramJs => "gramjs",
            Self::Mtkruto => "mtkruto",
        }
    }

    /// What is written to a path.
    pub(super) fn target(self) -> Target {
        match self {
            Self::Telethon => Target::Telethon8,
            Self::Telethon7 => Target::Telethon7,
            Self::Pyrogram => Target::Pyrogram3,
            Self::Kurigram => Target::Kurigram7,
            Self::Mtcute => Target::Mtcute,
            Self::Grammers => Target::Grammers,
            Self::GramJs => Target::GramJsStore,
            Self::Mtkruto => Target::Text(StringFormat::Mtkruto),
        }
    }

    /// What is written as a string; grammers has none.
    pub(super) fn string(self) -> Option<StringFormat> {
        match self {
            Self::Telethon | Self::Telethon7 => Some(StringFormat::Telethon),
            Self::Pyrogram | Self::Kurigram => Some(StringFormat::Pyrogram),
            Self::Mtcute => Some(StringFormat::Mtcute),
            Self::GramJs => Some(StringFormat::GramJs),
            Self::Mtkruto => Some(StringFormat::Mtkruto),
            Self::Grammers => None,
        }
    }
}

/// A login as a string of any format. Everything that is missing is named at once, with the option
/// that supplies it.
pub(crate) fn encode_login(
    session: &impl SessionSource,
    format: StringFormat,
    ipv6: TelethonIpv6,
) -> Result<Zeroizing<String>, Failure> {
    let no_string =
        |error: &dyn core::fmt::Display| Failure::Usage(format!("cannot write {format}: {error}"));
    let login = Login::from_source(session).map_err(|error| no_string(&error))?;
    let missing = login.missing_for(format);
    if !missing.is_empty() {
        return Err(missing_options(format.name(), missing));
    }
    let mut text = Vec::new();
    login
        .encode(format, ipv6, &mut text)
        .map_err(|error| no_string(&error))?;
    Ok(Zeroizing::new(String::from_utf8(text).unwrap_or_default()))
}

/// Says which options supply what a target needs.
pub(super) fn missing_options(target: &str, missing: Carries) -> Failure {
    let options = [
        (Carries::USER_ID, "--user-id ID"),
        (Carries::IS_BOT, "--bot or --user"),
        (Carries::API_ID, "--api-id ID"),
        (Carries::TEST_MODE, "--test or --production"),
    ];
    let named: Vec<_> = options
        .iter()
        .filter(|(member, _)| missing.contains(*member))
        .map(|(_, option)| *option)
        .collect();
    let message = if named.is_empty() {
        format!("{target} needs what this session does not have: {missing}")
    } else {
        format!(
            "{target} would throw the login away without {missing}: give {}",
            named.join(", ")
        )
    };
    Failure::Usage(message)
}
