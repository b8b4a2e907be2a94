//! Writing compact JSON straight into a sink.

use super::scan::{line_run, plain_run};
use super::sink::{put, whole};
use super::{Full, Raw, Sink, Str, digits};

/// Writes compact JSON and sets the commas.
///
/// The caller keeps the shape: every `begin_` needs its `end_`, a [`key`](Writer::key) stands before each value in
/// an object and nowhere else. A call that fails with [`Full`] has written nothing; calls before it stand. Of a sink that
/// keeps its failure in mind ([`Sink::torn`]) it is asked at the end; no call fails then.
#[derive(Debug)]
pub struct Writer<'s, S: Sink + ?Sized> {
    sink: &'s mut S,
    /// Whether the next key or value follows another one in the same container.
    comma: bool,
    /// Whether the values given to [`raw`](Writer::raw) are known to be one line each.
    lines: bool,
}

/// A point in the output of a [`Writer`].
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    len: usize,
    comma: bool,
}

impl Mark {
    /// How long the output was.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }
}

impl<'s, S: Sink + ?Sized> Writer<'s, S> {
    /// A writer for one value at the end of `sink`.
    pub fn new(sink: &'s mut S) -> Self {
        Self { sink, comma: false, lines: false }
    }

    /// The sink, to see how much was written. Bytes put there directly are not known to the writer.
    pub fn sink(&mut self) -> &mut S {
        self.sink
    }

    /// Writes the comma if one is due and then what `write` writes: both or neither.
    fn item(
        &mut self,
        comma_after: bool,
        write: impl FnOnce(&mut S) -> Result<(), Full>,
    ) -> Result<(), Full> {
        let comma = self.comma;
        whole(&mut *self.sink, |out| {
            if comma {
                put(out, b",")?;
            }
            write(out)
        })?;
        self.comma = comma_after;
        Ok(())
    }

    fn close(&mut self, bracket: &[u8]) -> Result<(), Full> {
        put(self.sink, bracket)?;
        self.comma = true;
        Ok(())
    }

    /// Opens an object.
    ///
    /// # Errors
    /// [`Full`], here and in every other method, if the sink has no room.
    pub fn begin_object(&mut self) -> Result<(), Full> {
        self.item(false, |out| put(out, b"{"))
    }

    /// Closes the object opened last.
    pub fn end_object(&mut self) -> Result<(), Full> {
        self.close(b"}")
    }

    /// Opens an array.
    pub fn begin_array(&mut self) -> Result<(), Full> {
        self.item(false, |out| put(out, b"["))
    }

    /// Closes the array opened last.
    pub fn end_array(&mut self) -> Result<(), Full> {
        self.close(b"]")
    }

    /// Writes a member name, escaped as needed, and its colon.
    pub fn key(&mut self, name: &str) -> Result<(), Full> {
        self.item(false, |out| {
            escape(name, out)?;
            put(out, b":")
        })
    }

    /// Writes a member name as it stood on the wire, and its colon.
    pub fn raw_key(&mut self, name: Str<'_>) -> Result<(), Full> {
        self.item(false, |out| {
            put(out, name.raw().as_bytes())?;
            put(out, b":")
        })
    }

    /// Writes a piece of JSON that is known to be right, after the comma that is due. `comma`: the next key or value
    /// follows another one in the same container. One call where several would say the same is less code.
    pub(crate) fn fragment(&mut self, text: &str, comma: bool) -> Result<(), Full> {
        self.item(comma, |out| put(out, text.as_bytes()))
    }

    /// Writes a string, escaped as needed.
    pub fn string(&mut self, text: &str) -> Result<(), Full> {
        self.item(true, |out| escape(text, out))
    }

    /// Writes one string out of several pieces, escaped as needed.
    pub fn string_of(&mut self, pieces: &[&str]) -> Result<(), Full> {
        self.item(true, |out| {
            put(out, b"\"")?;
            pieces.iter().try_for_each(|piece| escape_body(piece, out))?;
            put(out, b"\"")
        })
    }

    /// Writes one string out of the pieces that `say` puts, escaped as needed. A piece for which there is no room is an error
    /// to `say`, and of this call.
    pub(crate) fn string_by(
        &mut self,
        say: impl FnOnce(&mut dyn FnMut(&str) -> core::fmt::Result),
    ) -> Result<(), Full> {
        self.item(true, |out| {
            put(out, b"\"")?;
            let mut put_all = Ok(());
            say(&mut |piece| {
                put_all = escape_body(piece, out);
                put_all.map_err(|Full| core::fmt::Error)
            });
            put_all?;
            put(out, b"\"")
        })
    }

