//! Unique values, each for one place that data comes in at, and the search for all of them in all their forms.

use std::{collections::BTreeSet, io::Read as _};

use aho_corasick::AhoCorasick;
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use flate2::read::MultiGzDecoder;

use crate::forms::forms;

/// Everything that was put somewhere.
#[derive(Debug, Default)]
pub(super) struct Canaries(Vec<Canary>);

/// A value, and where it was put.
#[derive(Debug, Clone)]
struct Canary {
    place: String,
    value: String,
}

impl Canaries {
    /// A word that no pattern recognises: what shows it wrote it down as it came.
    pub(super) fn word(&mut self, place: &str) -> String {
        let value = format!("kX{:03}Qcanary", self.0.len());
        self.add(place, &value)
    }

    /// An e-mail address.
    pub(super) fn email(&mut self, place: &str) -> String {
        let value = format!("canary.{:03}@q7x-sealed.example", self.0.len());
        self.add(place, &value)
    }

    /// Both, so that what hides one of them by its pattern still shows the other.
    pub(super) fn text(&mut self, place: &str) -> String {
        format!("{} {}", self.word(place), self.email(place))
    }

    /// A value that has to have a form of its own.
    pub(super) fn add(&mut self, place: &str, value: &str) -> String {
        self.0.push(Canary {
            place: place.to_owned(),
            value: value.to_owned(),
        });
        value.to_owned()
    }

    pub(super) fn search(&self) -> Search<'_> {
        let (mut owners, mut patterns) = (Vec::new(), Vec::new());
        for (owner, canary) in self.0.iter().enumerate() {
            for form in forms(&canary.value) {
                owners.push(owner);
                patterns.push(form);
            }
        }
        let mut builder = AhoCorasick::builder();
        let finder = builder.ascii_case_insensitive(true).build(patterns);
        Search {
            canaries: &self.0,
            owners,
            finder: finder.unwrap(),
        }
    }
}

/// Finds all canaries in one pass.
pub(super) struct Search<'a> {
    canaries: &'a [Canary],
    /// Of each pattern, which canary it is a form of.
    owners: Vec<usize>,
    finder: AhoCorasick,
}

impl Search<'_> {
    /// Where the canaries had been put that are in these bytes, packed or not.
    pub(super) fn places_in(&self, bytes: &[u8]) -> BTreeSet<String> {
        let packed = unpacked(bytes);
        let texts = packed.iter().map(Vec::as_slice).chain([bytes]);
        let found = texts.flat_map(|text| self.finder.find_overlapping_iter(text));
        let owners: BTreeSet<usize> = found
            .map(|found| self.owners[found.pattern().as_usize()])
            .collect();
        let owners = owners.into_iter();
        owners
            .map(|owner| self.canaries[owner].place.clone())
            .collect()
    }
}

/// What was packed with gzip in these bytes, as it is or in base64.
fn unpacked(bytes: &[u8]) -> Vec<Vec<u8>> {
    const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];
    const IN_BASE64: &[u8] = b"H4sI";
    let starts = |magic: &'static [u8]| {
        let windows = bytes.windows(magic.len()).enumerate();
        windows
            .filter(move |(_, window)| *window == magic)
            .map(|(at, _)| at)
    };
    let plain = starts(&MAGIC).map(|at| bytes[at..].to_vec());
    let encoded = starts(IN_BASE64).map(|at| {
        let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
        let digits = bytes[at..].iter().copied().take_while(is_digit);
        let mut digits: Vec<u8> = digits
            .map(|byte| match byte {
                b'-' => b'+',
                b'_' => b'/',
                byte => byte,
            })
            .collect();
        digits.truncate(digits.len() / 4 * 4);
        STANDARD_NO_PAD.decode(digits).unwrap_or_default()
    });
    plain
        .chain(encoded)
        .map(|packed| {
            let mut text = Vec::new();
            // What is cut off or none at all gives what could be read of it.
            drop(
                MultiGzDecoder::new(&*packed)
                    .take(16 << 20)
                    .read_to_end(&mut text),
            );
            text
        })
        .collect()
}

#[test]
fn every_form_of_a_canary_is_found_and_its_place_is_told() {
    use std::io::Write as _;
    let mut canaries = Canaries::default();
    let text = canaries.text("a header");
    let other = canaries.text("a body");
    let search = canaries.search();
    let (_, email) = text.split_once(' ').unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(text.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let in_base64 = STANDARD_NO_PAD.encode(&packed);
    let decimal: Vec<String> = email.bytes().map(|byte| byte.to_string()).collect();
    for written in [
        format!("x{email}x").into_bytes(),
        email.to_uppercase().into_bytes(),
        hex::encode(email).into_bytes(),
        STANDARD_NO_PAD.encode(format!("-{email}-")).into_bytes(),
        STANDARD_NO_PAD.encode(format!("--{email}--")).into_bytes(),
        email.replace('@', "%40").into_bytes(),
        decimal.join(", ").into_bytes(),
        decimal.join(",").into_bytes(),
        [b"before".as_slice(), &packed, b"after"].concat(),
        format!("\"{in_base64}\"").into_bytes(),
    ] {
        let found = search.places_in(&written);
        let text = String::from_utf8_lossy(&written);
        assert_eq!(found, BTreeSet::from(["a header".to_owned()]), "{text}");
    }
    assert_eq!(
        search.places_in(other.as_bytes()),
        BTreeSet::from(["a body".to_owned()])
    );
    assert!(
        search
            .places_in(b"kX9Qcanary canary@q7x-sealed.example")
            .is_empty()
    );
}
