//! How storage says no.

/// Why storage did not do it.
///
/// Texts name tables, columns and codes, never what is stored.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another writer was faster, as often as we tried. Nothing was written.
    #[error("the database stayed busy")]
    Busy,
    /// A unique or primary key holds this already; PostgreSQL's default constraint name on both databases.
    #[error("constraint {0}: already there")]
    Duplicate(String),
    /// A row refers to something that is not there.
    #[error("a row refers to something that is not there")]
    Reference,
    /// A check or not-null constraint refused.
    #[error("constraint {0}: refused")]
    Check(String),
    /// The compare-and-swap found another value than expected. Nothing was written.
    #[error("{0} changed meanwhile")]
    Moved(&'static str),
    /// A stored value does not read back as what it must be.
    #[error("stored {0} is damaged")]
    Damaged(&'static str),
    /// A value that neither database can hold.
    #[error("{0} cannot be stored")]
    Unstorable(&'static str),
    /// The schema was made by a later version of this program.
    #[error("the database has migration {0}, which this program does not know: start a later version")]
    SchemaNewer(i64),
    /// A migration differs from the one that this program would have run.
    #[error("migration {0} of the database is not the one of this program")]
    SchemaAltered(i64),
    /// The database holds tables that are not ours.
    #[error("the database holds tables of another program")]
    SchemaForeign,
    /// A copy is only ever put into an empty place.
    #[error("the database is not empty")]
    Occupied,
    /// The database cannot be reached, is full or read-only, or broke off. Holds the driver's code or class.
    #[error("database unavailable: {0}")]
    Unavailable(String),
    /// A statement that must work did not: a defect.
    #[error("database refused a statement: {0}")]
    Statement(String),
}

impl StoreError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Busy | Self::Unavailable(_) => true,
            Self::Duplicate(_)
            | Self::Reference
            | Self::Check(_)
            | Self::Moved(_)
            | Self::Damaged(_)
            | Self::Unstorable(_)
            | Self::SchemaNewer(_)
            | Self::SchemaAltered(_)
            | Self::SchemaForeign
            | Self::Occupied
            | Self::Statement(_) => false,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match error {
            E::Database(database) => from_database(database.as_ref()),
            E::PoolTimedOut => Self::Unavailable("no connection became free".to_owned()),
            E::PoolClosed | E::WorkerCrashed => Self::Unavailable("the pool is closed".to_owned()),
            E::Io(io) => Self::Unavailable(format!("input or output: {}", io.kind())),
            E::Tls(_) => Self::Unavailable("TLS".to_owned()),
            E::RowNotFound => Self::Statement("a row that must exist is not there".to_owned()),
            // Texts of decoding errors may quote the value.
            E::ColumnDecode { index, .. } => Self::Statement(format!("column {index} does not decode")),
            E::Configuration(_) => Self::Unavailable("the database URL is not valid".to_owned()),
            E::Encode(_) | E::Decode(_) | E::TypeNotFound { .. } => Self::Statement("a value does not fit".to_owned()),
            other => Self::Statement(kind_name(&other).to_owned()),
        }
    }
}

fn kind_name(error: &sqlx::Error) -> &'static str {
    match error {
        sqlx::Error::ColumnNotFound(_) | sqlx::Error::ColumnIndexOutOfBounds { .. } => "a column is missing",
        sqlx::Error::Protocol(_) => "protocol",
        _ => "driver",
    }
}

fn from_database(error: &dyn sqlx::error::DatabaseError) -> StoreError {
    use sqlx::error::ErrorKind;
    let code = error.code().unwrap_or_default().into_owned();
    let sqlite: Option<u32> =
        error.try_downcast_ref::<sqlx::sqlite::SqliteError>().and_then(|_| code.parse().ok()).map(|c: u32| c & 0xff);
    // SQLITE_BUSY and SQLITE_LOCKED; serialization_failure and deadlock_detected.
    if matches!(sqlite, Some(5 | 6)) || (sqlite.is_none() && matches!(code.as_str(), "40001" | "40P01")) {
        return StoreError::Busy;
    }
    match error.kind() {
        ErrorKind::UniqueViolation => StoreError::Duplicate(constraint(error)),
        ErrorKind::ForeignKeyViolation => StoreError::Reference,
        ErrorKind::CheckViolation | ErrorKind::NotNullViolation => StoreError::Check(constraint(error)),
        _ => match sqlite {
            // CORRUPT, NOTADB
            Some(11 | 26) => StoreError::Damaged("database file"),
            // READONLY, IOERR, FULL, CANTOPEN
            Some(8 | 10 | 13 | 14) => StoreError::Unavailable(format!("SQLite code {code}")),
            Some(_) => StoreError::Statement(format!("SQLite code {code}")),
            // Connection, resources, operator intervention, system error; 28: authorisation; 3D: no such database.
            None if ["08", "53", "57", "58", "28", "3D"].iter().any(|class| code.starts_with(class)) => {
                StoreError::Unavailable(format!("SQLSTATE {code}"))
            }
            None => StoreError::Statement(format!("SQLSTATE {code}")),
        },
    }
}

/// PostgreSQL's default name of the constraint, derived from SQLite's message where SQLite gives none:
/// `UNIQUE constraint failed: account.email, account.x` is `account_email_x_key`; a primary key is `account_pkey`.
fn constraint(error: &dyn sqlx::error::DatabaseError) -> String {
    if let Some(name) = error.constraint() {
        return name.to_owned();
    }
    let Some((_, names)) = error.message().split_once("constraint failed: ") else {
        return "unnamed".to_owned();
    };
    let columns: Vec<(&str, &str)> = names.split(", ").filter_map(|name| name.split_once('.')).collect();
    match columns.first() {
        None => names.to_owned(),
        // SQLITE_CONSTRAINT_PRIMARYKEY
        Some((table, _)) if error.code().as_deref() == Some("1555") => format!("{table}_pkey"),
        Some((table, _)) => {
            let columns: Vec<&str> = columns.iter().map(|(_, column)| *column).collect();
            format!("{table}_{}_key", columns.join("_"))
        }
    }
}
