//! A report as Markdown.

use super::Report;

impl Report {
    /// The report as Markdown with tables, under a heading.
    #[must_use]
    pub fn to_markdown(&self, title: &str) -> String {
        let mut out = format!(
            "# {}\n\nFrom {} to {}\n\nScore: {}\n",
            escaped(title),
            self.period.from,
            self.period.to,
            self.score_text()
        );
        for section in self.sections() {
            out += &format!("\n## {}\n\n", section.title);
            if section.rows.is_empty() {
                out += "None.\n";
                continue;
            }
            out += &row(section.columns);
            out += &row(&vec!["---"; section.columns.len()]);
            for cells in section.rows {
                out += &row(&cells.iter().map(|cell| escaped(cell)).collect::<Vec<_>>());
            }
        }
        out
    }
}

fn row(cells: &[impl AsRef<str>]) -> String {
    let cells: Vec<_> = cells.iter().map(AsRef::as_ref).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// All that has a meaning in Markdown, and HTML in it, is text; a line stays one.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for char in text.chars() {
        match char {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '&' | '!' | '~' => {
                out.push('\\');
                out.push(char);
            }
            _ if char.is_control() => out.push(' '),
            _ => out.push(char),
        }
    }
    out
}
