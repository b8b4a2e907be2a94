//! Names of the protocol that are not messages.

mod capability;
mod extension;
mod level;
mod percent;
pub mod template;
#[cfg(feature = "alloc")]
pub mod typed;

pub use capability::ClientCapabilities;
pub use extension::is_extension;
pub use level::Level;
