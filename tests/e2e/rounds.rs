//! The node at work by itself: what the commune's rule lets leave, and what waits for a person.

use std::fmt::Write as _;
use std::sync::Mutex;

use node::run::{RunEvent, open_and_round};
use node::{NodeFolder, World};

use crate::house::{House, on_both};

const SETTINGS: &str = r#"
[approval]
mode = "rule"
max_moved_cells = 300

[[source]]
pack = "ccas-activite"
table = "aides_facultatives"
period = "2025"
[source.read]
file = "aides.csv"
"#;

/// Forty households of each composition, each with one request that was granted, and `refused` others of the first.
fn requests(refused: usize) -> Vec<u8> {
    let mut text = String::from("id_demande;id_menage;type_aide;decision;montant;type_menage;age\n");
    for (n, composition) in ["seul", "couple", "couple_enfants", "monoparental"].into_iter().enumerate() {
        for household in 0..40 {
            let id = n * 1000 + household;
            writeln!(text, "D{id};M{id};energie;accord;120,50;{composition};44").expect("a string takes everything");
        }
    }
    for extra in 0..refused {
        writeln!(text, "R{extra};N{extra};energie;refus;;seul;44").expect("a string takes everything");
    }
    text.into_bytes()
}

pub async fn round(folder: &NodeFolder, world: World) -> Vec<String> {
    let events = Mutex::new(Vec::new());
    let note = |event: &RunEvent| {
        let said = match event {
            RunEvent::Round => "round".to_owned(),
            RunEvent::Sources(lines) => format!("sources {}", lines.len()),
            RunEvent::Staying(slices) => format!("staying {}", slices.len()),
            RunEvent::NothingNew => "nothing new".to_owned(),
            RunEvent::PersonNeeded { .. } => "person needed".to_owned(),
            RunEvent::Trouble { message } => format!("trouble {message}"),
            RunEvent::Push(_) => return,
            RunEvent::Delivered(one) => match &one.verdict {
                node::push::Verdict::Received { receipt, .. } => format!("receipt {}", receipt.number),
                other => format!("{other:?}"),
            },
            RunEvent::Renewed => "renewed".to_owned(),
            RunEvent::Packs(fetched) => {
                let refused: Vec<&str> = fetched.refused.iter().map(|failure| failure.reason.as_ref()).collect();
                format!("packs {} {}", fetched.received.len(), refused.join(" ")).trim_end().to_owned()
            }
        };
        events.lock().expect("nobody panicked with it").push(said);
    };
    if let Err(failure) = open_and_round(folder, &world, &note).await {
        events.lock().expect("nobody panicked with it").push(failure.reason.into_owned());
    }
    events.into_inner().expect("nobody panicked with it")
}

/// A person reads at ten to ten; the round of ten o'clock must not put other figures under the signature.
#[tokio::test]
async fn a_round_leaves_what_a_person_reads_as_it_is() {
    on_both(async || {
        let house = House::open().await;
        let settings = SETTINGS.replace("mode = \"rule\"\nmax_moved_cells = 300", "mode = \"person\"");
        let folder = house.furnish("93066", &settings, &[("aides.csv", &requests(0))]);
        house.join(&folder, "93066").await;
        let node = house.node(&folder).await;
        let read = crate::house::preview(&node).await.hash.expect("something leaves");
        crate::house::put(folder.root(), "aides.csv", &requests(20));
        assert_eq!(round(&folder, house.node_world()).await, ["person needed"]);
        let hash = node::approve::waiting(&node, &read.to_string()[..8]).await.expect("it still waits");
        assert_eq!(hash, read);

        // A preview that fails forgets the one before: what waits must be what would leave.
        crate::house::put(folder.root(), "aides.csv", b"");
        node::preview::preview(&node, node::preview::Purpose::Submit).await.expect_err("an empty file");
        let gone = node::approve::waiting(&node, &read.to_string()[..8]).await.expect_err("nothing waits");
        assert_eq!(gone.reason, "NOTHING_TO_APPROVE");
        house.close().await;
    })
    .await;
}

/// Revoked, invited again: the same folder goes on, with new keys and the old settings, receipts and ledger.
#[tokio::test]
async fn a_folder_may_join_again() {
    on_both(async || {
        let house = House::open().await;
        let folder = house.furnish("93066", SETTINGS, &[("aides.csv", &requests(0))]);
        house.join(&folder, "93066").await;
        assert_eq!(round(&folder, house.node_world()).await, ["receipt 1"]);
        assert!(house.hub().revoke_node(crate::house::word("93066")).await.expect("revokes"));
        assert_eq!(round(&folder, house.node_world()).await, ["NODE_REVOKED"]);

        let joined = house.join(&folder, "93066").await;
        assert_eq!(
            joined.ledgers.iter().find(|(territory, _)| territory.as_str() == "93066").map(|(_, n)| *n),
            Some(1)
        );
        assert_eq!(round(&folder, house.node_world()).await, ["nothing new"]);
        house.close().await;
    })
    .await;
}

