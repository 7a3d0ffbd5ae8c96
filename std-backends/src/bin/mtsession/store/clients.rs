//! The sessions of other client libraries as targets.

use mtsession::codec::SessionSource;
use mtsession::codec::clients::{Contents, Login, StringFormat, TelethonIpv6};
use zeroize::Zeroizing;

use crate::failure::Failure;

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
pub(super) fn missing_options(target: &str, missing: Contents) -> Failure {
    let options = [
        (Contents::USER_ID, "--user-id ID"),
        (Contents::IS_BOT, "--bot or --user"),
        (Contents::API_ID, "--api-id ID"),
        (Contents::TEST_MODE, "--test or --production"),
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
