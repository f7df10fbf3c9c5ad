//! Versions of packs between a hub and its nodes: who follows, who stays behind, and what goes back.

use std::collections::BTreeMap;
use std::time::Duration;

use methodology::Pack;
use model::Timestamp;
use node::NodeFolder;
use node::push::{Verdict, push_due};
use statistics::{Reading, Silence};

use crate::faulty::edit;
use crate::house::{House, database, on_both, put};
use crate::recovery::BY_RULE;
use crate::rounds::round;
use crate::small_pack::{pack, settings};

/// The same codes, and the first indicator no longer counts people of C.
fn redefined() -> Pack {
    let mut files: BTreeMap<String, Vec<u8>> = pack().files().clone();
    let mut change = |path: &str, from: &str, to: &str| {
        let text = String::from_utf8(files[path].clone()).expect("a text");
        assert!(text.contains(from), "{path} has {from}");
        files.insert(path.to_owned(), text.replacen(from, to, 1).into_bytes());
    };
    change("pack.toml", "1.0.0", "2.0.0");
    change("tables/groupes.toml", "quantity = \"rows\"", "quantity = \"rows\"\nfilter = \"groupe IN ('A', 'B')\"");
    Pack::parse(&files).expect("a pack")
}

async fn publish(house: &House, pack: Pack, until: Option<Timestamp>) {
    let plan = house.hub().plan_publication(pack, until).await.expect("an honest number");
    assert!(house.hub().publish_pack(&plan).await.expect("published"));
}

fn furnished(house: &House, commune: &str) -> NodeFolder {
    let folder = house.furnish(commune, &format!("{BY_RULE}{}", settings("2025")), &[]);
    edit(&folder, 40);
    folder
}

/// One follows by itself; one has figures of the former version that wait to be sent, until it is too late for them.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_is_followed_and_the_former_one_ends() {
    on_both(async || {
        let house = House::open_with(vec![pack()]).await;
        let (ahead, behind) = (furnished(&house, "93066"), furnished(&house, "93001"));
        house.join(&ahead, "93066").await;
        house.join(&behind, "93001").await;
        assert_eq!(round(&ahead, house.node_world()).await, ["receipt 1"]);
        assert_eq!(house.reading("groupes_n", "2025", "", "93066").await, Some(Reading::Value(113.0)));

        let node = house.node(&behind).await;
        let preview = crate::house::preview(&node).await;
        crate::house::approve(&node, &preview).await;
        let until = node_now(&house).plus(Duration::from_hours(240));
        publish(&house, redefined(), Some(until)).await;
        // What was sent before means something else from now on, and is not shown as if it did not.
        let silent = Some(Reading::Silence(Silence::NotAdditive));
        assert_eq!(house.reading("groupes_n", "2025", "", "93066").await, silent);
        assert_eq!(house.reading("lieux_n", "2025", "", "93066").await, Some(Reading::Value(113.0)));

        // What was sent stays; the next period is counted as the new version says. The other table did not change, and is
        // sent again under the new number.
        assert_eq!(round(&ahead, house.node_world()).await, ["packs 1", "staying 1", "receipt 2"]);
        assert_eq!(round(&ahead, house.node_world()).await, ["staying 1", "nothing new"]);
        put(ahead.root(), "node.toml", format!("{BY_RULE}{}", settings("2024")).as_bytes());
        assert_eq!(round(&ahead, house.node_world()).await, ["receipt 3"]);
        assert_eq!(house.reading("groupes_n", "2024", "", "93066").await, Some(Reading::Value(60.0)));
        assert_eq!(house.reading("groupes_n", "2025", "", "93066").await, silent);

        house.clock.set(Timestamp::from_micros(until.as_micros() + 1));
        let delivered = push_due(&node, &|_| {}).await.expect("the hub answers");
        let [Verdict::Refused { message, .. }] = &delivered.iter().map(|one| &one.verdict).collect::<Vec<_>>()[..]
        else {
            panic!("{delivered:?}")
        };
        assert!(message.contains("2.0.0"), "{message}");
        node.close().await;
        assert_eq!(house.reading("lieux_n", "2025", "", "93001").await, Some(Reading::Silence(Silence::NotReceived)));
        let told = round(&behind, house.node_world()).await;
        assert_eq!(told, ["packs 1", "receipt 4"]);
        assert_eq!(house.reading("groupes_n", "2025", "", "93001").await, Some(Reading::Value(60.0)));
        house.close().await;
    })
    .await;
}

fn node_now(house: &House) -> Timestamp {
    model::Clock::now(house.clock.as_ref())
}

