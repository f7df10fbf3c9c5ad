//! The offline route: what waits in the outbox leaves in a file, and the hub's answer comes back in one.
//!
//! It is a push by other means. The documents are those of the outbox, agreed to and in the ledger long before, under
//! the same ids and the same signatures; should the network come back meanwhile, pushing them changes nothing and
//! doubles nothing. An envelope needs no certificate: what proves the sender is the signing key that the hub registered
//! at joining, so a node that never sees the network again can go on for as long as it is not revoked.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use model::{CommuneCode, Failure, FailureKind, SubmissionId};
use seal::{OpeningKey, PublicKey, SealingKey, Signature};
use store::DocumentKind;
use store::node::{OutboxItem, OutboxState, Refusal};
use wire::bundle::{Answer, Bundle, BundleId, Item, ItemKind, ItemVerdict, MAX_BUNDLE, MAX_CONTENT, SignedSealingKey};
use wire::client::Accepted;

use crate::push::{Delivered, Verdict, received};
use crate::{Node, NodeFolder, failure};

/// What was put into a file.
#[derive(Debug)]
pub struct Written {
    /// Its name, which the answer repeats.
    pub id: BundleId,
    /// The documents, oldest first.
    pub items: Vec<(SubmissionId, DocumentKind)>,
    /// Size of the file.
    pub bytes: usize,
    /// How many documents did not fit: for a next file, once this one is answered.
    pub left: usize,
}

/// Writes what waits into the new file `path`, signed and sealed to the hub.
///
/// # Errors
/// Nothing waits; the hub's key was never received; the file exists.
pub async fn write(node: &Node, path: &Path) -> Result<Written, Failure> {
    let _held = node.folder().hold().await?;
    let hub = sealing_key(node)?;
    let waiting = waiting(node).await?;
    let total = waiting.len();
    let mut room = MAX_CONTENT;
    let fits: Vec<OutboxItem> = waiting
        .into_iter()
        .map_while(|item| {
            room = room.checked_sub(item.outgoing.document.len() + 256)?;
            Some(item)
        })
        .collect();
    let bundle = Bundle {
        id: BundleId::draw(node.entropy()),
        provider: node.provider(),
        written_at: node.now(),
        reply_key: OpeningKey::of(node.signing_key()).sealing_key(),
        positions: positions(node, &fits).await?,
        items: fits.iter().map(item).collect::<Result<_, _>>()?,
    };
    let file = bundle.seal(node.signing_key(), &hub, node.identity().ca_fingerprint, node.entropy())?;
    if path.exists() {
        return Err(Failure::new(
            FailureKind::Conflict,
            "FILE_EXISTS",
            format!("{} exists", path.display()),
            format!("Le fichier {} existe déjà : choisissez un autre nom. Rien n’a été écrit.", path.display()),
        ));
    }
    node.folder().write(path, &file, false).map_err(|error| failure::folder(path, &error))?;
    // Only a note for whoever reads the state: a document in an envelope is still to be sent, by whichever way.
    let carried = Refusal {
        reason: "BUNDLED".to_owned(),
        message: format!(
            "Emporté dans une enveloppe le {} ; sa réponse est attendue.",
            render::date::moment(node.now())
        ),
    };
    for item in &fits {
        let noted = node.store().mark_retry(item.outgoing.submission, &carried, node.now()).await;
        noted.map_err(|error| failure::storage(&error))?;
    }
    Ok(Written {
        id: bundle.id,
        items: fits.iter().map(|item| (item.outgoing.submission, item.outgoing.kind)).collect(),
        bytes: file.len(),
        left: total - fits.len(),
    })
}

async fn waiting(node: &Node) -> Result<Vec<OutboxItem>, Failure> {
    let outbox = node.store().outbox().await.map_err(|error| failure::storage(&error))?;
    let waiting: Vec<OutboxItem> = outbox.into_iter().filter(|item| item.state == OutboxState::Pending).collect();
    if waiting.is_empty() {
        return Err(Failure::new(
            FailureKind::Precondition,
            "NOTHING_WAITS",
            "the outbox holds nothing to send",
            "Rien n’attend d’être envoyé : préparez un aperçu (maillage node preview), donnez votre accord (maillage node approve), puis recommencez.",
        ));
    }
    Ok(waiting)
}

/// Where the ledgers stood when these documents were agreed to, as far as this node knows.
async fn positions(node: &Node, items: &[OutboxItem]) -> Result<BTreeMap<CommuneCode, u64>, Failure> {
    let mut positions = BTreeMap::new();
    for territory in items.iter().flat_map(|item| &item.outgoing.territories) {
        let head = node.store().ledger_head(*territory).await.map_err(|error| failure::storage(&error))?;
        positions.insert(*territory, head.map_or(0, |(sequence, _)| sequence));
    }
    Ok(positions)
}

