//! The ABS campaign: which tables are expected, for which periods, from whom, until when.
//!
//! Its settings are a file of the hub's folder, `campaign.toml`, read each time somebody looks: a coordinator who changes
//! the date sees it at once. Without one, every table of every pack is expected for its latest period, from the communes
//! that were invited, without a date.
//!
//! ```toml
//! title = "Campagne ABS 2026"
//! due = "2026-12-15"                      # in time all that day; without it nobody is late
//! communes = ["93001", "93066"]           # without it: those that were invited
//!
//! [[expected]]
//! pack = "ccas-activite"
//! tables = ["domiciliation"]              # without it: all tables of the pack
//! periods = ["2025"]
//! ```

use std::collections::BTreeSet;
use std::path::Path;

use model::{CommuneCode, Failure, FailureKind, PackCode, Period, TableCode, Timestamp};
use serde::Deserialize;
use store::hub::FilledSlice;

use crate::packs::Packs;
use crate::{Hub, failure};

/// What one campaign expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Campaign {
    /// French title.
    pub title: String,
    /// The last instant at which a table is in time.
    pub due: Option<Timestamp>,
    /// Who is expected; `None`: whoever was invited.
    pub communes: Option<BTreeSet<CommuneCode>>,
    /// Tables with their period, in the order of the file and of the packs.
    pub expected: Vec<(PackCode, TableCode, Period)>,
    /// Whether a file says so.
    pub declared: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CampaignText {
    title: String,
    due: Option<toml::Value>,
    communes: Option<BTreeSet<CommuneCode>>,
    expected: Vec<ExpectedText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedText {
    pack: PackCode,
    tables: Option<Vec<TableCode>>,
    periods: Vec<Period>,
}

impl Hub {
    /// The campaign of now; `filled` says what was ever received, for where no file says what is expected.
    pub(crate) fn campaign(&self, packs: &Packs, filled: &[FilledSlice]) -> Result<Campaign, Failure> {
        let path = self.folder().campaign();
        match std::fs::read_to_string(&path) {
            Ok(text) => read(&text, packs).map_err(|cause| malformed(&path, &cause)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(undeclared(packs, filled)),
            Err(error) => Err(failure::file(&path, error)),
        }
    }
}

fn undeclared(packs: &Packs, filled: &[FilledSlice]) -> Campaign {
    let tables = packs.all().flat_map(|published| {
        let code = published.pack.code();
        published.pack.tables().iter().map(move |table| (code.clone(), table.code().clone()))
    });
    let latest = |pack: &PackCode, table: &TableCode| {
        let periods = filled.iter().map(|one| &one.slice).filter(|slice| slice.pack == *pack && slice.table == *table);
        // Not the order of `Period`, which is by kind first.
        periods.map(|slice| slice.period).max_by_key(|period| (period.year(), *period))
    };
    // What nobody sent was perhaps never asked of anybody: the library has more tables than a campaign needs.
    let expected = tables.filter_map(|(pack, table)| latest(&pack, &table).map(|period| (pack, table, period)));
    Campaign {
        title: "Tables déjà reçues, dernière période".to_owned(),
        due: None,
        communes: None,
        expected: expected.collect(),
        declared: false,
    }
}

/// The cause, in French, where it is wrong.
fn read(text: &str, packs: &Packs) -> Result<Campaign, String> {
    let file: CampaignText = toml::from_str(text).map_err(|error| {
        let at = error.span().map(|span| span.start);
        format!("\n{}\n", render::settings::fault(text, at, error.message()))
    })?;
    let due = file.due.map(|due| due.as_str().map_or_else(|| due.to_string(), str::to_owned));
    let due = match due {
        None => None,
        Some(text) => Some(
            render::date::end_of_day(&text)
                .ok_or_else(|| format!("« due » ({text}) s’écrit ANNÉE-MOIS-JOUR, par exemple 2026-12-15."))?,
        ),
    };
    let mut expected = Vec::new();
    for one in file.expected {
        let published =
            packs.get(&one.pack).ok_or_else(|| format!("le centre n’a pas de référentiel « {} ».", one.pack))?;
        let tables =
            one.tables.unwrap_or_else(|| published.pack.tables().iter().map(|table| table.code().clone()).collect());
        for table in tables {
            if published.pack.table(&table).is_none() {
                return Err(format!("le référentiel « {} » n’a pas de tableau « {table} ».", one.pack));
            }
            for period in &one.periods {
                let name = (one.pack.clone(), table.clone(), *period);
                if !expected.contains(&name) {
                    expected.push(name);
                }
            }
        }
    }
    Ok(Campaign { title: file.title, due, communes: file.communes, expected, declared: true })
}

fn malformed(path: &Path, cause: &str) -> Failure {
    Failure::new(
        FailureKind::Precondition,
        "CAMPAIGN",
        format!("{}: not a campaign", path.display()),
        format!(
            "Le fichier de la campagne ({}) contient une erreur : {cause} Corrigez-le, puis rechargez la page.",
            path.display()
        ),
    )
}
