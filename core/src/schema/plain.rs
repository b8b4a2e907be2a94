//! The plain part of JSON Schema: what most tools say of their arguments, and nothing else. A value that fits is told so from
//! its text, without a tree of it. Everything beyond, and every value that does not fit, is for the whole validator, which
//! is made for a schema when it is first needed: it is much code, and a server whose calls are right never loads it into
//! memory.
//!
//! Both must agree. So only schemas are read here that are right by their meta-schema and mean the same in all words this
//! file knows; a doubt is a `None` or a `false`, and costs no more than time.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::json::{self, Kind, Raw};

/// Deepest schema that is read here. Values are looked into no deeper, so that following them needs little stack.
const DEPTH: u8 = 32;

/// Longest number that is taken for one that any reader holds.
const DIGITS: usize = 18;

const STRING: u8 = 1;
const NUMBER: u8 = 1 << 1;
const INTEGER: u8 = 1 << 2;
const BOOLEAN: u8 = 1 << 3;
const OBJECT: u8 = 1 << 4;
const ARRAY: u8 = 1 << 5;
const NULL: u8 = 1 << 6;

/// A schema that says no more than this.
#[derive(Debug, Default)]
pub(super) struct Plain {
    /// Of the constants above; 0: any.
    types: u8,
    properties: Vec<(String, Plain)>,
    /// By the place in `properties`.
    required: u64,
    /// Other properties are not allowed.
    closed: bool,
    items: Option<Box<Plain>>,
    /// Texts; empty: any.
    options: Vec<String>,
    least: Option<i64>,
    most: Option<i64>,
    /// Characters of a text.
    length: (usize, usize),
    /// Items of an array.
    count: (usize, usize),
}

impl Plain {
    /// Reads a schema of 2020-12; `None`: it says more, or something is wrong with it.
    pub(super) fn read(schema: &[u8]) -> Option<Self> {
        let schema = json::check(schema, u16::from(DEPTH)).ok()?;
        // The text of a lone surrogate is told apart by the whole validator.
        if schema.text().contains("\\u") { None } else { Plain::of(schema, DEPTH) }
    }

    fn of(schema: Raw<'_>, left: u8) -> Option<Self> {
        let left = left.checked_sub(1)?;
        let mut plain = Plain { length: (0, usize::MAX), count: (0, usize::MAX), ..Plain::default() };
        let (mut seen, mut required): (Vec<&str>, Vec<String>) = (Vec::new(), Vec::new());
        if !schema.is_object() {
            return None;
        }
        for (name, value) in schema.members() {
            let name = name.plain()?;
            if seen.contains(&name) {
                return None;
            }
            seen.push(name);
            match name {
                "type" => plain.types = types(value)?,
                "properties" => {
                    for (name, value) in object(value)? {
                        let name = name.plain()?.to_owned();
                        if plain.properties.len() == 64 || plain.place(&name).is_some() {
                            return None;
                        }
                        plain.properties.push((name, Plain::of(value, left)?));
                    }
                }
                "required" => required = texts(value)?,
                "additionalProperties" => plain.closed = !value.bool()?,
                "items" => plain.items = Some(Box::new(Plain::of(value, left)?)),
                "enum" => plain.options = texts(value).filter(|options| !options.is_empty())?,
                "minimum" => plain.least = Some(whole(value)?),
                "maximum" => plain.most = Some(whole(value)?),
                "minLength" => plain.length.0 = size(value)?,
                "maxLength" => plain.length.1 = size(value)?,
                "minItems" => plain.count.0 = size(value)?,
                "maxItems" => plain.count.1 = size(value)?,
                // Words that say nothing of values; a format does not from 2019-09 on.
                "title" | "description" | "$comment" | "format" => drop(value.str()?),
                "deprecated" | "readOnly" | "writeOnly" => drop(value.bool()?),
                "default" if tame(value) => {}
                "$schema" if value.str()?.eq("https://json-schema.org/draft/2020-12/schema") => {}
                _ => return None,
            }
        }
        for name in &required {
            plain.required |= 1 << plain.place(name)?;
        }
        Some(plain)
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.properties.iter().position(|(known, _)| known == name)
    }

