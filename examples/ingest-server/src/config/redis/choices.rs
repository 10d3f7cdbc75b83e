//! What one of a few words says.

use std::{num::NonZeroU32, str::FromStr};

/// What listens there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topology {
    Single,
    Cluster,
}

/// How often Redis is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counting {
    /// For each request that is not refused already.
    Exact,
    /// Once for many requests of a busy tenant.
    Lease,
}

/// By how many the limits are divided while Redis is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExpectedNodes {
    /// As many as told Redis that they live.
    Counted,
    Fixed(NonZeroU32),
}

/// More processes than this share no Redis.
pub(super) const MAX_NODES: u32 = 1_000;

/// The text names none of them.
#[derive(Debug)]
pub(crate) struct UnknownChoice;

impl FromStr for Topology {
    type Err = UnknownChoice;

    fn from_str(text: &str) -> Result<Self, UnknownChoice> {
        match text {
            "single" => Ok(Self::Single),
            "cluster" => Ok(Self::Cluster),
            _ => Err(UnknownChoice),
        }
    }
}

impl FromStr for Counting {
    type Err = UnknownChoice;

    fn from_str(text: &str) -> Result<Self, UnknownChoice> {
        match text {
            "exact" => Ok(Self::Exact),
            "lease" => Ok(Self::Lease),
            _ => Err(UnknownChoice),
        }
    }
}

impl FromStr for ExpectedNodes {
    type Err = UnknownChoice;

    fn from_str(text: &str) -> Result<Self, UnknownChoice> {
        if text == "counted" {
            return Ok(Self::Counted);
        }
        // `parse` would take a sign.
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|_| digits);
        let number: Option<NonZeroU32> = number.filter(|it: &NonZeroU32| it.get() <= MAX_NODES);
        number.map(Self::Fixed).ok_or(UnknownChoice)
    }
}
