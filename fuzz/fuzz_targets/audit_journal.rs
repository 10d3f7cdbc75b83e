//! Frames and segments of the journal of the audit log: one spelling, and a torn tail is told from damage.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use portcullis_audit_log::{
    journal::{Frame, FrameWriter, Recovery, SegmentReader, Tail},
    tree::RightEdge,
};

// An input is a segment. No fuzzer finds a checksum: the first frame is read with the right one too.
fuzz_target!(|input: &[u8]| -> Corpus {
    check(input);
    if let Some(repaired) = with_checksum(input) {
        check(&repaired);
    }
    Corpus::Keep
});

fn check(segment: &[u8]) {
    let mut reader = SegmentReader::new(segment);
    let mut at = 0;
    while let Some(frame) = reader.next() {
        let written = write(&frame);
        assert_eq!(written, segment[at..reader.at()], "one spelling");
        at = reader.at();
    }
    let behind = &segment[at..];
    let length = match reader.tail() {
        Tail::Empty => 0,
        Tail::Torn { bytes } => {
            let is_good = |from: usize| Frame::decode(&behind[from..]).is_ok();
            assert!(!(0..behind.len()).any(is_good), "a good frame is not cut");
            bytes
        }
        Tail::Damaged { good } => {
            assert!(good > at && Frame::decode(&segment[good..]).is_ok());
            behind.len()
        }
    };
    assert!(behind[length..].iter().all(|byte| *byte == 0));

    // As two segments, wherever the first ends, a journal is not read otherwise than as one.
    let one = recover(&[segment]);
    let two = recover(&[&segment[..at], behind]);
    assert_eq!(one.is_ok(), two.is_ok());
    if let Some((size, is_torn)) = one.ok().flatten() {
        assert_eq!(two.ok().flatten(), Some((size, is_torn)));
        assert_eq!(is_torn, length > 0);
    }
}

/// The size of the tree and whether the tail is torn; an error if a frame is out of place, which is not counted here.
fn recover(segments: &[&[u8]]) -> Result<Option<(u64, bool)>, ()> {
    let mut recovery = Recovery::new(RightEdge::new());
    for (number, bytes) in (0..).zip(segments) {
        recovery.read_segment(number, bytes, |_| {}).map_err(drop)?;
    }
    let recovered = recovery.finish().ok();
    Ok(recovered.map(|(edge, torn)| (edge.size(), torn.is_some())))
}

fn write(frame: &Frame<'_>) -> Vec<u8> {
    let (mut writer, mut personal) = (FrameWriter::new(), frame.personal().peekable());
    writer.begin(frame.first());
    for (n, entry) in (frame.first()..).zip(frame.entries()) {
        let sealed = personal.next_if(|part| part.n == n);
        let pushed = writer.push(entry, sealed.map(|part| part.sealed));
        pushed.expect("it was in a frame");
    }
    let written = writer.finish(&frame.root_after());
    written.expect("it has an entry").as_bytes().to_vec()
}

fn with_checksum(input: &[u8]) -> Option<Vec<u8>> {
    let length = |at: usize| {
        let bytes = input.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_be_bytes(bytes)).ok()
    };
    let end = length(20)?.checked_add(length(24)?)?.checked_add(64)?;
    let checksum = crc32fast::hash(input.get(8..end)?);
    let mut repaired = input.to_vec();
    repaired[4..8].copy_from_slice(&checksum.to_be_bytes());
    Some(repaired)
}
