//! One frame: one spelling, and every byte of it guarded.

use proptest::prelude::*;

use super::{super::frame::HEADER_BYTES, *};

/// A frame of three entries, from 5 on, with a personal part for the second.
fn frame() -> Vec<u8> {
    let mut writer = FrameWriter::new();
    writer.begin(5);
    for n in 5..8 {
        let sealed = (n == 6).then_some(b"sealed".as_slice());
        writer.push(&entry(n), sealed).unwrap();
    }
    let root = TreeHash::of_empty_tree();
    writer.finish(&root).unwrap().as_bytes().to_vec()
}

/// The same with other bytes somewhere, and the checksum that belongs to them.
fn changed(at: usize, to: &[u8]) -> Vec<u8> {
    let mut frame = frame();
    frame[at..at + to.len()].copy_from_slice(to);
    let checksum = crc32fast::hash(&frame[8..]);
    frame[4..8].copy_from_slice(&checksum.to_be_bytes());
    frame
}

fn refused(frame: &[u8]) -> FrameError {
    Frame::decode(frame).unwrap_err()
}

#[test]
fn each_bit_of_a_frame_is_guarded() {
    let good = frame();
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut frame = good.clone();
            frame[at] ^= 1 << bit;
            assert!(Frame::decode(&frame).is_err(), "byte {at}, bit {bit}");
        }
        assert!(Frame::decode(&good[..at]).is_err(), "cut at {at}");
    }
    assert_eq!(Frame::decode(&good).unwrap().1, good.len());
}

#[test]
fn what_no_writer_writes_is_refused_though_its_checksum_is_right() {
    let malformed = |expected| FrameError::Malformed { expected };
    let count = malformed("as many entries as it says");
    assert_eq!(refused(&changed(16, &2_u32.to_be_bytes())), count);
    assert_eq!(refused(&changed(16, &4_u32.to_be_bytes())), count);
    assert_eq!(refused(&changed(HEADER_BYTES, &[0, 1])), count);
    let tree = malformed("entries of a tree");
    assert_eq!(
        refused(&changed(8, &(u64::MAX / 2 - 1).to_be_bytes())),
        tree
    );
    assert_eq!(refused(&changed(8, &u64::MAX.to_be_bytes())), tree);
    let zeros = malformed("zeros before the root");
    assert_eq!(refused(&changed(28, &1_u32.to_be_bytes())), zeros);
    // The personal part stands at the end: index, length, six bytes.
    let personal = frame().len() - 16;
    let order = malformed("personal parts in the order of its entries");
    assert_eq!(refused(&changed(personal, &4_u64.to_be_bytes())), order);
    assert_eq!(refused(&changed(personal, &8_u64.to_be_bytes())), order);
    let whole = malformed("whole personal parts");
    assert_eq!(refused(&changed(personal + 8, &[0, 7])), whole);
    let length = FrameError::WrongLength;
    assert_eq!(refused(&changed(20, &u32::MAX.to_be_bytes())), length);
    assert_eq!(
        refused(&changed(20, &MAX_FRAME_BYTES.to_be_bytes())),
        length
    );
    let none = Log::default()
        .writer
        .finish(&TreeHash::of_empty_tree())
        .is_none();
    assert!(none, "a frame has an entry");
}

#[test]
fn a_frame_has_at_most_8_mib_and_an_entry_65535_bytes() {
    let mut writer = FrameWriter::new();
    assert_eq!(writer.push(b"a", None), Err(FrameFull), "it was not begun");
    writer.begin(0);
    let longest = vec![1_u8; 65_535];
    assert_eq!(writer.push(&[1_u8; 65_536], None), Err(FrameFull));
    assert_eq!(writer.push(b"a", Some(&[1_u8; 65_536])), Err(FrameFull));
    while writer.push(&longest, Some(&longest)).is_ok() {}
    let count = writer.count();
    let root = TreeHash::of_empty_tree();
    let frame = writer.finish(&root).unwrap();
    assert!(frame.as_bytes().len() <= 8 * 1024 * 1024);
    assert!(frame.as_bytes().len() > 8 * 1024 * 1024 - 2 * 65_600);
    let (frame, _) = Frame::decode(frame.as_bytes()).unwrap();
    assert_eq!(frame.size_after(), u64::from(count));
    assert_eq!(frame.personal().count(), frame.entries().count());
    assert_eq!(writer.push(b"a", None), Err(FrameFull), "it is finished");
    assert!(writer.finish(&root).is_none());
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        first in 0..1_u64 << 62,
        entries in prop::collection::vec(
            (prop::collection::vec(any::<u8>(), 0..40), prop::option::of(prop::collection::vec(any::<u8>(), 0..40))),
            1..20,
        ),
        root in any::<[u8; 32]>(),
        behind in prop::collection::vec(any::<u8>(), 0..9),
    ) {
        let (mut writer, root) = (FrameWriter::new(), TreeHash::from_bytes(root));
        writer.begin(first);
        for (entry, sealed) in &entries {
            writer.push(entry, sealed.as_deref()).unwrap();
        }
        let mut bytes = writer.finish(&root).unwrap().as_bytes().to_vec();
        let written = bytes.len();
        bytes.extend_from_slice(&behind);
        let (frame, length) = Frame::decode(&bytes).unwrap();
        prop_assert_eq!(length, written);
        prop_assert_eq!((frame.first(), frame.root_after()), (first, root));
        prop_assert_eq!(frame.size_after(), first + entries.len() as u64);
        prop_assert!(frame.entries().eq(entries.iter().map(|(entry, _)| entry)));
        let personal: Vec<_> = frame.personal().map(|part| (part.n, part.sealed.to_vec())).collect();
        let expected = (first..).zip(&entries).filter_map(|(n, (_, sealed))| Some((n, sealed.clone()?)));
        prop_assert!(personal.into_iter().eq(expected));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), is_frame in any::<bool>()) {
        let mut bytes = bytes;
        if is_frame && bytes.len() > 4 {
            bytes[..4].copy_from_slice(b"PAJ1");
        }
        prop_assert!(Frame::decode(&bytes).is_err());
        let mut reader = SegmentReader::new(&bytes);
        prop_assert!(reader.next().is_none());
        let is_damaged = matches!(reader.tail(), Tail::Damaged { .. });
        prop_assert!(!is_damaged);
    }
}
