//! One cell: from text to code, number, date, yes or no, or a fault that says how to mend it.

use methodology::{Dimension, FieldType};

use crate::fault::{FaultCause, cut};
use crate::rows::Cell;

use super::date::{self, Day};
use super::number::{self, Number};
use super::rules::{Plan, Rule};
use crate::source::DecimalMark;

/// What the file itself says that a cell is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// A number: a point is its decimal mark, whatever offices write.
    Number,
    /// An error of the spreadsheet, or a value that has no text.
    Error,
}

/// A cell as the file has it.
#[derive(Clone, Copy)]
pub(super) struct Raw<'a> {
    pub(super) text: &'a str,
    pub(super) kind: Kind,
}

impl<'a> Raw<'a> {
    pub(super) fn text(text: &'a str) -> Self {
        Self { text, kind: Kind::Text }
    }
}

/// A cell that did not: cause and French message, without place.
pub(super) type Refusal = (FaultCause, String);

/// Reads one cell under its rule.
pub(super) fn cell<'a>(plan: &Plan<'_>, rule: &Rule<'a>, raw: Raw<'a>) -> Result<Cell<'a>, Refusal> {
    let decimal = match raw.kind {
        Kind::Text => plan.decimal,
        Kind::Number => DecimalMark::Point,
        Kind::Error => {
            return Err((
                FaultCause::Type,
                "La case contient une erreur (#N/A, #REF!, …) ou une valeur qui ne se lit pas : corrigez la formule ou \
                 saisissez la valeur."
                    .to_owned(),
            ));
        }
    };
    let raw = raw.text.trim();
    let text = rule.codes.and_then(|codes| codes.get(raw)).map_or(raw, String::as_str);
    if plan.is_missing(text) {
        if plan.totals && rule.dimension.is_some() && text.is_empty() {
            return Err((
                FaultCause::Required,
                format!(
                    "La case est vide : sous-total, ou « non renseigné » ? Dans un fichier de totaux, un sous-total serait \
                     compté deux fois. Retirez la ligne si c'est un sous-total ; sinon écrivez la modalité, ou ajoutez une \
                     correspondance (codes.{}, avec \"\" pour la case vide) à la source.",
                    rule.field.name
                ),
            ));
        }
        return blank(rule);
    }
    if plan.totals
        && let Some(dimension) = rule.dimension
    {
        return of_totals(rule, dimension, text);
    }
    match rule.field.kind {
        FieldType::String => string(rule, text),
        FieldType::Integer | FieldType::Number(_) => numeric(decimal, rule, text),
        FieldType::Date => day(rule, text),
        FieldType::Boolean => boolean(rule, text),
    }
}

fn blank(rule: &Rule<'_>) -> Result<Cell<'static>, Refusal> {
    if rule.field.required {
        return Err((
            FaultCause::Required,
            "La case est vide alors que la valeur est obligatoire : complétez-la dans le logiciel d'origine."
                .to_owned(),
        ));
    }
    match rule.dimension {
        None => Ok(Cell::Blank),
        Some(dimension) => dimension.of_blank().map_or_else(
            || Err((FaultCause::Required, "La case est vide alors qu'une modalité est attendue.".to_owned())),
            |place| Ok(code(place)),
        ),
    }
}

fn code(place: usize) -> Cell<'static> {
    Cell::Code(u32::try_from(place).expect("a dimension has at most 200 codes"))
}

fn string<'a>(rule: &Rule<'_>, text: &'a str) -> Result<Cell<'a>, Refusal> {
    if is_exponent(text) {
        return Err((
            FaultCause::DamagedCode,
            format!(
                "« {} » est un code abîmé par un tableur (notation scientifique) : ses chiffres sont perdus. Reprenez-le \
                 dans le logiciel d'origine et gardez la colonne en texte.",
                cut(text)
            ),
        ));
    }
    if let Some(dimension) = rule.dimension {
        return dimension.of_text(text).map(code).ok_or_else(|| unknown_code(rule, dimension, text));
    }
    let accepted = |candidate: &str| {
        (rule.field.allowed.is_empty() || rule.field.allowed.contains(candidate))
            && rule.pattern.as_ref().is_none_or(|pattern| pattern.is_match(candidate))
    };
    if accepted(text) {
        return Ok(Cell::Text(text));
    }
    if let Some(proposal) = mended(text).into_iter().find(|candidate| accepted(candidate)) {
        return Err(damaged(text, &proposal));
    }
    Err((
        if rule.field.allowed.is_empty() { FaultCause::Constraint } else { FaultCause::UnknownCode },
        format!("« {} » n'a pas la forme attendue pour « {} ».", cut(text), rule.field.title),
    ))
}

