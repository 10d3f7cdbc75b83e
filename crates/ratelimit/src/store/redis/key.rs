//! The names of buckets on a server.

use std::fmt::{Display, Write as _};

use crate::store::{Partition, Subject, Target};

/// Appends `<prefix>:{<tenant>}:<identity of the limit>`, then `:k:<key id>` or `:a:<address>` where the limit
/// counts by one. What stands in braces decides the slot of a cluster, so all buckets of a partition lie together.
///
/// An address whose tenant is not known has the tag `{@<address>}`, which no tenant has.
pub(super) fn append_key(
    names: &mut String,
    prefix: &str,
    partition: Partition<'_>,
    target: &Target<'_>,
) {
    names.push_str(prefix);
    names.push(':');
    append_tag(names, partition);
    names.push(':');
    append(names, target.limit().identity());
    match target.subject() {
        Subject::Whole => {}
        Subject::Key(id) => {
            names.push_str(":k:");
            append_encoded(names, id);
        }
        Subject::Address(network) => {
            names.push_str(":a:");
            append(names, network.address());
        }
    }
}

/// What a partition's slot is found by, in its braces.
fn append_tag(names: &mut String, partition: Partition<'_>) {
    names.push('{');
    match partition {
        // An empty tag is none, and the keys of the partition would not lie together.
        Partition::Tenant("") => names.push('%'),
        Partition::Tenant(tenant) => append_encoded(names, tenant),
        Partition::Address(network) => {
            names.push('@');
            append(names, network.address());
        }
    }
    names.push('}');
}

/// A text without the characters that have a meaning in a key, `%` and two digits in place of each other byte.
fn append_encoded(names: &mut String, text: &str) {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if text.bytes().all(is_plain) {
        names.push_str(text);
        return;
    }
    for byte in text.bytes() {
        if is_plain(byte) {
            names.push(char::from(byte));
        } else {
            append(names, format_args!("%{byte:02X}"));
        }
    }
}

fn append(names: &mut String, shown: impl Display) {
    write!(names, "{shown}").expect("a string takes everything");
}
