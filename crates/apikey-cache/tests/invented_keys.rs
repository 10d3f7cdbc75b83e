//! A million keys that nobody issued. On its own, so that nothing else counts as its memory.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, num::NonZeroUsize, pin::pin, sync::Arc};

use futures_util::FutureExt;
use portcullis_apikey_cache::{
    ApiKey, ApiKeyCache, CacheStats, Denied, NewKey, Peppers, Tier, clock::FakeClock,
    secrets::VersionedSecrets, store::MemoryKeyStore,
};
use secrecy::SecretBox;

const INVENTED: usize = 1_000_000;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Where the kid begins in `pcl_live_<kid>_<secret><checksum>`, and what its random part, the version of its
/// tag's key and its tag take.
const KID: usize = "pcl_live_".len();
const RANDOM: usize = 12;
const VERSION: usize = 3;
const TAG: usize = 7;
const CHECKSUM: usize = 6;

/// Keys that differ from an issued one in their kid, each formed as a key is: with the version of a pepper that
/// is there, and a checksum that fits.
struct Inventor {
    text: Vec<u8>,
    state: u64,
}

impl Inventor {
    fn after(issued: &ApiKey) -> Self {
        Self {
            text: issued.hazmat_expose().into(),
            state: 1,
        }
    }

    fn next(&mut self) -> &str {
        for at in (0..RANDOM).chain(RANDOM + VERSION..RANDOM + VERSION + TAG) {
            self.text[KID + at] = DIGITS[self.random() % 62];
        }
        let content = self.text.len() - CHECKSUM;
        let mut checksum = crc32fast::hash(&self.text[..content]) as usize;
        for digit in self.text[content..].iter_mut().rev() {
            *digit = DIGITS[checksum % 62];
            checksum /= 62;
        }
        str::from_utf8(&self.text).unwrap()
    }

    /// xorshift64: it has to be quick, and the same each time.
    fn random(&mut self) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 33) as usize
    }
}

/// Bytes that lie in memory now.
fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kilobytes.expect("a number of kB") * 1_024
}

/// Validates so many invented keys.
async fn flood(cache: &ApiKeyCache, inventor: &mut Inventor, keys: usize) {
    for _ in 0..keys {
        let key = ApiKey::parse(inventor.next()).unwrap();
        assert!(matches!(
            cache.validate(&key).await,
            Err(Denied::Unauthorized)
        ));
    }
}

#[tokio::test]
async fn a_million_invented_keys_read_nothing_and_leave_memory_flat() {
    let store = Arc::new(MemoryKeyStore::new());
    let secret = SecretBox::new(Box::new([7; 32]));
    let peppers = Peppers::new(VersionedSecrets::single(secret)).unwrap();
    // A clock that stands still: what was confirmed stays so.
    let cache = ApiKeyCache::builder(store.clone(), store, peppers)
        .capacity(NonZeroUsize::new(1_000).unwrap())
        .clock(Arc::new(FakeClock::default()))
        .build();
    let mut follower = pin!(cache.follow());
    assert_eq!((&mut follower).now_or_never(), None);
    let new = NewKey::new("honest".parse().unwrap(), Tier::FREE, "".parse().unwrap());
    let honest = cache.issue(new).await.unwrap().into_key();
    assert!(cache.validate(&honest).await.is_ok());

    let mut inventor = Inventor::after(&honest);
    flood(&cache, &mut inventor, INVENTED / 10).await;
    let early = resident_bytes();
    flood(&cache, &mut inventor, INVENTED * 9 / 10).await;
    let grown = resident_bytes().saturating_sub(early);
    assert!(grown <= 1 << 20, "{grown} bytes for 900,000 keys more");

    assert!(cache.validate(&honest).await.is_ok());
    let CacheStats {
        entries,
        hits,
        misses,
        negative_hits,
        direct_validations,
        prefilter_rejects,
        loads,
        ..
    } = cache.stats();
    assert_eq!(prefilter_rejects, INVENTED as u64);
    assert_eq!((entries, hits, misses, loads), (1, 1, 1, 1));
    assert_eq!((negative_hits, direct_validations), (0, 0));
}
