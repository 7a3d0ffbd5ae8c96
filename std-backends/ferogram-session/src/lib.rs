//! `mtsession` under the name of the crate that it replaces:
//!
//! ```toml
//! [patch.crates-io]
//! ferogram-session = { git = "https://github.com/mtsession/mtsession" }
//! ```

pub use mtsession::*;
