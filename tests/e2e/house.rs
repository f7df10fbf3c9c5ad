//! What the end-to-end tests share: a hub on a real port, on SQLite or PostgreSQL, and communes with their folders.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hub::access::Credentials;
use hub::compare::{Comparison, Question};
use hub::{Hub, HubConfig, HubFolder, Listeners};
use methodology::Pack;
use model::{CommuneCode, Failure, Key, SubmissionId};
use node::approve::Agreement;
use node::join::Joined;
use node::preview::{Preview, Purpose};
use node::push::Verdict;
use node::{Node, NodeFolder};
use seal::SigningKey;
use statistics::Reading;
use tempfile::TempDir;
use testkit::{ManualClock, SeededEntropy};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use wire::client::HubClient;
use wire::document::Receipt;
use wire::identity::{Identity, TlsKey};
use wire::tls::ClientTls;

tokio::task_local! {
    /// The database of every house that is opened within: `None` is SQLite in the hub's folder.
    static DATABASE: Option<String>;
}

/// Runs `test` on SQLite, and on a fresh schema of PostgreSQL where there is one.
pub async fn on_both(test: impl AsyncFn()) {
    DATABASE.scope(None, test()).await;
    if let Some(url) = testkit::postgres_url() {
        DATABASE.scope(Some(url), test()).await;
    }
}

/// Runs `test` on a fresh schema of PostgreSQL, where there is one; what it is about, SQLite does not offer.
pub async fn on_postgres(test: impl AsyncFn()) {
    if let Some(url) = testkit::postgres_url() {
        DATABASE.scope(Some(url), test()).await;
    }
}

/// The database that [`on_both`] is at; SQLite outside.
pub fn database() -> Option<String> {
    DATABASE.try_with(Clone::clone).unwrap_or_default()
}

/// A hub that serves on a real port, with everything below one temporary folder.
pub struct House {
    root: TempDir,
    /// The one clock of hub, nodes and TLS.
    pub clock: Arc<ManualClock>,
    /// The first coordinator.
    pub coordinator: Credentials,
    packs: Vec<Pack>,
    config: HubConfig,
    serving: Option<Serving>,
    /// Each opened node and hub draws from a seed of its own: two that shared one would draw the same ids.
    seeds: AtomicU64,
}

struct Serving {
    hub: Hub,
    pages: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), Failure>>,
}

impl Serving {
    async fn start(hub: Hub, listener: TcpListener) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let door = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let pages = door.local_addr().expect("a bound address");
        let listeners = Listeners { nodes: listener, pages: Some(door), operations: None };
        let server = tokio::spawn({
            let hub = hub.clone();
            // A sender that is gone means the same as one that spoke.
            async move { hub.serve(listeners, async { drop(stopped.await) }).await }
        });
        Self { hub, pages, stop, server }
    }

    async fn stop(self) {
        drop(self.stop);
        self.server.await.expect("the server task").expect("the hub serves until told to stop");
        self.hub.close().await;
    }
}

/// A second hub beside the one of the house.
pub struct Replica {
    address: String,
    serving: Option<Serving>,
}

impl Replica {
    /// Where its nodes' door is.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The hub itself.
    pub fn hub(&self) -> &Hub {
        &self.serving.as_ref().expect("it serves").hub
    }

    /// Ends it between two instructions.
    pub async fn kill(mut self) {
        let Serving { hub, stop, server, .. } = self.serving.take().expect("it serves");
        server.abort();
        assert!(server.await.is_err_and(|ended| ended.is_cancelled()), "it was still at work");
        drop((hub, stop));
    }

    /// Ends it as an operator would.
    pub async fn stop(mut self) {
        self.serving.take().expect("it serves").stop().await;
    }
}

impl House {
    /// A hub with the packs of the library.
    pub async fn open() -> Self {
        Self::open_with(methodology::library()).await
    }

    /// A hub with these packs.
    pub async fn open_with(packs: Vec<Pack>) -> Self {
        Self::open_at(packs, Arc::new(ManualClock::default())).await
    }

    /// The same, founded when `clock` says so.
    pub async fn open_at(packs: Vec<Pack>, clock: Arc<ManualClock>) -> Self {
        Self::open_below(tempfile::tempdir().expect("a temporary folder"), packs, clock).await
    }

    /// The same, in a folder of one's own choice.
    pub async fn open_below(root: TempDir, packs: Vec<Pack>, clock: Arc<ManualClock>) -> Self {
        let seeds = AtomicU64::new(1);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("a bound address").port();
        let config = HubConfig {
            listen: format!("127.0.0.1:{port}"),
            public_address: format!("127.0.0.1:{port}"),
            database: database(),
            ..HubConfig::default()
        };
        let folder = HubFolder::at(root.path().join("hub"));
        let world = hub::World { clock: clock.clone(), entropy: Arc::new(SeededEntropy::new(0)) };
        let made = hub::init::init(&folder, &config, &word("coordination"), &world).await.expect("a new hub");
        let mut house = Self { root, clock, coordinator: made.coordinator, packs, config, serving: None, seeds };
        house.serve(listener).await;
        house
    }

