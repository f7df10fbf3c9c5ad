//! `maillage hub backup`, `backup-key`, `restore`: the one file that a union must not lose.

use std::path::PathBuf;

use clap::Args;
use hub::backup::{Key, Lock, Manifest};
use hub::{HubConfig, HubFolder};

use super::{Stop, world};
use crate::telemetry::say;

/// Ce qui est sauvegardé, et avec quelle clé.
#[derive(Args)]
#[command(
    after_help = "Exemples :\n  maillage hub backup /sauvegardes                     fermé pour les clés de hub.toml (backup_recipients), nom daté\n  maillage hub backup centre.age --recipient age1…     fermé pour cette clé publique\n  maillage hub backup --verify centre.age --key cle-sauvegarde.txt"
)]
pub struct BackupArgs {
    /// Fichier à écrire (jamais remplacé), ou dossier (le fichier y sera daté).
    #[arg(required_unless_present = "verify")]
    file: Option<PathBuf>,
    /// Clé publique age1… de qui pourra l’ouvrir ; plusieurs possibles. Par défaut, celles de hub.toml.
    #[arg(long, conflicts_with = "passphrase_file")]
    recipient: Vec<String>,
    /// Fichier dont la première ligne est une phrase secrète.
    #[arg(long, env = "MAILLAGE_BACKUP_PASSPHRASE_FILE")]
    passphrase_file: Option<PathBuf>,
    /// Relit une sauvegarde jusqu’au bout et compare toutes les empreintes, sans rien écrire.
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    verify: Option<PathBuf>,
    /// Avec --verify : fichier de la clé secrète.
    #[arg(long, requires = "verify")]
    key: Option<PathBuf>,
}

/// Où écrire la clé.
#[derive(Args)]
#[command(after_help = "Exemple :\n  maillage hub backup-key cle-sauvegarde.txt")]
pub struct KeyArgs {
    /// Fichier à créer.
    file: PathBuf,
}

/// Ce qui est restauré, et où.
#[derive(Args)]
#[command(
    after_help = "Exemples :\n  maillage hub restore centre.age --key cle-sauvegarde.txt --folder /srv/nouveau --dry-run\n  maillage hub restore centre.age --key cle-sauvegarde.txt --folder /srv/nouveau\nChanger de base (SQLite ↔ PostgreSQL) :\n  maillage hub restore centre.age --key cle.txt --folder /srv/nouveau --database 'postgres://maillage@localhost/maillage?schema=hub'"
)]
pub struct RestoreArgs {
    /// La sauvegarde.
    file: PathBuf,
    /// Fichier de la clé secrète.
    #[arg(long, conflicts_with = "passphrase_file", required_unless_present = "passphrase_file")]
    key: Option<PathBuf>,
    /// Fichier dont la première ligne est la phrase secrète.
    #[arg(long, env = "MAILLAGE_BACKUP_PASSPHRASE_FILE")]
    passphrase_file: Option<PathBuf>,
    /// Base à remplir, si ce n’est pas celle des réglages sauvegardés ; elle doit être vide.
    #[arg(long)]
    database: Option<String>,
    /// Vérifie tout et dit ce qui serait fait, sans rien écrire.
    #[arg(long)]
    dry_run: bool,
}

/// Takes one, or verifies one.
pub async fn backup(folder: HubFolder, args: BackupArgs) -> Result<(), Stop> {
    if let Some(file) = &args.verify {
        let key = opening(args.key, args.passphrase_file)?;
        let manifest = hub::backup::verify(file, &key).await?;
        println!("✓ Sauvegarde entière et intacte : {}", file.display());
        describe(&manifest);
        return Ok(());
    }
    let Some(file) = args.file else { return Err(hub::backup::unlocked().into()) };
    let lock = match args.passphrase_file {
        Some(path) => Lock::passphrase(&path)?,
        None if args.recipient.is_empty() => Lock::recipients(&HubConfig::load(&folder)?.backup_recipients)?,
        None => Lock::recipients(&args.recipient)?,
    };
    let taken = hub::backup::backup(&folder, &file, &lock, &world()).await?;
    println!("✓ Sauvegarde écrite : {} ({} octets)", taken.file.display(), taken.length);
    describe(&taken.manifest);
    println!("Copiez-la sur une autre machine. Les accès des coordinateurs n’y sont pas : ils se refont.");
    Ok(())
}

