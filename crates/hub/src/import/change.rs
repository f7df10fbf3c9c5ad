//! What a file changes in what is kept.

use std::collections::BTreeMap;

use methodology::Layout;
use model::{Area, Failure, Figure, Level};
use store::hub::BlockKey;
use tabular::public::{PublicColumn, PublicTable};

use crate::public::block::Block;
use crate::{Hub, failure};

/// How many revisions are named.
const NAMED: usize = 10;

/// New versions of blocks, and how many figures are new, unchanged, revised.
#[derive(Default)]
pub(super) struct Change {
    pub(super) blocks: Vec<(BlockKey, u64, Vec<u8>)>,
    pub(super) added: u64,
    pub(super) unchanged: u64,
    pub(super) revised: u64,
    pub(super) revisions: Vec<String>,
}

/// Figures of one column by level and département.
type Parts<'a> = BTreeMap<(Level, &'a str), BTreeMap<String, Figure>>;

fn parts(table: &PublicTable, column: usize) -> Parts<'_> {
    let mut parts = Parts::new();
    for row in &table.rows {
        if let Some(Some(figure)) = row.figures.get(column) {
            let part = row.area.departement().unwrap_or_default();
            parts.entry((row.area.level(), part)).or_default().insert(row.area.code().to_owned(), *figure);
        }
    }
    parts
}

impl Hub {
    /// Compares with the latest version of each block. What the file does not speak of stays as it is: a file may be
    /// an extract.
    pub(super) async fn change(&self, table: &PublicTable, layout: &Layout) -> Result<Change, Failure> {
        let mut change = Change::default();
        for (index, column) in table.columns.iter().enumerate() {
            let parts = parts(table, index);
            let mut current = BTreeMap::new();
            let levels: std::collections::BTreeSet<Level> = parts.keys().map(|(level, _)| *level).collect();
            for level in levels {
                let key = key(layout, column, level, "");
                for block in self.0.store.current_public(&key).await.map_err(failure::storage)? {
                    let figures = Block::decode(&block.block).ok_or_else(|| failure::damaged("public figures"))?;
                    current.insert((level, block.key.part), (block.version, figures));
                }
            }
            for ((level, part), figures) in parts {
                let found = Block { decimals: column.decimals, figures };
                let (version, known) = current
                    .remove(&(level, part.to_owned()))
                    .unwrap_or_else(|| (0, Block { decimals: column.decimals, figures: BTreeMap::new() }));
                let key = key(layout, column, level, part);
                if let Some(merged) = self.merge(&key, known, found, &mut change)? {
                    change.blocks.push((key, version + 1, merged.encode()));
                }
            }
        }
        Ok(change)
    }

    /// What is known and what was found, together; `None` if nothing changes.
    fn merge(&self, key: &BlockKey, known: Block, found: Block, change: &mut Change) -> Result<Option<Block>, Failure> {
        if known.figures.is_empty() {
            change.added += found.figures.len() as u64;
            return Ok(Some(found));
        }
        // A layout may keep more places than it once did: that alone revises nothing.
        let decimals = known.decimals.max(found.decimals);
        let finer = |block: Block| block.finer(decimals).ok_or_else(|| failure::damaged("public figures"));
        let (mut merged, found) = (finer(known)?, finer(found)?);
        let mut changed = false;
        for (code, figure) in found.figures {
            let before = merged.figures.get(&code).copied();
            if before == Some(figure) {
                change.unchanged += 1;
                continue;
            }
            changed = true;
            if before.is_some() {
                change.revised += 1;
                if change.revisions.len() < NAMED {
                    let area = Area::new(key.level, &code).map_err(|_| failure::damaged("public figures"))?;
                    let name = self.0.communes.area_name(&area, key.geography);
                    change.revisions.push(format!("{} {}, {name} ({code})", key.indicator, key.period));
                }
            } else {
                change.added += 1;
            }
            merged.figures.insert(code, figure);
        }
        Ok(changed.then_some(merged))
    }
}

fn key(layout: &Layout, column: &PublicColumn, level: Level, part: &str) -> BlockKey {
    BlockKey {
        indicator: column.indicator.clone(),
        source: layout.source.clone(),
        period: column.dated.period,
        geography: column.dated.geography,
        level,
        part: part.to_owned(),
    }
}
