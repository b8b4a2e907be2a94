//! A message as it comes in: its text is checked, and what a request is made of is found on the way.

use super::params::Params;
#[cfg(feature = "alloc")]
use crate::json::Picked;
use crate::json::{self, JsonError, Raw};
#[cfg(feature = "alloc")]
use crate::jsonrpc::MEMBERS;
use crate::jsonrpc::{self, Id, Malformed, Message, Request};
use core::borrow::Borrow;

/// Where `params` stands among the [`MEMBERS`].
#[cfg(feature = "alloc")]
const PARAMS: usize = 3;
#[cfg(feature = "alloc")]
const _: () = assert!(matches!(MEMBERS[PARAMS].as_bytes(), b"params"));

/// One JSON value that may be a message.
#[derive(Debug)]
pub(crate) struct Incoming<'m> {
    pub(crate) value: Raw<'m>,
    /// Those of its members that a message has: they were seen when it was checked. Small machines look for them when they
    /// are needed: that is less code, and less stack.
    #[cfg(feature = "alloc")]
    members: Picked<'m, 6>,
    /// What is in its member `params`, seen then, too.
    #[cfg(feature = "alloc")]
    params: Params<'m>,
}

impl<'m> Incoming<'m> {
    /// A place for one: it is too large to be moved about.
    pub(crate) const NONE: Self = Incoming {
        value: Raw::NULL,
        #[cfg(feature = "alloc")]
        members: Picked::NONE,
        #[cfg(feature = "alloc")]
        params: Params::NONE,
    };

    /// Checks a text, and takes what stands there; see [`json::check`].
    #[cfg(feature = "alloc")]
    pub(crate) fn check(&mut self, text: &'m [u8], max_depth: u16) -> Result<(), JsonError> {
        let Incoming { value, members, params } = self;
        *value = json::check_walking(json::utf8(text)?, max_depth, |checker| {
            let found = checker.sift(&MEMBERS, members, |checker, at| match at {
                PARAMS => params.check(checker),
                _ => checker.member(),
            });
            found.map(drop)
        })?;
        Ok(())
    }

    /// Checks a text, and takes what stands there; see [`json::check`].
    #[cfg(not(feature = "alloc"))]
    pub(crate) fn check(&mut self, text: &'m [u8], max_depth: u16) -> Result<(), JsonError> {
        self.value = json::check(text, max_depth)?;
        Ok(())
    }

    /// A value that was checked.
    #[cfg(feature = "alloc")]
    pub(crate) fn of(value: Raw<'m>) -> Self {
        let members = value.sift(&MEMBERS);
        let [_, _, _, params, ..] = members.values;
        Incoming { value, members, params: Params::read(params) }
    }

    /// A value that was checked.
    #[cfg(not(feature = "alloc"))]
    pub(crate) fn of(value: Raw<'m>) -> Self {
        Incoming { value }
    }

