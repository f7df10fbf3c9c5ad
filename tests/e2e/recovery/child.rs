//! This very program once more, as a process that may die.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hub::{Hub, HubConfig, HubFolder};
use model::Timestamp;
use node::run::open_and_round;
use node::{Node, NodeFolder, World};
use testkit::{ManualClock, SeededEntropy};
use tokio::net::TcpListener;
use tokio::task::block_in_place;

use crate::house::{House, word};
use crate::small_pack::pack;

const PREFIX: &str = "MAILLAGE_CHILD_";
/// Lines that are ours among those of the test harness.
const MARK: &str = "@@ ";

/// What the process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A node joins with the invitation in `argument`.
    Join,
    /// A node does one round.
    Round,
    /// A node renews its certificate.
    Renew,
    /// A node withdraws everything and pushes.
    Withdraw,
    /// A hub opens, says so, and serves; its steps count from then.
    Serve,
    /// A hub is founded; `argument` is the database.
    Init,
    /// A hub opens and closes.
    Open,
    /// An operator adds the coordinator in `argument`.
    Coordinator,
    /// An operator invites the commune in `argument`.
    Invite,
}

const ROLES: [Role; 9] = [
    Role::Join,
    Role::Round,
    Role::Renew,
    Role::Withdraw,
    Role::Serve,
    Role::Init,
    Role::Open,
    Role::Coordinator,
    Role::Invite,
];

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// At its step, which is this place.
    DiedAt(String),
    /// It has fewer steps.
    CameThrough,
}

/// A process to be started.
pub struct Child(Command);

