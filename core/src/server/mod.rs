//! The server role: what is served ([`Server`]), and the state machine of one duplex channel ([`Session`]).
//!
//! ```text
//! message -> jsonrpc::read -> era -> [stateless ladder] -> request::plan -> answered here, or a Call for the host
//! result  -> answer        -> [translate for older peers] -> bytes
//! ```
//! The HTTP side (`crate::http`) drives the same rooms for one request at a time.

pub(crate) mod answer;
pub(crate) mod ask;
mod ask_down;
pub(crate) mod call;
mod cursor;
pub(crate) mod era;
pub(crate) mod failure;
pub(crate) mod fault;
pub(crate) mod incoming;
pub(crate) mod inflight;
pub(crate) mod listen;
pub(crate) mod lists;
pub(crate) mod mirror;
pub(crate) mod notify;
pub(crate) mod out;
mod pace;
pub(crate) mod params;
pub(crate) mod plain;
pub(crate) mod profile;
pub(crate) mod request;
mod session;
pub(crate) mod tasks;
mod tasks_2025;
mod tasks_new;
mod tasks_wire;
pub(crate) mod watched;

pub use answer::Failure;
pub use ask::{Ask, AskKey, Unable};
pub use call::{Batch, Call, CallKey, Notice, Reference, Step, Target, TaskAction, TaskWanted};
pub use fault::Fault;
pub use notify::{Log, Progress};
pub use pace::Pace;
pub use plain::Text;
pub use profile::{CacheScope, ExperimentalTasks, Offer, Profile};
pub use session::Session;
pub use tasks::{Status, Task, Updated};
pub use tasks_2025::{Outcome, task_page};
pub use tasks_new::{NewTask, TaskOrigin};

use crate::limits::Limits;

/// What is served: shared by every session and exchange, and never changed by them.
#[derive(Clone, Copy, Debug)]
pub struct Server<'a, C> {
    /// Who the server is and what it offers.
    pub profile: Profile<'a>,
    /// What it refuses to exceed.
    pub limits: Limits,
    /// Its tools, resources, templates and prompts.
    pub catalog: C,
}
