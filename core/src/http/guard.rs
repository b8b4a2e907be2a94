//! Who may talk to this endpoint from a browser: the rules for the `Host` and `Origin` headers.
//!
//! A server on the machine of its user can be reached by any web page the user opens, unless it looks at where a
//! request comes from; and a page can point a name of its own at 127.0.0.1 (DNS rebinding), so that `Host` and
//! `Origin` agree and still are foreign. Programs that are no browsers send no `Origin` and are not touched.

use core::net::{Ipv4Addr, Ipv6Addr};
use thiserror::Error;

/// The host names this server answers to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hosts<'a> {
    /// No list was given: any `Host` will do.
    #[default]
    Any,
    /// Only these. An entry is a name or address (`[::1]` for IPv6) with or without a port; without one it fits any
    /// port. `*.example.com` fits every name below `example.com`; `*` fits everything. Case does not matter.
    Listed(Listed<'a>),
}

/// A list of hosts or origins, as the host program has it. The default is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed<'a> {
    /// Texts, of a program or in flash.
    Texts(&'a [&'a str]),
    /// Texts that came from outside.
    #[cfg(feature = "alloc")]
    Strings(&'a [alloc::string::String]),
}

impl Default for Listed<'_> {
    fn default() -> Self {
        Listed::Texts(&[])
    }
}

impl<'a> From<&'a [&'a str]> for Listed<'a> {
    fn from(list: &'a [&'a str]) -> Self {
        Listed::Texts(list)
    }
}

impl<'a, const N: usize> From<&'a [&'a str; N]> for Listed<'a> {
    fn from(list: &'a [&'a str; N]) -> Self {
        Listed::Texts(list)
    }
}

#[cfg(feature = "alloc")]
impl<'a> From<&'a [alloc::string::String]> for Listed<'a> {
    fn from(list: &'a [alloc::string::String]) -> Self {
        Listed::Strings(list)
    }
}

impl Listed<'_> {
    /// Whether nothing is listed.
    #[must_use]
    pub fn is_empty(self) -> bool {
        match self {
            Listed::Texts(list) => list.is_empty(),
            #[cfg(feature = "alloc")]
            Listed::Strings(list) => list.is_empty(),
        }
    }

    fn any(self, mut fits: impl FnMut(&str) -> bool) -> bool {
        match self {
            Listed::Texts(list) => list.iter().any(|entry| fits(entry)),
            #[cfg(feature = "alloc")]
            Listed::Strings(list) => list.iter().any(|entry| fits(entry)),
        }
    }
}

/// The settings the check goes by. The default lets in everything but foreign web pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guard<'a> {
    /// The host names this server answers to.
    pub allowed_hosts: Hosts<'a>,
    /// The origins allowed besides the server's own, as browsers write them (`https://app.example.com`,
    /// `http://localhost:5173`; `null` for opaque ones); `*` allows all.
    pub allowed_origins: Listed<'a>,
}

/// Why a request was refused. Answered with 403.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refused {
    /// There is a list of hosts, and the request names none.
    #[error("the Host header is missing, and only the hosts listed in `allowed_hosts` are served")]
    HostMissing,
    /// The host is not in the list.
    #[error("the Host header names a host that is not listed in `allowed_hosts`")]
    HostNotListed,
    /// An opaque origin (a sandboxed frame, a local file) that was not allowed by name.
    #[error("the Origin header is null; add \"null\" to `allowed_origins` to allow it")]
    OriginNull,
    /// The page comes from another site.
    #[error("the Origin header names another site; add it to `allowed_origins` to allow it")]
    OriginForeign,
    /// The page seems to come from this server, but under a name that anyone could have pointed at this machine.
    #[error(
        "the Origin header agrees with the Host header, but the name could point at this machine by DNS rebinding; \
         add the host to `allowed_hosts` or the origin to `allowed_origins` to allow it"
    )]
    OriginUnproven,
}

impl Guard<'_> {
    /// Decides by the `Host` header (or `:authority`), the `Origin` header, and whether the peer's address is a
    /// loopback address (`None`: not known, taken for loopback).
    ///
    /// 1. If hosts are listed, `host` must be one of them.
    /// 2. No `origin`: allowed.
    /// 3. `origin` is listed in `allowed_origins`: allowed.
    /// 4. `origin` is the server's own (same host and port as `host`, with the scheme's default port), and `host` is
    ///    a loopback name, or listed in `allowed_hosts`, or the peer is known to be elsewhere: allowed.
    ///
    /// # Errors
    /// [`Refused`] in every other case; its text names the header and the setting.
    pub fn check(
        &self,
        host: Option<&str>,
        origin: Option<&str>,
        peer_loopback: Option<bool>,
    ) -> Result<(), Refused> {
        let listed = match self.allowed_hosts {
            Hosts::Any => false,
            Hosts::Listed(entries) => {
                let host =
                    Authority::parse(host.ok_or(Refused::HostMissing)?).ok_or(Refused::HostNotListed)?;
                if !entries.any(|entry| host.is_listed_as(entry)) {
                    return Err(Refused::HostNotListed);
                }
                true
            }
        };
        let Some(origin) = origin else { return Ok(()) };
        if self.lists(origin) {
            return Ok(());
        }
        if origin.eq_ignore_ascii_case("null") {
            return Err(Refused::OriginNull);
        }
        let host = host.and_then(Authority::parse).ok_or(Refused::OriginForeign)?;
        let own = Origin::parse(origin).is_some_and(|origin| origin.serves(&host));
        if !own {
            return Err(Refused::OriginForeign);
        }
        if listed || host.is_loopback() || peer_loopback == Some(false) {
            Ok(())
        } else {
            Err(Refused::OriginUnproven)
        }
    }
}

