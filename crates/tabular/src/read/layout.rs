//! Where the header is and what separates cells: found by the names that the table needs.

use std::collections::BTreeMap;

use crate::fault::{Fault, FaultCause, Faults, cut};
use crate::source::{Separator, SourceSpec};

use super::rules::{Plan, Rule};

/// How many records may stand before the header.
pub(super) const PREAMBLE: usize = 40;

/// The header, matched with the columns of the table.
pub(super) struct Header {
    /// Names in the file.
    pub(super) names: Vec<String>,
    /// Per column of the table: its place in the file; `None` where a constant stands in.
    pub(super) places: Vec<Option<usize>>,
    /// How many records to skip, header included.
    pub(super) skip: usize,
    /// What stands between cells, in a text file.
    pub(super) separator: Option<u8>,
}

/// A reader over the text; every line may have its own number of cells.
pub(crate) fn reader(text: &str, separator: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().delimiter(separator).has_headers(false).flexible(true).from_reader(text.as_bytes())
}

struct Candidate {
    separator: Option<u8>,
    skip: usize,
    /// `None` where names stand above all rows.
    line: Option<u64>,
    names: Vec<String>,
    matched: usize,
}

impl Candidate {
    fn new<'n>(
        separator: Option<u8>,
        skip: usize,
        line: Option<u64>,
        names: impl Iterator<Item = &'n str>,
        plan: &Plan<'_>,
    ) -> Self {
        let names: Vec<String> = names.map(|name| name.trim().to_owned()).collect();
        let matched = plan.rules.iter().filter(|rule| !places(rule, &names).is_empty()).count();
        Self { separator, skip, line, names, matched }
    }
}

/// Finds separator and header. The best candidate names the faults if none is complete.
pub(super) fn find(spec: &SourceSpec, file: &str, text: &str, plan: &Plan<'_>) -> Result<Header, Faults> {
    let separators: &[u8] = match spec.separator {
        Separator::Auto => b";\t,|",
        Separator::Semicolon => b";",
        Separator::Tab => b"\t",
        Separator::Comma => b",",
        Separator::Pipe => b"|",
    };
    let mut best: Option<Candidate> = None;
    for separator in separators {
        for candidate in candidates(text, *separator, plan) {
            let better = |than: &Candidate| {
                // A header of one cell that matches is a weaker sign than any header of several.
                (candidate.matched, candidate.names.len().min(2)) > (than.matched, than.names.len().min(2))
            };
            if best.as_ref().is_none_or(better) {
                best = Some(candidate);
            }
        }
    }
    let Some(best) = best.filter(|best| best.matched > 0) else {
        return Err(no_header(spec, file, text, plan).into());
    };
    matched(file, &best, plan)
}

/// Finds the header among the first rows of a file that has cells of its own; each with its line.
pub(super) fn find_in(file: &str, rows: Vec<(Option<u64>, Vec<String>)>, plan: &Plan<'_>) -> Result<Header, Faults> {
    let mut best: Option<Candidate> = None;
    for (skip, (line, names)) in (1..).zip(rows) {
        let candidate = Candidate::new(None, skip, line, names.iter().map(String::as_str), plan);
        if best.as_ref().is_none_or(|best| candidate.matched > best.matched) {
            best = Some(candidate);
        }
    }
    match best.filter(|best| best.matched > 0) {
        Some(best) => matched(file, &best, plan),
        None => Err(Fault::of_file(
            file,
            FaultCause::Header,
            format!(
                "Aucune ligne d’en-tête ne porte les colonnes attendues ({}) dans les {PREAMBLE} premières lignes : vérifiez la \
                 feuille et la correspondance (columns) de la source.",
                wanted(plan)
            ),
        )
        .into()),
    }
}

fn candidates(text: &str, separator: u8, plan: &Plan<'_>) -> Vec<Candidate> {
    let mut reader = reader(text, separator);
    let mut found = Vec::new();
    let mut record = csv::StringRecord::new();
    let mut skip = 0;
    while skip < PREAMBLE && matches!(reader.read_record(&mut record), Ok(true)) {
        skip += 1;
        let line = record.position().map_or(1, csv::Position::line);
        found.push(Candidate::new(Some(separator), skip, Some(line), record.iter(), plan));
    }
    found
}

