//! A thousand histories, each from its seed: edits, approvals, withdrawals, pushes over a road that breaks, hubs and
//! nodes that end anywhere. Then quiet, and everything is there, once.
//!
//! `MAILLAGE_SEED=n` replays one; `MAILLAGE_SEEDS=a..b` takes others than the thousand.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::ops::Range;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use model::{Slice, SubmissionId};
use node::NodeFolder;
use node::approve::Agreement;
use node::preview::{PreviewError, Purpose};
use store::hub::SliceState;

use crate::faulty::proxy::{Fault, Proxy};
use crate::faulty::through;
use crate::house::{House, put, word};
use crate::recovery::check_whole;
use crate::small_pack::{TABLES, pack, rows};

const SEEDS: Range<u64> = 0..1_000;
/// Histories that share one hub, one after the other, each with a commune of its own.
const BATCH: u64 = 50;
/// The longest history.
const STEPS: u64 = 9;

/// `SplitMix64`, so that a history hangs on its seed alone.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn fault(&mut self) -> Fault {
        match self.below(6) {
            0 => Fault::Refuse,
            1 => Fault::CutUp(self.below(6_000)),
            2 => Fault::CutDown(self.below(6_000)),
            3 => Fault::Slow(1, 200 + usize::try_from(self.below(2_000)).expect("small")),
            _ => Fault::None,
        }
    }
}

/// Looks at `work` so often at most, then drops it where it stands: a process that ends anywhere.
async fn ended_after<T>(looks: u64, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut left = looks;
    std::future::poll_fn(move |context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// One history.
struct History<'a> {
    seed: u64,
    house: &'a mut House,
    proxy: &'a Proxy,
    folder: NodeFolder,
    dice: Dice,
    log: Vec<String>,
}

impl History<'_> {
    fn note(&mut self, what: impl Into<String>) {
        self.log.push(what.into());
    }

    fn edit(&mut self) {
        let table = TABLES[usize::try_from(self.dice.below(2)).expect("small")];
        // Small ones too: what is hidden must survive as well as what is shown.
        let least = if self.dice.below(4) == 0 { 1 } else { 10 };
        let counts = [(); 3].map(|()| least + u32::try_from(self.dice.below(60)).expect("small"));
        self.note(format!("edit {table} {counts:?}"));
        put(self.folder.root(), &format!("{table}.csv"), &rows(counts));
    }

    /// A person reads and agrees; figures that may not leave any more are left alone.
    async fn approve(&mut self) {
        let looks = if self.dice.below(3) == 0 { self.dice.below(60) } else { u64::MAX };
        let node = self.house.node(&self.folder).await;
        let done = ended_after(looks, async {
            match node::preview::preview(&node, Purpose::Submit).await {
                Ok(preview) if preview.leaves => {
                    let by = Agreement::Person("Awa Diallo".to_owned());
                    node::approve::approve(&node, &by, preview.hash).await.map(|id| format!("approved {id}"))
                }
                Ok(_) => Ok("nothing new".to_owned()),
                Err(PreviewError::Failed(failure)) => Err(failure),
                Err(PreviewError::Sources(errors)) => panic!("seed {}: sources {errors:?}", self.seed),
            }
        })
        .await;
        match done {
            Some(Err(failure)) if !["PROTECTION_IMPOSSIBLE", "PROTECTION_REFUSED"].contains(&&*failure.reason) => {
                panic!("seed {}: {failure:?} after {:#?}", self.seed, self.log)
            }
            done => self.note(format!("approve, {looks} looks: {done:?}")),
        }
        node.close().await;
    }

    async fn withdraw(&mut self) {
        let node = self.house.node(&self.folder).await;
        let sent = node::ledger::read(node.store(), &[node.provider()]).await.expect("the ledger");
        let slices: Vec<Slice> = sent.current.into_keys().collect();
        if !slices.is_empty() {
            let which = usize::try_from(self.dice.below(slices.len() as u64)).expect("small");
            let one = BTreeSet::from([slices[which].clone()]);
            let id = node::withdraw::withdraw(&node, one, "Awa Diallo").await.expect("a withdrawal");
            self.note(format!("withdrew {} as {id}", slices[which]));
        }
        node.close().await;
    }

    async fn push(&mut self) {
        let fault = self.dice.fault();
        let looks = if self.dice.below(4) == 0 { self.dice.below(40) } else { u64::MAX };
        self.proxy.set(fault);
        // Its time has come, whatever the last try said.
        self.house.clock.advance(Duration::from_mins(11));
        let node = self.house.node(&self.folder).await;
        let done = ended_after(looks, node::push::push_due(&node, &|_| {})).await;
        self.note(format!("push over {fault:?}, {looks} looks: {done:?}"));
        node.close().await;
        self.proxy.set(Fault::None);
    }

    async fn step(&mut self) {
        match self.dice.below(12) {
            0..=3 => self.edit(),
            4..=6 => self.approve().await,
            7 => self.withdraw().await,
            8 => {
                self.note("the hub starts again");
                self.house.stop().await;
                self.house.start().await;
            }
            9 => {
                self.note("the hub is killed");
                self.house.kill().await;
                self.house.start().await;
            }
            _ => self.push().await,
        }
    }

    /// What the outbox says was agreed to, in order: the truth that the hub must end with.
    async fn quiet(&mut self) {
        self.proxy.set(Fault::None);
        let node = self.house.node(&self.folder).await;
        self.house.clock.advance(Duration::from_mins(11));
        let left = node::push::push_due(&node, &|_| {}).await;
        let outbox = node.store().outbox().await.expect("the outbox");
        let mut expected: BTreeMap<Slice, (SubmissionId, SliceState)> = BTreeMap::new();
        for item in &outbox {
            let id = item.outgoing.submission;
            if let Ok(submission) = wire::document::decode(&item.outgoing.document) {
                let slices = submission.slices.into_iter().map(|one| one.received.slice);
                expected.extend(slices.map(|slice| (slice, (id, SliceState::Present))));
            } else {
                let withdrawal = wire::document::Withdrawal::decode(&item.outgoing.document).expect("a withdrawal");
                expected.extend(withdrawal.slices.into_iter().map(|slice| (slice, (id, SliceState::Withdrawn))));
            }
        }
        let approved = self.log.iter().filter(|line| line.contains("Ok(\"approved") || line.starts_with("withdrew"));
        assert!(outbox.len() >= approved.count(), "what was agreed to is in the outbox");
        let current = self.house.hub().store().current_of(node.provider()).await.expect("slices");
        let current = current.into_iter().map(|one| (one.slice, (one.submission, one.state))).collect();
        assert_eq!(expected, current, "each slice holds the last document that named it; last push: {left:?}");
        node.close().await;
        check_whole(self.house, &self.folder, outbox.len()).await;
    }
}

