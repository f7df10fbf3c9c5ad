//! What the node's commands print.

use model::CommuneCode;
use node::preview::{CellPreview, Move, Preview, Purpose};
use node::push::{Delivered, PushEvent, Verdict};
use node::run::RunEvent;
use node::share::Shared;
use render::{Column, Screen, Table};

use super::super::Stop;
use crate::telemetry::say;

fn word(moved: Move) -> &'static str {
    match moved {
        Move::New => "nouveau",
        Move::Changed => "modifié",
        Move::Unchanged => "inchangé",
        Move::Withdrawn => "retiré",
    }
}

/// A preview, slice by slice.
pub fn preview(preview: &Preview, all: bool) {
    let screen = Screen::of(&std::io::stdout());
    for slice in &preview.slices {
        let moves = slice.moves;
        println!("\n{} – {} ({})", slice.title, slice.slice.period, slice.slice.territory);
        println!(
            "  {} nouvelles, {} modifiées, {} inchangées, {} retirées ; cachées : {} (effectif trop petit) + {} (pour empêcher la soustraction)",
            moves.new, moves.changed, moves.unchanged, moves.withdrawn, slice.hidden_primary, slice.hidden_secondary
        );
        println!("  sera vu par : {}", render::audience::labels(&slice.audiences));
        let wanted = |cell: &&CellPreview| all || cell.key.is_empty() || cell.moves != Move::Unchanged;
        let many = slice.cells.iter().filter(wanted).count();
        let mut table = Table::new([
            Column::text("Indicateur"),
            Column::text("Où"),
            Column::numbers("Sera montré"),
            Column::text("État"),
            Column::text("Pourquoi"),
        ]);
        // A first push moves everything: totals and hidden cells are what a person can read through.
        let short = !all && many > 60;
        for cell in
            slice.cells.iter().filter(wanted).filter(|cell| !short || cell.key.is_empty() || !cell.why.is_empty())
        {
            table.push([cell.title.as_str(), &cell.place, &cell.shows, word(cell.moves), &cell.why]);
        }
        println!("{}", table.draw(screen));
        if short {
            println!("  (totaux et cellules cachées seulement ; --all montre les {} cellules)", slice.cells.len());
        }
    }
    println!();
    for staying in &preview.staying {
        println!("{}", staying.french());
    }
    match super::next_step(preview) {
        Some(step) => {
            println!(
                "Rien n’est parti. {}",
                match preview.moved {
                    0 if preview.purpose == Purpose::Submit =>
                        "Les chiffres ne changent pas ; ils suivent une autre version du référentiel.".to_owned(),
                    moved => format!("{}.", render::number::counted(moved, "cellule bouge", "cellules bougent")),
                }
            );
            if preview.territories.len() > 1 {
                let communes: Vec<&str> = preview.territories.iter().map(CommuneCode::as_str).collect();
                println!(
                    "Un accord, {} envois, un par commune ({}) : chacun aura son récépissé.",
                    communes.len(),
                    communes.join(", ")
                );
            }
            println!("{step}");
        }
        None if preview.slices.is_empty() && !preview.staying.is_empty() => println!("Rien à envoyer."),
        None => println!("Rien à envoyer : le centre a déjà ces chiffres."),
    }
}

/// Who is shown which table.
pub fn shared(tables: &[Shared]) {
    if tables.is_empty() {
        println!(
            "Aucun tableau n’est au centre. Ce que vous enverrez sera montré à la coordination départementale, et à personne d’autre."
        );
        return;
    }
    let mut table = Table::new([
        Column::text("Tableau"),
        Column::text("Période"),
        Column::text("Commune"),
        Column::text("Au centre"),
        Column::text("Vu par"),
    ]);
    for one in tables {
        let sent = if one.sent { "oui" } else { "non" };
        let period = render::date::period(one.slice.period);
        let seen = render::audience::labels(&one.audiences);
        table.push([one.title.as_str(), &period, one.slice.territory.as_str(), sent, &seen]);
    }
    println!("{}", table.draw(Screen::of(&std::io::stdout())));
}

/// What a restored hub was given back.
pub fn recovered(documents: u64) -> String {
    format!(
        "Le centre a été restauré d’une sauvegarde : {}, avec les récépissés d’origine.",
        render::number::counted(
            usize::try_from(documents).unwrap_or(usize::MAX),
            "envoi qu’il avait oublié lui a été rendu",
            "envois qu’il avait oubliés lui ont été rendus"
        )
    )
}

/// One line while pushing.
pub fn push_event(event: &PushEvent) {
    match event {
        PushEvent::Sending { submission, bytes } => say!("Envoi {submission} ({bytes} octets)…"),
        PushEvent::Recovered { documents } => say!("{}", recovered(*documents)),
        PushEvent::Retrying { after, message } => {
            say!("  pas encore passé : {message} Nouvel essai dans {} s.", after.as_secs().max(1));
        }
    }
}

/// A kind of document, in French.
pub fn kind(kind: node::DocumentKind) -> &'static str {
    match kind {
        node::DocumentKind::Submission => "envoi",
        node::DocumentKind::Check => "essai",
        node::DocumentKind::Withdrawal => "retrait",
        node::DocumentKind::Purge => "destruction",
        node::DocumentKind::Sharing => "partage",
    }
}

/// What came back.
pub fn delivered(delivered: &[Delivered]) -> Result<(), Stop> {
    if delivered.is_empty() {
        println!("Rien n’attend en file d’envoi.");
        return Ok(());
    }
    let mut refused = 0;
    let mut waiting = 0;
    for one in delivered {
        match &one.verdict {
            Verdict::Received { receipt, already, file } => {
                println!(
                    "✓ {}{}",
                    if *already { "déjà reçu – " } else { "" },
                    node::verify::describe(receipt).join("\n")
                );
                println!("  récépissé gardé dans {}", file.display());
            }
            Verdict::Refused { message, conflicts } => {
                refused += 1;
                println!("✗ Envoi {} refusé par le centre : {message}", one.submission);
                for conflict in conflicts {
                    println!("  – {} : {} {}", conflict.row, conflict.cause, conflict.cure);
                }
            }
            Verdict::Waiting { message } => {
                waiting += 1;
                println!("… Envoi {} gardé en file : {message}", one.submission);
            }
        }
    }
    if refused > 0 {
        return Err(Stop::refused("Rien n’a été remplacé au centre par les envois refusés."));
    }
    if waiting > 0 {
        return Err(Stop::failed(
            model::FailureKind::Unavailable,
            "Rien n’est perdu : relancez « maillage node push », ou laissez tourner « maillage node run ».",
        ));
    }
    Ok(())
}

/// One line while running.
pub fn run_event(event: &RunEvent) {
    match event {
        RunEvent::Round => say!("Nouvelle ronde."),
        RunEvent::Sources(lines) => lines.iter().for_each(|line| say!("{line}")),
        RunEvent::Staying(slices) => slices.iter().for_each(|staying| say!("{}", staying.french())),
        RunEvent::NothingNew => say!("Rien de nouveau."),
        RunEvent::PersonNeeded { message } | RunEvent::Trouble { message } => say!("{message}"),
        RunEvent::Push(event) => push_event(event),
        RunEvent::Delivered(one) => match &one.verdict {
            Verdict::Received { receipt, .. } => say!("✓ récépissé n° {}", receipt.number),
            Verdict::Refused { message, .. } | Verdict::Waiting { message } => say!("{message}"),
        },
        RunEvent::Packs(fetched) => fetched.french().iter().for_each(|line| say!("{line}")),
        RunEvent::Renewed => say!("Certificat renouvelé."),
    }
}
