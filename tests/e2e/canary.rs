//! Law 1, in bytes: with every confidential figure a number of its own, none of them is found outside the commune's
//! files; and two communes that differ only in what is hidden leave the same bytes.
//!
//! A leak comes back with other figures, in the same form at the same place. A key or a hash that looks like a figure
//! by chance does not: a canary counts as found where two runs with different figures both hold it.

mod pack;
mod search;
mod tap;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Debug, Write as _};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use hub::access::Credentials;
use hub::compare::Question;
use hub::{Hub, HubConfig, HubFolder, Listeners};
use model::{IndicatorCode, Key};
use node::approve::Agreement;
use node::preview::{PreviewError, Purpose};
use node::push::Verdict;
use node::{Node, NodeFolder};
use tempfile::TempDir;
use testkit::{ManualClock, SeededEntropy};
use tokio::net::TcpListener;
use tracing_subscriber::fmt::MakeWriter;

use crate::house::{put, word};
use crate::intruder::rows;
use pack::{Figures, pack, shown};
use search::{Canary, Found, search};
use tap::{Exchange, Tap};

const COMMUNE: &str = "93001";
/// Who agrees: the name stays in the commune.
const AGENT: &str = "Ndeye Quincampoix";

/// Everything that a run leaves outside the commune's own files.
struct Outside {
    wire: Vec<Exchange>,
    /// Every row of the hub's database.
    rows: BTreeMap<String, Vec<String>>,
    /// Receipts that the commune may show around, and what it signed.
    papers: Vec<Vec<u8>>,
    /// What the coordinator reads.
    compared: Vec<String>,
    /// What a browser on the hub's machine is given.
    pages: Vec<String>,
    /// Every byte anywhere but in the commune's files and its internal edition, by place.
    places: BTreeMap<String, Vec<u8>>,
    /// The internal edition, which holds every exact figure.
    internal: String,
}

/// Both runs, made once for all tests.
fn runs() -> &'static (Outside, Outside) {
    static RUNS: OnceLock<(Outside, Outside)> = OnceLock::new();
    RUNS.get_or_init(|| {
        let logs = Logs::default();
        logs.runtime().block_on(async {
            let mesh = Mesh::found().await;
            (mesh.run(&Figures::first(), &logs).await, mesh.run(&Figures::second(), &logs).await)
        })
    })
}

#[test]
fn no_confidential_figure_is_found_outside_the_commune_in_any_form() {
    let (first, second) = runs();

    let leaked = |run: &Outside, figures: &Figures| search(&figures.canaries(), &run.places);
    let (in_first, in_second) = (leaked(first, &Figures::first()), leaked(second, &Figures::second()));
    let leaks: BTreeSet<&Found> = in_first.intersection(&in_second).collect();
    assert!(leaks.is_empty(), "{leaks:#?}");

    // The same search finds what is shown: in the document on the wire, and in the databases that keep it.
    let seen = search(&shown(), &first.places);
    for place in ["wire", "hub.sqlite", "node.sqlite"] {
        for canary in shown() {
            let found = seen
                .iter()
                .any(|(name, form, at)| *name == canary.name && *form == "units zigzag" && at.contains(place));
            assert!(found, "{} is not in {place}: {seen:#?}", canary.name);
        }
    }
    // And the figures looked for are those that this node holds: its own edition shows them all.
    let internal = BTreeMap::from([("internal".to_owned(), first.internal.clone().into_bytes())]);
    let exact: BTreeSet<String> =
        search(&Figures::first().canaries(), &internal).into_iter().map(|found| found.0).collect();
    for canary in Figures::first().canaries().iter().filter(|canary| canary.name.contains("_montant ")) {
        assert!(exact.contains(&canary.name), "{} is not in the internal edition", canary.name);
    }
    // Logs were taken from every thread and every depth.
    let log = String::from_utf8_lossy(&first.places["logs"]);
    for told in ["accepted", "comparison", "handshake", "INSERT INTO", "h2::"] {
        assert!(log.contains(told), "the log does not tell of « {told} »");
    }

    // The agent's name is in the commune's database, and nowhere else.
    let name = [Canary::word("agent", AGENT)];
    let named: BTreeSet<String> = search(&name, &first.places).into_iter().map(|found| found.2).collect();
    assert!(!named.is_empty() && named.iter().all(|place| place.contains("node")), "{named:?}");
}

