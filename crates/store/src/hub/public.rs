//! Public figures: blocks of them by source, indicator, year, geography, level and département; versions, never erased.

use model::{Code, CogYear, Hash, IndicatorCode, Level, Period, Timestamp};

use super::HubStore;
use super::journal::{self, Event, Who};
use crate::StoreError;
use crate::db::{Row, Tx, integer, retry};

/// What a block holds figures of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockKey {
    /// Which indicator.
    pub indicator: IndicatorCode,
    /// Whose figures.
    pub source: Code,
    /// What they speak of.
    pub period: Period,
    /// The communes that its rows are.
    pub geography: CogYear,
    /// What kind of territory.
    pub level: Level,
    /// The département of territories of a commune's size or smaller; empty for larger ones.
    pub part: String,
}

/// One version of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicBlock {
    /// Of what.
    pub key: BlockKey,
    /// From 1.
    pub version: u64,
    /// The import that made it.
    pub import: u64,
    /// Figures, in a form that this room does not read.
    pub block: Vec<u8>,
}

/// The layout a file was read with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicLayout {
    /// SHA-256 of `document`.
    pub hash: Hash,
    /// Its code.
    pub code: Code,
    /// The definition.
    pub document: Vec<u8>,
}

/// One import that changed something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicImport {
    /// The layout it was read with.
    pub layout: Hash,
    /// Whose figures.
    pub source: Code,
    /// Which edition.
    pub vintage: String,
    /// What kind of territory.
    pub level: Level,
    /// Name of the file, without its folder.
    pub file_name: String,
    /// SHA-256 of the file.
    pub file_hash: Hash,
    /// Its bytes.
    pub file_length: u64,
    /// Who imported it.
    pub imported_by: String,
    /// When.
    pub imported_at: Timestamp,
    /// Figures that were not there.
    pub added: u64,
    /// Figures that were there with another value.
    pub revised: u64,
}

impl HubStore {
    /// Keeps an import and the blocks that it changes, all or nothing; answers its number.
    ///
    /// Every block carries the version that follows the one its maker saw.
    ///
    /// # Errors
    /// [`StoreError::Moved`] if another import was faster on one of the blocks.
    pub async fn add_public(
        &self,
        layout: &PublicLayout,
        import: &PublicImport,
        blocks: &[(BlockKey, u64, Vec<u8>)],
    ) -> Result<u64, StoreError> {
        retry(|| self.add_public_once(layout, import, blocks)).await
    }

