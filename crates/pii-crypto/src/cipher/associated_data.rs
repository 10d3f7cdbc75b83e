//! What is authenticated beside a sealed value.

use portcullis_keyring::{MAX_NAME_BYTES, TenantId};

/// lp32(tenant) ‖ lp32(field) ‖ lp32(record), on the stack when it is short.
pub(super) enum AssociatedData {
    Short {
        bytes: [u8; SHORT_BYTES],
        len: usize,
    },
    Long(Vec<u8>),
}

impl AssociatedData {
    /// Nothing when the field or the record does not have 1 to 1,024 bytes.
    pub(super) fn new(tenant: &TenantId, field: &str, record: &str) -> Option<Self> {
        let parts = [tenant.as_str(), field, record];
        if parts
            .iter()
            .any(|part| part.is_empty() || part.len() > MAX_NAME_BYTES)
        {
            return None;
        }
        let len = parts.iter().map(|part| LENGTH_BYTES + part.len()).sum();
        if len > SHORT_BYTES {
            let mut bytes = vec![0; len];
            write(&parts, &mut bytes);
            return Some(Self::Long(bytes));
        }
        let mut bytes = [0; SHORT_BYTES];
        write(&parts, &mut bytes[..len]);
        Some(Self::Short { bytes, len })
    }
}

impl AsRef<[u8]> for AssociatedData {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Short { bytes, len } => &bytes[..*len],
            Self::Long(bytes) => bytes,
        }
    }
}

const SHORT_BYTES: usize = 192;
const LENGTH_BYTES: usize = 4;

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
            let aad = AssociatedData::new(&tenant, "lead.email", &record).expect("good lengths");
            let mut expected = b"\0\0\0\x08tenant-7\0\0\0\x0alead.email".to_vec();
            expected.extend_from_slice(&u32::try_from(record.len()).expect("short").to_be_bytes());
            expected.extend_from_slice(record.as_bytes());
            assert_eq!(aad.as_ref(), expected);
        }
    }

    #[test]
    fn each_part_has_1_to_1024_bytes() {
        let tenant = TenantId::new("tenant-7").expect("a name");
        let (most, more) = ("x".repeat(1024), "x".repeat(1025));
        assert!(AssociatedData::new(&tenant, &most, &most).is_some());
        for (field, record) in [("", "r"), ("f", ""), (&*more, "r"), ("f", &*more)] {
            assert!(AssociatedData::new(&tenant, field, record).is_none());
        }
    }
}