#[test]
fn two_communes_that_differ_only_in_what_is_hidden_leave_the_same_bytes() {
    let (first, second) = runs();
    assert_ne!(first.internal, second.internal, "the two runs had the same figures");
    assert_eq!(first.wire.len(), second.wire.len());
    for (one, other) in first.wire.iter().zip(&second.wire) {
        assert!(one == other, "{} travelled differently from {}", one.method, other.method);
    }
    assert!(first.papers.len() >= 5, "{} documents and receipts", first.papers.len());
    assert!(first.papers == second.papers, "a document or a receipt differs");
    assert_eq!(first.rows, second.rows);
    assert_eq!(first.compared, second.compared);
    assert!(first.pages.len() > 20 && first.pages == second.pages, "a page differs");
}

#[test]
fn the_search_finds_a_planted_number_in_every_form_and_at_every_place() {
    let canary = Canary::number("planted", 123_456_789, 2);
    assert!(canary.forms().len() > 25, "{:?}", canary.forms());
    for (form, bytes) in canary.forms() {
        for filling in [0_usize, 1, 7, 4096] {
            let hay = [vec![0xa5; filling], bytes.clone(), vec![0x5a; 3]].concat();
            let found = search(std::slice::from_ref(&canary), &BTreeMap::from([("hay".to_owned(), hay)]));
            assert!(found.contains(&("planted".to_owned(), *form, "hay".to_owned())), "{form} after {filling} bytes");
        }
    }
    let other = Canary::number("other", 123_456_788, 2);
    let hay = canary.forms().iter().flat_map(|(form, bytes)| [bytes.as_slice(), form.as_bytes()].concat()).collect();
    let found = search(&[other], &BTreeMap::from([("hay".to_owned(), hay)]));
    assert!(found.iter().all(|(_, form, _)| !form.starts_with("units")), "a neighbour was taken for it: {found:?}");
}

#[test]
fn every_canary_is_another_number_and_has_seven_digits() {
    for figures in [Figures::first(), Figures::second()] {
        let canaries = figures.canaries();
        let plain: Vec<&Vec<u8>> = canaries
            .iter()
            .flat_map(|c| c.forms().iter().filter(|(form, _)| *form == "plain").map(|(_, b)| b))
            .collect();
        assert!(plain.iter().all(|digits| digits.len() == 7), "not seven digits");
        let cells = canaries.iter().filter(|canary| canary.name.starts_with("cache_")).count();
        let different: BTreeSet<&Vec<u8>> = plain[..cells].iter().copied().collect();
        assert_eq!(different.len(), cells);
    }
}

/// A hub and a node that has joined, at rest: every run begins from a copy of their folders.
struct Mesh {
    root: TempDir,
    clock: Arc<ManualClock>,
    tap: Tap,
}

impl Mesh {
    async fn found() -> Self {
        let root = tempfile::tempdir().expect("a temporary folder");
        let clock = Arc::new(ManualClock::default());
        let live = root.path().join("live");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("localhost:{}", listener.local_addr().expect("bound").port());
        let config = HubConfig { public_address: address, fictional: true, ..HubConfig::default() };
        let world = hub::World { clock: clock.clone(), entropy: Arc::new(SeededEntropy::new(1)) };
        let folder = HubFolder::at(live.join("hub"));
        hub::init::init(&folder, &config, &word("coordination"), &world).await.expect("a new hub");
        let tap = Tap::start(listener, live.clone(), clock.clone());
        let mesh = Self { root, clock, tap };

        let serving = mesh.serve().await;
        let invitation = serving.hub.invite(word(COMMUNE), &[]).await.expect("an invitation").invitation.to_line();
        node::join::join(&mesh.node_folder(), &invitation, mesh.node_world(2)).await.expect("joins");
        serving.stop().await;
        let joined = mesh.tap.take();
        assert!(joined.iter().any(|exchange| exchange.method.ends_with("/Enrol")), "the tap is on the wire");
        copy(&live, &mesh.root.path().join("joined"));
        mesh
    }

