//! What the node's commands print.

use node::preview::{CellPreview, Move, Preview};
use node::push::{Delivered, PushEvent, Verdict};
use node::run::RunEvent;
use render::{Column, Screen, Table};

use super::super::Stop;

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
    match super::next_step(preview) {
        Some(step) => {
            println!("Rien n’est parti. {} bougent.", render::number::counted(preview.moved, "cellule", "cellules"));
            println!("{step}");
        }
        None => println!("Rien à envoyer : le centre a déjà ces chiffres."),
    }
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
        PushEvent::Sending { submission, bytes } => eprintln!("Envoi {submission} ({bytes} octets)…"),
        PushEvent::Recovered { documents } => eprintln!("{}", recovered(*documents)),
        PushEvent::Retrying { after, message } => {
            eprintln!("  pas encore passé : {message} Nouvel essai dans {} s.", after.as_secs().max(1));
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
        RunEvent::Round => eprintln!("Nouvelle ronde."),
        RunEvent::Sources(lines) => lines.iter().for_each(|line| eprintln!("{line}")),
        RunEvent::NothingNew => eprintln!("Rien de nouveau."),
        RunEvent::PersonNeeded { message } | RunEvent::Trouble { message } => eprintln!("{message}"),
        RunEvent::Push(event) => push_event(event),
        RunEvent::Delivered(one) => match &one.verdict {
            Verdict::Received { receipt, .. } => eprintln!("✓ récépissé n° {}", receipt.number),
            Verdict::Refused { message, .. } | Verdict::Waiting { message } => eprintln!("{message}"),
        },
        RunEvent::Packs(titles) => eprintln!("Nouveaux référentiels reçus : {}.", titles.join(", ")),
        RunEvent::Renewed => eprintln!("Certificat renouvelé."),
    }
}
