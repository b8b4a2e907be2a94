//! Names of the protocol that are not messages.

mod capability;
mod level;
pub mod template;

pub use capability::ClientCapabilities;
pub use level::Level;
