//! The times that are looked back on.

use std::ops::Range;

use crate::store::Slot;

/// From the slot that it began in until now, so that it has up to five minutes more than it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Window {
    FiveMinutes,
    HalfAnHour,
    Hour,
    TwoHours,
    SixHours,
    Day,
    ThreeDays,
    ThirtyDays,
}

impl Window {
    /// From the shortest to the longest.
    pub(super) const ALL: [Self; 8] = [
        Self::FiveMinutes,
        Self::HalfAnHour,
        Self::Hour,
        Self::TwoHours,
        Self::SixHours,
        Self::Day,
        Self::ThreeDays,
        Self::ThirtyDays,
    ];

    /// As Prometheus writes it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::FiveMinutes => "5m",
            Self::HalfAnHour => "30m",
            Self::Hour => "1h",
            Self::TwoHours => "2h",
            Self::SixHours => "6h",
            Self::Day => "1d",
            Self::ThreeDays => "3d",
            Self::ThirtyDays => "30d",
        }
    }

    const fn slots(self) -> u32 {
        match self {
            Self::FiveMinutes => 1,
            Self::HalfAnHour => 6,
            Self::Hour => 12,
            Self::TwoHours => 24,
            Self::SixHours => 72,
            Self::Day => 288,
            Self::ThreeDays => 864,
            Self::ThirtyDays => 8_640,
        }
    }

    /// Its seconds, as it is called.
    pub(super) fn seconds(self) -> f64 {
        f64::from(self.slots()) * Slot::LENGTH.as_secs_f64()
    }

    /// The slots of each that the shorter ones have not. What another process counted whose clock is up to five
    /// minutes ahead is now.
    pub(super) fn spans(now: Slot) -> [Range<Slot>; 8] {
        let mut end = now.next().next();
        Self::ALL.map(|window| {
            let start = now.earlier(window.slots());
            let span = start..end;
            end = start;
            span
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_follow_one_another_and_each_window_is_as_long_as_it_is_called() {
        let now = Slot::new(1_000_000);
        let spans = Window::spans(now);
        assert_eq!(spans[0], Slot::new(999_999)..Slot::new(1_000_002));
        for pair in spans.windows(2) {
            assert_eq!(pair[1].end, pair[0].start);
        }
        for (window, span) in Window::ALL.into_iter().zip(&spans) {
            let name = window.as_str();
            let (number, unit) = name.split_at(name.len() - 1);
            let unit = match unit {
                "m" => 60,
                "h" => 3_600,
                _ => 86_400,
            };
            let seconds = number.parse::<i64>().unwrap() * unit;
            assert_eq!(now.began() - span.start.began(), seconds, "{name}");
            assert_eq!(window.seconds(), seconds as f64, "{name}");
        }
    }
}
