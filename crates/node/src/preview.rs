//! What would leave: computed, protected, compared with what the hub holds, and kept for somebody to agree to.

use std::collections::{BTreeMap, BTreeSet};

use disclosure::{Ledger, ProtectError, Protected, Published, Reason, Received, SliceAttributes};
use itertools::{Either, Itertools as _};
use model::{Audience, CommuneCode, Failure, FailureKind, Figure, Hash, IndicatorCode, Key, Slice, SubmissionId};
use store::DocumentKind;
use wire::document::{Approval, Header, Outgoing};

pub use wire::document::Purpose;

use crate::collect::{CollectError, Collected, collect};
use crate::ledger::Sent;
use crate::{Node, failure, ledger};

/// How a cell stands to what the hub holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Move {
    /// It was not there.
    New,
    /// It shows something else.
    Changed,
    /// It shows the same.
    Unchanged,
    /// It will no longer be there.
    Withdrawn,
}

/// How many cells move which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    /// Were not there.
    pub new: usize,
    /// Show something else.
    pub changed: usize,
    /// Show the same.
    pub unchanged: usize,
    /// Will no longer be there.
    pub withdrawn: usize,
}

impl Moves {
    /// Cells that are not as they were.
    pub fn moved(self) -> usize {
        self.new + self.changed + self.withdrawn
    }

    fn count(&mut self, one: Move) {
        match one {
            Move::New => self.new += 1,
            Move::Changed => self.changed += 1,
            Move::Unchanged => self.unchanged += 1,
            Move::Withdrawn => self.withdrawn += 1,
        }
    }
}

/// One slice of a preview.
#[derive(Debug)]
pub struct SlicePreview {
    /// Which slice.
    pub slice: Slice,
    /// French title of its table.
    pub title: String,
    /// Who will be shown it, besides the commune.
    pub audiences: BTreeSet<Audience>,
    /// How its cells move.
    pub moves: Moves,
    /// Cells hidden because too few stand behind them.
    pub hidden_primary: usize,
    /// Cells hidden because they would give a hidden one away.
    pub hidden_secondary: usize,
    /// All its cells.
    pub cells: Vec<CellPreview>,
}

/// One cell of a preview: protected, as others will see it.
#[derive(Debug)]
pub struct CellPreview {
    /// Which indicator.
    pub indicator: IndicatorCode,
    /// French title of the indicator.
    pub title: String,
    /// Where.
    pub key: Key,
    /// The place in French: "Femmes, 75-84 ans".
    pub place: String,
    /// How it moves.
    pub moves: Move,
    /// What it will show, in French.
    pub shows: String,
    /// Why it is hidden, in French; empty if it is not. Stays in the commune.
    pub why: String,
}

/// A slice that was sent under another definition of its table. What both tell together cannot be protected, so that
/// what was sent stays at the hub as it is, and the new definition serves from the next period on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staying {
    /// Which slice.
    pub slice: Slice,
    /// French title of its table.
    pub title: String,
    /// The version of the pack that it was sent under.
    pub sent_under: String,
    /// The version of the pack that is here.
    pub version: String,
}

impl Staying {
    /// One French sentence.
    pub fn french(&self) -> String {
        format!(
            "« {} » ({}, {}) a déjà été envoyé sous la version {} du référentiel, dont les définitions diffèrent : il reste au centre tel quel, et la version {} servira à partir de la période suivante.",
            self.title,
            self.slice.territory,
            render::date::period(self.slice.period),
            self.sent_under,
            self.version
        )
    }
}

/// What would leave.
#[derive(Debug)]
pub struct Preview {
    /// Identifies exactly these figures; `None` if nothing has to leave or nothing was kept.
    pub hash: Option<Hash>,
    /// Territories that something leaves about, ascending: each in a document of its own.
    pub territories: BTreeSet<CommuneCode>,
    /// Whether anything has to leave.
    pub leaves: bool,
    /// Whether something that a person took back would leave again.
    pub withdrawn: bool,
    /// Whether it only asks the hub what it would answer.
    pub purpose: Purpose,
    /// Slice by slice, also those that do not change.
    pub slices: Vec<SlicePreview>,
    /// Slices that cannot be sent again.
    pub staying: Vec<Staying>,
    /// Cells that are not as they were, in the slices that leave.
    pub moved: usize,
    /// The protected tables, for the internal edition.
    pub tables: Vec<disclosure::SafeTable>,
}

