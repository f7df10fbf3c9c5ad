//! `maillage hub purge`: two persons destroy what should never have left.

use clap::{Args, Subcommand};
use hub::{Hub, HubFolder};
use model::SubmissionId;

use super::Stop;

/// Destruction à deux personnes.
#[derive(Args)]
pub struct PurgeArgs {
    #[command(subcommand)]
    step: PurgeStep,
}

#[derive(Subcommand)]
enum PurgeStep {
    /// La première personne propose.
    #[command(
        after_help = "Exemple :\n  maillage hub purge propose --submission 3f… --by \"Awa Diallo\" --reason \"fichier nominatif envoyé par erreur\""
    )]
    Propose {
        /// Identifiant de l’envoi.
        #[arg(long)]
        submission: SubmissionId,
        /// Nom de la première personne.
        #[arg(long)]
        by: String,
        /// Motif, sans aucun chiffre du tableau : il reste au registre.
        #[arg(long)]
        reason: String,
    },
    /// Une autre personne confirme : les octets sont détruits ; l’empreinte, la date et le motif restent.
    Confirm {
        /// Identifiant donné par la proposition.
        id: SubmissionId,
        /// Nom de la seconde personne.
        #[arg(long)]
        by: String,
    },
}

/// Runs one step.
pub async fn run(folder: HubFolder, args: PurgeArgs) -> Result<(), Stop> {
    let hub = Hub::open(folder, super::world()).await?;
    match args.step {
        PurgeStep::Propose { submission, by, reason } => {
            let proposal = hub.propose_purge(submission, &by, &reason).await?;
            println!("Destruction proposée. Une autre personne doit confirmer :");
            println!("  maillage hub purge confirm {} --by \"Prénom Nom\"", proposal.id);
        }
        PurgeStep::Confirm { id, by } => {
            hub.confirm_purge(id, &by).await?;
            println!("✓ Octets détruits. L’empreinte, la date et le motif restent au registre.");
            println!(
                "  Les sauvegardes antérieures contiennent encore ces octets : détruisez-les ou rejouez la purge après restauration."
            );
        }
    }
    hub.close().await;
    Ok(())
}
