//! From the three files of a table to a proven table.

use model::{PackCode, TableCode};

use super::{Dimension, Table, dimension};
use crate::error::{PackCause, PackError, Position};
use crate::forbidden;
use crate::golden::{self, GoldenText};
use crate::identity;
use crate::indicator::{self, IndicatorsText, Proof};
use crate::schema::{Field, FieldType, SchemaText, TableSchema};
use crate::syntax;

/// The texts of one table.
pub(crate) struct Texts<'a> {
    pub(crate) schema: (&'a str, &'a str),
    pub(crate) measures: (&'a str, &'a str),
    pub(crate) golden: (&'a str, &'a str),
}

/// Proves one table.
pub(crate) fn build(pack: &PackCode, code: &TableCode, texts: &Texts<'_>) -> Result<Table, Vec<PackError>> {
    let (schema, dimensions, schema_text) = columns(code, texts.schema).map_err(|fault| vec![fault])?;
    let (schema_file, _) = texts.schema;
    let unit = schema_text.maillage.unit.clone();
    if let Some(name) = &unit {
        protected(name, &schema)
            .map_err(|message| vec![PackError::new(schema_file, "maillage.unit", PackCause::Unknown, message)])?;
    }
    let (file, text) = texts.measures;
    let written: Result<IndicatorsText, _> = from_toml(file, text);
    let (golden_file, golden_text) = texts.golden;
    let golden_read: Result<GoldenText, _> = from_toml(golden_file, golden_text);
    let (written, golden_read) = match (written, golden_read) {
        (Ok(written), Ok(golden)) => (written, golden),
        (written, golden) => return Err(written.err().into_iter().chain(golden.err()).collect()),
    };
    let about = [code.as_str(), &schema_text.title, &schema_text.maillage.row];
    let proof = Proof { file, text, schema: &schema, dimensions: &dimensions, about: &about };
    let (list, measured, relations) = indicator::indicators(&proof, &written)?;
    let golden = golden::prove(golden_file, &golden_read, &list, &measured)?;
    let mut table = Table {
        pack: pack.clone(),
        code: code.clone(),
        title: schema_text.title,
        facts: schema_text.maillage.facts.unwrap_or_else(|| schema_text.maillage.row.clone()),
        row: schema_text.maillage.row,
        unit,
        periods: schema_text.maillage.periods,
        schema,
        dimensions,
        indicators: list,
        scheme: measured,
        relations,
        definition: model::DefinitionHash::from_bytes([0; 32]),
        rule: model::RuleHash::from_bytes([0; 32]),
        golden,
    };
    table.definition = identity::definition(&table);
    table.rule = identity::rule(&table);
    Ok(table)
}

fn columns(
    code: &TableCode,
    (file, text): (&str, &str),
) -> Result<(TableSchema, Vec<Dimension>, SchemaText), PackError> {
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
        if let Some(word) = forbidden::free_text_in(&field.name, &field.title).filter(|_| is_open(field)) {
            return Err(PackError::new(
                file,
                format!("colonne {}", field.name),
                PackCause::Forbidden,
                format!(
                    "« {word} » annonce un texte libre, où l'on écrit n'importe quoi sur des personnes : retirez la colonne, \
                     ou donnez sa liste de valeurs (enum)."
                ),
            ));
        }
    }
    let dimensions = dimension::dimensions(file, &schema_text.maillage.dimensions, &schema)?;
    Ok((schema, dimensions, schema_text))
}

fn is_open(field: &Field) -> bool {
    field.kind == FieldType::String && field.allowed.is_empty() && field.pattern.is_none()
}

fn protected(unit: &str, schema: &TableSchema) -> Result<(), String> {
    let field = schema
        .field(unit)
        .ok_or_else(|| format!("L'unité protégée nomme la colonne « {unit} », qui n'est pas décrite."))?;
    indicator::identifies(field)
}

/// Reads TOML, naming the line where it stops.
pub(crate) fn from_toml<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, PackError> {
    toml::from_str(text).map_err(|error| {
        let position = Position::of(text, error.span().map_or(0, |span| span.start));
        PackError::new(
            file,
            format!("ligne {}", position.line),
            PackCause::Syntax,
            format!("Ce fichier ne se lit pas à la ligne {} : {}.", position.line, syntax::french(error.message())),
        )
        .at(position)
    })
}