    /// Whether a JSON text fits for sure.
    pub(super) fn takes(&self, instance: &[u8]) -> bool {
        json::check(instance, u16::from(DEPTH))
            .is_ok_and(|instance| !instance.text().contains("\\u") && self.fits(instance))
    }

    fn fits(&self, value: Raw<'_>) -> bool {
        let is = |kinds: u8| self.types == 0 || self.types & kinds != 0;
        match value.kind() {
            Kind::String => is(STRING) && self.text_fits(value),
            _ if !self.options.is_empty() => false,
            Kind::Number => {
                let within = |number: i64| {
                    self.least.is_none_or(|least| number >= least)
                        && self.most.is_none_or(|most| number <= most)
                };
                match whole(value) {
                    Some(number) => is(NUMBER | INTEGER) && within(number),
                    None => is(NUMBER) && self.least.is_none() && self.most.is_none() && tame(value),
                }
            }
            Kind::Bool => is(BOOLEAN),
            Kind::Null => is(NULL),
            Kind::Array => {
                let mut count = 0;
                let fits = value.elements().all(|item| {
                    count += 1;
                    self.items.as_ref().map_or_else(|| tame(item), |items| items.fits(item))
                });
                is(ARRAY) && fits && self.count.0 <= count && count <= self.count.1
            }
            Kind::Object => {
                let mut came = 0;
                let fits = value.members().all(|(name, value)| {
                    match self.properties.iter().position(|(known, _)| name.eq(known)) {
                        Some(at) => {
                            came |= 1 << at;
                            self.properties.get(at).is_some_and(|(_, property)| property.fits(value))
                        }
                        None => !self.closed && tame(value),
                    }
                });
                is(OBJECT) && fits && came & self.required == self.required
            }
        }
    }

    fn text_fits(&self, value: Raw<'_>) -> bool {
        if self.options.is_empty() && self.length == (0, usize::MAX) {
            return true;
        }
        let Some(text) = value.str().and_then(|text| text.plain()) else { return false };
        let known = self.options.is_empty() || self.options.iter().any(|option| option == text);
        let length = text.chars().count();
        known && self.length.0 <= length && length <= self.length.1
    }
}

/// A value that nothing is said of, and that no reader stumbles over.
fn tame(value: Raw<'_>) -> bool {
    match value.kind() {
        Kind::String | Kind::Bool | Kind::Null => true,
        Kind::Number => value.text().len() <= DIGITS && !value.text().contains(['e', 'E']),
        Kind::Array => value.elements().all(tame),
        Kind::Object => value.members().all(|(_, value)| tame(value)),
    }
}

/// A number without fraction and exponent.
fn whole(value: Raw<'_>) -> Option<i64> {
    let text = Some(value.text()).filter(|text| text.len() <= DIGITS && value.is_number())?;
    text.parse().ok()
}

fn size(value: Raw<'_>) -> Option<usize> {
    whole(value).and_then(|number| usize::try_from(number).ok())
}

fn object(value: Raw<'_>) -> Option<json::Members<'_>> {
    value.is_object().then(|| value.members())
}

/// Texts that all differ.
fn texts(value: Raw<'_>) -> Option<Vec<String>> {
    let mut all = Vec::new();
    for one in value.is_array().then(|| value.elements())? {
        let text = one.str()?.plain()?.to_owned();
        if all.contains(&text) {
            return None;
        }
        all.push(text);
    }
    Some(all)
}

fn types(value: Raw<'_>) -> Option<u8> {
    let one = |name: &str| {
        Some(match name {
            "string" => STRING,
            "number" => NUMBER,
            "integer" => INTEGER,
            "boolean" => BOOLEAN,
            "object" => OBJECT,
            "array" => ARRAY,
            "null" => NULL,
            _ => return None,
        })
    };
    match value.str() {
        Some(name) => one(name.plain()?),
        None => texts(value)?.iter().try_fold(0, |all, name| Some(all | one(name)?)).filter(|all| *all != 0),
    }
}
