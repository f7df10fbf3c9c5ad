//! A commune says who may be shown its tables: what was sent is the hub's to keep, and the commune's to show.

use std::collections::{BTreeMap, BTreeSet};

use model::{Audience, CommuneCode, Failure, FailureKind, PackCode, Period, Slice, SubmissionId, TableCode};
use store::DocumentKind;
use wire::document::{Approval, Sharing};

use crate::decision::{self, Decision};
use crate::{Node, failure, ledger};

/// A table, and who is shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// Which slice.
    pub slice: Slice,
    /// French title of the table; its code where no pack at hand knows it.
    pub title: String,
    /// Whether the hub holds figures of it.
    pub sent: bool,
    /// Who is shown it, besides the commune.
    pub audiences: BTreeSet<Audience>,
}

/// Which tables are meant: those sent or spoken of, as far as every word given fits.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Of this pack.
    pub pack: Option<PackCode>,
    /// This table.
    pub table: Option<TableCode>,
    /// Of this period.
    pub period: Option<Period>,
    /// Of this commune.
    pub territory: Option<CommuneCode>,
}

impl Selection {
    fn meets(&self, slice: &Slice) -> bool {
        self.pack.as_ref().is_none_or(|pack| *pack == slice.pack)
            && self.table.as_ref().is_none_or(|table| *table == slice.table)
            && self.period.is_none_or(|period| period == slice.period)
            && self.territory.is_none_or(|territory| territory == slice.territory)
    }

    /// The one slice that is named to the end; the territory may be left out where it is the node's own.
    fn named(&self, node: &Node) -> Option<Slice> {
        Some(Slice {
            territory: self.territory.unwrap_or(node.provider()),
            pack: self.pack.clone()?,
            table: self.table.clone()?,
            period: self.period?,
        })
    }
}

/// Who is shown what, as the ledger says; asks nobody outside. A table that was never sent is in it if it is named to
/// the end: a commune may say no before anything leaves.
///
/// # Errors
/// Nothing that was sent or can be sent fits; a ledger that may lack something.
pub async fn standing(node: &Node, selection: &Selection) -> Result<Vec<Shared>, Failure> {
    let sent = ledger::read(node.store(), &node.identity().territories).await?;
    let mut slices: BTreeSet<Slice> =
        sent.current.keys().chain(sent.shared.keys()).filter(|slice| selection.meets(slice)).cloned().collect();
    let title = |slice: &Slice| Some(node.packs().get(&slice.pack)?.table(&slice.table)?.title().to_owned());
    if slices.is_empty() {
        let named = selection.named(node);
        slices.extend(
            named.filter(|slice| title(slice).is_some() && node.identity().territories.contains(&slice.territory)),
        );
    }
    let asked_for_any = selection.pack.is_some() || selection.table.is_some() || selection.period.is_some();
    if slices.is_empty() && asked_for_any {
        return Err(Failure::new(
            FailureKind::NotFound,
            "SLICE_NOT_SENT",
            "no slice fits",
            "Aucun tableau envoyé ne correspond. Sans option, « maillage node share » montre ceux qui le sont ; pour un tableau qui n’est pas encore parti, nommez-le en entier : --pack, --table et --period.",
        ));
    }
    let shared = |slice: Slice| Shared {
        title: title(&slice).unwrap_or_else(|| slice.table.to_string()),
        sent: sent.current.contains_key(&slice),
        audiences: sent.audiences(&slice),
        slice,
    };
    Ok(slices.into_iter().map(shared).collect())
}

/// Signs that the tables of `selection` are shown to `audiences` and nobody else, one document for each territory, and
/// puts them into the outbox, all or none. Tables that are shown to just these already are left alone.
///
/// # Errors
/// As [`standing`]; no name.
pub async fn share(
    node: &Node,
    selection: &Selection,
    audiences: &BTreeSet<Audience>,
    by: &str,
) -> Result<Vec<SubmissionId>, Failure> {
    decision::named(by, "Le partage doit porter le nom de la personne qui le décide : --name \"Prénom Nom\".")?;
    let _held = node.folder().hold().await?;
    let mut of: BTreeMap<CommuneCode, BTreeMap<Slice, BTreeSet<Audience>>> = BTreeMap::new();
    for shared in standing(node, selection).await? {
        if shared.audiences != *audiences {
            of.entry(shared.slice.territory).or_default().insert(shared.slice, audiences.clone());
        }
    }
    let sign = |(territory, slices)| {
        let id = decision::draw(node);
        let sharing =
            Sharing { provider: node.provider(), id, written_at: node.now(), approval: Approval::Person, slices };
        let document = sharing.encode().map_err(|error| failure::document(&error))?;
        Ok(Decision { territory, id, document })
    };
    let decisions = of.into_iter().map(sign).collect::<Result<_, Failure>>()?;
    decision::queue(node, DocumentKind::Sharing, decisions, by).await
}
