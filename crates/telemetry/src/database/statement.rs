//! What a statement does, in few words.

/// What a statement does: the classes that spans and metrics tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Statement {
    /// Reads rows.
    Select,
    /// Adds rows, or replaces them.
    Insert,
    /// Changes rows.
    Update,
    /// Removes rows.
    Delete,
    /// Begins a transaction.
    Begin,
    /// Makes a transaction durable.
    Commit,
    /// Gives a transaction up.
    Rollback,
    /// Changes the schema.
    Migrate,
    /// A command of a key-value store by its name, as Redis writes it: `GET`, `EVALSHA`.
    Command(&'static str),
    /// Anything else; the conventions name it not at all.
    Other,
}

impl Statement {
    /// The class of a statement in SQL, by its verb alone. Nothing of the text is kept.
    ///
    /// Comments before the verb and common table expressions (`WITH …`) are passed over. What is no SQL
    /// is [`Other`](Self::Other).
    #[must_use]
    pub fn of_sql(text: &str) -> Self {
        let mut words = Words::new(text);
        let Some(first) = words.next() else {
            return Self::Other;
        };
        if !first.eq_ignore_ascii_case("with") {
            return Self::of_verb(first);
        }
        let mut verbs = words.map(Self::of_verb);
        let main = verbs.find(|class| {
            matches!(
                class,
                Self::Select | Self::Insert | Self::Update | Self::Delete
            )
        });
        main.unwrap_or(Self::Other)
    }

    fn of_verb(verb: &str) -> Self {
        const VERBS: [(&str, Statement); 17] = [
            ("SELECT", Statement::Select),
            ("VALUES", Statement::Select),
            ("INSERT", Statement::Insert),
            ("REPLACE", Statement::Insert),
            ("UPDATE", Statement::Update),
            ("DELETE", Statement::Delete),
            ("TRUNCATE", Statement::Delete),
            ("BEGIN", Statement::Begin),
            ("START", Statement::Begin),
            ("COMMIT", Statement::Commit),
            ("END", Statement::Commit),
            ("ROLLBACK", Statement::Rollback),
            ("ABORT", Statement::Rollback),
            ("CREATE", Statement::Migrate),
            ("ALTER", Statement::Migrate),
            ("DROP", Statement::Migrate),
            ("REINDEX", Statement::Migrate),
        ];
        let mut verbs = VERBS.into_iter();
        let found = verbs.find(|(name, _)| verb.eq_ignore_ascii_case(name));
        found.map_or(Self::Other, |(_, class)| class)
    }

    /// `db.operation.name`.
    pub(super) const fn operation(self) -> Option<&'static str> {
        match self {
            Self::Select => Some("SELECT"),
            Self::Insert => Some("INSERT"),
            Self::Update => Some("UPDATE"),
            Self::Delete => Some("DELETE"),
            Self::Begin => Some("BEGIN"),
            Self::Commit => Some("COMMIT"),
            Self::Rollback => Some("ROLLBACK"),
            Self::Migrate => Some("MIGRATE"),
            Self::Command(name) => Some(name),
            Self::Other => None,
        }
    }
}

/// The words of a statement outside its parentheses, quotes and comments.
struct Words<'t> {
    rest: &'t str,
    depth: usize,
}

impl<'t> Words<'t> {
    const fn new(text: &'t str) -> Self {
        Self {
            rest: text,
            depth: 0,
        }
    }

    /// What follows the first `end`, or nothing.
    fn after(&self, end: &str) -> &'t str {
        self.rest
            .split_once(end)
            .map_or("", |(_, following)| following)
    }
}

impl<'t> Iterator for Words<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        loop {
            let first = self.rest.chars().next()?;
            if self.rest.starts_with("--") {
                self.rest = self.after("\n");
                continue;
            }
            if self.rest.starts_with("/*") {
                self.rest = self.after("*/");
                continue;
            }
            if first.is_ascii_alphabetic() || first == '_' {
                let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
                let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
                let (word, rest) = self.rest.split_at(end);
                self.rest = rest;
                if self.depth == 0 {
                    return Some(word);
                }
                continue;
            }
            self.rest = &self.rest[first.len_utf8()..];
            match first {
                '(' => self.depth += 1,
                ')' => self.depth = self.depth.saturating_sub(1),
                '\'' => self.rest = self.after("'"),
                '"' => self.rest = self.after("\""),
                '`' => self.rest = self.after("`"),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sql_is_told_apart_by_its_verb() {
        for (text, class) in [
            ("SELECT 1", Statement::Select),
            (
                "  select * from lead where email = 'update'",
                Statement::Select,
            ),
            ("INSERT INTO lead VALUES (?)", Statement::Insert),
            ("insert or replace into t select 1", Statement::Insert),
            ("REPLACE INTO t VALUES (1)", Statement::Insert),
            ("UPDATE lead SET a = 1", Statement::Update),
            ("DELETE FROM lead", Statement::Delete),
            ("BEGIN IMMEDIATE", Statement::Begin),
            ("START TRANSACTION", Statement::Begin),
            ("COMMIT;", Statement::Commit),
            ("ROLLBACK TO one", Statement::Rollback),
            ("CREATE TABLE t (a)", Statement::Migrate),
            ("alter table t add b", Statement::Migrate),
            ("DROP INDEX i", Statement::Migrate),
            ("PRAGMA user_version", Statement::Other),
            ("SAVEPOINT one", Statement::Other),
            ("", Statement::Other),
            ("'SELECT'", Statement::Other),
            ("-- delete\n/* update */ select 1", Statement::Select),
            (
                "WITH gone AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM gone",
                Statement::Insert,
            ),
            (
                "with a(n) as (select ')' from t), \"update\" as (select 2) delete from t",
                Statement::Delete,
            ),
            ("WITH unfinished AS (SELECT 1", Statement::Other),
            ("/* unfinished", Statement::Other),
        ] {
            assert_eq!(Statement::of_sql(text), class, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_a_class(text in ".{0,60}") {
            let _ = Statement::of_sql(&text);
        }
    }
}
