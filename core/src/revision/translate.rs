//! Writing newest-shaped values for older peers: fields they do not know are dropped, values they cannot read are
//! translated. What exists when stands in [`fields`]; how it is translated stands here.

use super::Revision;
use super::fields::{self, Shape, Value};
use crate::json::{Full, Raw, Sink, Str, Writer, digits, find, find_text, skip_space};

/// Writes an object of a shape. The depth of this recursion is that of the shapes, not of the input.
pub(crate) fn object<S: Sink + ?Sized>(
    value: Raw<'_>,
    shape: &Shape,
    revision: Revision,
    w: &mut Writer<'_, S>,
) -> Result<(), Full> {
    if shape.settled_in(revision) || !value.is_object() {
        return w.raw(value);
    }
    w.begin_object()?;
    for (key, member) in value.members() {
        field(key, member, shape, revision, w)?;
    }
    w.end_object()
}

/// As [`object`], for shapes without content blocks, tools and schemas: a server that only lists needs nothing of those.
pub(crate) fn simple<S: Sink + ?Sized>(
    value: Raw<'_>,
    shape: &Shape,
    revision: Revision,
    w: &mut Writer<'_, S>,
) -> Result<(), Full> {
    if shape.settled_in(revision) || !value.is_object() {
        return w.raw(value);
    }
    w.begin_object()?;
    for (key, member) in value.members() {
        match known(key, shape, revision, w)? {
            None => {}
            Some(Value::One(shape)) => simple(member, shape, revision, w)?,
            Some(Value::Each(shape)) => {
                each(member, shape.settled_in(revision), w, |item, w| simple(item, shape, revision, w))?;
            }
            Some(_) => w.raw(member)?,
        }
    }
    w.end_object()
}

/// Writes the name of a member that the revision has, and says how its value is written; `None`: it is left out.
fn known<S: Sink + ?Sized>(
    key: Str<'_>,
    shape: &Shape,
    revision: Revision,
    w: &mut Writer<'_, S>,
) -> Result<Option<&'static Value>, Full> {
    let value = match shape.field(key) {
        None => &Value::Same,
        Some(field) if field.exists_in(revision) => &field.value,
        Some(_) => return Ok(None),
    };
    w.raw_key(key)?;
    Ok(Some(value))
}

/// Writes one member of an object of a shape, or leaves it out.
pub(crate) fn field<S: Sink + ?Sized>(
    key: Str<'_>,
    member: Raw<'_>,
    shape: &Shape,
    revision: Revision,
    w: &mut Writer<'_, S>,
) -> Result<(), Full> {
    match known(key, shape, revision, w)? {
        None => Ok(()),
        Some(Value::Same) => w.raw(member),
        Some(Value::One(shape)) => object(member, shape, revision, w),
        Some(Value::Each(shape)) => {
            each(member, shape.settled_in(revision), w, |item, w| object(item, shape, revision, w))
        }
        Some(Value::Tools) => each(member, false, w, |item, w| tool(item, revision, w)),
        Some(Value::Block(_)) => block(member, 0, revision, w),
        Some(Value::Blocks(_)) => blocks(member, revision, w),
        Some(Value::Schema) => schema(member, revision, w),
        Some(Value::OutputSchema) => output_schema(member, revision, w),
    }
}

fn each<S: Sink + ?Sized>(
    list: Raw<'_>,
    settled: bool,
    w: &mut Writer<'_, S>,
    mut item: impl FnMut(Raw<'_>, &mut Writer<'_, S>) -> Result<(), Full>,
) -> Result<(), Full> {
    if settled || !list.is_array() {
        return w.raw(list);
    }
    w.begin_array()?;
    for value in list.elements() {
        item(value, w)?;
    }
    w.end_array()
}

/// Writes an array of content blocks.
pub(crate) fn blocks<S: Sink + ?Sized>(
    list: Raw<'_>,
    revision: Revision,
    w: &mut Writer<'_, S>,
) -> Result<(), Full> {
    let mut at = 0;
    each(list, fields::BLOCK.settled_in(revision), w, |item, w| {
        at += 1;
        block(item, at - 1, revision, w)
    })
}

/// Writes a tool for the newest revision: less what it has no more.
fn newest_tool<S: Sink + ?Sized>(tool: Raw<'_>, w: &mut Writer<'_, S>) -> Result<(), Full> {
    let gone = |key: Str<'_>| fields::TOOL.field(key).is_some_and(|field| !field.exists_in(Revision::NEWEST));
    if !tool.members().any(|(key, _)| gone(key)) {
        return w.raw(tool);
    }
    w.begin_object()?;
    for (key, member) in tool.members().filter(|(key, _)| !gone(*key)) {
        w.raw_key(key)?;
        w.raw(member)?;
    }
    w.end_object()
}

