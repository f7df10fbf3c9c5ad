//! Names of communes, and who became part of whom.

mod areas;

use std::collections::BTreeMap;
use std::path::Path;

use model::{CommuneCode, Failure, FailureKind, Succession};

use crate::folder::read;

/// The communes of the first département, with their source in the file.
const PRODUCT: &str = include_str!("cog/communes.csv");

/// Further mergers of communes, in the hub's folder.
const SUCCESSIONS: &str = "successions.csv";

/// The communes of the hub's département, those that became part of another one included.
pub(crate) struct Communes {
    names: BTreeMap<CommuneCode, String>,
    successions: Vec<Succession>,
}

impl Communes {
    /// The product's own names, or those of `replacement` alone: an invented département must not borrow real names.
    /// Mergers that the product does not know are in `folder`.
    pub(crate) fn load(replacement: Option<&Path>, folder: &Path) -> Result<Self, Failure> {
        let successions = areas::further(&folder.join(SUCCESSIONS))?;
        let Some(path) = replacement else {
            let names = Self::parse(PRODUCT).expect("the product's own file is tested");
            return Ok(Self { names, successions });
        };
        let refuse = |line: usize, cause: &str| {
            Failure::new(
                FailureKind::Invalid,
                "HUB_COMMUNES",
                format!("{}: line {line}: {cause}", path.display()),
                format!(
                    "Le fichier des communes {} contient une erreur à la ligne {line} : chaque ligne s’écrit « code INSEE;nom », en UTF-8.",
                    path.display()
                ),
            )
        };
        let text = String::from_utf8(read(path)?).map_err(|_| refuse(1, "not UTF-8"))?;
        let names = Self::parse(&text).map_err(|(line, cause)| refuse(line, cause))?;
        Ok(Self { names, successions })
    }

    /// Lines `insee;nom` with anything after; `#` begins a remark, `insee` a heading.
    fn parse(text: &str) -> Result<BTreeMap<CommuneCode, String>, (usize, &'static str)> {
        let mut names = BTreeMap::new();
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') || line.starts_with("insee") {
                continue;
            }
            let mut fields = line.split(';').map(str::trim);
            let code = fields.next().and_then(|code| code.parse().ok()).ok_or((index + 1, "not a commune code"))?;
            let name = fields.next().filter(|name| !name.is_empty()).ok_or((index + 1, "no name"))?;
            if names.insert(code, name.to_owned()).is_some() {
                return Err((index + 1, "the commune is there twice"));
            }
        }
        Ok(names)
    }

    /// The commune's name, or its code where no name is known.
    pub(crate) fn name(&self, commune: CommuneCode) -> String {
        self.names.get(&commune).cloned().unwrap_or_else(|| commune.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_knows_the_communes_of_today_and_those_they_absorbed() {
        let communes = Communes::load(None, Path::new("nowhere")).expect("the product's own file");
        assert_eq!(communes.names.len(), 40);
        let name = |code: &str| communes.name(code.parse().expect("a commune"));
        assert_eq!(name("93066"), "Saint-Denis");
        assert_eq!(name("93059"), "Pierrefitte-sur-Seine");
        assert_eq!(name("75056"), "75056");
    }

    #[test]
    fn a_file_of_names_replaces_them_all_or_is_refused_with_its_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("communes.csv");
        std::fs::write(&path, "\u{feff}insee;nom\n00101;Éclusane\n").expect("writes");
        let communes = Communes::load(Some(&path), folder.path()).expect("reads");
        assert_eq!(communes.name("00101".parse().expect("a commune")), "Éclusane");
        assert_eq!(communes.name("93066".parse().expect("a commune")), "93066");
        for bad in ["insee;nom\n101;X", "00101;", "00101;A\n00101;B", "00101"] {
            std::fs::write(&path, bad).expect("writes");
            let refused = Communes::load(Some(&path), folder.path()).err().map(|failure| failure.reason);
            assert_eq!(refused.as_deref(), Some("HUB_COMMUNES"), "{bad}");
        }
    }
}
