//! A pack: its files, proven.

use std::collections::{BTreeMap, BTreeSet};

use model::{Hash, IndicatorCode, PackCode, TableCode};
use serde::Deserialize;

use crate::error::{PackCause, PackError};
use crate::indicator::Indicator;
use crate::table::{Table, Texts, build, from_toml};

#[cfg(test)]
mod tests;

/// Most bytes in one file of a pack.
const MAX_FILE: usize = 1 << 20;
/// Most files.
const MAX_FILES: usize = 200;
/// The file that names the tables.
const FRONT: &str = "pack.toml";
/// The one file that a pack may hold for its readers only.
const README: &str = "README.md";

/// A versioned set of tables and indicators.
#[derive(Clone, Debug)]
pub struct Pack {
    pub(crate) code: PackCode,
    pub(crate) version: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) tables: Vec<Table>,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) hash: Hash,
}

impl Pack {
    /// Reads and proves a pack from its files, keyed by relative path with `/`.
    ///
    /// # Errors
    /// The first thing that is wrong, with file, place, cause and a French sentence.
    pub fn parse(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, PackError> {
        Self::check(files).map_err(|mut faults| faults.swap_remove(0))
    }

    /// The same, with everything that is wrong and can be told apart, at least one fault, each with line and column as
    /// far as they are known.
    ///
    /// # Errors
    /// In the order of `pack.toml`, table by table.
    pub fn check(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, Vec<PackError>> {
        let read = Files::new(files).map_err(|fault| vec![fault])?;
        read.pack().map_err(|faults| {
            let placed = |fault: PackError| match read.texts.get(fault.file.as_str()) {
                Some(text) => fault.found_in(text),
                None => fault,
            };
            faults.into_iter().map(placed).collect()
        })
    }

    /// Its code.
    pub fn code(&self) -> &PackCode {
        &self.code
    }

    /// Its version, `1.0.0`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// French title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// French description.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Its tables, in the order of `pack.toml`.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The table of this code.
    pub fn table(&self, code: &TableCode) -> Option<&Table> {
        self.tables.iter().find(|table| table.code == *code)
    }

    /// The indicator of this code, with its table. Codes are unique in a pack.
    pub fn indicator(&self, code: &IndicatorCode) -> Option<(&Table, &Indicator)> {
        self.tables.iter().find_map(|table| Some((table, table.indicator(code)?)))
    }

    /// The files it was read from, byte for byte: `Pack::parse(pack.files())` gives the same pack.
    pub fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }

    /// SHA-256 over all files: for each in ascending order of path, length and bytes of the path, then length and
    /// bytes of the content, lengths as eight bytes big-endian.
    pub fn hash(&self) -> Hash {
        self.hash
    }
}

/// `pack.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontText {
    format: u32,
    code: String,
    version: String,
    title: String,
    description: String,
    tables: Vec<String>,
}

/// Files of a pack, as text.
struct Files<'a> {
    bytes: &'a BTreeMap<String, Vec<u8>>,
    texts: BTreeMap<&'a str, &'a str>,
}

impl<'a> Files<'a> {
    fn new(bytes: &'a BTreeMap<String, Vec<u8>>) -> Result<Self, PackError> {
        if bytes.len() > MAX_FILES {
            return Err(PackError::new(
                FRONT,
                "fichiers",
                PackCause::File,
                format!("Le référentiel a plus de {MAX_FILES} fichiers."),
            ));
        }
        let mut texts = BTreeMap::new();
        for (path, content) in bytes {
            if content.len() > MAX_FILE {
                return Err(PackError::new(path, "taille", PackCause::File, "Ce fichier dépasse 1 Mio."));
            }
            let text = std::str::from_utf8(content).map_err(|error| {
                let line = content[..error.valid_up_to()].split(|b| *b == b'\n').count();
                PackError::new(
                    path,
                    format!("ligne {line}"),
                    PackCause::Syntax,
                    "Ce fichier n'est pas en UTF-8 : enregistrez-le dans cet encodage.",
                )
            })?;
            texts.insert(path.as_str(), text);
        }
        Ok(Self { bytes, texts })
    }

    fn text(&self, path: &'a str) -> Result<(&'a str, &'a str), PackError> {
        let text = self.texts.get(path).ok_or_else(|| {
            PackError::new(path, "fichier", PackCause::File, format!("Il manque le fichier « {path} » au référentiel."))
        })?;
        Ok((path, text))
    }

