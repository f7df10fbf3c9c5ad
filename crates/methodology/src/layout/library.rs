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
        "insee-base-cc-filosofi.toml",
        "insee-comparateur.toml",
        "insee-dossier-complet.toml",
        "insee-filosofi.toml",
        "observatoire-licences-sport.toml",
        "observatoire-neet.toml",
        "sru.toml",
    ];
    files.into_iter().map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).collect()
}
