//! One behaviour, one function; `conformance!` makes a test of each for a backend.
//!
//! Everything goes through `Box<dyn SessionBackend>`, as clients use it. The numbers in the docs are
//! those of the rules in [`SessionBackend`]'s own.

mod many;
mod names;
mod parts;
pub mod record;
mod refused;
mod session;
pub mod through_writer;
mod writers;

use mtsession::{CachedPeer, DcEntry, DcFlags, PersistedSession, SessionBackend, Store};

pub use self::many::*;
pub use self::names::*;
pub use self::parts::parts_agree_with_the_whole;
pub use self::record::*;
pub use self::refused::*;
pub use self::session::*;
pub use self::writers::*;
use crate::random::key_of;

/// A store that can be opened again and again.
pub trait Fixture {
    /// Opens the store; all that one fixture opens are the same store.
    fn open(&self) -> Box<dyn SessionBackend>;

    /// Whether the store cannot be had here; says why.
    fn is_missing(&self) -> bool {
        false
    }

    /// Whether what was stored is there after the backend is gone.
    fn persists(&self) -> bool {
        true
    }

    /// Whether two open backends are one store, as two processes would have it.
    fn is_shared(&self) -> bool {
        self.persists()
    }

    /// Whether what one open backend was told is unknown to the next one.
    fn is_told_apart(&self) -> bool {
        self.is_shared() && self.is_atomic()
    }

    /// Whether writers do not lose each other's changes: not in a store that loads and saves.
    fn is_atomic(&self) -> bool {
        true
    }

    /// Puts bytes that are no session where the store is; false where there is no such thing.
    fn damage(&self) -> bool {
        false
    }

    /// Every byte that is stored anywhere, to look for keys in.
    fn stored_bytes(&self) -> Vec<u8> {
        Vec::new()
    }
}

/// Handles that one [`Store`] gives out, which may share what they know.
pub struct OneStore {
    /// The store.
    pub store: Store,
    /// Whether each of them is told by itself what there is.
    pub is_told_apart: bool,
}

impl Fixture for OneStore {
    fn open(&self) -> Box<dyn SessionBackend> {
        Box::new(self.store.backend("alice").unwrap())
    }

    fn is_told_apart(&self) -> bool {
        self.is_told_apart
    }
}

/// Makes one test of every behaviour for a backend: `conformance!(file, FileFixture::new())`.
#[macro_export]
macro_rules! conformance {
    ($backend:ident, $fixture:expr) => {
        $crate::conformance!(@ $backend, $fixture,
            an_empty_store_is_none
            a_saved_session_comes_back_exactly
            a_default_session_is_not_none
            order_and_duplicates_are_kept
            counters_may_go_down
            a_session_survives_reopening
            a_granular_write_makes_an_empty_store_a_session
            peers_of_different_kinds_do_not_replace_each_other
            a_media_entry_does_not_replace_the_main_one
            an_entry_of_the_same_slot_is_replaced
            all_replaces_the_whole_update_state
            a_batch_is_all_or_nothing
            what_cannot_be_kept_is_refused_before_anything_is_written
            a_failed_write_leaves_the_backend_usable
            a_login_that_has_appeared_is_replaced_only_knowingly
            the_account_is_kept_beside_the_session
            peers_keep_their_names_through_changes
            names_go_with_their_peers
            names_are_replaced_and_deleted
            delete_leaves_nothing
            a_damaged_store_is_an_error_and_stays_as_it_is
            names_and_errors_hold_no_secret
            threads_do_not_lose_each_others_changes
            two_backends_do_not_lose_each_others_changes
            save_beside_granular_writes_keeps_the_session_whole
            a_client_loses_nothing
            a_client_whose_runtime_goes_away_keeps_its_login
            seventy_thousand_peers_are_kept
            random_operations_match_the_model
            every_part_of_a_record_comes_back
            every_change_does_what_it_says
            what_belongs_to_a_login_goes_with_its_key
            an_update_is_whole_or_nothing
            updates_do_not_lose_each_other
            peers_are_found_and_listed parts_agree_with_the_whole
        );
    };
    (@ $backend:ident, $fixture:expr, $($behaviour:ident)+) => {
        mod $backend {
            #[allow(unused_imports)]
            use super::*;

            $(
                #[test]
                fn $behaviour() {
                    let fixture = $fixture;
                    if !Fixture::is_missing(&fixture) {
                        $crate::conformance::$behaviour(&fixture);
                    }
                }
            )+
        }
    };
}

fn some_dc(dc_id: i32, flags: DcFlags) -> DcEntry {
    DcEntry {
        auth_key: Some(key_of(dc_id as u8)),
        first_salt: -5,
        time_offset: 3,
        ..DcEntry::from_parts(dc_id, "149.154.167.51", 443, flags)
    }
}

fn user(id: i64) -> CachedPeer {
    CachedPeer {
        id,
        access_hash: id * 7,
        is_channel: false,
        is_chat: false,
        channel_kind: None,
        is_community: false,
    }
}

fn loaded(backend: &dyn SessionBackend) -> PersistedSession {
    backend.load().unwrap().expect("the store holds a session")
}
