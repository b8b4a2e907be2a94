//! Calls in work: what has to be remembered between a request and its answer.

use super::call::CallKey;
use super::request::Run;
use crate::catalog::Wrap;
use crate::json::Full;
use crate::jsonrpc::{Id, Token};
use crate::model::{ClientCapabilities, Level};
use crate::revision::Revision;
use crate::revision::methods;

/// One call in work.
#[derive(Clone, Debug)]
pub(crate) struct Inflight {
    pub(crate) key: CallKey,
    pub(crate) id: Token,
    pub(crate) revision: Revision,
    /// `None` for a custom method.
    pub(crate) method: Option<&'static methods::Row>,
    pub(crate) wrap: Wrap,
    /// The peer's progress token.
    pub(crate) token: Option<Token>,
    /// The last progress sent, as a number of the same order (see `notify::rank`); 0: none.
    pub(crate) progress: u64,
    /// Least level of logs wanted by this request (stateless revisions).
    pub(crate) level: Option<Level>,
    /// What its client may be asked for.
    pub(crate) capabilities: ClientCapabilities,
    pub(crate) cancelled: bool,
    pub(crate) batched: bool,
}

impl Inflight {
    /// Whether the client asked for a task, so that nothing else answers this call (`2025-11-25`).
    pub(crate) fn wants_task(&self) -> bool {
        !self.revision.is_stateless() && self.capabilities.tasks
    }

    pub(crate) fn new(
        key: CallKey,
        id: Id<'_>,
        revision: Revision,
        run: &Run<'_>,
        level: Option<Level>,
        capabilities: ClientCapabilities,
        batched: bool,
    ) -> Result<Self, Full> {
        Ok(Inflight {
            key,
            id: Token::keep(id)?,
            revision,
            method: run.method,
            wrap: run.wrap,
            token: run.token.map(Token::keep).transpose()?,
            progress: 0,
            level,
            capabilities,
            cancelled: false,
            batched,
        })
    }
}

/// A bounded table of calls in work.
#[derive(Clone, Debug)]
pub(crate) struct Table<const N: usize> {
    tag: u16,
    generation: u32,
    slots: heapless::Vec<Option<Inflight>, N>,
}

impl<const N: usize> Table<N> {
    pub(crate) const fn new(tag: u16) -> Self {
        Table { tag: tag & 0x7fff, generation: 0, slots: heapless::Vec::new() }
    }

    /// How many calls are in work.
    pub(crate) fn len(&self) -> usize {
        self.slots.iter().flatten().count()
    }

    /// The key the next call will have, if there is room for one.
    pub(crate) fn next_key(&self) -> Option<CallKey> {
        let free = self.slots.iter().position(Option::is_none);
        let slot = free.or_else(|| (!self.slots.is_full()).then_some(self.slots.len()))?;
        let slot = u16::try_from(slot).ok()?;
        Some(CallKey { tag: self.tag, generation: self.generation, slot })
    }

    /// Takes a call in. Its key must be the one from [`Table::next_key`].
    pub(crate) fn insert(&mut self, call: Inflight) {
        let at = usize::from(call.key.slot);
        if at == self.slots.len() {
            // A place for a call that is not moved once more: it is large.
            let _ = self.slots.push(None);
        }
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = Some(call);
        }
        self.generation = self.generation.wrapping_add(1);
    }

    pub(crate) fn get(&self, key: CallKey) -> Option<&Inflight> {
        self.slots.get(usize::from(key.slot))?.as_ref().filter(|call| call.key == key)
    }

    pub(crate) fn get_mut(&mut self, key: CallKey) -> Option<&mut Inflight> {
        self.slots.get_mut(usize::from(key.slot))?.as_mut().filter(|call| call.key == key)
    }

    pub(crate) fn remove(&mut self, key: CallKey) {
        if let Some(slot) = self.slots.get_mut(usize::from(key.slot))
            && slot.as_ref().is_some_and(|call| call.key == key)
        {
            *slot = None;
        }
    }

    /// Takes all calls back.
    pub(crate) fn abandon(&mut self) {
        self.slots.iter_mut().flatten().for_each(|call| call.cancelled = true);
    }

    /// The call of that id that was not cancelled.
    pub(crate) fn find(&mut self, id: Id<'_>) -> Option<&mut Inflight> {
        self.slots.iter_mut().flatten().find(|call| !call.cancelled && call.id.id() == id)
    }
}
