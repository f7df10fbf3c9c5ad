//! Two hundred nodes push at once: whoever is refused is told when to come back, everybody is acknowledged exactly once
//! in the end, and the hub's memory stays bounded.

mod stage;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Barrier;
use tokio::time::Instant;
use wire::client::{ClientError, HubClient};

use stage::{Figures, Node, Served, Signed, id, percentile, was_a_hub};

const POSTGRES: &str = "MAILLAGE_BENCH_POSTGRES_URL";
const NODES: usize = 200;
/// Nobody tries for longer.
const LONGEST: Duration = Duration::from_mins(10);

#[derive(Default)]
struct Told {
    /// Told when to come back.
    refused: usize,
    /// Not told: no answer in time, no connection.
    left_alone: usize,
    /// Until the receipt.
    took: Duration,
}

fn main() {
    if was_a_hub() {
        return;
    }
    let postgres = std::env::var(POSTGRES).ok().filter(|url| !url.is_empty());
    if postgres.is_none() {
        println!("{POSTGRES} is not set: SQLite only");
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let figures = Figures::new();
    let mut failed = false;
    let targets = [Some(("SQLite", None)), postgres.as_deref().map(|url| ("PostgreSQL", Some(url)))];
    for (what, url) in targets.into_iter().flatten() {
        for (kind, large) in [("small documents", false), ("documents of 17 000 observations", true)] {
            let schema = format!("crowd_{}_{}", u8::from(large), std::process::id());
            let database = url.map(|url| format!("{url}?schema={schema}"));
            let hub = Served::start(&folder.path().join(format!("{what}{large}")), NODES, database.as_deref());
            let before = hub.peak();
            let told = runtime.block_on(crowd(&hub, &figures, large));
            let mut times: Vec<Duration> = told.iter().map(|one| one.took).collect();
            times.sort();
            let refused: usize = told.iter().map(|one| one.refused).sum();
            let left_alone: usize = told.iter().map(|one| one.left_alone).sum();
            println!(
                "{what}, {NODES} nodes, {kind}: all acknowledged once in {:.1} s (p50 {:.1} s); told to come back {refused} \
                 times, without a word {left_alone} times; the hub held at most {} MiB ({before} before)",
                times[NODES - 1].as_secs_f64(),
                percentile(&times, 50).as_secs_f64(),
                hub.peak(),
            );
            failed |= left_alone > 0;
        }
    }
    assert!(!failed, "somebody was left without a word");
}

async fn crowd(hub: &Served, figures: &Figures, large: bool) -> Vec<Told> {
    let start = Arc::new(Barrier::new(NODES));
    let mut pushing = Vec::new();
    for (number, invitation) in hub.invitations.iter().enumerate() {
        let node = Node::join(invitation).await;
        let periods = if large { vec!["2022", "2023", "2024", "2025"] } else { vec!["2025"] };
        let tables: Vec<_> =
            periods
                .into_iter()
                .map(|period| {
                    if large { figures.large(node.commune, period, 0) } else { figures.small(node.commune, period, 0) }
                })
                .collect();
        let signed = node.sign(id(3, number, 0), &tables);
        let start = Arc::clone(&start);
        pushing.push(tokio::spawn(async move {
            start.wait().await;
            insist(&node, &signed).await
        }));
    }
    let mut all = Vec::new();
    for one in pushing {
        all.push(one.await.expect("no panic"));
    }
    all
}

/// As a node does: again after as long as was asked, until there is a receipt.
async fn insist(node: &Node, signed: &Signed) -> Told {
    let mut told = Told::default();
    let start = Instant::now();
    let mut connection: Option<HubClient> = None;
    loop {
        assert!(start.elapsed() < LONGEST, "no receipt after {} refusals", told.refused + told.left_alone);
        let answer = match &connection {
            Some(client) => signed.send(client).await,
            None => match node.connect().await {
                Ok(client) => {
                    connection = Some(client);
                    continue;
                }
                Err(error) => Err(error),
            },
        };
        match answer {
            Ok(accepted) => {
                // An answer that was lost on its way is found again by the repetition.
                assert!(!accepted.already_received || told.left_alone > 0, "acknowledged twice");
                told.took = start.elapsed();
                return told;
            }
            Err(ClientError::Refused(refused)) if refused.kind.is_transient() => {
                let after = refused.retry_after.expect("a refusal without a time to come back");
                told.refused += 1;
                tokio::time::sleep(after).await;
            }
            Err(error) if error.is_transient() => {
                eprintln!("{}: {error}", node.commune);
                told.left_alone += 1;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(error) => panic!("refused for good: {error}"),
        }
    }
}
