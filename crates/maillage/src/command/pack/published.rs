//! What a hub publishes: for who holds it, a new version; for who may reach it, the versions that are there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hub::access::Credentials;
use hub::{Hub, HubFolder};
use methodology::Pack;
use model::{Failure, PackCode, SystemClock, Timestamp};
use render::{Column, Screen, Table};

use crate::command::{Stop, world};

/// Says what publishing would change; publishes if `yes`.
pub(super) async fn publish(
    pack: Pack,
    folder: PathBuf,
    former_until: Option<Timestamp>,
    yes: bool,
) -> Result<String, Stop> {
    let hub = Hub::open(HubFolder::at(folder), world()).await?;
    let said = said(&hub, pack, former_until, yes).await;
    hub.close().await;
    Ok(said?)
}

async fn said(hub: &Hub, pack: Pack, former_until: Option<Timestamp>, yes: bool) -> Result<String, Failure> {
    let plan = hub.plan_publication(pack, former_until).await?;
    let shown = plan.french();
    if plan.is_there() {
        return Ok(shown);
    }
    if !yes {
        return Ok(format!("{shown}\n\nRien n’est publié. Pour publier, la même commande avec --yes."));
    }
    hub.publish_pack(&plan).await?;
    Ok(format!("{shown}\n\n✓ Publié et signé : les postes le reçoivent à leur prochain contact."))
}

/// A line per pack.
pub(super) async fn list(access: &Path) -> Result<String, Stop> {
    let credentials = Credentials::load(access)?;
    let packs = hub::publish::offered(&credentials, Arc::new(SystemClock)).await?;
    let mut table = Table::new([
        Column::text("Référentiel"),
        Column::text("Titre"),
        Column::text("Version"),
        Column::text("Précédente, acceptée jusqu’au"),
    ]);
    for pack in packs {
        let former = pack.former.map(|(version, until)| format!("{version}, {}", render::date::day(until)));
        table.push([pack.code.to_string(), pack.title, pack.version, former.unwrap_or_default()]);
    }
    Ok(table.draw(Screen::of(&std::io::stdout())))
}

/// Writes one version as « maillage pack build » would.
pub(super) async fn get(
    access: &Path,
    code: &PackCode,
    version: Option<&str>,
    output: &Path,
    force: bool,
) -> Result<String, Stop> {
    node::tables::free(&[output.to_owned()], force)?;
    let credentials = Credentials::load(access)?;
    let (named, bytes) = hub::publish::download(&credentials, code, version, Arc::new(SystemClock)).await?;
    node::tables::write(&[(output.to_owned(), &bytes)], force)?;
    Ok(format!("✓ {named} : {}", output.display()))
}
