//! Sessions in memory, and responses that stay open.

use std::cell::RefCell;
use std::collections::HashMap;
use std::convert::Infallible;
use std::fs::File;
use std::io::Read;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use mcpgraft::http::{Handshake, Listener};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// How often an idle response says that it is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What a response holds: all of it, or what is said while it is open.
pub enum Answer {
    Whole(Option<Bytes>),
    Open(UnboundedReceiver<Bytes>),
}

impl Answer {
    pub fn whole(bytes: impl Into<Bytes>) -> Answer {
        Answer::Whole(Some(bytes.into()))
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Answer::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Answer::Open(said) => {
                said.poll_recv(context).map(|said| said.map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Answer::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Answer::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Answer::Open(_) => SizeHint::default(),
        }
    }
}

struct Open {
    /// To be told what has changed; this catalogue never does.
    _listener: Listener,
    session: Option<String>,
    to: UnboundedSender<Bytes>,
}

/// What a server of one thread remembers between requests.
pub struct Kept {
    sessions: RefCell<HashMap<String, Handshake>>,
    open: RefCell<Vec<Open>>,
    random: File,
}

impl Kept {
    pub fn new() -> std::io::Result<Kept> {
        let random = File::open("/dev/urandom")?;
        Ok(Kept { sessions: RefCell::default(), open: RefCell::default(), random })
    }

    /// A session has begun; its id.
    pub fn begin(&self, handshake: Handshake) -> std::io::Result<String> {
        let mut bytes = [0; 16];
        (&self.random).read_exact(&mut bytes)?;
        let id: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.sessions.borrow_mut().insert(id.clone(), handshake);
        Ok(id)
    }

    /// Runs `with` on what is known of a session.
    pub fn with<R>(&self, id: &str, with: impl FnOnce(Option<&mut Handshake>) -> R) -> R {
        with(self.sessions.borrow_mut().get_mut(id))
    }

    /// A session is over, and with it what was open for it.
    pub fn end(&self, id: &str) {
        self.sessions.borrow_mut().remove(id);
        self.open.borrow_mut().retain(|open| open.session.as_deref() != Some(id));
    }

    /// A client listens: what it gets, first of it `said`.
    pub fn listen(&self, listener: Listener, session: Option<String>, said: Vec<u8>) -> Answer {
        let (to, answer) = unbounded_channel();
        if !said.is_empty() {
            let _ = to.send(Bytes::from(said)); // the other end is here
        }
        self.open.borrow_mut().push(Open { _listener: listener, session, to });
        Answer::Open(answer)
    }

    /// Keeps open what is idle, and forgets those that have gone.
    pub async fn keep_alive(&self) {
        loop {
            tokio::time::sleep(KEEP_ALIVE).await;
            let comment = Bytes::from_static(Listener::KEEP_ALIVE);
            self.open.borrow_mut().retain(|open| open.to.send(comment.clone()).is_ok());
        }
    }
}
