//! What the benches share: a hub in a process of its own, whose memory is the hub's alone, and communes that joined.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use disclosure::{
    Ledger, MeasureScheme, Protection, Published, Received, SafeTable, SliceAttributes, TableScheme, attack,
};
use hub::{Hub, HubConfig, HubFolder, World};
use methodology::{Pack, Table};
use model::{Clock, CommuneCode, Figure, Flags, IndicatorCode, Key, RuleHash, Slice, SubmissionId, Timestamp, Units};
use seal::{Signature, SigningKey};
use testkit::{ManualClock, SeededEntropy};
use tokio::net::TcpListener;
use wire::client::{Accepted, ClientError, HubClient};
use wire::document::{Approval, Header, Outgoing, Purpose};
use wire::enrolment::JoinRequest;
use wire::identity::{Identity, TlsKey};
use wire::invitation::Invitation;
use wire::tls::ClientTls;

/// The first argument of a process that is a hub.
const AS_HUB: &str = "--as-hub";

/// An axis of the pack's tables.
const STREETS: usize = 40;
const AGES: usize = 25;
/// Indicators of the large table.
const INDICATORS: usize = 4;
/// Observations of one slice of the large table, and of the small one.
pub const LARGE: usize = INDICATORS * (STREETS + 1) * (AGES + 1);
pub const SMALL: usize = 12;

/// A hub that serves in another process until dropped.
pub struct Served {
    child: Child,
    pub invitations: Vec<Invitation>,
}

impl Served {
    /// A new hub in `folder` that invites so many communes.
    pub fn start(folder: &Path, communes: usize, database: Option<&str>) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command.arg(AS_HUB).arg(folder).arg(communes.to_string()).args(database);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a second process");
        let said = BufReader::new(child.stdout.take().expect("piped"));
        let lines = said.lines().map(|line| line.expect("text")).take(communes);
        let invitations: Vec<Invitation> = lines.map(|line| line.parse().expect("an invitation")).collect();
        assert_eq!(invitations.len(), communes, "the hub did not start");
        Self { child, invitations }
    }

    /// The most memory it ever held, in MiB.
    pub fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("kilobytes") / 1024
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // The hub reads the end of its input as « it is over ».
        drop(self.child.stdin.take());
        if let Err(error) = self.child.wait() {
            eprintln!("the hub's process: {error}");
        }
    }
}