    /// `pack.toml`, proven but for its tables.
    fn front(&self) -> Result<(FrontText, PackCode), PackError> {
        let (file, text) = self.text(FRONT)?;
        let front: FrontText = from_toml(file, text)?;
        let refuse = |place: &str, cause, message: String| Err(PackError::new(FRONT, place, cause, message));
        if front.format != 1 {
            return refuse(
                "format",
                PackCause::Malformed,
                format!("Le format {} n'est pas connu de cette version du logiciel (format lu : 1).", front.format),
            );
        }
        let Ok(code) = front.code.parse::<PackCode>() else {
            return refuse(
                "code",
                PackCause::Malformed,
                "Le code s'écrit sans accent ni espace (64 signes au plus).".to_owned(),
            );
        };
        if !is_version(&front.version) {
            return refuse("version", PackCause::Malformed, "La version s'écrit comme « 1.0.0 ».".to_owned());
        }
        if front.title.trim().is_empty() || front.tables.is_empty() {
            return refuse("title, tables", PackCause::Malformed, "Il faut un titre et au moins une table.".to_owned());
        }
        Ok((front, code))
    }

    fn pack(&self) -> Result<Pack, Vec<PackError>> {
        let (front, code) = self.front().map_err(|fault| vec![fault])?;
        let mut faults = Vec::new();
        let mut known = vec![FRONT.to_owned(), README.to_owned()];
        let mut tables: Vec<Table> = Vec::new();
        let mut named = BTreeSet::new();
        for name in &front.tables {
            let mut refuse = |cause, message: String| faults.push(PackError::new(FRONT, "tables", cause, message));
            let Ok(table) = name.parse::<TableCode>() else {
                refuse(PackCause::Malformed, format!("Le nom de table « {name} » s'écrit sans accent ni espace."));
                continue;
            };
            if !named.insert(table.clone()) {
                refuse(PackCause::Duplicate, format!("La table « {name} » est nommée deux fois."));
                continue;
            }
            let paths =
                [format!("tables/{name}.schema.json"), format!("tables/{name}.toml"), format!("golden/{name}.toml")];
            match self.table(&code, &table, &paths) {
                Ok(table) => tables.push(table),
                Err(found) => faults.extend(found),
            }
            known.extend(paths);
        }
        faults.extend(self.bytes.keys().filter(|path| !known.contains(path)).map(|path| {
            PackError::new(
                path,
                "fichier",
                PackCause::File,
                "Ce fichier n'appartient à aucune table de pack.toml : retirez-le ou nommez sa table.",
            )
        }));
        faults.extend(one_owner_per_code(&tables).err());
        faults.extend(facts_counted_twice(&tables));
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Pack {
            code,
            version: front.version,
            title: front.title,
            description: front.description,
            tables,
            files: self.bytes.clone(),
            hash: hash(self.bytes),
        })
    }

    fn table(&self, pack: &PackCode, code: &TableCode, paths: &[String; 3]) -> Result<Table, Vec<PackError>> {
        let text = |path: &str| match self.texts.get_key_value(path) {
            Some((path, text)) => Ok((*path, *text)),
            None => Err(vec![PackError::new(
                path,
                "fichier",
                PackCause::File,
                format!("Il manque le fichier « {path} » au référentiel."),
            )]),
        };
        let [schema, indicators, golden] = paths;
        build(pack, code, &Texts { schema: text(schema)?, measures: text(indicators)?, golden: text(golden)? })
    }
}

fn one_owner_per_code(tables: &[Table]) -> Result<(), PackError> {
    let mut owners: BTreeMap<&IndicatorCode, &TableCode> = BTreeMap::new();
    for table in tables {
        for indicator in &table.indicators {
            if let Some(other) = owners.insert(&indicator.code, &table.code) {
                return Err(PackError::new(
                    format!("tables/{}.toml", table.code),
                    format!("indicateur {}", indicator.code),
                    PackCause::Duplicate,
                    format!(
                        "La table « {other} » définit déjà cet indicateur : un code est unique dans le référentiel."
                    ),
                ));
            }
        }
    }
    Ok(())
}

/// Each of two such tables would be safe alone, and their difference would be a small number that neither shows.
fn facts_counted_twice(tables: &[Table]) -> Vec<PackError> {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let mut known: BTreeMap<String, &TableCode> = BTreeMap::new();
    let mut faults = Vec::new();
    for table in tables {
        if let Some(other) = known.insert(plain(&table.facts), &table.code) {
            faults.push(PackError::new(
                format!("tables/{}.schema.json", table.code),
                "maillage.facts",
                PackCause::Duplicate,
                format!(
                    "La table « {other} » compte déjà ces faits (facts, ou row à défaut) : réunissez les deux tables, sinon leur \
                     différence montrerait ce que chacune cache."
                ),
            ));
        }
    }
    faults
}

fn is_version(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() == 3
        && parts.iter().all(|part| part.len() <= 4 && part.parse::<u16>().is_ok_and(|n| n.to_string() == *part))
}

fn hash(files: &BTreeMap<String, Vec<u8>>) -> Hash {
    let mut bytes = Vec::new();
    for (path, content) in files {
        for part in [path.as_bytes(), content] {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part);
        }
    }
    seal::sha256(&bytes)
}
