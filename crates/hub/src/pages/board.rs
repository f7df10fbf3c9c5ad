//! The campaign board as a page.

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use model::{Failure, Timestamp};
use render::date::{day, moment, period, short_day, short_moment};
use render::number::counted;
use render::typography::french;
use serde::Deserialize;
use store::DocumentKind;

use super::{Frame, page, problem};
use crate::Hub;
use crate::board::{Board, Cell, Column, Holds, Need, Order, Post, Refused, Row, SOON};
use crate::packs::Packs;

/// `?tri=contact&voir=relancer`.
#[derive(Default, Deserialize)]
pub(super) struct Asked {
    tri: Option<String>,
    voir: Option<String>,
}

const ORDERS: [(&str, &str, Order); 4] = [
    ("commune", "par commune", Order::Name),
    ("urgence", "par urgence", Order::Urgency),
    ("contact", "par ancienneté du contact", Order::Contact),
    ("certificat", "par fin de certificat", Order::Certificate),
];

pub(super) async fn show(State(hub): State<Hub>, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    // An address that somebody mangled still shows the board.
    let asked = asked.map_or_else(|_| Asked::default(), |Query(asked)| asked);
    let shown = drawn(&hub, &asked).await;
    shown.unwrap_or_else(|failure| problem::of(&hub, &failure))
}

async fn drawn(hub: &Hub, asked: &Asked) -> Result<Response, Failure> {
    let board = hub.board().await?;
    draw(hub, &*hub.packs().await?, board, asked)
}

#[derive(Template)]
#[template(path = "board.html")]
struct BoardPage {
    frame: Frame,
    title: String,
    lead: String,
    tally: Vec<Tally>,
    filters: Vec<Link>,
    orders: Vec<Link>,
    only_stuck: bool,
    caption: String,
    columns: Vec<Head>,
    rows: Vec<Line>,
    legend: Vec<Entry>,
    how: &'static str,
    stuck: Vec<Card>,
}

struct Tally {
    count: usize,
    words: String,
    tone: &'static str,
}

struct Link {
    href: String,
    label: &'static str,
    current: bool,
}

struct Head {
    title: String,
    period: String,
    compare: String,
}

/// A word with its sign: never a colour alone.
#[derive(Clone, Copy)]
struct Mark {
    tone: &'static str,
    icon: &'static str,
    word: &'static str,
}

struct Entry {
    mark: Mark,
    line: String,
}

struct Line {
    name: String,
    code: String,
    /// What somebody must do, and the card that says more.
    needs: Option<(String, String)>,
    cells: Vec<CellView>,
    post: Mark,
    post_lines: Vec<String>,
    contact: String,
}

struct CellView {
    mark: Mark,
    lines: Vec<String>,
    also: Option<Entry>,
}

struct Card {
    anchor: String,
    name: String,
    needs: Vec<NeedView>,
}

struct NeedView {
    title: String,
    text: String,
    who: Option<String>,
}

const fn mark(tone: &'static str, icon: &'static str, word: &'static str) -> Mark {
    Mark { tone, icon, word }
}

const RECEIVED: Mark = mark("ok", "check", "Reçu");
const REFUSED: Mark = mark("bad", "cross", "Refusé");
const LATE: Mark = mark("late", "clock", "En retard");
const AWAITED: Mark = mark("idle", "wait", "Attendu");
const WITHDRAWN: Mark = mark("idle", "back", "Retiré");
const PURGED: Mark = mark("idle", "back", "Détruit");
const NOT_EXPECTED: Mark = mark("idle", "none", "Non attendu");
const FORMER: Mark = mark("idle", "back", "Autre définition");

fn draw(hub: &Hub, packs: &Packs, mut board: Board, asked: &Asked) -> Result<Response, Failure> {
    let wanted = asked.tri.as_deref().unwrap_or_default();
    let (tri, _, order) = ORDERS.into_iter().find(|(name, ..)| *name == wanted).unwrap_or(ORDERS[0]);
    let only_stuck = asked.voir.as_deref() == Some("relancer");
    board.sort(order);
    let needing = |row: &&Row| !only_stuck || !row.needs(board.at).is_empty();
    let heads: Vec<Head> = board.columns.iter().map(|column| head(packs, column)).collect();
    let rows: Vec<Line> = board.rows.iter().filter(needing).map(|row| line(row, board.at)).collect();
    // Cards stay in the order of the table: one screen, one order.
    let stuck: Vec<Card> = board.rows.iter().filter_map(|row| card(row, &board)).collect();
    page(&BoardPage {
        frame: Frame::new(hub, if only_stuck { "Communes à relancer" } else { "Tableau de bord" }, "board"),
        title: french(&board.title),
        lead: lead(&board),
        tally: tally(&board),
        filters: vec![
            Link { href: href(tri, false), label: "toutes les communes", current: !only_stuck },
            Link { href: href(tri, true), label: "seulement à relancer", current: only_stuck },
        ],
        orders: ORDERS
            .into_iter()
            .map(|(name, label, _)| Link { href: href(name, only_stuck), label, current: name == tri })
            .collect(),
        only_stuck,
        caption: format!("Suivi des envois : {}", counted(rows.len(), "commune affichée", "communes affichées")),
        columns: heads,
        legend: legend(&board),
        how: if board.declared {
            ""
        } else {
            "Pour fixer les tableaux attendus, les communes et la date limite, décrivez la campagne dans le fichier campaign.toml du dossier du centre."
        },
        rows,
        stuck,
    })
}

