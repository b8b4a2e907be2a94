//! Integers out of JSON numbers, exactly: by their decimal digits, never through a float.

/// The sign (true for minus) and size of a number that is an integer, in whatever way it is spelled
/// (`5`, `5.0`, `50e-1`, `0.5e1`). `None` if it has a fraction, does not fit, or is no number.
pub(super) fn integer(text: &str) -> Option<(bool, u64)> {
    // By bytes: the searches of the standard library are more code than all of this.
    let (negative, unsigned) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let end = unsigned.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(unsigned.len());
    let (digits, exponent) = match unsigned.split_at_checked(end) {
        Some((digits, [_, exponent @ ..])) => (digits, small(exponent)?),
        _ => (unsigned, 0),
    };
    // `value` holds the digits up to the last one that is not 0; `zeros` counts those after it.
    let (mut value, mut zeros, mut scale, mut fraction) = (0u64, 0isize, exponent, false);
    for &byte in digits {
        match byte {
            b'.' if !fraction => fraction = true,
            b'0'..=b'9' => {
                if fraction {
                    scale = scale.checked_sub(1)?;
                }
                zeros = zeros.checked_add(1)?;
                if byte != b'0' {
                    value = shift(value, zeros)?.checked_add(u64::from(byte - b'0'))?;
                    zeros = 0;
                }
            }
            _ => return None,
        }
    }
    Some((negative, shift(value, zeros.checked_add(scale)?)?))
}

/// `value` times ten to the `places`, if that is an integer that fits.
fn shift(value: u64, places: isize) -> Option<u64> {
    match places {
        _ if value == 0 => Some(0),
        // Ten to the twentieth is too much for any.
        0..20 => (0..places).try_fold(value, |value, _| value.checked_mul(10)),
        _ => None,
    }
}

/// An exponent; one too long for `isize` is held at its bound, which no number of digits can make up for.
fn small(text: &[u8]) -> Option<isize> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let mut size = 0isize;
    for byte in digits {
        let digit = isize::from(byte.checked_sub(b'0').filter(|d| *d < 10)?);
        // A quarter of the range leaves room for the digits counted against it.
        size = size.saturating_mul(10).saturating_add(digit).min(isize::MAX / 4);
    }
    Some(if negative { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::integer;

    #[test]
    fn integers_in_every_spelling() {
        for (text, expected) in [
            ("0", Some((false, 0))),
            ("-0", Some((true, 0))),
            ("5", Some((false, 5))),
            ("5.0", Some((false, 5))),
            ("-5.00e0", Some((true, 5))),
            ("1e3", Some((false, 1000))),
            ("1E+3", Some((false, 1000))),
            ("50e-1", Some((false, 5))),
            ("0.05e2", Some((false, 5))),
            ("1200.3400e2", Some((false, 120_034))),
            ("9007199254740993.0", Some((false, 9_007_199_254_740_993))),
            ("18446744073709551615", Some((false, u64::MAX))),
            ("18446744073709551616", None),
            ("0e999999999999999999999", Some((false, 0))),
            ("1e999999999999999999999", None),
            ("1e-999999999999999999999", None),
            ("5.5", None),
            ("1.00000000000000000000000001", None),
            ("1e-1", None),
            ("1e20", None),
            ("1.2.3", None),
            ("1ex", None),
        ] {
            assert_eq!(integer(text), expected, "{text}");
        }
    }
}