/// Why there is no preview.
#[derive(Debug)]
pub enum PreviewError {
    /// Files are not as they should be; each with place, cause, cure.
    Sources(Vec<CollectError>),
    /// Anything else.
    Failed(Failure),
}

impl From<Failure> for PreviewError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Who is to agree to what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    /// A person, who reads it now.
    ForPerson,
    /// The commune's rule.
    ForRule,
    /// Nobody: it is only looked at, and what a person reads elsewhere stays as it is.
    Nothing,
}

/// Computes, protects, compares, and keeps the result for a person to agree to. Nothing leaves. Whatever waited before
/// is forgotten first: it no longer says what would leave.
pub async fn preview(node: &Node, purpose: Purpose) -> Result<Preview, PreviewError> {
    let _held = node.folder().hold().await?;
    node.store().discard_previews().await.map_err(|error| failure::storage(&error))?;
    compute(node, purpose, Keep::ForPerson).await
}

/// The same, for the commune's rule to agree to.
pub async fn preview_for_rule(node: &Node) -> Result<Preview, PreviewError> {
    let _held = node.folder().hold().await?;
    keep_for_rule(node).await
}

/// The same, for whoever holds the folder.
pub(crate) async fn keep_for_rule(node: &Node) -> Result<Preview, PreviewError> {
    node.store().discard_previews().await.map_err(|error| failure::storage(&error))?;
    compute(node, Purpose::Submit, Keep::ForRule).await
}

/// The same, to know whether anything would leave; keeps nothing, so that a person's reading is not replaced by a timer.
pub async fn look(node: &Node) -> Result<Preview, PreviewError> {
    compute(node, Purpose::Submit, Keep::Nothing).await
}

async fn compute(node: &Node, purpose: Purpose, keeping: Keep) -> Result<Preview, PreviewError> {
    let collected = collect(node.config(), &node.identity().territories, node.packs(), node.folder().root())
        .map_err(PreviewError::Sources)?;
    let sent = ledger_of(node, &collected).await?;

    let (staying, collected): (Vec<_>, Vec<_>) =
        collected.into_iter().partition_map(|one| match stays(&one, &sent.ledger) {
            Some(staying) => Either::Left(staying),
            None => Either::Right(one),
        });
    let mut slices = Vec::new();
    let mut tables = Vec::new();
    let mut leaving = Vec::new();
    for one in &collected {
        let protected = protect(one, &sent.ledger)?;
        let before = sent.current.get(&one.slice);
        let described = describe(one, &protected, &sent);
        let attributes_moved = before.is_some_and(|before| before.attributes != *protected.table.attributes());
        if described.moves.moved() > 0 || attributes_moved || purpose == Purpose::Check {
            leaving.push(tables.len());
        }
        slices.push(described);
        tables.push(protected.table);
    }
    let moved = leaving.iter().map(|index| slices[*index].moves.moved()).sum();
    let withdrawn = leaving.iter().any(|index| sent.withdrawn.contains(&slices[*index].slice));
    let mut outgoing: BTreeMap<CommuneCode, Vec<Outgoing<'_>>> = BTreeMap::new();
    for index in &leaving {
        let one = Outgoing { table: &tables[*index], scheme: collected[*index].table.scheme() };
        outgoing.entry(slices[*index].slice.territory).or_default().push(one);
    }
    let territories = outgoing.keys().copied().collect();
    let approval = match keeping {
        Keep::ForPerson => Some(Approval::Person),
        Keep::ForRule => Some(Approval::Rule),
        Keep::Nothing => None,
    };
    let hash = match approval {
        Some(approval) if !outgoing.is_empty() => Some(keep(node, purpose, approval, &outgoing).await?),
        _ => None,
    };
    Ok(Preview { hash, territories, purpose, leaves: !leaving.is_empty(), withdrawn, slices, staying, moved, tables })
}

