//! What a schema can refer to: its resources, each with its URI and its anchors, and the meta-schemas. Nothing else.

use std::collections::HashMap;

use fluent_uri::{Iri, IriRef};
use serde_json::{Map, Value};

use crate::draft::{self, D4, D7, D2019, D2020, Draft};

/// The URI of a schema that has none.
const NAMELESS: &str = "json-schema:///";

/// The name of the one dynamic anchor of 2019-09, which has none.
const RECURSIVE: &str = "";

/// A schema with a URI of its own, and what is in it up to the next.
pub(crate) struct Resource<'a> {
    uri: Iri<String>,
    root: &'a Value,
    pub(crate) draft: Draft,
    anchors: HashMap<&'a str, &'a Value>,
    /// `$dynamicAnchor`s, `$recursiveAnchor` under the empty name.
    pub(crate) dynamic: HashMap<&'a str, &'a Value>,
}

/// Where a reference leads.
pub(crate) struct Target<'a> {
    pub(crate) schema: &'a Value,
    pub(crate) resource: usize,
    /// The dynamic anchor that was named, if one was.
    pub(crate) dynamic: Option<&'a str>,
}

/// All resources known.
pub(crate) struct Index<'a> {
    pub(crate) resources: Vec<Resource<'a>>,
    by_uri: HashMap<String, usize>,
    /// The resource of each schema seen, by its address.
    owner: HashMap<*const Value, usize>,
}

impl<'a> Index<'a> {
    /// Indexes a schema, which becomes resource 0.
    pub(crate) fn new(root: &'a Value, draft: Draft) -> Result<Self, String> {
        let mut index = Index { resources: Vec::new(), by_uri: HashMap::new(), owner: HashMap::new() };
        index.document(NAMELESS, root, draft)?;
        Ok(index)
    }

    fn document(&mut self, uri: &str, root: &'a Value, draft: Draft) -> Result<usize, String> {
        let uri = Iri::parse(uri.to_owned()).map_err(|(error, uri)| format!("{uri:?}: {error}"))?;
        let resource = self.add(uri, root, draft);
        self.walk(root, resource)?;
        Ok(resource)
    }

    fn add(&mut self, uri: Iri<String>, root: &'a Value, draft: Draft) -> usize {
        let place = self.resources.len();
        self.by_uri.entry(uri.as_str().to_owned()).or_insert(place);
        let (anchors, dynamic) = (HashMap::new(), HashMap::new());
        self.resources.push(Resource { uri, root, draft, anchors, dynamic });
        place
    }

    /// The resource of a schema; that of the schema around it if it is not known by itself.
    pub(crate) fn owner(&self, schema: &Value, around: usize) -> usize {
        self.owner.get(&std::ptr::from_ref(schema)).copied().unwrap_or(around)
    }

    /// Finds the names in a schema and in all schemas under it. It recurses as deep as the schema.
    fn walk(&mut self, schema: &'a Value, around: usize) -> Result<(), String> {
        let mut resource = around;
        if let Value::Object(map) = schema {
            resource = self.name(schema, map, around)?;
            let Some(draft) = self.resources.get(resource).map(|resource| resource.draft) else {
                return Ok(());
            };
            for (word, value) in map {
                for schema in draft::under(draft, word, value) {
                    self.walk(schema, resource)?;
                }
            }
        }
        self.owner.insert(std::ptr::from_ref(schema), resource);
        Ok(())
    }

    /// Takes the names a schema gives itself; tells its resource.
    fn name(
        &mut self,
        schema: &'a Value,
        map: &'a Map<String, Value>,
        around: usize,
    ) -> Result<usize, String> {
        let Some(base) = self.resources.get(around) else { return Ok(around) };
        let text = |word: &str| map.get(word).and_then(Value::as_str);
        let mut draft = base.draft;
        // A schema inside another may be of another draft, if it has a name.
        if let Some(named) = text("$schema").and_then(Draft::named)
            && text(named.id()).is_some()
        {
            draft = named;
        }
        // Up to draft 07 nothing beside a reference counts.
        let alone = draft <= D7 && text("$ref").is_some();
        let mut resource = around;
        if let Some(id) = text(draft.id()).filter(|_| !alone) {
            let (uri, fragment) = id.split_once('#').unwrap_or((id, ""));
            if !uri.is_empty() {
                let uri = absolute(uri, &base.uri)?;
                resource = self.add(uri, schema, draft);
            }
            if draft <= D7 && !fragment.is_empty() {
                self.anchor(resource, fragment, schema);
            }
        }
        if draft >= D2019
            && let Some(name) = text("$anchor")
        {
            self.anchor(resource, name, schema);
        }
        let dynamic = match map.get("$recursiveAnchor") {
            Some(Value::Bool(true)) if draft == D2019 => Some(RECURSIVE),
            _ => text("$dynamicAnchor").filter(|_| draft == D2020),
        };
        if let Some(name) = dynamic {
            if draft == D2020 {
                self.anchor(resource, name, schema);
            }
            if let Some(resource) = self.resources.get_mut(resource) {
                resource.dynamic.entry(name).or_insert(schema);
            }
        }
        Ok(resource)
    }

