//! A dependency that goes down and comes up again, what callers get meanwhile, and what is logged of it.
//!
//! `cargo run -p portcullis-breaker --example fallback`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use portcullis_breaker::{Breaker, BreakerSettings, BreakerState};

/// A price from the shop, or the one that was last seen.
#[derive(Debug, PartialEq)]
enum Price {
    Fresh(u32),
    Stale(u32),
}

/// What asks the shop, and how often it did.
struct Shop {
    is_up: bool,
    asked: u32,
}

impl Shop {
    fn price(&mut self) -> Result<u32, &'static str> {
        self.asked += 1;
        self.is_up.then_some(42).ok_or("no answer within 100 ms")
    }
}

fn price(breaker: &Breaker, shop: &mut Shop, now: Duration) -> Price {
    let Ok(permit) = breaker.try_acquire(now) else {
        return Price::Stale(41);
    };
    let answer = shop.price();
    let changed = match answer {
        Ok(_) => permit.succeeded(now),
        Err(_) => permit.failed(now),
    };
    match changed {
        Some(BreakerState::Open) => println!("{now:?}: the shop is not asked for now"),
        Some(BreakerState::Closed) => println!("{now:?}: the shop answers again"),
        _ => {}
    }
    answer.map_or(Price::Stale(41), Price::Fresh)
}

fn main() {
    let breaker = Breaker::new(BreakerSettings::default(), 7);
    let mut shop = Shop {
        is_up: true,
        asked: 0,
    };
    let mut clock = (0..).map(|call| Duration::from_millis(call * 10));
    let mut ask = |shop: &mut Shop| price(&breaker, shop, clock.next().unwrap_or_default());

    for _ in 0..100 {
        assert_eq!(ask(&mut shop), Price::Fresh(42));
    }

    // It goes down. As soon as half of the last calls have failed, callers are not kept waiting.
    shop.is_up = false;
    for _ in 0..1_000 {
        assert_eq!(ask(&mut shop), Price::Stale(41));
    }
    assert!(shop.asked < 220, "asked {} times", shop.asked);

    // It comes up. The next probe finds that out.
    shop.is_up = true;
    let waited = (0..1_000).position(|_| ask(&mut shop) == Price::Fresh(42));
    println!("the first fresh price after {waited:?} calls");
    assert!(waited.is_some_and(|calls| calls <= 800));
    assert_eq!(ask(&mut shop), Price::Fresh(42));
}
