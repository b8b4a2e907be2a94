//! Content blocks: what tool results and prompt messages are made of.

use alloc::string::{String, ToString};

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Annotations, Extra, Payload, Resource, ResourceContents};
use crate::json::Raw;

/// A piece of content. Older peers get those they do not know in a form that they do.
#[derive(Clone, Debug)]
pub enum ContentBlock {
    /// `text`
    Text(TextContent),
    /// `image`
    Image(Media),
    /// `audio` (from `2025-03-26`)
    Audio(Media),
    /// `resource`: a resource with its contents
    Resource(EmbeddedResource),
    /// `resource_link`: a resource the client can read (from `2025-06-18`)
    ResourceLink(Resource),
    /// A block of another `type`, as it is.
    Unknown(Payload),
}

/// Text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TextContent {
    /// The text.
    pub text: String,
    /// Hints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Annotations>,
    /// `_meta` (from `2025-06-18`)
    #[serde(default, rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Payload>,
    /// What is not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// An image or a sound.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Media {
    /// The bytes, in standard Base64 with padding.
    pub data: String,
    /// Their media type.
    pub mime_type: String,
    /// Hints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Annotations>,
    /// `_meta` (from `2025-06-18`)
    #[serde(default, rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Payload>,
    /// What is not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A resource with its contents.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EmbeddedResource {
    /// The contents.
    pub resource: ResourceContents,
    /// Hints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Annotations>,
    /// `_meta` (from `2025-06-18`)
    #[serde(default, rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Payload>,
    /// What is not known.
    #[serde(flatten)]
    pub extra: Extra,
}

impl ContentBlock {
    /// Text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        ContentBlock::Text(TextContent {
            text: text.into(),
            annotations: None,
            meta: None,
            extra: Extra::new(),
        })
    }

    /// An image: standard Base64 with padding, and its media type.
    #[must_use]
    pub fn image(data: impl Into<String>, mime_type: impl Into<String>) -> Self {
        ContentBlock::Image(Media::new(data, mime_type))
    }

    /// A sound: standard Base64 with padding, and its media type.
    #[must_use]
    pub fn audio(data: impl Into<String>, mime_type: impl Into<String>) -> Self {
        ContentBlock::Audio(Media::new(data, mime_type))
    }

    /// A resource with its contents.
    #[must_use]
    pub fn resource(contents: ResourceContents) -> Self {
        ContentBlock::Resource(EmbeddedResource {
            resource: contents,
            annotations: None,
            meta: None,
            extra: Extra::new(),
        })
    }
}

impl Media {
    /// Standard Base64 with padding, and its media type.
    #[must_use]
    pub fn new(data: impl Into<String>, mime_type: impl Into<String>) -> Self {
        Media {
            data: data.into(),
            mime_type: mime_type.into(),
            annotations: None,
            meta: None,
            extra: Extra::new(),
        }
    }
}

/// A block with its `type` in front.
#[derive(Serialize)]
struct Tagged<'b, T> {
    #[serde(rename = "type")]
    ty: &'static str,
    #[serde(flatten)]
    block: &'b T,
}

impl Serialize for ContentBlock {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            ContentBlock::Text(block) => Tagged { ty: "text", block }.serialize(to),
            ContentBlock::Image(block) => Tagged { ty: "image", block }.serialize(to),
            ContentBlock::Audio(block) => Tagged { ty: "audio", block }.serialize(to),
            ContentBlock::Resource(block) => Tagged { ty: "resource", block }.serialize(to),
            ContentBlock::ResourceLink(block) => Tagged { ty: "resource_link", block }.serialize(to),
            ContentBlock::Unknown(block) => block.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for ContentBlock {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // Kept as text first: what is in a block of an unknown type is not to be touched.
        let block = Payload::deserialize(from)?;
        let ty = Raw::trusted(block.get()).get("type").and_then(Raw::str).map(|ty| ty.to_string());
        let ty = ty.ok_or_else(|| D::Error::custom("a content block needs a string \"type\""))?;
        fn read<T: DeserializeOwned, E: serde::de::Error>(block: &Payload) -> Result<T, E> {
            serde_json::from_str(block.get()).map_err(E::custom)
        }
        macro_rules! block {
            ($variant:ident, $kind:ty) => {{
                let mut block: $kind = read::<$kind, D::Error>(&block)?;
                block.extra.remove("type");
                Ok(ContentBlock::$variant(block))
            }};
        }
        match ty.as_str() {
            "text" => block!(Text, TextContent),
            "image" => block!(Image, Media),
            "audio" => block!(Audio, Media),
            "resource" => block!(Resource, EmbeddedResource),
            "resource_link" => block!(ResourceLink, Resource),
            _ => Ok(ContentBlock::Unknown(block)),
        }
    }
}
