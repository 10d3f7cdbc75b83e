//! Keys and tokens of third parties, a line for each shape.

use std::ops::RangeInclusive;

/// A prefix and a word of known letters and length.
pub(super) struct Shape {
    /// The name under which it is reported.
    pub(super) rule: &'static str,
    pub(super) prefixes: &'static [&'static str],
    pub(super) alphabet: Alphabet,
    /// How many characters follow the prefix.
    pub(super) lengths: RangeInclusive<usize>,
}

/// The characters behind a prefix.
#[derive(Clone, Copy)]
pub(super) enum Alphabet {
    /// `0-9a-f`
    Hex,
    /// `0-9A-Z`
    Upper,
    /// `0-9A-Za-z`
    Alnum,
    /// The same and `_`.
    Word,
    /// The same, `_` and `-`: Base64 for URLs.
    Url,
    /// The same and `.`.
    Dotted,
    /// Base64: letters, digits, `+`, `/` and `=`.
    Base64,
}

const fn shape(
    rule: &'static str,
    prefixes: &'static [&'static str],
    alphabet: Alphabet,
    lengths: RangeInclusive<usize>,
) -> Shape {
    Shape {
        rule,
        prefixes,
        alphabet,
        lengths,
    }
}

/// As long as the word goes.
pub(super) const MAX: usize = usize::MAX;

use Alphabet::{Alnum, Base64, Dotted, Hex, Upper, Url, Word};

/// Where one prefix begins another, the longer one stands first.
pub(super) const SHAPES: &[Shape] = &[
    shape("age_secret_key", &["AGE-SECRET-KEY-1"], Upper, 58..=58),
    shape("anthropic_key", &["sk-ant-"], Url, 32..=MAX),
    shape("atlassian_token", &["ATATT3x"], Url, 100..=MAX),
    shape("aws_access_key_id", &["AKIA", "ASIA"], Upper, 16..=16),
    shape(
        "azure_account_key",
        &["AccountKey=", "SharedAccessKey="],
        Base64,
        40..=MAX,
    ),
    shape("databricks_token", &["dapi"], Hex, 32..=32),
    shape(
        "digitalocean_token",
        &["dop_v1_", "doo_v1_", "dor_v1_"],
        Hex,
        64..=64,
    ),
    shape("docker_token", &["dckr_pat_"], Url, 27..=MAX),
    shape("figma_token", &["figd_"], Url, 40..=MAX),
    shape(
        "github_token",
        &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        Alnum,
        36..=255,
    ),
    shape("github_token", &["github_pat_"], Word, 82..=255),
    shape(
        "gitlab_token",
        &[
            "glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "glsoat-", "gloas-", "glft-", "glimt-",
            "glagent-",
        ],
        Dotted,
        20..=MAX,
    ),
    shape("google_api_key", &["AIza"], Url, 35..=35),
    shape("google_oauth_secret", &["GOCSPX-"], Url, 28..=28),
    shape("google_oauth_token", &["ya29."], Url, 20..=MAX),
    shape("grafana_token", &["glsa_"], Word, 41..=41),
    shape("groq_key", &["gsk_"], Alnum, 52..=52),
    shape("huggingface_token", &["hf_"], Alnum, 34..=40),
    shape("linear_key", &["lin_api_"], Alnum, 40..=40),
    shape("new_relic_key", &["NRAK-"], Upper, 27..=27),
    shape("npm_token", &["npm_"], Alnum, 36..=36),
    shape(
        "openai_key",
        &["sk-proj-", "sk-svcacct-", "sk-admin-", "sk-or-v1-", "sk-"],
        Url,
        40..=MAX,
    ),
    shape("postman_key", &["PMAK-"], Url, 59..=59),
    shape("pypi_token", &["pypi-"], Url, 50..=MAX),
    shape("rubygems_key", &["rubygems_"], Hex, 48..=48),
    shape("sendgrid_key", &["SG."], Dotted, 66..=66),
    shape("sentry_token", &["sntryu_"], Hex, 64..=64),
    shape(
        "shopify_token",
        &["shpat_", "shpca_", "shppa_", "shpss_"],
        Hex,
        32..=32,
    ),
    shape(
        "slack_token",
        &[
            "xoxa-", "xoxb-", "xoxe-", "xoxp-", "xoxr-", "xoxs-", "xapp-",
        ],
        Url,
        16..=MAX,
    ),
    shape("square_token", &["sq0atp-", "sq0csp-"], Url, 22..=43),
    shape(
        "stripe_key",
        &["sk_live_", "sk_test_", "rk_live_", "rk_test_"],
        Alnum,
        16..=255,
    ),
    shape("stripe_webhook_secret", &["whsec_"], Base64, 32..=255),
    shape("twilio_key", &["SK"], Hex, 32..=32),
    shape("vault_token", &["hvs.", "hvb.", "hvr."], Url, 24..=MAX),
];

impl Shape {
    /// Whether it is handed out on purpose, as what stands before it says: a presigned URL names the
    /// key that signed it, without which it is good for nothing.
    pub(super) fn is_public(&self, before: &[u8]) -> bool {
        const NAME: &[u8] = b"x-amz-credential";
        const MAX_SIGNS: usize = 6;
        if self.rule != "aws_access_key_id" {
            return false;
        }
        let before = before.strip_suffix(b"%3D").unwrap_or(before);
        let signs = before.iter().rev().take(MAX_SIGNS);
        let signs = signs.take_while(|b| b"=:\"' \\".contains(b)).count();
        let name = before[..before.len() - signs].last_chunk::<{ NAME.len() }>();
        name.is_some_and(|name| name.eq_ignore_ascii_case(NAME))
    }
}

impl Alphabet {
    pub(super) const fn contains(self, b: u8) -> bool {
        match self {
            Self::Hex => matches!(b, b'0'..=b'9' | b'a'..=b'f'),
            Self::Upper => matches!(b, b'0'..=b'9' | b'A'..=b'Z'),
            Self::Alnum => b.is_ascii_alphanumeric(),
            Self::Word => b.is_ascii_alphanumeric() || b == b'_',
            Self::Url => b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'),
            Self::Dotted => b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'),
            Self::Base64 => b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='),
        }
    }

    /// Whether a body of this alphabet was drawn and not written: words joined by hyphens are names of
    /// classes, `sk-button-primary-large-with-icon-and-label`.
    pub(super) fn is_random(self, body: &[u8]) -> bool {
        /// No word of prose or of a programming language has as many.
        const NO_WORD: usize = 20;
        match self {
            Self::Url | Self::Dotted | Self::Word => {
                let pieces = || body.split(|b| !b.is_ascii_alphanumeric());
                let longest = pieces().map(<[u8]>::len).max().unwrap_or_default();
                let has = |is: fn(&u8) -> bool| body.iter().any(is);
                // Where letters are drawn, more than half of them are of another class than the one
                // before; where they are words in camel case, a third at most.
                let pairs = pieces().flat_map(|piece| piece.windows(2));
                let changes = pairs
                    .filter(|pair| class(pair[0]) != class(pair[1]))
                    .count();
                let digits = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
                digits && longest >= 10 || longest >= NO_WORD || changes * 5 >= body.len() * 2
            }
            _ => true,
        }
    }
}

/// Upper case, lower case, or a digit.
fn class(b: u8) -> (bool, bool) {
    (b.is_ascii_uppercase(), b.is_ascii_digit())
}
