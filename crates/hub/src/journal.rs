//! The audit journal, for whoever must answer for the hub: read, exported, verified without it.
//!
//! An export is text: the lines as they were hashed, then one that gives the hash of the last, signed by the hub. Removing,
//! adding or changing a line breaks the chain; cutting the end breaks the signature. What it proves is that the hub signed
//! this history, not that the history is true: keep exports elsewhere, so that a later one can be held against them.

use std::io::{BufRead, Write};

use model::{Failure, Hash, Timestamp};
use seal::{PublicKey, Signature, SigningKey};
use serde::{Deserialize, Serialize};
use store::hub::{JournalLine, before_the_first, link};

use crate::{Hub, failure};

/// Something that was done, as people read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// 1, 2, 3, … without a gap.
    pub number: u64,
    /// When, as the line says it.
    pub at: String,
    /// What, in French.
    pub what: String,
    /// A commune's code, a person's name or number, or the operator.
    pub who: String,
    /// Ids of what it was about.
    pub about: Vec<(String, String)>,
}

/// The last line of an export.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    /// How many lines there are.
    journal: u64,
    /// The hash of the last.
    hash: String,
    exported_at: String,
    /// The hub's public key, and its signature of the three above.
    key: String,
    signature: String,
}

/// An export that holds together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many lines.
    pub lines: u64,
    /// The hash of the last: the same in every true export of this length.
    pub hash: Hash,
    /// When it was exported.
    pub exported_at: String,
    /// The key that signed it.
    pub key: PublicKey,
}

/// Why an export, or the journal itself, does not hold together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalFault {
    /// Not an export, or cut off.
    #[error("line {0} is not one of a journal")]
    Unreadable(u64),
    /// A line is missing, was added, moved or changed.
    #[error("the chain breaks at line {0}")]
    Broken(u64),
    /// The signature is not that of the key.
    #[error("the signature does not hold")]
    Unsigned,
    /// Signed by another hub.
    #[error("signed by another key than the one expected")]
    OtherKey,
}

impl JournalFault {
    /// The sentence for the person at the keyboard.
    pub fn french(&self) -> String {
        match self {
            Self::Unreadable(line) => format!(
                "Ligne {line} : ce n’est pas une ligne de journal, ou le fichier est coupé. Reprenez l’export d’origine."
            ),
            Self::Broken(line) => format!(
                "Ligne {line} : la chaîne est rompue. Une ligne a été retirée, ajoutée, déplacée ou modifiée ici ou juste avant."
            ),
            Self::Unsigned => {
                "La signature de la dernière ligne ne correspond pas : la fin du journal a été coupée ou modifiée."
                    .to_owned()
            }
            Self::OtherKey => "Ce journal est signé par un autre centre que celui attendu.".to_owned(),
        }
    }
}

impl Hub {
    /// What was done, oldest first: the last `most` lines.
    pub async fn journal(&self, most: u64) -> Result<Vec<Entry>, Failure> {
        let (last, _) = self.0.store.journal_head().await.map_err(failure::storage)?;
        let lines = self.0.store.journal(last.saturating_sub(most)).await.map_err(failure::storage)?;
        let persons = self.0.store.journal_persons().await.map_err(failure::storage)?;
        let name = |who: &str| {
            let number: Option<u64> = who.strip_prefix("person ").and_then(|number| number.parse().ok());
            let person = persons.iter().find(|person| Some(person.number) == number);
            person.and_then(|person| person.name.clone()).unwrap_or_else(|| in_french(who))
        };
        lines.iter().map(|line| entry(line, &name).ok_or_else(|| failure::damaged("journal"))).collect()
    }

    /// Writes all lines, then their signed end; how many.
    ///
    /// # Errors
    /// A chain that does not hold: the hub signs nothing that it would not verify.
    pub async fn export_journal(&self, mut out: impl Write) -> Result<u64, Failure> {
        if let Err(fault) = self.verify_journal().await? {
            return Err(Failure::new(
                model::FailureKind::Precondition,
                "JOURNAL_BROKEN",
                fault.to_string(),
                format!("Le journal de ce centre ne se vérifie pas, et n’est donc pas signé. {}", fault.french()),
            ));
        }
        let lines = self.0.store.journal(0).await.map_err(failure::storage)?;
        let hash = lines.last().map_or_else(before_the_first, |line| line.hash);
        let number = lines.last().map_or(0, |line| line.number);
        let head = head(number, hash, self.now(), &self.0.signing_key);
        let broken = |error: std::io::Error| failure::internal("JOURNAL_EXPORT", error.to_string());
        for line in &lines {
            writeln!(out, "{}", line.line).map_err(broken)?;
        }
        writeln!(out, "{head}").map_err(broken)?;
        Ok(number)
    }

    /// Follows the chain of the journal that this hub keeps; how many lines.
    pub async fn verify_journal(&self) -> Result<Result<u64, JournalFault>, Failure> {
        // The head first: lines may come meanwhile, none may go.
        let (number, hash) = self.0.store.journal_head().await.map_err(failure::storage)?;
        let lines = self.0.store.journal(0).await.map_err(failure::storage)?;
        let mut before = before_the_first();
        let mut at = None;
        for (expected, line) in (1..).zip(&lines) {
            before = link(before, &line.line);
            if line.number != expected || line.hash != before || numbered(&line.line) != Some(expected) {
                return Ok(Err(JournalFault::Broken(expected)));
            }
            if expected == number {
                at = Some(before);
            }
        }
        let at = if number == 0 { Some(before_the_first()) } else { at };
        // Lines without an end: the first of them came meanwhile, or somebody moved the end back.
        if number == 0 && !lines.is_empty() && self.0.store.journal_head().await.map_err(failure::storage)?.0 == 0 {
            return Ok(Err(JournalFault::Broken(1)));
        }
        Ok(if at == Some(hash) { Ok(number) } else { Err(JournalFault::Broken(number)) })
    }

