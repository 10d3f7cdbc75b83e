//! Secrets that everybody knows: those of standards, of examples, and hashes of words.

use std::{collections::HashSet, sync::LazyLock};

use ring::digest::{
    Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512, SHA512_256, digest,
};

use super::Key;

/// Every known key, and the known tokens that are no key.
pub(super) struct Known {
    keys: HashSet<Key>,
    texts: HashSet<String>,
}

const ALGORITHMS: [&Algorithm; 4] = [&SHA256, &SHA384, &SHA512, &SHA512_256];

impl Known {
    /// The tables, made at their first use.
    pub(super) fn tables() -> &'static Self {
        static TABLES: LazyLock<Known> = LazyLock::new(Known::new);
        &TABLES
    }

    fn new() -> Self {
        let mut keys: HashSet<Key> = PUBLISHED.into_iter().map(key).collect();
        let printed = MD5.into_iter().chain(TOKENS);
        let mut texts: HashSet<String> = printed.map(str::to_ascii_lowercase).collect();
        for word in words() {
            let mut hashes = ALGORITHMS.map(|it| digest(it, word.as_bytes())).to_vec();
            hashes.push(digest(&SHA256, hashes[0].as_ref()));
            keys.extend(hashes.iter().flat_map(|hash| halves(hash.as_ref())));
            texts.extend(hashes.iter().map(|hash| hex(hash.as_ref())));
            let short = digest(&SHA1_FOR_LEGACY_USE_ONLY, word.as_bytes());
            texts.insert(hex(short.as_ref()));
        }
        for number in 0..=9_999_u16 {
            let hash = digest(&SHA256, number.to_string().as_bytes());
            keys.extend(halves(hash.as_ref()));
        }
        for byte in 0..=u8::MAX {
            keys.extend(halves(digest(&SHA256, &[byte]).as_ref()));
            keys.extend(halves(digest(&SHA256, &[byte; 32]).as_ref()));
        }
        Self { keys, texts }
    }

    pub(super) fn has(&self, key: &Key) -> bool {
        self.keys.contains(key)
    }

    pub(super) fn has_text(&self, text: &str) -> bool {
        self.texts.contains(&text.to_ascii_lowercase())
    }

    /// Whether the key is the hash of this text, or of it with a line break as a shell adds one.
    pub(super) fn is_hash_of(key: &Key, text: &str) -> bool {
        ["", "\n"].iter().any(|end| {
            let text = format!("{text}{end}");
            let hashes = ALGORITHMS.map(|algorithm| digest(algorithm, text.as_bytes()));
            hashes
                .iter()
                .any(|hash| halves(hash.as_ref()).any(|part| part == *key))
        })
    }
}

/// What people hash: each word as it is, with a capital and in capitals, and a line break after it as
/// `echo` adds one.
fn words() -> impl Iterator<Item = String> {
    let words = WORDS.iter().flat_map(|word| {
        let capital = word.get(..1).map(str::to_ascii_uppercase);
        let capital = capital.map(|first| format!("{first}{}", &word[1..]));
        [
            word.to_string(),
            capital.unwrap_or_default(),
            word.to_ascii_uppercase(),
        ]
    });
    words.flat_map(|word| [format!("{word}\n"), word])
}

const WORDS: [&str; 129] = [
    "",
    " ",
    "a",
    "abc",
    "abcd",
    "abcdef",
    "abc123",
    "admin",
    "admin123",
    "administrator",
    "alice",
    "bar",
    "baz",
    "bob",
    "changeit",
    "changeme",
    "correct horse battery staple",
    "correcthorsebatterystaple",
    "default",
    "demo",
    "dev",
    "development",
    "dragon",
    "dummy",
    "encryption",
    "encryption key",
    "encryption-key",
    "encryptionkey",
    "example",
    "foo",
    "foobar",
    "football",
    "guest",
    "hello",
    "hello world",
    "hello, world",
    "hello, world!",
    "helloworld",
    "iloveyou",
    "index",
    "index-root",
    "ingest",
    "ingest-server",
    "kek",
    "kek1",
    "key",
    "key1",
    "letmein",
    "local",
    "localhost",
    "login",
    "master",
    "masterkey",
    "monkey",
    "my secret",
    "my-secret-key",
    "mykey",
    "mysecret",
    "mysecretkey",
    "none",
    "null",
    "p@ssw0rd",
    "pass",
    "passw0rd",
    "password",
    "password1",
    "password123",
    "pepper",
    "portcullis",
    "princess",
    "prod",
    "production",
    "qwerty",
    "root",
    "salt",
    "secret",
    "secret-key",
    "secret123",
    "secretkey",
    "supersecret",
    "test",
    "test123",
    "testing",
    "token",
    "user",
    "welcome",
    "123456",
    "123456789",
    "1234",
    "12345",
    "1234567",
    "12345678",
    "1234567890",
    "P@ssw0rd",
    "Passw0rd!",
    "password1!",
    "qwerty123",
    "true",
    "false",
    "The quick brown fox jumps over the lazy dog",
    "The quick brown fox jumps over the lazy dog.",
    "kek-1",
    "my-kek",
    "my kek",
    "root-key",
    "pepper1",
    "api-key",
    "apikey",
    "satoshi",
    "sunshine",
    "shadow",
    "superman",
    "batman",
    "trustno1",
    "111111",
    "000000",
    "secret1",
    "secret!",
    "testkey",
    "test-key",
    "test key",
    "demo-key",
    "dummykey",
    "data-key",
    "key-encryption-key",
    "index root",
    "admin-token",
    "\0",
    "\r",
];

