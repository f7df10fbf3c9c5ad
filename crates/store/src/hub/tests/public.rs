//! Public figures on both databases.

use super::*;

fn key(part: &str) -> BlockKey {
    BlockKey {
        indicator: "pop".parse().expect("a code"),
        source: "insee-comparateur".parse().expect("a code"),
        period: "2018".parse().expect("a period"),
        geography: model::CogYear(2021),
        level: model::Level::Commune,
        part: part.to_owned(),
    }
}

fn layout() -> PublicLayout {
    PublicLayout { hash: hash(60), code: "insee-comparateur".parse().expect("a code"), document: vec![1, 2, 3] }
}

fn import(by: &str) -> PublicImport {
    PublicImport {
        layout: hash(60),
        source: "insee-comparateur".parse().expect("a code"),
        vintage: "RP2018".to_owned(),
        level: model::Level::Commune,
        file_name: "comparateur.csv".to_owned(),
        file_hash: hash(61),
        file_length: 12,
        imported_by: by.to_owned(),
        imported_at: at(5),
        added: 3,
        revised: 0,
    }
}

#[tokio::test]
async fn a_version_follows_the_one_its_maker_saw_and_an_import_is_whole_or_nothing() {
    on_both(async |location| {
        let store = HubStore::open(&location).await.expect("opens");
        let first = [(key("93"), 1, vec![1]), (key("92"), 1, vec![2])];
        assert_eq!(store.add_public(&layout(), &import("A"), &first).await.expect("adds"), 1);
        // Another import saw nothing of the first: all of it is refused.
        let late = [(key("75"), 1, vec![3]), (key("93"), 1, vec![9])];
        let refused = store.add_public(&layout(), &import("B"), &late).await;
        assert!(matches!(refused, Err(StoreError::Moved(_))), "{refused:?}");
        assert_eq!(store.current_public(&key("")).await.expect("reads").len(), 2);
        assert_eq!(store.public_imports().await.expect("reads").len(), 1);
        let second = [(key("93"), 2, vec![9])];
        assert_eq!(store.add_public(&layout(), &import("C"), &second).await.expect("adds"), 2);

        let current = store.current_public(&key("")).await.expect("reads");
        let mut current: Vec<_> = current.into_iter().map(|b| (b.key.part, b.version, b.import, b.block)).collect();
        current.sort();
        assert_eq!(current, [("92".to_owned(), 1, 1, vec![2]), ("93".to_owned(), 2, 2, vec![9])]);
        let kept = store.public_blocks(&key("").indicator, &["93".to_owned()]).await.expect("reads");
        assert_eq!(kept.iter().map(|b| (b.version, b.block.clone())).collect::<Vec<_>>(), [(1, vec![1]), (2, vec![9])]);
        let keys = store.public_keys().await.expect("reads");
        assert_eq!(keys, [(key("92"), 1), (key("93"), 2)]);
        let journal = store.public_imports().await.expect("reads");
        assert_eq!(journal, [(1, import("A")), (2, import("C"))]);
        assert_eq!(store.public_layouts().await.expect("reads"), [layout()]);
    })
    .await;
}

#[tokio::test]
async fn imports_at_once_take_numbers_of_their_own() {
    on_both(async |location| {
        let store = HubStore::open(&location).await.expect("opens");
        let tasks: Vec<_> = (0..6_u8)
            .map(|n| {
                let store = store.clone();
                let block = [(key(&format!("{n:02}")), 1, vec![n])];
                tokio::spawn(async move { store.add_public(&layout(), &import("X"), &block).await })
            })
            .collect();
        let mut numbers = Vec::new();
        for task in tasks {
            numbers.push(task.await.expect("no panic").expect("adds"));
        }
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
    })
    .await;
}
