//! Leaves as messages of syslog.

use super::Ocsf;
use crate::event::Leaf;

/// Makes messages of RFC 5424: `<109>1 TIME NODE PRODUCT audit N [audit@PEN n="…" tenant="…"] OCSF`, framed by their
/// number of octets (RFC 5425, 4.3).
///
/// 109 is facility 13, log audit, with severity 5, notice. A message may be 40 KB long; RFC 5425 asks receivers for
/// 8,192 octets at the least, and for what is longer they may cut: their limit has to be raised.
#[derive(Debug, Clone)]
pub struct Syslog {
    ocsf: Ocsf,
    enterprise: u32,
}

/// The number that RFC 5612 keeps for examples.
const EXAMPLE_ENTERPRISE: u32 = 32_473;

impl Syslog {
    /// With OCSF events of this kind, and the enterprise number 32473, which is that of examples.
    #[must_use]
    pub const fn new(ocsf: Ocsf) -> Self {
        Self {
            ocsf,
            enterprise: EXAMPLE_ENTERPRISE,
        }
    }

    /// With the private enterprise number that IANA gave to the operator.
    #[must_use]
    pub fn enterprise(self, enterprise: u32) -> Self {
        Self { enterprise, ..self }
    }

    /// The message, without frame.
    #[must_use]
    pub fn message(&self, leaf: &Leaf<'_>) -> String {
        // Nothing has to be escaped: ids have no quotation mark, backslash and bracket. The text is ASCII, so that it
        // needs no byte order mark.
        format!(
            "<109>1 {time} {node} {product} audit {n} [audit@{enterprise} n=\"{n}\" tenant=\"{tenant}\"] {event}",
            time = leaf.time(),
            node = leaf.node(),
            product = self.ocsf.product().name(),
            n = leaf.numbers().in_tree,
            enterprise = self.enterprise,
            tenant = leaf.tenant(),
            event = self.ocsf.event(leaf),
        )
    }

    /// Appends the message with its length before it, as it is sent over TLS.
    pub fn write_frame(&self, leaf: &Leaf<'_>, out: &mut Vec<u8>) {
        let message = self.message(leaf);
        out.extend_from_slice(message.len().to_string().as_bytes());
        out.push(b' ');
        out.extend_from_slice(message.as_bytes());
    }
}
