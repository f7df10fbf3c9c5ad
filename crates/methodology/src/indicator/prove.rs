//! Proves indicators against the columns and dimensions of their table.

use std::collections::{BTreeMap, BTreeSet};

use disclosure::{MeasureScheme, Protection, Quantity, Restriction, Rule, TableScheme, Zeros};
use model::{Decimals, DimensionCode, IndicatorCode};

use super::parse::{IndicatorText, IndicatorsText, MeasureText, QuantityText, RuleText, SheetText, ZerosText};
use super::{Aggregation, Definition, Indicator, Measure, Sheet};
use crate::error::{PackCause, PackError, Position};
use crate::filter::{self, Names, Split};
use crate::forbidden;
use crate::relation::{self, Derived, Known, Measures};
use crate::schema::{Field, FieldType, TableSchema};
use crate::table::Dimension;

mod derived;

/// Most cells of one table: a wider table would uncover by its sheer detail, and nobody could read it.
const MAX_CELLS: usize = 20_000;

/// Most indicators of one table: all are compared with each other.
const MAX_INDICATORS: usize = 250;

/// Where indicators stand while they are proven.
pub(crate) struct Proof<'a> {
    pub(crate) file: &'a str,
    /// The whole file, to name lines.
    pub(crate) text: &'a str,
    pub(crate) schema: &'a TableSchema,
    pub(crate) dimensions: &'a [Dimension],
    /// Code, title and rows of the table.
    pub(crate) about: &'a [&'a str],
}