/// Hashes of "", "password", "secret", "admin", "test", "123456" and "changeme".
const MD5: [&str; 7] = [
    "d41d8cd98f00b204e9800998ecf8427e",
    "5f4dcc3b5aa765d61d8327deb882cf99",
    "5ebe2294ecd0e0f08eab7690d2a6ee69",
    "21232f297a57a5a743894a0e4a801fc3",
    "098f6bcd4621d373cade4e832627b4f6",
    "e10adc3949ba59abbe56e057f20f883e",
    "4cb9c8a8048fd02294477fcb1a41191a",
];

/// Tokens of other products' documents.
const TOKENS: [&str; 3] = [
    "sk_test_4eC39HqLyjWDarjtT1zdp7dc",
    "sk_test_BQokikJOvBiI2HlWgH4olfQ2",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0Ijox\
     NTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
];

/// Keys that are printed where people look for one. Those with a pattern are found by it.
const PUBLISHED: [&str; 49] = [
    // NIST SP 800-38A, F.1.5: AES-256.
    "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
    // RFC 8439, 2.5.2 and A.5: Poly1305, ChaCha20-Poly1305.
    "85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b",
    "1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0",
    // RFC 7748, 6.1 and 5.2: X25519.
    "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
    "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
    "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
    "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
    "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
    // RFC 8032, 7.1: Ed25519.
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    // RFC 5869, A.1: HKDF.
    "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
    // NaCl's tests: secretbox.
    "1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389",
    // First account of test chains for contracts.
    "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    // Digits of pi and e, SHA-256's first state.
    "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89",
    "b7e151628aed2a6abf7158809cf4f3c762e7160f38b4da56a784d9045190cfef",
    "6a09e667bb67ae853c6ef372a54ff53a510e527f9b05688c1f83d9ab5be0cd19",
    // secp256k1's generator.
    "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
    // RFC 8032, 7.1: Ed25519, the tests of 1,023 bytes and of SHA(abc).
    "f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5",
    "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
    // RFC 6979, A.2.5: P-256.
    "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
    // RFC 7515, A.1: the first half of its HMAC key.
    "0323354b2b0fa5bc837e0665777ba68f5ab328e6f054c928a90f84b2d2502ebf",
    // RFC 4231, test case 1: HMAC-SHA-256.
    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    // BIP 32, test vector 1.
    "e8f32e723decf4051aefac8e2c93c9c5b214313817cdb01a1494b917c8436b35",
    // Other accounts of test chains.
    "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
    "4f3edf983ac636a65a842ce7c78d9aa706d3b113bce9c46f30d7d21715b23b1d",
    // Constants of SHA-256 and SHA-512, AES's table, P-256's generator and its b.
    "428a2f9871374491b5c0fbcfe9b5dba53956c25b59f111f1923f82a4ab1c5ed5",
    "6a09e667f3bcc908bb67ae8584caa73b3c6ef372fe94f82ba54ff53a5f1d36f1",
    "637c777bf26b6fc53001672bfed7ab76ca82c97dfa5947f0add4a2af9ca472c0",
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
    "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
    // Decimal digits of pi.
    "3141592653589793238462643383279502884197169399375105820974944592",
    // HMAC-SHA-256 of nothing with no key, SHAKE128 and SHAKE256 of nothing.
    "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad",
    "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26",
    "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f",
    // The halves of SHA3-512 and BLAKE2b-512 of nothing.
    "a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a6",
    "15b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3e301758586281dcd26",
    "786a02f742015903c6c6fd852552d272912f4740e15847618a86e217f71f5419",
    "d25e1031afee585313896444934eb04b903a685b1448b755d56f701afe9be2ce",
    // SHA-224 of nothing, with zeros.
    "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f00000000",
    // PBKDF2-HMAC-SHA-256 of "password" with "salt", once and 4,096 times (RFC 7914, 11; RFC 6070).
    "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b",
    "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a",
    // Hashes of the empty text: SHA3-256, Keccak-256, BLAKE2b-256, BLAKE2s, BLAKE3, SM3.
    "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a",
    "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
    "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8",
    "69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9",
    "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
    "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b",
];

/// The first and the last 32 bytes.
fn halves(hash: &[u8]) -> impl Iterator<Item = Key> {
    let (first, last) = (hash.first_chunk().copied(), hash.last_chunk().copied());
    first.into_iter().chain(last)
}

fn key(text: &str) -> Key {
    let mut key = [0; 32];
    for (at, byte) in key.iter_mut().enumerate() {
        let digits = text.get(2 * at..2 * at + 2);
        let value = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        *byte = value.expect("the table above has 64 digits a line");
    }
    key
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
