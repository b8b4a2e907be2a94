//! Names of the protocol that are not messages.

pub mod template;
