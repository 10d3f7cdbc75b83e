//! Where a chunked body ends (RFC 9112, 7.1): followed, not decoded.

/// How far a chunked body has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunks {
    step: Step,
    /// Bytes since the last chunk that are no data: a sender could send those for ever.
    overhead: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The first digit of a size.
    Size,
    /// Digits that are worth so much.
    Digits(u64),
    /// Behind the digits, before an extension or the end of the line.
    Blank(u64),
    Extension(u64),
    SizeLineFeed(u64),
    Data(u64),
    DataReturn,
    DataLineFeed,
    /// The beginning of a line of the trailer section.
    Trailer,
    TrailerLine,
    TrailerLineFeed,
    LastLineFeed,
}

/// It is no chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// The most bytes of a chunk's line, and of all trailer lines.
const MAX_OVERHEAD: usize = 8 << 10;

impl Chunks {
    pub(super) const fn new() -> Self {
        Self {
            step: Step::Size,
            overhead: 0,
        }
    }

    /// Follows these bytes; if the body ends in them, tells how many belong to it.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            if let Step::Data(left) = self.step {
                let here = bytes.len() - at;
                let skipped = usize::try_from(left).map_or(here, |left| left.min(here));
                at += skipped;
                let left = left - u64::try_from(skipped).unwrap_or(left);
                self.step = if left == 0 {
                    Step::DataReturn
                } else {
                    Step::Data(left)
                };
                self.overhead = 0;
                continue;
            }
            at += 1;
            self.overhead += 1;
            if self.overhead > MAX_OVERHEAD {
                return Err(Malformed);
            }
            if self.step == Step::LastLineFeed && *byte == b'\n' {
                return Ok(Some(at));
            }
            self.step = self.step.after(*byte).ok_or(Malformed)?;
        }
        Ok(None)
    }
}

impl Step {
    fn after(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            (Self::Size, _) => Self::Digits(digit(byte)?),
            (Self::Digits(size) | Self::Blank(size) | Self::Extension(size), b'\r') => {
                Self::SizeLineFeed(size)
            }
            (Self::Digits(size) | Self::Blank(size), b' ' | b'\t') => Self::Blank(size),
            (Self::Digits(size) | Self::Blank(size), b';') => Self::Extension(size),
            (Self::Digits(size), _) => {
                Self::Digits(size.checked_mul(16)?.checked_add(digit(byte)?)?)
            }
            (Self::Extension(_) | Self::TrailerLine, b'\n') => return None,
            (Self::Extension(size), _) => Self::Extension(size),
            (Self::SizeLineFeed(0), b'\n') | (Self::TrailerLineFeed, b'\n') => Self::Trailer,
            (Self::SizeLineFeed(size), b'\n') => Self::Data(size),
            (Self::DataReturn, b'\r') => Self::DataLineFeed,
            (Self::DataLineFeed, b'\n') => Self::Size,
            (Self::Trailer, b'\r') => Self::LastLineFeed,
            (Self::TrailerLine, b'\r') => Self::TrailerLineFeed,
            (Self::Trailer, b'\n') => return None,
            (Self::Trailer | Self::TrailerLine, _) => Self::TrailerLine,
            _ => return None,
        })
    }
}

fn digit(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(16).map(u64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [&str; 7] = [
        "0\r\n\r\n",
        "5\r\nhello\r\n0\r\n\r\n",
        "A;name=value\r\n0123456789\r\n00\r\n\r\n",
        "3 ;x=\"y\"\r\n\r\n0\r\n1\t\r\n\n\r\n000\r\n\r\n",
        "1\r\na\r\n0\r\nTrailer: value\r\nOther: 1\r\n\r\n",
        "0;last\r\nT:\r\n\r\n",
        "5\r\n\r\n\r\n0\r\n0\r\n\r\n",
    ];

    #[test]
    fn the_end_is_found_however_the_bytes_arrive() {
        for text in GOOD {
            let whole = format!("{text}GET / HTTP/1.1\r\n");
            for size in 1..=whole.len() {
                let (mut chunks, mut followed, mut end) = (Chunks::new(), 0, None);
                for part in whole.as_bytes().chunks(size) {
                    end = chunks.follow(part).unwrap().map(|taken| followed + taken);
                    followed += part.len();
                    if end.is_some() {
                        break;
                    }
                }
                assert_eq!(end, Some(text.len()), "{text:?} by {size}");
            }
        }
    }

    #[test]
    fn what_another_server_may_read_differently_is_malformed() {
        for text in [
            "\r\n",
            "g\r\n",
            "-1\r\n",
            "+1\r\n",
            "0x1\r\n",
            " 1\r\n",
            "1\na",
            "1 1\r\n",
            "1;x\n",
            "1\r\nab",
            "1\r\na\n",
            "1\r\na\rx",
            "1\rx",
            "0\r\n\n",
            "0\r\nT: a\n",
            "0\r\n\rx",
            "10000000000000000\r\n",
        ] {
            assert_eq!(
                Chunks::new().follow(text.as_bytes()),
                Err(Malformed),
                "{text:?}"
            );
        }
        let long = format!("1;{}", "x".repeat(MAX_OVERHEAD));
        assert_eq!(Chunks::new().follow(long.as_bytes()), Err(Malformed));
        let trailers = format!("0\r\n{}", "a: b\r\n".repeat(MAX_OVERHEAD));
        assert_eq!(Chunks::new().follow(trailers.as_bytes()), Err(Malformed));
    }
}
