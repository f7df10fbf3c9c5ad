//! The JSON of a Table Schema, with our extension under `maillage`, before it is proven.

use std::collections::BTreeSet;

use model::{Decimals, PeriodKind};
use serde::Deserialize;

use super::{Field, FieldType, TableSchema, calendar_days, exact_units};
use crate::error::{PackCause, PackError, Position};
use crate::syntax;

/// A file `tables/<table>.schema.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SchemaText {
    #[serde(rename = "$schema", default)]
    _schema: Option<String>,
    pub(crate) name: String,
    pub(crate) title: String,
    #[serde(default)]
    _description: Option<String>,
    fields: Vec<FieldText>,
    #[serde(rename = "primaryKey", default)]
    primary_key: OneOrMany,
    #[serde(rename = "missingValues", default = "blank_only")]
    missing_values: BTreeSet<String>,
    pub(crate) maillage: ExtensionText,
}

fn blank_only() -> BTreeSet<String> {
    BTreeSet::from([String::new()])
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Default for OneOrMany {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldText {
    name: String,
    #[serde(rename = "type")]
    kind: KindText,
    title: String,
    #[serde(default)]
    description: String,
    #[serde(rename = "example", default)]
    _example: Option<serde_json::Value>,
    #[serde(rename = "format", default)]
    _format: Option<DefaultFormat>,
    #[serde(default)]
    decimals: Option<u8>,
    #[serde(default)]
    constraints: ConstraintsText,
}

/// The reader recognises French and ISO forms itself; a pack cannot ask for others.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DefaultFormat {
    Default,
    Any,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KindText {
    String,
    Integer,
    Number,
    Date,
    Boolean,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConstraintsText {
    #[serde(default)]
    required: bool,
    #[serde(rename = "enum", default)]
    allowed: Vec<serde_json::Value>,
    #[serde(default)]
    pattern: Option<String>,
    #[serde(default)]
    minimum: Option<serde_json::Value>,
    #[serde(default)]
    maximum: Option<serde_json::Value>,
}

/// Our extension of the Table Schema.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExtensionText {
    pub(crate) row: String,
    #[serde(default)]
    pub(crate) facts: Option<String>,
    #[serde(default)]
    pub(crate) unit: Option<String>,
    #[serde(default)]
    pub(crate) dimensions: Vec<DimensionText>,
    #[serde(default)]
    pub(crate) periods: BTreeSet<PeriodKind>,
}

/// One dimension, before it is proven.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DimensionText {
    pub(crate) code: String,
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) field: Option<String>,
    pub(crate) codes: Vec<CodeText>,
    #[serde(default)]
    pub(crate) blank: Option<String>,
    #[serde(default)]
    pub(crate) single_valued_for: BTreeSet<String>,
}

/// One code, before it is proven.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CodeText {
    pub(crate) code: String,
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) values: Option<BTreeSet<String>>,
    #[serde(default)]
    pub(crate) from: Option<serde_json::Number>,
    #[serde(default)]
    pub(crate) to: Option<serde_json::Number>,
}

impl SchemaText {
    pub(crate) fn read(file: &str, text: &str) -> Result<Self, PackError> {
        serde_json::from_str(text).map_err(|error| {
            PackError::new(
                file,
                format!("ligne {}, colonne {}", error.line(), error.column()),
                PackCause::Syntax,
                format!("Ce fichier n'est pas un schéma de table lisible : {}.", syntax::french(&error.to_string())),
            )
            .at(Position { line: error.line().max(1), column: error.column().max(1) })
        })
    }