    async fn serve(&mut self, listener: TcpListener) {
        let (packs, config) = (self.packs.clone(), self.config.clone());
        let hub = Hub::open_with(self.hub_folder(), config, packs, self.hub_world()).await.expect("the hub opens");
        self.serving = Some(Serving::start(hub, listener).await);
    }

    /// Stops the hub as an operator would: running calls end, the database closes, the port is free.
    pub async fn stop(&mut self) {
        self.serving.take().expect("the hub serves").stop().await;
    }

    /// The end: everything is closed before the folder goes.
    pub async fn close(mut self) {
        self.stop().await;
    }

    /// The stopped hub will start with another database.
    pub fn move_to(&mut self, database: Option<String>) {
        assert!(self.serving.is_none(), "the hub serves");
        self.config.database = database;
    }

    /// Starts the stopped hub again on the same port, from what is on its disk.
    pub async fn start(&mut self) {
        assert!(self.serving.is_none(), "the hub serves already");
        let listener = TcpListener::bind(&self.config.listen).await.expect("the port that was free a moment ago");
        self.serve(listener).await;
    }

    /// The stopped hub will offer this pack too.
    pub fn offer(&mut self, pack: Pack) {
        assert!(self.serving.is_none(), "packs are read when the hub opens");
        self.packs.push(pack);
    }

    /// Ends the hub between two instructions: nothing is answered any more, nothing is tidied up.
    pub async fn kill(&mut self) {
        let Serving { hub, stop, server, .. } = self.serving.take().expect("the hub serves");
        server.abort();
        assert!(server.await.is_err_and(|ended| ended.is_cancelled()), "the server was still at work");
        drop((hub, stop));
    }

    /// Another hub on the same keys and the same database, on a port of its own.
    pub async fn replica(&self) -> Replica {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound address").to_string();
        let config = HubConfig { listen: address.clone(), ..self.config.clone() };
        let world = self.hub_world();
        let hub = Hub::open_with(self.hub_folder(), config, self.packs.clone(), world).await.expect("a second hub");
        Replica { address, serving: Some(Serving::start(hub, listener).await) }
    }

    /// Where the nodes' door is.
    pub fn address(&self) -> &str {
        &self.config.listen
    }

    /// A seed that nothing else in this house has drawn from.
    pub fn fresh_seed(&self) -> u64 {
        self.seeds.fetch_add(1, Ordering::Relaxed)
    }

    /// The hub itself, as its operator holds it.
    pub fn hub(&self) -> &Hub {
        &self.serving.as_ref().expect("the hub serves").hub
    }

    /// Where the hub's pages are.
    pub fn pages(&self) -> SocketAddr {
        self.serving.as_ref().expect("the hub serves").pages
    }

    /// The hub's folder.
    pub fn hub_folder(&self) -> HubFolder {
        HubFolder::at(self.root.path().join("hub"))
    }

    fn seed(&self) -> Arc<SeededEntropy> {
        Arc::new(SeededEntropy::new(self.fresh_seed()))
    }

    fn hub_world(&self) -> hub::World {
        hub::World { clock: self.clock.clone(), entropy: self.seed() }
    }

    /// Clock and entropy for a node.
    pub fn node_world(&self) -> node::World {
        node::World { clock: self.clock.clone(), entropy: self.seed() }
    }

    /// The folder `name` with `settings` as `node.toml` and these files; nothing has joined yet.
    pub fn furnish(&self, name: &str, settings: &str, files: &[(&str, &[u8])]) -> NodeFolder {
        let folder = NodeFolder::at(self.root.path().join("communes").join(name));
        put(folder.root(), "node.toml", settings.as_bytes());
        for (path, bytes) in files {
            put(folder.root(), path, bytes);
        }
        folder
    }

    /// Invites `commune` and lets `folder` join with the line that an operator would hand over.
    pub async fn join(&self, folder: &NodeFolder, commune: &str) -> Joined {
        self.try_join(folder, commune).await.expect("the node joins")
    }

    /// The same, where joining may fail.
    pub async fn try_join(&self, folder: &NodeFolder, commune: &str) -> Result<Joined, Failure> {
        let commune: CommuneCode = word(commune);
        let line = self.hub().invite(commune, &[]).await.expect("an invitation").invitation.to_line();
        node::join::join(folder, &line, self.node_world()).await
    }

    /// Opens the node in `folder`.
    pub async fn node(&self, folder: &NodeFolder) -> Node {
        Node::open(folder.clone(), self.node_world()).await.expect("the node opens")
    }

