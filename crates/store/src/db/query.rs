//! One statement with its values, on either driver.

use futures::TryStreamExt;
use futures::stream::BoxStream;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{
    Arguments, Decode, Encode, Executor, PgConnection, PgPool, Postgres, Row as _, SqlSafeStr as _, SqlStr, Sqlite,
    SqliteConnection, SqlitePool, Type,
};

use crate::{StoreError, crash};

/// What may be bound: encoded alike by both drivers.
pub(crate) trait ToSql<'q>: Type<Sqlite> + Encode<'q, Sqlite> + Type<Postgres> + Encode<'q, Postgres> {}
impl<'q, T> ToSql<'q> for T where T: Type<Sqlite> + Encode<'q, Sqlite> + Type<Postgres> + Encode<'q, Postgres> {}

/// What may be read: decoded alike by both drivers.
pub(crate) trait FromSql:
    Type<Sqlite> + for<'r> Decode<'r, Sqlite> + Type<Postgres> + for<'r> Decode<'r, Postgres>
{
}
impl<T> FromSql for T where T: Type<Sqlite> + for<'r> Decode<'r, Sqlite> + Type<Postgres> + for<'r> Decode<'r, Postgres> {}

enum On<'a> {
    SqlitePool(&'a SqlitePool, SqliteArguments),
    Sqlite(&'a mut SqliteConnection, SqliteArguments),
    PostgresPool(&'a PgPool, PgArguments),
    Postgres(&'a mut PgConnection, PgArguments),
}

/// One statement with its values.
pub(crate) struct Query<'a> {
    on: On<'a>,
    sql: SqlStr,
    bound: usize,
    refused: bool,
}

impl<'a> Query<'a> {
    pub(super) fn sqlite_pool(pool: &'a SqlitePool, sql: &'static str) -> Self {
        Self { on: On::SqlitePool(pool, SqliteArguments::default()), sql: sql.into_sql_str(), bound: 0, refused: false }
    }

    pub(super) fn sqlite(connection: &'a mut SqliteConnection, sql: SqlStr) -> Self {
        Self { on: On::Sqlite(connection, SqliteArguments::default()), sql, bound: 0, refused: false }
    }

    pub(super) fn postgres_pool(pool: &'a PgPool, sql: &'static str) -> Self {
        Self { on: On::PostgresPool(pool, PgArguments::default()), sql: sql.into_sql_str(), bound: 0, refused: false }
    }

    pub(super) fn postgres(connection: &'a mut PgConnection, sql: SqlStr) -> Self {
        Self { on: On::Postgres(connection, PgArguments::default()), sql, bound: 0, refused: false }
    }

    /// The value of the next `$n`. One that does not encode makes the execution fail.
    pub(crate) fn bind<'q, T: ToSql<'q>>(mut self, value: T) -> Self {
        self.bound += 1;
        let added = match &mut self.on {
            On::SqlitePool(_, arguments) | On::Sqlite(_, arguments) => arguments.add(value),
            On::PostgresPool(_, arguments) | On::Postgres(_, arguments) => arguments.add(value),
        };
        self.refused |= added.is_err();
        self
    }

    fn ready(&self) -> Result<(), StoreError> {
        // SQLite reads a missing value as NULL, silently; PostgreSQL ignores one too many.
        if matches!(self.on, On::Sqlite(..) | On::Postgres(..)) {
            crash::statement(self.sql.as_str());
        }
        debug_assert_eq!(self.bound, highest_placeholder(self.sql.as_str()), "values bound to {}", self.sql.as_str());
        if self.refused { Err(StoreError::Unstorable("a value")) } else { Ok(()) }
    }

    /// Runs it; how many rows it touched.
    pub(crate) async fn exec(self) -> Result<u64, StoreError> {
        self.ready()?;
        let sql = self.sql;
        Ok(match self.on {
            On::SqlitePool(pool, a) => pool.execute(sqlx::query_with(sql, a)).await?.rows_affected(),
            On::Sqlite(connection, a) => connection.execute(sqlx::query_with(sql, a)).await?.rows_affected(),
            On::PostgresPool(pool, a) => pool.execute(sqlx::query_with(sql, a)).await?.rows_affected(),
            On::Postgres(connection, a) => connection.execute(sqlx::query_with(sql, a)).await?.rows_affected(),
        })
    }

    /// The rows as they come.
    pub(crate) fn rows(self) -> Result<BoxStream<'a, Result<Row, sqlx::Error>>, StoreError> {
        self.ready()?;
        let sql = self.sql;
        Ok(match self.on {
            On::SqlitePool(pool, a) => Box::pin(pool.fetch(sqlx::query_with(sql, a)).map_ok(Row::Sqlite)),
            On::Sqlite(connection, a) => Box::pin(connection.fetch(sqlx::query_with(sql, a)).map_ok(Row::Sqlite)),
            On::PostgresPool(pool, a) => Box::pin(pool.fetch(sqlx::query_with(sql, a)).map_ok(Row::Postgres)),
            On::Postgres(connection, a) => Box::pin(connection.fetch(sqlx::query_with(sql, a)).map_ok(Row::Postgres)),
        })
    }

    /// All rows, read by `read`.
    pub(crate) async fn all<T>(self, read: impl Fn(&Row) -> Result<T, StoreError>) -> Result<Vec<T>, StoreError> {
        let mut rows = self.rows()?;
        let mut all = Vec::new();
        while let Some(row) = rows.try_next().await? {
            all.push(read(&row)?);
        }
        Ok(all)
    }

    /// The first row, if there is one. Statements that come here return one row at most.
    pub(crate) async fn opt<T>(self, read: impl Fn(&Row) -> Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        let mut rows = self.rows()?;
        let mut first = None;
        // Read to the end: a statement with RETURNING writes its remaining rows only when it is stepped.
        while let Some(row) = rows.try_next().await? {
            if first.is_none() {
                first = Some(read(&row)?);
            }
        }
        Ok(first)
    }

    /// The first row, which must be there.
    pub(crate) async fn one<T>(self, read: impl Fn(&Row) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.opt(read).await?.ok_or(sqlx::Error::RowNotFound.into())
    }
}

/// One row of an answer.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    /// The column at `index`, from 0.
    pub(crate) fn get<T: FromSql>(&self, index: usize) -> Result<T, StoreError> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(index)?,
            Self::Postgres(row) => row.try_get(index)?,
        })
    }

    /// A text column that must parse.
    pub(crate) fn parsed<T: std::str::FromStr>(&self, index: usize, what: &'static str) -> Result<T, StoreError> {
        self.get::<String>(index)?.parse().map_err(|_| StoreError::Damaged(what))
    }

    /// A nullable text column that must parse.
    pub(crate) fn parsed_opt<T: std::str::FromStr>(
        &self,
        index: usize,
        what: &'static str,
    ) -> Result<Option<T>, StoreError> {
        self.get::<Option<String>>(index)?.map(|text| text.parse().map_err(|_| StoreError::Damaged(what))).transpose()
    }

    /// An integer column that counts.
    pub(crate) fn count(&self, index: usize, what: &'static str) -> Result<u64, StoreError> {
        u64::try_from(self.get::<i64>(index)?).map_err(|_| StoreError::Damaged(what))
    }

    /// An integer column that is an instant.
    pub(crate) fn time(&self, index: usize) -> Result<model::Timestamp, StoreError> {
        self.get::<i64>(index).map(model::Timestamp::from_micros)
    }

    /// A nullable integer column that is an instant.
    pub(crate) fn time_opt(&self, index: usize) -> Result<Option<model::Timestamp>, StoreError> {
        Ok(self.get::<Option<i64>>(index)?.map(model::Timestamp::from_micros))
    }
}

/// A count as both databases hold it.
pub(crate) fn integer(count: u64) -> Result<i64, StoreError> {
    i64::try_from(count).map_err(|_| StoreError::Unstorable("a number above 2^63"))
}

fn highest_placeholder(sql: &str) -> usize {
    sql.split('$')
        .skip(1)
        .filter_map(|rest| {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            rest[..digits].parse().ok()
        })
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_counted_by_number_not_by_occurrence() {
        assert_eq!(highest_placeholder("SELECT 1"), 0);
        assert_eq!(highest_placeholder("a = $1 AND b = $2 AND c = $1"), 2);
        assert_eq!(highest_placeholder("$10, $9"), 10);
    }
}
