//! What a file remembers of its secrets and policies, for those who only look.

use std::{fs, path::Path};

use sqlx::{
    ConnectOptions as _, Connection as _, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteExecutor, SqlitePoolOptions},
};

use super::{
    checks, erasure,
    failure::Failure,
    notes::{self, Note},
    open::OPENING_TIMEOUT,
    policies, unique_fields,
};
use crate::{
    lead::UniqueFields,
    store::{NotedErasures, PolicyKind, Remembered, StoreError, UniqueFieldsError},
};

/// Nothing if there is no file, or none that was written to.
pub(crate) async fn remembered(path: &Path) -> Result<Option<Remembered>, StoreError> {
    if fs::metadata(path).map_or(0, |file| file.len()) == 0 {
        return Ok(None);
    }
    let mut connection = options(path).connect().await.map_err(Failure::from)?;
    let remembered = read(&mut connection).await?;
    connection.close().await.map_err(Failure::from)?;
    Ok(remembered)
}

/// Whether a start could hold the fields unique: they are those that are held, and leads share no value of one;
/// nothing is written.
pub(crate) async fn check_unique(
    path: &Path,
    fields: &UniqueFields,
) -> Result<Result<(), UniqueFieldsError>, StoreError> {
    if fs::metadata(path).map_or(0, |file| file.len()) == 0 {
        return Ok(Ok(()));
    }
    let mut connection = options(path).connect().await.map_err(Failure::from)?;
    let checked = match unique_fields::compare(held(&mut connection).await?, fields) {
        Ok(()) => count_shared(&mut connection, fields).await?,
        differ => differ,
    };
    connection.close().await.map_err(Failure::from)?;
    Ok(checked)
}

/// The fields that are held, as far as the database says it.
async fn held(connection: &mut SqliteConnection) -> Result<Option<String>, Failure> {
    if let Some(held) = noted(connection, Note::UniqueFields).await? {
        return Ok(Some(held));
    }
    let mut names = Vec::new();
    for column in unique_fields::others() {
        if exists(&mut *connection, &unique_fields::name(column)).await? {
            names.push(column.name());
        }
    }
    Ok(unique_fields::of_indexes(names))
}

async fn noted(connection: &mut SqliteConnection, note: Note) -> Result<Option<String>, Failure> {
    // An earlier version's database has no notes.
    if !exists(&mut *connection, "sweep_cursor").await? {
        return Ok(None);
    }
    let [table, sweep] = note.place();
    let noted = sqlx::query_scalar(notes::FIND).bind(table).bind(sweep);
    Ok(noted.fetch_optional(connection).await?)
}

async fn count_shared(
    connection: &mut SqliteConnection,
    fields: &UniqueFields,
) -> Result<Result<(), UniqueFieldsError>, Failure> {
    if !exists(&mut *connection, "lead_index").await? {
        return Ok(Ok(()));
    }
    for column in unique_fields::wanted(fields) {
        let shared = sqlx::query_scalar(unique_fields::DUPLICATES).bind(column.field());
        let shared: i64 = shared.fetch_one(&mut *connection).await?;
        if shared > 0 {
            return Ok(Err(UniqueFieldsError::Shared {
                field: column.name(),
                duplicates: shared.unsigned_abs(),
            }));
        }
    }
    Ok(Ok(()))
}

/// Which erasures a database knows of; nothing is written.
pub(crate) async fn noted_erasures(path: &Path) -> Result<NotedErasures, StoreError> {
    if fs::metadata(path).map_or(0, |file| file.len()) == 0 {
        return Ok(NotedErasures::default());
    }
    let mut connection = options(path).connect().await.map_err(Failure::from)?;
    let noted = read_noted(&mut connection).await?;
    connection.close().await.map_err(Failure::from)?;
    Ok(noted)
}

async fn read_noted(connection: &mut SqliteConnection) -> Result<NotedErasures, Failure> {
    // An earlier version's database has not both.
    for table in ["sweep_cursor", "keyring_erased_tenant"] {
        if !exists(&mut *connection, table).await? {
            return Ok(NotedErasures::default());
        }
    }
    let count: i64 = sqlx::query_scalar(erasure::NOTED)
        .fetch_one(&mut *connection)
        .await?;
    Ok(NotedErasures {
        count: count.unsigned_abs(),
        file: noted(connection, Note::ErasuresFile).await?,
    })
}

/// A connection that only reads, to a file that nobody has to have opened, if it has this table.
pub(crate) async fn reading_if_it_has(
    path: &Path,
    table: &str,
) -> Result<Option<SqlitePool>, StoreError> {
    let pool = SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect_lazy_with(options(path));
    let exists = exists(&pool, table).await?;
    Ok(exists.then_some(pool))
}

async fn exists(executor: impl SqliteExecutor<'_>, table: &str) -> Result<bool, Failure> {
    let statement = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = ?)";
    let exists = sqlx::query_scalar(statement).bind(table);
    Ok(exists.fetch_one(executor).await?)
}

fn options(path: &Path) -> SqliteConnectOptions {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        // Nobody has it open: SQLite would put files beside it.
        .immutable(!Path::new(&log).exists())
        .busy_timeout(OPENING_TIMEOUT)
}

async fn read(connection: &mut SqliteConnection) -> Result<Option<Remembered>, Failure> {
    if !checks::any(&mut *connection).await? {
        return Ok(None);
    }
    Ok(Some(Remembered {
        checks: checks::all(&mut *connection).await?,
        index_state: checks::index_state_now(&mut *connection).await?,
        policies: set_policies(connection).await?,
    }))
}

/// An earlier version may have left no table of a kind.
async fn set_policies(
    connection: &mut SqliteConnection,
) -> Result<Vec<(PolicyKind, String)>, Failure> {
    let mut set = Vec::new();
    for kind in PolicyKind::ALL {
        if !exists(&mut *connection, policies::table(kind)).await? {
            continue;
        }
        let row = sqlx::query_scalar(policies::finding(kind));
        let text: Option<String> = row.fetch_optional(&mut *connection).await?;
        set.extend(text.map(|text| (kind, text)));
    }
    Ok(set)
}
