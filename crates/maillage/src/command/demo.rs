//! `maillage demo`.

use std::path::PathBuf;

use clap::Args;

use super::Stop;

/// Un département fictif complet sur cette machine.
#[derive(Args)]
#[command(
    after_help = "Exemples :\n  maillage demo              reste ouverte jusqu’à Ctrl-C, avec les commandes à essayer\n  maillage demo --once       s’arrête après la comparaison\n  maillage demo --folder d   garde les dossiers du centre et des communes dans d"
)]
pub struct DemoArgs {
    /// S’arrête après la comparaison.
    #[arg(long)]
    once: bool,
    /// Garde tout dans ce dossier (vide ou nouveau), au lieu d’un dossier temporaire effacé à la fin.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Graine du tirage : la même donne les mêmes fichiers.
    #[arg(long, default_value_t = 93)]
    seed: u64,
}

/// Runs it.
pub async fn run(args: DemoArgs) -> Result<(), Stop> {
    crate::demo::run::run(args.folder, args.seed, args.once).await
}