/// A line of totals has the code itself, its title, or a value that leads to it: of an age, the band.
fn of_totals(rule: &Rule<'_>, dimension: &Dimension, text: &str) -> Result<Cell<'static>, Refusal> {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let same = |other: &str| plain(other) == plain(text);
    let items = || dimension.items.iter();
    let place =
        dimension.of_text(text).or_else(|| items().position(|item| same(item.code.as_str()) || same(&item.title)));
    place.map(code).ok_or_else(|| {
        let known: Vec<String> = items().map(|item| format!("{} ({})", item.code, item.title)).collect();
        (
            FaultCause::UnknownCode,
            format!(
                "« {} » n'est pas une modalité connue de « {} » (connues : {}). Corrigez la case, ou ajoutez une \
                 correspondance (codes.{}) à la source.",
                cut(text),
                dimension.title,
                known.join(", "),
                rule.field.name
            ),
        )
    })
}

fn unknown_code(rule: &Rule<'_>, dimension: &Dimension, text: &str) -> Refusal {
    if let Some(proposal) = mended(text).into_iter().find(|candidate| dimension.of_text(candidate).is_some()) {
        return damaged(text, &proposal);
    }
    let values: Vec<String> = dimension.items.iter().flat_map(|item| item.values.iter().cloned()).collect();
    let near = super::layout::nearest(&[text.to_owned()], &values)
        .map_or_else(String::new, |value| format!(" S'agit-il de « {} » ?", cut(value)));
    let shown: Vec<String> = values.iter().take(12).map(|value| cut(value)).collect();
    let more = if values.len() > shown.len() { ", …" } else { "" };
    (
        FaultCause::UnknownCode,
        format!(
            "« {} » n'est pas une modalité connue de « {} » (connues : {}{more}).{near} Corrigez la case, ou ajoutez une \
             correspondance (codes.{}) à la source.",
            cut(text),
            dimension.title,
            shown.join(", "),
            rule.field.name
        ),
    )
}

/// What a spreadsheet may have made of a code: a zero lost in front, `.0` added behind.
fn mended(text: &str) -> Vec<String> {
    let bare = text.strip_suffix(".0").or_else(|| text.strip_suffix(",0")).unwrap_or(text);
    if bare.is_empty() || !bare.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Vec::new();
    }
    vec![bare.to_owned(), format!("0{bare}")].into_iter().filter(|candidate| candidate != text).collect()
}

fn damaged(text: &str, proposal: &str) -> Refusal {
    (
        FaultCause::DamagedCode,
        format!(
            "« {} » est sans doute « {} », abîmé par un tableur (zéro initial perdu ou décimale ajoutée) : vérifiez, \
             corrigez et gardez la colonne en texte.",
            cut(text),
            cut(proposal)
        ),
    )
}

/// `2,00072E+08`: what a spreadsheet makes of a long code.
fn is_exponent(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else { return false };
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let Some(exponent) = exponent.strip_prefix(['+', '-']) else { return false };
    digits(exponent) && mantissa.split_once([',', '.']).map_or(digits(mantissa), |(a, b)| digits(a) && digits(b))
}

fn numeric(decimal: DecimalMark, rule: &Rule<'_>, text: &str) -> Result<Cell<'static>, Refusal> {
    let whole = rule.field.kind == FieldType::Integer;
    let units = match number::read(text, rule.field.kind.decimals(), decimal) {
        Number::Units { rounded: true, .. } if whole => {
            return Err((FaultCause::Type, format!("« {} » n'est pas un nombre entier.", cut(text))));
        }
        Number::Units { units, .. } => units,
        Number::Ambiguous => {
            return Err((
                FaultCause::Ambiguous,
                format!(
                    "« {} » se lit de deux façons (mille ou décimale) : réglez la marque décimale de la source \
                     (decimal = \",\" ou decimal = \".\").",
                    cut(text)
                ),
            ));
        }
        Number::Not => {
            return Err((
                FaultCause::Type,
                format!(
                    "« {} » n'est pas un nombre : écrivez par exemple 1 234,50, ou laissez la case vide.",
                    cut(text)
                ),
            ));
        }
    };
    let below = rule.field.minimum.is_some_and(|minimum| units < minimum);
    let above = rule.field.maximum.is_some_and(|maximum| units > maximum);
    if below || above {
        return Err((
            FaultCause::Constraint,
            format!("« {} » est hors des limites de « {} » : vérifiez la saisie.", cut(text), rule.field.title),
        ));
    }
    match rule.dimension {
        None => Ok(Cell::Number(units)),
        Some(dimension) => dimension.of_number(units).map(code).ok_or_else(|| {
            (
                FaultCause::UnknownCode,
                format!("« {} » n'entre dans aucune tranche de « {} ».", cut(text), dimension.title),
            )
        }),
    }
}

fn day(rule: &Rule<'_>, text: &str) -> Result<Cell<'static>, Refusal> {
    match date::read(text) {
        Day::Days(days) => {
            if rule.field.minimum.is_some_and(|m| days < m) || rule.field.maximum.is_some_and(|m| days > m) {
                return Err((FaultCause::Constraint, format!("« {} » est hors des dates attendues.", cut(text))));
            }
            Ok(Cell::Number(days))
        }
        Day::Proposal(proposal) => Err((
            FaultCause::Ambiguous,
            format!("« {} » est peut-être le {proposal} : écrivez la date en entier (JJ/MM/AAAA).", cut(text)),
        )),
        Day::Not => Err((FaultCause::Type, format!("« {} » n'est pas une date : écrivez-la JJ/MM/AAAA.", cut(text)))),
    }
}

fn boolean(rule: &Rule<'_>, text: &str) -> Result<Cell<'static>, Refusal> {
    let yes = match text.to_lowercase().as_str() {
        "oui" | "o" | "vrai" | "true" | "1" | "x" | "yes" | "y" => true,
        "non" | "n" | "faux" | "false" | "0" | "no" => false,
        _ => {
            return Err((
                FaultCause::Type,
                format!("« {} » n'est ni oui ni non : écrivez oui, non, ou laissez la case vide.", cut(text)),
            ));
        }
    };
    match rule.dimension {
        None => Ok(Cell::Boolean(yes)),
        Some(dimension) => dimension.of_text(if yes { "true" } else { "false" }).map(code).ok_or_else(|| {
            (FaultCause::UnknownCode, format!("« {} » n'est pas une modalité de « {} ».", cut(text), dimension.title))
        }),
    }
}
