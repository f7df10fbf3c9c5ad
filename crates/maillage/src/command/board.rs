//! The campaign board for a terminal: the page's use-case, in short.

use std::fmt::Write as _;

use hub::board::{Board, Need, Post, Row};
use model::Timestamp;
use render::date::{day, moment};
use render::{Column, Screen, Table};

/// The board as text.
pub fn show(board: &Board, screen: Screen) -> String {
    let mut out = String::new();
    if board.fictional {
        out.push_str("DONNÉES FICTIVES\n");
    }
    let due = match board.due {
        None => "sans date limite".to_owned(),
        Some(due) if due < board.at => format!("la date limite était le {}", day(due)),
        Some(due) => format!("à envoyer jusqu’au {} inclus", day(due)),
    };
    // Writing to a String cannot fail.
    let _ = write!(out, "{} : {due}\n\n", board.title);
    if board.rows.is_empty() {
        out.push_str("Aucune commune n’a encore été invitée : maillage hub invite --territory CODE");
        return out;
    }
    let mut table = Table::new([
        Column::text("Commune"),
        Column::text("Poste"),
        Column::text("Dernier contact"),
        Column::numbers("Reçus"),
        Column::text("À relancer"),
    ]);
    for row in &board.rows {
        let needs: Vec<String> = row.needs(board.at).into_iter().map(Need::french).collect();
        table.push([
            format!("{} ({})", row.name, row.territory),
            post(row, board.at),
            row.last_contact.map_or_else(|| "jamais".to_owned(), moment),
            format!("{}/{}", row.received(), row.asked()),
            needs.join(" ; "),
        ]);
    }
    out.push_str(&table.draw(screen));
    for row in &board.rows {
        for refused in row.refusals() {
            let _ = write!(
                out,
                "\n\n{} ({}), refusé le {} : {}\nPeut agir : {}.",
                row.name,
                row.territory,
                moment(refused.at),
                refused.message,
                refused.fixer.french()
            );
        }
    }
    out
}

fn post(row: &Row, now: Timestamp) -> String {
    match row.post {
        Post::NeverInvited => "jamais invitée".to_owned(),
        Post::Invited { until } => format!("invitée jusqu’au {}", day(until)),
        Post::InvitationExpired { since } => format!("invitation expirée le {}", day(since)),
        Post::Joined { certificate_ends } if certificate_ends <= now => {
            format!("certificat expiré le {}", day(certificate_ends))
        }
        Post::Joined { certificate_ends } => format!("certificat jusqu’au {}", day(certificate_ends)),
        Post::Revoked { at, .. } => format!("révoqué le {}", day(at)),
    }
}
