//! In which hours of the day an actor acts.

use super::DAY;

const DAYS: usize = 28;
const HOURS: usize = 24;
const HOUR: u64 = DAY / HOURS as u64;
const ENOUGH: u64 = 200;

/// How many events there were in each hour of the last 28 days.
#[derive(Debug, Default)]
pub(super) struct Hours {
    today: u64,
    /// The day of 1970 `d` is at `d % 28`. None before the first event.
    days: Vec<[u16; HOURS]>,
}

impl Hours {
    /// Whether an event at this time is at an unusual hour. It then counts as one that there was.
    pub(super) fn observe(&mut self, micros: u64) -> bool {
        self.pass_to(micros / DAY);
        let hour = usize::try_from(micros % DAY / HOUR).unwrap_or(0);
        let at = |hour: usize| {
            self.days
                .iter()
                .map(|day| u64::from(day[hour]))
                .sum::<u64>()
        };
        let all: u64 = (0..HOURS).map(at).sum();
        // Who mostly begins at nine may begin at ten to nine.
        let near: u64 = [hour + HOURS - 1, hour, hour + 1]
            .map(|hour| at(hour % HOURS))
            .iter()
            .sum();
        if let Some(today) = self.days.get_mut(slot(self.today)) {
            today[hour] = today[hour].saturating_add(1);
        }
        all >= ENOUGH && near * 100 < all
    }

    /// Forgets what is older than 28 days on this day. A leaf of an earlier day than the last counts for the last.
    fn pass_to(&mut self, day: u64) {
        if self.days.is_empty() {
            self.days = vec![[0; HOURS]; DAYS];
            self.today = day;
        }
        let passed = day.saturating_sub(self.today);
        for passed in 1..=passed.min(DAYS as u64) {
            if let Some(new) = self.days.get_mut(slot(self.today + passed)) {
                *new = [0; HOURS];
            }
        }
        self.today += passed;
    }
}

fn slot(day: u64) -> usize {
    usize::try_from(day % DAYS as u64).unwrap_or(0)
}