    fn live(&self) -> PathBuf {
        self.root.path().join("live")
    }

    fn node_folder(&self) -> NodeFolder {
        NodeFolder::at(self.live().join("communes").join(COMMUNE))
    }

    fn node_world(&self, seed: u64) -> node::World {
        node::World { clock: self.clock.clone(), entropy: Arc::new(SeededEntropy::new(seed)) }
    }

    async fn node(&self, seed: u64) -> Node {
        Node::open(self.node_folder(), self.node_world(seed)).await.expect("opens")
    }

    async fn serve(&self) -> Serving {
        let folder = HubFolder::at(self.live().join("hub"));
        let config = HubConfig::load(&folder).expect("settings");
        let world = hub::World { clock: self.clock.clone(), entropy: Arc::new(SeededEntropy::new(3)) };
        let hub = Hub::open_with(folder, config, vec![pack()], world).await.expect("opens");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        self.tap.lead_to(listener.local_addr().expect("bound").port());
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let door = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let pages = door.local_addr().expect("bound");
        let listeners = Listeners { nodes: listener, pages: Some(door), operations: None };
        let server = tokio::spawn({
            let hub = hub.clone();
            async move { hub.serve(listeners, async { drop(stopped.await) }).await.expect("serves") }
        });
        Serving { hub, pages, stop, server }
    }

    /// A commune's year: a dry run, a submission, one that the hub refuses, wrong files, a stricter rule that comes
    /// too late, the status, its own edition; and a coordinator who compares everything.
    async fn run(&self, figures: &Figures, logs: &Logs) -> Outside {
        fs::remove_dir_all(self.live()).expect("the last run's folders");
        copy(&self.root.path().join("joined"), &self.live());
        logs.take();
        let folder = self.node_folder();
        for (path, text) in figures.files() {
            put(folder.root(), path, text.as_bytes());
        }
        put(folder.root(), "node.toml", settings(&["2025"], "").as_bytes());
        let serving = self.serve().await;
        // What people read on a screen or send on to a help desk.
        let mut said = String::new();

        let node = self.node(10).await;
        self.send(&node, Purpose::Check, &mut said).await;
        self.send(&node, Purpose::Submit, &mut said).await;
        let mut places = kept(folder.root(), "node, before it closed");
        let internal = node::report::internal_edition(&node).await.expect("its own edition");
        node.close().await;

        // A period that has not begun: the hub refuses the document whole.
        put(folder.root(), "node.toml", settings(&["2025", "2031"], "").as_bytes());
        let node = self.node(11).await;
        let verdict = self.send(&node, Purpose::Submit, &mut said).await;
        assert!(matches!(verdict, Verdict::Refused { .. }), "{verdict:?}");
        node.close().await;

        // What was shown cannot be hidden any more.
        put(
            folder.root(),
            "node.toml",
            settings(&["2025"], "[stricter]\nmixte_montant = 6\nmixte_dossiers = 6\n").as_bytes(),
        );
        let node = self.node(12).await;
        tell(&mut said, &node::preview::preview(&node, Purpose::Submit).await.map(|_| "a preview").map_err(flat));
        node.close().await;

        // Wrong files, beside the right one's figures.
        let [(path, text), _] = figures.files();
        put(folder.root(), "node.toml", settings(&["2025"], "").as_bytes());
        let last = text.lines().last().expect("a row");
        for wrong in [format!("{text}{last}\n"), format!("{text}x;1.234;1;z9;n1\n"), format!("{text}y;2;3\n")] {
            put(folder.root(), path, wrong.as_bytes());
            let node = self.node(13).await;
            let refused = node::preview::preview(&node, Purpose::Submit).await.expect_err("a wrong file");
            tell(&mut said, &flat(refused));
            node.close().await;
        }
        put(folder.root(), path, text.as_bytes());

        let node = self.node(14).await;
        let status = node::status::status(&node).await.expect("a status");
        said += &node::status::describe(&status).join("\n");
        let mut papers: Vec<Vec<u8>> = status.outbox.iter().map(|item| item.outgoing.document.clone()).collect();
        papers.extend(files(&folder.receipts()).into_values());
        let compared = self.compare().await;
        let pages = Self::pages(serving.pages).await;

        // Open databases: the log beside the file holds what was written last.
        places.extend(kept(&self.live().join("hub"), "hub"));
        places.extend(kept(folder.root(), "node"));
        let database = self.live().join("hub/hub.sqlite");
        let rows = rows(&database).await;
        node.close().await;
        serving.stop().await;
        places.insert("closed: hub.sqlite".into(), fs::read(&database).expect("the hub's database"));
        places.insert("closed: node.sqlite".into(), fs::read(folder.database()).expect("the node's database"));
        let mut wire = self.tap.take();
        places.insert("wire".into(), wire.iter().flat_map(Exchange::bytes).collect());
        places.insert("compared".into(), compared.join("\n").into_bytes());
        places.insert("pages".into(), pages.join("\n").into_bytes());
        places.insert("said".into(), said.into_bytes());
        places.insert("logs".into(), logs.take());
        for exchange in &mut wire {
            // The machine's clock, which hyper writes by itself.
            exchange.answered.headers.retain(|(name, _)| name != "date");
        }
        Outside { wire, rows, papers, compared, pages, places, internal }
    }

