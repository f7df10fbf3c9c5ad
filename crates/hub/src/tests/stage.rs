//! A hub on a real port, and nodes with real keys.

use std::collections::BTreeSet;
use std::sync::Arc;

use disclosure::Received;
use methodology::Pack;
use model::{Audience, Clock, Code, CommuneCode, Slice, SubmissionId};
use seal::{PublicKey, SigningKey};
use testkit::{ManualClock, SeededEntropy};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use wire::client::{Accepted, ClientError, HubClient};
use wire::document::{Approval, Header, Purpose, Sharing, Withdrawal};
use wire::enrolment::{JoinRequest, Membership};
use wire::identity::{Identity, TlsKey};
use wire::invitation::Invitation;
use wire::tls::ClientTls;

use super::figures::{commune, encode, pack};
use crate::access::Credentials;
use crate::{Hub, HubConfig, HubFolder, World, init};

/// A hub on a real port.
pub(super) struct Stage {
    pub(super) hub: Hub,
    pub(super) clock: Arc<ManualClock>,
    pub(super) coordinator: Credentials,
    /// Everything is gone with the stage.
    _folder: tempfile::TempDir,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

/// SQLite always, PostgreSQL where a URL is given.
pub(super) fn databases() -> Vec<Option<String>> {
    let mut all = vec![None];
    all.extend(testkit::postgres_url().map(Some));
    all
}

pub(super) fn world(clock: &Arc<ManualClock>, seed: u64) -> World {
    World { clock: Arc::clone(clock) as Arc<dyn Clock>, entropy: Arc::new(SeededEntropy::new(seed)) }
}

impl Stage {
    pub(super) async fn new() -> Self {
        Self::on(None).await
    }

    /// Without packs: for tests that bring their own.
    pub(super) async fn bare(database: Option<String>) -> Self {
        Self::with(database, Vec::new()).await
    }

    pub(super) async fn on(database: Option<String>) -> Self {
        Self::with(database, vec![pack()]).await
    }

    async fn with(database: Option<String>, packs: Vec<Pack>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound").to_string();
        let config = HubConfig { public_address: address, database, fictional: true, ..HubConfig::default() };
        let root = HubFolder::at(folder.path().join("hub"));
        let name: Code = "coordination".parse().expect("a code");
        let made = init::init(&root, &config, &name, &world(&clock, 1)).await.expect("creates");
        let hub = Hub::open_with(root, config, packs, world(&clock, 2)).await.expect("opens");
        let coordinator = Credentials::load(&made.coordinator.folder).expect("reads back");
        let (stop, serving) = serve(&hub, listener);
        Self { hub, clock, coordinator, _folder: folder, stop: Some(stop), serving }
    }

    /// Stops, and starts again on the same port with these packs.
    pub(super) async fn restart(&mut self, packs: Vec<Pack>) {
        let config = self.hub.config().clone();
        let root = self.hub.folder().clone();
        self.halt().await;
        self.hub = Hub::open_with(root, config.clone(), packs, world(&self.clock, 3)).await.expect("opens again");
        let listener = TcpListener::bind(&config.public_address).await.expect("its port again");
        let (stop, serving) = serve(&self.hub, listener);
        self.stop = Some(stop);
        self.serving = serving;
    }

    /// A stage that was halted goes on with another folder, on the same port.
    pub(super) async fn resume(&mut self, root: HubFolder, config: HubConfig, packs: Vec<Pack>) {
        self.hub = Hub::open_with(root, config.clone(), packs, world(&self.clock, 4)).await.expect("opens");
        let listener = TcpListener::bind(&config.public_address).await.expect("its port again");
        let (stop, serving) = serve(&self.hub, listener);
        self.stop = Some(stop);
        self.serving = serving;
    }

    /// Stops serving and closes the database.
    pub(super) async fn halt(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop.send(()).expect("still serving");
        }
        (&mut self.serving).await.expect("ends in peace");
        self.hub.close().await;
    }

    pub(super) fn shared_clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock) as Arc<dyn Clock>
    }

    /// Somebody without a certificate who trusts the authority of `invitation`.
    pub(super) async fn stranger(&self) -> HubClient {
        let tls = ClientTls::new(self.coordinator.authority, None, self.shared_clock()).expect("no identity");
        HubClient::connect(&tls, &self.coordinator.address).await.expect("connects")
    }

    /// The same, after the hub's own certificate ended in the test's time: a real hub would have replaced it.
    pub(super) async fn stranger_at_any_time(&mut self) -> HubClient {
        self.restart(vec![pack()]).await;
        self.stranger().await
    }

    pub(super) async fn coordinator(&self) -> HubClient {
        self.coordinator.connect(self.shared_clock()).await.expect("connects")
    }

    pub(super) async fn join(&self, code: &str) -> Node {
        self.join_with(code, &[]).await
    }

    pub(super) async fn join_with(&self, code: &str, also: &[&str]) -> Node {
        let also: Vec<CommuneCode> = also.iter().map(|code| commune(code)).collect();
        let invited = self.hub.invite(commune(code), &also).await.expect("invites");
        let invitation: Invitation = invited.invitation.to_line().parse().expect("an invitation");
        Node::join(self, &invitation).await.expect("joins")
    }
}

