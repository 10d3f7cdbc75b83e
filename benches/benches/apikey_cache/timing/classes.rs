//! Pairs of classes of keys that are refused, and for each a check that tells them apart by its time.

use std::{hint::black_box, sync::Arc};

use rand::{SeedableRng as _, rngs::StdRng};

use crate::{
    keys::{ALPHABET, make_secret, secret_of, with_secret, with_wrong_secrets},
    ours::{Ours, TENANT, block_on, parsed},
    peers::{KID, Peer, Record},
};

/// Keys of a class that differ in their secrets.
const KEYS: usize = 64;
/// Kids of a class. Where in memory what is known of a kid lies makes a few tenths of a nanosecond, which is
/// to be that of many.
const KIDS: usize = 4_096;
const QUICK_KIDS: usize = 16;
/// Keys presented, so many that a tenth of a nanosecond is found; of kids fewer, by which it would be found where
/// each of them lies.
const SAMPLES: usize = 4_000_000;
const KID_SAMPLES: usize = 1_000_000;
/// How far hashes that begin alike do so: as many as can be found by trying 65,536 secrets for each.
const ALIKE: usize = 2;
/// Where it is only tried whether it runs.
const QUICK_ALIKE: usize = 0;

type Plain = Peer<quick_cache::sync::Cache<[u8; KID], Arc<Record>>>;

/// A key that is cached, keys that were revoked, and keys of which there is no record though their kids'
/// tags are good.
pub(crate) struct Service {
    pub(crate) ours: Ours,
    /// Checks as they are often written.
    plain: Plain,
    absent: Vec<String>,
    alike: usize,
}

pub(crate) struct Pair<'a> {
    pub(crate) classes: [Vec<String>; 2],
    /// Keys presented of both classes together.
    pub(crate) samples: usize,
    /// A check that is leaky on purpose.
    pub(crate) leaky: Box<dyn Fn(&str) -> bool + 'a>,
}

impl Service {
    pub(crate) fn new(is_quick: bool) -> Self {
        let kids = if is_quick { QUICK_KIDS } else { KIDS };
        let ours = Ours::with_keys(1 + kids, 7);
        let plain = Plain::knowing(ours.keys(), TENANT);
        let absent = Ours::with_keys(kids, 7).keys().to_vec();
        block_on(async {
            for key in &ours.keys()[1..] {
                let revoked = ours.cache().revoke(parsed(key).kid()).await;
                revoked.expect("the store is in memory");
            }
            // One of either class after the other, so that they lie in memory alike. From then on it is known
            // without the store that they have no good record.
            for pair in ours.keys()[1..].iter().zip(&absent) {
                for key in [pair.0, pair.1] {
                    ours.cache().validate(&parsed(key)).await.ok();
                }
            }
        });
        Self {
            ours,
            plain,
            absent,
            alike: if is_quick { QUICK_ALIKE } else { ALIKE },
        }
    }

    pub(crate) fn pair(&self, name: &str) -> Option<Pair<'_>> {
        let (known, revoked) = (self.known(), &self.ours.keys()[1..]);
        let hash = self.hash();
        let wrong = || with_wrong_secrets(known, KEYS);
        Some(match name {
            "secret" => Pair {
                classes: [
                    (0..KEYS).map(|last| self.all_but_the_last(last)).collect(),
                    wrong(),
                ],
                samples: SAMPLES,
                leaky: Box::new(|text| early_exit(secret_of(text), secret_of(known))),
            },
            "hash" => Pair {
                classes: [self.alike(), wrong()],
                samples: SAMPLES,
                leaky: Box::new(move |text| early_exit(&self.plain.hash(text, TENANT), &hash)),
            },
            // No look-up without a record takes the time of an HMAC.
            "record" => Pair {
                classes: [revoked.to_vec(), self.absent.clone()],
                samples: KID_SAMPLES,
                leaky: Box::new(|text| self.plain.look_up(text).is_some()),
            },
            "kid" => Pair {
                classes: [wrong(), self.absent.clone()],
                samples: KID_SAMPLES,
                leaky: Box::new(|text| self.plain.look_up(text).is_some()),
            },
            _ => return None,
        })
    }

    fn known(&self) -> &str {
        &self.ours.keys()[0]
    }

    fn hash(&self) -> [u8; 32] {
        self.plain.hash(self.known(), TENANT)
    }

    /// The known key with another last character of its secret.
    fn all_but_the_last(&self, number: usize) -> String {
        let mut secret = secret_of(self.known()).to_vec();
        let last = secret.last_mut().expect("it has 43 characters");
        let others = ALPHABET.iter().filter(|other| **other != *last);
        *last = *others
            .cycle()
            .nth(number)
            .expect("the alphabet is not empty");
        with_secret(self.known(), &secret)
    }

    /// Keys whose hashes begin as the known one's does.
    fn alike(&self) -> Vec<String> {
        let mut random = StdRng::seed_from_u64(17);
        let hash = self.hash();
        let mut found = Vec::new();
        while found.len() < KEYS {
            let text = with_secret(self.known(), &make_secret(&mut random));
            if self.plain.hash(&text, TENANT)[..self.alike] == hash[..self.alike] {
                found.push(text);
            }
        }
        found
    }
}

/// As nobody should write it.
fn early_exit(one: &[u8], other: &[u8]) -> bool {
    for (one, other) in one.iter().zip(other) {
        if black_box(one) != other {
            return false;
        }
    }
    true
}
