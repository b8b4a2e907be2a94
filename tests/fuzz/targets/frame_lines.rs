//! Newline framing: any split of the stream gives the frames that the plain definition gives.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mcpgraft::frame::line::{Frame, LineBuffer};

/// Bytes a line may have. Small, so that the fuzzer gets over it.
const LIMIT: usize = 8;

fuzz_target!(|input: (Vec<u8>, Vec<u8>)| {
    let (stream, sizes) = input;
    let expected = defined(&stream);
    // Pieces of the sizes the fuzzer chose, the rest in one; then byte by byte.
    let mut rest = &stream[..];
    let mut pieces: Vec<&[u8]> = Vec::new();
    for size in sizes {
        let (piece, after) = rest.split_at(usize::from(size % 16).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    assert_eq!(framed(pieces.into_iter()), expected);
    assert_eq!(framed(stream.chunks(1)), expected);
});

/// The frames by the framer; `None` for an over-long line.
fn framed<'p>(pieces: impl Iterator<Item = &'p [u8]>) -> Vec<Option<Vec<u8>>> {
    let own = |frame: Frame<'_>| match frame {
        Frame::Line(line) => Some(line.to_vec()),
        Frame::TooLong => None,
    };
    let (mut framer, mut log) = (LineBuffer::with_limit(LIMIT), Vec::new());
    for mut piece in pieces {
        while let Some(frame) = framer.next(&mut piece) {
            log.push(own(frame));
        }
        assert!(piece.is_empty());
    }
    log.extend(framer.finish().map(own));
    log
}

/// The frames by definition, over the whole stream at once.
fn defined(stream: &[u8]) -> Vec<Option<Vec<u8>>> {
    let stream = stream.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(stream);
    let lines = stream.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    lines
        .filter(|line| line.len() > LIMIT || !line.iter().all(|b| b" \t\r".contains(b)))
        .map(|line| (line.len() <= LIMIT).then(|| line.to_vec()))
        .collect()
}
