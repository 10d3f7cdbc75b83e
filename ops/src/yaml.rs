//! YAML, written: no more of it than the files here need.

use std::fmt::Write as _;

/// What a file of YAML holds.
#[derive(Debug, Clone)]
pub(crate) enum Yaml {
    /// Text; of several lines as a block.
    Text(String),
    /// A number, a duration or a truth value, as it is written.
    Plain(String),
    /// Members in this order.
    Map(Vec<(String, Self)>),
    List(Vec<Self>),
}

impl Yaml {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn plain(text: impl ToString) -> Self {
        Self::Plain(text.to_string())
    }

    pub(crate) fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(items.into_iter().collect())
    }

    pub(crate) fn texts(items: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::list(items.into_iter().map(Self::text))
    }

    /// The members that are there.
    pub(crate) fn map<'a>(members: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        let members = members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        Self::Map(members.collect())
    }

    /// As a file, below a comment that says where it comes from.
    pub(crate) fn file(&self) -> String {
        let mut text = "# Made by `ops generate`. Do not edit.\n".to_owned();
        self.write(&mut text, 0);
        text
    }

    fn write(&self, text: &mut String, depth: usize) {
        match self {
            Self::Map(members) => {
                for (name, value) in members {
                    indent(text, depth);
                    text.push_str(&key(name));
                    text.push(':');
                    value.write_value(text, depth + 1);
                }
            }
            Self::List(items) => {
                for item in items {
                    indent(text, depth);
                    text.push('-');
                    if let Self::Map(_) = item {
                        let mut inner = String::new();
                        item.write(&mut inner, depth + 1);
                        text.push(' ');
                        text.push_str(inner.trim_start());
                    } else {
                        item.write_value(text, depth + 1);
                    }
                }
            }
            Self::Text(_) | Self::Plain(_) => self.write_value(text, depth),
        }
    }

    /// After a name or a dash.
    fn write_value(&self, text: &mut String, depth: usize) {
        match self {
            Self::Plain(plain) => {
                let _ = writeln!(text, " {plain}");
            }
            Self::Text(value) if value.contains('\n') => {
                text.push_str(" |-\n");
                for line in value.lines() {
                    indent(text, depth);
                    text.push_str(line);
                    text.push('\n');
                }
            }
            Self::Text(value) => {
                let _ = writeln!(text, " {}", quoted(value));
            }
            Self::Map(members) if members.is_empty() => text.push_str(" {}\n"),
            Self::List(items) if items.is_empty() => text.push_str(" []\n"),
            Self::Map(_) | Self::List(_) => {
                text.push('\n');
                self.write(text, depth);
            }
        }
    }
}

fn indent(text: &mut String, depth: usize) {
    for _ in 0..depth {
        text.push_str("  ");
    }
}

/// Names are words, but for `for` and paths with dots, which are words too.
fn key(name: &str) -> String {
    let is_word = name
        .chars()
        .all(|it| it.is_ascii_alphanumeric() || "_-./".contains(it));
    if is_word {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// A string of JSON is one of YAML.
fn quoted(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_lists_and_blocks_are_written_as_yaml_reads_them() {
        let value = Yaml::map([
            ("name", Yaml::text("a: \"b\"")),
            ("for", Yaml::plain("30s")),
            ("empty", Yaml::list([])),
            (
                "rules",
                Yaml::list([Yaml::map([
                    ("expr", Yaml::text("x\nand y")),
                    ("labels", Yaml::map([("severity", Yaml::text("page"))])),
                ])]),
            ),
            ("words", Yaml::texts(["a", "b"])),
        ]);
        let expected = "\
# Made by `ops generate`. Do not edit.
name: \"a: \\\"b\\\"\"
for: 30s
empty: []
rules:
  - expr: |-
      x
      and y
    labels:
      severity: \"page\"
words:
  - \"a\"
  - \"b\"
";
        assert_eq!(value.file(), expected);
    }
}
