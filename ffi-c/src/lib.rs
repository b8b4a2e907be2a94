//! The C face of mcpgraft. No protocol knowledge lives here: every function checks what C cannot promise (pointers,
//! text, handles), calls the core, and hands out views of what came of it.
//!
//! ```text
//! abi      types of the header            guard    handles, checks, panics -> status
//! memory   outputs, decoded text          trouble  what goes wrong, as status and text
//! counted  what has several owners        request  the head of an HTTP request
//! server   options, catalogue             peer     what sessions, exchanges and listeners share
//! session  exchange  ask  news  task  resume  lines  keys  json  check: the functions of the header, by what they are about
//! ```
#![allow(non_camel_case_types, clippy::missing_safety_doc)] // names are C's; the README states what callers promise
#![deny(unsafe_op_in_unsafe_fn)]

pub mod abi;
pub mod about;
pub mod ask;
pub mod check;
mod counted;
mod event;
pub mod exchange;
mod guard;
pub mod json;
pub mod keys;
pub mod lines;
mod memory;
pub mod news;
pub mod peer;
mod request;
pub mod resume;
pub mod server;
pub mod session;
pub mod task;
pub mod task_2025;
mod trouble;
