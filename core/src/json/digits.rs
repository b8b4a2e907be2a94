//! Numbers as text, without `core::fmt`: its floats alone are 9 KB of code on a device.

/// Room for any number below.
pub(crate) type Text = heapless::String<32>;

/// An unsigned integer.
pub(crate) fn unsigned(number: u64) -> Text {
    let mut text = Text::new();
    // Subtracting needs no division, which is a function of its own where there are only words of 32 bits.
    let mut rest = number;
    for (power, last) in POWERS.iter().rev().zip((0..POWERS.len()).rev()) {
        let mut digit = b'0';
        while rest >= *power {
            rest -= power;
            digit += 1;
        }
        if digit != b'0' || !text.is_empty() || last == 0 {
            push(&mut text, digit);
        }
    }
    text
}

/// The powers of ten.
#[expect(clippy::indexing_slicing, reason = "while the program is compiled")]
const POWERS: [u64; 20] = {
    let mut powers = [1; 20];
    let mut at = 1;
    while at < 20 {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// A signed integer.
pub(crate) fn signed(number: i64) -> Text {
    let size = unsigned(number.unsigned_abs());
    if number >= 0 {
        return size;
    }
    let mut text = Text::new();
    push(&mut text, b'-');
    let _ = text.push_str(&size);
    text
}

fn push(text: &mut Text, byte: u8) {
    // 32 bytes hold a sign, 17 digits, 16 zeros or an exponent.
    let _ = text.push(char::from(byte));
}

/// A finite float as the shortest decimal that reads back as the same one; the same text as Rust's `{}` from 1e-5 to 1e16,
/// and as `{:e}` elsewhere.
pub(crate) fn float(number: f64) -> Text {
    let mut text = Text::new();
    if number.is_sign_negative() {
        push(&mut text, b'-');
    }
    let size = number.abs();
    if size == 0.0 {
        push(&mut text, b'0');
        return text;
    }
    let (digits, point) = shortest(size);
    let count = i32::try_from(digits.len()).unwrap_or(0);
    let scientific = !(1e-5..1e16).contains(&size);
    // How many digits stand before the point.
    let whole = if scientific { 1 } else { point };
    if whole <= 0 {
        push(&mut text, b'0');
        push(&mut text, b'.');
        (whole..0).for_each(|_| push(&mut text, b'0'));
    }
    for (at, digit) in (0..).zip(&digits) {
        if at == whole && at > 0 {
            push(&mut text, b'.');
        }
        push(&mut text, b'0' + digit);
    }
    if scientific {
        push(&mut text, b'e');
        let _ = text.push_str(&signed(i64::from(point - 1)));
    } else {
        (count..whole).for_each(|_| push(&mut text, b'0'));
    }
    text
}

/// The shortest digits of a positive float, and where the point stands: 0.d₁d₂… × 10^point.
///
/// Steele and White's free-format algorithm ("How to Print Floating-Point Numbers Accurately", 1990), with integers of
/// unlimited size: exact, and small rather than fast.
fn shortest(number: f64) -> (heapless::Vec<u8, 17>, i32) {
    let bits = number.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    let exponent = i32::try_from(bits >> 52 & 0x7ff).unwrap_or(0);
    let (mantissa, exponent) = match exponent {
        0 => (fraction, -1074),
        _ => (fraction | 1 << 52, exponent - 1075),
    };
    // Below a power of two the neighbour is only half as far away.
    let uneven = fraction == 0 && exponent > -1074;
    // Reading rounds to even, so the borders of an even mantissa read back as it, too.
    let inclusive = mantissa & 1 == 0;
    // The number is value / scale; what lies between (value - below) and (value + above) reads back as it.
    let shift = if uneven { 2 } else { 1 };
    let mut value = Big::new(mantissa << shift);
    let mut below = Big::new(1);
    let mut above = Big::new(if uneven { 2 } else { 1 });
    let mut scale = Big::new(1);
    let exponent = exponent - shift;
    for _ in 0..exponent {
        value.times(2);
        below.times(2);
        above.times(2);
    }
    (exponent..0).for_each(|_| scale.times(2));
    let reaches = |value: &Big, above: &Big, scale: &Big| {
        let order = value.plus(above).cmp(scale);
        order.is_gt() || (inclusive && order.is_eq())
    };
    let mut point = 0;
    while reaches(&value, &above, &scale) {
        scale.times(10);
        point += 1;
    }
    let mut digits = heapless::Vec::new();
    loop {
        value.times(10);
        below.times(10);
        above.times(10);
        if digits.is_empty() && !reaches(&value, &above, &scale) {
            // The first digit would be 0.
            point -= 1;
            continue;
        }
        let mut digit = 0;
        while value.cmp(&scale).is_ge() {
            value.minus(&scale);
            digit += 1;
        }
        let order = value.cmp(&below);
        let down = order.is_lt() || (inclusive && order.is_eq());
        let up = reaches(&value, &above, &scale);
        if digits.push(digit).is_err() || down || up {
            // Both would do: the nearer one.
            if up && (!down || value.plus(&value).cmp(&scale).is_ge()) {
                point += round_up(&mut digits);
            }
            return (digits, point);
        }
    }
}

/// Adds one to the last digit. 1: there is one more digit before the point.
fn round_up(digits: &mut heapless::Vec<u8, 17>) -> i32 {
    while let Some(digit) = digits.last_mut() {
        if *digit < 9 {
            *digit += 1;
            return 0;
        }
        digits.pop();
    }
    let _ = digits.push(1);
    1
}

/// An unsigned integer of up to 1152 bits, the lowest word first: more than any value above has.
#[derive(Clone, Copy)]
struct Big([u32; 36]);

impl Big {
    fn new(number: u64) -> Self {
        let mut words = [0; 36];
        for (word, part) in words.iter_mut().zip([number as u32, (number >> 32) as u32]) {
            *word = part;
        }
        Big(words)
    }

    fn times(&mut self, factor: u32) {
        let mut carry = 0;
        for word in &mut self.0 {
            let product = u64::from(*word) * u64::from(factor) + carry;
            (*word, carry) = (product as u32, product >> 32);
        }
    }

    fn plus(&self, other: &Big) -> Big {
        let mut sum = *self;
        let mut carry = 0;
        for (word, more) in sum.0.iter_mut().zip(&other.0) {
            let total = u64::from(*word) + u64::from(*more) + carry;
            (*word, carry) = (total as u32, total >> 32);
        }
        sum
    }

    /// Takes away one that is not greater.
    fn minus(&mut self, other: &Big) {
        let mut borrow = false;
        for (word, less) in self.0.iter_mut().zip(&other.0) {
            let (rest, first) = word.overflowing_sub(*less);
            let (rest, second) = rest.overflowing_sub(u32::from(borrow));
            (*word, borrow) = (rest, first || second);
        }
    }

    fn cmp(&self, other: &Big) -> core::cmp::Ordering {
        self.0.iter().rev().cmp(other.0.iter().rev())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::fmt::Write;

    fn as_rust_says(number: f64) {
        let mut wanted = heapless::String::<400>::new();
        if number == 0.0 || (1e-5..1e16).contains(&number.abs()) {
            write!(wanted, "{number}").unwrap();
        } else {
            write!(wanted, "{number:e}").unwrap();
        }
        assert_eq!(float(number).as_str(), wanted.as_str());
    }

    #[test]
    fn floats_as_rust_says_them() {
        for bits in [0, 1, 2, 3, (1 << 52) - 1, 1 << 52, (1 << 52) + 1, 2047 << 52] {
            as_rust_says(f64::from_bits(bits - u64::from(bits == 2047 << 52)));
        }
        for number in [5e-324, f64::MIN_POSITIVE, f64::MAX, 9.5, 99.5, 0.3, 1e23, 9007199254740993.0, 1e-5] {
            as_rust_says(number);
            as_rust_says(-number);
        }
        // Powers of two are where the neighbours are at different distances; all exponents, and what lies beside them.
        for exponent in (0..2047u64).step_by(7) {
            for fraction in [0, 1, (1 << 52) - 1, 0x5_5555_5555_5555] {
                as_rust_says(f64::from_bits(exponent << 52 | fraction));
            }
        }
        // A walk over all kinds of floats, the same each time.
        let mut bits = 0x9E37_79B9_7F4A_7C15u64;
        for _ in 0..20_000 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let number = f64::from_bits(bits.rotate_left(17));
            if number.is_finite() {
                as_rust_says(number);
            }
            as_rust_says((bits >> 40) as f64 / 1000.0);
        }
    }

    #[test]
    fn integers_as_rust_says_them() {
        let mut power = 1u64;
        loop {
            for number in [power - 1, power, power + 1, u64::MAX / power] {
                let mut wanted = heapless::String::<24>::new();
                write!(wanted, "{number}").unwrap();
                assert_eq!(unsigned(number), wanted.as_str());
                let mut wanted = heapless::String::<24>::new();
                write!(wanted, "{}", number as i64).unwrap();
                assert_eq!(signed(number as i64), wanted.as_str());
            }
            let Some(next) = power.checked_mul(10) else { break };
            power = next;
        }
        assert_eq!(signed(i64::MIN), "-9223372036854775808");
        assert_eq!(unsigned(u64::MAX), "18446744073709551615");
    }
}
