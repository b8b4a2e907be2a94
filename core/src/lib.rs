//! The Model Context Protocol as a pure state machine.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;

pub mod frame;
pub mod http;
pub mod json;
pub mod model;