/// A hub that serves in a process of its own.
pub struct Serving {
    child: std::process::Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Child {
    /// Works on `folder`, at the time of `house`.
    pub fn of(house: &House, role: Role, folder: &Path) -> Self {
        let now = model::Clock::now(house.clock.as_ref());
        Self::at(role, folder, now, house.fresh_seed())
    }

    /// Works on `folder` at this time.
    pub fn at(role: Role, folder: &Path, now: Timestamp, seed: u64) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        command
            .args(["recovery::child::child", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
            .env(format!("{PREFIX}ROLE"), format!("{role:?}"))
            .env(format!("{PREFIX}FOLDER"), folder)
            .env(format!("{PREFIX}NOW"), now.as_micros().to_string())
            .env(format!("{PREFIX}SEED"), (0xc41d_0000 + seed).to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self(command)
    }

    /// Ends at its `step`-th step, from 1.
    pub fn dies_at(mut self, step: u32) -> Self {
        self.0.env(format!("{PREFIX}STEP"), step.to_string());
        self
    }

    /// What its role needs besides.
    pub fn with(mut self, argument: &str) -> Self {
        self.0.env(format!("{PREFIX}ARGUMENT"), argument);
        self
    }

    /// Runs it to its end.
    pub fn run(mut self) -> End {
        let done = block_in_place(|| self.0.output()).expect("this program runs");
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        let place = said.lines().find_map(|line| line.split_once(MARK)).map(|(_, place)| place.to_owned());
        ended(done.status, place, &String::from_utf8_lossy(&done.stderr))
    }

    /// Starts it and waits until it serves.
    pub fn start(mut self) -> Serving {
        let mut child = self.0.spawn().expect("this program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let serves = |line: std::io::Result<String>| line.expect("its output").ends_with("@@ serving");
        if block_in_place(|| lines.by_ref().any(serves)) {
            return Serving { child, lines };
        }
        let done = block_in_place(|| child.wait_with_output()).expect("its end");
        panic!("no hub: {}", String::from_utf8_lossy(&done.stderr));
    }
}

impl Serving {
    /// What became of it; killed if it still serves.
    pub fn end(mut self) -> End {
        // Killing what has ended already is no fault.
        let lived = self.child.try_wait().expect("its state").is_none();
        if lived {
            // It may be dying this moment: asking for its end does not change how it ended.
            self.child.kill().expect("it ends");
        }
        let status = self.child.wait().expect("its end");
        let said: Vec<String> = self.lines.by_ref().map(|line| line.expect("its output")).collect();
        let place = said.iter().find_map(|line| line.split_once(MARK)).map(|(_, place)| place.to_owned());
        match place {
            Some(place) => End::DiedAt(place),
            None if lived => End::CameThrough,
            None => ended(status, None, "it served, and is gone"),
        }
    }
}

impl Drop for Serving {
    /// A test that failed leaves no hub behind.
    fn drop(&mut self) {
        if self.child.kill().is_ok() {
            drop(self.child.wait());
        }
    }
}

fn ended(status: ExitStatus, place: Option<String>, errors: &str) -> End {
    match (status.success(), place) {
        (true, None) => End::CameThrough,
        (false, Some(place)) => End::DiedAt(place),
        (_, place) => panic!("the child ended with {status} at {place:?}: {errors}"),
    }
}

/// What a person does who withdraws everything, and does it again after a power cut.
pub async fn withdraw_everything(folder: &NodeFolder, world: World) {
    let node = Node::open(folder.clone(), world).await.expect("the node opens");
    let push = async || drop(node::push::push(&node, &|_| {}).await.expect("a push"));
    push().await;
    let sent = node::ledger::read(node.store(), &[node.provider()]).await.expect("the ledger");
    let slices: BTreeSet<_> = sent.current.into_keys().collect();
    if !slices.is_empty() {
        node::withdraw::withdraw(&node, slices, "Awa Diallo").await.expect("a withdrawal");
        push().await;
    }
    node.close().await;
}

fn variable(name: &str) -> Option<String> {
    std::env::var(format!("{PREFIX}{name}")).ok()
}

fn number(name: &str) -> Option<u64> {
    variable(name).map(|text| text.parse().expect("a number"))
}

/// From here on the process counts its steps, and ends itself at the one that was asked for.
fn count_steps() {
    let Some(last) = number("STEP") else { return };
    let steps = AtomicU64::new(0);
    fail::cfg_callback(store::crash::FAIL_POINT, move || {
        if steps.fetch_add(1, Ordering::SeqCst) + 1 == last {
            // Past every buffer of ours: the process has no more than this line to say.
            let line = format!("\n{MARK}{}\n", store::crash::last());
            std::io::Write::write_all(&mut std::io::stdout().lock(), line.as_bytes()).expect("the parent listens");
            std::process::abort();
        }
    })
    .expect("a fail point takes a callback");
}

/// Does nothing unless a test of this module started it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a process that dies; the tests of recovery start it"]
async fn child() {
    let Some(role) = variable("ROLE") else { return };
    let role = ROLES.into_iter().find(|known| format!("{known:?}") == role).expect("a role");
    let folder = PathBuf::from(variable("FOLDER").expect("a folder"));
    let now = i64::try_from(number("NOW").expect("a time")).expect("a time");
    let world = World {
        clock: Arc::new(ManualClock::at(Timestamp::from_micros(now))),
        entropy: Arc::new(SeededEntropy::new(number("SEED").expect("a seed"))),
    };
    let argument = variable("ARGUMENT").unwrap_or_default();
    let node = NodeFolder::at(&folder);
    let hub = HubFolder::at(&folder);
    match role {
        Role::Join => {
            count_steps();
            node::join::join(&node, &argument, world).await.expect("joins");
        }
        Role::Round => {
            count_steps();
            open_and_round(&node, &world, &|_| {}).await.expect("a round");
        }
        Role::Renew => {
            let node = Node::open(node, world).await.expect("opens");
            count_steps();
            assert!(node::renew::renew_if_due(&node).await.expect("renews"), "it is due");
        }
        Role::Withdraw => {
            count_steps();
            withdraw_everything(&node, world).await;
        }
        Role::Serve => serve(hub, world).await,
        Role::Init => {
            count_steps();
            let database = Some(argument).filter(|url| !url.is_empty());
            let config = HubConfig { database, ..HubConfig::default() };
            hub::init::init(&hub, &config, &word("coordination"), &world).await.expect("founds");
        }
        Role::Open => {
            count_steps();
            let config = HubConfig::load(&hub).expect("settings");
            Hub::open_with(hub, config, vec![pack()], world).await.expect("opens").close().await;
        }
        Role::Coordinator => {
            let hub = Hub::open(hub, world).await.expect("opens");
            count_steps();
            hub.add_coordinator(&word(&argument)).await.expect("adds");
        }
        Role::Invite => {
            let hub = Hub::open(hub, world).await.expect("opens");
            count_steps();
            hub.invite(word(&argument), &[]).await.expect("invites");
        }
    }
}

async fn serve(folder: HubFolder, world: World) {
    let config = HubConfig::load(&folder).expect("settings");
    let listener = TcpListener::bind(&config.listen).await.expect("the port of the house");
    let hub = Hub::open_with(folder, config, vec![pack()], world).await.expect("the hub opens");
    count_steps();
    println!("\n{MARK}serving");
    hub.serve(listener, std::future::pending()).await.expect("serves until it is killed");
}
