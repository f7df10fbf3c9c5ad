//! The commune's files: there, readable, with the columns that they must have. Of their content nothing is told but why
//! they cannot be read, in words that are the same for every file.

use std::collections::BTreeMap;

use methodology::Pack;
use model::PackCode;
use tabular::FaultCause;

use super::Diagnosis;
use crate::config::Source;
use crate::{NodeConfig, NodeFolder};

const CODE: &str = "source";
const TITLE: &str = "Fichier";

pub(super) fn sources(
    diagnosis: &mut Diagnosis,
    folder: &NodeFolder,
    config: Option<&NodeConfig>,
    packs: Option<&BTreeMap<PackCode, Pack>>,
) {
    let Some(config) = config else {
        return diagnosis.skipped(CODE, TITLE, "aucun n’est connu tant que les réglages ne se lisent pas");
    };
    if config.sources.is_empty() {
        let cure = "Ajoutez un bloc [[source]] par tableau ; le modèle deploy/node.toml en donne un exemple.";
        return diagnosis.bad(CODE, TITLE, "NO_SOURCE", "node.toml n’en décrit aucun", cure);
    }
    for source in &config.sources {
        one(diagnosis, folder, source, packs);
    }
}

fn one(diagnosis: &mut Diagnosis, folder: &NodeFolder, source: &Source, packs: Option<&BTreeMap<PackCode, Pack>>) {
    let file = source.read.file.display();
    let table = packs.and_then(|packs| packs.get(&source.pack)).and_then(|pack| pack.table(&source.table));
    let Some(table) = table else {
        match std::fs::File::open(folder.root().join(&source.read.file)) {
            Ok(_) => diagnosis.skipped(
                CODE,
                TITLE,
                format!("{file} est là ; son tableau {} n’est pas connu ici", source.table),
            ),
            Err(_) => absent(diagnosis, &file),
        }
        return;
    };
    match tabular::read(&source.read, folder.root(), table) {
        Ok(_) => diagnosis.good(CODE, TITLE, format!("{file} se lit comme « {} »", table.title())),
        Err(faults) => match faults.first.first().map(|fault| fault.cause) {
            Some(FaultCause::Unreadable) | None => absent(diagnosis, &file),
            Some(cause) => diagnosis.bad(
                CODE,
                TITLE,
                format!("{cause:?}"),
                format!("{file} ne convient pas : {}", french(cause)),
                "« maillage node check » dit la ligne, la colonne et le remède ; sa sortie peut citer des données, ne la transmettez pas.",
            ),
        },
    }
}

fn absent(diagnosis: &mut Diagnosis, file: &std::path::Display<'_>) {
    diagnosis.bad(
        CODE,
        TITLE,
        "Unreadable",
        format!("{file} est introuvable ou illisible"),
        "Vérifiez son chemin dans node.toml (relatif au dossier du nœud) et les droits de lecture.",
    );
}

fn french(cause: FaultCause) -> &'static str {
    match cause {
        FaultCause::Unreadable => "introuvable ou illisible",
        FaultCause::TooLarge => "trop volumineux",
        FaultCause::Empty => "vide",
        FaultCause::NotText => "ce n’est ni un CSV, ni un classeur, ni un Parquet qui s’ouvre",
        FaultCause::Encoding => "codage des caractères",
        FaultCause::Separator => "séparateur de colonnes introuvable",
        FaultCause::Header => "ligne d’en-tête introuvable",
        FaultCause::MissingColumn => "une colonne attendue manque",
        FaultCause::DuplicateColumn => "une colonne figure deux fois",
        FaultCause::Ragged => "une ligne n’a pas le bon nombre de cellules",
        FaultCause::Required => "une valeur obligatoire manque",
        FaultCause::Type => "une valeur n’est pas du type attendu",
        FaultCause::Ambiguous => "une valeur se lit de deux façons",
        FaultCause::DamagedCode => "un code a été abîmé par un tableur",
        FaultCause::UnknownCode => "une modalité n’est pas connue",
        FaultCause::Constraint => "une valeur est hors des limites",
        FaultCause::DuplicateKey => "un même identifiant figure deux fois",
        FaultCause::MultiValued => "une même personne a deux valeurs",
        FaultCause::Overflow => "une somme est trop grande",
        FaultCause::Hierarchy => "la hiérarchie ne se lit pas",
        FaultCause::TotalRow => "une ligne de total figure parmi les données",
        FaultCause::Settings => "les réglages de la source contredisent le tableau",
    }
}
