//! Finding members by name: in a checked object, or while its text is checked, so that nothing is scanned twice.

use super::Raw;
#[cfg(feature = "alloc")]
use super::Str;
#[cfg(not(feature = "alloc"))]
use super::check::check_str;
#[cfg(feature = "alloc")]
use super::check::{Checker, check_by, utf8};
use super::error::JsonError;
#[cfg(feature = "alloc")]
use super::error::JsonErrorKind;

/// Some members of an object, by the position of their names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Picked<'a, const N: usize> {
    /// The values; the last one, where a name stands twice.
    pub(crate) values: [Option<Raw<'a>>; N],
    /// The first of the names that stands twice.
    pub(crate) twice: Option<usize>,
}

impl<'a, const N: usize> Picked<'a, N> {
    /// None of them.
    pub(crate) const NONE: Self = Picked { values: [None; N], twice: None };

    /// Finds them; there were none before.
    #[cfg_attr(feature = "alloc", inline(always))]
    pub(crate) fn fill(&mut self, object: Raw<'a>, keys: &[&str; N]) {
        self.twice = object.sift_into(keys, &mut self.values);
    }
}

impl<'a> Raw<'a> {
    /// Several members of an object in one pass, each as [`Raw::get`] finds it.
    #[cfg_attr(feature = "alloc", inline(always))]
    pub(crate) fn sift<const N: usize>(self, keys: &[&str; N]) -> Picked<'a, N> {
        let mut picked = Picked::NONE;
        picked.fill(self, keys);
        picked
    }

    /// As [`Raw::sift`], whatever their number: on small machines one copy of this code serves every caller.
    #[cfg_attr(feature = "alloc", inline(always))]
    #[cfg_attr(not(feature = "alloc"), inline(never))]
    fn sift_into(self, keys: &[&str], values: &mut [Option<Raw<'a>>]) -> Option<usize> {
        let mut twice: Option<usize> = None;
        self.members().for_each(|(name, value)| {
            for (index, (key, slot)) in keys.iter().zip(values.iter_mut()).enumerate() {
                if name.eq(key) {
                    put(index, slot, &mut twice, value);
                    break;
                }
            }
        });
        twice
    }
}

/// A text that was checked, and what was looked for in it.
pub(crate) struct Sifted<'a, const N: usize> {
    /// The value.
    pub(crate) value: Raw<'a>,
    /// It is known to be one line.
    pub(crate) line: bool,
    /// Its members of some names.
    pub(crate) picked: Picked<'a, N>,
    /// It may have members of other names.
    pub(crate) others: bool,
}

/// Puts a member into the slot of its name.
#[inline(always)]
fn put<'a>(index: usize, slot: &mut Option<Raw<'a>>, twice: &mut Option<usize>, value: Raw<'a>) {
    if slot.replace(value).is_some() {
        *twice = Some(twice.map_or(index, |known| known.min(index)));
    }
}

/// As [`check`](super::check) of a text whose characters are known to be good, and then as [`Raw::sift`]: small machines
/// have one way to find members.
#[cfg(not(feature = "alloc"))]
pub(crate) fn check_sifting<'a, const N: usize>(
    valid: &'a str,
    max_depth: u16,
    keys: &[&str; N],
) -> Result<Sifted<'a, N>, JsonError> {
    let (value, line) = check_str(valid, max_depth)?;
    Ok(Sifted { value, line, picked: value.sift(keys), others: true })
}

/// As [`check`](super::check) of a text whose characters are known to be good, and as [`Raw::sift`] on the way.
#[cfg(feature = "alloc")]
pub(crate) fn check_sifting<'a, const N: usize>(
    valid: &'a str,
    max_depth: u16,
    keys: &[&str; N],
) -> Result<Sifted<'a, N>, JsonError> {
    let (mut picked, mut others) = (Picked::NONE, false);
    let (value, line) = check_by(valid, max_depth, |checker| {
        others = checker.sift(keys, &mut picked, |checker, _| checker.member())?;
        Ok(())
    })?;
    Ok(Sifted { value, line, picked, others })
}

/// The member of that name of a JSON object, found while its text is checked: as [`check`](super::check) and then
/// [`Raw::get`], in one go.
///
/// # Errors
/// As [`check`](super::check).
#[cfg(feature = "alloc")]
pub fn member<'a>(text: &'a [u8], name: &str, max_depth: u16) -> Result<Option<Raw<'a>>, JsonError> {
    let Picked { values: [found], .. } = check_sifting(utf8(text)?, max_depth, &[name])?.picked;
    Ok(found)
}

/// As [`check`](super::check) of a text whose characters are known to be good. `walk` goes over the value, with
/// [`Checker::member`] or [`Checker::sift`].
#[cfg(feature = "alloc")]
#[inline(always)]
pub(crate) fn check_walking<'a>(
    valid: &'a str,
    max_depth: u16,
    walk: impl FnOnce(&mut Checker<'a>) -> Result<(), JsonErrorKind>,
) -> Result<Raw<'a>, JsonError> {
    check_by(valid, max_depth, walk).map(|(value, _)| value)
}

#[cfg(feature = "alloc")]
impl<'a> Checker<'a> {
    /// The value of a member. Most that are looked for are strings: those are gone over here.
    ///
    /// # Errors
    /// What is wrong where it stands now.
    #[inline(always)]
    pub(crate) fn member(&mut self) -> Result<(), JsonErrorKind> {
        if self.peek() == Some(b'"') { self.string().map(drop) } else { self.value() }
    }

    /// One value; if it is an object, with its members as [`Raw::sift`] finds them in it. What was in `picked` before is
    /// gone. `inner` goes over the value of each member that is asked for, by the position of its name: with
    /// [`Checker::member`], or with `sift` again. Gives whether there are members of other names.
    ///
    /// # Errors
    /// What is wrong where it stands now.
    #[inline(always)]
    pub(crate) fn sift<const N: usize>(
        &mut self,
        keys: &[&str; N],
        picked: &mut Picked<'a, N>,
        mut inner: impl FnMut(&mut Self, usize) -> Result<(), JsonErrorKind>,
    ) -> Result<bool, JsonErrorKind> {
        *picked = Picked::NONE;
        let mut others = false;
        if self.peek() != Some(b'{') {
            return self.value().map(|()| others);
        }
        self.open.push(true)?;
        self.at += 1;
        self.space();
        if self.peek() != Some(b'}') {
            loop {
                let start = self.at;
                let plain = self.name()?;
                let end = self.at;
                self.colon()?;
                let position = if plain {
                    let name = self.text.as_bytes().get(start + 1..end - 1).unwrap_or_default();
                    keys.iter().position(|key| key.as_bytes() == name)
                } else {
                    let name = Str::trusted(self.text.get(start..end).unwrap_or_default());
                    keys.iter().position(|key| name.eq(key))
                };
                let start = self.at;
                match position {
                    Some(index) => {
                        inner(self, index)?;
                        let value = Raw::trusted(self.text.get(start..self.at).unwrap_or_default());
                        if let Some(slot) = picked.values.get_mut(index) {
                            put(index, slot, &mut picked.twice, value);
                        }
                    }
                    None => {
                        others = true;
                        self.value()?;
                    }
                }
                self.space();
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b'}') => break,
                    _ => return Err(self.wrong(JsonErrorKind::ObjectEnd)),
                }
                self.space();
            }
        }
        self.at += 1;
        self.open.pop();
        Ok(others)
    }
}