impl Guard<'_> {
    /// Whether an origin is let in by name: what browsers need to hear of, beside their own.
    #[must_use]
    pub fn lists(&self, origin: &str) -> bool {
        self.allowed_origins.any(|entry| entry == "*" || same_origin(entry, origin))
    }
}

fn same_origin(entry: &str, origin: &str) -> bool {
    match (Origin::parse(entry), Origin::parse(origin)) {
        (Some(entry), Some(origin)) => {
            entry.scheme.eq_ignore_ascii_case(origin.scheme) && origin.serves(&entry.authority)
        }
        _ => entry.eq_ignore_ascii_case(origin),
    }
}

/// A host and, if given, its port.
#[derive(Clone, Copy)]
struct Authority<'a> {
    host: &'a str,
    port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// `None` for what is no host with an optional port: user information, paths, blanks.
    fn parse(text: &'a str) -> Option<Self> {
        let (host, port) = match text.rsplit_once(':') {
            // The last colon of a bracketed address may stand inside it.
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (text, None),
        };
        let port = match port {
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => Some(digits.parse().ok()?),
            Some(_) => return None,
            None => None,
        };
        let inside = match host.strip_prefix('[') {
            Some(address) => address.strip_suffix(']')?.parse::<Ipv6Addr>().is_ok(),
            None => host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~*%!$&'()+,;=".contains(&b)),
        };
        let host = host.strip_suffix('.').unwrap_or(host);
        (inside && !host.is_empty()).then_some(Self { host, port })
    }

    fn is_listed_as(&self, entry: &str) -> bool {
        if entry == "*" {
            return true;
        }
        let Some(entry) = Authority::parse(entry) else { return false };
        let name_fits = match entry.host.strip_prefix('*') {
            Some(suffix) if suffix.starts_with('.') => {
                let split = self.host.len().checked_sub(suffix.len()).filter(|at| *at > 0);
                split.and_then(|at| self.host.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(suffix))
            }
            _ => self.is_same_host(&entry),
        };
        name_fits && (entry.port.is_none() || entry.port == self.port)
    }

    fn address(&self) -> Option<Ipv6Addr> {
        self.host.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
    }

    fn is_same_host(&self, other: &Authority<'_>) -> bool {
        match (self.address(), other.address()) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => self.host.eq_ignore_ascii_case(other.host),
        }
    }

    /// Whether the name can only mean this machine: `localhost` and names below it (RFC 6761 §6.3), 127.0.0.0/8, ::1.
    fn is_loopback(&self) -> bool {
        let top = self.host.rsplit('.').next().unwrap_or_default();
        top.eq_ignore_ascii_case("localhost")
            || self.host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
            || self.address().is_some_and(|address| {
                address.is_loopback() || address.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback())
            })
    }
}

/// A scheme, a host and, if given, a port; nothing after them.
struct Origin<'a> {
    scheme: &'a str,
    authority: Authority<'a>,
}

