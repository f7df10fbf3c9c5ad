//! Import of public figures: previewed, then kept whole or not at all.
//!
//! An official figure is never replaced by another source's (the source is part of the key), nor silently by its own
//! source: a file that says something else than an earlier one is a revision, which somebody must ask for.

mod change;
mod refusal;

use std::path::Path;
use std::sync::Arc;

use methodology::Layout;
use model::{Area, CogYear, Failure, FailureKind, Figure, Hash, Level};
use store::StoreError;
use store::hub::{BlockKey, PublicImport, PublicLayout};
use tabular::public::{PublicTable, Refusal, Scope};

use crate::{Hub, failure};
use change::Change;

/// Told how many bytes of how many are read.
pub type Progress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// What an import would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportSummary {
    /// Name of the file, without its folder.
    pub file: String,
    /// SHA-256 of the file.
    pub file_hash: Hash,
    /// The layout that fits.
    pub layout: String,
    /// Its edition.
    pub vintage: String,
    /// What kind of territory its rows are.
    pub level: Level,
    /// Producer, title, licence.
    pub source_line: String,
    /// Territories whose figures are kept.
    pub territories: usize,
    /// Territories left aside.
    pub aside: u64,
    /// Columns of figures.
    pub columns: usize,
    /// Columns left aside.
    pub ignored: usize,
    /// Columns that other editions have and this one lacks.
    pub absent: Vec<String>,
    /// Figures that are values.
    pub values: usize,
    /// Figures that their producer keeps secret.
    pub secret: usize,
    /// Figures that there are none of.
    pub missing: usize,
    /// Figures that are not in the database.
    pub added: u64,
    /// Figures that are there already.
    pub unchanged: u64,
    /// Figures that are there with another value.
    pub revised: u64,
    /// Some of these: indicator, year, territory; never a value.
    pub revisions: Vec<String>,
    /// Communes of this hub that the file lacks.
    pub lacking: Vec<String>,
    /// Communes of the hub's département in the file that the hub has no name for.
    pub unknown: Vec<String>,
    /// Whether letters of names were lost before the file came here. Names are not kept.
    pub damaged_names: bool,
}

/// An import that is ready, and not done.
#[derive(Clone, Debug)]
pub struct ImportPlan {
    /// What it would do.
    pub summary: ImportSummary,
    source: model::Code,
    length: u64,
    layout: PublicLayout,
    blocks: Vec<(BlockKey, u64, Vec<u8>)>,
}

impl Hub {
    /// Reads a file and says what importing it would change. Writes nothing.
    ///
    /// Figures of communes (and what is smaller) outside the hub's département are left aside, unless
    /// `all_communes`; larger territories are all kept, as references.
    ///
    /// # Errors
    /// A layout that does not read, a file that no layout fits, or several, or that is damaged: with what to do.
    pub async fn plan_import(
        &self,
        path: &Path,
        all_communes: bool,
        progress: Progress,
    ) -> Result<ImportPlan, Failure> {
        let layouts = self.public_layouts()?;
        let (hub, path) = (self.clone(), path.to_owned());
        let reading = move || hub.read_public(layouts, &path, all_communes, &progress);
        let read = tokio::task::spawn_blocking(reading)
            .await
            .map_err(|_| failure::internal("PUBLIC_READ", "reading a public file was interrupted"))??;
        let layout = &read.layouts[read.table.layout];
        let change = self.change(&read.table, layout).await?;
        let summary = self.summary(&read, layout, &change);
        Ok(ImportPlan {
            summary,
            source: layout.source.clone(),
            length: read.length,
            layout: PublicLayout {
                hash: layout.hash,
                code: layout.code.clone(),
                document: layout.text.clone().into_bytes(),
            },
            blocks: change.blocks,
        })
    }

    /// Does what the plan says, all or nothing; `None` if there is nothing to do.
    ///
    /// # Errors
    /// Revisions without `replace`; another import meanwhile.
    pub async fn import_public(&self, plan: ImportPlan, by: &str, replace: bool) -> Result<Option<u64>, Failure> {
        if plan.blocks.is_empty() {
            return Ok(None);
        }
        let by = by.trim();
        if by.is_empty() || by.chars().count() > 200 || by.contains('\0') {
            return Err(Failure::new(
                FailureKind::Invalid,
                "PUBLIC_IMPORTER",
                "an import needs a name of 1 to 200 characters",
                "Dites qui importe (--by \"Prénom Nom\") : le journal des imports le garde.",
            ));
        }
        if plan.summary.revised > 0 && !replace {
            return Err(refusal::revised(&plan.summary));
        }
        let import = PublicImport {
            layout: plan.layout.hash,
            source: plan.source,
            vintage: plan.summary.vintage,
            level: plan.summary.level,
            file_name: plan.summary.file,
            file_hash: plan.summary.file_hash,
            file_length: plan.length,
            imported_by: by.to_owned(),
            imported_at: self.now(),
            added: plan.summary.added,
            revised: plan.summary.revised,
        };
        match self.0.store.add_public(&plan.layout, &import, &plan.blocks).await {
            Ok(number) => Ok(Some(number)),
            Err(StoreError::Moved(_)) => Err(refusal::moved()),
            Err(error) => Err(failure::storage(error)),
        }
    }

