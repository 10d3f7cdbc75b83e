//! What a database notes for all of its processes, in `sweep_cursor` beside where sweeps are. No sweep has these
//! names.

use rusqlite::{Connection, OptionalExtension as _};

use super::failure::Failure;

/// Something that is noted, as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Note {
    /// How many erasures the file of erasures has.
    Erasures,
    /// Which file that is.
    ErasuresFile,
    /// How often rows were deleted of which something may still be there.
    ToShred,
    /// Of how many of those nothing is.
    Shredded,
    /// Of which fields the processes of the database hold a value unique.
    UniqueFields,
    /// Of which tenant old rows are deleted, and how far was looked for events.
    OldEvents,
    /// The same for leads.
    OldLeads,
}

/// To be given a table and a sweep.
pub(super) const FIND: &str = r#"SELECT cursor FROM sweep_cursor WHERE "table" = ? AND sweep = ?"#;

impl Note {
    /// The table and the sweep that it stands under.
    pub(super) const fn place(self) -> [&'static str; 2] {
        match self {
            Self::Erasures => ["erasures", "noted"],
            Self::ErasuresFile => ["erasures", "file"],
            Self::ToShred => ["erasures", "to shred"],
            Self::Shredded => ["erasures", "shredded"],
            Self::UniqueFields => ["lead", "unique fields"],
            Self::OldEvents => ["event", "old rows"],
            Self::OldLeads => ["lead", "old rows"],
        }
    }

    pub(super) fn find(self, connection: &Connection) -> Result<Option<String>, Failure> {
        let found = connection
            .prepare_cached(FIND)?
            .query_row(self.place(), |row| row.get(0));
        Ok(found.optional()?)
    }

    pub(super) fn set(self, connection: &Connection, text: &str) -> Result<(), Failure> {
        let [table, sweep] = self.place();
        let set = r#"INSERT INTO sweep_cursor ("table", sweep, cursor) VALUES (?, ?, ?)
            ON CONFLICT ("table", sweep) DO UPDATE SET cursor = excluded.cursor"#;
        connection
            .prepare_cached(set)?
            .execute([table, sweep, text])?;
        Ok(())
    }

    pub(super) fn forget(self, connection: &Connection) -> Result<(), Failure> {
        let forget = r#"DELETE FROM sweep_cursor WHERE "table" = ? AND sweep = ?"#;
        connection.prepare_cached(forget)?.execute(self.place())?;
        Ok(())
    }
}
