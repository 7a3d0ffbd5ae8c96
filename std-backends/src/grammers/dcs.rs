//! Between DC entries, one for each address, and the one option that grammers has for a DC.

use core::net::{Ipv4Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use grammers_session::types::DcOption;
use mtsession_core::DcFlags;
use zeroize::Zeroizing;

use super::cache::Cache;
use super::held::KnownDc;
use crate::drop_in::dc::DcEntry;

impl Cache {
    /// The first entry of each family counts, as for every client.
    pub(super) fn add_entry(&mut self, entry: &DcEntry) {
        let slot = (entry.dc_id, entry.is_ipv6());
        let Ok(addr) = entry.socket_addr() else {
            return;
        };
        if self.entries.contains_key(&slot) {
            return;
        }
        let option = self
            .dc_options
            .entry(entry.dc_id)
            .or_insert_with(|| KnownDc(embedded(entry.dc_id, addr)));
        let KnownDc(option) = option;
        match addr {
            SocketAddr::V4(addr) => option.ipv4 = addr,
            SocketAddr::V6(addr) => option.ipv6 = addr,
        }
        option.auth_key = option.auth_key.or(entry.auth_key);
        self.entries.insert(slot, without_key(entry));
    }

    /// Both addresses of a DC as the store is to have them: with what it knew of them, except for the
    /// salt of another key.
    pub(super) fn entries_of(&self, option: &KnownDc) -> Zeroizing<Vec<DcEntry>> {
        let KnownDc(option) = option;
        let old_key = self
            .dc_options
            .get(&option.id)
            .and_then(|known| known.0.auth_key.as_ref());
        let is_same_key = old_key == option.auth_key.as_ref();
        let addresses = [
            // Only what is an address of its own: see `embedded`.
            (!option.ipv4.ip().is_unspecified()).then_some(SocketAddr::V4(option.ipv4)),
            (option.ipv6.ip().to_ipv4_mapped().is_none()).then_some(SocketAddr::V6(option.ipv6)),
        ];
        let mut entries = Vec::with_capacity(addresses.len());
        for addr in addresses.into_iter().flatten() {
            let family = if addr.is_ipv6() {
                DcFlags::IPV6
            } else {
                DcFlags::NONE
            };
            let known = self.entries.get(&(option.id, addr.is_ipv6()));
            let kept = known.filter(|_| is_same_key);
            entries.push(DcEntry {
                dc_id: option.id,
                addr: addr.to_string(),
                auth_key: option.auth_key,
                first_salt: kept.map_or(0, |known| known.first_salt),
                time_offset: known.map_or(0, |known| known.time_offset),
                flags: known.map_or(family, |known| known.flags),
            });
        }
        for (&(dc_id, is_ipv6), known) in &self.entries {
            let is_set = entries.iter().any(|entry| entry.is_ipv6() == is_ipv6);
            if dc_id == option.id && !is_set {
                // An address that the option does not repeat: its key is the option's as well.
                entries.push(DcEntry {
                    auth_key: option.auth_key,
                    first_salt: if is_same_key { known.first_salt } else { 0 },
                    ..known.clone()
                });
            }
        }
        Zeroizing::new(entries)
    }

    /// Takes in an option that is stored as these entries.
    pub(super) fn set_option(&mut self, option: &KnownDc, entries: &[DcEntry]) {
        for entry in entries {
            let slot = (entry.dc_id, entry.is_ipv6());
            self.entries.insert(slot, without_key(entry));
        }
        let KnownDc(option) = option;
        self.dc_options.insert(option.id, KnownDc(option.clone()));
    }
}

fn without_key(entry: &DcEntry) -> DcEntry {
    DcEntry {
        dc_id: entry.dc_id,
        addr: entry.addr.clone(),
        auth_key: None,
        first_salt: entry.first_salt,
        time_offset: entry.time_offset,
        flags: entry.flags,
    }
}

/// A DC that grammers does not know, with one address for both families. There is no way to write an
/// IPv6 address as IPv4.
fn embedded(id: i32, addr: SocketAddr) -> DcOption {
    let (ipv4, ipv6) = match addr {
        SocketAddr::V4(addr) => {
            let mapped = addr.ip().to_ipv6_mapped();
            (addr, SocketAddrV6::new(mapped, addr.port(), 0, 0))
        }
        SocketAddr::V6(addr) => {
            let none = Ipv4Addr::UNSPECIFIED;
            (SocketAddrV4::new(none, addr.port()), addr)
        }
    };
    DcOption {
        id,
        ipv4,
        ipv6,
        auth_key: None,
    }
}
