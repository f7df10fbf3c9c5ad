//! `maillage profile`: one commune, all indicators of a pack, as whoever asks may see them.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use hub::compare::{Comparison, Shown};
use hub::profile::{Profile, ProfileQuestion};
use model::{CommuneCode, PackCode, Period};
use render::{Column, Screen, Table};

use super::Stop;
use super::compare::Asker;

/// Le portrait d’une commune.
#[derive(Args)]
#[command(
    after_help = "Exemples :\n  maillage profile 93066 --pack ccas-activite --period 2025 --access ./coordination\n  maillage profile 93066 --pack ccas-activite --period 2025 --node ./maillage-node"
)]
pub struct ProfileArgs {
    /// Code INSEE de la commune.
    territory: CommuneCode,
    /// Référentiel.
    #[arg(long)]
    pack: PackCode,
    /// Période : 2025, 2025-S1, 2025-Q4 ou 2025-06.
    #[arg(long)]
    period: Period,
    /// Dossier des accès de coordination, ou de partenaire, remis par l’opérateur du centre.
    #[arg(long, default_value = "maillage-hub/coordinators/coordination", env = "MAILLAGE_ACCESS")]
    access: PathBuf,
    /// Dossier du nœud d’une commune : lit comme elle en a le droit, au lieu de la coordination.
    #[arg(long, conflicts_with = "access")]
    node: Option<PathBuf>,
}

/// Asks the hub and prints what it answers.
pub async fn run(args: ProfileArgs) -> Result<(), Stop> {
    let asker = Asker::open(args.node, &args.access).await?;
    let question = ProfileQuestion { territory: args.territory, pack: args.pack, period: args.period };
    let client = asker.connect().await?;
    let profile = hub::compare::ask_for_profile(&client, &question).await?;
    println!("{}", show(&profile, Screen::of(&std::io::stdout())));
    Ok(())
}

/// The profile as text: a table for each table of the pack.
fn show(profile: &Profile, screen: Screen) -> String {
    let mut out = String::new();
    let first = profile.comparisons.first().map(|comparison| &comparison.heading);
    if first.is_some_and(|heading| heading.fictional) {
        out.push_str("DONNÉES FICTIVES\n");
    }
    let period = first.map_or_else(String::new, |heading| render::date::period(heading.period));
    // Writing to a String cannot fail.
    let _ = write!(out, "{} ({}) – {period}", profile.name, profile.territory);
    for table in profile.comparisons.chunk_by(|left, right| left.heading.table == right.heading.table) {
        let Some(heading) = table.first().map(|comparison| &comparison.heading) else { continue };
        let _ = write!(
            out,
            "\n\n{} · {} {} · définition {}\n\n",
            heading.table_title,
            heading.pack,
            heading.pack_version,
            &heading.definition.to_string()[..12]
        );
        out.push_str(&lines(table).draw(screen));
        let mut reasons: Vec<&str> = table.iter().filter_map(|one| one.group.reason.as_deref()).collect();
        reasons.sort_unstable();
        reasons.dedup();
        for reason in reasons {
            let _ = write!(out, "\n{reason}");
        }
    }
    if let Some(sentence) = profile.comparisons.first().and_then(|comparison| comparison.others.sentence()) {
        let _ = write!(out, "\n{sentence}");
    }
    out
}

fn lines(comparisons: &[Comparison]) -> Table {
    let mut table = Table::new([
        Column::text("Indicateur"),
        Column::text("Unité"),
        Column::numbers("La commune"),
        Column::numbers("Le groupe"),
        Column::text("Position"),
    ]);
    for comparison in comparisons {
        let Some(own) = comparison.communes.first() else { continue };
        let position = comparison.spread.as_ref().zip(own.bands).map(|(spread, bands)| spread.words(bands));
        table.push([
            comparison.heading.title.as_str(),
            &comparison.heading.unit,
            &text(own.value),
            &text(comparison.group.value),
            &position.unwrap_or_default(),
        ]);
    }
    table
}

fn text(shown: Shown) -> String {
    render::reading::reading(shown.reading, shown.decimals, false)
}
