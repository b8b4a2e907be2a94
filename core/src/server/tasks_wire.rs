//! What a task looks like on the wire: flat, with `resultType` `task` only where it is created. The other form, of
//! `2025-11-25`, is written by `tasks_2025`.

use super::answer;
use super::tasks::{Status, Task};
use crate::catalog::Wrap;
use crate::error::LocalError;
use crate::json::{Full, Raw, Sink, Writer};
use crate::revision::{Revision, fields};
use crate::server::out::whole;

/// Members of the result that creates a task, as the host gives it; `resultType` is for the stateless era.
pub(crate) fn created_members(revision: Revision) -> &'static [&'static str] {
    if revision.is_stateless() { &CREATED } else { &["task", "_meta"] }
}

const CREATED: [&str; 9] = [
    "resultType",
    "taskId",
    "status",
    "statusMessage",
    "createdAt",
    "lastUpdatedAt",
    "ttlMs",
    "pollIntervalMs",
    "_meta",
];

/// Whether a result of the host has what a new task needs.
pub(crate) fn is_created(result: Raw<'_>, revision: Revision) -> bool {
    let (task, ttl) =
        if revision.is_stateless() { (Some(result), "ttlMs") } else { (result.get("task"), "ttl") };
    let Some(task) = task else { return false };
    let string = |key| task.get(key).is_some_and(Raw::is_string);
    ["taskId", "status", "createdAt", "lastUpdatedAt"].into_iter().all(string)
        && task.get(ttl).is_some_and(|ttl| ttl.is_null() || ttl.u64().is_some_and(|ttl| ttl > 0))
}

impl Task<'_> {
    /// Writes the result of a tool call that became a task (`CreateTaskResult`), to be given to `reply`. Store the task
    /// before: the client may ask for it at once.
    ///
    /// # Errors
    /// [`LocalError::OutputFull`].
    pub fn created<S: Sink + ?Sized>(&self, out: &mut S) -> Result<(), LocalError> {
        self.object(out, |w| {
            w.field_str("resultType", "task")?;
            if self.is_experimental() { self.created_2025(w) } else { self.members(w) }
        })
    }

    /// Writes the result of `tasks/get`, to be given to `reply`: the task with its result, error, or open questions.
    ///
    /// # Errors
    /// [`LocalError::OutputFull`].
    pub fn detailed<S: Sink + ?Sized>(&self, out: &mut S) -> Result<(), LocalError> {
        self.object(out, |w| {
            if self.is_experimental() {
                return self.members_2025(w);
            }
            w.field_str("resultType", "complete")?;
            self.details(w)
        })
    }

    /// Writes the result of `tasks/update` and `tasks/cancel`, to be given to `reply`: nothing; in `2025-11-25` the task.
    ///
    /// # Errors
    /// [`LocalError::OutputFull`].
    pub fn acknowledged<S: Sink + ?Sized>(&self, out: &mut S) -> Result<(), LocalError> {
        self.object(out, |w| if self.is_experimental() { self.members_2025(w) } else { Ok(()) })
    }

    pub(super) fn object<S: Sink + ?Sized>(
        &self,
        out: &mut S,
        write: impl FnOnce(&mut Writer<'_, S>) -> Result<(), Full>,
    ) -> Result<(), LocalError> {
        whole(out, |out| {
            let mut w = Writer::new(out);
            w.begin_object()?;
            write(&mut w)?;
            w.end_object()?;
            Ok(())
        })
    }

    fn members<S: Sink + ?Sized>(&self, w: &mut Writer<'_, S>) -> Result<(), Full> {
        w.key("taskId")?;
        w.raw_text(self.id.raw())?;
        w.field_str("status", self.status.name())?;
        if let Some(message) = self.message {
            w.key("statusMessage")?;
            w.raw_text(message.raw())?;
        }
        self.times(w, "ttlMs", "pollIntervalMs")
    }

    /// Writes when it was made and changed, how long it is kept, and how often to ask for it.
    pub(super) fn times<S: Sink + ?Sized>(
        &self,
        w: &mut Writer<'_, S>,
        ttl: &str,
        poll: &str,
    ) -> Result<(), Full> {
        w.field_str("createdAt", &timestamp(self.created))?;
        w.field_str("lastUpdatedAt", &timestamp(self.updated))?;
        w.key(ttl)?;
        match self.ttl {
            Some(ttl) => w.u64(ttl)?,
            None => w.null()?,
        }
        self.poll.map_or(Ok(()), |interval| w.field_u64(poll, interval))
    }

    /// Writes the members of a `DetailedTask`, in `tasks/get` and `notifications/tasks`.
    pub(crate) fn details<S: Sink + ?Sized>(&self, w: &mut Writer<'_, S>) -> Result<(), Full> {
        self.members(w)?;
        match self.status {
            Status::Working | Status::Cancelled => Ok(()),
            Status::InputRequired => {
                w.key("inputRequests")?;
                w.begin_object()?;
                for (key, request) in self.open() {
                    w.raw_key(key)?;
                    w.raw(request)?;
                }
                w.end_object()
            }
            Status::Completed => self.result.map_or(Ok(()), |result| w.field("result", result)),
            Status::Failed => self.error.map_or(Ok(()), |error| w.field("error", error)),
        }
    }
}