    /// The product's layouts and those of the hub's folder.
    fn public_layouts(&self) -> Result<Vec<Layout>, Failure> {
        let mut files = methodology::public_layouts();
        let folder = self.0.folder.layouts();
        if folder.is_dir() {
            let entries = std::fs::read_dir(&folder).map_err(|error| failure::file(&folder, error))?;
            for entry in entries {
                let path = entry.map_err(|error| failure::file(&folder, error))?.path();
                if path.extension().is_some_and(|extension| extension == "toml") {
                    files.insert(path.display().to_string(), crate::folder::read(&path)?);
                }
            }
        }
        methodology::layouts(&files).map_err(|error| refusal::layout(&error))
    }

    fn read_public(
        &self,
        layouts: Vec<Layout>,
        path: &Path,
        all_communes: bool,
        progress: &Progress,
    ) -> Result<ReadFile, Failure> {
        let name = path.file_name().map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy()).into_owned();
        let bytes = tabular::public::bytes(path, &name).map_err(|fault| refusal::refused(&name, &fault.into()))?;
        let departements = self.0.communes.departements();
        let keep = |area: &Area| {
            all_communes || area.departement().is_none_or(|code| departements.iter().any(|known| known == code))
        };
        let exists = |area: &Area, geography: CogYear| {
            area.commune().is_none_or(|commune| self.0.communes.exists(commune, geography))
        };
        let scope = Scope { keep: &keep, exists: &exists, progress: &|done, total| progress(done, total) };
        let table = tabular::public::read(&layouts, &name, &bytes, &scope)
            .map_err(|refusal: Refusal| refusal::refused(&name, &refusal))?;
        let hash = seal::sha256(&bytes);
        let length = bytes.len() as u64;
        Ok(ReadFile { name, hash, length, layouts, table })
    }

    fn summary(&self, read: &ReadFile, layout: &Layout, change: &Change) -> ImportSummary {
        let table = &read.table;
        let figures = || table.rows.iter().flat_map(|row| row.figures.iter().flatten());
        let count = |wanted: fn(&Figure) -> bool| figures().filter(|figure| wanted(figure)).count();
        let (lacking, unknown) = self.strangers(table);
        ImportSummary {
            file: read.name.clone(),
            file_hash: read.hash,
            layout: layout.code.to_string(),
            vintage: layout.vintages[table.vintage].name.clone(),
            level: table.level,
            source_line: layout.source_line(),
            territories: table.rows.len(),
            aside: table.aside,
            columns: table.columns.len(),
            ignored: table.ignored,
            absent: table.absent.clone(),
            values: count(|figure| matches!(figure, Figure::Observed(_))),
            secret: count(|figure| matches!(figure, Figure::Suppressed)),
            missing: count(|figure| matches!(figure, Figure::Missing(_) | Figure::NotApplicable)),
            added: change.added,
            unchanged: change.unchanged,
            revised: change.revised,
            revisions: change.revisions.clone(),
            lacking,
            unknown,
            damaged_names: table.damaged_names,
        }
    }

    /// Communes of this hub without a line, and lines of its département that are no commune of this hub.
    fn strangers(&self, table: &PublicTable) -> (Vec<String>, Vec<String>) {
        if table.level != Level::Commune {
            return (Vec::new(), Vec::new());
        }
        let communes = &self.0.communes;
        let there: std::collections::BTreeSet<_> = table.rows.iter().filter_map(|row| row.area.commune()).collect();
        let Some(oldest) = table.columns.iter().map(|column| column.dated.geography).min() else {
            return (Vec::new(), Vec::new());
        };
        let named = |commune| format!("{} ({commune})", communes.name(commune));
        let lacking = communes.in_geography(oldest).filter(|commune| !there.contains(commune)).map(named).collect();
        let ours = communes.departements();
        let unknown = there
            .iter()
            .filter(|commune| ours.iter().any(|code| code == commune.departement()) && !communes.knows(**commune))
            .map(ToString::to_string)
            .collect();
        (lacking, unknown)
    }
}

/// A file that was read.
struct ReadFile {
    name: String,
    hash: Hash,
    length: u64,
    layouts: Vec<Layout>,
    table: PublicTable,
}