/// Indicators in the order of the file, and what secrecy must know of them.
///
/// # Errors
/// As many faults as can be told apart: at most one of each indicator's measure, one of its sheet, or one of its ratio.
pub(crate) fn indicators(
    proof: &Proof<'_>,
    text: &IndicatorsText,
) -> Result<(Vec<Indicator>, TableScheme, Vec<Known>), Vec<PackError>> {
    if text.indicators.len() > MAX_INDICATORS {
        let cure = format!("La table a plus de {MAX_INDICATORS} indicateurs : répartissez-les sur plusieurs tables.");
        return Err(vec![PackError::new(proof.file, "indicateurs", PackCause::Malformed, cure)]);
    }
    let mut faults: Vec<PackError> = Vec::new();
    let mut measures: BTreeMap<IndicatorCode, Measure> = BTreeMap::new();
    let mut codes: Vec<IndicatorCode> = Vec::new();
    for indicator in &text.indicators {
        let at = At::new(proof, indicator);
        faults.extend(at.presented(indicator).err());
        let Ok(code) = indicator.code.get_ref().parse::<IndicatorCode>() else {
            faults.push(at.error(
                PackCause::Malformed,
                "Le code d'un indicateur s'écrit sans accent ni espace (64 signes au plus).",
            ));
            continue;
        };
        if codes.contains(&code) {
            faults.push(at.error(PackCause::Duplicate, "Cet indicateur est défini deux fois : gardez-en un."));
            continue;
        }
        if let Some(measure) = &indicator.measure {
            match at.measure(measure, &text.rules) {
                Ok(measure) => drop(measures.insert(code.clone(), measure)),
                Err(fault) => faults.push(fault),
            }
        }
        codes.push(code);
    }
    // A ratio of a measure that failed would be said to name a measure that does not exist.
    if !faults.is_empty() {
        return Err(faults);
    }
    let scheme = proof.scheme(&measures, None).map_err(|fault| vec![fault])?;
    for measure in scheme.measures() {
        if let Some(own) = measures.get_mut(&measure.indicator) {
            own.breakdowns.clone_from(&measure.breakdowns);
        }
    }
    let mut indicators = Vec::new();
    for (indicator, code) in text.indicators.iter().zip(codes) {
        match At::new(proof, indicator).indicator(indicator, code, &measures) {
            Ok(indicator) => indicators.push(indicator),
            Err(fault) => faults.push(fault),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let rows = Measures::new(proof, &measures);
    let declared = relation::declared(proof, &text.relations, &rows)?;
    let derived = relation::derive(proof, &rows, &declared)?;
    let relations = relation::all(&rows, &indicators, declared);
    let scheme = proof.scheme(&measures, Some(derived)).map_err(|fault| vec![fault])?;
    Ok((indicators, scheme, relations))
}

impl Proof<'_> {
    /// The fault of an indicator that was read already.
    pub(crate) fn of(&self, code: &IndicatorCode, cause: PackCause, message: impl Into<String>) -> PackError {
        PackError::new(self.file, format!("indicateur {code}"), cause, message)
    }

    fn scheme(
        &self,
        measures: &BTreeMap<IndicatorCode, Measure>,
        derived: Option<Derived>,
    ) -> Result<TableScheme, PackError> {
        let Derived { restrictions, axes, readings } = derived.unwrap_or_else(|| Derived {
            restrictions: measures.iter().map(|(code, measure)| (code.clone(), measure.restriction.clone())).collect(),
            axes: BTreeMap::new(),
            readings: BTreeMap::new(),
        });
        let dimensions = self.dimensions.iter().map(|d| (d.code.clone(), d.codes())).chain(axes).collect();
        let list = measures
            .iter()
            .map(|(indicator, measure)| MeasureScheme {
                indicator: indicator.clone(),
                quantity: measure.quantity.clone(),
                restriction: restrictions[indicator].clone(),
                breakdowns: measure.breakdowns.clone(),
                protection: measure.protection,
                decimals: measure.decimals,
            })
            .collect();
        let scheme = TableScheme::new(dimensions, list).map_err(|error| {
            PackError::new(self.file, "table", PackCause::Inconsistent, format!("La table se contredit : {error}."))
        })?;
        let scheme = scheme.with_readings(readings);
        let size = |dimension: &DimensionCode| scheme.dimensions().get(dimension).map_or(0, Vec::len);
        let cells: usize = scheme
            .measures()
            .iter()
            .flat_map(|m| &m.breakdowns)
            .map(|breakdown| breakdown.iter().map(size).product::<usize>())
            .sum();
        if cells > MAX_CELLS {
            return Err(PackError::new(
                self.file,
                "table",
                PackCause::TooManyDimensions,
                format!("La table aurait {cells} cases ; {MAX_CELLS} au plus : retirez des croisements."),
            ));
        }
        Ok(scheme)
    }

    fn dimension(&self, code: &str) -> Option<&Dimension> {
        self.dimensions.iter().find(|d| d.code.as_str() == code)
    }

    /// Whether every value of `column` has one code only on `dimension`.
    fn single_valued(&self, dimension: &Dimension, column: &str) -> bool {
        dimension.single_valued_for.contains(column)
            || matches!(self.schema.primary_key.as_slice(), [only] if only == column)
    }
}

struct At<'a> {
    proof: &'a Proof<'a>,
    place: String,
    start: usize,
}

impl<'a> At<'a> {
    fn new(proof: &'a Proof<'a>, indicator: &IndicatorText) -> Self {
        Self { proof, place: format!("indicateur {}", indicator.code.get_ref()), start: indicator.code.span().start }
    }

    fn error(&self, cause: PackCause, message: impl Into<String>) -> PackError {
        let position = Position::of(self.proof.text, self.start);
        PackError::new(self.proof.file, self.place.clone(), cause, message).at(position)
    }

