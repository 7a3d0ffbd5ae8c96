//! The root README, compiled: its examples are documentation tests of this crate.
#![cfg(doctest)]
#![doc = include_str!("../../README.md")]
