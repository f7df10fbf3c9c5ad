//! What can be looked at without anybody else: folder, keys, database, outbox.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use methodology::Pack;
use model::{PackCode, Timestamp};
use store::node::{Identity as Membership, NodeStore, OutboxState};
use wire::identity::Identity;

use super::{Diagnosis, lasting};
use crate::config::ConfigError;
use crate::{NodeConfig, NodeFolder, failure, join, packs as kept, public_keys, renew};

const DAY: Duration = Duration::from_hours(24);
/// With less than this left, a database that must write may fail at any time.
const ROOM: u64 = 200 << 20;
/// How long a certificate may still be renewed after its end.
const GRACE: Duration = Duration::from_hours(365 * 24);
const INVITATION: &str =
    "Demandez une nouvelle invitation à l’union départementale, puis : maillage node join INVITATION.";

pub(super) fn settings(diagnosis: &mut Diagnosis, folder: &NodeFolder) -> Option<NodeConfig> {
    const TITLE: &str = "Réglages";
    match NodeConfig::load(&folder.config()) {
        Ok(config) => {
            diagnosis.good("settings", TITLE, format!("{} se lit", folder.config().display()));
            Some(config)
        }
        // Not the parser's text: it quotes the line, and this report is mailed.
        Err(ConfigError::Malformed { path, line, .. }) => {
            let place = line.map_or_else(String::new, |line| format!(", ligne {line}"));
            diagnosis.bad(
                "settings",
                TITLE,
                "NODE_CONFIG",
                format!("{} contient une erreur{place}", path.display()),
                "Corrigez cette ligne (« maillage node check » en dit plus) ; le modèle deploy/node.toml explique chaque réglage.",
            );
            None
        }
        Err(ConfigError::Unreadable { path, source }) => {
            diagnosis.bad(
                "settings",
                TITLE,
                "NODE_CONFIG",
                format!("{} ne peut pas être lu ({})", path.display(), source.kind()),
                "Si ce poste n’a pas encore rejoint de centre : maillage node join INVITATION. Sinon, indiquez son dossier avec --folder.",
            );
            None
        }
    }
}

pub(super) fn folder(diagnosis: &mut Diagnosis, folder: &NodeFolder) {
    const TITLE: &str = "Dossier";
    let root = folder.root();
    if !root.is_dir() {
        let cure = "Vérifiez --folder, ou rejoignez un centre : maillage node join INVITATION.";
        return diagnosis.bad("folder", TITLE, "FOLDER_ABSENT", format!("{} n’existe pas", root.display()), cure);
    }
    if let Err(error) = tempfile_in(root) {
        return diagnosis.bad(
            "folder",
            TITLE,
            "FOLDER_READ_ONLY",
            format!("rien ne peut être écrit dans {} ({})", root.display(), error.kind()),
            "Donnez à l’utilisateur qui lance maillage le droit d’écrire dans ce dossier (propriétaire du dossier, disque monté en lecture seule, quota).",
        );
    }
    for secret in [folder.tls_key(), folder.signing_key()] {
        if let Some(mode) = open_to_others(&secret) {
            return diagnosis.bad(
                "folder",
                TITLE,
                "KEY_READABLE",
                format!("la clé {} est lisible par d’autres (droits {mode:03o})", secret.display()),
                format!(
                    "chmod 600 {} ; si quelqu’un a pu la copier, demandez une nouvelle invitation.",
                    secret.display()
                ),
            );
        }
    }
    diagnosis.good("folder", TITLE, format!("{}, accessible en écriture, clés protégées", root.display()));
}

/// Writes and removes one file.
fn tempfile_in(root: &Path) -> std::io::Result<()> {
    let probe = root.join(format!(".doctor-{}", std::process::id()));
    std::fs::OpenOptions::new().write(true).create_new(true).open(&probe)?;
    std::fs::remove_file(probe)
}

