//! Hub, fourteen nodes, push, comparison: the same use-cases as in earnest, on loopback.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::stream::{self, StreamExt};
use hub::access::Credentials;
use hub::compare::Question;
use hub::config::HubConfig;
use hub::{Hub, HubFolder, Listeners};
use model::{Failure, FailureKind, Key, SystemClock};
use node::approve::Agreement;
use node::preview::PreviewError;
use node::push::Verdict;
use node::{Node, NodeFolder};
use render::Screen;
use tokio::net::TcpListener;

use super::department::{FictionalCommune, communes};
use super::{files, trouble};
use crate::command::{self, Stop};
use crate::terminal::Progress;

/// As many nodes at work at a time: a small machine has two cores.
const AT_A_TIME: usize = 2;

/// What one commune's turn gave.
struct Turn {
    visible: usize,
    hidden: usize,
    receipt: u64,
}

/// Runs the demonstration in `folder`, or in one that is removed at the end.
pub async fn run(folder: Option<PathBuf>, seed: u64, once: bool) -> Result<(), Stop> {
    let place = Place::take(folder)?;
    let root = place.path().to_owned();
    let communes = communes();
    let total = communes.len();
    println!("DONNÉES FICTIVES – un département inventé de {total} communes, sur cette machine.");

    let listener =
        TcpListener::bind("127.0.0.1:0").await.map_err(|error| Stop::file(Path::new("127.0.0.1"), &error))?;
    let port = listener.local_addr().map_err(|error| Stop::file(Path::new("127.0.0.1"), &error))?.port();
    let usual = HubConfig::default();
    let (pages, operations) = if once {
        (None, None)
    } else {
        (Some(listener_at(&usual.pages).await?), Some(listener_at(&usual.operations).await?))
    };
    let (hub, credentials) =
        start_hub(&root.join("hub"), port, (told(pages.as_ref()), told(operations.as_ref())), &communes).await?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn({
        let hub = hub.clone();
        let listeners = Listeners { nodes: listener, pages, operations };
        async move {
            // A sender that is gone means the same as one that spoke.
            hub.serve(listeners, async { drop(stopped.await) }).await
        }
    });

    let work = tokio::select! {
        work = push_all(&hub, &root, &communes, seed) => work,
        () = command::interrupted() => Err(Stop::failed(FailureKind::Unavailable, "Démonstration interrompue.")),
    };
    let shown = match work {
        Ok(turns) => show(&turns, total, &credentials).await,
        Err(error) => Err(error),
    };
    if shown.is_ok() && !once {
        trouble::make(&hub, &root, &communes).await?;
        println!("\n{}", suggestions(&root, &communes, hub.config()));
        command::interrupted().await;
        eprintln!("\nFin de la démonstration.");
    }
    drop(stop);
    match server.await {
        Ok(Ok(())) => {}
        Ok(Err(failure)) => return Err(failure.into()),
        Err(_) => return Err(Stop::failed(FailureKind::Internal, "Le centre s’est arrêté de façon inattendue.")),
    }
    hub.close().await;
    shown
}

/// `served` are the addresses of pages and operations that the settings then claim.
async fn start_hub(
    root: &Path,
    port: u16,
    served: (String, String),
    communes: &[FictionalCommune],
) -> Result<(Hub, Credentials), Stop> {
    let folder = HubFolder::at(root);
    let mut names = String::from("# DONNÉES FICTIVES\ninsee;nom\n");
    for (code, name) in communes.iter().map(|commune| (commune.code, commune.name)).chain(trouble::ABSENT) {
        // Writing to a String cannot fail.
        let _ = writeln!(names, "{code};{name}");
    }
    std::fs::create_dir_all(root)
        .and_then(|()| std::fs::write(root.join("communes.csv"), names))
        .and_then(|()| std::fs::write(folder.campaign(), trouble::campaign(communes)))
        .map_err(|error| Stop::file(root, &error))?;
    let config = HubConfig {
        listen: format!("127.0.0.1:{port}"),
        public_address: format!("localhost:{port}"),
        pages: served.0,
        operations: served.1,
        communes: Some("communes.csv".into()),
        fictional: true,
        ..HubConfig::default()
    };
    let name = "coordination".parse().map_err(|_| Stop::failed(FailureKind::Internal, "nom d’accès"))?;
    let made = hub::init::init(&folder, &config, &name, &command::world()).await?;
    let hub = Hub::open(folder, command::world()).await?;
    Ok((hub, made.coordinator))
}

async fn push_all(hub: &Hub, root: &Path, communes: &[FictionalCommune], seed: u64) -> Result<Vec<Turn>, Stop> {
    let progress = Progress::start(communes.len() as u64, "Les communes adhèrent, calculent, protègent, envoient");
    let mut turns = Vec::with_capacity(communes.len());
    let mut work = stream::iter(communes.iter().enumerate())
        .map(|(index, commune)| {
            let folder = root.join("communes").join(commune.code);
            async move { (commune, one_commune(hub, folder, commune, index, seed).await) }
        })
        .buffer_unordered(AT_A_TIME);
    while let Some((commune, turn)) = work.next().await {
        let turn = turn?;
        progress.step(&format!("{} : récépissé n° {}", commune.name, turn.receipt));
        turns.push(turn);
    }
    progress.finish();
    Ok(turns)
}

