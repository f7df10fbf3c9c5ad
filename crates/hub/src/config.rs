//! `hub.toml`: where the hub listens, under which name, with which database.

use std::path::PathBuf;
use std::time::Duration;

use model::{Failure, FailureKind};
use serde::Deserialize;
use store::Location;
use wire::invitation::HubAddress;

use crate::failure;
use crate::folder::HubFolder;

const DAY: Duration = Duration::from_hours(24);

/// The whole of `hub.toml`; command-line options replace single fields before the hub opens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HubConfig {
    /// Address and port to listen on.
    pub listen: String,
    /// `host:port` under which communes reach the hub: what invitations carry and the TLS certificate bears.
    pub public_address: String,
    /// Address and port of the pages for coordinators, plain HTTP; empty: none. Only this machine may reach them until
    /// accounts exist.
    pub pages: String,
    /// Address and port of health, readiness and metrics, plain HTTP; empty: none.
    pub operations: String,
    /// Further names and IP addresses of this machine: for the TLS certificate, and for who asks at `operations`.
    pub names: Vec<String>,
    /// `sqlite:PATH` (relative to the folder) or `postgres://…?schema=NAME`; by default `hub.sqlite` in the folder.
    pub database: Option<String>,
    /// A file `insee;nom` of commune names that replaces the one of the product, relative to the folder.
    pub communes: Option<PathBuf>,
    /// Whether every figure is invented; comparisons say so.
    pub fictional: bool,
    /// How long a node's certificate lives, in days.
    pub certificate_days: u32,
    /// How long an invitation may wait, in days.
    pub invitation_days: u32,
    /// How long the journal keeps a person's name after the last line that speaks of it, in days.
    pub journal_names_days: u32,
    /// Public keys (`age1…`) that backups are closed with: the hub itself holds nothing that opens them.
    pub backup_recipients: Vec<String>,
}

impl Default for HubConfig {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:7443".to_owned(),
            public_address: "localhost:7443".to_owned(),
            pages: "127.0.0.1:7480".to_owned(),
            operations: "127.0.0.1:9464".to_owned(),
            names: Vec::new(),
            database: None,
            communes: None,
            fictional: false,
            certificate_days: 30,
            invitation_days: 14,
            journal_names_days: 1_095,
            backup_recipients: Vec::new(),
        }
    }
}