fn href(tri: &str, only_stuck: bool) -> String {
    match (tri, only_stuck) {
        ("commune", false) => "/".to_owned(),
        ("commune", true) => "/?voir=relancer".to_owned(),
        (tri, false) => format!("/?tri={tri}"),
        (tri, true) => format!("/?tri={tri}&voir=relancer"),
    }
}

fn lead(board: &Board) -> String {
    match board.due {
        None => "Sans date limite : aucune commune n’est en retard.".to_owned(),
        Some(due) if due < board.at => format!("La date limite était le {}.", day(due)),
        Some(due) => format!("À envoyer jusqu’au {} inclus.", day(due)),
    }
}

fn tally(board: &Board) -> Vec<Tally> {
    let asked = board.count(|cell| cell.holds != Holds::NotExpected);
    let received = board.count(|cell| matches!(cell.holds, Holds::Received { .. }));
    let late = board.count(|cell| cell.holds == Holds::Late);
    let refused: usize = board.rows.iter().map(|row| row.refusals().len()).sum();
    let stuck = board.to_remind();
    let tone = |count: usize, tone| if count == 0 { "ok" } else { tone };
    let plural = |n: usize, one: &str, many: &str| if n < 2 { one.to_owned() } else { many.to_owned() };
    vec![
        Tally {
            count: received,
            words: format!("{} sur {asked}", plural(received, "tableau reçu", "tableaux reçus")),
            tone: tone(asked - received.min(asked), ""),
        },
        Tally { count: late, words: "en retard".to_owned(), tone: tone(late, "late") },
        Tally {
            count: refused, words: plural(refused, "envoi refusé", "envois refusés"), tone: tone(refused, "bad")
        },
        Tally {
            count: stuck,
            words: plural(stuck, "commune à relancer", "communes à relancer"),
            tone: tone(stuck, "late"),
        },
    ]
}

fn head(packs: &Packs, column: &Column) -> Head {
    let indicator = packs.table(&column.pack, &column.table).and_then(|table| table.indicators().first());
    let indicator = indicator.map(|indicator| indicator.code.to_string()).unwrap_or_default();
    Head {
        title: french(&column.title),
        period: period(column.period),
        compare: format!("/comparer?indicateur={}%2F{indicator}&periode={}", column.pack, column.period),
    }
}

fn line(row: &Row, now: Timestamp) -> Line {
    let (post, post_lines) = post(row, now);
    let needs: Vec<String> = row.needs(now).into_iter().map(Need::french).collect();
    Line {
        name: row.name.clone(),
        code: row.territory.to_string(),
        needs: Some(needs.join(" ; ")).filter(|needs| !needs.is_empty()).map(|needs| (anchor(row), needs)),
        cells: row.cells.iter().map(view).collect(),
        post,
        post_lines,
        contact: row.last_contact.map_or_else(|| "jamais".to_owned(), short_moment),
    }
}

fn view(cell: &Cell) -> CellView {
    let (mark, mut lines) = match &cell.holds {
        Holds::Received { at, pack_version, comparable, hidden, .. } => {
            let mut lines = vec![
                whole(&short_day(*at)),
                whole(&format!("{} · v {pack_version}", counted(*hidden, "masquée", "masquées"))),
            ];
            if !comparable {
                lines.push("n’est pas comparé à la version en vigueur".to_owned());
            }
            (if *comparable { RECEIVED } else { FORMER }, lines)
        }
        Holds::Awaited => (AWAITED, Vec::new()),
        Holds::Late => (LATE, Vec::new()),
        Holds::NotExpected => (NOT_EXPECTED, Vec::new()),
        Holds::Withdrawn { at } => (WITHDRAWN, vec![format!("par la commune, le {}", short_day(*at))]),
        Holds::Purged { at } => (PURGED, vec![format!("après une fuite, le {}", short_day(*at))]),
    };
    let Some(refused) = &cell.refused else { return CellView { mark, lines, also: None } };
    let told = format!("le {} : {}", short_day(refused.at), refused.why);
    if let Holds::Received { .. } = cell.holds {
        // What was received before still counts: a refused correction takes nothing away.
        let mark_of_refusal = Mark { word: "Correction refusée", ..REFUSED };
        return CellView { mark, lines, also: Some(Entry { mark: mark_of_refusal, line: told }) };
    }
    lines.insert(0, told);
    if cell.holds == Holds::Late {
        lines.push("date limite dépassée".to_owned());
    }
    CellView { mark: REFUSED, lines, also: None }
}

