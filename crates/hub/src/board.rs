//! The campaign board: who sent what, who is late, who is stuck, and why. Reads visible data only.

mod read;

use std::cmp::Reverse;

use model::{CommuneCode, PackCode, Period, Slice, TableCode, Timestamp};
use std::time::Duration;
use store::DocumentKind;

pub use crate::refusal::{Fixer, explain};

/// A certificate that ends sooner than this should have been renewed by its node: it is not running.
pub const SOON: Duration = Duration::from_hours(10 * 24);

/// Where the campaign stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    /// French title of the campaign.
    pub title: String,
    /// The last instant in time, if there is a date.
    pub due: Option<Timestamp>,
    /// Whether `campaign.toml` says what is expected.
    pub declared: bool,
    /// Whether every figure is invented.
    pub fictional: bool,
    /// The hub's clock.
    pub at: Timestamp,
    /// Tables expected.
    pub columns: Vec<Column>,
    /// Communes, in French alphabetical order.
    pub rows: Vec<Row>,
}

/// A table expected for a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Pack code.
    pub pack: PackCode,
    /// French title of the pack.
    pub pack_title: String,
    /// Table code.
    pub table: TableCode,
    /// French title of the table.
    pub title: String,
    /// Period.
    pub period: Period,
}

/// One commune.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its code.
    pub territory: CommuneCode,
    /// Its name.
    pub name: String,
    /// Whether the campaign expects it.
    pub expected: bool,
    /// Its node.
    pub post: Post,
    /// When its node last spoke, to the minute.
    pub last_contact: Option<Timestamp>,
    /// One per column.
    pub cells: Vec<Cell>,
    /// Refusals that still stand and that no column shows.
    pub refused_elsewhere: Vec<Refused>,
}

/// The node of a commune.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Post {
    /// Nobody invited the commune.
    NeverInvited,
    /// Invited, not joined yet.
    Invited {
        /// Until when the invitation serves.
        until: Timestamp,
    },
    /// Invited, never joined, too late.
    InvitationExpired {
        /// Since when.
        since: Timestamp,
    },
    /// Joined.
    Joined {
        /// When its certificate ends.
        certificate_ends: Timestamp,
    },
    /// Ended by an operator, or replaced by an invitation that nobody has used.
    Revoked {
        /// When.
        at: Timestamp,
        /// Until when a new invitation serves.
        invited_until: Option<Timestamp>,
    },
}

/// One commune's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// What the hub holds.
    pub holds: Holds,
    /// The last refusal, unless something newer was accepted.
    pub refused: Option<Refused>,
}

/// What the hub holds of one slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Figures.
    Received {
        /// Since when.
        at: Timestamp,
        /// Under which version of the pack.
        pack_version: String,
        /// Whether that version means the same as the hub's own.
        comparable: bool,
        /// Cells that are hidden, of all `cells`.
        hidden: usize,
        /// Cells.
        cells: usize,
    },
    /// Nothing yet, and there is time.
    Awaited,
    /// Nothing, and the date has passed.
    Late,
    /// Nothing, and nothing is asked of this commune.
    NotExpected,
    /// Taken back by the commune.
    Withdrawn {
        /// When.
        at: Timestamp,
    },
    /// Destroyed after a breach.
    Purged {
        /// When.
        at: Timestamp,
    },
}

/// A document that was refused and that nothing accepted has replaced. Never what it held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// When last.
    pub at: Timestamp,
    /// How often.
    pub times: u64,
    /// What it asked for.
    pub kind: DocumentKind,
    /// In few French words.
    pub why: String,
    /// Who can act.
    pub fixer: Fixer,
    /// What the commune was told, in French.
    pub message: String,
    /// What it was about; empty if it did not read.
    pub slices: Vec<Slice>,
}

/// What somebody must do about a commune.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// So many documents are refused.
    Refused(usize),
    /// So many tables are late.
    Late(usize),
    /// Its certificate has ended: it can send nothing.
    CertificateExpired,
    /// Its node was revoked.
    Revoked,
    /// It was never invited.
    NeverInvited,
    /// Its invitation has expired.
    InvitationExpired,
    /// It has not used its invitation yet.
    NotJoined,
    /// Its certificate ends soon, so its node is not running.
    CertificateEndsSoon,
}

impl Need {
    /// In French.
    pub fn french(self) -> String {
        match self {
            Self::Refused(n) => render::number::counted(n, "envoi refusé", "envois refusés"),
            Self::Late(n) => render::number::counted(n, "tableau en retard", "tableaux en retard"),
            Self::CertificateExpired => "certificat expiré".to_owned(),
            Self::Revoked => "poste révoqué".to_owned(),
            Self::NeverInvited => "jamais invitée".to_owned(),
            Self::InvitationExpired => "invitation expirée".to_owned(),
            Self::NotJoined => "invitée, pas encore adhérente".to_owned(),
            Self::CertificateEndsSoon => "certificat bientôt expiré : le poste ne tourne pas".to_owned(),
        }
    }

