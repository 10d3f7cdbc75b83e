//! Short texts in which nothing was found.

use std::{
    array,
    cell::RefCell,
    sync::atomic::{AtomicU64, Ordering},
};

/// Remembers, on each thread, the last short texts in which nothing was found: most values of log lines
/// are one of a few. A text is compared as a whole, so that what is remembered is never wrong; texts with
/// findings are not kept.
#[derive(Debug)]
pub(super) struct CleanTexts {
    /// Tells the redactors of a process apart.
    number: u64,
}

/// A text that something was looked for in, by one of the redactors.
#[derive(Clone, Copy)]
struct Kept {
    redactor: u64,
    length: usize,
    bytes: [u8; MAX_BYTES],
}

const MAX_BYTES: usize = 48;
/// 4 KiB a thread.
const SLOTS: usize = 64;

thread_local! {
    static KEPT: RefCell<Box<[Kept; SLOTS]>> = RefCell::new(Box::new(array::from_fn(|_| Kept::NONE)));
}

impl Kept {
    const NONE: Self = Self {
        redactor: 0,
        length: 0,
        bytes: [0; MAX_BYTES],
    };
}

impl CleanTexts {
    pub(super) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
        }
    }

    pub(super) fn holds(&self, text: &str) -> bool {
        let is_same = |kept: &Kept| {
            kept.redactor == self.number && kept.bytes.get(..kept.length) == Some(text.as_bytes())
        };
        let known = |all: &RefCell<Box<[Kept; SLOTS]>>| is_same(&all.borrow()[slot(text)]);
        // A thread that ends has forgotten.
        text.len() <= MAX_BYTES && KEPT.try_with(known).unwrap_or(false)
    }

    pub(super) fn keep(&self, text: &str) {
        if text.len() <= MAX_BYTES {
            let _ = KEPT.try_with(|all| {
                let kept = &mut all.borrow_mut()[slot(text)];
                kept.redactor = self.number;
                kept.length = text.len();
                kept.bytes[..text.len()].copy_from_slice(text.as_bytes());
            });
        }
    }
}

/// Texts that share a place push each other out, which costs a search and no more.
fn slot(text: &str) -> usize {
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let (eights, rest) = text.as_bytes().as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let words = eights.iter().chain([&last]);
    let hash = words.fold(text.len() as u64, |hash, word| {
        (hash ^ u64::from_le_bytes(*word))
            .wrapping_mul(SPREAD)
            .rotate_left(29)
    });
    usize::try_from(hash % SLOTS as u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_text_of_the_same_redactor_is_known() {
        let (one, other) = (CleanTexts::new(), CleanTexts::new());
        one.keep("accepted");
        assert!(one.holds("accepted"));
        for text in ["accepte", "accepted ", "Accepted", ""] {
            assert!(!one.holds(text), "{text}");
        }
        assert!(!other.holds("accepted"));
        let long = "x".repeat(MAX_BYTES + 1);
        one.keep(&long);
        assert!(!one.holds(&long));
    }

    #[test]
    fn whatever_shares_a_place_is_not_taken_for_the_other() {
        let clean = CleanTexts::new();
        let texts: Vec<String> = (0..10_000)
            .map(|number| format!("order {number}"))
            .collect();
        for (index, text) in texts.iter().enumerate() {
            assert!(!clean.holds(text), "{text} was never kept");
            if index % 2 == 0 {
                clean.keep(text);
                assert!(clean.holds(text));
            }
        }
    }
}