#[cfg(unix)]
fn open_to_others(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn open_to_others(_: &Path) -> Option<u32> {
    None
}

pub(super) fn disk(diagnosis: &mut Diagnosis, folder: &NodeFolder) {
    const TITLE: &str = "Espace disque";
    match free(folder.root()) {
        Some(free) if free < ROOM => diagnosis.bad(
            "disk",
            TITLE,
            "DISK_FULL",
            format!("il reste {} Mio", free >> 20),
            "Libérez au moins 200 Mio sur ce disque : sans place, rien ne peut être calculé ni envoyé.",
        ),
        Some(free) => diagnosis.good("disk", TITLE, format!("{} Mio libres", free >> 20)),
        None => diagnosis.skipped("disk", TITLE, "inconnu sur ce système"),
    }
}

#[cfg(unix)]
fn free(path: &Path) -> Option<u64> {
    let status = rustix::fs::statvfs(path).ok()?;
    status.f_bavail.checked_mul(status.f_frsize)
}

#[cfg(not(unix))]
fn free(_: &Path) -> Option<u64> {
    None
}

/// Keys and certificate of the folder.
pub(super) fn keys(diagnosis: &mut Diagnosis, folder: &NodeFolder, now: Timestamp) -> Option<Identity> {
    const TITLE: &str = "Certificat du poste";
    if !folder.tls_key().exists() {
        diagnosis.skipped("certificate", TITLE, "ce poste n’a pas encore rejoint de centre");
        return None;
    }
    let identity = match renew::load_identity(folder).and_then(|identity| {
        join::load_signing_key(folder)?;
        Ok(identity)
    }) {
        Ok(identity) => identity,
        Err(failure) => {
            let detail = "une clé ou le certificat ne se lit pas".to_owned();
            diagnosis.bad("certificate", TITLE, failure.reason, detail, INVITATION);
            return None;
        }
    };
    let certificate = identity.certificate();
    let (from, until) = (render::date::moment(certificate.not_before), render::date::moment(certificate.not_after));
    if now < certificate.not_before {
        diagnosis.bad(
            "certificate",
            TITLE,
            "CERTIFICATE_NOT_YET_VALID",
            format!("valable à partir du {from} seulement, selon l’horloge de ce poste"),
            "Réglez l’heure de ce poste : elle retarde sans doute.",
        );
    } else if now > certificate.not_after.plus(GRACE) {
        let detail = format!("expiré le {until}, depuis plus de douze mois");
        diagnosis.bad("certificate", TITLE, "RENEWAL_TOO_LATE", detail, INVITATION);
    } else if now > certificate.not_after {
        diagnosis.bad(
            "certificate",
            TITLE,
            "CERTIFICATE_EXPIRED",
            format!("expiré le {until}"),
            "Il se renouvelle de lui-même dès que le centre est joignable : maillage node push, ou laissez tourner maillage node run.",
        );
    } else {
        diagnosis.good("certificate", TITLE, format!("valable jusqu’au {until}"));
    }
    Some(identity)
}

pub(super) async fn database(diagnosis: &mut Diagnosis, folder: &NodeFolder) -> Option<NodeStore> {
    const TITLE: &str = "Base locale";
    if !folder.database().exists() {
        diagnosis.skipped("database", TITLE, "aucune : ce poste n’a pas encore rejoint de centre");
        return None;
    }
    match NodeStore::open(&store::Location::Sqlite(folder.database())).await {
        Ok(store) => {
            diagnosis.good("database", TITLE, "s’ouvre");
            Some(store)
        }
        Err(error) => {
            let failure = failure::storage(&error);
            diagnosis.bad("database", TITLE, failure.reason, "ne s’ouvre pas", failure.message);
            None
        }
    }
}

pub(super) async fn identity(diagnosis: &mut Diagnosis, store: Option<&NodeStore>) -> Option<Membership> {
    const TITLE: &str = "Adhésion";
    let Some(store) = store else {
        diagnosis.skipped("membership", TITLE, "inconnue sans base locale");
        return None;
    };
    match store.identity().await {
        Ok(Some(identity)) => {
            let detail = format!("commune {}, centre {}", identity.provider, identity.hub_address);
            diagnosis.good("membership", TITLE, detail);
            Some(identity)
        }
        Ok(None) => {
            let cure = "Demandez une invitation à l’union départementale, puis : maillage node join INVITATION.";
            diagnosis.bad("membership", TITLE, "NODE_NOT_JOINED", "ce poste n’a rejoint aucun centre", cure);
            None
        }
        Err(error) => {
            let failure = failure::storage(&error);
            diagnosis.bad("membership", TITLE, failure.reason, "la base locale ne se lit pas", failure.message);
            None
        }
    }
}

/// Whether the certificate is of the hub that was joined, and of the commune.
pub(super) fn belongs(diagnosis: &mut Diagnosis, keys: Option<&Identity>, membership: Option<&Membership>) {
    const TITLE: &str = "Autorité du certificat";
    let (Some(keys), Some(membership)) = (keys, membership) else {
        return diagnosis.skipped("authority", TITLE, "rien à comparer");
    };
    match keys.authority() {
        Some(authority) if authority == membership.ca_fingerprint => {
            diagnosis.good("authority", TITLE, "celle du centre rejoint");
        }
        Some(_) => diagnosis.bad(
            "authority",
            TITLE,
            "CERTIFICATE_FOREIGN",
            "ce certificat est d’un autre centre que celui que ce poste a rejoint",
            format!("Le dossier keys/ vient sans doute d’un autre poste : remettez le bon. {INVITATION}"),
        ),
        None => diagnosis.skipped("authority", TITLE, "le certificat ne dit pas qui l’a signé"),
    }
}

pub(super) fn packs(
    diagnosis: &mut Diagnosis,
    folder: &NodeFolder,
    membership: Option<&Membership>,
) -> Option<BTreeMap<PackCode, Pack>> {
    const TITLE: &str = "Référentiels";
    let Some(membership) = membership else {
        diagnosis.skipped("packs", TITLE, "rien à vérifier");
        return None;
    };
    let loaded = public_keys(&membership.hub_keys).and_then(|keys| kept::load(folder, &keys));
    match loaded {
        Ok(packs) if packs.is_empty() => {
            let cure = "Connectez ce poste au centre : « maillage node preview » les télécharge.";
            diagnosis.bad("packs", TITLE, "PACKS_ABSENT", "aucun référentiel signé par le centre", cure);
            Some(packs)
        }
        Ok(packs) => {
            let names: Vec<String> = packs.values().map(|pack| format!("{} {}", pack.code(), pack.version())).collect();
            diagnosis.good("packs", TITLE, names.join(", "));
            Some(packs)
        }
        Err(failure) => {
            diagnosis.bad("packs", TITLE, failure.reason, "les référentiels ne se lisent pas", failure.message);
            None
        }
    }
}

pub(super) async fn outbox(diagnosis: &mut Diagnosis, store: Option<&NodeStore>, now: Timestamp) {
    const TITLE: &str = "File d’envoi";
    let Some(store) = store else { return diagnosis.skipped("outbox", TITLE, "inconnue sans base locale") };
    let items = match store.outbox().await {
        Ok(items) => items,
        Err(error) => {
            let failure = failure::storage(&error);
            return diagnosis.bad("outbox", TITLE, failure.reason, "ne se lit pas", failure.message);
        }
    };
    let waiting: Vec<_> = items.iter().filter(|item| item.state == OutboxState::Pending).collect();
    let Some(oldest) = waiting.first() else { return diagnosis.good("outbox", TITLE, "rien n’attend") };
    let number = render::number::counted(waiting.len(), "envoi approuvé attend", "envois approuvés attendent");
    let reason = oldest.last_error.as_ref().map_or("", |error| error.reason.as_str());
    let since = now.since(oldest.queued_at);
    let told = if reason.is_empty() { String::new() } else { format!(" ; dernière réponse : {reason}") };
    let detail = format!("{number}, le plus ancien depuis {}{told}", lasting(since));
    if since > DAY {
        let cure = "Une fois les points ci-dessus corrigés : maillage node push. Rien n’est perdu. Sans réseau : maillage node bundle FICHIER.";
        diagnosis.bad("outbox", TITLE, "OUTBOX_STUCK", detail, cure);
    } else {
        diagnosis.good("outbox", TITLE, detail);
    }
}