/// Writes a tool. Where `title` is not known yet but `annotations.title` is, it moves there.
pub(crate) fn tool<S: Sink + ?Sized>(
    tool: Raw<'_>,
    revision: Revision,
    w: &mut Writer<'_, S>,
) -> Result<(), Full> {
    if !tool.is_object() {
        return w.raw(tool);
    }
    if revision == Revision::NEWEST {
        return newest_tool(tool, w);
    }
    let title = tool.get("title").filter(|_| fields::TITLE_IN_ANNOTATIONS.has(revision));
    w.begin_object()?;
    for (key, member) in tool.members() {
        match title {
            Some(_) if key == *"annotations" && member.is_object() => {}
            _ => match known(key, &fields::TOOL, revision, w)? {
                None => {}
                Some(Value::Schema) => schema(member, revision, w)?,
                Some(Value::OutputSchema) => output_schema(member, revision, w)?,
                Some(_) => w.raw(member)?,
            },
        }
    }
    if let Some(title) = title {
        let annotations = tool.get("annotations").filter(|raw| raw.is_object());
        w.key("annotations")?;
        w.begin_object()?;
        let mut titled = false;
        for (key, member) in annotations.unwrap_or(Raw::NULL).members() {
            titled |= key == *"title";
            w.raw_key(key)?;
            w.raw(member)?;
        }
        if !titled {
            w.field("title", title)?;
        }
        w.end_object()?;
    }
    w.end_object()
}

/// Writes a content block: as it is, or as one that the peer can read. `at` tells blocks of one result apart.
pub(crate) fn block<S: Sink + ?Sized>(
    block: Raw<'_>,
    at: u64,
    revision: Revision,
    w: &mut Writer<'_, S>,
) -> Result<(), Full> {
    let ty = block.get("type").and_then(Raw::str);
    match ty.filter(|ty| fields::block_since(*ty) > revision) {
        Some(ty) if ty == *"audio" => audio_as_resource(block, at, w),
        Some(_) => link_as_text(block, w),
        None => object(block, &fields::BLOCK, revision, w),
    }
}

/// `2024-11-05` has no audio: the bytes go as an embedded binary resource.
fn audio_as_resource<S: Sink + ?Sized>(block: Raw<'_>, at: u64, w: &mut Writer<'_, S>) -> Result<(), Full> {
    w.begin_object()?;
    w.field_str("type", "resource")?;
    w.key("resource")?;
    w.begin_object()?;
    w.key("uri")?;
    let mut uri = heapless::String::<64>::new();
    for part in ["mcp-content://audio/", &digits::unsigned(at)] {
        uri.push_str(part).map_err(|_| Full)?;
    }
    w.string(&uri)?;
    for (from, to) in [("mimeType", "mimeType"), ("data", "blob")] {
        if let Some(value) = block.get(from) {
            w.field(to, value)?;
        }
    }
    w.end_object()?;
    w.end_object()
}

/// Revisions without resource links get `name: uri`, and the description on a line of its own.
fn link_as_text<S: Sink + ?Sized>(block: Raw<'_>, w: &mut Writer<'_, S>) -> Result<(), Full> {
    let part = |key| block.get(key).and_then(Raw::str).map_or("", Str::escaped);
    w.begin_object()?;
    w.field_str("type", "text")?;
    w.key("text")?;
    // The parts are JSON string bodies already: escaped once, joined as they are.
    w.begin_value()?;
    let out = w.sink();
    out.put(b"\"")?;
    for text in [part("name"), ": ", part("uri")] {
        out.put(text.as_bytes())?;
    }
    if !part("description").is_empty() {
        out.put(b"\\n")?;
        out.put(part("description").as_bytes())?;
    }
    out.put(b"\"")?;
    w.end_object()
}

/// Writes an input schema. Strict readers of the handshake era want every member of `properties` to be an object, so a
/// boolean schema there becomes the object that means the same.
fn schema<S: Sink + ?Sized>(schema: Raw<'_>, revision: Revision, w: &mut Writer<'_, S>) -> Result<(), Full> {
    let boolean = |schema: Raw<'_>| {
        let properties = schema.get("properties").unwrap_or(Raw::NULL);
        properties.members().any(|(_, property)| property.bool().is_some())
    };
    if !fields::OBJECT_PROPERTIES.has(revision) || !boolean(schema) {
        return w.raw(schema);
    }
    w.begin_object()?;
    for (key, member) in schema.members() {
        w.raw_key(key)?;
        if key != *"properties" || !member.is_object() {
            w.raw(member)?;
            continue;
        }
        w.begin_object()?;
        for (name, property) in member.members() {
            w.raw_key(name)?;
            w.raw(match property.bool() {
                Some(true) => Raw::trusted("{}"),
                Some(false) => Raw::trusted("{\"not\":{}}"),
                None => property,
            })?;
        }
        w.end_object()?;
    }
    w.end_object()
}

