//! What is compared with: the same HMAC over the same bytes, by the fastest implementation there is, and
//! one look-up in a plain cache. With or without what else the same work takes, a checksum over the text
//! and a look at the clock for the time to live. Nothing is counted, the alphabet is not checked, and
//! nothing keeps a revoked key from coming back.

use std::{sync::Arc, time::Duration};

use hmac::{Hmac, KeyInit as _, Mac as _};
use portcullis_apikey_cache::clock::{Clock as _, SystemClock};
use sha2::Sha256;

pub(crate) const KID: usize = 22;
pub(crate) const SECRET: usize = 43;
/// Characters behind the secret: its checksum.
pub(crate) const CHECKSUM: usize = 6;

pub(crate) struct Record {
    tenant: Box<str>,
    hash: [u8; 32],
    until: Duration,
}

/// A cache by the id of a key.
pub(crate) trait Lookup {
    fn with_capacity(records: usize) -> Self;
    fn put(&self, kid: [u8; KID], record: Arc<Record>);
    fn find(&self, kid: &[u8; KID]) -> Option<Arc<Record>>;
}

impl Lookup for quick_cache::sync::Cache<[u8; KID], Arc<Record>> {
    fn with_capacity(records: usize) -> Self {
        Self::new(records)
    }

    fn put(&self, kid: [u8; KID], record: Arc<Record>) {
        self.insert(kid, record);
    }

    fn find(&self, kid: &[u8; KID]) -> Option<Arc<Record>> {
        self.get(kid)
    }
}

impl Lookup for moka::sync::Cache<[u8; KID], Arc<Record>> {
    fn with_capacity(records: usize) -> Self {
        Self::new(records as u64)
    }

    fn put(&self, kid: [u8; KID], record: Arc<Record>) {
        self.insert(kid, record);
    }

    fn find(&self, kid: &[u8; KID]) -> Option<Arc<Record>> {
        self.get(kid)
    }
}

pub(crate) struct Peer<C> {
    cache: C,
    /// With the pepper absorbed.
    mac: Hmac<Sha256>,
}

impl<C: Lookup> Peer<C> {
    /// Knows these keys as keys of that tenant.
    pub(crate) fn knowing(keys: &[String], tenant: &str) -> Self {
        let peer = Self {
            cache: C::with_capacity(2 * keys.len()),
            mac: Hmac::new_from_slice(&[7; 32]).expect("every length is good"),
        };
        for key in keys {
            let (kid, _) = parts(key);
            let record = Record {
                tenant: tenant.into(),
                hash: peer.hash(key, tenant),
                until: Duration::MAX,
            };
            peer.cache.put(*kid, Arc::new(record));
        }
        peer
    }

    /// Who presents this key, if it was not mistyped, and the record is not too old.
    pub(crate) fn validate(&self, text: &str) -> Option<Arc<Record>> {
        let (content, checksum) = text.split_at(text.len() - CHECKSUM);
        let now = SystemClock::new().monotonic();
        if encode(crc32fast::hash(content.as_bytes())) != checksum.as_bytes() {
            return None;
        }
        self.look_up(text).filter(|record| now < record.until)
    }

    /// HMAC and look-up alone.
    pub(crate) fn look_up(&self, text: &str) -> Option<Arc<Record>> {
        let (kid, secret) = parts(text);
        let record = self.cache.find(kid)?;
        let mac = self.mac(kid, &record.tenant, secret);
        mac.verify_slice(&record.hash).ok()?;
        Some(record)
    }

    /// What is kept of a key of this tenant.
    pub(crate) fn hash(&self, text: &str, tenant: &str) -> [u8; 32] {
        let (kid, secret) = parts(text);
        self.mac(kid, tenant, secret).finalize().into_bytes().into()
    }

    /// The tag of the kid, as it is checked of one that is not cached.
    pub(crate) fn tag(&self, text: &str) -> [u8; 32] {
        let mut mac = self.mac.clone();
        mac.update(&parts(text).0[..15]);
        mac.finalize().into_bytes().into()
    }

    fn mac(&self, kid: &[u8; KID], tenant: &str, secret: &[u8]) -> Hmac<Sha256> {
        let length = |bytes: usize| u32::try_from(bytes).expect("it is short").to_be_bytes();
        let mut mac = self.mac.clone();
        mac.update(b"portcullis/apikey/v1\0");
        mac.update(&length(KID));
        mac.update(kid);
        mac.update(&length(tenant.len()));
        mac.update(tenant.as_bytes());
        mac.update(secret);
        mac
    }
}

pub(crate) fn encode(mut number: u32) -> [u8; CHECKSUM] {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut digits = [0; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(number % 62) as usize];
        number /= 62;
    }
    digits
}

fn parts(text: &str) -> (&[u8; KID], &[u8]) {
    let (rest, _checksum) = text.as_bytes().split_at(text.len() - CHECKSUM);
    let (rest, secret) = rest.split_at(rest.len() - SECRET);
    let kid = rest[..rest.len() - 1].last_chunk().expect("a kid is there");
    (kid, secret)
}
