//! A session, driven by any order of operations: messages that are good, bent or noise, answers with live, stale and
//! foreign keys, notifications, outputs without room. The machine of the property tests holds it to its promises.
#![no_main]
#![allow(dead_code, unreachable_pub)]

use libfuzzer_sys::fuzz_target;

#[path = "../../../core/tests/common/machine.rs"]
mod machine;
#[path = "../../../core/tests/common/served.rs"]
mod served;

use machine::{Machine, Op, Pick};
use served::message;

/// Choices, taken off the fuzzer's bytes one by one; zeros when they are used up.
struct Choices<'d>(&'d [u8]);

impl Choices<'_> {
    fn byte(&mut self) -> u8 {
        self.0.split_off_first().copied().unwrap_or(0)
    }

    fn at(&mut self) -> usize {
        usize::from(self.byte())
    }

    /// A message: one of the good ones, with some bytes bent, or bytes of the fuzzer's own.
    fn message(&mut self) -> Vec<u8> {
        let kind = self.byte();
        if kind >= 200 {
            let len = self.at().min(self.0.len());
            return self.0.split_off(..len).unwrap_or_default().to_vec();
        }
        let mut bytes = message(self.at(), self.at() % 40).into_bytes();
        for _ in 0..kind % 4 {
            let (place, with) = (self.at() * 256 + self.at(), self.byte());
            let place = place % bytes.len();
            match with {
                0 => bytes.truncate(place.max(1)),
                1 => bytes.insert(place, b'"'),
                with => bytes[place] = with,
            }
        }
        bytes
    }

    fn op(&mut self) -> Op {
        match self.byte() % 16 {
            0..7 => Op::Message(self.message()),
            7 => Op::TooLong,
            8 | 9 => Op::Reply(Pick(self.byte()), self.at()),
            10 => Op::Fail(Pick(self.byte()), self.at()),
            11 => Op::Progress(Pick(self.byte()), f64::from(self.byte()) - 9.0),
            12 => Op::Log(Some(Pick(self.byte())), self.at()),
            13 => Op::Log(None, self.at()),
            14 => Op::ListChanged(self.at()),
            _ => match self.byte() % 3 {
                0 => Op::Updated(true),
                1 => Op::Progress(Pick(self.byte()), f64::NAN),
                _ => Op::Notify(self.byte() % 2 == 0),
            },
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let mut choices = Choices(data);
    let mut machine = Machine::new();
    while !choices.0.is_empty() {
        let op = choices.op();
        let room = choices.at() * 4;
        machine.step(&op, room);
    }
    machine.finish();
});
