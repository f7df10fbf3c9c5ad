//! What a real campaign also has: communes that are not there yet, and a document with a wrong year.

use std::fmt::Write as _;
use std::path::Path;

use hub::Hub;
use model::FailureKind;
use node::approve::Agreement;
use node::preview::PreviewError;
use node::{Node, NodeFolder};

use super::department::FictionalCommune;
use super::files;
use crate::command::{self, Stop};

/// Expected by the campaign: the first is invited and never joins, nobody invited the second.
pub const ABSENT: [(&str, &str); 2] = [("00115", "Sarvoise"), ("00116", "Trémillac-sur-Orge")];
/// The commune that types a year that has not begun.
const HASTY: usize = 2;

/// The campaign of the fictional département, long due.
pub fn campaign(communes: &[FictionalCommune]) -> String {
    let mut codes = String::new();
    for code in communes.iter().map(|commune| commune.code).chain(ABSENT.map(|(code, _)| code)) {
        // Writing to a String cannot fail.
        let _ = write!(codes, "\"{code}\", ");
    }
    format!(
        "# DONNÉES FICTIVES\ntitle = \"Campagne ABS {period} (fictive)\"\ndue = \"2026-01-31\"\ncommunes = [{codes}]\n\n\
         [[expected]]\npack = \"ccas-activite\"\ntables = [\"domiciliation\", \"aides_facultatives\"]\nperiods = [\"{period}\"]\n",
        period = files::PERIOD
    )
}

/// Makes the troubles, after everything else went well.
pub async fn make(hub: &Hub, root: &Path, communes: &[FictionalCommune]) -> Result<(), Stop> {
    let [(invited, _), _] = ABSENT;
    let code = invited.parse().map_err(|_| Stop::failed(FailureKind::Internal, "code de commune fictive"))?;
    hub.invite(code, &[]).await?;
    let Some(hasty) = communes.get(HASTY) else { return Ok(()) };
    wrong_year(NodeFolder::at(root.join("communes").join(hasty.code))).await
}

/// The hub refuses the document whole; what the commune sent before stays, and so do its settings.
async fn wrong_year(folder: NodeFolder) -> Result<(), Stop> {
    let settings = folder.root().join("node.toml");
    let cannot = |error: std::io::Error| Stop::file(&settings, &error);
    let right = std::fs::read_to_string(&settings).map_err(cannot)?;
    let next_year = command::world().clock.now().year().unwrap_or_default().saturating_add(1);
    let wrong = right.replacen(&format!("\"{}\"", files::PERIOD), &format!("\"{next_year}\""), 1);
    std::fs::write(&settings, wrong).map_err(cannot)?;
    let sent = send(folder).await;
    std::fs::write(&settings, right).map_err(cannot)?;
    sent
}

async fn send(folder: NodeFolder) -> Result<(), Stop> {
    let node = Node::open(folder, command::world()).await?;
    let preview = node::preview::preview_for_rule(&node).await.map_err(|error| match error {
        PreviewError::Failed(failure) => failure.into(),
        PreviewError::Sources(_) => Stop::failed(FailureKind::Internal, "fichiers de la démonstration"),
    })?;
    let agreement = Agreement::Rule { max_moved_cells: None, moved: preview.moved };
    node::approve::approve(&node, &agreement, preview.hash).await?;
    node::push::push(&node, &|_| {}).await?;
    node.close().await;
    Ok(())
}