    fn anchor(&mut self, resource: usize, name: &'a str, schema: &'a Value) {
        if let Some(resource) = self.resources.get_mut(resource) {
            resource.anchors.entry(name).or_insert(schema);
        }
    }

    /// Follows a reference in a resource.
    ///
    /// # Errors
    /// Why it leads nowhere.
    pub(crate) fn follow(&mut self, reference: &str, from: usize) -> Result<Target<'a>, String> {
        let nowhere = || format!("a reference leads nowhere, and none is ever fetched: {reference}");
        let (uri, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let mut at = from;
        if !uri.is_empty() {
            let base = self.resources.get(from).ok_or_else(nowhere)?;
            let uri = absolute(uri, &base.uri).map_err(|_| nowhere())?;
            at = match self.by_uri.get(uri.as_str()) {
                Some(known) => *known,
                None => match draft::document(uri.as_str()) {
                    Some((root, draft)) => self.document(uri.as_str(), root, draft)?,
                    None => return Err(nowhere()),
                },
            };
        }
        let resource = self.resources.get(at).ok_or_else(nowhere)?;
        let fragment = decoded(fragment).ok_or_else(nowhere)?;
        if !fragment.is_empty() && !fragment.starts_with('/') {
            let (name, schema) = resource
                .dynamic
                .get_key_value(fragment.as_str())
                .map(|(name, schema)| (Some(*name), *schema))
                .or_else(|| resource.anchors.get(fragment.as_str()).map(|schema| (None, *schema)))
                .ok_or_else(nowhere)?;
            return Ok(Target { schema, resource: at, dynamic: name });
        }
        let (mut schema, mut owner) = (resource.root, at);
        for step in fragment.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            schema = match schema {
                Value::Object(map) => map.get(&step),
                Value::Array(list) => step.parse().ok().and_then(|at: usize| list.get(at)),
                _ => None,
            }
            .ok_or_else(nowhere)?;
            owner = self.owner(schema, owner);
        }
        if !self.owner.contains_key(&std::ptr::from_ref(schema)) {
            // Under a word that is none: known as a schema only now.
            self.walk(schema, owner)?;
            owner = self.owner(schema, owner);
        }
        Ok(Target { schema, resource: owner, dynamic: None })
    }

    /// Where `$recursiveRef` leads, and whether that is decided when values are checked.
    pub(crate) fn recursive(&mut self, from: usize) -> Result<Target<'a>, String> {
        let mut target = self.follow("#", from)?;
        let found = self.resources.get(target.resource).and_then(|resource| resource.dynamic.get(RECURSIVE));
        target.dynamic = found.is_some_and(|found| std::ptr::eq(*found, target.schema)).then_some(RECURSIVE);
        Ok(target)
    }

    /// Whether `$ref` at a schema of that draft hides what stands beside it.
    pub(crate) fn alone(&self, resource: usize) -> bool {
        self.resources.get(resource).is_some_and(|resource| resource.draft <= D7)
    }

    /// The draft of a resource.
    pub(crate) fn draft(&self, resource: usize) -> Draft {
        self.resources.get(resource).map_or(D4, |resource| resource.draft)
    }
}

fn absolute(uri: &str, base: &Iri<String>) -> Result<Iri<String>, String> {
    let wrong = || format!("{uri:?} is no URI reference");
    let uri = IriRef::parse(uri).map_err(|_| wrong())?;
    uri.resolve_against(base).map_err(|_| wrong())
}

/// Without percent-encoding.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut left = text.bytes();
    while let Some(byte) = left.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (high, low) = (char::from(left.next()?).to_digit(16)?, char::from(left.next()?).to_digit(16)?);
        bytes.push(u8::try_from(16 * high + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}
