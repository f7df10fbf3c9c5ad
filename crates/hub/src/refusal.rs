//! What was refused is noted, so that a coordinator sees who is stuck and why, and who can help.

use std::collections::BTreeSet;

use model::{FailureKind, Hash, Slice};
use store::DocumentKind;
use store::hub::NewRefusal;
use wire::status::Refusal;

use crate::Hub;
use crate::auth::Provider;

/// Who can mend what was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fixer {
    /// The agent, in the settings or by trying again.
    Commune,
    /// The coordination, by a right or a new invitation.
    Coordination,
    /// Whoever maintains the software: this should not have happened.
    Support,
}

impl Fixer {
    /// In French, as the subject of « peut agir ».
    pub fn french(self) -> &'static str {
        match self {
            Self::Commune => "la commune",
            Self::Coordination => "la coordination",
            Self::Support => "l’assistance du logiciel, avec la commune",
        }
    }
}

/// What a code means in few words, and who can act.
pub fn explain(code: &str) -> (&'static str, Fixer) {
    use Fixer::{Commune, Coordination, Support};
    match code {
        "TERRITORY_NOT_YOURS" => ("territoire qui n’est pas le sien", Coordination),
        "DOCUMENT_OVER_TERRITORIES" => ("envoi sur plusieurs communes à la fois", Commune),
        "PROVIDER_MISMATCH" => ("document au nom d’une autre commune", Commune),
        "TERRITORY_CEASED" => ("commune qui n’existe plus à cette date", Commune),
        "PERIOD_IN_FUTURE" => ("période qui n’a pas commencé", Commune),
        "PERIOD_NOT_POSSIBLE" => ("période impossible", Commune),
        "TABLE_UNKNOWN" => ("tableau que le centre n’attend pas", Commune),
        "PACK_VERSION_NOT_CURRENT" => ("ancienne version du référentiel", Commune),
        "PACK_VERSION_ENDED" => ("version du référentiel qui n’est plus acceptée", Commune),
        "DEFINITION_MISMATCH" => ("définitions différentes de celles du centre", Commune),
        "DECIMALS_MISMATCH" => ("nombre de décimales inattendu", Commune),
        "CELL_ABSENT" | "CELL_UNKNOWN" => ("cases différentes du référentiel", Commune),
        "OTHER_DEFINITION" => ("déjà envoyé sous une autre définition", Commune),
        "TOO_NARROW_WITH_EARLIER" | "DIFFERENCE_TOO_NARROW_WITH_EARLIER" => {
            ("protection insuffisante après les envois passés", Commune)
        }
        "SLICE_NOT_PRESENT" => ("retrait d’un tableau que le centre n’a pas", Commune),
        "BELOW_THRESHOLD"
        | "AMOUNT_OVER_HIDDEN_COUNT"
        | "TOO_NARROW"
        | "DIFFERENCE_TOO_NARROW"
        | "NOT_PROVEN"
        | "DISCLOSURE_CONFLICT" => ("protection insuffisante", Support),
        "FIGURE_NEGATIVE" | "FIGURE_IMPOSSIBLE" | "NOT_ADDITIVE" | "LARGER_THAN_WHOLE" | "CONTRADICTION" => {
            ("chiffres incohérents", Support)
        }
        "SIGNATURE_INVALID" | "SIGNING_KEY_UNKNOWN" => ("signature qui ne correspond pas", Support),
        "DOCUMENT_FORMAT_UNKNOWN" => ("versions du logiciel trop éloignées", Support),
        _ => ("document illisible ou inattendu", Support),
    }
}

/// A document under judgment: what can be said of it if it is refused.
pub(crate) struct Judged {
    pub(crate) kind: DocumentKind,
    pub(crate) document_hash: Hash,
    /// Known once it was read and its provider checked.
    pub(crate) slices: BTreeSet<Slice>,
}

impl Hub {
    /// Notes a refusal that will stay one. What is only busy, or our fault, is not the commune's to mend.
    pub(crate) async fn note_refusal(&self, provider: &Provider, judged: Judged, refusal: &Refusal) {
        match refusal.failure.kind {
            FailureKind::Invalid | FailureKind::Denied | FailureKind::Conflict | FailureKind::Precondition => {}
            FailureKind::Unauthenticated
            | FailureKind::NotFound
            | FailureKind::Exhausted
            | FailureKind::Unavailable
            | FailureKind::Internal => return,
        }
        let note = NewRefusal {
            provider: provider.commune(),
            document_hash: judged.document_hash,
            kind: judged.kind,
            reason: refusal.failure.reason.to_string(),
            // Codes and slices, not the rows: which cell was too small stays between the commune and its hub's answer.
            codes: refusal.conflicts.iter().map(|conflict| conflict.code.clone()).collect(),
            slices: judged.slices,
            message: refusal.failure.message.clone(),
            refused_at: self.now(),
        };
        // The commune is told all the same: a journal that cannot be written changes no answer.
        if let Err(error) = self.0.store.note_refusal(&note).await {
            tracing::warn!(provider = %note.provider, %error, "a refusal was not noted");
        }
    }
}
