//! The catalogue as C has it: arrays of JSON texts that end with a NUL. Keys are read out of them when they are needed.

use core::ffi::{CStr, c_char};

use mcpgraft::catalog::{Catalog, Entry, Kind};
use mcpgraft::json::Raw;
use mcpgraft::revision::methods::Feature;

use crate::NOT_UTF8;

/// `BAD_DEFINITION`
const BAD_DEFINITION: u32 = 5;

/// A list of definitions. They were checked, and stay as they are: the configuration promises it.
#[derive(Clone, Copy)]
pub(crate) struct List {
    texts: *const *const c_char,
    count: usize,
}

impl List {
    /// Checks a list.
    ///
    /// # Safety
    /// `count` pointers to texts that end with a NUL, which live and stay as they are as long as the list is used.
    pub(crate) unsafe fn new(kind: Kind, texts: *const *const c_char, count: usize) -> Result<Self, u32> {
        if texts.is_null() && count > 0 {
            return Err(crate::NULL);
        }
        let list = List { texts, count };
        for at in 0..count {
            // SAFETY: the caller's.
            let definition = unsafe { text(*texts.add(at)) }?;
            mcpgraft::json::check(definition.as_bytes(), 32).map_err(|_| BAD_DEFINITION)?;
            Entry::declared(kind, definition).ok_or(BAD_DEFINITION)?;
        }
        Ok(list)
    }

    fn at(&self, kind: Kind, index: usize) -> Option<Entry<'_>> {
        if index >= self.count {
            return None;
        }
        // SAFETY: checked in `new`, and it stays as it was.
        let definition = unsafe { text(*self.texts.add(index)) }.ok()?;
        Entry::declared(kind, definition)
    }
}

/// A text that ends with a NUL.
///
/// # Safety
/// It does, or is NULL.
pub(crate) unsafe fn text<'a>(text: *const c_char) -> Result<&'a str, u32> {
    if text.is_null() {
        return Err(crate::NULL);
    }
    // SAFETY: the caller's.
    unsafe { CStr::from_ptr(text) }.to_str().map_err(|_| NOT_UTF8)
}

/// The four lists, in the order of [`Kind::ALL`].
#[derive(Clone, Copy)]
pub(crate) struct Table(pub(crate) [List; 4]);

impl Table {
    fn list(&self, kind: Kind) -> &List {
        let [tools, resources, templates, prompts] = &self.0;
        match kind {
            Kind::Tool => tools,
            Kind::Resource => resources,
            Kind::Template => templates,
            Kind::Prompt => prompts,
        }
    }
}

impl Catalog for Table {
    fn len(&self, kind: Kind) -> usize {
        self.list(kind).count
    }

    fn at(&self, kind: Kind, index: usize) -> Option<Entry<'_>> {
        self.list(kind).at(kind, index)
    }

    // Tasks need a store and a clock; and the header has nothing that asks the client.
    fn can(&self, feature: Feature) -> bool {
        !matches!(feature, Feature::Tasks | Feature::TaskLists | Feature::Asks)
    }
}

// As `mcpgraft_failure` and so on: mcpgraft_device.h has the same number.
const _: () = assert!(mcpgraft::LocalError::BadDefinition("").code() == BAD_DEFINITION);

/// A JSON text that ends with a NUL, checked.
///
/// # Safety
/// It does, or is NULL.
pub(crate) unsafe fn json<'a>(given: *const c_char) -> Result<Raw<'a>, u32> {
    // SAFETY: the caller's.
    let given = unsafe { text(given) }?;
    mcpgraft::json::check(given.as_bytes(), 32).map_err(|_| BAD_DEFINITION)
}
