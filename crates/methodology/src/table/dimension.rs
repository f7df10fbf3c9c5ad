//! Proves dimensions: closed, disjoint, one code per row.

use std::collections::BTreeSet;

use model::{Code, DimensionCode};

use super::{Band, CodeItem, Dimension};
use crate::error::{PackCause, PackError};
use crate::forbidden;
use crate::schema::{DimensionText, Field, FieldType, TableSchema, exact_units};

/// Most codes on one axis.
const MAX_CODES: usize = 200;

/// All dimensions of a table, in the order of the file.
pub(crate) fn dimensions(
    file: &str,
    texts: &[DimensionText],
    schema: &TableSchema,
) -> Result<Vec<Dimension>, PackError> {
    let mut dimensions: Vec<Dimension> = Vec::new();
    for text in texts {
        let dimension = Proof { file, text, schema }.dimension()?;
        let refuse =
            |cause, message: String| Err(PackError::new(file, format!("critère {}", dimension.code), cause, message));
        if dimensions.iter().any(|other| other.code == dimension.code) {
            return refuse(
                PackCause::Duplicate,
                "Ce critère est décrit deux fois : gardez-en une description.".to_owned(),
            );
        }
        if let Some(other) = dimensions.iter().find(|other| other.field == dimension.field) {
            // Disclosure control derives relations per dimension: two axes of one column would be linked unseen.
            return refuse(
                PackCause::Inconsistent,
                format!(
                    "La colonne « {} » porte déjà le critère « {} » : une colonne ne porte qu'un critère, sinon le \
                     secret statistique ne verrait pas le lien entre les deux.",
                    dimension.field, other.code
                ),
            );
        }
        dimensions.push(dimension);
    }
    Ok(dimensions)
}

struct Proof<'a> {
    file: &'a str,
    text: &'a DimensionText,
    schema: &'a TableSchema,
}