/// Makes a key.
pub fn new_key(args: &KeyArgs) -> Result<(), Stop> {
    let public = hub::backup::new_key(&args.file)?;
    println!("✓ Clé secrète écrite dans {}.", args.file.display());
    println!(
        "  Mettez-la à l’abri en deux endroits, hors du centre, puis effacez-la d’ici : sans elle, aucune sauvegarde ne s’ouvre."
    );
    println!("  Dans hub.toml :\nbackup_recipients = [\"{public}\"]");
    Ok(())
}

/// Restores, or says what that would do.
pub async fn restore(folder: HubFolder, args: RestoreArgs) -> Result<(), Stop> {
    let key = opening(args.key, args.passphrase_file)?;
    say!("Lecture et vérification de {}…", args.file.display());
    let restored = hub::restore::restore(&folder, &args.file, &key, args.database, args.dry_run, &world()).await?;
    let root = folder.root().display();
    if args.dry_run {
        println!("✓ Cette sauvegarde peut être restaurée dans {root} ; rien n’a été écrit.");
    } else {
        println!("✓ Centre restauré dans {root}.");
    }
    describe(&restored.manifest);
    println!("  base de données : {}", restored.database);
    println!(
        "  les récépissés reprennent après le n° {} : ceux que seuls des postes gardent encore conservent le leur.",
        restored.next_number
    );
    if args.dry_run {
        return Ok(());
    }
    println!("\nCe que la sauvegarde ne peut pas savoir, et qu’il faut faire avant de démarrer :");
    println!(
        "  1. Arrêtez l’ancien centre : deux centres qui servent avec les mêmes clés se contrediraient sans remède."
    );
    println!(
        "  2. Les retraits d’accès faits depuis cette date sont oubliés. Relisez cette liste, et retirez à nouveau ce qui doit l’être :"
    );
    for (commune, contact) in &restored.nodes {
        let contact = contact.map_or_else(|| "jamais".to_owned(), render::date::moment);
        println!(
            "       poste de {commune} (dernier contact : {contact})    maillage hub revoke --folder {root} --territory {commune}"
        );
    }
    for name in &restored.coordinators {
        println!("       coordination « {name} »    maillage hub coordinator --folder {root} revoke {name}");
    }
    for name in &restored.partners {
        println!("       partenaire « {name} »    maillage hub partner --folder {root} revoke {name}");
    }
    println!(
        "  3. {} : elles auraient pu servir une seconde fois. Refaites celles qui manquent.",
        render::number::counted(
            usize::try_from(restored.invitations_ended).unwrap_or(usize::MAX),
            "invitation en attente a été annulée",
            "invitations en attente ont été annulées"
        )
    );
    println!(
        "  4. Les destructions (purges) et les retraits de tableaux faits depuis reviennent avec les postes qui les connaissent ; vérifiez-les avant de montrer une comparaison."
    );
    println!("Ensuite : maillage hub run --folder {root}");
    println!("Les envois reçus depuis la sauvegarde reviennent d’eux-mêmes, au prochain contact de chaque poste.");
    Ok(())
}

fn opening(key: Option<PathBuf>, passphrase: Option<PathBuf>) -> Result<Key, Stop> {
    match (key, passphrase) {
        (Some(key), _) => Ok(Key::identities(&key)?),
        (None, Some(passphrase)) => Ok(Key::passphrase(&passphrase)?),
        (None, None) => Err(Stop::failed(
            model::FailureKind::Invalid,
            "Donnez la clé qui ouvre la sauvegarde : --key FICHIER, ou --passphrase-file FICHIER.",
        )),
    }
}

fn describe(manifest: &Manifest) {
    println!("  du {} (par {})", render::date::moment(manifest.taken_at), manifest.program);
    println!("  autorité du centre : {}", manifest.authority);
    println!(
        "  {} tables, {} lignes ; dernier récépissé n° {}",
        manifest.tables.len(),
        manifest.rows(),
        manifest.number
    );
}