/// Whether this process is a hub; returns when it was told to stop.
pub fn was_a_hub() -> bool {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_none_or(|first| first != AS_HUB) {
        return false;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let communes = arguments[2].parse().expect("a number");
    runtime.block_on(serve(Path::new(&arguments[1]), communes, arguments.get(3).cloned()));
    true
}

async fn serve(folder: &Path, communes: usize, database: Option<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let public_address = listener.local_addr().expect("bound").to_string();
    let config = HubConfig { public_address, database, fictional: true, ..HubConfig::default() };
    let folder = HubFolder::at(folder);
    let world = |seed| World { clock: Arc::new(ManualClock::default()), entropy: Arc::new(SeededEntropy::new(seed)) };
    let name = "coordination".parse().expect("a code");
    hub::init::init(&folder, &config, &name, &world(1)).await.expect("a new hub");
    let hub = Hub::open_with(folder, config, vec![pack()], world(2)).await.expect("opens");
    let mut out = std::io::stdout().lock();
    for number in 0..communes {
        let invited = hub.invite(commune(number), &[]).await.expect("invites");
        writeln!(out, "{}", invited.invitation.to_line()).expect("somebody reads");
    }
    out.flush().expect("somebody reads");
    let over = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let served = hub.serve(listener, async { drop(over.await) }).await;
    hub.close().await;
    served.expect("serves until told to stop");
}

/// Invented codes: 93001, 93002, …
pub fn commune(number: usize) -> CommuneCode {
    // 93059 was absorbed, and its code is not invited any more.
    let number = if number >= 58 { number + 2 } else { number + 1 };
    format!("93{number:03}").parse().expect("a commune code")
}

/// A commune's node, as far as the hub sees one.
#[derive(Clone)]
pub struct Node {
    pub commune: CommuneCode,
    pub signing: Arc<SigningKey>,
    identity: Arc<Identity>,
    invitation: Invitation,
}

impl Node {
    pub async fn join(invitation: &Invitation) -> Self {
        let (key, signing) = (Arc::new(TlsKey::generate()), SigningKey::generate());
        let tls = ClientTls::new(invitation.authority, None, clock()).expect("no identity");
        let stranger = HubClient::connect(&tls, &invitation.address).await.expect("connects");
        let request = JoinRequest::new(invitation.token, &key, &signing);
        let membership = stranger.enrol(&request).await.expect("joins");
        let identity = Identity::new(key, &membership.chain).expect("our own key");
        Self {
            commune: invitation.territory,
            signing: Arc::new(signing),
            identity: Arc::new(identity),
            invitation: invitation.clone(),
        }
    }

    pub async fn connect(&self) -> Result<HubClient, ClientError> {
        let tls = ClientTls::new(self.invitation.authority, Some(&self.identity), clock()).expect("ours");
        HubClient::connect(&tls, &self.invitation.address).await
    }

    /// A signed document with these figures.
    pub fn sign(&self, id: [u8; 16], tables: &[Received]) -> Signed {
        let header = Header {
            provider: self.commune,
            id: SubmissionId::from_bytes(id),
            written_at: Timestamp::from_micros(0),
            purpose: Purpose::Submit,
            approval: Approval::Person,
        };
        let document = encode(&header, tables);
        let signature = self.signing.sign(&document);
        Signed { document, signature }
    }
}

/// A document and its signature.
pub struct Signed {
    pub document: Vec<u8>,
    signature: Signature,
}

impl Signed {
    pub async fn send(&self, client: &HubClient) -> Result<Accepted, ClientError> {
        client.submit(&self.document, &self.signature).await
    }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(ManualClock::default())
}

/// Two tables: `large`, two axes crossed, four indicators; `small`, twelve figures of one axis.
fn pack() -> Pack {
    let axis = |code: &str, many: usize| {
        let codes: Vec<String> =
            (0..many).map(|item| format!("{{ \"code\": \"{code}{item:02}\", \"title\": \"{item}\" }}")).collect();
        format!("{{ \"code\": \"{code}\", \"title\": \"{code}\", \"codes\": [{}] }}", codes.join(", "))
    };
    let field = |code: &str| {
        format!(
            "{{ \"name\": \"{code}\", \"type\": \"string\", \"title\": \"{code}\", \"constraints\": {{ \"required\": true }} }}"
        )
    };
    let mut files = BTreeMap::from([(
        "pack.toml".to_owned(),
        "format = 1\ncode = \"mesure\"\nversion = \"1.0.0\"\ntitle = \"Mesure\"\ndescription = \"d\"\ntables = \
         [\"large\", \"small\"]\n"
            .to_owned(),
    )]);
    for (table, axes, by, many) in [
        ("large", [("rue", STREETS), ("age", AGES)].as_slice(), "[[\"rue\", \"age\"]]", INDICATORS),
        ("small", [("rue", SMALL - 1)].as_slice(), "[[\"rue\"]]", 1),
    ] {
        let kinds = axis("genre", many);
        let axes_text: Vec<String> = axes.iter().map(|(code, many)| axis(code, *many)).collect();
        let fields: Vec<String> = axes.iter().map(|(code, _)| field(code)).collect();
        let schema = format!(
            "{{ \"name\": \"{table}\", \"title\": \"{table}\", \"primaryKey\": \"id\", \"fields\": [{}, {}, {}], \
             \"maillage\": {{ \"row\": \"r\", \"dimensions\": [{}, {kinds}] }} }}",
            field("id"),
            fields.join(", "),
            field("genre"),
            axes_text.join(", "),
        );
        let rules = "[rules.cinq]\nthreshold = 5\nzeros = \"publish\"\nwidth = 5\n\n".to_owned();
        let indicators: Vec<String> = (0..many)
            .map(|number| {
                format!(
                    "[[indicator]]\ncode = \"{table}_{number}\"\ntitle = \"t\"\ntheme = \"t\"\nunit = \"personnes\"\n\
                     aggregation = \"additive\"\nuncertainty = \"none\"\npolarity = \"neutral\"\n[indicator.measure]\n\
                     quantity = \"rows\"\nfilter = \"genre = 'genre{number:02}'\"\nby = {by}\nprotection = \"cinq\"\n\
                     [indicator.sheet]\nsource = \"s\"\npopulation = \"p\"\nperiodicity = \"a\"\nlimits = [\"l\"]\n\
                     how_to_read = \"h\"\nhow_not_to_read = \"n\"\n\n"
                )
            })
            .collect();
        let names: Vec<&str> = axes.iter().map(|(code, _)| *code).collect();
        let row: Vec<String> = axes.iter().map(|(code, _)| format!("{code}00")).collect();
        let expected: Vec<String> =
            (0..many).map(|number| format!("\"{table}_{number}\" = {}\n", u8::from(number == 0))).collect();
        let expected = expected.concat();
        let golden = format!(
            "[[case]]\nname = \"c\"\nrows = \"\"\"\nid;{};genre\n1;{};genre00\n\"\"\"\n[case.expected]\n{expected}",
            names.join(";"),
            row.join(";")
        );
        files.insert(format!("tables/{table}.schema.json"), schema);
        files.insert(format!("tables/{table}.toml"), rules + &indicators.concat());
        files.insert(format!("golden/{table}.toml"), golden);
    }
    let files = files.into_iter().map(|(path, text)| (path, text.into_bytes())).collect();
    Pack::parse(&files).expect("the bench's pack is sound")
}

/// Figures of both tables for any commune and period.
pub struct Figures {
    pack: Pack,
}

impl Figures {
    pub fn new() -> Self {
        Self { pack: pack() }
    }

    fn slice(
        &self,
        table: &Table,
        commune: CommuneCode,
        period: &str,
        cells: BTreeMap<(IndicatorCode, Key), Published>,
    ) -> Received {
        let attributes = SliceAttributes {
            pack_version: self.pack.version().to_owned(),
            definition: table.definition_hash(),
            rule: table.rule_hash(),
        };
        let slice = Slice {
            territory: commune,
            pack: self.pack.code().clone(),
            table: table.code().clone(),
            period: period.parse().expect("a period"),
        };
        Received { slice, attributes, cells }
    }

    /// [`LARGE`] observations, none hidden; `step` makes them others.
    pub fn large(&self, commune: CommuneCode, period: &str, step: Units) -> Received {
        let mut cells = BTreeMap::new();
        for indicator in 0..INDICATORS {
            let mut streets = [0; STREETS];
            let mut ages = [0; AGES];
            let mut total = 0;
            let mut put = |street: Option<usize>, age: Option<usize>, value| {
                let mut key = Key::total();
                if let Some(street) = street {
                    key = key.with("rue".parse().expect("a code"), format!("rue{street:02}").parse().expect("a code"));
                }
                if let Some(age) = age {
                    key = key.with("age".parse().expect("a code"), format!("age{age:02}").parse().expect("a code"));
                }
                let code: IndicatorCode = format!("large_{indicator}").parse().expect("a code");
                cells.insert((code, key), shown(value));
            };
            for (street, in_street) in streets.iter_mut().enumerate() {
                for (age, of_age) in ages.iter_mut().enumerate() {
                    let varied = (street * 31 + age * 17 + indicator * 7) % 90;
                    let value = 10 + step + Units::try_from(varied).expect("small");
                    *in_street += value;
                    *of_age += value;
                    total += value;
                    put(Some(street), Some(age), value);
                }
            }
            streets.iter().enumerate().for_each(|(street, value)| put(Some(street), None, *value));
            ages.iter().enumerate().for_each(|(age, value)| put(None, Some(age), *value));
            put(None, None, total);
        }
        assert_eq!(cells.len(), LARGE);
        self.slice(&self.pack.tables()[0], commune, period, cells)
    }

    /// [`SMALL`] observations, two of them hidden, so that the intruder has work.
    pub fn small(&self, commune: CommuneCode, period: &str, step: Units) -> Received {
        let code: IndicatorCode = "small_0".parse().expect("a code");
        let mut cells = BTreeMap::new();
        let mut total = 0;
        for street in 0..SMALL - 1 {
            let hidden = street < 2;
            let value = if hidden { 4 } else { 20 + step + Units::try_from(street).expect("small") };
            total += value;
            let key =
                Key::total().with("rue".parse().expect("a code"), format!("rue{street:02}").parse().expect("a code"));
            let figure = if hidden { Figure::Suppressed } else { Figure::Observed(value) };
            cells.insert((code.clone(), key), Published { figure, flags: Flags::default() });
        }
        cells.insert((code, Key::total()), shown(total));
        self.slice(&self.pack.tables()[1], commune, period, cells)
    }
}

fn shown(value: Units) -> Published {
    Published { figure: Figure::Observed(value), flags: Flags::default() }
}

fn lenient(table: &Table) -> TableScheme {
    let scheme = table.scheme();
    let open = |measure: &MeasureScheme| MeasureScheme { protection: Protection::None, ..measure.clone() };
    TableScheme::new(scheme.dimensions().clone(), scheme.measures().iter().map(open).collect()).expect("as sound")
}

/// Writes what is claimed: these nodes protect nothing, and the hub does not rely on them.
fn encode(header: &Header, tables: &[Received]) -> Vec<u8> {
    let pack = pack();
    let schemes: Vec<TableScheme> = tables
        .iter()
        .map(|table| lenient(pack.tables().iter().find(|known| *known.code() == table.slice.table).expect("a table")))
        .collect();
    let safe: Vec<SafeTable> = tables
        .iter()
        .zip(&schemes)
        .map(|(table, scheme)| {
            let mut table = table.clone();
            table.attributes.rule = RuleHash::from_bytes([9; 32]);
            attack::admit(table, scheme, &Ledger::empty()).expect("nothing is protected")
        })
        .collect();
    let outgoing: Vec<Outgoing<'_>> =
        safe.iter().zip(&schemes).map(|(table, scheme)| Outgoing { table, scheme }).collect();
    wire::document::encode(header, &outgoing).expect("a document")
}

/// 16 bytes that nothing else has.
pub fn id(kind: u8, commune: usize, number: usize) -> [u8; 16] {
    let mut id = [kind; 16];
    id[..4].copy_from_slice(&u32::try_from(commune).expect("few").to_be_bytes());
    id[4..8].copy_from_slice(&u32::try_from(number).expect("few").to_be_bytes());
    id
}

/// The value below which `share` percent of the sorted times lie.
pub fn percentile(sorted: &[Duration], share: usize) -> Duration {
    sorted[(sorted.len() * share / 100).min(sorted.len() - 1)]
}