    /// Preview, agreement, push; keeps what is said meanwhile.
    async fn send(&self, node: &Node, purpose: Purpose, said: &mut String) -> Verdict {
        let preview = node::preview::preview(node, purpose).await.map_err(flat).expect("a preview");
        tell(said, &preview);
        let by = Agreement::Person(AGENT.to_owned());
        node::approve::approve(node, &by, preview.hash).await.expect("an agreement");
        let events = Mutex::new(String::new());
        let listen = |event: &node::push::PushEvent| tell(&mut events.lock().expect("a test's lock"), event);
        let mut delivered = node::push::push(node, &listen).await.expect("a push");
        said.push_str(&events.into_inner().expect("a test's lock"));
        tell(said, &delivered);
        assert_eq!(delivered.len(), 1);
        delivered.remove(0).verdict
    }

    /// Every indicator at every place, as a coordinator reads it.
    async fn compare(&self) -> Vec<String> {
        let credentials = Credentials::load(&self.live().join("hub/coordinators/coordination")).expect("credentials");
        let mut compared = Vec::new();
        for (indicator, key) in everywhere() {
            let question = Question { indicator, period: word("2025"), key, pack: None };
            let answer = hub::compare::ask(&credentials, &question, self.clock.clone()).await;
            compared.push(format!("{answer:?}"));
        }
        assert!(compared.iter().all(|answer| answer.starts_with("Ok(")), "{compared:#?}");
        compared
    }

    /// The board in both views, and every comparison, as a browser is given them.
    async fn pages(address: SocketAddr) -> Vec<String> {
        let mut pages = Vec::new();
        let comparisons = everywhere()
            .into_iter()
            .map(|(indicator, key)| crate::pages::comparison("canari", indicator.as_str(), "2025", &key));
        for path in ["/".to_owned(), "/?voir=relancer&tri=urgence".to_owned()].into_iter().chain(comparisons) {
            let (status, body) = crate::pages::get(address, &path).await;
            assert_eq!(status, 200, "{path}: {body}");
            pages.push(body);
        }
        assert!(pages[0].contains("case") && pages[0].contains("n’a pas encore commencé"), "{}", pages[0]);
        pages
    }
}

