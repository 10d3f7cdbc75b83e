//! The commands of the page, by section and step.

/// The page itself.
pub(super) const PAGE: &str = include_str!("../../../../../docs/guidelines/security-privacy.md");

/// The commands of a step as they stand there, behind those that each shell runs first.
pub(super) fn commands(section: &str, step: usize) -> String {
    with_preamble(blocks(section)[step - 1])
}

/// How many steps a section has.
pub(super) fn count(section: &str) -> usize {
    blocks(section).len()
}

/// Other commands behind those that each shell runs first.
pub(super) fn with_preamble(commands: &str) -> String {
    let preamble = blocks("Before each rotation");
    let [preamble] = preamble.as_slice() else {
        panic!("{preamble:?}")
    };
    format!("{preamble}\n{commands}")
}

fn blocks(section: &str) -> Vec<&'static str> {
    let (_, text) = PAGE.split_once(&format!("\n## {section}\n")).unwrap();
    let text = text.split_once("\n## ").map_or(text, |(text, _)| text);
    let blocks = text.split("```sh\n").skip(1);
    blocks.map(|it| it.split_once("```").unwrap().0).collect()
}