/// Names are compared without regard to case and repeated blanks: agents retype headers.
fn plain(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn places(rule: &Rule<'_>, names: &[String]) -> Vec<usize> {
    if rule.constant.is_some() {
        return Vec::new();
    }
    let wanted: Vec<String> = rule.names.iter().map(|name| plain(name)).collect();
    names.iter().enumerate().filter(|(_, name)| wanted.contains(&plain(name))).map(|(i, _)| i).collect()
}

fn matched(file: &str, best: &Candidate, plan: &Plan<'_>) -> Result<Header, Faults> {
    let mut faults = Faults::default();
    let mut header =
        Header { names: best.names.clone(), places: Vec::new(), skip: best.skip, separator: best.separator };
    let mut owners: BTreeMap<usize, &str> = BTreeMap::new();
    for rule in &plan.rules {
        let title = rule.names.first().map_or(rule.field.name.as_str(), String::as_str);
        match places(rule, &best.names).as_slice() {
            [] if rule.constant.is_some() || rule.if_absent.is_some() => header.places.push(None),
            [] => faults.push(missing(file, best, rule, title)),
            [only] => {
                if let Some(other) = owners.insert(*only, &rule.field.name) {
                    faults.push(
                        Fault::of_file(
                            file,
                            FaultCause::DuplicateColumn,
                            format!(
                                "La même colonne du fichier servirait à « {other} » et à « {} » : corrigez la table de \
                                 correspondance (columns) de la source.",
                                rule.field.name
                            ),
                        )
                        .at_line(best.line)
                        .in_column(title),
                    );
                }
                header.places.push(Some(*only));
            }
            several => faults.push(
                Fault::of_file(
                    file,
                    FaultCause::DuplicateColumn,
                    format!(
                        "{} colonnes du fichier conviennent pour « {} » : renommez ou retirez celle qui est de trop, ou \
                         précisez la correspondance (columns) de la source.",
                        several.len(),
                        rule.field.name
                    ),
                )
                .at_line(best.line)
                .in_column(title),
            ),
        }
    }
    if faults.is_empty() { Ok(header) } else { Err(faults) }
}

fn missing(file: &str, best: &Candidate, rule: &Rule<'_>, title: &str) -> Fault {
    let near = nearest(&rule.names, &best.names);
    let proposal = near.map_or_else(
        || " Ajoutez-la à l'export, ou écrivez son nom dans la correspondance (columns) de la source.".to_owned(),
        |name| {
            format!(" S'agit-il de « {} » ? Si oui, ajoutez-la à la correspondance (columns) de la source.", cut(name))
        },
    );
    let found: Vec<String> = best.names.iter().filter(|n| !n.is_empty()).take(30).map(|n| cut(n)).collect();
    Fault::of_file(
        file,
        FaultCause::MissingColumn,
        format!("Il manque la colonne « {title} ».{proposal} Colonnes trouvées : {}.", found.join(", ")),
    )
    .at_line(best.line)
    .in_column(title)
}

fn wanted(plan: &Plan<'_>) -> String {
    let names = plan.rules.iter().filter_map(|rule| rule.names.first()).map(String::as_str);
    names.take(30).collect::<Vec<_>>().join(", ")
}

fn no_header(spec: &SourceSpec, file: &str, text: &str, plan: &Plan<'_>) -> Fault {
    let wanted = wanted(plan);
    let splits = [b';', b'\t', b',', b'|']
        .iter()
        .any(|separator| text.lines().take(PREAMBLE).any(|line| line.bytes().filter(|b| b == separator).count() > 0));
    if spec.separator == Separator::Auto && !splits {
        return Fault::of_file(
            file,
            FaultCause::Separator,
            format!(
                "Aucun séparateur (point-virgule, tabulation, virgule, barre) n'est trouvé : le fichier est-il un CSV ? \
                 Colonnes attendues : {wanted}."
            ),
        );
    }
    Fault::of_file(
        file,
        FaultCause::Header,
        format!(
            "Aucune ligne d'en-tête ne porte les colonnes attendues ({wanted}) dans les {PREAMBLE} premières lignes : \
             vérifiez le séparateur et la correspondance (columns) de la source."
        ),
    )
}

/// The name in the file that is closest to one of those wanted, if it is close at all.
pub(super) fn nearest<'a>(wanted: &[String], found: &'a [String]) -> Option<&'a str> {
    let distance = |name: &str| {
        wanted.iter().map(|w| (edits(&bare(w), &bare(name)), w.chars().count().max(3))).min_by_key(|(d, _)| *d)
    };
    found
        .iter()
        .filter(|name| !name.is_empty())
        .filter_map(|name| distance(name).map(|(edits, length)| (name, edits, length)))
        .filter(|(_, edits, length)| edits * 3 <= *length)
        .min_by_key(|(_, edits, _)| *edits)
        .map(|(name, _, _)| name.as_str())
}

fn bare(name: &str) -> String {
    plain(name)
        .chars()
        .filter(|c| c.is_alphanumeric())
        .map(|c| match c {
            'é' | 'è' | 'ê' => 'e',
            'à' | 'â' => 'a',
            'ô' => 'o',
            'î' => 'i',
            'ç' => 'c',
            other => other,
        })
        .collect()
}

/// Levenshtein distance; names are short.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(left != *right);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
