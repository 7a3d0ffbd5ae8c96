//! `mtsession list`: the sessions of a place, a line each.

use core::ops::Not as _;
use std::collections::HashMap;
use std::io::Write as _;

use mtsession::codec::LoginState;
use mtsession::{SessionHead, Shown};
use serde_json::{Value, json};

use crate::Done;
use crate::args::ListArgs;
use crate::counted::counted;
use crate::dates;
use crate::failure::{self, Failure};
use crate::output;
use crate::owners;
use crate::places::{self, Candidate, Summary};
use crate::report;
use crate::tables;

/// A session, and where it is.
struct Row {
    name: String,
    summary: Summary,
    /// The key of its home DC.
    fingerprint: Option<String>,
}

pub(crate) fn run(args: &ListArgs) -> Done {
    let mut rows = Vec::new();
    let mut failures = Vec::new();
    let mut others: usize = 0;
    for candidate in places::candidates(&args.places)? {
        match candidate.summary() {
            Ok(summary) => rows.push(Row::new(&candidate, summary)),
            Err(failure) if candidate.is_something_else(&failure) => {
                others = others.saturating_add(1);
            }
            Err(failure) => failures.push((candidate.name(), failure)),
        }
    }
    let (read, now) = (rows.len(), dates::now());
    choose(&mut rows, args, now);
    if args.json {
        let sessions: Vec<_> = rows.iter().map(Row::json).collect();
        output::json(&json!({
            "sessions": sessions,
            "unreadable": failure::json(&failures),
            "other_files": others,
        }))?;
    } else {
        print(&rows, read, others, now)?;
        for (_, failure) in &failures {
            output::note(failure);
        }
    }
    if failures.is_empty() {
        return Ok(());
    }
    let sessions = counted(failures.len(), ["session", "sessions"]);
    Err(Failure::Problems(format!("{sessions} cannot be read")))
}

/// Leaves the sessions that were asked for.
fn choose(rows: &mut Vec<Row>, args: &ListArgs, now: i64) {
    if args.duplicates {
        let mut keys: HashMap<String, usize> = HashMap::new();
        for key in rows.iter().filter_map(|row| row.fingerprint.clone()) {
            let count = keys.entry(key).or_default();
            *count = count.saturating_add(1);
        }
        let is_shared = |key: &String| keys.get(key).is_some_and(|count| *count > 1);
        rows.retain(|row| row.fingerprint.as_ref().is_some_and(is_shared));
        rows.sort_by(|a, b| a.fingerprint.cmp(&b.fingerprint));
    }
    if args.no_key {
        rows.retain(|row| row.fingerprint.is_none());
    }
    if let Some(age) = args.older_than {
        let oldest = now.saturating_sub(i64::try_from(age.as_secs()).unwrap_or(i64::MAX));
        rows.retain(|row| row.last_update().is_some_and(|time| time < oldest));
    }
}

fn print(rows: &[Row], read: usize, others: usize, now: i64) -> Done {
    let mut out = output::stdout();
    if !rows.is_empty() {
        let head = [
            "session",
            "format",
            "user",
            "home DC",
            "key",
            "peers",
            "last update",
            "state",
            "owner",
        ];
        write!(
            out,
            "{}",
            tables::rows(head, rows.iter().map(|row| row.cells(now)))
        )?;
        writeln!(out)?;
    }
    let sessions = counted(read, ["session", "sessions"]);
    let shown = (rows.len() < read).then(|| format!(", of which {} listed", rows.len()));
    let others = others.eq(&0).not().then(|| {
        let files = counted(others, ["other file", "other files"]);
        format!("; {files} passed over")
    });
    let [shown, others] = [shown, others].map(Option::unwrap_or_default);
    writeln!(out, "{sessions}{shown}{others}")?;
    Ok(())
}

impl Row {
    fn new(candidate: &Candidate, summary: Summary) -> Self {
        Self {
            name: candidate.name(),
            fingerprint: report::home_fingerprint(summary.head.home_dc_id, &summary.head.dcs),
            summary,
        }
    }

    fn head(&self) -> &SessionHead {
        &self.summary.head
    }

    /// Unix time of the newest update, where one was ever received.
    fn last_update(&self) -> Option<i64> {
        let date = self.head().updates_state.date;
        (date > 0).then_some(date.into())
    }

    fn state(&self) -> &'static str {
        match self.head().login_state.as_state() {
            LoginState::Active if self.fingerprint.is_none() => "no key",
            state => owners::state(&state),
        }
    }

    fn cells(&self, now: i64) -> [String; 9] {
        let head = self.head();
        let user = head.account.user_id.map(|id| match head.account.is_bot {
            Some(true) => format!("{id} (bot)"),
            _ => id.to_string(),
        });
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        [
            Shown(&self.name).to_string(),
            self.summary.format.clone(),
            or_dash(user),
            head.home_dc_id.to_string(),
            or_dash(self.fingerprint.clone()),
            head.peers.to_string(),
            or_dash(
                self.last_update()
                    .map(|time| dates::date_and_age(time, now)),
            ),
            self.state().to_owned(),
            or_dash(self.summary.owner.as_ref().map(ToString::to_string)),
        ]
    }

    fn json(&self) -> Value {
        let head = self.head();
        json!({
            "store": self.name,
            "format": self.summary.format,
            "user_id": head.account.user_id,
            "is_bot": head.account.is_bot,
            "home_dc_id": head.home_dc_id,
            "auth_key_fingerprint": self.fingerprint,
            "peers": head.peers,
            "last_update": self.last_update(),
            "state": self.state(),
            "owner": owners::in_json(self.summary.owner.as_ref()),
        })
    }
}