impl Proof<'_> {
    fn error(&self, cause: PackCause, message: impl Into<String>) -> PackError {
        PackError::new(self.file, format!("critère {}", self.text.code), cause, message)
    }

    fn dimension(&self) -> Result<Dimension, PackError> {
        let code: DimensionCode = self.text.code.parse().map_err(|_| {
            self.error(PackCause::Malformed, "Le code d'un critère s'écrit sans accent ni espace (64 signes au plus).")
        })?;
        let name = self.text.field.as_deref().unwrap_or(&self.text.code);
        let field = self.schema.field(name).ok_or_else(|| {
            self.error(PackCause::Unknown, format!("Le critère vient de la colonne « {name} », qui n'est pas décrite."))
        })?;
        if name != code.as_str() && self.schema.field(code.as_str()).is_some() {
            return Err(self.error(
                PackCause::Inconsistent,
                "Une autre colonne a le même nom que ce critère : renommez l'un des deux.",
            ));
        }
        for text in [code.as_str(), self.text.title.as_str(), name] {
            if let Some(word) = forbidden::word_in(text) {
                return Err(self.error(
                    PackCause::Forbidden,
                    format!(
                        "Le sujet « {word} » ne peut pas être un critère : cette donnée ne doit pas être collectée."
                    ),
                ));
            }
        }
        let items = self.items(field)?;
        let blank = self.blank(field, &items)?;
        for column in &self.text.single_valued_for {
            if self.schema.field(column).is_none() {
                return Err(self.error(
                    PackCause::Unknown,
                    format!("« single_valued_for » nomme la colonne « {column} », qui n'est pas décrite."),
                ));
            }
        }
        Ok(Dimension {
            code,
            title: self.text.title.clone(),
            field: name.to_owned(),
            items,
            blank,
            single_valued_for: self.text.single_valued_for.clone(),
        })
    }

    fn blank(&self, field: &Field, items: &[CodeItem]) -> Result<Option<Code>, PackError> {
        let blank = match &self.text.blank {
            None => None,
            Some(text) => match items.iter().find(|item| item.code.as_str() == text) {
                Some(item) => Some(item.code.clone()),
                None => {
                    return Err(self.error(
                        PackCause::Unknown,
                        format!("La modalité des cases vides « {text} » n'est pas dans la liste des modalités."),
                    ));
                }
            },
        };
        if blank.is_none() && !field.required {
            return Err(self.error(
                PackCause::Inconsistent,
                "Chaque ligne doit avoir une modalité : rendez la colonne obligatoire (required) ou donnez une \
                 modalité aux cases vides (blank).",
            ));
        }
        Ok(blank)
    }

    fn items(&self, field: &Field) -> Result<Vec<CodeItem>, PackError> {
        if self.text.codes.is_empty() || self.text.codes.len() > MAX_CODES {
            return Err(self.error(
                PackCause::Malformed,
                format!(
                    "Un critère a une liste fermée de 1 à {MAX_CODES} modalités : un texte libre n'est pas un critère."
                ),
            ));
        }
        if !field.allowed.is_empty() {
            return Err(
                self.error(PackCause::Inconsistent, "La liste des modalités suffit : retirez « enum » de la colonne.")
            );
        }
        let mut items: Vec<CodeItem> = Vec::new();
        for text in &self.text.codes {
            let code: Code = text.code.parse().map_err(|_| {
                self.error(
                    PackCause::Malformed,
                    format!("La modalité « {} » s'écrit sans accent ni espace (64 signes au plus).", text.code),
                )
            })?;
            if items.iter().any(|item| item.code == code) {
                return Err(self.error(PackCause::Duplicate, format!("La modalité « {code} » est décrite deux fois.")));
            }
            let is_blank = self.text.blank.as_deref() == Some(code.as_str());
            let banded = text.from.is_some() || text.to.is_some();
            let (values, band) = match field.kind {
                FieldType::String if banded => {
                    return Err(
                        self.error(PackCause::Type, "« from » et « to » ne valent que pour une colonne de nombres.")
                    );
                }
                FieldType::String => (text.values.clone().unwrap_or_else(|| BTreeSet::from([code.to_string()])), None),
                FieldType::Boolean => (self.booleans(text.values.as_ref(), is_blank, &code)?, None),
                FieldType::Integer | FieldType::Number(_) => {
                    (BTreeSet::new(), self.band(field, text.from.as_ref(), text.to.as_ref(), is_blank, &code)?)
                }
                FieldType::Date => {
                    return Err(self.error(PackCause::Type, "Une date ne peut pas porter un critère."));
                }
            };
            if let Some(other) = items.iter().find(|item| !item.values.is_disjoint(&values) || overlap(item.band, band))
            {
                return Err(self.error(
                    PackCause::Inconsistent,
                    format!(
                        "Les modalités « {} » et « {code} » se recouvrent : une ligne n'a qu'une modalité.",
                        other.code
                    ),
                ));
            }
            items.push(CodeItem { code, title: text.title.clone(), values, band });
        }
        Ok(items)
    }

    fn booleans(
        &self,
        values: Option<&BTreeSet<String>>,
        is_blank: bool,
        code: &Code,
    ) -> Result<BTreeSet<String>, PackError> {
        match values {
            Some(values) if !values.is_empty() && values.iter().all(|v| v == "true" || v == "false") => {
                Ok(values.clone())
            }
            None if is_blank => Ok(BTreeSet::new()),
            Some(_) | None => Err(self.error(
                PackCause::Type,
                format!("La modalité « {code} » d'une colonne oui/non doit dire values = [\"true\"] ou [\"false\"]."),
            )),
        }
    }

    fn band(
        &self,
        field: &Field,
        from: Option<&serde_json::Number>,
        to: Option<&serde_json::Number>,
        is_blank: bool,
        code: &Code,
    ) -> Result<Option<Band>, PackError> {
        let units = |number: Option<&serde_json::Number>| match number {
            None => Ok(None),
            Some(number) => exact_units(&number.to_string(), field.kind.decimals()).map(Some).ok_or_else(|| {
                self.error(PackCause::Type, format!("Les bornes de « {code} » ne sont pas des valeurs de la colonne."))
            }),
        };
        let band = Band { from: units(from)?, to: units(to)? };
        match (band.from, band.to) {
            (None, None) if is_blank => Ok(None),
            (None, None) => Err(self.error(
                PackCause::Malformed,
                format!("La modalité « {code} » d'une colonne de nombres doit avoir une borne (from, to)."),
            )),
            (Some(from), Some(to)) if from > to => {
                Err(self.error(PackCause::Inconsistent, format!("Les bornes de « {code} » sont inversées.")))
            }
            _ => Ok(Some(band)),
        }
    }
}

fn overlap(a: Option<Band>, b: Option<Band>) -> bool {
    let (Some(a), Some(b)) = (a, b) else { return false };
    let below = |to: Option<i64>, from: Option<i64>| matches!((to, from), (Some(to), Some(from)) if to < from);
    !below(a.to, b.from) && !below(b.to, a.from)
}
