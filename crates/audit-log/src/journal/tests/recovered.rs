//! What a start makes of segments: a torn tail, or damage.

use super::*;

fn recover(segments: &[&[u8]]) -> Result<(RightEdge, Option<TornTail>), Damage> {
    let mut recovery = Recovery::new(RightEdge::new());
    for (number, segment) in (0..).zip(segments) {
        recovery.read_segment(number, segment, |_| {})?;
    }
    recovery.finish()
}

#[test]
fn whatever_becomes_of_the_last_frame_is_a_torn_tail() {
    let (bytes, [_, second, third], _) = three_frames();
    for at in second..third {
        // Its beginning alone, its end alone, and one byte of it another.
        let (mut begun, mut ended, mut other) = (bytes.clone(), bytes.clone(), bytes.clone());
        begun[at..third].fill(0);
        ended[second..=at].fill(0);
        other[at] ^= 0x10;
        for torn in [begun, ended, other] {
            let (edge, tail) = recover(&[&torn]).unwrap();
            let is_there = torn[second..].iter().any(|byte| *byte != 0);
            assert_eq!((edge.size(), tail.is_some()), (3, is_there), "{at}");
            if let Some(tail) = tail {
                assert_eq!((tail.segment, tail.at), (0, second));
                assert!(torn[second + tail.bytes..].iter().all(|byte| *byte == 0));
                assert_ne!(torn[second + tail.bytes - 1], 0);
            }
        }
    }
}

#[test]
fn whatever_becomes_of_an_earlier_frame_is_damage() {
    let (bytes, [first, second, _], _) = three_frames();
    for at in 0..second {
        let mut broken = bytes.clone();
        broken[at] ^= 0x10;
        let begins = if at < first { 0 } else { first };
        let expected = Damage::Broken {
            segment: 0,
            at: begins,
            good_segment: 0,
        };
        assert_eq!(recover(&[&broken]), Err(expected), "{at}");
    }
}

#[test]
fn a_good_frame_that_ends_in_zeros_makes_it_damage_too() {
    let mut log = Log::default();
    let mut bytes = log.frame(1).as_bytes().to_vec();
    let at = bytes.len();
    log.writer.begin(1);
    log.push(b"an entry", Some(&[7, 0, 0]));
    bytes.extend_from_slice(log.finish().as_bytes());
    bytes.resize(1_000, 0);
    bytes[at - 1] ^= 1;
    let mut reader = SegmentReader::new(&bytes);
    assert!(reader.next().is_none());
    assert_eq!(reader.tail(), Tail::Damaged { good: at });
}

#[test]
fn a_good_frame_in_a_later_segment_makes_it_damage() {
    let (bytes, [_, second, third], edge) = three_frames();
    let (head, tail) = (&bytes[..second], &bytes[second..third]);
    assert_eq!(recover(&[head, tail]), Ok((edge, None)));
    let torn = [head, b"PAJ1 and no more"].concat();
    let expected = Damage::Broken {
        segment: 0,
        at: second,
        good_segment: 1,
    };
    assert_eq!(recover(&[&torn, tail]), Err(expected));
    // A segment that was made and not yet written to is nothing of that kind.
    let (edge, tail) = recover(&[&torn, &[0; 100]]).unwrap();
    assert_eq!((edge.size(), tail.map(|tail| tail.at)), (3, Some(second)));
}

#[test]
fn a_frame_that_is_not_the_next_is_a_gap() {
    let (bytes, [first, second, third], _) = three_frames();
    let gap = |at, expected, found| Damage::Gap {
        segment: 0,
        at,
        expected,
        found,
    };
    let without_second = [&bytes[..first], &bytes[second..third]].concat();
    assert_eq!(recover(&[&without_second]), Err(gap(first, 1, 3)));
    assert_eq!(recover(&[&bytes[first..]]), Err(gap(0, 0, 1)));
    let twice = [&bytes[..first], &bytes[..first]].concat();
    assert_eq!(recover(&[&twice]), Err(gap(first, 1, 0)));
    let missing_segment = recover(&[&bytes[..first], &[], &bytes[second..]]);
    assert!(matches!(
        missing_segment,
        Err(Damage::Gap { segment: 2, .. })
    ));
}

#[test]
fn entries_that_lead_elsewhere_are_damage() {
    let mut log = Log::default();
    log.writer.begin(0);
    log.push(b"an entry", None);
    let other = TreeHash::of_leaf(b"another");
    let bytes = log.writer.finish(&other).unwrap().as_bytes();
    let expected = Damage::WrongRoot { segment: 0, at: 0 };
    assert_eq!(recover(&[bytes]), Err(expected));
}

#[test]
fn a_journal_goes_on_wherever_tiles_end() {
    let (bytes, _, edge) = three_frames();
    for tiles in 0..=7 {
        let mut from = RightEdge::new();
        (0..tiles).for_each(|n| from.push(TreeHash::of_leaf(&entry(n))));
        let mut recovery = Recovery::new(from);
        let mut firsts = Vec::new();
        recovery
            .read_segment(0, &bytes, |frame| firsts.push(frame.first()))
            .unwrap();
        assert_eq!(firsts, [0, 1, 3]);
        let recovered = recovery.finish();
        if tiles <= edge.size() {
            assert_eq!(recovered, Ok((edge.clone(), None)), "from {tiles}");
        } else {
            let (tiles, journal) = (7, 6);
            assert_eq!(recovered, Err(Damage::Short { tiles, journal }));
        }
    }
}