/// Writes an output schema. Revisions that know objects only get `{"result": …}` around anything else; what the tool
/// returns is wrapped to match by `server::answer`.
fn output_schema<S: Sink + ?Sized>(
    root: Raw<'_>,
    revision: Revision,
    w: &mut Writer<'_, S>,
) -> Result<(), Full> {
    if revision.row().structured_any {
        return w.raw(root);
    }
    if is_object_schema(root) || !root.is_object() {
        return schema(root, revision, w);
    }
    // Definitions stay at the root, where references point; a schema with its own `$id` is the root of its references.
    let own_root = root.get("$id").is_some();
    let hoisted =
        |key: Str<'_>| key == *"$schema" || (!own_root && (key == *"$defs" || key == *"definitions"));
    w.begin_object()?;
    for (key, member) in root.members().filter(|(key, _)| hoisted(*key)) {
        w.raw_key(key)?;
        with_references(member, own_root, w)?;
    }
    w.field_str("type", "object")?;
    w.key("properties")?;
    w.begin_object()?;
    w.key("result")?;
    w.begin_object()?;
    for (key, member) in root.members().filter(|(key, _)| !hoisted(*key)) {
        // A reference at the very root of the schema.
        w.raw_key(key)?;
        match member.str().filter(|_| !own_root && key == *"$ref") {
            Some(target) => reference(target, w)?,
            None => with_references(member, own_root, w)?,
        }
    }
    w.end_object()?;
    w.end_object()?;
    w.key("required")?;
    w.raw_text("[\"result\"]")?;
    w.end_object()
}

/// Writes a value in which local references point one level deeper, in one pass over its text.
fn with_references<S: Sink + ?Sized>(
    value: Raw<'_>,
    own_root: bool,
    w: &mut Writer<'_, S>,
) -> Result<(), Full> {
    const KEY: &[u8] = b"\"$ref\"";
    let text = value.text();
    let bytes = text.as_bytes();
    let mut next = find_text(bytes, 0, KEY);
    if own_root || next.is_none() {
        return w.raw(value);
    }
    w.begin_value()?;
    let mut written = 0;
    while let Some(at) = next {
        next = find_text(bytes, at + KEY.len(), KEY);
        // Inside a string the quote would be escaped; as a value no colon follows.
        let escaped = at.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'\\');
        let colon = skip_space(bytes, at + KEY.len());
        let quote = skip_space(bytes, colon + 1);
        if bytes.get(colon) != Some(&b':') || bytes.get(quote) != Some(&b'"') {
            continue;
        }
        let start = quote + 1;
        let rest = text.get(start..).unwrap_or("");
        let target = find(rest.as_bytes(), b'"').and_then(|end| rest.get(..end)).unwrap_or(rest);
        if escaped || !moves(target) {
            continue;
        }
        // After the first character, which is '#'.
        on_one_line(text.get(written..start).unwrap_or(""), w.sink())?;
        w.sink().put(b"#/properties/result")?;
        written = start + 1;
    }
    on_one_line(text.get(written..).unwrap_or(""), w.sink())
}

/// Writes a piece of valid JSON without its line breaks, which can only be white space.
fn on_one_line<S: Sink + ?Sized>(piece: &str, out: &mut S) -> Result<(), Full> {
    piece.as_bytes().split(|byte| matches!(byte, b'\n' | b'\r')).try_for_each(|line| out.put(line))
}

fn reference<S: Sink + ?Sized>(target: Str<'_>, w: &mut Writer<'_, S>) -> Result<(), Full> {
    let text = target.escaped();
    w.begin_value()?;
    let out = w.sink();
    out.put(b"\"")?;
    if moves(text) {
        out.put(b"#/properties/result")?;
        out.put(text.get(1..).unwrap_or("").as_bytes())?;
    } else {
        out.put(text.as_bytes())?;
    }
    out.put(b"\"")
}

/// Whether a reference points into the part that moves: the root itself, or a path that is not a definition's.
fn moves(target: &str) -> bool {
    target == "#"
        || (target.starts_with("#/")
            && !target.starts_with("#/$defs/")
            && !target.starts_with("#/definitions/"))
}

/// Whether the root of an output schema is an object, as revisions before `structured_any` need it.
pub(crate) fn is_object_schema(schema: Raw<'_>) -> bool {
    schema.get("type").and_then(Raw::str).is_some_and(|ty| ty == *"object")
}