async fn ledger_of(node: &Node, collected: &[Collected<'_>]) -> Result<Sent, Failure> {
    let territories: BTreeSet<CommuneCode> = collected.iter().map(|one| one.slice.territory).collect();
    let territories: Vec<CommuneCode> = territories.into_iter().collect();
    ledger::read(node.store(), &territories).await
}

/// All tables that may leave, protected against everything sent before; nothing is kept.
pub(crate) async fn protected(node: &Node, collected: &[Collected<'_>]) -> Result<Vec<Protected>, Failure> {
    let sent = ledger_of(node, collected).await?;
    let leaves = collected.iter().filter(|one| stays(one, &sent.ledger).is_none());
    leaves.map(|one| protect(one, &sent.ledger)).collect()
}

fn stays(one: &Collected<'_>, ledger: &Ledger) -> Option<Staying> {
    let other = |sent: &&Received| sent.attributes.definition != one.table.definition_hash();
    let sent = ledger.versions(&one.slice).iter().rev().find(other)?;
    Some(Staying {
        slice: one.slice.clone(),
        title: one.table.title().to_owned(),
        sent_under: sent.attributes.pack_version.clone(),
        version: one.pack.version().to_owned(),
    })
}

/// One document for each territory: a signature is of a whole, and whoever else holds one of these territories must be
/// able to read what was sent about it.
async fn keep(
    node: &Node,
    purpose: Purpose,
    approval: Approval,
    outgoing: &BTreeMap<CommuneCode, Vec<Outgoing<'_>>>,
) -> Result<Hash, Failure> {
    let mut kept = Vec::with_capacity(outgoing.len());
    for slices in outgoing.values() {
        let mut id = [0_u8; 16];
        node.entropy().fill(&mut id);
        let header = Header {
            provider: node.provider(),
            id: SubmissionId::from_bytes(id),
            written_at: node.now(),
            purpose,
            approval,
        };
        let document = wire::document::encode(&header, slices).map_err(|error| failure::document(&error))?;
        kept.push(store::node::Preview {
            hash: seal::sha256(&document),
            kind: match purpose {
                Purpose::Submit => DocumentKind::Submission,
                Purpose::Check => DocumentKind::Check,
            },
            document,
            created_at: node.now(),
            approved: None,
            queued: false,
        });
    }
    node.store().save_previews(&kept).await.map_err(|error| failure::storage(&error))?;
    Ok(read_as(&kept))
}

/// What stands for these documents when a person says what was read: the hash of the one, or that of all their hashes.
pub(crate) fn read_as(documents: &[store::node::Preview]) -> Hash {
    if let [one] = documents {
        return one.hash;
    }
    let mut hashes: Vec<String> = documents.iter().map(|document| document.hash.to_string()).collect();
    hashes.sort();
    seal::sha256(format!("maillage preview\n{}\n", hashes.join("\n")).as_bytes())
}

fn protect(one: &Collected<'_>, ledger: &Ledger) -> Result<Protected, Failure> {
    let attributes = SliceAttributes {
        pack_version: one.pack.version().to_owned(),
        definition: one.table.definition_hash(),
        rule: one.table.rule_hash(),
    };
    disclosure::protect(&one.confidential, one.table.scheme(), one.slice.clone(), attributes, ledger)
        .map_err(|error| refuse(one, &error))
}

/// French for what stands in the way of protection; names cells, never what they hold.
fn refuse(one: &Collected<'_>, error: &ProtectError) -> Failure {
    let title = one.table.title();
    let cell =
        |indicator: &IndicatorCode, key: &Key| format!("{} ({})", indicator_title(one, indicator), place(one, key));
    let list = |cells: &[(IndicatorCode, Key)]| {
        let named = cells.iter().take(10).map(|(indicator, key)| format!("  – {}", cell(indicator, key)));
        named.collect::<Vec<_>>().join("\n")
    };
    let (reason, message) = match error {
        ProtectError::Frozen { cells } => (
            "PROTECTION_IMPOSSIBLE",
            format!(
                "« {title} » ne peut pas partir : ce que la commune a déjà envoyé permettrait de retrouver des effectifs cachés. Cellules en cause :\n{}\nChoix possibles : attendre la période suivante, regrouper des modalités, ou retirer le tableau (maillage node withdraw).",
                list(cells)
            ),
        ),
        ProtectError::Unprotectable { cells } => (
            "PROTECTION_REFUSED",
            format!(
                "« {title} » ne peut pas partir : même en cachant tout ce qui peut l’être, ce que montrent les producteurs permettrait de retrouver des effectifs trop petits. Cellules en cause :\n{}\nChoix possibles : regrouper des modalités ou des années, ou ne pas fournir ce tableau. Rien n’est envoyé.",
                list(cells)
            ),
        ),
        ProtectError::Unproven(_) => (
            "PROTECTION_REFUSED",
            format!(
                "« {title} » n’est pas parti : la protection calculée n’a pas pu être prouvée. Rien n’est envoyé ; signalez-le à qui maintient Maillage, sans joindre vos fichiers."
            ),
        ),
        ProtectError::Incomplete(indicator, key)
        | ProtectError::Unknown(indicator, key)
        | ProtectError::Duplicate(indicator, key)
        | ProtectError::Negative(indicator, key)
        | ProtectError::TooLarge(indicator, key)
        | ProtectError::Inconsistent(indicator, key) => {
            let what = match error {
                ProtectError::Incomplete(..) => "la cellule manque",
                ProtectError::Unknown(..) => "le référentiel n’a pas cette cellule",
                ProtectError::Duplicate(..) => "la cellule est là deux fois",
                ProtectError::Negative(..) => "le chiffre est négatif",
                ProtectError::TooLarge(..) => "le chiffre est trop grand pour être vrai",
                _ => "les chiffres ne s’additionnent pas",
            };
            let cell = cell(indicator, key);
            (
                "PROTECTION_REFUSED",
                format!(
                    "« {title} » ne peut pas être protégé : {cell} : {what}. Rien n’est envoyé ; vérifiez le fichier."
                ),
            )
        }
    };
    Failure::new(FailureKind::Precondition, reason, error.to_string(), message)
}

fn indicator_title(one: &Collected<'_>, indicator: &IndicatorCode) -> String {
    one.table.indicator(indicator).map_or_else(|| indicator.to_string(), |known| known.title.clone())
}

/// A key in French.
fn place(one: &Collected<'_>, key: &Key) -> String {
    if key.is_empty() {
        return "ensemble".to_owned();
    }
    let parts: Vec<&str> = key
        .iter()
        .map(|(dimension, code)| one.table.dimension(dimension).map_or(code.as_str(), |axis| axis.title_of(code)))
        .collect();
    parts.join(", ")
}

fn describe(one: &Collected<'_>, protected: &Protected, sent: &Sent) -> SlicePreview {
    let none = BTreeMap::new();
    let before = sent.current.get(&one.slice).map_or(&none, |received| &received.cells);
    let after = protected.table.cells();
    let mut moves = Moves::default();
    let mut cells = Vec::with_capacity(after.len());
    let (mut hidden_primary, mut hidden_secondary) = (0, 0);
    for ((indicator, key), published) in after {
        let step = match before.get(&(indicator.clone(), key.clone())) {
            None => Move::New,
            Some(earlier) if earlier == published => Move::Unchanged,
            Some(_) => Move::Changed,
        };
        moves.count(step);
        let why = match protected.report.hidden.get(&(indicator.clone(), key.clone())) {
            None => String::new(),
            Some(hidden) if hidden.reason == Reason::Primary => {
                hidden_primary += 1;
                format!("trop peu de personnes ou de ménages concernés (moins de {})", hidden.rule.threshold)
            }
            Some(_) => {
                hidden_secondary += 1;
                "permettrait de retrouver par soustraction une cellule cachée".to_owned()
            }
        };
        cells.push(CellPreview {
            indicator: indicator.clone(),
            title: indicator_title(one, indicator),
            key: key.clone(),
            place: place(one, key),
            moves: step,
            shows: shows(one, indicator, published),
            why,
        });
    }
    for (indicator, key) in before.keys().filter(|cell| !after.contains_key(*cell)) {
        moves.count(Move::Withdrawn);
        cells.push(CellPreview {
            indicator: indicator.clone(),
            title: indicator_title(one, indicator),
            key: key.clone(),
            place: place(one, key),
            moves: Move::Withdrawn,
            shows: "retiré".to_owned(),
            why: String::new(),
        });
    }
    SlicePreview {
        slice: one.slice.clone(),
        title: one.table.title().to_owned(),
        audiences: sent.audiences(&one.slice),
        moves,
        hidden_primary,
        hidden_secondary,
        cells,
    }
}

fn shows(one: &Collected<'_>, indicator: &IndicatorCode, published: &Published) -> String {
    let decimals = one.table.scheme().measure(indicator).map_or(model::Decimals::NONE, |measure| measure.decimals);
    let shown = one.table.indicator(indicator).map_or(decimals, methodology::Indicator::shown);
    match published.figure {
        Figure::Suppressed => "caché".to_owned(),
        figure @ (Figure::Observed(_) | Figure::Missing(_) | Figure::NotApplicable) => {
            render::figure::figure(figure, decimals, shown)
        }
    }
}
