//! Values as JSON Schema compares them: a number is what it is worth, however it is written.

use std::cmp::Ordering;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use serde_json::{Number, Value};

pub(crate) const ARRAY: u8 = 1;
pub(crate) const BOOLEAN: u8 = 1 << 1;
pub(crate) const INTEGER: u8 = 1 << 2;
pub(crate) const NULL: u8 = 1 << 3;
pub(crate) const NUMBER: u8 = 1 << 4;
pub(crate) const OBJECT: u8 = 1 << 5;
pub(crate) const STRING: u8 = 1 << 6;
/// An integer that is written as one (draft 04).
pub(crate) const WRITTEN_INTEGER: u8 = 1 << 7;

/// All types, in the order they are told.
pub(crate) const TYPES: [(u8, &str); 8] = [
    (ARRAY, "array"),
    (BOOLEAN, "boolean"),
    (INTEGER, "integer"),
    (WRITTEN_INTEGER, "integer"),
    (NULL, "null"),
    (NUMBER, "number"),
    (OBJECT, "object"),
    (STRING, "string"),
];

/// 2 to the 64th: integers from there on are read as floats.
const BEYOND: f64 = 18_446_744_073_709_551_616.0;

/// The types a value has.
pub(crate) fn types(value: &Value) -> u8 {
    match value {
        Value::Null => NULL,
        Value::Bool(_) => BOOLEAN,
        Value::String(_) => STRING,
        Value::Array(_) => ARRAY,
        Value::Object(_) => OBJECT,
        Value::Number(number) if !number.is_f64() => NUMBER | INTEGER | WRITTEN_INTEGER,
        Value::Number(number) => match number.as_f64() {
            // Integers beyond 64 bits are read as such.
            Some(float) if float.abs() >= BEYOND => NUMBER | INTEGER | WRITTEN_INTEGER,
            Some(float) if float.fract() == 0.0 => NUMBER | INTEGER,
            _ => NUMBER,
        },
    }
}

fn integer(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

/// Compares what two numbers are worth, exactly.
pub(crate) fn compare(left: &Number, right: &Number) -> Ordering {
    let float = |number: &Number| number.as_f64().unwrap_or_default();
    match (integer(left), integer(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        (Some(left), None) => whole_and_float(left, float(right)),
        (None, Some(right)) => whole_and_float(right, float(left)).reverse(),
        (None, None) => float(left).partial_cmp(&float(right)).unwrap_or(Ordering::Equal),
    }
}

#[allow(clippy::cast_possible_truncation)] // its size is looked at before
fn whole_and_float(whole: i128, float: f64) -> Ordering {
    if float.abs() >= BEYOND {
        return if float > 0.0 { Ordering::Less } else { Ordering::Greater };
    }
    let rest = 0.0_f64.partial_cmp(&float.fract()).unwrap_or(Ordering::Equal);
    whole.cmp(&(float.trunc() as i128)).then(rest)
}

/// Whether a number is a multiple of another, by their decimal digits: 0.0075 is one of 0.0001.
pub(crate) fn is_multiple(number: &Number, of: &Number) -> bool {
    let (Some((digits, power)), Some((of, of_power))) = (decimal(number), decimal(of)) else { return false };
    if digits == 0 {
        return true;
    }
    if of == 0 {
        return false;
    }
    match u32::try_from(power - of_power) {
        Ok(more) => {
            // digits * 10^more modulo `of`, which has less than 64 bits.
            let (mut rest, mut base, mut more) = (digits % of, 10 % of, more);
            while more > 0 {
                if more & 1 == 1 {
                    rest = rest * base % of;
                }
                base = base * base % of;
                more >>= 1;
            }
            rest == 0
        }
        // More digits than it has are no divisor.
        Err(_) => u32::try_from(of_power - power)
            .ok()
            .and_then(|more| 10_u128.checked_pow(more)?.checked_mul(of))
            .is_some_and(|of| digits % of == 0),
    }
}

/// A number without its sign as digits, and the power of ten they are multiplied by.
fn decimal(number: &Number) -> Option<(u128, i32)> {
    if let Some(whole) = integer(number) {
        return Some((whole.unsigned_abs(), 0));
    }
    // The shortest digits that are this number: at most 17.
    let text = format!("{:e}", number.as_f64()?.abs());
    let (digits, power) = text.split_once('e')?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let power = power.parse::<i32>().ok()? - i32::try_from(fraction.len()).ok()?;
    Some((format!("{whole}{fraction}").parse().ok()?, power))
}

/// Whether two values are the same.
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => compare(left, right).is_eq(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            let found = |(name, value)| right.get(name).is_some_and(|other| same(value, other));
            left.len() == right.len() && left.iter().all(found)
        }
        _ => left == right,
    }
}

