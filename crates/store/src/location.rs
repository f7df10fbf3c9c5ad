//! Where a database is.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Why a text names no database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLocation {
    /// Neither of the two kinds.
    #[error("a database is written sqlite:PATH or postgres://USER@HOST/DATABASE")]
    UnknownKind,
    /// A schema name that would need quotes.
    #[error("a PostgreSQL schema name is made of lowercase letters, digits and '_', and starts with a letter")]
    SchemaName,
}

/// Where a database is: a file, or a PostgreSQL URL.
///
/// `?schema=name` at the end of a PostgreSQL URL puts the tables into that schema, created if missing: several hubs
/// may share one database.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// An SQLite file, created with mode 0600 if missing.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres {
        /// Without the `schema` parameter.
        url: String,
        /// The schema of the tables; `None` takes the server's default.
        schema: Option<String>,
    },
}

impl Location {
    /// An SQLite file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::Sqlite(path.into())
    }
}

impl FromStr for Location {
    type Err = InvalidLocation;
    fn from_str(text: &str) -> Result<Self, InvalidLocation> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() { Err(InvalidLocation::UnknownKind) } else { Ok(Self::Sqlite(path.into())) };
        }
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(InvalidLocation::UnknownKind);
        }
        let Some((base, query)) = text.split_once('?') else {
            return Ok(Self::Postgres { url: text.to_owned(), schema: None });
        };
        let mut schema = None;
        let mut others = Vec::new();
        for parameter in query.split('&') {
            match parameter.strip_prefix("schema=") {
                Some(name) => schema = Some(schema_name(name)?),
                None => others.push(parameter),
            }
        }
        let url = if others.is_empty() { base.to_owned() } else { format!("{base}?{}", others.join("&")) };
        Ok(Self::Postgres { url, schema })
    }
}

fn schema_name(name: &str) -> Result<String, InvalidLocation> {
    let starts = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if starts && plain && name.len() <= 63 { Ok(name.to_owned()) } else { Err(InvalidLocation::SchemaName) }
}

impl fmt::Debug for Location {
    /// Without the URL, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "Sqlite({})", path.display()),
            Self::Postgres { schema, .. } => write!(f, "Postgres(…, schema {schema:?})"),
        }
    }
}

impl fmt::Display for Location {
    /// Without the URL, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "SQLite {}", path.display()),
            Self::Postgres { schema: None, .. } => f.write_str("PostgreSQL"),
            Self::Postgres { schema: Some(schema), .. } => write!(f, "PostgreSQL, schema {schema}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_a_file_or_a_url_and_never_shows_a_password() {
        assert_eq!("sqlite:a/b.db".parse(), Ok(Location::Sqlite("a/b.db".into())));
        assert_eq!("sqlite:///a/b.db".parse(), Ok(Location::Sqlite("/a/b.db".into())));
        let url = "postgres://u:secret@h/d?schema=x_1&sslmode=require";
        let location: Location = url.parse().expect("a PostgreSQL URL");
        assert_eq!(
            location,
            Location::Postgres { url: "postgres://u:secret@h/d?sslmode=require".into(), schema: Some("x_1".into()) }
        );
        assert!(!format!("{location:?} {location}").contains("secret"));
        for bad in ["", "sqlite:", "mysql://h/d", "postgres://h/d?schema=a;drop", "postgres://h/d?schema=1a"] {
            assert!(bad.parse::<Location>().is_err(), "{bad}");
        }
    }
}
