//! The names of an account's peers, read in pages.

use std::io;

use super::names::{PAGE, Place, push_row, select};
use super::store::SqlStore;
use super::tables;
use crate::record::peer_names::PeerNames;

impl SqlStore {
    /// What the account's peers are called; `None` where the account was changed since it was read, and
    /// with it perhaps what is known of it.
    pub(super) fn names_of_known(&mut self) -> io::Result<Option<Vec<PeerNames>>> {
        let mut names = Vec::new();
        if !self.has_names() {
            return Ok(Some(names));
        }
        let mut last = Place::START;
        loop {
            let (mut rows, mut revision) = (0_i64, None);
            let account = self.account_name();
            let selects = [select(account, last), tables::select_revision(account)];
            self.read_rows(selects, |index, row| {
                if index == 0 {
                    last = push_row(row, &mut names)?;
                    rows = rows.saturating_add(1);
                } else {
                    revision = Some(row.text(1)?.to_owned());
                }
                Ok(())
            })?;
            if revision.as_deref() != self.revision() {
                return Ok(None);
            }
            if rows < PAGE {
                return Ok(Some(names));
            }
        }
    }
}