fn item(item: &OutboxItem) -> Result<Item, Failure> {
    let kind = match item.outgoing.kind {
        DocumentKind::Submission => ItemKind::Submit,
        DocumentKind::Check => ItemKind::Check,
        DocumentKind::Withdrawal => ItemKind::Withdraw,
        DocumentKind::Sharing => ItemKind::Share,
        DocumentKind::Purge => return Err(failure::defect("a node never sends a purge")),
    };
    let signature = Signature::from_slice(&item.outgoing.signature)
        .map_err(|_| failure::defect("stored signature is not a signature"))?;
    Ok(Item { kind, document: item.outgoing.document.clone(), signature })
}

/// Takes in the hub's answer: receipts are verified and kept, refusals noted, as after a push.
///
/// # Errors
/// Not an answer, not for this node, not signed by the hub, about documents that this node never sent. Then nothing was
/// changed.
pub async fn accept_answer(node: &Node, path: &Path) -> Result<Vec<Delivered>, Failure> {
    let _held = node.folder().hold().await?;
    let bytes = read(path)?;
    let opening = OpeningKey::of(node.signing_key());
    let answer = Answer::open(&bytes, &opening, node.identity().ca_fingerprint, &node.hub_keys()?)?;
    let outbox = node.store().outbox().await.map_err(|error| failure::storage(&error))?;
    let mut pairs = Vec::new();
    for answered in answer.items {
        let item = outbox.iter().find(|item| item.outgoing.submission == answered.submission);
        let item = item.filter(|_| answer.provider == node.provider()).ok_or_else(not_ours)?;
        pairs.push((item, answered));
    }
    let mut delivered = Vec::new();
    for (item, answered) in pairs {
        let submission = answered.submission;
        let verdict = match answered.verdict {
            ItemVerdict::Received { receipt, already } => {
                received(node, item, &Accepted { receipt, already_received: already }).await?
            }
            ItemVerdict::Refused { reason, message, conflicts, .. } => {
                match item.state {
                    OutboxState::Pending => {
                        let why = Refusal { reason, message: message.clone() };
                        let noted = node.store().mark_refused(submission, &why, node.now()).await;
                        noted.map_err(|error| failure::storage(&error))?;
                    }
                    OutboxState::Refused(_) => {}
                    // A receipt is here: the hub holds it, whatever an older answer says.
                    OutboxState::Sent(_) => continue,
                }
                Verdict::Refused { message, conflicts }
            }
        };
        delivered.push(Delivered { submission, verdict });
    }
    Ok(delivered)
}

fn not_ours() -> Failure {
    Failure::new(
        FailureKind::Invalid,
        "ANSWER_NOT_OURS",
        "the answer is about documents that this node never sent",
        "Cette réponse parle d’envois que ce poste n’a pas faits. Rien n’a été changé ; vérifiez le fichier.",
    )
}

/// Never more than an envelope may have, whatever the file is.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BUNDLE as u64 + 1).read_to_end(&mut bytes));
    read.map_err(|error| failure::folder(path, &error))?;
    Ok(bytes)
}

/// Keeps the hub's key for envelopes, if the hub vouches for it. Losing it costs one contact: a fault is logged only.
pub(crate) fn keep_sealing_key(folder: &NodeFolder, signed: Option<&SignedSealingKey>, keys: &[PublicKey]) {
    let Some(signed) = signed else { return };
    let (path, bytes) = (folder.hub_sealing_key(), signed.to_bytes());
    if std::fs::read(&path).is_ok_and(|kept| kept == bytes) {
        return;
    }
    if let Err(error) = signed.verify(keys) {
        tracing::warn!(%error, "the hub's key for envelopes is not used");
    } else if let Err(error) = folder.write(&path, &bytes, false) {
        tracing::warn!(path = %path.display(), %error, "the hub's key for envelopes was not kept");
    }
}

/// The key that was kept, verified again: a file may have been changed.
pub(crate) fn sealing_key(node: &Node) -> Result<SealingKey, Failure> {
    let unknown = |detail: String| {
        Failure::new(
            FailureKind::Precondition,
            "BUNDLE_KEY_UNKNOWN",
            detail,
            "Ce poste n’a pas encore reçu la clé avec laquelle fermer une enveloppe pour le centre. Connectez-le une fois (maillage node preview suffit), puis recommencez.",
        )
    };
    let bytes = std::fs::read(node.folder().hub_sealing_key()).map_err(|error| unknown(error.to_string()))?;
    let signed = SignedSealingKey::from_bytes(&bytes).map_err(|error| unknown(error.to_string()))?;
    signed.verify(&node.hub_keys()?).map_err(|error| unknown(error.to_string()))
}
