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
        "tables/domiciliation.schema.json",
        "tables/domiciliation.toml",
        "golden/domiciliation.toml",
        "tables/aides_facultatives.schema.json",
        "tables/aides_facultatives.toml",
        "golden/aides_facultatives.toml",
    ];
    let dwellings = files!["logement-rp":
        "pack.toml",
        "tables/logements.schema.json",
        "tables/logements.toml",
        "golden/logements.toml",
    ];
    [activity.as_slice(), dwellings.as_slice()].into_iter().map(read).collect()
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
        assert_eq!(codes, ["ccas-activite", "logement-rp"]);
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
