//! A changed copy of a text, and the way from its bytes back to those of the text.

use std::ops::Range;

/// A changed copy of a text.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    text: String,
    pieces: Vec<Piece>,
}

/// From `start` of the copy to the start of the next piece.
#[derive(Clone, Debug)]
struct Piece {
    start: usize,
    /// Where it begins in the source.
    source: usize,
    origin: Origin,
}

#[derive(Clone, Copy, Debug)]
enum Origin {
    /// Byte for byte what stands in the source.
    Verbatim,
    /// It stands for this many bytes of the source, none of which is a part of it alone.
    Replaced { bytes: usize },
}

impl Layer {
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Brings ranges of the copy, none of them empty, which follow each other from left to right,
    /// to what they came from: from the first byte of the first character to the last of the last,
    /// with what was left out between them.
    pub(crate) fn to_source<'r>(&self, ranges: impl Iterator<Item = &'r mut Range<usize>>) {
        let mut pieces = &self.pieces[..];
        for range in ranges {
            let start = source_of_byte(&mut pieces, range.start).start;
            let end = source_of_byte(&mut pieces, range.end - 1).end;
            *range = start..end;
        }
    }
}

/// Where a byte came from; the pieces that end before it are left behind.
fn source_of_byte(pieces: &mut &[Piece], at: usize) -> Range<usize> {
    while let [_, next, ..] = pieces
        && next.start <= at
    {
        *pieces = &pieces[1..];
    }
    let piece = &pieces[0];
    match piece.origin {
        Origin::Verbatim => {
            let source = piece.source + (at - piece.start);
            source..source + 1
        }
        Origin::Replaced { bytes } => piece.source..piece.source + bytes,
    }
}

/// A copy being made, from left to right. Nothing is allocated before something is replaced.
#[derive(Debug)]
pub(super) struct Copy<'s> {
    source: &'s str,
    /// Up to where the source has been taken over.
    taken: usize,
    text: String,
    pieces: Vec<Piece>,
}

impl<'s> Copy<'s> {
    pub(super) fn of(source: &'s str) -> Self {
        Self {
            source,
            taken: 0,
            text: String::new(),
            pieces: Vec::new(),
        }
    }

    /// Puts what `write` emits, which may be nothing, in the place of a range of the source that is
    /// not empty and stands behind the last one.
    pub(super) fn replace(
        &mut self,
        range: Range<usize>,
        write: impl FnOnce(&mut dyn FnMut(char)),
    ) {
        if self.taken == 0 {
            self.text.reserve(self.source.len());
        }
        self.take_until(range.start);
        let start = self.text.len();
        write(&mut |c| self.text.push(c));
        if self.text.len() > start {
            self.pieces.push(Piece {
                start,
                source: range.start,
                origin: Origin::Replaced { bytes: range.len() },
            });
        }
        self.taken = range.end;
    }

    /// The last character of the copy when all of the source before `at` has been taken over.
    pub(super) fn last_before(&self, at: usize) -> Option<char> {
        let verbatim = self.source[self.taken..at].chars().next_back();
        verbatim.or_else(|| self.text.chars().next_back())
    }

    /// The copy; `None` if nothing was replaced.
    pub(super) fn finish(mut self) -> Option<Layer> {
        if self.taken == 0 {
            return None;
        }
        self.take_until(self.source.len());
        Some(Layer {
            text: self.text,
            pieces: self.pieces,
        })
    }

    fn take_until(&mut self, end: usize) {
        if self.taken < end {
            self.pieces.push(Piece {
                start: self.text.len(),
                source: self.taken,
                origin: Origin::Verbatim,
            });
            self.text.push_str(&self.source[self.taken..end]);
            self.taken = end;
        }
    }
}
