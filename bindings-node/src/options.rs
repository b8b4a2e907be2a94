//! The settings of a server, from JavaScript: names in camel case, and JSON inside JSON as text.

use mcpgraft::catalog::Owned;
use mcpgraft::json::Raw;
use mcpgraft::settings::{SettingError, Settings};

use crate::error::{Trouble, json};

/// Sets limits: an object of numbers.
pub(crate) fn set_limits(settings: &mut Settings, limits: Raw<'_>) -> Result<(), Trouble> {
    for (name, value) in limits.members() {
        let name = name.to_cow();
        let of_limit = |error| trouble(&format!("limits.{name}"), error);
        settings.set_limit(&snake(&name), value).map_err(of_limit)?;
    }
    Ok(())
}

/// Sets options: an object. What is `null` keeps its default.
pub(crate) fn set(settings: &mut Settings, catalog: &mut Owned, options: Raw<'_>) -> Result<(), Trouble> {
    for (name, value) in options.members() {
        let name = name.to_cow();
        if value.is_null() {
            continue;
        }
        let known = snake(&name);
        let inner = match value.str() {
            Some(text) if matches!(&*known, "experimental" | "extensions") => Some(text.to_cow()),
            _ => None,
        };
        let value = match &inner {
            Some(text) => json(&name, text.as_bytes())?,
            None => value,
        };
        settings.set(catalog, &known, value).map_err(|error| trouble(&name, error))?;
    }
    Ok(())
}

/// What is wrong, with the name as it was given.
pub(crate) fn trouble(name: &str, error: SettingError<'_>) -> Trouble {
    Trouble::argument(match error {
        SettingError::Wrong { must, found, .. } => format!("{name} must be {must}, not {found}"),
        other => format!("{name}: {other}"),
    })
}

/// `listChanged` as the core writes it: `list_changed`. Both are taken.
fn snake(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}