fn post(row: &Row, now: Timestamp) -> (Mark, Vec<String>) {
    match row.post {
        Post::NeverInvited if !row.expected => (mark("idle", "none", "Sans poste"), Vec::new()),
        Post::NeverInvited => (mark("late", "warn", "Jamais invitée"), Vec::new()),
        Post::Invited { until } => {
            (mark("idle", "wait", "Invitée"), vec![whole(&format!("jusqu’au {}", short_day(until)))])
        }
        Post::InvitationExpired { since } => {
            (mark("late", "warn", "Invitation expirée"), vec![whole(&format!("depuis le {}", short_day(since)))])
        }
        Post::Joined { certificate_ends } if certificate_ends <= now => (
            mark("bad", "cross", "Certificat expiré"),
            vec![whole(&format!("depuis le {}", short_day(certificate_ends)))],
        ),
        Post::Joined { certificate_ends } if certificate_ends.since(now) < SOON => {
            (mark("late", "warn", "Expire bientôt"), vec![whole(&format!("jusqu’au {}", short_day(certificate_ends)))])
        }
        Post::Joined { certificate_ends } => {
            (mark("ok", "check", "Actif"), vec![whole(&format!("jusqu’au {}", short_day(certificate_ends)))])
        }
        Post::Revoked { at, invited_until } => {
            let mut lines = vec![format!("le {}", short_day(at))];
            lines.extend(invited_until.map(|until| format!("réinvitée, jusqu’au {}", short_day(until))));
            (mark("bad", "cross", "Révoqué"), lines)
        }
    }
}

/// Never broken over two lines.
fn whole(text: &str) -> String {
    text.replace(' ', "\u{a0}")
}

fn legend(board: &Board) -> Vec<Entry> {
    let entries = [
        (RECEIVED, "les chiffres protégés sont au centre"),
        (REFUSED, "rien n’a été enregistré de cet envoi"),
        (LATE, "rien reçu, date limite dépassée"),
        (AWAITED, "rien reçu, il reste du temps"),
        (FORMER, "reçu sous les définitions d’une autre version ; reste tel quel"),
        (WITHDRAWN, "repris par la commune"),
        (PURGED, "effacé après une fuite, à deux personnes"),
        (NOT_EXPECTED, "hors de la campagne"),
    ];
    let views: Vec<CellView> = board.rows.iter().flat_map(|row| row.cells.iter().map(view)).collect();
    entries
        .into_iter()
        .filter(|(mark, _)| views.iter().any(|view| view.mark.word == mark.word))
        .map(|(mark, line)| Entry { mark, line: line.to_owned() })
        .collect()
}

fn anchor(row: &Row) -> String {
    format!("commune-{}", row.territory)
}

fn card(row: &Row, board: &Board) -> Option<Card> {
    let needs = row.needs(board.at);
    let mut views: Vec<NeedView> = row.refusals().into_iter().map(|refused| told(refused, board)).collect();
    views.extend(needs.iter().filter(|need| !matches!(need, Need::Refused(_))).map(|need| NeedView {
        title: capital(&need.french()),
        text: need.cure(row.territory),
        who: None,
    }));
    if views.is_empty() {
        return None;
    }
    Some(Card { anchor: anchor(row), name: format!("{} ({})", row.name, row.territory), needs: views })
}

fn told(refused: &Refused, board: &Board) -> NeedView {
    let what = match refused.kind {
        DocumentKind::Check => "Essai refusé",
        DocumentKind::Withdrawal => "Retrait refusé",
        // Refused words on who may see are not on the board: nobody waits for them.
        DocumentKind::Submission | DocumentKind::Purge | DocumentKind::Sharing => "Envoi refusé",
    };
    let tables: Vec<String> = refused
        .slices
        .iter()
        .map(|slice| {
            let column =
                board.columns.iter().find(|column| (&column.pack, &column.table) == (&slice.pack, &slice.table));
            let title = column.map_or_else(|| slice.table.to_string(), |column| french(&column.title));
            format!("{title}, {}", period(slice.period))
        })
        .collect();
    let tables = if tables.is_empty() { String::new() } else { format!(" ({})", tables.join(" ; ")) };
    let times = if refused.times > 1 { format!(", {} fois", refused.times) } else { String::new() };
    NeedView {
        title: format!("{what} le {}{times}{tables}", moment(refused.at)),
        text: refused.message.clone(),
        who: Some(format!("Peut agir : {}.", refused.fixer.french())),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
