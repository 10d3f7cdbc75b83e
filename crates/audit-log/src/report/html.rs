//! A report as a page.

use super::Report;

/// Nothing is loaded, run or sent from the page, whatever is in it.
const HEAD: &str = "<meta charset=\"utf-8\">\n\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
    <meta name=\"referrer\" content=\"no-referrer\">\n\
    <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
    base-uri 'none'; form-action 'none'\">\n\
    <style>\n\
    body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; \
    color: #1b1f24; background: #fff }\n\
    table { border-collapse: collapse; margin: 1rem 0; width: 100% }\n\
    caption { text-align: left; font-weight: 600; font-size: 1.2rem; padding: .5rem 0 }\n\
    th, td { border-bottom: 1px solid #c8ccd0; padding: .3rem .6rem; text-align: left; overflow-wrap: anywhere }\n\
    @media print { table { break-inside: avoid } }\n\
    </style>\n";

impl Report {
    /// The report as a page of its own, with nothing outside it.
    #[must_use]
    pub fn to_html(&self, title: &str) -> String {
        let title = escaped(title);
        let mut out = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n{HEAD}<title>{title}</title>\n</head>\n<body>\n<main>\n\
             <h1>{title}</h1>\n<p>From {} to {}</p>\n<p>Score: <strong>{}</strong></p>\n",
            self.period.from,
            self.period.to,
            escaped(&self.score_text()),
        );
        for section in self.sections() {
            out += &format!("<table>\n<caption>{}</caption>\n", escaped(section.title));
            let columns = section.columns.iter();
            let columns: String = columns
                .map(|name| format!("<th scope=\"col\">{}</th>", escaped(name)))
                .collect();
            out += &format!("<thead><tr>{columns}</tr></thead>\n<tbody>\n");
            if section.rows.is_empty() {
                out += &format!(
                    "<tr><td colspan=\"{}\">None</td></tr>\n",
                    section.columns.len()
                );
            }
            for cells in section.rows {
                let cells: String = cells
                    .iter()
                    .map(|cell| format!("<td>{}</td>", escaped(cell)))
                    .collect();
                out += &format!("<tr>{cells}</tr>\n");
            }
            out += "</tbody>\n</table>\n";
        }
        out += "</main>\n</body>\n</html>\n";
        out
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(char),
        }
    }
    out
}