impl<'a> Origin<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        (!scheme.is_empty()).then_some(Self { scheme, authority: Authority::parse(authority)? })
    }

    /// Whether a server at `host` is this origin, a port left out being the default one of this origin's scheme.
    fn serves(&self, host: &Authority<'_>) -> bool {
        let default = if self.scheme.eq_ignore_ascii_case("https") {
            Some(443)
        } else if self.scheme.eq_ignore_ascii_case("http") {
            Some(80)
        } else {
            None
        };
        self.authority.is_same_host(host) && self.authority.port.or(default) == host.port.or(default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: Guard<'static> = Guard { allowed_hosts: Hosts::Any, allowed_origins: Listed::Texts(&[]) };

    #[test]
    fn programs_without_origin_pass() {
        for host in [None, Some("evil.example"), Some("127.0.0.1:3000"), Some("@@")] {
            assert_eq!(OPEN.check(host, None, Some(true)), Ok(()));
        }
    }

    #[test]
    fn own_pages_pass_where_the_name_proves_it() {
        let own = |host, origin, peer| OPEN.check(Some(host), Some(origin), peer);
        for (host, origin) in [
            ("localhost:3000", "http://localhost:3000"),
            ("LOCALHOST", "http://localhost:80"),
            ("app.localhost:443", "https://app.localhost"),
            ("127.0.0.1:8000", "http://127.0.0.1:8000"),
            ("127.9.9.9", "http://127.9.9.9"),
            ("[::1]:3000", "http://[::1]:3000"),
            ("[0:0::1]", "https://[::1]"),
        ] {
            assert_eq!(own(host, origin, None), Ok(()), "{host} {origin}");
            assert_eq!(own(host, origin, Some(true)), Ok(()), "{host} {origin}");
        }
        // A real name is proof only if the request came over a real network.
        assert_eq!(own("api.example.com", "https://api.example.com", Some(false)), Ok(()));
        assert_eq!(
            own("api.example.com", "https://api.example.com", Some(true)),
            Err(Refused::OriginUnproven)
        );
        assert_eq!(
            own("api.example.com:3000", "http://api.example.com:3000", None),
            Err(Refused::OriginUnproven)
        );
        assert_eq!(
            own("127.0.0.1.example.com", "http://127.0.0.1.example.com", None),
            Err(Refused::OriginUnproven)
        );
        assert_eq!(
            own("localhost.example.com", "http://localhost.example.com", None),
            Err(Refused::OriginUnproven)
        );
    }

    // proves: S-101, S-102
    #[test]
    fn foreign_pages_are_refused() {
        for origin in [
            "http://evil.example",
            "http://localhost:3001",
            "https://localhost:3000/",
            "http://localhost:3000@evil.example",
            "http://localhost.evil.example:3000",
            "https://localhost",
            "localhost:3000",
            "",
            "file://",
            "http://",
        ] {
            let got = OPEN.check(Some("localhost:3000"), Some(origin), Some(false));
            assert_eq!(got, Err(Refused::OriginForeign), "{origin}");
        }
        assert_eq!(OPEN.check(None, Some("http://localhost"), None), Err(Refused::OriginForeign));
        assert_eq!(OPEN.check(Some("localhost"), Some("null"), None), Err(Refused::OriginNull));
    }

    #[test]
    fn listed_origins_pass() {
        let origins = ["https://App.example.com", "http://localhost:5173", "vscode-webview://abc", "null"];
        let guard = Guard { allowed_hosts: Hosts::Any, allowed_origins: Listed::Texts(&origins) };
        for origin in [
            "https://app.EXAMPLE.com:443",
            "http://localhost:5173",
            "vscode-webview://abc",
            "null",
            "https://app.example.com",
        ] {
            assert_eq!(guard.check(Some("127.0.0.1"), Some(origin), None), Ok(()), "{origin}");
        }
        for origin in [
            "http://app.example.com",
            "https://app.example.com:8443",
            "https://x.app.example.com",
            "http://localhost",
        ] {
            assert_eq!(
                guard.check(Some("127.0.0.1"), Some(origin), None),
                Err(Refused::OriginForeign),
                "{origin}"
            );
        }
        let any = Guard { allowed_origins: Listed::Texts(&["*"]), ..OPEN };
        assert_eq!(any.check(None, Some("null"), None), Ok(()));
    }

    // proves: S-142, T-087
    #[test]
    fn listed_hosts() {
        let entries = ["api.example.com", "*.example.org", "127.0.0.1:8000", "[::1]"];
        let guard = Guard {
            allowed_hosts: Hosts::Listed(Listed::Texts(&entries)),
            allowed_origins: Listed::Texts(&[]),
        };
        for host in [
            "api.example.com",
            "API.example.com:8443",
            "a.b.example.org:1",
            "127.0.0.1:8000",
            "[::1]:9",
            "api.example.com.",
        ] {
            assert_eq!(guard.check(Some(host), None, None), Ok(()), "{host}");
        }
        for host in [
            "example.com",
            "example.org",
            ".example.org",
            "127.0.0.1",
            "127.0.0.1:8001",
            "xapi.example.com",
            "evilexample.org",
            "user@api.example.com",
            "api.example.com:",
            "api.example.com:x",
            "",
            "a/.example.org",
            "[::1",
        ] {
            assert_eq!(guard.check(Some(host), None, None), Err(Refused::HostNotListed), "{host}");
        }
        assert_eq!(guard.check(None, None, None), Err(Refused::HostMissing));
        let page = |host, origin| guard.check(Some(host), Some(origin), Some(true));
        assert_eq!(page("api.example.com", "https://api.example.com"), Ok(()));
        assert_eq!(page("api.example.com", "https://a.example.org"), Err(Refused::OriginForeign));
        assert_eq!(page("evil.example", "http://evil.example"), Err(Refused::HostNotListed));
        let none =
            Guard { allowed_hosts: Hosts::Listed(Listed::Texts(&[])), allowed_origins: Listed::Texts(&[]) };
        assert_eq!(none.check(Some("localhost"), None, None), Err(Refused::HostNotListed));
    }
}
