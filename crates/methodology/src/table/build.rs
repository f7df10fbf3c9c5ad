//! From the three files of a table to a proven table.

use model::{PackCode, TableCode};

use super::{Table, dimension};
use crate::error::{PackCause, PackError};
use crate::forbidden;
use crate::golden::{self, GoldenText};
use crate::identity;
use crate::indicator::{self, IndicatorsText, Proof};
use crate::schema::SchemaText;

/// The texts of one table.
pub(crate) struct Texts<'a> {
    pub(crate) schema: (&'a str, &'a str),
    pub(crate) measures: (&'a str, &'a str),
    pub(crate) golden: (&'a str, &'a str),
}

/// Proves one table.
pub(crate) fn build(pack: &PackCode, code: &TableCode, texts: &Texts<'_>) -> Result<Table, PackError> {
    let (file, text) = texts.schema;
    let schema_text = SchemaText::read(file, text)?;
    if schema_text.name != code.as_str() {
        return Err(PackError::new(
            file,
            "name",
            PackCause::Inconsistent,
            format!("Le schéma s'appelle « {} », la table « {code} » : donnez-leur le même nom.", schema_text.name),
        ));
    }
    let schema = schema_text.schema(file)?;
    for field in &schema.fields {
        if let Some(word) = [&field.name, &field.title].into_iter().find_map(|text| forbidden::word_in(text)) {
            return Err(PackError::new(
                file,
                format!("colonne {}", field.name),
                PackCause::Forbidden,
                format!("Le sujet « {word} » ne peut pas être lu par un référentiel : retirez la colonne."),
            ));
        }
    }
    let dimensions = dimension::dimensions(file, &schema_text.maillage.dimensions, &schema)?;
    let unit = schema_text.maillage.unit.clone();
    if let Some(name) = &unit {
        let refuse = |message| PackError::new(file, "maillage.unit", PackCause::Unknown, message);
        let field = schema
            .field(name)
            .ok_or_else(|| refuse(format!("L'unité protégée nomme la colonne « {name} », qui n'est pas décrite.")))?;
        indicator::identifies(field).map_err(refuse)?;
    }
    let (file, text) = texts.measures;
    let written: IndicatorsText = from_toml(file, text)?;
    let proof = Proof { file, schema: &schema, dimensions: &dimensions };
    let (list, measured) = indicator::indicators(&proof, &written)?;
    let (file, text) = texts.golden;
    let golden_text: GoldenText = from_toml(file, text)?;
    let golden = golden::prove(file, &golden_text, &list, &measured)?;
    let mut table = Table {
        pack: pack.clone(),
        code: code.clone(),
        title: schema_text.title,
        row: schema_text.maillage.row,
        unit,
        periods: schema_text.maillage.periods,
        schema,
        dimensions,
        indicators: list,
        scheme: measured,
        definition: model::DefinitionHash::from_bytes([0; 32]),
        rule: model::RuleHash::from_bytes([0; 32]),
        golden,
    };
    table.definition = identity::definition(&table);
    table.rule = identity::rule(&table);
    Ok(table)
}

/// Reads TOML, naming the line where it stops.
pub(crate) fn from_toml<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, PackError> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        PackError::new(
            file,
            format!("ligne {line}"),
            PackCause::Syntax,
            format!("Ce fichier ne se lit pas à la ligne {line} : {}.", error.message()),
        )
    })
}