/// A hub that went back to an old copy of its database offers the former version again: nobody follows it there.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_never_goes_back_to_an_earlier_version() {
    assert_eq!(database(), None, "its database is a file");
    let mut house = House::open_with(vec![pack()]).await;
    let folder = furnished(&house, "93066");
    house.join(&folder, "93066").await;
    assert_eq!(round(&folder, house.node_world()).await, ["receipt 1"]);
    house.stop().await;
    let file = house.hub_folder().database();
    let copy = std::fs::read(&file).expect("its database");
    house.start().await;
    publish(&house, redefined(), None).await;
    let node = house.node(&folder).await;
    let fetched = node::packs::refresh(&node).await.expect("reaches");
    node.close().await;
    assert_eq!(fetched.received.iter().map(|one| one.version.as_str()).collect::<Vec<_>>(), ["2.0.0"]);
    // An agent reads what changes, in the words of the pack.
    assert!(fetched.french().iter().any(|line| line.starts_with("✗ groupes_n")), "{:?}", fetched.french());

    house.stop().await;
    std::fs::write(&file, copy).expect("put back");
    house.start().await;
    let node = house.node(&folder).await;
    let fetched = node::packs::refresh(&node).await.expect("reaches");
    assert!(fetched.received.is_empty());
    assert_eq!(fetched.refused.iter().map(|failure| failure.reason.as_ref()).collect::<Vec<_>>(), ["PACK_OLDER"]);
    assert_eq!(node.packs().values().map(Pack::version).collect::<Vec<_>>(), ["2.0.0"]);
    node.close().await;

    // A file that somebody altered is not used, and is no way back either.
    let kept = folder.packs().join("essai.pack");
    let mut bytes = std::fs::read(&kept).expect("kept");
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    put(&folder.packs(), "essai.pack", &bytes);
    let node = house.node(&folder).await;
    assert!(node.packs().is_empty());
    let fetched = node::packs::refresh(&node).await.expect("reaches");
    assert_eq!(fetched.refused.iter().map(|failure| failure.reason.as_ref()).collect::<Vec<_>>(), ["PACK_OLDER"]);
    assert!(
        fetched.received.is_empty() && fetched.refused[0].message.contains("2.0.0"),
        "{}",
        fetched.refused[0].message
    );
    publish(&house, redefined(), None).await;
    let fetched = node::packs::refresh(&node).await.expect("reaches");
    assert_eq!(fetched.received.iter().map(|one| one.version.as_str()).collect::<Vec<_>>(), ["2.0.0"]);
    node.close().await;
    house.close().await;
}

/// What a commune counts for itself is on its own page, and in nothing that it sends.
#[tokio::test(flavor = "multi_thread")]
async fn indicators_of_the_commune_are_shown_to_it_and_never_leave() {
    let house = House::open_with(vec![pack()]).await;
    let own = "\n[[local]]\nfolder = \"local/mien\"\ntable = \"groupes\"\nperiod = \"2025\"\n[local.read]\nfile = \"mien.csv\"\n";
    let settings = format!("{BY_RULE}{}{own}", settings("2025"));
    let folder = house.furnish("93066", &settings, &[("mien.csv", &crate::small_pack::rows([3, 0, 4321]))]);
    edit(&folder, 40);
    for (path, bytes) in pack().files() {
        let text = String::from_utf8(bytes.clone()).expect("a text");
        let text = text.replace("\"essai\"", "\"mien\"").replace("groupes_n", "secret_n");
        put(&folder.root().join("local/mien"), path, text.as_bytes());
    }
    house.join(&folder, "93066").await;
    let node = house.node(&folder).await;
    let page = node::report::internal_edition(&node).await.expect("a page");
    assert!(page.contains("4 324") || page.contains("4\u{202f}324"), "the commune's own figures");
    assert!(page.contains("rien n’en part, jamais"));
    let preview = crate::house::preview(&node).await;
    assert_eq!(preview.tables.len(), 2);
    crate::house::approve(&node, &preview).await;
    let sent = node.store().oldest_pending().await.expect("the outbox").expect("a document").outgoing.document;
    for word in ["secret_n", "mien"] {
        assert!(!sent.windows(word.len()).any(|window| window == word.as_bytes()), "{word} leaves");
    }
    assert_eq!(push_due(&node, &|_| {}).await.expect("the hub answers").len(), 1);
    node.close().await;
    // A pack that does not read is named with its folder, and stops the page alone.
    put(&folder.root().join("local/mien"), "pack.toml", b"format = 1");
    let node = house.node(&folder).await;
    let Err(node::preview::PreviewError::Sources(errors)) = node::report::internal_edition(&node).await else {
        panic!("a broken pack has no page")
    };
    let told = errors.iter().flat_map(node::collect::CollectError::french).collect::<Vec<_>>().join(" ");
    assert!(told.contains("local/mien") && told.contains("maillage pack check"), "{told}");
    crate::house::preview(&node).await;
    node.close().await;
    house.close().await;
}

/// Rounds are an hour apart: what is published meanwhile reaches a node that runs within seconds.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_runs_hears_of_a_new_version() {
    let house = House::open_with(vec![pack()]).await;
    let folder = furnished(&house, "93066");
    house.join(&folder, "93066").await;
    let (events, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let stop = tokio_util::sync::CancellationToken::new();
    let running = tokio::spawn({
        let (folder, world, stop) = (folder.clone(), house.node_world(), stop.clone());
        async move {
            let note = move |event: &node::run::RunEvent| {
                // Nobody listens any more once the test has what it waits for.
                let _ = events.send(match event {
                    node::run::RunEvent::Packs(fetched) => {
                        fetched.received.iter().map(|one| one.version.clone()).collect()
                    }
                    node::run::RunEvent::Delivered(_) => vec!["delivered".to_owned()],
                    _ => Vec::new(),
                });
            };
            node::run::run(folder, world, stop, &note).await
        }
    });
    let mut until = async |word: &str| {
        let limit = Duration::from_mins(1);
        let wait = async {
            while let Some(words) = heard.recv().await {
                if words.iter().any(|said| said == word) {
                    return true;
                }
            }
            false
        };
        tokio::time::timeout(limit, wait).await.unwrap_or(false)
    };
    assert!(until("delivered").await, "the first round");
    publish(&house, redefined(), None).await;
    assert!(until("2.0.0").await, "it was not told");
    stop.cancel();
    running.await.expect("no panic").expect("ends in peace");
    house.close().await;
}