    /// What people read is there; and only the total of the register of rescue is told.
    fn presented(&self, text: &IndicatorText) -> Result<(), PackError> {
        for (text, what) in [(&text.title, "titre"), (&text.theme, "thème"), (&text.unit, "unité")] {
            if text.trim().is_empty() {
                return Err(self.error(PackCause::Malformed, format!("Il manque : {what}.")));
            }
        }
        let mut about = self.proof.about.iter().copied().chain([text.code.get_ref().as_str(), &text.title]);
        let broken_down =
            text.measure.as_ref().is_some_and(|measure| measure.by.iter().any(|crossed| !crossed.is_empty()));
        if broken_down && about.any(forbidden::register_of_rescue) {
            return Err(self.error(
                PackCause::Forbidden,
                "Le registre nominatif du plan canicule ne sert qu'aux secours : seul son total se publie, sans ventilation \
                 (by = []).",
            ));
        }
        self.sheet(text.sheet.as_ref()).map(drop)
    }

    fn field(&self, column: &str) -> Result<&Field, PackError> {
        let field = self.proof.schema.field(column).ok_or_else(|| {
            self.error(PackCause::Unknown, format!("La colonne « {column} » n'existe pas dans la table."))
        })?;
        if self.proof.dimensions.iter().any(|d| d.field == column) {
            return Err(self.error(
                PackCause::Inconsistent,
                format!("La colonne « {column} » porte un critère : elle ne peut pas être aussi comptée ou sommée."),
            ));
        }
        Ok(field)
    }

    fn quantity(&self, text: &MeasureText) -> Result<(Quantity, Decimals), PackError> {
        let column = match (text.quantity, &text.column) {
            (QuantityText::Rows, None) => return Ok((Quantity::Rows, Decimals::NONE)),
            (QuantityText::Rows, Some(_)) => {
                return Err(self.error(PackCause::Inconsistent, "Compter des lignes (rows) ne demande pas de colonne."));
            }
            (_, None) => {
                return Err(self.error(PackCause::Inconsistent, "Cette mesure doit nommer sa colonne (column)."));
            }
            (_, Some(column)) => column.clone(),
        };
        let field = self.field(&column)?;
        if text.quantity == QuantityText::Distinct {
            identifies(field).map_err(|message| self.error(PackCause::Type, message))?;
            return Ok((Quantity::Distinct { column }, Decimals::NONE));
        }
        if !matches!(field.kind, FieldType::Integer | FieldType::Number(_)) || field.minimum.is_none_or(|m| m < 0) {
            return Err(self.error(
                PackCause::Type,
                format!("La colonne « {column} » doit être un nombre dont le minimum déclaré est 0 ou plus."),
            ));
        }
        let decimals = field.kind.decimals();
        if text.quantity == QuantityText::Weight {
            if !field.required {
                return Err(self.error(
                    PackCause::Inconsistent,
                    format!("La colonne de poids « {column} » doit être obligatoire (required)."),
                ));
            }
            return Ok((Quantity::Weight { column }, decimals));
        }
        Ok((Quantity::Sum { column }, decimals))
    }

    fn measure(&self, text: &MeasureText, rules: &BTreeMap<String, RuleText>) -> Result<Measure, PackError> {
        let (quantity, decimals) = self.quantity(text)?;
        let breakdowns = self.breakdowns(&text.by, &quantity)?;
        let names = Names { schema: self.proof.schema, dimensions: self.proof.dimensions };
        let written = text.filter.as_ref().map_or("", |filter| filter.get_ref().as_str());
        let filter = filter::parse(written, &names).map_err(|refusal| {
            let error = self.error(refusal.cause, format!("Filtre : {}", refusal.message));
            match &text.filter {
                Some(filter) => error.at(refusal.position(self.proof.text, filter.span(), filter.get_ref())),
                None => error,
            }
        })?;
        let partitions = |dimension: &Dimension| match &quantity {
            Quantity::Distinct { column } => self.proof.single_valued(dimension, column),
            Quantity::Rows | Quantity::Sum { .. } | Quantity::Weight { .. } => true,
        };
        let Split { codes, conditions, readings } =
            filter::split(filter, self.proof.dimensions, &partitions).map_err(|code| {
                self.error(PackCause::Filter, format!("Le filtre ne laisse aucune modalité du critère « {code} »."))
            })?;
        let protection = self.protection(&text.protection, rules, decimals)?;
        if let Protection::Here(rule) = protection
            && !matches!(quantity, Quantity::Sum { .. })
            && rule.width < i64::from(rule.threshold) * decimals.one()
        {
            // A narrower width would leave differences over a hidden cell in between below the threshold.
            return Err(self.error(
                PackCause::Inconsistent,
                "Pour un effectif, la largeur (width) de la règle doit être au moins égale au seuil (threshold).",
            ));
        }
        Ok(Measure {
            restriction: Restriction { codes, conditions: conditions.keys().cloned().collect() },
            protection,
            quantity,
            conditions,
            readings,
            filter: written.trim().to_owned(),
            breakdowns,
            decimals,
            shown: self.published(text.decimals, decimals)?,
        })
    }

