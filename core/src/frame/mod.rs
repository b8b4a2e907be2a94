//! Framing: where one message ends and the next begins, on streams that have no such notion.

pub mod line;
pub mod sse;