    /// Erases the names of persons of whom no line spoke for as long as the settings say; how many.
    pub(crate) async fn forget_persons(&self) -> Result<u64, Failure> {
        const DAY: i64 = 86_400_000_000;
        let kept = i64::from(self.config().journal_names_days) * DAY;
        let before = Timestamp::from_micros(self.now().as_micros().saturating_sub(kept));
        self.0.store.forget_persons(before).await.map_err(failure::storage)
    }
}

/// Follows the chain of an export and checks its signature; with `expected`, that it is this hub's.
pub fn verify(export: impl BufRead, expected: Option<PublicKey>) -> Result<Verified, JournalFault> {
    let mut before = before_the_first();
    let mut number = 0;
    let mut lines = export.lines();
    while let Some(line) = lines.next() {
        let line = line.map_err(|_| JournalFault::Unreadable(number + 1))?;
        if let Ok(head) = serde_json::from_str::<Head>(&line) {
            let none_follow = lines.all(|line| line.is_ok_and(|line| line.is_empty()));
            return if none_follow {
                signed(&head, number, before, expected)
            } else {
                Err(JournalFault::Broken(number + 1))
            };
        }
        match numbered(&line) {
            Some(found) if found == number + 1 => {}
            Some(_) => return Err(JournalFault::Broken(number + 1)),
            None => return Err(JournalFault::Unreadable(number + 1)),
        }
        before = link(before, &line);
        number += 1;
    }
    Err(JournalFault::Unreadable(number + 1))
}

fn signed(head: &Head, number: u64, hash: Hash, expected: Option<PublicKey>) -> Result<Verified, JournalFault> {
    let end = JournalFault::Unreadable(number + 1);
    let bytes = |text: &str| data_encoding::HEXLOWER.decode(text.as_bytes()).map_err(|_| end.clone());
    let key = PublicKey::from_slice(&bytes(&head.key)?).map_err(|_| end.clone())?;
    let signature = Signature::from_slice(&bytes(&head.signature)?).map_err(|_| end.clone())?;
    if expected.is_some_and(|expected| expected != key) {
        return Err(JournalFault::OtherKey);
    }
    key.verify(statement(head.journal, &head.hash, &head.exported_at).as_bytes(), &signature)
        .map_err(|_| JournalFault::Unsigned)?;
    if head.journal != number || head.hash != hash.to_string() {
        return Err(JournalFault::Broken(number + 1));
    }
    Ok(Verified { lines: number, hash, exported_at: head.exported_at.clone(), key })
}

fn head(number: u64, hash: Hash, now: Timestamp, key: &SigningKey) -> String {
    let (hash, exported_at) = (hash.to_string(), now.to_string());
    let signature = key.sign(statement(number, &hash, &exported_at).as_bytes());
    let head = Head {
        journal: number,
        key: data_encoding::HEXLOWER.encode(key.public().as_bytes()),
        signature: data_encoding::HEXLOWER.encode(signature.as_bytes()),
        hash,
        exported_at,
    };
    serde_json::to_string(&head).expect("texts and a number")
}

/// What is signed; no document begins like this.
fn statement(number: u64, hash: &str, exported_at: &str) -> String {
    format!("maillage journal 1\n{number}\n{hash}\n{exported_at}")
}

fn numbered(line: &str) -> Option<u64> {
    serde_json::from_str::<serde_json::Value>(line).ok()?.get("number")?.as_u64()
}

fn entry(line: &JournalLine, name: &dyn Fn(&str) -> String) -> Option<Entry> {
    let serde_json::Value::Object(all) = serde_json::from_str(&line.line).ok()? else { return None };
    let text = |key: &str| all.get(key)?.as_str();
    let named = ["number", "at", "what", "who"];
    let about = all.iter().filter(|(key, _)| !named.contains(&key.as_str()));
    Some(Entry {
        number: line.number,
        at: text("at")?.to_owned(),
        what: in_french(text("what")?),
        who: name(text("who")?),
        about: about.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect(),
    })
}

/// A word of the journal; what this program does not know stays as it is.
fn in_french(word: &str) -> String {
    let french = match word {
        "submission" => "envoi accepté",
        "check" => "essai à blanc",
        "withdrawal" => "retrait",
        "sharing" => "partage",
        "recovered" => "envoi rendu au centre",
        "purge_proposed" => "destruction proposée",
        "purged" => "destruction faite",
        "invited" => "invitation",
        "joined" => "adhésion d’un poste",
        "revoked" => "révocation d’un poste",
        "coordinator_added" => "accès de coordination ouvert",
        "coordinator_revoked" => "accès de coordination retiré",
        "partner_added" => "accès de partenaire ouvert",
        "partner_revoked" => "accès de partenaire retiré",
        "pack_published" => "référentiel publié",
        "public_import" => "import de chiffres publics",
        "backed_up" => "sauvegarde",
        "restored" => "restauration",
        "operator" => "exploitant du centre",
        other => return other.strip_prefix("person ").map_or_else(|| other.to_owned(), |n| format!("personne n° {n}")),
    };
    french.to_owned()
}
