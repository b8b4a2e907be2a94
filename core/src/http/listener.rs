//! A response that stays open for messages that belong to no request.

use super::events::{Event, Numbering, StreamName, numbered};
use super::session::Handshake;
use crate::catalog::{Catalog, Kind};
use crate::error::LocalError;
use crate::frame::sse;
use crate::json::Sink;
use crate::server::{Server, Task, listen, notify};

/// Most resources one response watches.
const URIS: usize = 256;

/// An open event stream: a subscription of the stateless era (`subscriptions/listen`), or the GET stream of a session.
///
/// The host keeps it beside the response and tells it what has changed; it knows whether its client wants to hear of it.
/// It holds no queue: a host that cannot write at once may drop repeated changes of one list or resource.
#[derive(Clone, Debug)]
pub struct Listener {
    open: Open,
    /// Where events have ids.
    numbering: Option<Numbering>,
}

#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // there is no heap to put a variant on
pub(super) enum Open {
    Subscription(listen::Listener<URIS>),
    Session,
}

impl Listener {
    /// The comment that keeps an idle stream open; to be written every 15 s or so.
    pub const KEEP_ALIVE: &'static [u8] = sse::KEEP_ALIVE;

    pub(super) fn subscription(listener: listen::Listener<URIS>) -> Self {
        Listener { open: Open::Subscription(listener), numbering: None }
    }

    pub(super) fn session(numbering: Option<Numbering>) -> Self {
        Listener { open: Open::Session, numbering }
    }

    /// The name of the stream, where events have ids (see [`events`](super::events)).
    #[must_use]
    pub fn stream(&self) -> Option<&StreamName> {
        self.numbering.as_ref().map(Numbering::stream)
    }

    /// The event of what was written last, to be kept; `None` where events have no ids.
    #[must_use]
    pub fn event(&self) -> Option<Event> {
        self.numbering.as_ref().and_then(Numbering::event)
    }

    /// Tells that a list has changed. `false`: nothing was written, because the client does not want to know.
    ///
    /// # Errors
    /// [`LocalError::OutputFull`].
    pub fn list_changed<C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        kind: Kind,
        out: &mut S,
    ) -> Result<bool, LocalError> {
        let start = out.len();
        match &self.open {
            Open::Subscription(listener) if listener.wants_list(kind) => {
                numbered(&mut self.numbering, out, |out| Ok(listener.list_changed(kind, out)?))?;
            }
            Open::Session if server.profile.list_changed => {
                numbered(&mut self.numbering, out, |out| Ok(notify::list_changed(kind, out)?))?;
            }
            _ => {}
        }
        Ok(out.len() > start)
    }

    /// Tells that a resource has changed. `handshake` is the session of a GET stream as it is now. `false`: nothing was
    /// written, because the client does not watch it.
    ///
    /// # Errors
    /// [`LocalError::OutputFull`].
    pub fn resource_updated<S: Sink + ?Sized>(
        &mut self,
        handshake: Option<&Handshake>,
        uri: &str,
        out: &mut S,
    ) -> Result<bool, LocalError> {
        let start = out.len();
        match &self.open {
            Open::Subscription(listener) if listener.wants_resource(uri) => {
                numbered(&mut self.numbering, out, |out| Ok(listener.updated(uri, out)?))?;
            }
            Open::Session if handshake.is_some_and(|handshake| handshake.watches(uri)) => {
                numbered(&mut self.numbering, out, |out| Ok(notify::updated(uri, out)?))?;
            }
            _ => {}
        }
        Ok(out.len() > start)
    }

    /// Tells how a task stands now. `principal` is who the client of this stream is; what it may not see it is not told.
    /// `false`: nothing was written, because the client did not name the task (it need not in `2025-11-25`), or it is not
    /// its own.
    ///
    /// # Errors
    /// [`LocalError::OutputFull`].
    pub fn task_changed<S: Sink + ?Sized>(
        &mut self,
        task: &Task<'_>,
        principal: Option<&str>,
        out: &mut S,
    ) -> Result<bool, LocalError> {
        match &self.open {
            Open::Subscription(listener) if listener.wants_task(task) && task.belongs_to(principal) => {
                numbered(&mut self.numbering, out, |out| Ok(listener.task_changed(task, out)?))?;
                Ok(true)
            }
            Open::Session if task.is_experimental() && task.belongs_to(principal) => {
                numbered(&mut self.numbering, out, |out| Ok(task.status_notification(out)?))?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Ends the stream in good order: writes the answer of a subscription. Close the response after it.
    ///
    /// # Errors
    /// [`LocalError::OutputFull`].
    pub fn end<C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        out: &mut S,
    ) -> Result<(), LocalError> {
        match &self.open {
            Open::Subscription(listener) => {
                numbered(&mut self.numbering, out, |out| Ok(listener.end(server, out)?))
            }
            Open::Session => Ok(()),
        }
    }
}
