//! A catalogue that owns its definitions and can change. Each is translated for all revisions when it is put in, so that
//! lists only copy.

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::texts::Texts;
use super::{Catalog, Entry, Kind, ToolTraits, check};
use crate::error::LocalError;
use crate::json::{self, Raw, Str};
use crate::revision::Revision;

/// Definitions by kind, in the order they were put in.
#[derive(Clone, Debug, Default)]
pub struct Owned {
    tables: [Table; 4],
    custom_methods: Vec<String>,
}

#[derive(Clone, Debug, Default)]
struct Table {
    rows: Vec<Row>,
    /// Positions in `rows`, sorted by key: looking one up costs no memory, however the key is written.
    index: Vec<usize>,
    /// There has been a row.
    had: bool,
}

impl Table {
    /// Where the key stands in `index`, or belongs.
    fn search(&self, key: impl Iterator<Item = char> + Clone) -> Result<usize, usize> {
        self.index.binary_search_by(|at| match self.rows.get(*at) {
            // Characters sort as their UTF-8 does.
            Some(row) => row.key.chars().cmp(key.clone()),
            None => Ordering::Greater,
        })
    }

    /// As [`Table::find`], of a key without escapes.
    fn find_plain(&self, key: &str) -> Option<usize> {
        let order =
            |at: &usize| self.rows.get(*at).map_or(Ordering::Greater, |row| row.key.as_str().cmp(key));
        self.index.get(self.index.binary_search_by(order).ok()?).copied()
    }

    /// The position of the row of that key.
    fn find(&self, key: impl Iterator<Item = char> + Clone) -> Option<usize> {
        self.index.get(self.search(key).ok()?).copied()
    }
}

#[derive(Clone, Debug)]
struct Row {
    key: String,
    texts: Texts,
    traits: ToolTraits,
}

impl Owned {
    /// An empty catalogue.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn table(&self, kind: Kind) -> &Table {
        let [tools, resources, templates, prompts] = &self.tables;
        match kind {
            Kind::Tool => tools,
            Kind::Resource => resources,
            Kind::Template => templates,
            Kind::Prompt => prompts,
        }
    }

    fn table_mut(&mut self, kind: Kind) -> &mut Table {
        let [tools, resources, templates, prompts] = &mut self.tables;
        match kind {
            Kind::Tool => tools,
            Kind::Resource => resources,
            Kind::Template => templates,
            Kind::Prompt => prompts,
        }
    }

    /// Adds a definition, or replaces the one with the same key in its place. `true`: it is new.
    ///
    /// # Errors
    /// [`LocalError::BadJson`] or [`LocalError::BadDefinition`], or [`LocalError::OutputFull`] if no memory is left; the
    /// catalogue is unchanged.
    pub fn put(&mut self, kind: Kind, definition: &str) -> Result<bool, LocalError> {
        let raw = json::check(definition.as_bytes(), json::MAX_DEPTH)
            .map_err(|error| LocalError::BadJson(error.kind))?;
        let name = check::entry(kind, raw)?;
        let texts = Texts::new(kind, raw).map_err(|_| LocalError::OutputFull)?;
        let traits = if kind == Kind::Tool { ToolTraits::of(raw) } else { ToolTraits::default() };
        let table = self.table_mut(kind);
        let place = match table.search(name.chars()) {
            Ok(at) => {
                if let Some(row) = table.index.get(at).and_then(|at| table.rows.get_mut(*at)) {
                    row.texts = texts;
                    row.traits = traits;
                }
                return Ok(false);
            }
            Err(place) => place,
        };
        let mut key = String::new();
        key.try_reserve_exact(name.escaped().len()).map_err(|_| LocalError::OutputFull)?;
        key.extend(name.chars());
        table.rows.try_reserve(1).map_err(|_| LocalError::OutputFull)?;
        table.index.try_reserve(1).map_err(|_| LocalError::OutputFull)?;
        table.index.insert(place, table.rows.len());
        table.rows.push(Row { key, texts, traits });
        table.had = true;
        Ok(true)
    }

    /// Whether there has ever been a definition of this kind: what was once declared as a capability stays declared.
    #[must_use]
    pub fn has_had(&self, kind: Kind) -> bool {
        self.table(kind).had
    }

    /// Takes a definition out. `false`: there is none of that key.
    pub fn remove(&mut self, kind: Kind, key: &str) -> bool {
        let table = self.table_mut(kind);
        let Ok(place) = table.search(key.chars()) else { return false };
        let at = table.index.remove(place);
        table.rows.remove(at);
        for position in table.index.iter_mut().filter(|position| **position > at) {
            *position -= 1;
        }
        true
    }

    /// The definition of that key.
    #[must_use]
    pub fn get(&self, kind: Kind, key: &str) -> Option<Raw<'_>> {
        let table = self.table(kind);
        let row = table.rows.get(table.find_plain(key)?)?;
        Some(row.texts.definition())
    }

    /// Names a method outside the protocol that the host answers.
    ///
    /// # Errors
    /// [`LocalError::OutputFull`] if no memory is left.
    pub fn add_custom_method(&mut self, method: &str) -> Result<(), LocalError> {
        if !self.custom_methods.iter().any(|known| known == method) {
            let mut copy = String::new();
            copy.try_reserve_exact(method.len()).map_err(|_| LocalError::OutputFull)?;
            copy.push_str(method);
            self.custom_methods.try_reserve(1).map_err(|_| LocalError::OutputFull)?;
            self.custom_methods.push(copy);
        }
        Ok(())
    }
}

