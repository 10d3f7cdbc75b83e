//! OCSF events against the schemas of version 1.8.0.

use portcullis_audit_log::{
    event::Leaf,
    export::{ClassMap, Ocsf, OcsfClass},
};

use crate::{leaves, ocsf, python};

fn lines(ocsf: &Ocsf, leaves: &[Vec<u8>]) -> Vec<u8> {
    let mut lines = Vec::new();
    for leaf in leaves {
        ocsf.write_line(&Leaf::parse(leaf).unwrap(), &mut lines);
    }
    lines
}

#[test]
fn every_action_is_valid_with_every_outcome() {
    let leaves = leaves::every();
    assert_eq!(leaves.len(), leaves::ACTIONS.len() * 5 * 4 * 4);
    let said = python::run("ocsf.py", lines(&ocsf(), &leaves));
    // 80 of each action.
    assert_eq!(
        said.as_deref(),
        Ok("2004:80 3002:320 3004:640 3005:320 6003:400")
    );
}

#[test]
fn every_action_is_valid_in_every_class() {
    let some: Vec<_> = leaves::every().into_iter().step_by(7).collect();
    for class in OcsfClass::ALL {
        let classes = leaves::ACTIONS.iter().fold(ClassMap::new(), |map, action| {
            map.with(action.as_str(), *class)
        });
        let said = python::run("ocsf.py", lines(&ocsf().classes(classes), &some));
        assert_eq!(said, Ok(format!("{}:{}", class.uid(), some.len())));
    }
}

#[test]
fn what_is_not_of_the_schema_is_refused() {
    let leaf = &leaves::every()[2..3];
    let valid = String::from_utf8(lines(&ocsf(), leaf)).unwrap();
    assert!(python::run("ocsf.py", valid.clone().into_bytes()).is_ok());
    for (what, other) in [
        ("\"operation\"", "\"operations\""),
        ("\"src_endpoint\"", "\"source\""),
        ("\"time\":", "\"time\":\"x\",\"time_dt\":"),
        ("\"activity_id\":1", "\"activity_id\":2"),
        ("\"profiles\":[\"trace\"]", "\"profiles\":[]"),
    ] {
        let changed = valid.replace(what, other);
        assert_ne!(changed, valid, "{what}");
        assert!(
            python::run("ocsf.py", changed.into_bytes()).is_err(),
            "{what}"
        );
    }
}
