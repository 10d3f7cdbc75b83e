//! The names of buckets on a server.

use std::fmt::{self, Display, Formatter, Write as _};

use crate::store::{Partition, Subject, Target};

/// `<prefix>:{<tenant>}:<identity of the limit>`, then `:k:<key id>` or `:a:<address>` where the limit counts
/// by one. What stands in braces decides the slot of a cluster, so all buckets of a partition lie together.
///
/// An address whose tenant is not known has the tag `{@<address>}`, which no tenant has.
pub(super) fn key(prefix: &str, partition: Partition<'_>, target: &Target<'_>) -> String {
    let identity = target.limit().identity();
    let tag = Tag(partition);
    match target.subject() {
        Subject::Whole => format!("{prefix}:{tag}:{identity}"),
        Subject::Key(id) => format!("{prefix}:{tag}:{identity}:k:{}", Encoded(id)),
        Subject::Address(network) => format!("{prefix}:{tag}:{identity}:a:{}", network.address()),
    }
}

/// What a partition's slot is found by, in its braces.
struct Tag<'a>(Partition<'a>);

/// A text without the characters that have a meaning in a key, `%` and two digits in place of each other byte.
struct Encoded<'a>(&'a str);

impl Display for Tag<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            // An empty tag is none, and the keys of the partition would not lie together.
            Partition::Tenant("") => f.write_str("{%}"),
            Partition::Tenant(tenant) => write!(f, "{{{}}}", Encoded(tenant)),
            Partition::Address(network) => write!(f, "{{@{}}}", network.address()),
        }
    }
}

impl Display for Encoded<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                    f.write_char(char::from(byte))?;
                }
                _ => write!(f, "%{byte:02X}")?,
            }
        }
        Ok(())
    }
}
