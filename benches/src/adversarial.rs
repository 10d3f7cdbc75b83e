//! Texts made to be slow: what promises a finding at every byte and never is one.

/// How long each of them is: the longest body that the reference service takes.
pub const BYTES: usize = 1024 * 1024;

/// A text that promises much: what is said over and over, and what ends it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Adversary {
    /// Its name in the table of results.
    pub name: &'static str,
    unit: &'static str,
    end: &'static str,
}

/// All of them, by what they are meant to hurt.
pub const ALL: &[Adversary] = &[
    // Looking back from each `@` for the start of a local part, and ahead for the end of a domain.
    adversary("at_signs", "@", ""),
    adversary("one_letter_addresses", "a@", ""),
    adversary("long_local_part", "a", "@"),
    adversary("long_domain", "a.", ""),
    adversary("labels_without_end", "a@a.", ""),
    adversary("quoted_local_parts", "\"", "@example.com"),
    adversary("open_quotes", "\"a@", ""),
    adversary("address_literals", "a@[", ""),
    adversary("encoded_at_signs", "%40", ""),
    // Runs and groups of digits, at each of which a number could begin.
    adversary("zeros", "0", ""),
    adversary("ones_and_nines", "19", ""),
    adversary("card_prefix", "4", ""),
    adversary("card_groups", "4111 ", ""),
    adversary("card_but_for_its_check_digit", "4111 1111 1111 1112 ", ""),
    adversary("single_digits", "4 ", ""),
    adversary("pairs_of_zeros", "00 ", ""),
    adversary("pairs_of_digits", "01 ", ""),
    adversary("dialled_abroad", "011 ", ""),
    adversary("dashed_digits", "1-", ""),
    adversary("plus_signs", "+", ""),
    adversary("plus_and_digit", "+1 ", ""),
    adversary("brackets", "(", ""),
    adversary("bracketed_digits", "(1", ""),
    adversary("bracketed_area", "(415) ", ""),
    adversary("dots_and_digits", "1.", ""),
    adversary("slashed_digits", "1/", ""),
    adversary("cpf_but_for_its_check_digits", "529.982.247-26 ", ""),
    adversary("cpf_with_blanks", "529 982 247 26 ", ""),
    adversary("ssn_of_no_area", "000-12-3456 ", ""),
    adversary("iban_heads", "GB82 ", ""),
    adversary("iban_letters", "GB82WEST", ""),
    adversary("address_bytes", "255.", ""),
    adversary("colons", "::", ""),
    adversary("hexadecimal_groups", "fe80:", ""),
    // Words before and after which something else is said of a number.
    adversary("names_of_numbers", "phone cpf ssn iban card ", ""),
    adversary("names_and_digits", "cpf 1 phone 2 ", ""),
    adversary("ports_and_remotes", "git@a:", ""),
    adversary("resource_names", "arn:aws:", ""),
    // Heads of keys and tokens.
    adversary("key_prefixes", "pcl_", ""),
    adversary("token_prefixes", "ghp_sk_live_AKIA", ""),
    adversary("token_dots", "eyJ.", ""),
    adversary("token_heads", "eyJhbGciOiJIUzI1NiJ9.", ""),
    adversary("private_key_heads", "-----BEGIN ", ""),
    adversary("underscores", "_", ""),
    // Encodings within encodings, and those that never end.
    adversary("percent_signs", "%", ""),
    adversary("percent_of_percent", "%25", ""),
    adversary("percent_of_percent_at", "%2540", ""),
    adversary("ampersands", "&", ""),
    adversary("entities_of_entities", "&amp;", ""),
    adversary("entities_thrice", "&amp;amp;#64;", ""),
    adversary("open_entities", "&#", ""),
    adversary("entity_digits", "&#48;", ""),
    adversary("escapes", "\\u0040", ""),
    // Characters that vanish, that unfold to many, or that are digits of another script.
    adversary("zero_width", "\u{200B}", ""),
    adversary("soft_hyphens_between", "a\u{AD}", ""),
    adversary("invisible_between_digits", "4\u{2060}", ""),
    adversary("full_width_digits", "\u{FF14}", ""),
    adversary("arabic_digits", "\u{664}", ""),
    adversary("arabic_single_digits", "\u{664} ", ""),
    adversary("full_width_at_signs", "a\u{FF20}", ""),
    adversary("longest_unfolding", "\u{FDFA}", ""),
    adversary("combining_marks", "a\u{301}", ""),
    adversary("marks_without_end", "\u{301}", ""),
    adversary("marks_out_of_order", "\u{345}\u{323}\u{301}", ""),
    adversary("jamo", "\u{1112}\u{1161}\u{11AB}", ""),
    adversary("no_break_spaces", "4\u{A0}", ""),
    adversary("en_dashes", "1\u{2013}", ""),
];

const fn adversary(name: &'static str, unit: &'static str, end: &'static str) -> Adversary {
    Adversary { name, unit, end }
}

impl Adversary {
    /// The text, of [`BYTES`] or a few less.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.unit.repeat((BYTES - self.end.len()) / self.unit.len());
        text.push_str(self.end);
        text
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_has_a_name_of_its_own_and_fills_a_body() {
        let names: HashSet<_> = ALL.iter().map(|adversary| adversary.name).collect();
        assert_eq!(names.len(), ALL.len());
        for adversary in ALL {
            let length = adversary.text().len();
            assert!(
                (BYTES - 32..=BYTES).contains(&length),
                "{}: {length}",
                adversary.name
            );
        }
    }
}
