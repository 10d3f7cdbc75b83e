//! Texts that come with every event of a request, and in which nothing was found once: the source of the
//! events, the schema they follow, the names of their members.

/// How many are remembered; each text that is looked for is compared with them.
const MOST: usize = 16;

/// The longest that is remembered, with its name.
const LONGEST: usize = 256;

/// Names and texts in which one detector found nothing.
#[derive(Debug, Default)]
pub(in super::super) struct CleanTexts {
    texts: Vec<(String, String)>,
    most: usize,
}

impl CleanTexts {
    /// For so many events: of a lone one, nothing comes again.
    pub(in super::super) const fn of(events: usize) -> Self {
        Self {
            texts: Vec::new(),
            most: if events > 1 { MOST } else { 0 },
        }
    }

    pub(super) fn has(&self, name: &str, text: &str) -> bool {
        let mut texts = self.texts.iter();
        texts.any(|(clean_name, clean)| clean == text && clean_name == name)
    }

    pub(super) fn remember(&mut self, name: &str, text: &str) {
        if self.texts.len() < self.most && name.len() + text.len() <= LONGEST {
            self.texts.push((name.to_owned(), text.to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_short_texts_are_remembered_with_their_names() {
        let mut clean = CleanTexts::of(2);
        clean.remember("name", "text");
        assert!(clean.has("name", "text"));
        assert!(!clean.has("", "text") && !clean.has("name", ""));
        clean.remember("", &"x".repeat(LONGEST + 1));
        assert!(!clean.has("", &"x".repeat(LONGEST + 1)));
        for number in 0..100 {
            clean.remember("", &number.to_string());
        }
        assert_eq!(clean.texts.len(), MOST);
        assert!(clean.has("name", "text"), "the first ones stay");
    }

    #[test]
    fn of_a_lone_event_nothing_is_remembered() {
        let mut clean = CleanTexts::of(1);
        clean.remember("name", "text");
        assert!(!clean.has("name", "text"));
    }
}
