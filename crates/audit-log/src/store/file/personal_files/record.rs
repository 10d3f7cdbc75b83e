//! One sealed part in a file: `n u64 ‖ length u16 ‖ CRC-32 of n, length and what follows u32 ‖ sealed`.

/// A part, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) n: u64,
    pub(super) sealed: &'a [u8],
    pub(super) begin: usize,
    pub(super) end: usize,
}

const LENGTH_FROM: usize = 8;
const CHECKSUM_FROM: usize = 10;
const HEADER_BYTES: usize = 14;

/// Appends a record. A sealed part has at most 65,535 bytes, as in a frame.
pub(super) fn write(n: u64, sealed: &[u8], out: &mut Vec<u8>) {
    let length = u16::try_from(sealed.len()).unwrap_or(u16::MAX);
    let begin = out.len();
    out.extend_from_slice(&n.to_be_bytes());
    out.extend_from_slice(&length.to_be_bytes());
    let checksum = checksum(&out[begin..], sealed);
    out.extend_from_slice(&checksum.to_be_bytes());
    out.extend_from_slice(sealed);
}

/// The records of a file, in their order. Bytes that are none are passed over, so that one that is damaged takes no
/// other with it.
pub(super) fn records(bytes: &[u8]) -> impl Iterator<Item = Record<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            if let Some(record) = read(bytes, at) {
                at = record.end;
                return Some(record);
            }
            at += 1;
        }
        None
    })
}

fn read(bytes: &[u8], begin: usize) -> Option<Record<'_>> {
    let (header, rest) = bytes.get(begin..)?.split_first_chunk::<HEADER_BYTES>()?;
    let n = u64::from_be_bytes(header[..LENGTH_FROM].try_into().ok()?);
    let length = header[LENGTH_FROM..CHECKSUM_FROM].try_into().ok()?;
    let sealed = rest.get(..u16::from_be_bytes(length).into())?;
    let expected = header[CHECKSUM_FROM..].try_into().ok()?;
    let is_record = checksum(&header[..CHECKSUM_FROM], sealed) == u32::from_be_bytes(expected);
    is_record.then_some(Record {
        n,
        sealed,
        begin,
        end: begin + HEADER_BYTES + sealed.len(),
    })
}

fn checksum(header: &[u8], sealed: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(header);
    hasher.update(sealed);
    hasher.finalize()
}
