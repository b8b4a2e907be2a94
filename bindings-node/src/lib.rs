//! The addon under the npm package `mcpgraft`: bytes and strings in, strings out. No protocol knowledge lives here; each
//! class wraps one of the core's. `native/index.js` gives them their face; what it does not take apart does not come here:
//! no entry reads a property or runs JavaScript in any other way.
//!
//! ```text
//! argument  what JavaScript gives        error   guards, errors        record  steps as one string
//! shared, options   the server           session, stream, exchange, request, notice, listener, framer, seal, task, ask,
//!                                        validate: its parts
//! call      calls and failures           bound   the busiest entries          crash   failures on demand, in test builds
//! ```
#![allow(unreachable_pub)] // what JavaScript sees is public in private modules
#![allow(missing_docs)] // `native/index.d.ts` documents it

mod argument;
mod ask;
mod bound;
mod call;
mod crash;
mod error;
mod exchange;
mod framer;
mod listener;
mod notice;
mod options;
mod record;
mod request;
mod seal;
mod session;
mod shared;
mod stream;
mod task;
#[cfg(feature = "schema")]
mod validate;
