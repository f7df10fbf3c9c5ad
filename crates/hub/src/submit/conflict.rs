//! What to change before the same content can be accepted: code, row, cause, who can fix it and how. Never a value.

use disclosure::attack::Cause;
use model::{Failure, FailureKind, IndicatorCode, Key, Slice};
use wire::status::{Conflict, Refusal};

/// `93066/ccas-activite/domiciliation/2025 dom_personnes age=75-84`.
pub(crate) fn row(slice: &Slice, cell: Option<(&IndicatorCode, &Key)>) -> String {
    match cell {
        None => slice.to_string(),
        Some((indicator, key)) => format!("{slice} {indicator} {key}"),
    }
}

/// A refusal with its conflicts; `None` if there are none.
pub(crate) fn refuse(kind: FailureKind, reason: &'static str, conflicts: Vec<Conflict>) -> Option<Refusal> {
    let first = conflicts.first()?;
    let detail = format!("{} conflicts, the first in {}", conflicts.len(), first.row);
    let message = if conflicts.len() == 1 {
        format!("Envoi refusé en entier, rien n’a été enregistré. {} {}", first.cause, first.cure)
    } else {
        format!(
            "Envoi refusé en entier, rien n’a été enregistré : {} points à corriger, dont le premier : {} {}",
            conflicts.len(),
            first.cause,
            first.cure
        )
    };
    Some(Refusal::from(Failure::new(kind, reason, detail, message)).with_conflicts(conflicts))
}

/// What the intruder found, in French.
pub(crate) fn of_cause(row: String, cause: Cause) -> Conflict {
    const NODE: &str = "Votre logiciel de commune aurait dû l’éviter : mettez-le à jour, relancez « maillage node preview », et signalez-le si cela persiste.";
    const EARLIER: &str = "Relancez « maillage node preview » : le poste tiendra compte de tous les envois passés.";
    const PACK: &str = "Relancez « maillage node preview » : le poste recevra le référentiel à jour.";
    let (code, why, cure) = match cause {
        Cause::Absent => ("CELL_ABSENT", "Une case prévue par le référentiel manque au tableau.", PACK),
        Cause::Unknown => ("CELL_UNKNOWN", "Cette case n’existe pas dans le référentiel.", PACK),
        Cause::Negative => ("FIGURE_NEGATIVE", "Un chiffre est négatif.", NODE),
        Cause::Impossible => ("FIGURE_IMPOSSIBLE", "La case contredit sa propre définition.", NODE),
        Cause::NotAdditive => ("NOT_ADDITIVE", "Un total n’est pas la somme de ses parties.", NODE),
        Cause::LargerThanWhole => ("LARGER_THAN_WHOLE", "Une partie est plus grande que l’ensemble.", NODE),
        Cause::Contradiction => {
            ("CONTRADICTION", "Aucun tableau n’est compatible avec tous les chiffres visibles.", NODE)
        }
        Cause::BelowThreshold => {
            ("BELOW_THRESHOLD", "Un chiffre visible est sous le seuil de secret statistique.", NODE)
        }
        Cause::AmountOverHiddenCount => (
            "AMOUNT_OVER_HIDDEN_COUNT",
            "Un montant est visible alors que le nombre de bénéficiaires est masqué.",
            NODE,
        ),
        Cause::TooNarrow => ("TOO_NARROW", "Un chiffre masqué se déduit de trop près des chiffres visibles.", NODE),
        Cause::DifferenceTooNarrow => (
            "DIFFERENCE_TOO_NARROW",
            "La différence entre deux chiffres se déduit de trop près des chiffres visibles.",
            NODE,
        ),
        Cause::TooNarrowWithEarlier => (
            "TOO_NARROW_WITH_EARLIER",
            "Rapproché des envois passés, un chiffre masqué se déduit de trop près.",
            EARLIER,
        ),
        Cause::DifferenceTooNarrowWithEarlier => (
            "DIFFERENCE_TOO_NARROW_WITH_EARLIER",
            "Rapprochée des envois passés, une différence se déduit de trop près.",
            EARLIER,
        ),
        Cause::NotProven => (
            "NOT_PROVEN",
            "Le centre n’a pas pu prouver dans le temps imparti que ce chiffre masqué est protégé.",
            "Masquez davantage de cases de ce tableau, ou signalez-le à l’équipe du logiciel.",
        ),
        Cause::OtherDefinition => (
            "OTHER_DEFINITION",
            "Ce tableau a déjà été envoyé pour cette période sous une autre définition : rapprochés, les deux pourraient trahir ce que chacun cache.",
            "Gardez les chiffres déjà envoyés pour cette période, ou retirez-les (« maillage node withdraw ») ; la nouvelle définition servira à partir de la période suivante.",
        ),
    };
    Conflict { code: code.to_owned(), row, cause: why.to_owned(), cure: cure.to_owned() }
}