/// A hub that begins to sign with a new key: whoever has a node open, and whoever starts one, goes on at the first contact.
#[tokio::test]
async fn a_new_key_of_the_hub_costs_no_round_and_no_push() {
    on_both(async || {
        let mut house = House::open().await;
        let folder = house.furnish("93066", SETTINGS, &[("aides.csv", &requests(0))]);
        house.join(&folder, "93066").await;
        assert_eq!(round(&folder, house.node_world()).await, ["receipt 1"]);
        let open = house.node(&folder).await;
        let renew = async |house: &mut House| {
            house.stop().await;
            let key = seal::SigningKey::generate();
            std::fs::write(house.hub_folder().signing_key_file(), key.to_pkcs8()).expect("a key");
        };

        // A pack that only the new key vouches for, and a figure, in one round.
        renew(&mut house).await;
        house.offer(crate::small_pack::pack());
        house.start().await;
        crate::house::put(folder.root(), "aides.csv", &requests(20));
        assert_eq!(round(&folder, house.node_world()).await, ["packs 1", "receipt 2"]);

        // A node that was open all the time, and knows neither this key nor the one before.
        renew(&mut house).await;
        house.start().await;
        crate::house::put(folder.root(), "aides.csv", &requests(40));
        let preview = crate::house::preview(&open).await;
        crate::house::approve(&open, &preview).await;
        assert!(matches!(crate::house::push(&open).await, node::push::Verdict::Received { .. }));
        assert_eq!(open.hub_keys().expect("keys").len(), 3, "what was known stays known");
        open.close().await;
        assert_eq!(round(&folder, house.node_world()).await, ["nothing new"]);
        house.close().await;
    })
    .await;
}

#[tokio::test]
async fn the_rule_of_the_commune_sends_small_changes_and_leaves_large_ones_to_a_person() {
    on_both(async || {
        let mut house = House::open().await;
        let folder = house.furnish("93066", SETTINGS, &[("aides.csv", &requests(0))]);
        house.join(&folder, "93066").await;

        assert_eq!(round(&folder, house.node_world()).await, ["receipt 1"]);
        assert_eq!(round(&folder, house.node_world()).await, ["nothing new"]);

        // Settings are read again at each round; a stricter rule of the commune's own takes hold at once.
        crate::house::put(folder.root(), "node.toml", SETTINGS.replace("300", "3").as_bytes());
        crate::house::put(folder.root(), "aides.csv", &requests(20));
        assert_eq!(round(&folder, house.node_world()).await, ["person needed"]);

        // With the hub away nothing is lost and nothing invented: the next round does the work.
        crate::house::put(folder.root(), "node.toml", SETTINGS.as_bytes());
        house.stop().await;
        assert_eq!(round(&folder, house.node_world()).await, ["HUB_UNREACHABLE"]);
        house.start().await;
        assert_eq!(round(&folder, house.node_world()).await, ["receipt 2"]);
        let comparison = house.compare("aidfac_demandes", "2025", "").await.expect("a comparison");
        assert_eq!(comparison.communes[0].value.reading, statistics::Reading::Value(180.0));

        // What a person took back, no timer sends again.
        let node = house.node(&folder).await;
        let slice = node::preview::look(&node).await.expect("a look").slices[0].slice.clone();
        node::withdraw::withdraw(&node, [slice].into(), "Awa Diallo").await.expect("a withdrawal");
        node::push::push(&node, &|_| {}).await.expect("a push");
        node.close().await;
        assert_eq!(round(&folder, house.node_world()).await, ["person needed"]);
        let node = house.node(&folder).await;
        let read = crate::house::preview(&node).await.hash.expect("something leaves");
        assert_eq!(round(&folder, house.node_world()).await, ["person needed"]);
        node::approve::waiting(&node, &read.to_string()).await.expect("what a person reads still waits");
        node.close().await;

        // A damaged export is told and changes nothing.
        crate::house::put(folder.root(), "aides.csv", b"PK\x03\x04 not a text");
        let events = round(&folder, house.node_world()).await;
        assert!(events.len() == 1 && events[0].starts_with("sources"), "{events:?}");
        house.close().await;
    })
    .await;
}
