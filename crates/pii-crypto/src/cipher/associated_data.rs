//! What is authenticated beside a sealed value.

use portcullis_keyring::{MAX_NAME_BYTES, TenantId};

/// Answers what is made of lp32(tenant) ‖ lp32(field) ‖ lp32(record); nothing when the field or the
/// record does not have 1 to 1,024 bytes.
///
/// Short ones are written where they are used, on the stack: a value that is handed back would be
/// copied for each message.
pub(super) fn with_associated_data<R>(
    tenant: &TenantId,
    field: &str,
    record: &str,
    make: impl FnOnce(&[u8]) -> R,
) -> Option<R> {
    let parts = [tenant.as_str(), field, record];
    if parts
        .iter()
        .any(|part| part.is_empty() || part.len() > MAX_NAME_BYTES)
    {
        return None;
    }
    let len = parts.iter().map(|part| LENGTH_BYTES + part.len()).sum();
    let mut short = [0; SHORT_BYTES];
    let mut long = Vec::new();
    let bytes = if len > SHORT_BYTES {
        long.resize(len, 0);
        &mut long[..]
    } else {
        &mut short[..len]
    };
    write(&parts, bytes);
    Some(make(bytes))
}

/// Enough for UUIDs, and zeroed without a call.
const SHORT_BYTES: usize = 128;
const LENGTH_BYTES: usize = 4;

#[inline]
fn write(parts: &[&str], mut out: &mut [u8]) {
    for part in parts {
        let length = u32::try_from(part.len()).expect("a part has at most 1,024 bytes");
        let (part_bytes, rest) = out.split_at_mut(LENGTH_BYTES + part.len());
        part_bytes[..LENGTH_BYTES].copy_from_slice(&length.to_be_bytes());
        part_bytes[LENGTH_BYTES..].copy_from_slice(part.as_bytes());
        out = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_are_laid_out_alike() {
        let tenant = TenantId::new("tenant-7").expect("a name");
        for record in ["r".to_owned(), "r".repeat(SHORT_BYTES), "r".repeat(1024)] {
            let aad = with_associated_data(&tenant, "lead.email", &record, <[u8]>::to_vec);
            let mut expected = b"\0\0\0\x08tenant-7\0\0\0\x0alead.email".to_vec();
            expected.extend_from_slice(&u32::try_from(record.len()).expect("short").to_be_bytes());
            expected.extend_from_slice(record.as_bytes());
            assert_eq!(aad, Some(expected));
        }
    }

    #[test]
    fn each_part_has_1_to_1024_bytes() {
        let tenant = TenantId::new("tenant-7").expect("a name");
        let (most, more) = ("x".repeat(1024), "x".repeat(1025));
        let is_taken =
            |field, record| with_associated_data(&tenant, field, record, <[u8]>::len).is_some();
        assert!(is_taken(&*most, &*most));
        for (field, record) in [("", "r"), ("f", ""), (&*more, "r"), ("f", &*more)] {
            assert!(!is_taken(field, record));
        }
    }
}