impl Catalog for Owned {
    fn len(&self, kind: Kind) -> usize {
        self.table(kind).rows.len()
    }

    fn at(&self, kind: Kind, index: usize) -> Option<Entry<'_>> {
        let row = self.table(kind).rows.get(index)?;
        Some(Entry { key: &row.key, definition: row.texts.definition() })
    }

    fn find(&self, kind: Kind, key: Str<'_>) -> Option<usize> {
        let table = self.table(kind);
        match key.plain() {
            Some(plain) => table.find_plain(plain),
            None => table.find(key.chars()),
        }
    }

    fn listed(&self, kind: Kind, index: usize, revision: Revision) -> Option<&str> {
        self.table(kind).rows.get(index)?.texts.listed(revision)
    }

    fn tool(&self, index: usize) -> Option<ToolTraits> {
        self.table(Kind::Tool).rows.get(index).map(|row| row.traits)
    }

    fn custom_method(&self, method: Str<'_>) -> bool {
        self.custom_methods.iter().any(|name| method == **name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn put_replaces_in_place_and_remove_closes_the_gap() {
        let mut catalog = Owned::new();
        for name in ["a", "b", "c"] {
            let text = alloc::format!(r#"{{"name":"{name}","inputSchema":{{"type":"object"}}}}"#);
            assert_eq!(catalog.put(Kind::Tool, &text), Ok(true));
        }
        let new = r#" {"name":"b","description":"x","inputSchema":{"type":"object"}} "#;
        assert_eq!(catalog.put(Kind::Tool, new), Ok(false));
        assert_eq!(catalog.find(Kind::Tool, Str::trusted(r#""\u0062""#)), Some(1));
        assert_eq!(catalog.find(Kind::Tool, Str::trusted("\"bb\"")), None);
        assert!(catalog.get(Kind::Tool, "c").is_some());
        assert!(catalog.remove(Kind::Tool, "a"));
        assert!(!catalog.remove(Kind::Tool, "a"));
        assert_eq!(catalog.find(Kind::Tool, Str::trusted("\"b\"")), Some(0));
        assert_eq!(catalog.find(Kind::Tool, Str::trusted("\"c\"")), Some(1));
        assert_eq!(catalog.at(Kind::Tool, 0).unwrap().definition.text(), new.trim());
        assert!(catalog.at(Kind::Tool, 2).is_none());
    }

    #[test]
    fn each_revision_has_its_text_and_equal_ones_are_held_once() {
        let mut catalog = Owned::new();
        let text =
            r#"{"name":"a","title":"A","inputSchema":{"type":"object"},"outputSchema":{"type":"object"}}"#;
        catalog.put(Kind::Tool, text).unwrap();
        let listed = |at, revision| catalog.listed(Kind::Tool, at, revision);
        let bare = r#"{"name":"a","inputSchema":{"type":"object"}}"#;
        assert_eq!(listed(0, Revision::V2024_11_05), Some(bare));
        let titled = r#"{"name":"a","inputSchema":{"type":"object"},"annotations":{"title":"A"}}"#;
        assert_eq!(listed(0, Revision::V2025_03_26), Some(titled));
        for revision in [Revision::V2025_06_18, Revision::V2025_11_25, Revision::V2026_07_28] {
            assert_eq!(listed(0, revision), Some(text));
        }
        assert_eq!(listed(1, Revision::NEWEST), None);
        assert_eq!(catalog.table(Kind::Tool).rows[0].texts.held(), 3);
    }

    #[test]
    fn a_replaced_or_removed_definition_is_not_listed_any_more() {
        let mut catalog = Owned::new();
        for name in ["a", "b"] {
            let text = alloc::format!(r#"{{"name":"{name}","inputSchema":{{"type":"object"}}}}"#);
            catalog.put(Kind::Tool, &text).unwrap();
        }
        let new = r#"{"name":"a","description":"x","inputSchema":{"type":"object"}}"#;
        catalog.put(Kind::Tool, new).unwrap();
        assert_eq!(catalog.listed(Kind::Tool, 0, Revision::OLDEST), Some(new));
        catalog.remove(Kind::Tool, "a");
        let left = catalog.listed(Kind::Tool, 0, Revision::OLDEST);
        assert!(left.is_some_and(|text| text.contains("\"b\"")));
        assert_eq!(catalog.listed(Kind::Tool, 1, Revision::OLDEST), None);
    }

    #[test]
    fn a_listed_text_is_one_line_and_the_definition_stays() {
        let mut catalog = Owned::new();
        let text = "{\n  \"name\": \"a\",\n  \"inputSchema\": {\"type\": \"object\"}\n}";
        catalog.put(Kind::Tool, text).unwrap();
        assert_eq!(catalog.get(Kind::Tool, "a").unwrap().text(), text);
        let line = r#"{"name":"a","inputSchema":{"type":"object"}}"#;
        assert_eq!(catalog.listed(Kind::Tool, 0, Revision::NEWEST), Some(line));
    }

    #[test]
    fn a_bad_definition_changes_nothing() {
        let mut catalog = Owned::new();
        assert!(matches!(catalog.put(Kind::Tool, "{"), Err(LocalError::BadJson(_))));
        assert!(matches!(catalog.put(Kind::Tool, r#"{"name":"x"}"#), Err(LocalError::BadDefinition(_))));
        assert_eq!(catalog.len(Kind::Tool), 0);
    }
}
