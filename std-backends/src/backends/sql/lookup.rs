//! Parts of an account, read by their rows: its head, and single peers by index.
//!
//! What was read of the whole account stays as it is, and so does what a write compares with: these reads
//! are only looks (see [`Connection::peek`](super::connection::Connection::peek)).

use std::collections::BTreeMap;
use std::io;

use mtsession_core::{ChannelPts, MinPeer, Peer, PeerKey, PeerKind};

use super::names;
use super::row::Row;
use super::schema::Layout;
use super::statement::{Select, Value};
use super::store::SqlStore;
use super::tables::{self, ListItem as _, account_id};
use crate::record::{KnownPeer, PeerQuery, SessionHead, SessionRecord, nameless};

/// Most peers that one request reads, each with all of its names: servers limit the size of an answer.
const PAGE: usize = 1_000;

/// The columns of a peer, and of one of its names.
const PEER: &str = "peer.position, peer.id, peer.access_hash, peer.kind, peer.channel_kind, \
     peer.is_community";
const PEER_AND_NAME: &str = "peer.position, peer.id, peer.access_hash, peer.kind, peer.channel_kind, \
     peer.is_community, names.what, names.text";

/// Adds the names of each peer, if it has any.
macro_rules! with_names {
    () => {
        " LEFT JOIN names ON names.account = peer.account AND names.kind = peer.kind
            AND names.id = peer.id"
    };
}

/// The peers of one identity; see [`put_peer`](tables::put_peer).
macro_rules! by_key {
    ($($join:tt)*) => {
        concat!(
            "peer INDEXED BY peer_id",
            $($join)*,
            " WHERE peer.account = ",
            account_id!(),
            " AND peer.id = ?2 AND peer.kind = ?3 AND (peer.kind <> 0 OR peer.is_community = ?4)"
        )
    };
}

/// The peers of which one text is this username or phone number.
const BY_TEXT: &str = concat!(
    "names AS found INDEXED BY names_text
        CROSS JOIN peer INDEXED BY peer_id ON peer.account = found.account AND peer.id = found.id
            AND peer.kind = found.kind",
    with_names!(),
    " WHERE found.account = ",
    account_id!(),
    " AND found.what = ?2 AND found.what < 2 AND found.text = ?3 COLLATE NOCASE"
);

/// The peers of one kind from an id on; none of them where that is `NULL`.
macro_rules! of_kind {
    ($kind:literal from $id:literal) => {
        concat!(
            "SELECT * FROM (SELECT * FROM peer INDEXED BY peer_id WHERE account = ",
            account_id!(),
            " AND id >= ",
            $id,
            " AND ",
            $kind,
            " ORDER BY id, position LIMIT ?2)"
        )
    };
}

/// Peers in the order of their identities. The index leads to the ids of all kinds in one order, so a page
/// at the end of a kind passes over the others.
macro_rules! page {
    ($($join:tt)*) => {
        concat!(
            "(",
            of_kind!("kind = 0 AND is_community = 0" from "?3"),
            " UNION ALL ",
            of_kind!("kind = 0 AND is_community <> 0" from "?4"),
            " UNION ALL ",
            of_kind!("kind = 1" from "?5"),
            " UNION ALL ",
            of_kind!("kind = 2" from "?6"),
            " LIMIT ?2) AS peer",
            $($join)*
        )
    };
}

/// Peers that were read, in the order of their identities; of duplicates the first is at the first position.
type Found = BTreeMap<(PeerKey, i64), KnownPeer>;

impl SqlStore {
    /// Everything but peers and their names, which are counted.
    pub(super) fn head(&mut self) -> io::Result<Option<SessionHead>> {
        let head = self.forget_on_error(|store| {
            if !store.has_own_tables()? {
                return Ok(store.current()?.as_ref().map(SessionRecord::head));
            }
            let head = store.read_head()?;
            if head.is_some() || !store.connection.can_be_old() {
                return Ok(head);
            }
            // As for the whole session, a copy of the database is not asked alone.
            store.connection.read_the_newest();
            match store.read_head() {
                Err(error) if store.connection.has_refused(&error) => Ok(None),
                read => read,
            }
        })?;
        self.has_told(head.is_some());
        Ok(head)
    }

    /// One peer with its names.
    pub(super) fn find_peer(&mut self, query: PeerQuery<'_>) -> io::Result<Option<KnownPeer>> {
        self.forget_on_error(|store| {
            if !store.has_own_tables()? {
                let (record, _) = store.read_record()?;
                return Ok(record.and_then(|record| record.find_peer(query)));
            }
            let account = store.account_name().to_owned();
            let found = store.look_up(|has_names| select_peer(&account, query, has_names))?;
            // SQLite compares texts in any case, and only as far as a zero in them.
            let mut found = found.into_values();
            Ok(found.find(|known| query.is_of_known(known)))
        })
    }

    /// At most `limit` peers after this one, ascending by kind and id; of duplicates the first.
    pub(super) fn peers_after(
        &mut self,
        after: Option<PeerKey>,
        limit: usize,
    ) -> io::Result<Vec<KnownPeer>> {
        self.forget_on_error(|store| {
            if !store.has_own_tables()? {
                let (record, _) = store.read_record()?;
                return Ok(record.map_or_else(Vec::new, |record| record.peers_after(after, limit)));
            }
            let account = store.account_name().to_owned();
            let (mut peers, mut after) = (Vec::new(), after);
            loop {
                let wanted = limit.saturating_sub(peers.len()).min(PAGE);
                if wanted == 0 {
                    return Ok(peers);
                }
                let page = store
                    .look_up(|has_names| Some(select_page(&account, after, wanted, has_names)))?;
                let is_last = page.len() < wanted;
                for ((key, _), known) in page {
                    if after.is_none_or(|after| key > after) {
                        after = Some(key);
                        peers.push(known);
                    }
                }
                if is_last {
                    return Ok(peers);
                }
            }
        })
    }

