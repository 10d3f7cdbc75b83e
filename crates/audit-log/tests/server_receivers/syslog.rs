//! Messages of syslog against a second reading of the grammar of RFC 5424.

use portcullis_audit_log::{event::Leaf, export::Syslog};

use crate::{leaves, ocsf, python};

#[test]
fn every_message_is_framed_and_of_the_grammar() {
    let syslog = Syslog::new(ocsf());
    let leaves = leaves::every();
    let mut frames = Vec::new();
    for leaf in &leaves {
        syslog.write_frame(&Leaf::parse(leaf).unwrap(), &mut frames);
    }
    let last = leaves.len() - 1;
    let said = python::run("syslog.py", frames.clone());
    assert_eq!(said, Ok(format!("{} 0 {last}", leaves.len())));
    // One octet less is another message.
    frames.pop();
    assert!(python::run("syslog.py", frames.clone()).is_err());
    frames.truncate(500);
    let frames = String::from_utf8(frames)
        .unwrap()
        .replace("tenant=\"", "tenant=\"]");
    assert!(python::run("syslog.py", frames.into_bytes()).is_err());
}