    /// Places worth showing: as many as there are, two at most, if the pack does not say.
    fn published(&self, text: Option<u8>, decimals: Decimals) -> Result<Decimals, PackError> {
        let Some(places) = text else { return Ok(decimals.min(Decimals::new(2).unwrap_or(Decimals::NONE))) };
        Decimals::new(places).filter(|shown| *shown <= decimals).ok_or_else(|| {
            let most = decimals.places();
            self.error(
                PackCause::Inconsistent,
                format!("La précision publiée (decimals) va de 0 à {most}, les décimales de la colonne."),
            )
        })
    }

    fn breakdowns(
        &self,
        by: &[Vec<String>],
        quantity: &Quantity,
    ) -> Result<BTreeSet<BTreeSet<DimensionCode>>, PackError> {
        let mut breakdowns = BTreeSet::new();
        for crossed in by {
            let mut breakdown = BTreeSet::new();
            for name in crossed {
                let dimension = self.proof.dimension(name).ok_or_else(|| {
                    self.error(PackCause::Unknown, format!("Le critère « {name} » n'existe pas dans la table."))
                })?;
                if let Quantity::Distinct { column } = quantity
                    && !self.proof.single_valued(dimension, column)
                {
                    return Err(self.error(
                        PackCause::MultiValued,
                        format!(
                            "Un même « {column} » peut avoir plusieurs modalités du critère « {name} » : les compter par \
                             modalité ferait des doubles comptes. Comptez des lignes, ou, si la valeur est unique par \
                             construction, déclarez-le : \"single_valued_for\": [\"{column}\"] (la lecture le vérifie)."
                        ),
                    ));
                }
                if !breakdown.insert(dimension.code.clone()) {
                    return Err(
                        self.error(PackCause::Duplicate, format!("Le critère « {name} » est croisé avec lui-même."))
                    );
                }
            }
            if breakdown.len() > 2 {
                return Err(self.error(
                    PackCause::TooManyDimensions,
                    "Au plus deux critères peuvent être croisés : au-delà, les cases désignent des personnes.",
                ));
            }
            breakdowns.insert(breakdown);
        }
        Ok(breakdowns)
    }

    fn protection(
        &self,
        name: &str,
        rules: &BTreeMap<String, RuleText>,
        decimals: Decimals,
    ) -> Result<Protection, PackError> {
        match name {
            "at_source" => Ok(Protection::AtSource),
            "none" => Ok(Protection::None),
            _ => {
                let rule = rules.get(name).ok_or_else(|| {
                    self.error(
                        PackCause::Unknown,
                        format!("La règle « {name} » n'existe pas : décrivez-la sous [rules.{name}], ou écrivez at_source ou none."),
                    )
                })?;
                if rule.threshold < 2 || rule.width < 1 {
                    return Err(self.error(
                        PackCause::Inconsistent,
                        format!("La règle « {name} » ne protège rien : seuil (threshold) d'au moins 2, largeur (width) d'au moins 1."),
                    ));
                }
                Ok(Protection::Here(Rule {
                    threshold: rule.threshold,
                    zeros: match rule.zeros {
                        ZerosText::Publish => Zeros::Publish,
                        ZerosText::Protect => Zeros::Protect,
                    },
                    width: i64::from(rule.width) * decimals.one(),
                }))
            }
        }
    }