    /// Reads it; see [`jsonrpc::read`].
    pub(crate) fn read(&self) -> Result<Message<'m>, (Malformed, Option<Id<'m>>)> {
        #[cfg(feature = "alloc")]
        return jsonrpc::read_sifted(self.value, self.members);
        #[cfg(not(feature = "alloc"))]
        jsonrpc::read(self.value)
    }

    /// The parameters of the request that it is.
    #[cfg(feature = "alloc")]
    pub(crate) fn params(&self, _: &Request<'m>) -> impl Borrow<Params<'m>> {
        &self.params
    }

    /// The parameters of the request that it is.
    #[cfg(not(feature = "alloc"))]
    #[inline(always)]
    pub(crate) fn params(&self, request: &Request<'m>) -> impl Borrow<Params<'m>> + use<'m> {
        Params::read(request.params)
    }
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::String;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// Names that are looked for at some depth, with and without escapes, and others.
    fn names() -> impl Strategy<Value = &'static str> {
        prop::sample::select(alloc::vec![
            "params",
            "par\\u0061ms",
            "_meta",
            "\\u005fmeta",
            "name",
            "version",
            "vers\\u0069on",
            "method",
            "arguments",
            "id",
            "jsonrpc",
            "uri",
            "io.modelcontextprotocol/clientInfo",
            "io.modelcontextprotocol\\/clientInfo",
            "io.modelcontextprotocol/protocolVersion",
            "io.modelcontextprotocol/clientCapabilities",
            "io.modelcontextprotocol/clientInfo ",
            "progressToken",
            "",
            "\\\"params",
        ])
    }

    fn spaces() -> impl Strategy<Value = &'static str> {
        prop_oneof![6 => Just(""), 1 => Just(" "), 1 => Just("\n\t")]
    }

    /// An object of such names; `inner` makes the values, besides some of its own.
    fn object(inner: impl Strategy<Value = String> + 'static) -> impl Strategy<Value = String> {
        vec((names(), inner, spaces(), spaces()), 0..6).prop_map(|members| {
            let members = members.iter().map(|(name, value, a, b)| format!("{a}\"{name}\"{b}:{a}{value}{b}"));
            format!("{{{}}}", members.collect::<alloc::vec::Vec<_>>().join(","))
        })
    }

    fn values() -> impl Strategy<Value = String> {
        let scalars = ["null", "1", "\"2.0\"", "\"\"", "\"a\\nb\"", "[]", "{}", "[{\"name\":1},[2]]", "true"];
        let leaf = prop::sample::select(scalars.to_vec()).prop_map(String::from);
        leaf.prop_recursive(5, 64, 6, |inner| object(inner).boxed())
    }

    /// An object that has, as a message does, parameters with `_meta` and who the client is, whatever else there is.
    fn messages() -> impl Strategy<Value = String> {
        let wrapped = |name: &'static str, inner: BoxedStrategy<String>| {
            (inner, vec((names(), values()), 0..3), 0..3usize, any::<bool>()).prop_map(
                move |(value, others, at, twice)| {
                    let mut members: alloc::vec::Vec<_> =
                        others.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                    if twice {
                        members.push(format!("\"{name}\":{{}}"));
                    }
                    members.insert(at.min(members.len()), format!("\"{name}\":{value}"));
                    format!("{{{}}}", members.join(", "))
                },
            )
        };
        let info = wrapped("io.modelcontextprotocol/clientInfo", object(values()).boxed());
        let meta = wrapped("_meta", prop_oneof![3 => info, 1 => values()].boxed());
        prop_oneof![wrapped("params", meta.boxed()), values()]
    }

    /// Whether what is found while a text is checked is what is found by looking through it afterwards; and whether both
    /// ways refuse the same.
    fn agrees(text: &[u8], depth: u16) -> bool {
        let mut seen = Incoming::NONE;
        match (seen.check(text, depth), json::check(text, depth)) {
            (Ok(()), Ok(value)) => format!("{seen:?}") == format!("{:?}", Incoming::of(value)),
            (Err(ours), Err(error)) => ours == error,
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn members_seen_on_the_way_are_those_found_later(text in messages()) {
            prop_assert!(agrees(text.as_bytes(), 64), "{}", text);
        }

        #[test]
        fn broken_texts_are_refused_alike(
            text in messages(),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
            depth in 0..8u16,
        ) {
            let mut text = text.into_bytes();
            prop_assert!(agrees(&text, depth));
            let at = at.index(text.len());
            prop_assert!(agrees(text.get(..at).unwrap_or_default(), 64));
            if let Some(place) = text.get_mut(at) {
                *place = byte;
            }
            prop_assert!(agrees(&text, 64), "{}", String::from_utf8_lossy(&text));
        }
    }

    #[test]
    fn the_last_of_two_hides_what_the_first_had() {
        let info = r#""io.modelcontextprotocol/clientInfo":{"name":"a","version":"1"}"#;
        for text in [
            format!(r#"{{"params":{{"_meta":{{{info}}},"_meta":{{}}}}}}"#),
            format!(r#"{{"params":{{"_meta":{{{info}}},"_meta":null}}}}"#),
            format!(r#"{{"params":{{"_meta":{{{info}}}}},"params":[]}}"#),
            format!(r#"{{"params":{{"_meta":{{{info},"io.modelcontextprotocol/clientInfo":1}}}}}}"#),
        ] {
            let mut incoming = Incoming::NONE;
            incoming.check(text.as_bytes(), 64).expect("JSON");
            assert!(!incoming.params.names_client(), "{text}");
            assert!(agrees(text.as_bytes(), 64), "{text}");
        }
        let text = format!(r#"{{"params":{{"_meta":{{}},"_meta":{{{info}}}}}}}"#);
        let mut incoming = Incoming::NONE;
        incoming.check(text.as_bytes(), 64).expect("JSON");
        assert!(incoming.params.names_client());
    }
}
