//! The frame of a journal.

use portcullis_audit_log::{
    journal::{Frame, FrameWriter},
    tree::{RightEdge, TreeHash},
};
use ring::digest::{SHA256, digest};

use super::leaf;

const BEGINNING: &str = "50414a31edd2b638000000000000000000000002000004400000000000000000";
const SHA_256: &str = "4aa5aac5883e3512daa07ea06b20d5ba27687465f4c54875308883f21af0b687";

#[test]
fn the_frame_of_two_leaves_has_these_bytes() {
    let (mut tree, mut writer) = (RightEdge::new(), FrameWriter::new());
    writer.begin(0);
    for n in 0..2 {
        writer.push(&leaf(n), None).unwrap();
        tree.push(TreeHash::of_leaf(&leaf(n)));
    }
    let frame = writer.finish(&tree.root()).unwrap();
    let bytes = frame.as_bytes();
    assert_eq!(bytes.len(), 1_152);
    assert_eq!(hex::encode(&bytes[..32]), BEGINNING);
    assert_eq!(&bytes[32..64], tree.root().as_bytes());
    assert_eq!(hex::encode(digest(&SHA256, bytes)), SHA_256);
    let (frame, length) = Frame::decode(bytes).unwrap();
    assert_eq!((length, frame.root_after()), (1_152, tree.root()));
    assert!(frame.entries().eq((0..2).map(leaf)));
}
