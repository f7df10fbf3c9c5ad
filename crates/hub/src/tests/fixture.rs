//! A small pack, its figures, a hub on a real port, and nodes with real keys.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use disclosure::{
    Ledger, MeasureScheme, Protection, Published, Received, SafeTable, SliceAttributes, TableScheme, attack,
};
use methodology::{Pack, Table};
use model::{Clock, Code, CommuneCode, Figure, Flags, IndicatorCode, Key, RuleHash, Slice, SubmissionId, Units};
use seal::{PublicKey, SigningKey};
use testkit::{ManualClock, SeededEntropy};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use wire::client::{Accepted, ClientError, HubClient};
use wire::document::{Approval, Header, Outgoing, Purpose, Withdrawal};
use wire::enrolment::{JoinRequest, Membership};
use wire::identity::{Identity, TlsKey};
use wire::invitation::Invitation;
use wire::tls::ClientTls;

use crate::coordinator::Credentials;
use crate::{Hub, HubConfig, HubFolder, World, init};

pub(super) fn commune(code: &str) -> CommuneCode {
    code.parse().expect("a commune code")
}

/// Requests by quarter with their decision; counts below five are protected.
pub(super) fn pack() -> Pack {
    pack_with("1.0.0", 5)
}

/// The same questions under another version or threshold.
pub(super) fn pack_with(version: &str, threshold: u32) -> Pack {
    written(version, threshold, "decision = 'accord'")
}

/// Another question under the same code.
pub(super) fn pack_asking(version: &str, filter: &str) -> Pack {
    written(version, 5, filter)
}

fn written(version: &str, threshold: u32, filter: &str) -> Pack {
    let sheet = r#"
[indicator.sheet]
source = "s"
population = "p"
periodicity = "a"
limits = ["l"]
how_to_read = "h"
how_not_to_read = "n"
"#;
    let indicator = |code: &str, title: &str, unit: &str, aggregation: &str, body: &str| {
        format!(
            "[[indicator]]\ncode = \"{code}\"\ntitle = \"{title}\"\ntheme = \"t\"\nunit = \"{unit}\"\naggregation = \
             \"{aggregation}\"\nuncertainty = \"none\"\npolarity = \"neutral\"\n{body}{sheet}\n"
        )
    };
    let indicators = [
        format!("[rules.simple]\nthreshold = {threshold}\nzeros = \"publish\"\nwidth = {threshold}\n\n"),
        indicator(
            "demandes",
            "Demandes",
            "demandes",
            "additive",
            "[indicator.measure]\nquantity = \"rows\"\nby = [[\"quartier\"]]\nprotection = \"simple\"\n",
        ),
        indicator(
            "accords",
            "Accords",
            "accords",
            "additive",
            &format!(
                "[indicator.measure]\nquantity = \"rows\"\nfilter = \"{filter}\"\nby = [[\"quartier\"]]\n\
                 protection = \"simple\"\n"
            ),
        ),
        indicator(
            "taux",
            "Taux d’accord",
            "%",
            "ratio",
            "[indicator.ratio]\nnumerator = \"accords\"\ndenominator = \"demandes\"\nper = 100\ndecimals = 1\n",
        ),
        indicator(
            "menages",
            "Ménages",
            "ménages",
            "additive_within_commune",
            "[indicator.measure]\nquantity = \"distinct\"\ncolumn = \"id_menage\"\nprotection = \"simple\"\n",
        ),
    ]
    .concat();
    let schema = r#"{
  "name": "suivi", "title": "Suivi",
  "fields": [
    { "name": "id", "type": "string", "title": "Identifiant", "constraints": { "required": true } },
    { "name": "id_menage", "type": "string", "title": "Ménage", "constraints": { "required": true } },
    { "name": "quartier", "type": "string", "title": "Quartier", "constraints": { "required": true } },
    { "name": "decision", "type": "string", "title": "Décision", "constraints": { "required": true } }
  ],
  "primaryKey": "id",
  "missingValues": [""],
  "maillage": {
    "row": "une demande",
    "dimensions": [
      { "code": "quartier", "title": "Quartier", "codes": [
        { "code": "A", "title": "A" }, { "code": "B", "title": "B" }, { "code": "C", "title": "C" } ] },
      { "code": "decision", "title": "Décision", "codes": [
        { "code": "accord", "title": "Accord" }, { "code": "refus", "title": "Refus" } ] }
    ]
  }
}"#;
    let golden = "[[case]]\nname = \"c\"\nrows = \"\"\"\nid;id_menage;quartier;decision\n1;m;A;accord\n\"\"\"\n\
                  [case.expected]\n\"demandes\" = 1\n\"accords\" = 1\n\"menages\" = 1\n\"taux\" = \"100,0\"\n";
    let front = format!(
        "format = 1\ncode = \"essai\"\nversion = \"{version}\"\ntitle = \"Essai\"\ndescription = \"d\"\ntables = \
         [\"suivi\"]\n"
    );
    let files: BTreeMap<String, Vec<u8>> = [
        ("pack.toml", front.as_str()),
        ("tables/suivi.toml", indicators.as_str()),
        ("tables/suivi.schema.json", schema),
        ("golden/suivi.toml", golden),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
    .collect();
    Pack::parse(&files).expect("the test's pack is sound")
}

