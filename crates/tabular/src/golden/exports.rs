//! The exports and mappings that the front page of a starter pack shows are read as an agent would have them read.

use std::collections::BTreeSet;

use methodology::Pack;

use super::exposed;
use crate::compute::compute;
use crate::read::read_bytes;
use crate::source::SourceSpec;

/// Of each table, figures found by hand in the export shown; amounts in cents, weights in ten-thousandths.
const EXPECTED: [(&str, &str, &str, i64); 19] = [
    ("domiciliation", "dom_demandes", "type_demande=premiere", 2),
    ("domiciliation", "dom_refus", "motif_refus=sans_lien", 1),
    ("domiciliation", "dom_personnes", "total", 3),
    ("domiciliation_actes", "dom_entretiens", "type_menage=monoparental", 1),
    ("domiciliation_actes", "dom_radiations_anterieures", "motif_radiation=absence", 1),
    ("aides_facultatives", "aidfac_montant_total", "type_aide=alimentaire", 104_025),
    ("aides_facultatives", "aidfac_menages", "total", 1),
    ("file_active", "ccas_file_active", "emploi=nr", 3),
    ("file_active", "ccas_nouveaux_menages", "type_menage=seul", 1),
    ("accueil", "ccas_contacts_distance", "motif=logement", 1),
    ("accueil", "ccas_rdv_jours", "motif=aides", 9),
    ("aide_alimentaire", "alim_colis", "total", 2),
    ("aide_alimentaire", "alim_bons_montant", "forme=cap", 4_050),
    ("aide_legale", "instr_transmis", "total", 2),
    ("aide_legale", "instr_mdph", "type_dossier=pch", 1),
    ("repas", "repas_livres_ete", "menage=seul", 40),
    ("repas", "repas_restaurant", "tranche_age=60-74", 12),
    ("reponses", "enq_demarches_base", "total", 20_000),
    ("reponses", "enq_notoriete", "type_menage=seul", 10_000),
];

/// Fenced blocks of a page, in order: language and text.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    page.split("\n```").skip(1).step_by(2).filter_map(|block| block.split_once('\n')).collect()
}

#[test]
fn every_export_shown_is_read_with_the_mapping_shown_beside_it() {
    for code in ["ccas-activite", "enquete-abs"] {
        let mut packs = methodology::library().into_iter();
        let pack = packs.find(|pack| pack.code().as_str() == code).expect("in the library");
        let page = String::from_utf8(pack.files()["README.md"].clone()).expect("UTF-8");
        let shown: BTreeSet<String> = blocks(&page).chunks(2).map(|pair| shown(&pack, pair)).collect();
        let all: BTreeSet<String> = pack.tables().iter().map(|table| table.code().to_string()).collect();
        assert_eq!(shown, all, "each table is shown");
    }
}

/// Reads one export with its mapping, checks its figures, gives the name of its table.
fn shown(pack: &Pack, pair: &[(&str, &str)]) -> String {
    let [("csv", rows), ("toml", settings)] = pair else { panic!("an export, then its mapping: {pair:?}") };
    let settings: toml::Table = toml::from_str(settings).expect("settings");
    let source = settings["source"][0].as_table().expect("one source");
    assert_eq!(source["pack"].as_str(), Some(pack.code().as_str()));
    let name = source["table"].as_str().expect("a table");
    let table = pack.table(&name.parse().expect("a code")).expect("in the pack");
    let spec: SourceSpec = source["read"].clone().try_into().expect("a source");
    let rows =
        read_bytes(&spec, name, rows.as_bytes(), table).unwrap_or_else(|faults| panic!("{name}: {:?}", faults.first));
    let figures = exposed(&compute(&rows, table).expect("computable"));
    let expected: Vec<_> = EXPECTED.iter().filter(|(of, ..)| *of == name).collect();
    assert!(expected.len() >= 2, "{name} has figures found by hand");
    for (_, indicator, key, units) in expected {
        let found = figures.iter().find(|((i, k), _)| i.as_str() == *indicator && k.to_string() == *key);
        assert_eq!(found.map(|(_, found)| found), Some(units), "{indicator} {key}");
    }
    name.to_owned()
}