/// Feeds what `same` compares.
fn feed(value: &Value, hasher: &mut impl Hasher) {
    match value {
        Value::Null => 0_u8.hash(hasher),
        Value::Bool(value) => (1_u8, value).hash(hasher),
        // Numbers of the same worth are the same float; 0 and -0 are.
        Value::Number(number) => {
            let float = number.as_f64().unwrap_or_default();
            (2_u8, if float == 0.0 { 0 } else { float.to_bits() }).hash(hasher);
        }
        Value::String(text) => (3_u8, text).hash(hasher),
        Value::Array(list) => {
            (4_u8, list.len()).hash(hasher);
            list.iter().for_each(|value| feed(value, hasher));
        }
        Value::Object(map) => {
            (5_u8, map.len()).hash(hasher);
            let mut member = |(name, value): (&String, &Value)| {
                name.hash(hasher);
                feed(value, hasher);
            };
            // They are, unless another crate asked serde_json for the order of the text.
            if map.keys().is_sorted() {
                return map.iter().for_each(member);
            }
            let mut members: Vec<_> = map.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            members.into_iter().for_each(&mut member);
        }
    }
}

fn hash(value: &Value, state: &RandomState) -> u64 {
    let mut hasher = state.build_hasher();
    feed(value, &mut hasher);
    hasher.finish()
}

/// So many are compared each with each.
const FEW: usize = 12;

/// Whether no two values of a list are the same.
pub(crate) fn all_differ(list: &[Value]) -> bool {
    if list.len() > FEW {
        return Options::new(list.iter()).differ();
    }
    list.iter().enumerate().all(|(at, value)| list.iter().take(at).all(|other| !same(value, other)))
}

/// Values to look others up in.
#[derive(Debug)]
pub(crate) struct Options<V = Value> {
    /// As they came.
    pub(crate) values: Vec<V>,
    /// Their hashes and places, sorted.
    hashes: Vec<(u64, usize)>,
    state: RandomState,
}

impl<V: std::borrow::Borrow<Value>> Options<V> {
    pub(crate) fn new(values: impl Iterator<Item = V>) -> Self {
        let (values, state): (Vec<V>, RandomState) = (values.collect(), RandomState::new());
        let hashed = values.iter().enumerate().map(|(place, value)| (hash(value.borrow(), &state), place));
        let mut hashes: Vec<(u64, usize)> = hashed.collect();
        hashes.sort_unstable();
        Options { values, hashes, state }
    }

    fn value(&self, place: usize) -> Option<&Value> {
        self.values.get(place).map(std::borrow::Borrow::borrow)
    }

    pub(crate) fn has(&self, value: &Value) -> bool {
        let wanted = hash(value, &self.state);
        let from = self.hashes.partition_point(|(hash, _)| *hash < wanted);
        let alike = self.hashes.iter().skip(from).take_while(|(hash, _)| *hash == wanted);
        alike.filter_map(|(_, place)| self.value(*place)).any(|other| same(value, other))
    }

    fn differ(&self) -> bool {
        self.hashes.chunk_by(|left, right| left.0 == right.0).all(|alike| {
            alike.iter().enumerate().all(|(at, (_, place))| {
                let others = alike.iter().take(at).filter_map(|(_, other)| self.value(*other));
                self.value(*place).is_none_or(|value| others.into_iter().all(|other| !same(value, other)))
            })
        })
    }
}
