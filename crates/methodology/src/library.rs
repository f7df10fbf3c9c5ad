//! The starter library, inside the program.

use std::collections::BTreeMap;

use crate::pack::Pack;

macro_rules! files {
    ($pack:literal: $($path:literal),+ $(,)?) => {
        [$(($path, include_bytes!(concat!("../library/", $pack, "/", $path)).as_slice())),+]
    };
}

/// The packs that come with the program, in ascending order of code.
pub fn library() -> Vec<Pack> {
    let activity = files!["ccas-activite":
        "pack.toml",
        "README.md",
        "tables/domiciliation.schema.json",
        "tables/domiciliation.toml",
        "golden/domiciliation.toml",
        "tables/domiciliation_actes.schema.json",
        "tables/domiciliation_actes.toml",
        "golden/domiciliation_actes.toml",
        "tables/aides_facultatives.schema.json",
        "tables/aides_facultatives.toml",
        "golden/aides_facultatives.toml",
        "tables/file_active.schema.json",
        "tables/file_active.toml",
        "golden/file_active.toml",
        "tables/accueil.schema.json",
        "tables/accueil.toml",
        "golden/accueil.toml",
        "tables/aide_alimentaire.schema.json",
        "tables/aide_alimentaire.toml",
        "golden/aide_alimentaire.toml",
        "tables/aide_legale.schema.json",
        "tables/aide_legale.toml",
        "golden/aide_legale.toml",
        "tables/repas.schema.json",
        "tables/repas.toml",
        "golden/repas.toml",
    ];
    let survey = files!["enquete-abs":
        "pack.toml",
        "README.md",
        "tables/reponses.schema.json",
        "tables/reponses.toml",
        "golden/reponses.toml",
    ];
    let dwellings = files!["logement-rp":
        "pack.toml",
        "tables/logements.schema.json",
        "tables/logements.toml",
        "golden/logements.toml",
    ];
    [activity.as_slice(), survey.as_slice(), dwellings.as_slice()].into_iter().map(read).collect()
}

fn read(files: &[(&str, &[u8])]) -> Pack {
    let files: BTreeMap<String, Vec<u8>> =
        files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec())).collect();
    Pack::parse(&files).expect("the library inside the program is proven by this crate's tests")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_proven_and_reads_back_the_same_from_its_own_files() {
        let packs = library();
        let codes: Vec<&str> = packs.iter().map(|pack| pack.code().as_str()).collect();
        assert_eq!(codes, ["ccas-activite", "enquete-abs", "logement-rp"]);
        for pack in &packs {
            let again = Pack::parse(pack.files()).expect("a pack reads back");
            assert_eq!(again.hash(), pack.hash());
            for (table, same) in pack.tables().iter().zip(again.tables()) {
                assert_eq!(table.definition_hash(), same.definition_hash());
                assert_eq!(table.rule_hash(), same.rule_hash());
            }
        }
    }
}
