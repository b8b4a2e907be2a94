//! Writing what is asked for older clients: forms for `2025-06-18`, sampling for every revision before `2025-11-25`.

use super::ask::Unable;
use crate::json::{Full, Raw, Sink, Str, Writer};
use crate::model::ClientCapabilities;
use crate::revision::{Revision, fields, translate};

fn is(value: Option<Raw<'_>>, text: &str) -> bool {
    value.and_then(Raw::str).is_some_and(|value| value == *text)
}

/// A form is a flat object of simple fields (client/elicitation, "Requested Schema").
pub(super) fn check_form(schema: Raw<'_>, revision: Revision) -> Result<(), Unable> {
    let wrong = |why| Err(Unable::Wrong(why));
    let Some(properties) = schema.get("properties").filter(|raw| raw.is_object()) else {
        return wrong("the schema of a form needs \"properties\"");
    };
    if !is(schema.get("type"), "object") {
        return wrong("the schema of a form needs \"type\":\"object\"");
    }
    for (_, property) in properties.members() {
        let ty = property.get("type");
        if is(ty, "array") {
            let items = property.get("items");
            let choices = items.and_then(|items| items.get("enum").or(items.get("anyOf")));
            if choices.is_none_or(|choices| !choices.is_array()) {
                return wrong("a list in a form must be a choice: \"items\" with \"enum\" or \"anyOf\"");
            }
            if !fields::FORM_CHOICES.has(revision) {
                return Err(Unable::Revision("this client's revision has no field for several choices"));
            }
        } else if !["string", "number", "integer", "boolean"].iter().any(|name| is(ty, name)) {
            return wrong("a field of a form must be a string, number, integer, boolean or choice");
        }
    }
    Ok(())
}

/// Writes the schema of a form.
pub(super) fn form<S: Sink + ?Sized>(
    schema: Raw<'_>,
    revision: Revision,
    w: &mut Writer<'_, S>,
) -> Result<(), Full> {
    if fields::FORM_CHOICES.has(revision) {
        return w.raw(schema);
    }
    w.begin_object()?;
    for (key, member) in schema.members() {
        if key == *"$schema" {
            continue;
        }
        w.raw_key(key)?;
        if key != *"properties" {
            w.raw(member)?;
            continue;
        }
        w.begin_object()?;
        for (name, property) in member.members() {
            w.raw_key(name)?;
            form_field(property, w)?;
        }
        w.end_object()?;
    }
    w.end_object()
}

/// `2025-06-18` knows defaults of booleans only, and names the titles of choices `enumNames`.
fn form_field<S: Sink + ?Sized>(property: Raw<'_>, w: &mut Writer<'_, S>) -> Result<(), Full> {
    let boolean = is(property.get("type"), "boolean");
    w.begin_object()?;
    for (key, member) in property.members() {
        if (key == *"default" && !boolean) || key == *"pattern" {
            continue;
        }
        if key != *"oneOf" {
            w.raw_key(key)?;
            w.raw(member)?;
            continue;
        }
        for (list, each) in [("enum", "const"), ("enumNames", "title")] {
            w.key(list)?;
            w.begin_array()?;
            for choice in member.elements() {
                w.raw(choice.get(each).or(choice.get("const")).unwrap_or(Raw::NULL))?;
            }
            w.end_array()?;
        }
    }
    w.end_object()
}

/// Whether a sampling request can be said in this revision (client/sampling).
pub(super) fn check_sampling(params: Raw<'_>, revision: Revision) -> Result<(), Unable> {
    let messages = params.get("messages").filter(|raw| raw.is_array());
    if messages.is_none() || params.get("maxTokens").and_then(Raw::u64).is_none() {
        return Err(Unable::Wrong("sampling needs \"messages\" and \"maxTokens\""));
    }
    for message in messages.into_iter().flat_map(Raw::elements) {
        for block in blocks(message) {
            let Some(ty) = block.get("type").and_then(Raw::str) else {
                return Err(Unable::Wrong("a content block of a sampling message needs a \"type\""));
            };
            if !fields::sampling_block(ty).has(revision) {
                return Err(Unable::Revision(
                    "this client's revision cannot carry a content block of the message",
                ));
            }
        }
    }
    balanced(params)
}

/// One block or several.
fn blocks(message: Raw<'_>) -> impl Iterator<Item = Raw<'_>> {
    let content = message.get("content");
    let one = content.filter(|content| !content.is_array());
    one.into_iter().chain(content.into_iter().flat_map(Raw::elements))
}

fn of_type<'m>(message: Raw<'m>, ty: &'static str) -> impl Iterator<Item = Raw<'m>> {
    blocks(message).filter(move |block| is(block.get("type"), ty))
}

/// Every `tool_use` is answered by one `tool_result` in the next message, which holds nothing else.
fn balanced(params: Raw<'_>) -> Result<(), Unable> {
    let messages = params.get("messages").into_iter().flat_map(Raw::elements);
    let mut asked: Option<Raw<'_>> = None;
    for message in messages {
        let results = of_type(message, "tool_result").count();
        if results > 0 && results != blocks(message).count() {
            return Err(Unable::Wrong("a message with tool results must hold nothing else"));
        }
        let uses = asked.map_or(0, |asked| of_type(asked, "tool_use").count());
        let answered = |id: Str<'_>| {
            of_type(message, "tool_result")
                .filter(|block| block.get("toolUseId").and_then(Raw::str) == Some(id))
                .count()
                == 1
        };
        let all = asked.is_none_or(|asked| {
            of_type(asked, "tool_use").all(|block| block.get("id").and_then(Raw::str).is_some_and(answered))
        });
        if uses != results || !all {
            return Err(Unable::Wrong("every tool use needs one tool result in the next message"));
        }
        asked = Some(message);
    }
    if asked.is_some_and(|last| of_type(last, "tool_use").next().is_some()) {
        return Err(Unable::Wrong("every tool use needs one tool result in the next message"));
    }
    Ok(())
}

/// Writes the parameters of a sampling request.
pub(super) fn sampling<S: Sink + ?Sized>(
    params: Raw<'_>,
    capabilities: &ClientCapabilities,
    revision: Revision,
    w: &mut Writer<'_, S>,
) -> Result<(), Full> {
    let lists = fields::SAMPLING_LISTS.has(revision);
    w.begin_object()?;
    for (key, member) in params.members() {
        // Context of servers only where the client said it can; leaving it out means none.
        if key == *"includeContext" && !capabilities.sampling_context {
            continue;
        }
        w.raw_key(key)?;
        if key != *"messages" || lists {
            w.raw(member)?;
            continue;
        }
        w.begin_array()?;
        for message in member.elements() {
            for block in blocks(message) {
                w.begin_object()?;
                if let Some(role) = message.get("role") {
                    w.field("role", role)?;
                }
                w.key("content")?;
                translate::object(block, &fields::BLOCK, revision, w)?;
                w.end_object()?;
            }
        }
        w.end_array()?;
    }
    w.end_object()
}
