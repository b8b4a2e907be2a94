//! Names of extensions (basic/versioning of `2026-07-28`, "Extension Negotiation"; the grammar is that of `_meta` keys,
//! basic/index).

/// Whether this names an extension: a prefix of labels with dots between them, `/`, and a name, as in
/// `com.example/my-extension`. A label begins with a letter, ends with a letter or digit, and may have hyphens between; the
/// name begins and ends with a letter or digit, may have `-`, `_` and `.` between, and may be empty.
#[must_use]
pub fn is_extension(name: &str) -> bool {
    let Some((prefix, name)) = name.split_once('/') else { return false };
    let fits = |text: &str, inner: &[u8]| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || inner.contains(&byte))
            && text.bytes().last().is_some_and(|byte| byte.is_ascii_alphanumeric())
            && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
    };
    let label = |label: &str| {
        fits(label, b"-") && label.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
    };
    prefix.split('.').all(label) && (name.is_empty() || fits(name, b"-_."))
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves: S-080
    #[test]
    fn names_have_a_prefix() {
        for good in
            ["io.modelcontextprotocol/tasks", "com.example/a", "x/y", "a-1.b2/N_a.m-e", "com.example/", "a/1"]
        {
            assert!(is_extension(good), "{good}");
        }
        for bad in [
            "",
            "tasks",
            "/tasks",
            "com.example",
            "com..example/a",
            ".com/a",
            "com./a",
            "1com/a",
            "-a/b",
            "a-/b",
            "a_b/c",
            "a/-b",
            "a/b-",
            "a/b.",
            "a/b/c",
            "a b/c",
            "a/b c",
            "\u{e9}/a",
            "a/\u{e9}",
        ] {
            assert!(!is_extension(bad), "{bad}");
        }
    }
}