    /// Writes a value byte for byte as it stands. Only a value with line breaks between its parts loses the white
    /// space there: a message is one line, whoever formatted what is in it.
    pub fn raw(&mut self, value: Raw<'_>) -> Result<(), Full> {
        if self.lines { self.raw_text(value.text()) } else { self.line(value) }
    }

    /// As [`raw`](Writer::raw), of a value nobody has looked into.
    pub(crate) fn line(&mut self, value: Raw<'_>) -> Result<(), Full> {
        // Line breaks stand between parts only, and strings and scalars have none.
        let whole =
            !(value.is_object() || value.is_array()) || line_run(value.bytes()) == value.bytes().len();
        if whole { self.raw_text(value.text()) } else { self.compact(value) }
    }

    /// From here on the values given to [`raw`](Writer::raw) are one line each.
    pub(crate) fn trust_lines(&mut self) {
        self.lines = true;
    }

    /// Begins a value whose text the caller puts into [`sink`](Writer::sink) itself.
    pub fn begin_value(&mut self) -> Result<(), Full> {
        self.item(true, |_| Ok(()))
    }

    /// The state to go back to with [`rewind`](Writer::rewind).
    pub fn mark(&self) -> Mark {
        Mark { len: self.sink.len(), comma: self.comma }
    }

    /// Takes back everything written since the mark.
    pub fn rewind(&mut self, mark: Mark) {
        self.sink.truncate(mark.len);
        self.comma = mark.comma;
    }

    /// Writes text that the caller knows to be one JSON value, byte for byte.
    pub fn raw_text(&mut self, value: &str) -> Result<(), Full> {
        self.item(true, |out| put(out, value.as_bytes()))
    }

    /// Writes a value without the white space between its parts, so that it holds no line break; all else stays
    /// byte for byte. What a line-framed stream needs for values the host formatted.
    pub fn compact(&mut self, value: Raw<'_>) -> Result<(), Full> {
        self.item(true, |out| compact(value.bytes(), out))
    }

    /// Writes an unsigned integer.
    pub fn u64(&mut self, number: u64) -> Result<(), Full> {
        self.raw_text(&digits::unsigned(number))
    }

    /// Writes a signed integer.
    pub fn i64(&mut self, number: i64) -> Result<(), Full> {
        self.item(true, |out| {
            if number < 0 {
                put(out, b"-")?;
            }
            put(out, digits::unsigned(number.unsigned_abs()).as_bytes())
        })
    }

    /// Writes the shortest number that reads back as the same float; a whole number without a fraction.
    /// What JSON cannot say (NaN and the infinities) becomes `null`.
    pub fn f64(&mut self, number: f64) -> Result<(), Full> {
        if number.is_finite() { self.raw_text(&digits::float(number)) } else { self.null() }
    }

    /// Writes `true` or `false`.
    pub fn bool(&mut self, value: bool) -> Result<(), Full> {
        self.raw_text(if value { "true" } else { "false" })
    }

    /// Writes `null`.
    pub fn null(&mut self) -> Result<(), Full> {
        self.raw_text("null")
    }

    /// Writes a member whose value is copied byte for byte.
    pub fn field(&mut self, name: &str, value: Raw<'_>) -> Result<(), Full> {
        self.member(name, |writer| writer.raw(value))
    }

    /// Writes a member with a string.
    pub fn field_str(&mut self, name: &str, value: &str) -> Result<(), Full> {
        self.member(name, |writer| writer.string(value))
    }

    /// Writes a member with an unsigned integer.
    pub fn field_u64(&mut self, name: &str, value: u64) -> Result<(), Full> {
        self.member(name, |writer| writer.u64(value))
    }

    /// Writes a member with `true` or `false`.
    pub fn field_bool(&mut self, name: &str, value: bool) -> Result<(), Full> {
        self.member(name, |writer| writer.bool(value))
    }

    /// Writes a name and its value: both or neither.
    fn member(&mut self, name: &str, value: impl FnOnce(&mut Self) -> Result<(), Full>) -> Result<(), Full> {
        let (len, comma) = (self.sink.len(), self.comma);
        self.key(name)?;
        value(self).inspect_err(|_| {
            self.sink.truncate(len);
            self.comma = comma;
        })
    }
}

/// Appends `text` as a JSON string, with its quotes. Escapes what must be (quote, backslash, U+0000 to U+001F) and
/// nothing else.
///
/// # Errors
/// [`Full`] if it does not fit; then nothing was appended.
pub fn escape(text: &str, out: &mut (impl Sink + ?Sized)) -> Result<(), Full> {
    whole(out, |out| {
        put(out, b"\"")?;
        escape_body(text, out)?;
        put(out, b"\"")
    })
}

