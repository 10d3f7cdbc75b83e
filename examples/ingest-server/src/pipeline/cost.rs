//! What a request costs of its tenant's limits, in tokens.

/// The bytes of an unpacked body that one token pays for.
const BLOCK: usize = 4_096;

/// The events and the bytes that a request holds, as far as they were looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Content {
    pub(super) events: usize,
    /// Of the unpacked body.
    pub(super) bytes: usize,
}

impl Content {
    /// One token for each event and one for each block of the body begun, where the token that is
    /// charged before the body is read pays for the first event and the first block: a request of
    /// one small event costs one.
    pub(super) fn cost(self) -> u32 {
        let tokens = self.events.max(1) + self.bytes.div_ceil(BLOCK).max(1) - 1;
        u32::try_from(tokens).unwrap_or(u32::MAX)
    }
}

/// The bytes that so many tokens pay for, if no event costs any.
pub(super) fn bytes_for(tokens: u32) -> usize {
    usize::try_from(tokens).map_or(usize::MAX, |tokens| tokens.saturating_mul(BLOCK))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        limits::INGEST_DEBT,
        pipeline::frame::{MAX_BATCH, MAX_BYTES},
    };

    fn cost(events: usize, bytes: usize) -> u32 {
        Content { events, bytes }.cost()
    }

    #[test]
    fn events_and_blocks_begun_cost_a_token_each_and_the_first_pays_for_one_of_both() {
        for (events, bytes, tokens) in [
            (0, 0, 1),
            (1, 0, 1),
            (1, 1, 1),
            (1, 4_096, 1),
            (1, 4_097, 2),
            (1, 8_193, 3),
            (2, 200, 2),
            (15, 4_096, 15),
            (15, 4_097, 16),
            (1_000, 100_000, 1_024),
            (0, 1 << 20, 256),
        ] {
            assert_eq!(
                cost(events, bytes),
                tokens,
                "{events} events, {bytes} bytes"
            );
        }
    }

    #[test]
    fn the_debt_suffices_for_the_largest_request_and_one_event_too_many() {
        assert_eq!(cost(MAX_BATCH + 1, MAX_BYTES), INGEST_DEBT);
    }

    #[test]
    fn what_tokens_pay_for_costs_no_more_than_they() {
        for tokens in [1, 2, 7, 256] {
            assert_eq!(cost(1, bytes_for(tokens)), tokens);
            assert_eq!(cost(1, bytes_for(tokens) + 1), tokens + 1);
        }
        assert_eq!(
            bytes_for(u32::MAX),
            4_096 * usize::try_from(u32::MAX).unwrap()
        );
    }
}