/// What an agent does by hand, in the same order.
async fn one_commune(
    hub: &Hub,
    folder: PathBuf,
    commune: &FictionalCommune,
    index: usize,
    seed: u64,
) -> Result<Turn, Stop> {
    files::write(&folder, commune, index, seed).map_err(|error| Stop::file(&folder, &error))?;
    let code = commune.code.parse().map_err(|_| Stop::failed(FailureKind::Internal, "code de commune fictive"))?;
    let invitation = hub.invite(code, &[]).await?.invitation.to_line();
    let folder = NodeFolder::at(folder);
    node::join::join(&folder, &invitation, command::world()).await?;
    let node = Node::open(folder, command::world()).await?;
    let preview = match node::preview::preview_for_rule(&node).await {
        Ok(preview) => preview,
        Err(PreviewError::Failed(failure)) => return Err(failure.into()),
        Err(PreviewError::Sources(errors)) => {
            let lines: Vec<String> = errors.iter().flat_map(node::collect::CollectError::french).collect();
            return Err(Stop::refused(format!("{} : {}", commune.name, lines.join("\n"))));
        }
    };
    let hidden = preview.slices.iter().map(|slice| slice.hidden_primary + slice.hidden_secondary).sum();
    let cells: usize = preview.slices.iter().map(|slice| slice.cells.len()).sum();
    let agreement = Agreement::Rule { max_moved_cells: None, moved: preview.moved };
    node::approve::approve(&node, &agreement, preview.hash).await?;
    let delivered = node::push::push(&node, &|_| {}).await?;
    node.close().await;
    match delivered.into_iter().next().map(|one| one.verdict) {
        Some(Verdict::Received { receipt, .. }) => {
            Ok(Turn { visible: cells - hidden, hidden, receipt: receipt.number })
        }
        Some(Verdict::Refused { message, .. } | Verdict::Waiting { message }) => {
            Err(Stop::refused(format!("{} : {message}", commune.name)))
        }
        None => Err(Stop::failed(FailureKind::Internal, format!("{} n’a rien envoyé", commune.name))),
    }
}

async fn show(turns: &[Turn], total: usize, credentials: &Credentials) -> Result<(), Stop> {
    let received = turns.len();
    println!("\n{received}/{total} communes reçues");
    let visible: usize = turns.iter().map(|turn| turn.visible).sum();
    let hidden: usize = turns.iter().map(|turn| turn.hidden).sum();
    println!(
        "{} montrés, {} : chacun assez incertain pour que personne ne soit reconnu.\n",
        render::number::counted(visible, "chiffre", "chiffres"),
        render::number::counted(hidden, "caché", "cachés")
    );
    for (indicator, at) in
        [("dom_demandes", None), ("dom_refus", None), ("aidfac_accords_part", Some(("type_aide", "energie")))]
    {
        let mut key = Key::total();
        if let Some((dimension, code)) = at {
            key = key.with(word(dimension)?, word(code)?);
        }
        let question = Question { indicator: word(indicator)?, period: word(files::PERIOD)?, key, pack: None };
        let comparison = hub::compare::ask(credentials, &question, Arc::new(SystemClock)).await?;
        println!("{}\n", command::compare::show(&comparison, &question.key, Screen::of(&std::io::stdout())));
    }
    if received == total { Ok(()) } else { Err(Stop::refused(format!("{} communes manquent.", total - received))) }
}

fn word<T: std::str::FromStr>(text: &str) -> Result<T, Stop> {
    text.parse().map_err(|_| Stop::failed(FailureKind::Internal, format!("mot de la démonstration : {text}")))
}

/// The usual port, or any other where that one is taken.
async fn listener_at(usual: &str) -> Result<TcpListener, Stop> {
    match TcpListener::bind(usual).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind("127.0.0.1:0").await.map_err(|error| Stop::file(Path::new("127.0.0.1"), &error)),
    }
}

/// Where this listens, as the settings say it; empty: nowhere.
fn told(listener: Option<&TcpListener>) -> String {
    listener.and_then(|listener| listener.local_addr().ok()).map_or_else(String::new, |address| address.to_string())
}

fn suggestions(root: &Path, communes: &[FictionalCommune], served: &HubConfig) -> String {
    let root = root.display();
    let first = communes.first().map_or("", |commune| commune.code);
    let HubConfig { pages, operations, .. } = served;
    format!(
        "Le tableau de bord de la coordination, dans votre navigateur :\n\n    http://{pages}/\n\n\
         L’état de marche et les mesures, pour l’exploitant : http://{operations}/metrics\n\n\
         La démonstration reste ouverte jusqu’à Ctrl-C. À essayer dans un autre terminal :\n  \
         maillage hub status   --folder {root}/hub\n  \
         maillage compare aidfac_menages --period 2025 --at type_menage=monoparental --access {root}/hub/coordinators/coordination\n  \
         maillage node status  --folder {root}/communes/{first}\n  \
         maillage node share   --folder {root}/communes/{first}\n  \
         maillage node preview --folder {root}/communes/{first} --all\n  \
         maillage node report  --folder {root}/communes/{first} --output edition-interne.html\n\
         Les fichiers fictifs d’une commune : {root}/communes/{first}/exports"
    )
}

/// Where the demonstration lives.
enum Place {
    Kept(PathBuf),
    Temporary(tempfile::TempDir),
}

impl Place {
    fn take(folder: Option<PathBuf>) -> Result<Self, Stop> {
        match folder {
            Some(folder) => {
                let taken = std::fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some());
                if taken {
                    return Err(Failure::new(
                        FailureKind::Conflict,
                        "DEMO_FOLDER_TAKEN",
                        "folder is not empty",
                        format!("Le dossier {} n’est pas vide : choisissez-en un autre.", folder.display()),
                    )
                    .into());
                }
                std::fs::create_dir_all(&folder).map_err(|error| Stop::file(&folder, &error))?;
                Ok(Self::Kept(folder))
            }
            None => tempfile::Builder::new()
                .prefix("maillage-demo-")
                .tempdir()
                .map(Self::Temporary)
                .map_err(|error| Stop::file(&std::env::temp_dir(), &error)),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(folder) => folder.path(),
        }
    }
}