/// Says which seed it was, whatever went wrong, wherever.
struct Confess<'a>(&'a str, u64);

impl Drop for Confess<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}: replay this history with MAILLAGE_SEED={}", self.0, self.1);
        }
    }
}

async fn batch(seeds: Range<u64>) {
    let mut house = House::open_with(vec![pack()]).await;
    let proxy = Proxy::to(house.address()).await;
    for seed in seeds {
        let confess = Confess("seeds", seed);
        let commune = format!("{:05}", 93_001 + seed % BATCH);
        let folder = house.furnish(&commune, &through(proxy.address()), &[]);
        for table in TABLES {
            put(folder.root(), &format!("{table}.csv"), &rows([40, 20, 53]));
        }
        house.join(&folder, &commune).await;
        let dice = Dice(seed);
        let mut history = History { seed, house: &mut house, proxy: &proxy, folder, dice, log: Vec::new() };
        let steps = 3 + history.dice.below(STEPS - 3);
        for _ in 0..steps {
            history.step().await;
        }
        if std::env::var_os("MAILLAGE_SEED").is_some() {
            println!("{:#?}", history.log);
        }
        history.quiet().await;
        std::fs::remove_dir_all(history.folder.root()).expect("the folder goes");
        drop(confess);
        assert!(word::<model::CommuneCode>(&commune).as_str() == commune);
    }
    house.close().await;
}

fn chosen() -> Vec<Range<u64>> {
    let number = |text: &str| text.parse::<u64>().expect("a number");
    let all = match (std::env::var("MAILLAGE_SEED"), std::env::var("MAILLAGE_SEEDS")) {
        (Ok(one), _) => number(&one)..number(&one) + 1,
        (Err(_), Ok(range)) => {
            let (from, to) = range.split_once("..").expect("MAILLAGE_SEEDS is a..b");
            number(from)..number(to)
        }
        (Err(_), Err(_)) => SEEDS,
    };
    let step = usize::try_from(BATCH).expect("small");
    all.clone().step_by(step).map(|from| from..(from + BATCH).min(all.end)).collect()
}

/// Batches run beside each other, as many as there are processors.
#[test]
fn a_thousand_histories_lose_nothing_and_double_nothing() {
    let batches = std::sync::Mutex::new(chosen().into_iter());
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..processors {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                loop {
                    let next = batches.lock().expect("nobody panicked with it").next();
                    let Some(seeds) = next else { return };
                    runtime.block_on(batch(seeds));
                }
            });
        }
    });
}