    async fn add_public_once(
        &self,
        layout: &PublicLayout,
        import: &PublicImport,
        blocks: &[(BlockKey, u64, Vec<u8>)],
    ) -> Result<u64, StoreError> {
        if [&import.file_name, &import.imported_by, &import.vintage].iter().any(|text| text.contains('\0')) {
            return Err(StoreError::Unstorable("a text with a NUL"));
        }
        let mut tx = self.db.begin_write().await?;
        tx.q("INSERT INTO public_layout (hash, code, document) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(layout.hash.to_string())
            .bind(layout.code.as_str())
            .bind(layout.document.as_slice())
            .exec()
            .await?;
        // Two imports at once on PostgreSQL may draw the same number; the second one starts again.
        let number = insert_import(&mut tx, import).await.map_err(|error| match error {
            StoreError::Duplicate(_) => StoreError::Busy,
            other => other,
        })?;
        for (key, version, block) in blocks {
            insert_block(&mut tx, key, *version, number, block).await.map_err(|error| match error {
                StoreError::Duplicate(_) => StoreError::Moved("public figures"),
                other => other,
            })?;
        }
        let event = Event {
            what: "public_import",
            who: Who::Person(&import.imported_by),
            at: import.imported_at,
            about: vec![
                ("import", number.to_string()),
                ("layout", layout.code.to_string()),
                ("file_hash", import.file_hash.to_string()),
            ],
        };
        journal::note(&mut tx, &event).await?;
        tx.commit().await?;
        u64::try_from(number).map_err(|_| StoreError::Damaged("number of an import"))
    }

    /// All versions of all blocks of an indicator, of these départements and above them, in ascending order of key and
    /// version.
    pub async fn public_blocks(
        &self,
        indicator: &IndicatorCode,
        parts: &[String],
    ) -> Result<Vec<PublicBlock>, StoreError> {
        let mut all = Vec::new();
        for part in std::iter::once("").chain(parts.iter().map(String::as_str)) {
            all.extend(
                self.db
                    .q("SELECT indicator, source, period, geography, level, part, version, import, block \
                        FROM public_block WHERE indicator = $1 AND part = $2")
                    .bind(indicator.as_str())
                    .bind(part)
                    .all(read_block)
                    .await?,
            );
        }
        all.sort_by(|left, right| (&left.key, left.version).cmp(&(&right.key, right.version)));
        Ok(all)
    }

    /// The latest version of every block of this indicator, source, year, geography and level, all départements.
    pub async fn current_public(&self, key: &BlockKey) -> Result<Vec<PublicBlock>, StoreError> {
        self.db
            .q("SELECT indicator, source, period, geography, level, part, version, import, block FROM public_block b \
                WHERE indicator = $1 AND source = $2 AND period = $3 AND geography = $4 AND level = $5 \
                AND version = (SELECT MAX(l.version) FROM public_block l WHERE l.indicator = b.indicator \
                AND l.source = b.source AND l.period = b.period AND l.geography = b.geography \
                AND l.level = b.level AND l.part = b.part)")
            .bind(key.indicator.as_str())
            .bind(key.source.as_str())
            .bind(key.period.to_string())
            .bind(i64::from(key.geography.0))
            .bind(key.level.as_str())
            .all(read_block)
            .await
    }

    /// What there are figures of, without the figures: every key with the number of its latest import.
    pub async fn public_keys(&self) -> Result<Vec<(BlockKey, u64)>, StoreError> {
        let mut keys = self
            .db
            .q("SELECT indicator, source, period, geography, level, part, MAX(import) FROM public_block \
                GROUP BY indicator, source, period, geography, level, part")
            .all(|row| Ok((read_key(row)?, row.count(6, "number of an import")?)))
            .await?;
        keys.sort();
        Ok(keys)
    }

    /// The journal, oldest first, with numbers.
    pub async fn public_imports(&self) -> Result<Vec<(u64, PublicImport)>, StoreError> {
        self.db
            .q("SELECT id, layout, source, vintage, level, file_name, file_hash, file_length, imported_by, \
                imported_at, added, revised FROM public_import ORDER BY id")
            .all(|row| {
                let import = PublicImport {
                    layout: row.parsed(1, "layout hash")?,
                    source: row.parsed(2, "source")?,
                    vintage: row.get(3)?,
                    level: row.parsed(4, "level")?,
                    file_name: row.get(5)?,
                    file_hash: row.parsed(6, "file hash")?,
                    file_length: row.count(7, "file length")?,
                    imported_by: row.get(8)?,
                    imported_at: row.time(9)?,
                    added: row.count(10, "count of figures")?,
                    revised: row.count(11, "count of figures")?,
                };
                Ok((row.count(0, "number of an import")?, import))
            })
            .await
    }

    /// All layouts with which something was imported.
    pub async fn public_layouts(&self) -> Result<Vec<PublicLayout>, StoreError> {
        self.db
            .q("SELECT hash, code, document FROM public_layout ORDER BY code, hash")
            .all(|row| {
                Ok(PublicLayout {
                    hash: row.parsed(0, "layout hash")?,
                    code: row.parsed(1, "layout code")?,
                    document: row.get(2)?,
                })
            })
            .await
    }
}

async fn insert_import(tx: &mut Tx, import: &PublicImport) -> Result<i64, StoreError> {
    tx.q("INSERT INTO public_import (id, layout, source, vintage, level, file_name, file_hash, file_length, \
          imported_by, imported_at, added, revised) \
          SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 FROM public_import \
          RETURNING id")
        .bind(import.layout.to_string())
        .bind(import.source.as_str())
        .bind(import.vintage.as_str())
        .bind(import.level.as_str())
        .bind(import.file_name.as_str())
        .bind(import.file_hash.to_string())
        .bind(integer(import.file_length)?)
        .bind(import.imported_by.as_str())
        .bind(import.imported_at.as_micros())
        .bind(integer(import.added)?)
        .bind(integer(import.revised)?)
        .one(|row| row.get(0))
        .await
}

async fn insert_block(tx: &mut Tx, key: &BlockKey, version: u64, import: i64, block: &[u8]) -> Result<(), StoreError> {
    tx.q("INSERT INTO public_block (indicator, source, period, geography, level, part, version, import, block) \
          VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
        .bind(key.indicator.as_str())
        .bind(key.source.as_str())
        .bind(key.period.to_string())
        .bind(i64::from(key.geography.0))
        .bind(key.level.as_str())
        .bind(key.part.as_str())
        .bind(integer(version)?)
        .bind(import)
        .bind(block)
        .exec()
        .await?;
    Ok(())
}

fn read_key(row: &Row) -> Result<BlockKey, StoreError> {
    Ok(BlockKey {
        indicator: row.parsed(0, "indicator")?,
        source: row.parsed(1, "source")?,
        period: row.parsed(2, "period")?,
        geography: u16::try_from(row.get::<i64>(3)?).map(CogYear).map_err(|_| StoreError::Damaged("geography"))?,
        level: row.parsed(4, "level")?,
        part: row.get(5)?,
    })
}

fn read_block(row: &Row) -> Result<PublicBlock, StoreError> {
    Ok(PublicBlock {
        key: read_key(row)?,
        version: row.count(6, "version")?,
        import: row.count(7, "number of an import")?,
        block: row.get(8)?,
    })
}
