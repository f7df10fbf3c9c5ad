//! Where the node stands: identity, ledger, outbox.

use model::{CommuneCode, Failure};
use store::node::{Completeness, OutboxItem, OutboxState};

use crate::{Node, failure};

/// Everything `maillage node status` says.
#[derive(Debug)]
pub struct Status {
    /// The commune.
    pub provider: CommuneCode,
    /// Where the hub is.
    pub hub: String,
    /// End of the client certificate.
    pub certificate_until: Option<model::Timestamp>,
    /// Per territory, whether its ledger is complete.
    pub ledgers: Vec<(CommuneCode, Completeness)>,
    /// Everything that ever entered the outbox, oldest first.
    pub outbox: Vec<OutboxItem>,
    /// Whether a preview waits for somebody to agree.
    pub preview_waits: bool,
}

/// Reads it; asks nobody outside.
pub async fn status(node: &Node) -> Result<Status, Failure> {
    let store = node.store();
    let mut ledgers = Vec::new();
    for territory in &node.identity().territories {
        let state = store.completeness(*territory).await.map_err(|error| failure::storage(&error))?;
        ledgers.push((*territory, state));
    }
    let preview = store.latest_preview().await.map_err(|error| failure::storage(&error))?;
    Ok(Status {
        provider: node.provider(),
        hub: node.hub_address(),
        certificate_until: crate::renew::certificate_end(node.folder()),
        ledgers,
        outbox: store.outbox().await.map_err(|error| failure::storage(&error))?,
        preview_waits: preview.is_some_and(|preview| !preview.queued),
    })
}

/// Lines for a person.
pub fn describe(status: &Status) -> Vec<String> {
    let mut lines = vec![format!("Commune {} – centre {}", status.provider, status.hub)];
    match status.certificate_until {
        Some(end) => {
            lines.push(format!("Certificat valable jusqu’au {} (renouvelé automatiquement)", render::date::day(end)));
        }
        None => lines.push("Certificat absent : relancez « maillage node join ».".to_owned()),
    }
    for (territory, state) in &status.ledgers {
        lines.push(match state {
            Completeness::Complete(0) => format!("Registre des envois de {territory} : complet, aucun envoi"),
            Completeness::Complete(last) => {
                format!("Registre des envois de {territory} : complet jusqu’au rang {last}")
            }
            Completeness::Unknown | Completeness::Gap { .. } => {
                format!(
                    "Registre des envois de {territory} : à reconstruire auprès du centre (rien ne sera protégé avant)"
                )
            }
        });
    }
    if status.preview_waits {
        lines.push(
            "Un aperçu attend l’accord d’une personne : maillage node preview, puis maillage node approve".to_owned(),
        );
    }
    for item in &status.outbox {
        let why = item.last_error.as_ref().map_or("", |error| error.message.as_str());
        let id = item.outgoing.submission;
        match item.state {
            OutboxState::Sent(at) => lines.push(format!("Reçu par le centre le {} : {id}", render::date::moment(at))),
            OutboxState::Pending => lines.push(format!(
                "En attente : {id} (prochain essai le {}) {why}",
                render::date::moment(item.next_attempt_at)
            )),
            OutboxState::Refused(_) => lines.push(format!("Refusé par le centre : {id} – {why}")),
        }
    }
    lines
}
