//! What is believed of what servers count.

use std::num::NonZeroU32;

use super::Counts;

/// What the servers say to a beat.
#[derive(Clone, Copy, Debug)]
enum Beat {
    /// So many processes, of which this was one before.
    Known(u32),
    /// So many, and this is new.
    New(u32),
    Silent,
}
use Beat::{Known, New, Silent};

/// What it shows, how many processes there are believed to be, and after each beat.
type Row<'a> = (&'a str, u32, &'a [(Beat, u32)]);

#[test]
fn fewer_are_believed_once_that_has_held_for_four_beats_in_a_row() {
    let table: &[Row<'_>] = &[
        (
            "more count at once",
            1,
            &[(New(1), 1), (Known(2), 2), (Known(5), 5)],
        ),
        (
            "one leaves",
            1,
            &[
                (New(4), 4),
                (Known(4), 4),
                (Known(4), 4),
                (Known(4), 4),
                (Known(3), 4),
                (Known(3), 4),
                (Known(3), 4),
                (Known(3), 3),
            ],
        ),
        (
            "the largest of the last four",
            9,
            &[
                (New(1), 9),
                (Known(2), 9),
                (Known(5), 9),
                (Known(3), 9),
                (Known(2), 5),
                (Known(2), 5),
                (Known(2), 3),
            ],
        ),
        (
            "a server that has lost its set before each beat, and answers seldom",
            4,
            &[
                (New(1), 4),
                (New(1), 4),
                (New(2), 4),
                (New(1), 4),
                (Silent, 4),
                (New(1), 4),
                (New(1), 4),
                (New(1), 4),
            ],
        ),
        (
            "a server that falls silent before the others are counted",
            4,
            &[
                (Known(4), 4),
                (Known(4), 4),
                (Known(1), 4),
                (Known(1), 4),
                (Known(1), 4),
                (Silent, 4),
                (Known(1), 4),
                (Known(1), 4),
                (Known(1), 4),
                (Silent, 4),
            ],
        ),
    ];
    for (name, start, beats) in table {
        let (mut counts, mut nodes) = (Counts::default(), NonZeroU32::new(*start).unwrap());
        for (number, (beat, expected)) in beats.iter().enumerate() {
            let mut answered = |count, was_known| {
                nodes = counts.answered(NonZeroU32::new(count).unwrap(), was_known, nodes);
            };
            match beat {
                Known(count) => answered(*count, true),
                New(count) => answered(*count, false),
                Silent => counts.not_answered(),
            }
            assert_eq!(nodes.get(), *expected, "{name}, beat {number}");
        }
    }
}