    /// Whether the database has our tables, so that rows can be read one by one. Those of older releases are
    /// read whole, until the first write.
    pub(super) fn has_own_tables(&mut self) -> io::Result<bool> {
        Ok(self.connection.is_ours()? || self.look()? == Layout::Ours)
    }

    fn read_head(&mut self) -> io::Result<Option<SessionHead>> {
        let account = self.account_name();
        let selects = [
            tables::select_account(account),
            tables::select_dcs(account),
            tables::select::<ChannelPts>(account),
            tables::select_login_state(account),
            tables::select_last::<Peer>(account),
            tables::select_last::<MinPeer>(account),
        ];
        let mut record = SessionRecord::default();
        let mut exists = false;
        let (mut peers, mut min_peers) = (0, 0);
        self.peek_rows(selects, |index, row| {
            match index {
                0 => {
                    exists = true;
                    tables::read_account_row(row, &mut record)?;
                }
                1 => tables::push_dc_row(row, &mut record)?,
                2 => ChannelPts::push_row(row, &mut record)?,
                3 => tables::read_login_state(row, &mut record)?,
                4 => peers = count(row)?,
                _ => min_peers = count(row)?,
            }
            Ok(())
        })?;
        Ok(exists.then(|| {
            let mut head = record.head();
            (head.peers, head.min_peers) = (peers, min_peers);
            head
        }))
    }

    /// Reads the peers that `select` asks for, once with and once without a table of names; also without is
    /// `None` where nothing can be found then. Names are stored late, and by any program.
    fn look_up(&mut self, select: impl Fn(bool) -> Option<Select>) -> io::Result<Found> {
        loop {
            let has_names = self.has_names();
            let mut found = Found::new();
            let mut has_table = has_names;
            let peers = select(has_names);
            let of_peers = usize::from(peers.is_some());
            let look = (!has_names).then(names::look);
            let selects: Vec<_> = peers.into_iter().chain(look).collect();
            self.peek_rows(selects, |index, row| {
                if index < of_peers {
                    return push_peer(row, has_names, &mut found);
                }
                has_table = true;
                Ok(())
            })?;
            if has_table == has_names {
                return Ok(found);
            }
            self.has_names = true;
        }
    }
}

/// The number of rows in a list, from the position of the last.
fn count(row: &Row<'_>) -> io::Result<u64> {
    let Some(last) = row.optional_i64(0)? else {
        return Ok(0);
    };
    // A negative one is damage, not an empty list.
    let last = u64::try_from(last).map_err(|_| row.out_of_range(0, last))?;
    Ok(last.saturating_add(1))
}

fn select_peer(account: &str, query: PeerQuery<'_>, has_names: bool) -> Option<Select> {
    let by_text = |what: i64, text: &str| {
        let select = Select::new("peer", PEER_AND_NAME, BY_TEXT);
        has_names.then(|| select.bind([account.into(), what.into(), text.into()]))
    };
    match query {
        PeerQuery::Key(key) => {
            let select = if has_names {
                Select::new("peer", PEER_AND_NAME, by_key!(with_names!()))
            } else {
                Select::new("peer", PEER, by_key!(""))
            };
            Some(select.bind([
                account.into(),
                key.id().into(),
                key.kind().to_byte().into(),
                key.is_community().into(),
            ]))
        }
        PeerQuery::Username(_) => by_text(names::USERNAME, query.text()?),
        PeerQuery::Phone(_) => by_text(names::PHONE, query.text()?),
    }
}

fn select_page(account: &str, after: Option<PeerKey>, limit: usize, has_names: bool) -> Select {
    let kinds = [
        (PeerKind::User, false),
        (PeerKind::User, true),
        (PeerKind::Channel, false),
        (PeerKind::Chat, false),
    ];
    let first = kinds.map(|(kind, is_community)| {
        let Some(after) = after else {
            return Value::from(i64::MIN);
        };
        let least = PeerKey::new(kind, is_community, i64::MIN);
        let own = (after.kind(), after.is_community());
        if (kind, is_community) == own {
            after.id().checked_add(1).into()
        } else {
            (least > after).then_some(i64::MIN).into()
        }
    });
    let select = if has_names {
        Select::new("peer", PEER_AND_NAME, page!(with_names!()))
    } else {
        Select::new("peer", PEER, page!(""))
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let params = [account.into(), limit.into()].into_iter().chain(first);
    select.bind(params.collect::<Vec<_>>())
}

/// Takes a row of a peer, and of one of its names if there are any.
fn push_peer(row: &Row<'_>, has_names: bool, to: &mut Found) -> io::Result<()> {
    let peer = tables::peer_of_row(row)?;
    let key = peer.key();
    let known = to
        .entry((key, row.i64(0)?))
        .or_insert_with(|| KnownPeer::new(peer.into(), nameless(key)));
    if let Some(what) = has_names
        .then(|| row.optional_i64(6))
        .transpose()?
        .flatten()
    {
        names::add(what, row.text(7)?.to_owned(), &mut known.names);
    }
    Ok(())
}
