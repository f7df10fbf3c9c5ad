//! `maillage hub accept-bundle`: an envelope that a commune brought.

use std::path::PathBuf;

use hub::bundle::ItemVerdict;
use hub::{Hub, HubFolder};
use model::FailureKind;

use super::{Stop, world};

/// Accepts, tells document by document, and writes the answer.
pub async fn run(folder: HubFolder, file: PathBuf, answer: Option<PathBuf>) -> Result<(), Stop> {
    let answer = answer.unwrap_or_else(|| file.with_extension("reponse"));
    if answer == file {
        return Err(Stop::failed(
            FailureKind::Invalid,
            "La réponse écraserait l’enveloppe : donnez-lui un autre nom avec --answer.",
        ));
    }
    let envelope = hub::bundle::read(&file)?;
    let hub = Hub::open(folder, world()).await?;
    let accepted = hub.accept_bundle(&envelope).await;
    hub.close().await;
    let accepted = accepted?;
    println!("Enveloppe de la commune {}, faite le {} :", accepted.provider, render::date::moment(accepted.written_at));
    let mut refused = 0;
    for item in &accepted.items {
        match &item.verdict {
            ItemVerdict::Received { already: true, .. } => println!("✓ {} déjà reçu", item.submission),
            ItemVerdict::Received { already: false, .. } => println!("✓ {} reçu", item.submission),
            ItemVerdict::Refused { message, reason, .. } => {
                refused += 1;
                println!("✗ {} refusé : {message} [{reason}]", item.submission);
            }
        }
    }
    std::fs::write(&answer, &accepted.answer).map_err(|error| {
        Stop::failed(
            FailureKind::Precondition,
            format!(
                "La réponse ne peut pas être écrite dans {} ({error}). Ce qui est reçu l’est : recommencez avec --answer AUTRE-FICHIER.",
                answer.display()
            ),
        )
    })?;
    println!("Réponse à rapporter à la commune : {}", answer.display());
    if refused > 0 {
        return Err(Stop::refused("La réponse dit à la commune pourquoi, et quoi corriger."));
    }
    Ok(())
}
