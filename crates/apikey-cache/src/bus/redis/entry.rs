//! A notice as an entry of a stream: text that everybody can read, and a MAC that only nodes can make.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use subtle::ConstantTimeEq as _;

use crate::{
    bus::{BusError, Notice, Watermark},
    clock::Clock,
    feed::{Change, ChangeKind, FeedId, FeedSeq, Invalidation},
    mac::MacKey,
    pepper::PepperVersion,
    store::{RecordVersion, UnixMillis},
    tenant::TenantId,
};

pub(super) const NOTICE: &str = "notice";
pub(super) const MAC: &str = "mac";

const LABEL: &[u8] = b"portcullis/apikey-bus/v1";

/// How far the clocks of two nodes may differ at all.
const MOST_APART: i64 = 60_000;

/// A watermark that is told by a clock which is ahead counts as new until that lead has passed, however late it
/// arrives.
const MOST_AHEAD: i64 = 250;

/// How long no watermark counts after a notice came from further ahead: the one who told it tells others, and
/// one of them that was held up somewhere would be taken for a new one.
const DISTRUST_FOR: Duration = Duration::from_secs(600);

/// A watermark that is older proves nothing any more.
const MOST_BEHIND: i64 = 3_000;

/// The values of an entry's two fields.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) notice: String,
    pub(super) mac: String,
}

/// Makes entries of notices, and takes back what a node has made.
pub(super) struct Sealer {
    /// The primary one first. Replaced while listeners use them.
    keys: ArcSwap<Vec<(PepperVersion, MacKey)>>,
    clock: Arc<dyn Clock>,
    /// In milliseconds of the monotonic clock.
    distrusts_until: AtomicU64,
}

impl Sealer {
    pub(super) fn new(keys: Vec<(PepperVersion, MacKey)>, clock: Arc<dyn Clock>) -> Self {
        Self {
            keys: ArcSwap::from_pointee(keys),
            clock,
            distrusts_until: AtomicU64::new(0),
        }
    }

    pub(super) fn replace_keys(&self, keys: Vec<(PepperVersion, MacKey)>) {
        self.keys.store(Arc::new(keys));
    }

    pub(super) fn seal(&self, feed: FeedId, notice: &Notice) -> Entry {
        let notice = format!("{} {}", self.now(), text(notice));
        let keys = self.keys.load();
        let (version, key) = &keys[0];
        let mac = format!("{version}:{}", mac(key, feed, &notice));
        Entry { notice, mac }
    }

    /// What an entry says, if a node told it lately; nothing if it does not count any more.
    pub(super) fn open(&self, feed: FeedId, entry: &Entry) -> Result<Option<Notice>, BusError> {
        let version = entry.mac.split_once(':').and_then(|(version, mac)| {
            let version = PepperVersion::try_from(version.parse::<u32>().ok()?).ok()?;
            Some((version, mac))
        });
        let (version, given) = version.ok_or(NO_MAC)?;
        let keys = self.keys.load();
        let key = keys.iter().find(|(known, _)| *known == version);
        let (_, key) = key.ok_or(NOT_CONFIGURED)?;
        let expected = mac(key, feed, &entry.notice);
        if !bool::from(expected.as_bytes().ct_eq(given.as_bytes())) {
            return Err(WRONG_MAC);
        }
        let (told, notice) = parse(&entry.notice).ok_or(UNKNOWN)?;
        let age = self.now().value().saturating_sub(told);
        let monotonic = self.clock.monotonic();
        if age < -MOST_AHEAD {
            let until = millis(monotonic + DISTRUST_FOR);
            self.distrusts_until.fetch_max(until, Ordering::Relaxed);
        }
        if age.saturating_abs() > MOST_APART {
            return Err(ANOTHER_TIME);
        }
        let Notice::Watermark(watermark) = notice else {
            return Ok(Some(notice));
        };
        let is_distrusted = millis(monotonic) < self.distrusts_until.load(Ordering::Relaxed);
        if is_distrusted || age > MOST_BEHIND {
            return Ok(None);
        }
        // Both times were rounded to milliseconds.
        let since = Duration::from_millis(age.max(0).unsigned_abs() + 1);
        let age = watermark.age.saturating_add(since);
        Ok(Some(Notice::Watermark(Watermark { age, ..watermark })))
    }

    fn now(&self) -> UnixMillis {
        UnixMillis::saturating_from(self.clock.wall())
    }
}

const NO_MAC: BusError = BusError::Malformed("a notice has no MAC of the form version:MAC");
const NOT_CONFIGURED: BusError = BusError::Malformed(
    "a notice is authenticated under a pepper version that is not configured here: configure it on all nodes",
);
const WRONG_MAC: BusError = BusError::Malformed("the MAC of a notice is wrong");
const UNKNOWN: BusError = BusError::Malformed("a notice of a kind that this version does not know");
const ANOTHER_TIME: BusError = BusError::Malformed(
    "a notice was told over a minute ago or is from the future: it was repeated, or set the nodes' clocks right",
);

/// Over the feed too: two feeds may have the same pepper.
fn mac(key: &MacKey, feed: FeedId, notice: &str) -> String {
    let mut mac = key.begin();
    mac.label(LABEL);
    mac.bytes(feed.as_bytes());
    mac.sized(notice.as_bytes());
    let mac = mac.finish();
    mac.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text(notice: &Notice) -> String {
    match notice {
        Notice::Change(Change { seq, kind }) => match kind {
            ChangeKind::Record { kid, version } => format!("record {seq} {kid} {version}"),
            ChangeKind::Invalidation(Invalidation::Key(kid)) => format!("key {seq} {kid}"),
            ChangeKind::Invalidation(Invalidation::Tenant(tenant)) => {
                format!("tenant {seq} {tenant}")
            }
            ChangeKind::Invalidation(Invalidation::All) => format!("all {seq}"),
        },
        Notice::Watermark(Watermark { head, age }) => {
            // Not younger than it is.
            let age = age.saturating_add(Duration::from_nanos(999_999));
            format!("head {head} {}", millis(age))
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// When it was told, and what.
fn parse(text: &str) -> Option<(i64, Notice)> {
    let mut words = text.split(' ');
    let mut next = || words.next();
    let told = next()?.parse().ok()?;
    let kind = next()?;
    let seq = FeedSeq::new(next()?.parse().ok()?);
    let kind = match kind {
        "record" => ChangeKind::Record {
            kid: next()?.parse().ok()?,
            version: RecordVersion::new(next()?.parse().ok()?),
        },
        "key" => ChangeKind::Invalidation(Invalidation::Key(next()?.parse().ok()?)),
        "tenant" => ChangeKind::Invalidation(Invalidation::Tenant(TenantId::new(next()?).ok()?)),
        "all" => ChangeKind::Invalidation(Invalidation::All),
        "head" => {
            let age = Duration::from_millis(next()?.parse().ok()?);
            let watermark = Watermark { head: seq, age };
            return next()
                .is_none()
                .then_some((told, Notice::Watermark(watermark)));
        }
        _ => return None,
    };
    let change = Change { seq, kind };
    next().is_none().then_some((told, Notice::Change(change)))
}

#[cfg(test)]
mod tests;
