//! The experimental tasks of `2025-11-25` on the wire (basic/utilities/tasks): nested where one is created, asked for by
//! `tasks/get`, its outcome by `tasks/result`.
//!
//! A tool that failed is a task that failed here, while the extension calls it completed: what is kept is the same.

use super::ask::related;
use super::notify::{self, Progress};
use super::tasks::{Status, Task};
use crate::error::LocalError;
use crate::json::{Full, Raw, Sink, Str, Writer};
use crate::revision::codes;
use crate::revision::fields::meta;
use crate::server::out::whole;

/// Most characters of a tool's own words that a failed task repeats in `statusMessage`.
const WORDS: usize = 200;

/// How a task ended, for `tasks/result`.
#[derive(Clone, Copy, Debug)]
pub enum Outcome<'a> {
    /// It has not ended.
    Open,
    /// By a result: it was written, to be given to `reply`.
    Result,
    /// By an error, to be given to `fail` as [`Failure::Custom`](super::Failure::Custom).
    Error {
        /// The JSON-RPC error code.
        code: i32,
        /// What went wrong.
        message: Str<'a>,
        /// More about it.
        data: Option<Raw<'a>>,
    },
}

impl<'a> Task<'a> {
    /// Writes how it ended: exactly what its call would have been answered, and which task that was.
    ///
    /// # Errors
    /// [`LocalError::OutputFull`].
    pub fn outcome<S: Sink + ?Sized>(&self, out: &mut S) -> Result<Outcome<'a>, LocalError> {
        const TAKEN_BACK: Str<'static> = Str::trusted("\"the task was cancelled\"");
        let error = match (self.status, self.result, self.error) {
            (Status::Completed, Some(result), _) => {
                self.object(out, |w| {
                    for (key, member) in result.members().filter(|(key, _)| key != "_meta") {
                        w.raw_key(key)?;
                        w.raw(member)?;
                    }
                    w.key("_meta")?;
                    w.begin_object()?;
                    let own = result.get("_meta").into_iter().flat_map(Raw::members);
                    for (key, member) in own.filter(|(key, _)| key != meta::RELATED_TASK) {
                        w.raw_key(key)?;
                        w.raw(member)?;
                    }
                    related(self.id, w)?;
                    w.end_object()
                })?;
                return Ok(Outcome::Result);
            }
            (Status::Working | Status::InputRequired, ..) => return Ok(Outcome::Open),
            (Status::Failed, _, Some(error)) => error,
            _ => return Ok(Outcome::Error { code: codes::INTERNAL_ERROR, message: TAKEN_BACK, data: None }),
        };
        let code = error.get("code").and_then(Raw::i64).and_then(|code| i32::try_from(code).ok());
        Ok(Outcome::Error {
            code: code.unwrap_or(codes::INTERNAL_ERROR),
            message: error.get("message").and_then(Raw::str).unwrap_or(Str::trusted("\"\"")),
            data: error.get("data"),
        })
    }

    /// Writes what creates it: the task inside, and to what it belongs.
    pub(super) fn created_2025<S: Sink + ?Sized>(&self, w: &mut Writer<'_, S>) -> Result<(), Full> {
        w.key("task")?;
        w.begin_object()?;
        self.members_2025(w)?;
        w.end_object()?;
        w.key("_meta")?;
        w.begin_object()?;
        related(self.id, w)?;
        w.end_object()
    }

    /// Writes the members of a `Task`.
    pub(super) fn members_2025<S: Sink + ?Sized>(&self, w: &mut Writer<'_, S>) -> Result<(), Full> {
        let failed = self.result.filter(|result| result.get("isError").and_then(Raw::bool) == Some(true));
        let status = if failed.is_some() { Status::Failed } else { self.status };
        w.key("taskId")?;
        w.raw_text(self.id.raw())?;
        w.field_str("status", status.name())?;
        match (failed.and_then(words), self.message) {
            (Some(words), _) => {
                let mut text = heapless::String::<{ WORDS * 4 }>::new();
                // A character has four bytes at most.
                words.chars().take(WORDS).for_each(|c| drop(text.push(c)));
                w.field_str("statusMessage", &text)?;
            }
            (None, Some(message)) => {
                w.key("statusMessage")?;
                w.raw_text(message.raw())?;
            }
            (None, None) => {}
        }
        self.times(w, "ttl", "pollInterval")
    }

    /// Writes `notifications/tasks/status`.
    pub(crate) fn status_notification<S: Sink + ?Sized>(&self, out: &mut S) -> Result<(), Full> {
        let mut w = notify::open("notifications/tasks/status", out)?;
        w.begin_object()?;
        self.members_2025(&mut w)?;
        w.end_object()?;
        w.end_object()
    }

    /// Writes how far it has come, under the token of its call. `false`: nobody wants to know.
    pub(crate) fn progress_notification<S: Sink + ?Sized>(
        &self,
        progress: &Progress<'_>,
        out: &mut S,
    ) -> Result<bool, LocalError> {
        progress.check()?;
        let Some(token) = self.progress_token() else { return Ok(false) };
        let mut w = notify::open("notifications/progress", out)?;
        w.begin_object()?;
        progress.members(token.text(), true, &mut w)?;
        w.key("_meta")?;
        w.begin_object()?;
        related(self.id, &mut w)?;
        w.end_object()?;
        w.end_object()?;
        w.end_object()?;
        Ok(true)
    }
}

/// The first text of a result.
fn words(result: Raw<'_>) -> Option<Str<'_>> {
    let mut blocks = result.get("content").into_iter().flat_map(Raw::elements);
    blocks.find_map(|block| block.get("text").and_then(Raw::str))
}

/// Writes the result of `tasks/list`, to be given to `reply`. `next` is the cursor of the next page, if there is one.
///
/// # Errors
/// [`LocalError::OutputFull`].
pub fn task_page<'a, S: Sink + ?Sized>(
    tasks: impl Iterator<Item = Task<'a>> + Clone,
    next: Option<&str>,
    out: &mut S,
) -> Result<(), LocalError> {
    whole(out, |out| {
        let mut w = Writer::new(out);
        w.begin_object()?;
        w.key("tasks")?;
        w.begin_array()?;
        for task in tasks {
            w.begin_object()?;
            task.members_2025(&mut w)?;
            w.end_object()?;
        }
        w.end_array()?;
        if let Some(next) = next {
            w.field_str("nextCursor", next)?;
        }
        w.end_object()?;
        Ok(())
    })
}