    /// A new commune: furnished, joined, open.
    pub async fn commune(&self, commune: &str, settings: &str, files: &[(&str, &[u8])]) -> Node {
        let folder = self.furnish(commune, settings, files);
        self.join(&folder, commune).await;
        self.node(&folder).await
    }

    /// One commune's figure as the coordinator reads it; `None` if the commune has no row.
    pub async fn reading(&self, indicator: &str, period: &str, place: &str, commune: &str) -> Option<Reading> {
        let comparison = self.compare(indicator, period, place).await.expect("a comparison");
        let row = comparison.communes.into_iter().find(|row| row.territory == word(commune))?;
        Some(row.value.reading)
    }

    /// A connection with the node's own key and certificate, for what an honest node would not send.
    pub async fn client(&self, node: &Node) -> HubClient {
        self.client_at(node, &node.hub_address()).await
    }

    /// The same, to this address.
    pub async fn client_at(&self, node: &Node, address: &str) -> HubClient {
        let text = |path| std::fs::read_to_string(path).expect("a file of the node's folder");
        let key = TlsKey::from_pem(&text(node.folder().tls_key())).expect("a TLS key");
        let identity = Identity::from_pem(Arc::new(key), &text(node.folder().chain())).expect("a certificate");
        let tls = ClientTls::new(node.identity().ca_fingerprint, Some(&identity), self.clock.clone());
        HubClient::connect(&tls.expect("TLS settings"), &word(address)).await.expect("the hub answers")
    }

    /// What a coordinator reads over gRPC: the figure of `indicator` at `place`, for example `type=A;sexe=F`, or the
    /// total for the empty text.
    pub async fn compare(&self, indicator: &str, period: &str, place: &str) -> Result<Comparison, Failure> {
        let question = Question { indicator: word(indicator), period: word(period), key: key(place), pack: None };
        hub::compare::ask(&self.coordinator, &question, self.clock.clone()).await
    }

    /// The same, asked of the hub at `address`.
    pub async fn compare_at(
        &self,
        address: &str,
        indicator: &str,
        period: &str,
        place: &str,
    ) -> Result<Comparison, Failure> {
        let question = Question { indicator: word(indicator), period: word(period), key: key(place), pack: None };
        let there = Credentials { address: word(address), ..Credentials::load(&self.coordinator.folder)? };
        hub::compare::ask(&there, &question, self.clock.clone()).await
    }
}

/// The key with which the node in `folder` signs documents.
pub fn signing_key(folder: &NodeFolder) -> SigningKey {
    SigningKey::from_pkcs8(&std::fs::read(folder.signing_key()).expect("a key file")).expect("a signing key")
}

/// Previews for submission.
pub async fn preview(node: &Node) -> Preview {
    node::preview::preview(node, Purpose::Submit).await.expect("a preview")
}

/// A named person agrees to what was previewed.
pub async fn approve(node: &Node, preview: &Preview) -> Vec<SubmissionId> {
    let agreement = Agreement::Person("Awa Diallo".to_owned());
    node::approve::approve(node, &agreement, Some(preview.hash.expect("something leaves"))).await.expect("an approval")
}

/// Sends the one document that waits.
pub async fn push(node: &Node) -> Verdict {
    let delivered = node::push::push(node, &|_| {}).await.expect("a push");
    assert_eq!(delivered.len(), 1, "one document waits");
    delivered.into_iter().next().expect("one document").verdict
}

/// Preview, approval, push: what an agent does on a good day.
pub async fn send(node: &Node) -> (Preview, Receipt) {
    let (preview, mut receipts) = send_all(node).await;
    assert_eq!(receipts.len(), 1, "about one territory");
    (preview, receipts.remove(0))
}

/// The same for a node of several territories: a receipt for each that something leaves about.
pub async fn send_all(node: &Node) -> (Preview, Vec<Receipt>) {
    let preview = preview(node).await;
    let queued = approve(node, &preview).await;
    let delivered = node::push::push(node, &|_| {}).await.expect("a push");
    let received = delivered.into_iter().map(|one| match one.verdict {
        Verdict::Received { receipt, .. } => *receipt,
        other => panic!("not received: {other:?}"),
    });
    let receipts: Vec<Receipt> = received.collect();
    assert_eq!(receipts.iter().map(|receipt| receipt.submission).collect::<Vec<_>>(), queued, "in this order");
    (preview, receipts)
}

/// Writes one file below `folder`.
pub fn put(folder: &Path, path: &str, bytes: &[u8]) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().expect("a folder above")).expect("a folder");
    std::fs::write(path, bytes).expect("a file");
}

/// A word of the model.
pub fn word<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("a word of the model")
}

/// `type=A;sexe=F` as a key; the empty text is the total.
pub fn key(place: &str) -> Key {
    place
        .split(';')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').expect("dimension=code"))
        .map(|(dimension, code)| (word(dimension), word(code)))
        .collect()
}
