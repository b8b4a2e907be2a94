//! JSON over slices: checked once, then read in place; written straight into the caller's buffer.
//!
//! Nothing here allocates, recurses on its input or keeps a copy. [`check`] is the only gate: it accepts one
//! value as RFC 8259 says and hands out a [`Raw`], a view of that text. Reading a [`Raw`] skips over text that
//! is known to be valid, so numbers and unknown members keep every byte they had on the wire.
//!
//! ```
//! let message = mcpgraft::json::check(br#"{"id":9007199254740993,"method":"p\u0069ng"}"#, 64)?;
//! assert_eq!(message.get("id").map(|id| id.text()), Some("9007199254740993"));
//! assert!(message.get("method").and_then(|m| m.str()).is_some_and(|m| m == "ping"));
//! # Ok::<(), mcpgraft::json::JsonError>(())
//! ```

mod check;
pub(crate) mod digits;
mod error;
mod number;
mod scan;
mod sift;
mod sink;
mod stream;
mod string;
mod utf8;
mod value;
mod write;

#[cfg(feature = "alloc")]
pub(crate) use check::{Checker, utf8};
pub use check::{MAX_DEPTH, check};
pub use error::{JsonError, JsonErrorKind};
pub(crate) use scan::{find, find_text, line_run, skip_space};
#[cfg(feature = "alloc")]
pub(crate) use sift::check_walking;
#[cfg(feature = "alloc")]
pub use sift::member;
pub(crate) use sift::{Picked, check_sifting};
pub(crate) use sink::whole;
pub use sink::{Full, Sink, SliceSink};
pub use stream::Stream;
pub use string::{Chars, Str, fnv64};
pub(crate) use utf8::{NotUtf8, Partial};
pub use value::{Elements, Kind, Members, Raw};
pub use write::{Mark, Writer, escape};