    /// The columns, proven.
    pub(crate) fn schema(&self, file: &str) -> Result<TableSchema, PackError> {
        let mut fields: Vec<Field> = Vec::new();
        for text in &self.fields {
            let field = text.prove(file)?;
            if fields.iter().any(|other| other.name == field.name) {
                return Err(PackError::new(
                    file,
                    format!("colonne {}", field.name),
                    PackCause::Duplicate,
                    format!("La colonne « {} » est décrite deux fois : gardez-en une.", field.name),
                ));
            }
            fields.push(field);
        }
        let primary_key = match &self.primary_key {
            OneOrMany::One(name) => vec![name.clone()],
            OneOrMany::Many(names) => names.clone(),
        };
        let mut missing_values: BTreeSet<String> =
            self.missing_values.iter().map(|text| text.trim().to_owned()).collect();
        missing_values.insert(String::new());
        let schema = TableSchema { fields, primary_key, missing_values };
        for name in &schema.primary_key {
            match schema.field(name) {
                None => {
                    return Err(PackError::new(
                        file,
                        "primaryKey",
                        PackCause::Unknown,
                        format!("La clé primaire nomme la colonne « {name} », qui n'est pas décrite."),
                    ));
                }
                Some(field) if !field.required => {
                    return Err(PackError::new(
                        file,
                        "primaryKey",
                        PackCause::Inconsistent,
                        format!("La colonne « {name} » de la clé primaire doit être obligatoire (required)."),
                    ));
                }
                Some(_) => {}
            }
        }
        Ok(schema)
    }
}

impl FieldText {
    fn prove(&self, file: &str) -> Result<Field, PackError> {
        let refuse =
            |cause, message: String| Err(PackError::new(file, format!("colonne {}", self.name), cause, message));
        let name_is_plain = !self.name.is_empty()
            && self.name.len() <= 64
            && self.name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && !self.name.starts_with(|c: char| c.is_ascii_digit());
        if !name_is_plain {
            return refuse(
                PackCause::Malformed,
                "Le nom d'une colonne s'écrit avec des lettres sans accent, des chiffres et « _ ».".to_owned(),
            );
        }
        let kind = match (self.kind, self.decimals) {
            (KindText::Number, Some(places)) => match Decimals::new(places) {
                Some(decimals) => FieldType::Number(decimals),
                None => return refuse(PackCause::Malformed, "« decimals » va de 0 à 9.".to_owned()),
            },
            (KindText::Number, None) => {
                return refuse(
                    PackCause::Malformed,
                    "Une colonne de type number doit dire combien de décimales sont gardées (decimals).".to_owned(),
                );
            }
            (_, Some(_)) => {
                return refuse(PackCause::Inconsistent, "Seul le type number a des décimales (decimals).".to_owned());
            }
            (KindText::String, None) => FieldType::String,
            (KindText::Integer, None) => FieldType::Integer,
            (KindText::Date, None) => FieldType::Date,
            (KindText::Boolean, None) => FieldType::Boolean,
        };
        let limit = |value: &Option<serde_json::Value>, key: &str| match value {
            None => Ok(None),
            Some(value) => {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let units = match kind {
                    FieldType::Integer | FieldType::Number(_) => exact_units(&text, kind.decimals()),
                    FieldType::Date => calendar_days(&text),
                    FieldType::String | FieldType::Boolean => None,
                };
                units.map(Some).ok_or_else(|| {
                    PackError::new(
                        file,
                        format!("colonne {}", self.name),
                        PackCause::Type,
                        format!("« {key} » : « {text} » n'est pas une valeur de cette colonne."),
                    )
                })
            }
        };
        let minimum = limit(&self.constraints.minimum, "minimum")?;
        let maximum = limit(&self.constraints.maximum, "maximum")?;
        if let (Some(low), Some(high)) = (minimum, maximum)
            && low > high
        {
            return refuse(PackCause::Inconsistent, "Le minimum dépasse le maximum.".to_owned());
        }
        if let Some(pattern) = &self.constraints.pattern
            && regex::RegexBuilder::new(pattern).size_limit(1 << 20).build().is_err()
        {
            return refuse(PackCause::Malformed, "« pattern » n'est pas une expression régulière acceptée.".to_owned());
        }
        if kind != FieldType::String && (self.constraints.pattern.is_some() || !self.constraints.allowed.is_empty()) {
            return refuse(
                PackCause::Inconsistent,
                "« pattern » et « enum » ne s'appliquent qu'aux colonnes de texte.".to_owned(),
            );
        }
        let allowed = self
            .constraints
            .allowed
            .iter()
            .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            .collect();
        Ok(Field {
            name: self.name.clone(),
            title: self.title.clone(),
            description: self.description.clone(),
            kind,
            required: self.constraints.required,
            allowed,
            pattern: self.constraints.pattern.clone(),
            minimum,
            maximum,
        })
    }
}