    fn indicator(
        &self,
        text: &IndicatorText,
        code: IndicatorCode,
        measures: &BTreeMap<IndicatorCode, Measure>,
    ) -> Result<Indicator, PackError> {
        let aggregation = Aggregation::from(text.aggregation);
        let definition = match (measures.get(&code), &text.ratio, &text.median) {
            (Some(measure), None, None) => {
                if !matches!(aggregation, Aggregation::Additive | Aggregation::AdditiveWithinCommune) {
                    return Err(self.error(
                        PackCause::Inconsistent,
                        "Une mesure est « additive » ou « additive_within_commune » ; une médiane s’écrit [indicator.median], \
                         déciles et indices ne se calculent pas ici.",
                    ));
                }
                Definition::Measure(measure.clone())
            }
            (None, Some(ratio), None) => {
                if aggregation != Aggregation::Ratio {
                    return Err(self.error(PackCause::Inconsistent, "L'agrégation d'un ratio est « ratio »."));
                }
                Definition::Ratio(self.ratio(ratio, measures)?)
            }
            (None, None, Some(median)) => {
                if aggregation != Aggregation::Distribution {
                    return Err(self.error(
                        PackCause::Inconsistent,
                        "L'agrégation d'une médiane est « distribution » : celle de plusieurs communes se lit dans leurs \
                         effectifs additionnés, jamais dans leurs médianes.",
                    ));
                }
                Definition::Median(self.median(median, measures)?)
            }
            _ => {
                return Err(self.error(
                    PackCause::Inconsistent,
                    "Un indicateur a soit une mesure (measure), soit un ratio (ratio), soit une médiane (median).",
                ));
            }
        };
        if text.convention.is_none() && !text.window.trim().is_empty() {
            return Err(self.error(
                PackCause::Inconsistent,
                "Une fenêtre (window) précise une convention : écrivez aussi convention = \"stock\" ou \"flow\".",
            ));
        }
        let reference = text.reference.as_ref().map(|reference| self.reference(reference)).transpose()?;
        if reference.is_some() && !matches!(definition, Definition::Measure(_)) {
            return Err(self.error(
                PackCause::Inconsistent,
                "Seule une mesure se rapporte à un chiffre public (reference) : un ratio a déjà son dénominateur, une médiane \
                 n'en a pas.",
            ));
        }
        Ok(Indicator {
            code,
            title: text.title.clone(),
            theme: text.theme.clone(),
            unit: text.unit.clone(),
            definition,
            aggregation,
            uncertainty: text.uncertainty.into(),
            polarity: text.polarity.into(),
            convention: text.convention.map(Into::into),
            window: text.window.trim().to_owned(),
            coverage: text.coverage.trim().to_owned(),
            reference,
            sheet: self.sheet(text.sheet.as_ref())?,
        })
    }

    fn sheet(&self, text: Option<&SheetText>) -> Result<Sheet, PackError> {
        let text = text.ok_or_else(|| {
            self.error(
                PackCause::Sheet,
                "Il manque la fiche ([indicator.sheet]) : source, population, périodicité, limites, comment lire, comment \
                 ne pas lire.",
            )
        })?;
        text.whole().ok_or_else(|| self.error(PackCause::Sheet, "Une rubrique de la fiche est vide : remplissez-la."))
    }
}

/// Whether a column can tell units apart.
pub(crate) fn identifies(field: &Field) -> Result<(), String> {
    if field.required && matches!(field.kind, FieldType::String | FieldType::Integer) {
        Ok(())
    } else {
        Err(format!(
            "La colonne « {} » doit être un texte ou un entier obligatoire (required) pour désigner des unités.",
            field.name
        ))
    }
}
