//! What a message told, as a record.

use mcpgraft::server::Notice;

use crate::record::{Record, Slot, flag};

/// Puts what a message told into a record, and gives the name of the event.
pub(crate) fn note(record: &mut Record, notice: &Notice<'_>) -> Option<&'static str> {
    Some(match *notice {
        Notice::Opened { revision, .. } => {
            record.text(Slot::Text, revision.name());
            "opened"
        }
        Notice::Ready => "ready",
        Notice::Cancelled { key, reason } => {
            record.key(key);
            record.maybe(Slot::Text, reason.map(|reason| reason.to_cow()).as_deref());
            "cancelled"
        }
        Notice::CancelledElsewhere { id, .. } => {
            record.text(Slot::Text, id.text());
            "cancelled"
        }
        Notice::Level(level) => {
            record.text(Slot::Text, level.name());
            "level"
        }
        Notice::Subscribed(uri) => {
            record.text(Slot::Text, &uri.to_cow());
            "subscribed"
        }
        Notice::Unsubscribed(uri) => {
            record.text(Slot::Text, &uri.to_cow());
            "unsubscribed"
        }
        Notice::RootsChanged => "roots_changed",
        Notice::Listening { filter } => {
            record.text(Slot::Params, filter.text());
            "listening"
        }
        Notice::Answer { key, ask, outcome, left } => {
            record.key(key);
            record.number(Slot::Ask, u64::from(ask.to_bits()));
            record.number(Slot::Left, left as u64);
            self::outcome(record, outcome);
            "answer"
        }
        Notice::Response { id, outcome } => {
            record.maybe(Slot::Text, id.map(|id| id.text()));
            self::outcome(record, outcome);
            "response"
        }
        Notice::Notification { method, params } => {
            record.text(Slot::Method, &method.to_cow());
            record.maybe(Slot::Params, params.map(|params| params.text()));
            "notification"
        }
        #[allow(unreachable_patterns)] // notices to come tell nothing that is needed here
        _ => return None,
    })
}

fn outcome(record: &mut Record, outcome: Result<mcpgraft::json::Raw<'_>, mcpgraft::json::Raw<'_>>) {
    record.flag(flag::FAILED, outcome.is_err());
    record.text(Slot::Params, outcome.unwrap_or_else(|error| error).text());
}
