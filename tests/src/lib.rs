//! What the tests of this workspace share: the conformance suite of backends, random sessions, the
//! golden files and an allocation counter.

pub mod blob_contract;
pub mod blobs;
pub mod bytes;
pub mod client;
pub mod conformance;
#[cfg(feature = "full")]
pub mod grammers_types;
#[cfg(target_os = "linux")]
pub mod heap;
pub mod mock_hrana;
pub mod model;
#[cfg(unix)]
pub mod owner_process;
pub mod programs;
pub mod proxy;
pub mod random;
mod readme;
pub mod release_before;
pub mod sealed;
pub mod servers;
pub mod session_files;
pub mod sqld;
pub mod stores;
pub mod vectors;
