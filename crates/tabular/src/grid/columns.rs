//! The header: which column is what.

use disclosure::tables::Dimension;

use super::{Purpose, listed};
use crate::fault::{Fault, FaultCause, Faults};

/// Columns by what they say, as places in the header.
#[derive(Default)]
pub(super) struct Columns {
    /// Column and dimension.
    pub(super) dimensions: Vec<(usize, usize)>,
    pub(super) value: usize,
    /// Where the file says which cells must be hidden.
    pub(super) marks: Option<usize>,
    /// The column of this name.
    pub(super) primary: Option<usize>,
    pub(super) contributors: Option<usize>,
    pub(super) top1: Option<usize>,
    pub(super) top2: Option<usize>,
    pub(super) owner: Option<usize>,
    pub(super) lb: Option<usize>,
    pub(super) ub: Option<usize>,
    pub(super) lpl: Option<usize>,
    pub(super) upl: Option<usize>,
    pub(super) spl: Option<usize>,
    pub(super) frozen: Option<usize>,
    pub(super) suppressed: Option<usize>,
    pub(super) other: Vec<usize>,
}

/// What a column says besides codes.
const KNOWN: [&str; 13] = [
    "value",
    "primary",
    "contributors",
    "top1",
    "top2",
    "owner",
    "lb",
    "ub",
    "lpl",
    "upl",
    "spl",
    "frozen",
    "suppressed",
];

/// The separator that gives a column `value`, and the names.
pub(super) fn header(file: &str, text: &str) -> Result<(u8, Vec<String>), Fault> {
    let mut widest: Vec<String> = Vec::new();
    for separator in *b",;\t|" {
        let mut record = csv::StringRecord::new();
        let mut reader = crate::read::reader(text, separator);
        if !matches!(reader.read_record(&mut record), Ok(true)) {
            continue;
        }
        let names: Vec<String> = record.iter().map(|name| name.trim().to_owned()).collect();
        if names.iter().any(|name| name == "value") {
            return Ok((separator, names));
        }
        if names.len() > widest.len() {
            widest = names;
        }
    }
    Err(Fault::of_file(
        file,
        FaultCause::MissingColumn,
        format!(
            "La première ligne doit nommer les colonnes, dont « value » (la valeur de chaque cellule). Lu : {}.",
            listed(widest.iter().take(12).map(String::as_str))
        ),
    )
    .at_line(1))
}

impl Columns {
    pub(super) fn find(
        file: &str,
        header: &[String],
        dimensions: &[Dimension],
        purpose: Purpose<'_>,
    ) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let mut fault = |cause, column: &str, message: String| {
            faults.push(Fault::of_file(file, cause, message).at_line(1).in_column(column));
        };
        let mut columns = Self::default();
        for (at, name) in header.iter().enumerate() {
            if name.is_empty() {
                fault(FaultCause::Header, name, format!("La colonne n° {} n’a pas de nom.", at + 1));
                continue;
            }
            if header[..at].contains(name) {
                fault(FaultCause::DuplicateColumn, name, "Cette colonne figure deux fois : retirez-en une.".to_owned());
                continue;
            }
            if let Some(dimension) = dimensions.iter().position(|dimension| dimension.name == *name) {
                columns.dimensions.push((at, dimension));
                continue;
            }
            match name.as_str() {
                "value" => columns.value = at,
                "contributors" => columns.contributors = Some(at),
                "top1" => columns.top1 = Some(at),
                "top2" => columns.top2 = Some(at),
                "owner" => columns.owner = Some(at),
                "lb" => columns.lb = Some(at),
                "ub" => columns.ub = Some(at),
                "lpl" => columns.lpl = Some(at),
                "upl" => columns.upl = Some(at),
                "spl" => columns.spl = Some(at),
                "frozen" => columns.frozen = Some(at),
                "suppressed" => columns.suppressed = Some(at),
                "primary" => columns.primary = Some(at),
                _ => {
                    let alike = |known: &&str| known.eq_ignore_ascii_case(name);
                    let names = dimensions.iter().map(|dimension| dimension.name.as_str());
                    if let Some(meant) = names.chain(KNOWN).find(alike) {
                        let message = format!("Écrivez ce nom « {meant} », exactement.");
                        fault(FaultCause::Header, name, message);
                    }
                    columns.other.push(at);
                }
            }
        }
        if columns.dimensions.is_empty() {
            let known = listed(dimensions.iter().map(|dimension| dimension.name.as_str()));
            let message = format!(
                "Aucune colonne n’est une dimension de la hiérarchie ({known}) : les noms doivent être les mêmes."
            );
            fault(FaultCause::MissingColumn, "value", message);
        }
        match purpose {
            Purpose::Protect { primary: Some(name) } => {
                let named = header.iter().position(|column| column == name);
                if named.is_none() {
                    let message = "Cette colonne, que --primary-column nomme, n’est pas dans le fichier.".to_owned();
                    fault(FaultCause::MissingColumn, name, message);
                }
                columns.other.retain(|&column| Some(column) != named);
                columns.marks = named;
            }
            Purpose::Protect { primary: None } | Purpose::Know => {}
            Purpose::Remember | Purpose::Attack if columns.suppressed.is_none() => {
                let message =
                    "La colonne « suppressed » (0 = montrée, 1 = cachée) manque : donnez un fichier écrit par \
                               « maillage protect »."
                        .to_owned();
                fault(FaultCause::MissingColumn, "suppressed", message);
            }
            Purpose::Remember | Purpose::Attack => columns.marks = columns.primary,
        }
        if faults.is_empty() { Ok(columns) } else { Err(faults) }
    }
}
