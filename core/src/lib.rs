//! The Model Context Protocol as a pure state machine.
#![no_std]
#![forbid(unsafe_code)]
#![warn(clippy::alloc_instead_of_core, clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

#[cfg(feature = "alloc")]
extern crate alloc;

pub mod catalog;
mod error;
pub mod frame;
pub mod http;
pub mod json;
pub mod jsonrpc;
pub mod limits;
pub mod model;
pub mod revision;
#[cfg(feature = "seal")]
pub mod seal;
pub mod server;

pub use error::LocalError;
pub use limits::Limits;
pub use revision::{Era, Revision, RevisionSet};
pub use server::{Server, Session};