/// Writes the result of a tool as its call would have given it.
pub(crate) fn tool_result<S: Sink + ?Sized>(
    result: Raw<'_>,
    wrap: Wrap,
    revision: Revision,
    w: &mut Writer<'_, S>,
) -> Result<(), Full> {
    w.begin_object()?;
    complete(revision, w)?;
    for (key, member) in result.members() {
        let apart = ["resultType", "content", "structuredContent"].into_iter().any(|name| key == *name);
        let unknown = !revision.is_stateless() && fields::RESULT_ENVELOPE.iter().any(|name| key == **name);
        if !apart && !unknown && !member.is_null() {
            w.raw_key(key)?;
            w.raw(member)?;
        }
    }
    let [content, structured, failed] = result.sift(&["content", "structuredContent", "isError"]).values;
    answer::tool_content(content, structured, failed, wrap, revision, w)?;
    w.end_object()
}

/// Writes the result of a tool that failed.
pub(crate) fn tool_error<S: Sink + ?Sized>(
    text: &str,
    revision: Revision,
    w: &mut Writer<'_, S>,
) -> Result<(), Full> {
    w.begin_object()?;
    complete(revision, w)?;
    answer::error_content(text, w)?;
    w.end_object()
}

fn complete<S: Sink + ?Sized>(revision: Revision, w: &mut Writer<'_, S>) -> Result<(), Full> {
    if revision.is_stateless() { w.field_str("resultType", "complete") } else { Ok(()) }
}

/// A time as ISO 8601 has it, in UTC, of the years 1970 to 9999.
fn timestamp(ms: u64) -> heapless::String<24> {
    const LAST: u64 = 253_402_300_799_999;
    let ms = ms.min(LAST);
    let (days, of_day) = (ms / 86_400_000, ms % 86_400_000);
    let (year, month, day) = date(days);
    let (second, milli) = (of_day / 1000, of_day % 1000);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let mut text = heapless::String::new();
    // Four digits of year at most: it fits.
    let _ = core::fmt::write(
        &mut text,
        format_args!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z"),
    );
    text
}

/// Year, month and day of the day that many days after 1970-01-01, in the proleptic Gregorian calendar. Years are counted
/// from March, so that the leap day is the last of its year.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468; // since 0000-03-01
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year + era * 400 + next, month, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_iso_8601() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_785_196_800_123, "2026-07-28T00:00:00.123Z"),
            (4_107_542_399_000, "2100-02-28T23:59:59.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (u64::MAX, "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(timestamp(ms), text);
        }
    }
}