impl HubConfig {
    /// Reads the settings of `folder`.
    pub fn load(folder: &HubFolder) -> Result<Self, Failure> {
        let path = folder.config();
        let bytes = match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(failure::absent(folder.root())),
            read => read.map_err(|error| failure::file(&path, error))?,
        };
        let text = String::from_utf8(bytes).map_err(|_| malformed(&path, "ce n’est pas du texte en UTF-8"))?;
        Self::parse(&text, &path)
    }

    /// Reads settings that stand at `path`.
    pub(crate) fn parse(text: &str, path: &std::path::Path) -> Result<Self, Failure> {
        let config: Self = toml::from_str(text).map_err(|error| {
            // The line is quoted, which ends in journals: not one that may hold the database's password.
            let at = error.span().map(|span| span.start);
            let line = at.map_or(1, |at| render::settings::line_of(text, at));
            let secret = text.lines().nth(line - 1).is_some_and(|line| line.contains("://"));
            let cause =
                if secret { format!("  ligne {line}") } else { render::settings::fault(text, at, error.message()) };
            malformed(path, &cause)
        })?;
        config.address()?;
        Ok(config)
    }

    /// As a file that people may edit.
    pub fn to_toml(&self) -> String {
        let optional = |name: &str, value: Option<&str>, example: &str| match value {
            Some(value) => format!("{name} = {}\n", quoted(value)),
            None => format!("# {name} = {}\n", quoted(example)),
        };
        let recipients: Vec<String> = self.backup_recipients.iter().map(|key| quoted(key)).collect();
        let names: Vec<String> = self.names.iter().map(|name| quoted(name)).collect();
        [
            "# Réglages du centre départemental (hub). Redémarrez-le après une modification.\n\n".to_owned(),
            "# Adresse et port d’écoute sur cette machine.\n".to_owned(),
            format!("listen = {}\n\n", quoted(&self.listen)),
            "# Adresse sous laquelle les communes joignent le centre : elle figure dans les invitations.\n".to_owned(),
            format!("public_address = {}\n\n", quoted(&self.public_address)),
            "# Pages de la coordination, sur cette machine seulement ; vide : aucune.\n".to_owned(),
            format!("pages = {}\n\n", quoted(&self.pages)),
            "# État de marche et mesures (Prometheus), pour l’exploitant ; vide : aucun.\n".to_owned(),
            format!("operations = {}\n\n", quoted(&self.operations)),
            "# Autres noms ou adresses IP de cette machine : certificat TLS, port « operations ».\n".to_owned(),
            format!("names = [{}]\n\n", names.join(", ")),
            "# Base de données : un fichier du dossier par défaut, ou PostgreSQL.\n".to_owned(),
            optional("database", self.database.as_deref(), "postgres://maillage@localhost/maillage?schema=hub"),
            "\n# Noms des communes, si ce ne sont pas celles du produit : fichier « insee;nom » de ce dossier.\n"
                .to_owned(),
            optional("communes", self.communes.as_deref().and_then(|path| path.to_str()), "communes.csv"),
            "\n# Vrai si tous les chiffres sont inventés : chaque sortie le dira.\n".to_owned(),
            format!("fictional = {}\n\n", self.fictional),
            "# Durée des certificats des communes, et validité d’une invitation, en jours.\n".to_owned(),
            format!("certificate_days = {}\ninvitation_days = {}\n\n", self.certificate_days, self.invitation_days),
            "# Le journal oublie le nom d’une personne tant de jours après la dernière ligne qui en parle (trois ans).\n"
                .to_owned(),
            format!("journal_names_days = {}\n\n", self.journal_names_days),
            "# Clés publiques des sauvegardes (maillage hub backup-key) : seul qui tient la clé secrète les ouvre.\n"
                .to_owned(),
            format!("backup_recipients = [{}]\n", recipients.join(", ")),
        ]
        .concat()
    }

    /// Where the database is.
    pub fn location(&self, folder: &HubFolder) -> Result<Location, Failure> {
        let Some(text) = &self.database else { return Ok(Location::file(folder.database())) };
        match text.parse() {
            Ok(Location::Sqlite(path)) => Ok(Location::Sqlite(folder.root().join(path))),
            Ok(location @ Location::Postgres { .. }) => Ok(location),
            // The text itself may hold a password.
            Err(error) => Err(Failure::new(
                FailureKind::Invalid,
                "HUB_CONFIG",
                error.to_string(),
                "Le réglage « database » s’écrit sqlite:FICHIER ou postgres://UTILISATEUR@MACHINE/BASE.",
            )),
        }
    }

    /// The address that invitations carry.
    pub fn address(&self) -> Result<HubAddress, Failure> {
        self.public_address.parse().map_err(|error: wire::invitation::InvalidAddress| {
            Failure::new(
                FailureKind::Invalid,
                "HUB_CONFIG",
                error.to_string(),
                format!(
                    "Le réglage « public_address » ({}) s’écrit NOM:PORT, par exemple hub.exemple.fr:7443.",
                    self.public_address
                ),
            )
        })
    }

    pub(crate) fn certificate_lifetime(&self) -> Duration {
        DAY * self.certificate_days.clamp(1, 398)
    }

    pub(crate) fn invitation_lifetime(&self) -> Duration {
        DAY * self.invitation_days.clamp(1, 366)
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn malformed(path: &std::path::Path, cause: &str) -> Failure {
    Failure::new(
        FailureKind::Invalid,
        "HUB_CONFIG",
        format!("{}: {cause}", path.display()),
        format!(
            "Le fichier de réglages {} contient une erreur :\n{cause}\nCorrigez-le ; le modèle deploy/hub.toml explique chaque réglage.",
            path.display()
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_read_back_as_written() {
        let config = HubConfig {
            public_address: "hub.exemple.fr:7443".into(),
            names: vec!["10.0.0.1".into()],
            database: Some("postgres://u:p\"w@h/d?schema=x".into()),
            communes: Some("noms é.csv".into()),
            fictional: true,
            backup_recipients: vec!["age1abc".into(), "age1def".into()],
            ..HubConfig::default()
        };
        for config in [config, HubConfig::default()] {
            let read: HubConfig = toml::from_str(&config.to_toml()).expect("what we write reads");
            assert_eq!(read.to_toml(), config.to_toml());
        }
    }

    /// What serde says to an unknown key lists the known ones: a setting that is added and not explained is found.
    #[test]
    fn the_operators_copy_reads_and_explains_every_setting() {
        let text = include_str!("../../../deploy/hub.toml");
        let shipped: HubConfig = toml::from_str(text).expect("deploy/hub.toml reads");
        assert_eq!(shipped.operations, HubConfig::default().operations);
        let unknown = toml::from_str::<HubConfig>("a_setting_that_nobody_has = 1").expect_err("unknown").to_string();
        let (_, known) = unknown.split_once("expected").expect("the list of known settings");
        let settings: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
        assert!(settings.len() >= 11, "{settings:?}");
        for setting in settings {
            let found = text.lines().position(|line| {
                line.trim_start_matches("# ").strip_prefix(setting).is_some_and(|rest| rest.starts_with(" = "))
            });
            let line = found.unwrap_or_else(|| panic!("deploy/hub.toml does not show {setting}"));
            let above = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
            assert!(above.starts_with('#'), "deploy/hub.toml does not explain {setting}");
        }
    }

    #[test]
    fn a_wrong_setting_is_named() {
        let unknown = toml::from_str::<HubConfig>("listenn = \"x\"").expect_err("unknown");
        assert!(unknown.to_string().contains("listenn"));
        let misspelt = "databse = \"postgres://maillage:s3cret@db/maillage\"";
        let quoted = HubConfig::parse(misspelt, std::path::Path::new("hub.toml")).expect_err("unknown");
        assert!(!format!("{quoted:?}").contains("s3cret") && quoted.message.contains("ligne 1"), "{quoted:?}");
        let config = HubConfig { public_address: "hub".into(), ..HubConfig::default() };
        assert_eq!(config.address().expect_err("no port").reason, "HUB_CONFIG");
        let config = HubConfig { database: Some("mysql://u:secret@h".into()), ..HubConfig::default() };
        let refused = config.location(&HubFolder::at("/tmp")).expect_err("unknown kind");
        assert!(!format!("{refused:?}").contains("secret"));
    }
}
