//! The layouts that come with the program.

use std::collections::BTreeMap;

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../library/public/", $name)))),+]
    };
}

/// Layouts of public files by file name, as [`super::layouts`] reads them together with those of a hub's folder.
pub fn public_layouts() -> BTreeMap<String, Vec<u8>> {
    let files = files![
        "cnaf-iris.toml",
        "education-ips-colleges.toml",
        "education-ips-ecoles.toml",
        "insee-base-cc-filosofi.toml",
        "insee-bpe.toml",
        "insee-comparateur.toml",
        "insee-dossier-complet.toml",
        "insee-filosofi-iris.toml",
        "insee-filosofi.toml",
        "insee-iris-activite.toml",
        "insee-iris-population.toml",
        "insee-qpv-demographie.toml",
        "insee-qpv-emploi.toml",
        "insee-qpv-revenus.toml",
        "insee-rp-questionr.toml",
        "observatoire-licences-sport.toml",
        "observatoire-neet.toml",
        "sru.toml",
    ];
    files.into_iter().map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).collect()
}
