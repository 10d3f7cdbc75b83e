//! Samples that differ in nothing a reader looks for are shown once.

use crate::{history::HistorySample, sample::Sample};

/// What a reader looks for in a sample.
pub(super) trait Looks {
    /// Event type and detail, which are told apart as they are.
    fn told_apart(&self) -> (&str, &str);

    /// The masked payload, told apart by its look.
    fn excerpt(&self) -> &str;
}

impl Looks for Sample {
    fn told_apart(&self) -> (&str, &str) {
        (&self.event_type, &self.detail)
    }

    fn excerpt(&self) -> &str {
        &self.excerpt
    }
}

impl Looks for HistorySample {
    fn told_apart(&self) -> (&str, &str) {
        (&self.event_type, &self.detail)
    }

    fn excerpt(&self) -> &str {
        &self.excerpt
    }
}

/// The first sample of each look, and how many look like it.
pub(super) fn alike<S: Looks>(samples: &[S]) -> Vec<(&S, usize)> {
    let mut looks: Vec<(String, &S, usize)> = Vec::new();
    for sample in samples {
        let look = look(sample.excerpt());
        let known = looks
            .iter_mut()
            .find(|(known, first, _)| *known == look && first.told_apart() == sample.told_apart());
        match known {
            Some((_, _, count)) => *count += 1,
            None => looks.push((look, sample, 1)),
        }
    }
    let shown = looks.into_iter().map(|(_, sample, count)| (sample, count));
    shown.collect()
}

/// A masked excerpt without the lengths of its words and numbers: maskers write `a` for a letter and
/// `9` for a digit. An identifier stays told from a word and from a number.
fn look(excerpt: &str) -> String {
    let mut look = String::with_capacity(excerpt.len());
    let mut run = (false, false);
    for character in excerpt.chars() {
        match character {
            'a' => run.0 = true,
            '9' => run.1 = true,
            '-' if run != (false, false) => {}
            other => {
                push_run(&mut look, run);
                run = (false, false);
                look.push(other);
            }
        }
    }
    push_run(&mut look, run);
    look
}

fn push_run(look: &mut String, run: (bool, bool)) {
    match run {
        (false, false) => {}
        (true, false) => look.push('a'),
        (false, true) => look.push('9'),
        (true, true) => look.push_str("a9"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::UnixMillis;

    fn sample(event_type: &str, detail: &str, excerpt: &str) -> Sample {
        let mut sample = Sample::new("schema.type_mismatch", 1, UnixMillis::new(0));
        sample.event_type = event_type.to_owned();
        sample.detail = detail.to_owned();
        sample.excerpt = excerpt.to_owned();
        sample
    }

    #[test]
    fn samples_that_look_the_same_are_counted_and_others_are_shown() {
        let samples = [
            sample("a.b", "/x", r#"{"id":"9a99-a9","x":999}"#),
            sample("a.b", "/x", r#"{"id":"aa9a-99","x":9}"#),
            sample("a.b", "/x", r#"{"id":"aa9a-99","x":"9"}"#),
            sample("a.b", "/x", r#"{"id":"9999","x":9}"#),
            sample("a.b", "/x", r#"{"id":"aaaa","x":9}"#),
            sample("a.b", "/y", r#"{"id":"aa9a-99","x":9}"#),
            sample("a.c", "/x", r#"{"id":"aa9a-99","x":9}"#),
            sample("a.b", "/x", r#"{"id":"a9","x":99999}"#),
        ];
        let counts: Vec<usize> = alike(&samples).iter().map(|(_, count)| *count).collect();
        assert_eq!(counts, [3, 1, 1, 1, 1, 1]);
        assert_eq!(alike::<Sample>(&[]), []);
    }
}
