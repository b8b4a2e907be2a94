//! Which headers of a request matter: for hosts that have to copy them.

use super::headers::{Headers, name, same};

impl Headers<'_> {
    /// The header of that name as this library spells it, if any check looks at it. Beside these there are those that
    /// [`Headers::mirrors`] knows.
    #[must_use]
    pub fn known(name: &[u8]) -> Option<&'static str> {
        let known: &[&'static str] = match name.len() {
            4 => &["Host"],
            6 => &["Accept", "Origin"],
            8 => &[name::NAME],
            10 => &[name::METHOD],
            12 => &["Content-Type"],
            13 => &[name::LAST_EVENT],
            14 => &["Content-Length", name::SESSION],
            20 => &[name::VERSION],
            29 => &["Access-Control-Request-Method"],
            30 => &["Access-Control-Request-Headers"],
            _ => &[],
        };
        known.iter().copied().find(|known| same(known.as_bytes(), name))
    }

    /// Whether a header of that name mirrors an argument of a tool (`Mcp-Param-{name}`, `2026-07-28`).
    #[must_use]
    pub fn mirrors(name: &[u8]) -> bool {
        let prefix = name::PARAM_PREFIX.as_bytes();
        name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_are_looked_at() {
        let spelled = [
            "Host",
            "Accept",
            "Origin",
            name::NAME,
            name::METHOD,
            "Content-Type",
            name::LAST_EVENT,
            "Content-Length",
            name::SESSION,
            name::VERSION,
            "Access-Control-Request-Method",
            "Access-Control-Request-Headers",
        ];
        for name in spelled {
            assert_eq!(Headers::known(name.to_lowercase().as_bytes()), Some(name));
            assert_eq!(Headers::known(name.to_uppercase().as_bytes()), Some(name));
        }
        for name in ["", "Cookie", "User-Agent", "Authorization", "Mcp-Param-a", "mcp\rname"] {
            assert_eq!(Headers::known(name.as_bytes()), None);
        }
        assert!(Headers::mirrors(b"mcp-param-A") && !Headers::mirrors(b"Mcp-Param"));
    }
}
