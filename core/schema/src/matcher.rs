//! Patterns: ECMA-262 as far as JSON Schema asks for it, each search bounded in steps.

use fancy_regex::{Regex, RegexBuilder};
use jsonschema_regex::PatternAnalysis;

/// Steps one backtracking pattern may take on one text (2026-07-28, server/index: bound the time of validation).
const STEPS: usize = 100_000;

/// A compiled pattern. Most are simple enough to do without a machine.
#[derive(Debug)]
pub(crate) enum Matcher {
    Prefix(String),
    Exact(String),
    Choice(Vec<String>),
    NoSpace,
    /// What has no lookaround and no backreference takes time that grows with the text only; the others count their steps.
    Search(Box<Regex>),
}

impl Matcher {
    /// Compiles a pattern; `None`: it is none, or it is too large.
    pub(crate) fn new(pattern: &str) -> Option<Self> {
        Some(match jsonschema_regex::analyze_pattern(pattern) {
            Some(PatternAnalysis::Prefix(text)) => Matcher::Prefix(text.into_owned()),
            Some(PatternAnalysis::Exact(text)) => Matcher::Exact(text.into_owned()),
            Some(PatternAnalysis::Alternation(texts)) => Matcher::Choice(texts),
            Some(PatternAnalysis::NoWhitespace) => Matcher::NoSpace,
            None => {
                let translated = jsonschema_regex::to_rust_regex(pattern).ok()?;
                let regex = RegexBuilder::new(&translated).backtrack_limit(STEPS).build();
                Matcher::Search(Box::new(regex.ok()?))
            }
        })
    }

    /// Whether it is found in a text; `None`: not within its steps.
    pub(crate) fn finds(&self, text: &str) -> Option<bool> {
        Some(match self {
            Matcher::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Matcher::Exact(exact) => text == exact,
            Matcher::Choice(texts) => texts.iter().any(|choice| choice == text),
            Matcher::NoSpace => !jsonschema_regex::contains_ecma_whitespace(text),
            Matcher::Search(regex) => return regex.is_match(text).ok(),
        })
    }
}