pub(super) fn table(pack: &Pack) -> &Table {
    &pack.tables()[0]
}

/// Accords and refusals in quarters A, B, C.
pub(super) type Counts = [(Units, Units); 3];

/// Nothing in it needs hiding.
pub(super) const PLAIN: Counts = [(40, 10), (20, 10), (30, 20)];

/// The figures of a slice, some hidden: `("demandes", "")` is a total, `("demandes", "A")` a quarter.
pub(super) fn received(
    pack: &Pack,
    territory: &str,
    period: &str,
    counts: Counts,
    hidden: &[(&str, &str)],
) -> Received {
    let mut cells = BTreeMap::new();
    let mut put = |indicator: &str, quarter: &str, value: Units| {
        let key = if quarter.is_empty() {
            Key::total()
        } else {
            Key::total().with("quartier".parse().expect("a code"), quarter.parse().expect("a code"))
        };
        let figure = if hidden.contains(&(indicator, quarter)) { Figure::Suppressed } else { Figure::Observed(value) };
        let code: IndicatorCode = indicator.parse().expect("a code");
        cells.insert((code, key), Published { figure, flags: Flags::default() });
    };
    let total: Units = counts.iter().map(|(accords, refusals)| accords + refusals).sum();
    put("demandes", "", total);
    put("menages", "", total);
    put("accords", "", counts.iter().map(|(accords, _)| accords).sum());
    for (quarter, (accords, refusals)) in ["A", "B", "C"].into_iter().zip(counts) {
        put("demandes", quarter, accords + refusals);
        put("accords", quarter, accords);
    }
    let table = table(pack);
    let slice = Slice {
        territory: commune(territory),
        pack: pack.code().clone(),
        table: table.code().clone(),
        period: period.parse().expect("a period"),
    };
    let attributes = SliceAttributes {
        pack_version: pack.version().to_owned(),
        definition: table.definition_hash(),
        rule: table.rule_hash(),
    };
    Received { slice, attributes, cells }
}

/// The same cells, protected by nothing.
fn lenient() -> TableScheme {
    let pack = pack();
    let scheme = table(&pack).scheme();
    let open = |measure: &MeasureScheme| MeasureScheme { protection: Protection::None, ..measure.clone() };
    TableScheme::new(scheme.dimensions().clone(), scheme.measures().iter().map(open).collect()).expect("as sound")
}

/// What a node whose own rules hide nothing takes for safe: a hub must not rely on nodes.
fn careless(mut received: Received, lenient: &TableScheme) -> SafeTable {
    received.attributes.rule = RuleHash::from_bytes([9; 32]);
    attack::admit(received, lenient, &Ledger::empty()).expect("nothing is protected")
}

/// A hub on a real port.
pub(super) struct Stage {
    pub(super) hub: Hub,
    pub(super) clock: Arc<ManualClock>,
    pub(super) coordinator: Credentials,
    pub(super) folder: tempfile::TempDir,
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
        Self { hub, clock, coordinator, folder, stop: Some(stop), serving }
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

/// Writes whatever is claimed, as a careless or hostile node would.
pub(super) fn encode(header: &Header, tables: &[Received]) -> Vec<u8> {
    let lenient = lenient();
    let safe: Vec<SafeTable> = tables.iter().map(|table| careless(table.clone(), &lenient)).collect();
    let outgoing: Vec<Outgoing<'_>> = safe.iter().map(|table| Outgoing { table, scheme: &lenient }).collect();
    wire::document::encode(header, &outgoing).expect("a document")
}

/// Why the hub said no.
pub(super) fn refusal<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> wire::status::Refused {
    match answer.expect_err("refused") {
        ClientError::Refused(refused) => refused,
        other => panic!("not a refusal of the hub: {other:?}"),
    }
}

/// The reason alone.
pub(super) fn reason<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> String {
    refusal(answer).reason
}
