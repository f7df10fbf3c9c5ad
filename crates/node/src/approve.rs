//! Somebody agrees: what was previewed, byte for byte, is signed and put on its way.

use disclosure::attack;
use model::{Failure, FailureKind, Hash, SubmissionId};
use store::node::Outgoing;
use wire::document::Approval;

use crate::collect::stricter;
use crate::{Node, failure, ledger};

/// Who agrees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// This person read the preview. The name stays in the commune.
    Person(String),
    /// The commune's own rule allows at most this many moved cells.
    Rule {
        /// Above it, a person must agree.
        max_moved_cells: Option<u32>,
        /// How many move.
        moved: usize,
    },
}

impl Agreement {
    /// Who is noted as having agreed.
    ///
    /// # Errors
    /// No name, or a rule that does not reach as far.
    pub fn signatory(&self) -> Result<String, Failure> {
        match self {
            Self::Person(name) if name.trim().is_empty() => Err(Failure::new(
                FailureKind::Invalid,
                "APPROVAL_WITHOUT_NAME",
                "approval needs a name",
                "L’accord doit porter le nom d’une personne : --name \"Prénom Nom\". Ce nom reste sur ce poste.",
            )),
            Self::Person(name) => Ok(name.trim().to_owned()),
            Self::Rule { max_moved_cells: Some(max), moved } if *moved > *max as usize => Err(Failure::new(
                FailureKind::Precondition,
                "APPROVAL_NEEDS_PERSON",
                "more cells move than the commune’s rule allows",
                format!(
                    "La règle de la commune autorise l’envoi automatique jusqu’à {max} cellules modifiées ; il y en a {moved}. Une personne doit relire l’aperçu et donner son accord : maillage node preview, puis maillage node approve."
                ),
            )),
            Self::Rule { .. } => Ok("règle de la commune".to_owned()),
        }
    }
}

/// The preview that waits, if its hash begins with `read`: at least eight characters of what the person saw.
pub async fn waiting(node: &Node, read: &str) -> Result<Hash, Failure> {
    let preview = node.store().latest_preview().await.map_err(|error| failure::storage(&error))?;
    let preview = preview.filter(|preview| !preview.queued).ok_or_else(nothing)?;
    if read.len() >= 8 && preview.hash.to_string().starts_with(&read.to_lowercase()) {
        Ok(preview.hash)
    } else {
        Err(changed())
    }
}

/// Signs the newest preview and puts it into the outbox. `expected` is the hash that the person read; a preview that
/// changed since is refused.
///
/// # Errors
/// No preview, another preview than expected, no name, a rule that does not reach, or figures that are no longer
/// safe because something else was sent since the preview.
pub async fn approve(node: &Node, agreement: &Agreement, expected: Option<Hash>) -> Result<SubmissionId, Failure> {
    let _held = node.folder().hold().await?;
    agree(node, agreement, expected).await
}

/// The same, for whoever holds the folder.
pub(crate) async fn agree(node: &Node, agreement: &Agreement, expected: Option<Hash>) -> Result<SubmissionId, Failure> {
    let by = agreement.signatory()?;
    let preview = node
        .store()
        .latest_preview()
        .await
        .map_err(|error| failure::storage(&error))?
        .filter(|preview| !preview.queued)
        .ok_or_else(nothing)?;
    if expected.is_some_and(|hash| hash != preview.hash) {
        return Err(changed());
    }
    let submission = wire::document::decode(&preview.document).map_err(|error| failure::document(&error))?;
    let meant = match agreement {
        Agreement::Person(_) => Approval::Person,
        Agreement::Rule { .. } => Approval::Rule,
    };
    if submission.header.approval != meant {
        // The document says who agreed: what was made for the rule is not what a person read.
        return Err(outdated());
    }
    let mut territories: Vec<_> = submission.slices.iter().map(|slice| slice.received.slice.territory).collect();
    territories.dedup();
    // Between preview and agreement something else may have been sent: the intruder is asked again, with all of it.
    let sent = ledger::read(node.store(), &territories).await?;
    for slice in submission.slices {
        let (pack, table) = (&slice.received.slice.pack, &slice.received.slice.table);
        let table = node
            .packs()
            .get(pack)
            .and_then(|pack| pack.table(table))
            .filter(|table| table.definition_hash() == slice.received.attributes.definition)
            .ok_or_else(outdated)?;
        // Under the commune's own rules, which may be stricter than the pack's.
        let table = stricter(table, &node.config().stricter).map_err(|_| outdated())?;
        attack::admit(slice.received, table.scheme(), &sent.ledger).map_err(|_| outdated())?;
    }
    let signature = node.signing_key().sign(&preview.document);
    let id = submission.header.id;
    node.store().approve_preview(preview.hash, &by, node.now()).await.map_err(|error| failure::storage(&error))?;
    node.store()
        .enqueue(
            &Outgoing {
                submission: id,
                kind: preview.kind,
                document: preview.document,
                signature: signature.as_bytes().to_vec(),
                signing_key: node.signing_key().public().as_bytes().to_vec(),
                territories,
            },
            Some(preview.hash),
            node.now(),
        )
        .await
        .map_err(|error| failure::storage(&error))?;
    Ok(id)
}

fn nothing() -> Failure {
    Failure::new(
        FailureKind::Precondition,
        "NOTHING_TO_APPROVE",
        "no preview waits for approval",
        "Aucun aperçu n’attend d’accord : lancez « maillage node preview » ; s’il dit « rien à envoyer », le centre a déjà ces chiffres.",
    )
}

fn changed() -> Failure {
    Failure::new(
        FailureKind::Conflict,
        "PREVIEW_CHANGED",
        "the preview that waits is not the one that was read",
        "L’aperçu qui attend n’est pas celui que vous avez relu (son empreinte figure en bas de l’aperçu). Relisez-le : maillage node preview",
    )
}

fn outdated() -> Failure {
    Failure::new(
        FailureKind::Conflict,
        "PREVIEW_OUTDATED",
        "the preview no longer fits what was sent or defined since",
        "L’aperçu ne correspond plus à ce qui a été envoyé ou défini depuis. Recalculez-le : maillage node preview",
    )
}