    /// What to do, in French.
    pub fn cure(self, territory: CommuneCode) -> String {
        match self {
            Self::Refused(_) => "Voir le motif et la marche à suivre ci-contre.".to_owned(),
            Self::Late(_) => "Relancez la commune : « maillage node preview », puis « maillage node approve » et « maillage node push » sur son poste.".to_owned(),
            Self::CertificateExpired | Self::Revoked | Self::InvitationExpired | Self::NeverInvited => {
                format!("Transmettez-lui une invitation : maillage hub invite --territory {territory}")
            }
            Self::NotJoined => "Rappelez-lui l’invitation reçue : « maillage node join » sur son poste.".to_owned(),
            Self::CertificateEndsSoon => "Demandez-lui de remettre son poste en marche (« maillage node run ») avant la fin du certificat.".to_owned(),
        }
    }
}

impl Row {
    /// What somebody must do about it, gravest first. Nothing for a commune that the campaign does not expect, unless it
    /// is refused.
    pub fn needs(&self, now: Timestamp) -> Vec<Need> {
        let refused = self.refusals().len();
        let late = self.cells.iter().filter(|cell| cell.holds == Holds::Late).count();
        let mut needs = Vec::new();
        if refused > 0 {
            needs.push(Need::Refused(refused));
        }
        if late > 0 {
            needs.push(Need::Late(late));
        }
        if self.expected {
            needs.extend(match self.post {
                Post::NeverInvited => Some(Need::NeverInvited),
                Post::Invited { .. } => Some(Need::NotJoined),
                Post::InvitationExpired { .. } => Some(Need::InvitationExpired),
                Post::Revoked { .. } => Some(Need::Revoked),
                Post::Joined { certificate_ends } if certificate_ends <= now => Some(Need::CertificateExpired),
                Post::Joined { certificate_ends } if certificate_ends.since(now) < SOON => {
                    Some(Need::CertificateEndsSoon)
                }
                Post::Joined { .. } => None,
            });
        }
        needs.sort();
        needs
    }

    /// Every refusal that stands, once each.
    pub fn refusals(&self) -> Vec<&Refused> {
        let mut all: Vec<&Refused> = Vec::new();
        for refused in self.cells.iter().filter_map(|cell| cell.refused.as_ref()).chain(&self.refused_elsewhere) {
            if !all.contains(&refused) {
                all.push(refused);
            }
        }
        all
    }

    /// How many tables it fills.
    pub fn received(&self) -> usize {
        self.cells.iter().filter(|cell| matches!(cell.holds, Holds::Received { .. })).count()
    }

    /// How many tables it was asked for.
    pub fn asked(&self) -> usize {
        self.cells.iter().filter(|cell| cell.holds != Holds::NotExpected).count()
    }
}

/// In which order communes stand. Never by their figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The alphabet's.
    #[default]
    Name,
    /// Those who need most first.
    Urgency,
    /// Those who have been silent longest first.
    Contact,
    /// Those whose certificate ends first.
    Certificate,
}

impl Board {
    /// Puts the communes in `order`; where that says nothing, the alphabet does.
    pub fn sort(&mut self, order: Order) {
        let now = self.at;
        match order {
            Order::Name => render::names::sort_by_name(&mut self.rows, |row| &row.name),
            Order::Urgency => self.rows.sort_by_key(|row| {
                let needs = row.needs(now);
                (needs.is_empty(), needs.first().map(|need| Reverse(gravity(*need))), Reverse(needs.len()))
            }),
            Order::Contact => self.rows.sort_by_key(|row| row.last_contact),
            Order::Certificate => self.rows.sort_by_key(|row| match row.post {
                Post::Joined { certificate_ends } => (false, Some(certificate_ends)),
                _ => (true, None),
            }),
        }
    }

    /// How many communes need somebody.
    pub fn to_remind(&self) -> usize {
        self.rows.iter().filter(|row| !row.needs(self.at).is_empty()).count()
    }

    /// How many cells are so.
    pub fn count(&self, so: impl Fn(&Cell) -> bool) -> usize {
        self.rows.iter().flat_map(|row| &row.cells).filter(|cell| so(cell)).count()
    }
}

fn gravity(need: Need) -> u8 {
    match need {
        Need::Refused(_) => 7,
        Need::Late(_) => 6,
        Need::CertificateExpired => 5,
        Need::Revoked => 4,
        Need::NeverInvited => 3,
        Need::InvitationExpired => 2,
        Need::NotJoined => 1,
        Need::CertificateEndsSoon => 0,
    }
}