/// Appends `text` as it stands between the quotes of a JSON string.
fn escape_body<S: Sink + ?Sized>(text: &str, out: &mut S) -> Result<(), Full> {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let (plain, after) = rest.split_at_checked(plain_run(rest)).unwrap_or((rest, &[]));
        put(out, plain)?;
        let Some((special, after)) = after.split_first() else { break };
        match special {
            b'"' => put(out, b"\\\"")?,
            b'\\' => put(out, b"\\\\")?,
            b'\n' => put(out, b"\\n")?,
            b'\r' => put(out, b"\\r")?,
            b'\t' => put(out, b"\\t")?,
            0x08 => put(out, b"\\b")?,
            0x0C => put(out, b"\\f")?,
            control => {
                let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' - 10 + value };
                put(out, &[b'\\', b'u', b'0', b'0', digit(control >> 4), digit(control & 15)])?;
            }
        }
        rest = after;
    }
    Ok(())
}

fn compact<S: Sink + ?Sized>(text: &[u8], out: &mut S) -> Result<(), Full> {
    let is_space = |b: &u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r');
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let rest = text.get(at..).unwrap_or_default();
        let end = at
            + match byte {
                b'"' => super::scan::skip_string(rest, 0),
                _ => rest.iter().position(|b| *b == b'"' || is_space(b)).unwrap_or(rest.len()),
            };
        put(out, text.get(at..end).unwrap_or_default())?;
        at = super::scan::skip_space(text, end);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::check;

    type Out = heapless::Vec<u8, 512>;

    fn written(write: impl FnOnce(&mut Writer<'_, Out>) -> Result<(), Full>) -> heapless::String<512> {
        let mut out = Out::new();
        write(&mut Writer::new(&mut out)).unwrap();
        check(&out, 16).unwrap();
        heapless::String::from_utf8(out).unwrap()
    }

    #[test]
    fn sets_commas_and_colons() {
        let text = written(|w| {
            w.begin_object()?;
            w.field_str("a", "x")?;
            w.key("b\"")?;
            w.begin_array()?;
            w.u64(1)?;
            w.begin_object()?;
            w.end_object()?;
            w.begin_array()?;
            w.end_array()?;
            w.null()?;
            w.end_array()?;
            w.raw_key(Str::trusted(r#""\u0063""#))?;
            w.i64(i64::MIN)?;
            w.field_bool("d", true)?;
            w.field_u64("e", u64::MAX)?;
            w.field("f", Raw::trusted("[1, 2]"))?;
            w.end_object()
        });
        assert_eq!(
            text.as_str(),
            r#"{"a":"x","b\"":[1,{},[],null],"\u0063":-9223372036854775808,"d":true,"e":18446744073709551615,"f":[1, 2]}"#
        );
    }

    #[test]
    fn floats_are_short_and_read_back() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (5.0, "5"),
            (-1.5, "-1.5"),
            (0.1, "0.1"),
            (1e-7, "1e-7"),
            (1e15, "1000000000000000"),
            (1e300, "1e300"),
            (f64::MAX, "1.7976931348623157e308"),
            (5e-324, "5e-324"),
            (f64::NAN, "null"),
            (f64::NEG_INFINITY, "null"),
        ] {
            assert_eq!(written(|w| w.f64(number)).as_str(), text);
        }
    }

    // proves: S-190
    #[test]
    fn escapes_what_must_be() {
        assert_eq!(
            written(|w| w.string("é\u{0}\u{1f}\u{7f}\"\\/\n\r\t\u{8}\u{c}")).as_str(),
            "\"é\\u0000\\u001f\u{7f}\\\"\\\\/\\n\\r\\t\\b\\f\""
        );
    }

    #[test]
    fn compact_keeps_strings_and_drops_space() {
        let value = Raw::trusted("{ \"a \\\" b\" :\n[ 1 ,\t-2e3 , \" \" ]\r\n}");
        assert_eq!(written(|w| w.compact(value)).as_str(), "{\"a \\\" b\":[1,-2e3,\" \"]}");
    }

    #[test]
    fn a_full_sink_keeps_whole_calls() {
        let mut out = heapless::Vec::<u8, 8>::new();
        let mut writer = Writer::new(&mut out);
        assert_eq!(writer.begin_array(), Ok(()));
        assert_eq!(writer.u64(1), Ok(()));
        assert_eq!(writer.string("a\nb\nc"), Err(Full));
        assert_eq!(writer.field_str("k", "long"), Err(Full));
        assert_eq!(writer.u64(2), Ok(()));
        assert_eq!(writer.end_array(), Ok(()));
        assert_eq!(out.as_slice(), b"[1,2]");
    }
}