/// Every indicator of the pack at every place of its breakdowns.
fn everywhere() -> Vec<(IndicatorCode, Key)> {
    let mut all = Vec::new();
    let pack = pack();
    for table in pack.tables() {
        for indicator in table.indicators() {
            let mut keys = vec![Key::total()];
            for breakdown in indicator.breakdowns() {
                let mut crossed = vec![Key::total()];
                for dimension in breakdown {
                    let codes = table.dimension(dimension).expect("an axis").codes();
                    let with = |key: &Key| {
                        codes.iter().map(|code| key.clone().with(dimension.clone(), code.clone())).collect::<Vec<_>>()
                    };
                    crossed = crossed.iter().flat_map(with).collect();
                }
                keys.extend(crossed);
            }
            all.extend(keys.into_iter().map(|key| (indicator.code.clone(), key)));
        }
    }
    all
}

fn tell(said: &mut String, what: &impl Debug) {
    // Writing to a String cannot fail.
    let _ = writeln!(said, "{what:?}");
}

/// An error in all three languages: for programs, for operators, for agents.
fn flat(error: PreviewError) -> String {
    match error {
        PreviewError::Failed(failure) => format!("{failure:?} {failure} {}", failure.message),
        PreviewError::Sources(errors) => {
            let told = errors.iter().map(|error| format!("{error:?} {error} {}", error.french().join("\n")));
            told.collect::<Vec<_>>().join("\n")
        }
    }
}

struct Serving {
    hub: Hub,
    pages: SocketAddr,
    stop: tokio::sync::oneshot::Sender<()>,
    server: tokio::task::JoinHandle<()>,
}

impl Serving {
    async fn stop(self) {
        drop(self.stop);
        self.server.await.expect("serves until told to stop");
        self.hub.close().await;
    }
}

fn settings(periods: &[&str], more: &str) -> String {
    let source = |table: &str, period: &&str| {
        format!(
            "[[source]]\npack = \"canari\"\ntable = \"{table}\"\nperiod = \"{period}\"\n[source.read]\nfile = \"exports/{table}.csv\"\n\n"
        )
    };
    let sources = periods.iter().flat_map(|period| ["cache", "mixte"].map(|table| source(table, period)));
    sources.collect::<String>() + more
}

/// All files below `root`, by relative path.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).expect("below it").display().to_string();
                all.insert(name, fs::read(&path).expect("a file"));
            }
        }
    }
    all
}

/// What a hub or a node keeps, the commune's own exports aside.
fn kept(root: &Path, side: &str) -> BTreeMap<String, Vec<u8>> {
    let kept = files(root).into_iter().filter(|(name, _)| !name.starts_with("exports/"));
    kept.map(|(name, bytes)| (format!("{side}: {name}"), bytes)).collect()
}

fn copy(from: &Path, to: &Path) {
    for (name, bytes) in files(from) {
        put(to, &name, &bytes);
    }
}

/// Every event and span of every thread of a runtime, at the deepest level.
#[derive(Clone, Default)]
struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    /// A runtime whose threads all write here, whatever other tests of this process do.
    fn runtime(&self) -> tokio::runtime::Runtime {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
            .without_time()
            .with_ansi(false)
            .with_writer(self.clone())
            .finish();
        let dispatch = tracing::Dispatch::new(subscriber);
        // SQLite works in threads of its own, which only the process's subscriber hears.
        let statements = tracing_subscriber::fmt()
            .with_env_filter("sqlx=trace")
            .without_time()
            .with_ansi(false)
            .with_writer(self.clone())
            .finish();
        // Whether it is heard shows in the log itself.
        drop(tracing::subscriber::set_global_default(statements));
        let start = move || std::mem::forget(tracing::dispatcher::set_default(&dispatch));
        start();
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .on_thread_start(start)
            .build()
            .expect("a runtime")
    }

    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().expect("a test's lock"))
    }
}

impl std::io::Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a test's lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