fn serve(hub: &Hub, listener: TcpListener) -> (oneshot::Sender<()>, JoinHandle<()>) {
    let (stop, stopping) = oneshot::channel::<()>();
    let hub = hub.clone();
    let serving = tokio::spawn(async move {
        let shutdown = async {
            // The sender goes away with the stage: that is a stop too.
            let _ = stopping.await;
        };
        hub.serve(listener, shutdown).await.expect("serves");
    });
    (stop, serving)
}

/// A commune's node, as far as the hub sees one.
pub(super) struct Node {
    pub(super) commune: CommuneCode,
    pub(super) key: Arc<TlsKey>,
    pub(super) signing: SigningKey,
    pub(super) membership: Membership,
    pub(super) client: HubClient,
}

impl Node {
    pub(super) async fn join(stage: &Stage, invitation: &Invitation) -> Result<Self, ClientError> {
        let (key, signing) = (Arc::new(TlsKey::generate()), SigningKey::generate());
        let tls = ClientTls::new(invitation.authority, None, stage.shared_clock()).expect("no identity");
        let stranger = HubClient::connect(&tls, &invitation.address).await?;
        let membership = stranger.enrol(&JoinRequest::new(invitation.token, &key, &signing)).await?;
        let client = Self::connect(stage, &key, &membership).await?;
        let commune = invitation.territory;
        Ok(Self { commune, key, signing, membership, client })
    }

    pub(super) async fn connect(
        stage: &Stage,
        key: &Arc<TlsKey>,
        membership: &Membership,
    ) -> Result<HubClient, ClientError> {
        let identity = Identity::new(Arc::clone(key), &membership.chain).expect("our own key");
        let tls = ClientTls::new(stage.coordinator.authority, Some(&identity), stage.shared_clock()).expect("ours");
        HubClient::connect(&tls, &stage.coordinator.address).await
    }

    /// The same node, connected anew to a hub that was replaced meanwhile.
    pub(super) async fn again(self, stage: &Stage) -> Self {
        let client = Self::connect(stage, &self.key, &self.membership).await.expect("connects");
        Self { client, ..self }
    }

    pub(super) fn hub_keys(&self) -> &[PublicKey] {
        &self.membership.hub_keys
    }

    fn header(&self, id: u8, purpose: Purpose) -> Header {
        Header {
            provider: self.commune,
            id: SubmissionId::from_bytes([id; 16]),
            written_at: model::Timestamp::from_micros(0),
            purpose,
            approval: Approval::Person,
        }
    }

    /// A document with these figures.
    pub(super) fn document(&self, id: u8, purpose: Purpose, tables: &[Received]) -> Vec<u8> {
        encode(&self.header(id, purpose), tables)
    }

    pub(super) async fn send(&self, document: &[u8]) -> Result<Accepted, ClientError> {
        self.client.submit(document, &self.signing.sign(document)).await
    }

    pub(super) async fn submit(&self, id: u8, tables: &[Received]) -> Result<Accepted, ClientError> {
        self.send(&self.document(id, Purpose::Submit, tables)).await
    }

    pub(super) async fn check(&self, id: u8, tables: &[Received]) -> Result<Accepted, ClientError> {
        let document = self.document(id, Purpose::Check, tables);
        self.client.check(&document, &self.signing.sign(&document)).await
    }

    /// Says that these slices are shown to `audiences` and nobody else.
    pub(super) async fn share(
        &self,
        id: u8,
        slices: impl IntoIterator<Item = Slice>,
        audiences: &[Audience],
    ) -> Result<Accepted, ClientError> {
        let audiences: BTreeSet<Audience> = audiences.iter().copied().collect();
        let document = Sharing {
            provider: self.commune,
            id: SubmissionId::from_bytes([id; 16]),
            written_at: model::Timestamp::from_micros(0),
            approval: Approval::Person,
            slices: slices.into_iter().map(|slice| (slice, audiences.clone())).collect(),
        }
        .encode()
        .expect("a sharing");
        self.client.share(&document, &self.signing.sign(&document)).await
    }

    pub(super) async fn withdraw(&self, id: u8, slices: BTreeSet<Slice>) -> Result<Accepted, ClientError> {
        let document = Withdrawal {
            provider: self.commune,
            id: SubmissionId::from_bytes([id; 16]),
            written_at: model::Timestamp::from_micros(0),
            approval: Approval::Person,
            slices,
        }
        .encode()
        .expect("a withdrawal");
        self.client.withdraw(&document, &self.signing.sign(&document)).await
    }
}

/// Why the hub said no.
pub(super) fn refusal<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> wire::status::Refused {
    match answer.expect_err("refused") {
        ClientError::Refused(refused) => *refused,
        other => panic!("not a refusal of the hub: {other:?}"),
    }
}

/// The reason alone.
pub(super) fn reason<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> String {
    refusal(answer).reason
}
