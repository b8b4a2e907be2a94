//! Streamable HTTP as pure rules: a request goes in, a response plan comes out.

pub mod accept;
pub mod guard;
pub mod sentinel;
