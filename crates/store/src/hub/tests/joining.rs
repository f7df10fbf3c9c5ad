//! Invitations, nodes, coordinators, packs.

use super::*;

#[tokio::test]
async fn an_invitation_serves_once_and_a_newer_one_ends_everything_older() {
    on_both(async |location| {
        let store = HubStore::open(&location).await.expect("opens");
        let first = store.create_invitation(&invitation(1, "93066")).await.expect("invites");
        assert_eq!(first, Invited { revoked_node: false, revoked_invitations: 0 });
        let second = store.create_invitation(&invitation(2, "93066")).await.expect("invites");
        assert_eq!(second, Invited { revoked_node: false, revoked_invitations: 1 });
        let node = new_node(11, "93066");
        let spend = async |token, node: &NewNode, now| store.spend_invitation(hash(token), node, at(now)).await;
        assert_eq!(spend(1, &node, 5).await.expect("answers"), Spent::Refused, "revoked");
        assert_eq!(spend(9, &node, 5).await.expect("answers"), Spent::Refused, "unknown");
        assert_eq!(spend(2, &node, 1_000).await.expect("answers"), Spent::Refused, "expired");
        assert_eq!(spend(2, &new_node(11, "93001"), 5).await.expect("answers"), Spent::Refused, "other commune");
        assert_eq!(spend(2, &node, 5).await.expect("answers"), Spent::Enrolled);
        assert_eq!(spend(2, &new_node(12, "93066"), 6).await.expect("answers"), Spent::Refused, "spent");

        let third = store.create_invitation(&invitation(3, "93066")).await.expect("invites");
        assert_eq!(third, Invited { revoked_node: true, revoked_invitations: 0 });
        assert_eq!(store.node(hash(11)).await.expect("reads").and_then(|n| n.revoked_at), Some(at(3)));
        assert_eq!(spend(3, &node, 7).await.expect("answers"), Spent::KeyKnown, "a revoked key never comes back");
        let kept = store.invitation(hash(3)).await.expect("reads").expect("there");
        assert_eq!(kept.spent_at, None, "a refused attempt spends nothing");
        assert_eq!(spend(3, &new_node(13, "93066"), 8).await.expect("answers"), Spent::Enrolled);
    })
    .await;
}

#[tokio::test]
async fn a_provider_may_own_several_territories() {
    on_both(async |location| {
        let store = HubStore::open(&location).await.expect("opens");
        let mut wide = invitation(1, "93066");
        wide.territories = vec![commune("93059"), commune("93001")];
        store.create_invitation(&wide).await.expect("invites");
        let expected = vec![commune("93066"), commune("93001"), commune("93059")];
        assert_eq!(store.territories(commune("93066")).await.expect("reads"), expected);
        store.create_invitation(&invitation(2, "93066")).await.expect("invites");
        assert_eq!(store.territories(commune("93066")).await.expect("reads"), vec![commune("93066")]);
        assert!(store.territories(commune("93001")).await.expect("reads").is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_certificate_is_renewed_unless_the_node_was_revoked() {
    on_both(async |location| {
        let store = with_node(&location).await;
        assert!(store.renew_node(hash(1), "ff", at(20_000)).await.expect("renews"));
        let record = store.node(hash(1)).await.expect("reads").expect("there");
        assert_eq!((record.node.certificate_serial.as_str(), record.last_contact), ("ff", None));
        store.touch_node(&record, at(50)).await.expect("notes");
        let touched = store.node(hash(1)).await.expect("reads").expect("there");
        store.touch_node(&touched, at(109)).await.expect("too soon to note");
        assert_eq!(store.nodes().await.expect("reads")[0].last_contact, Some(at(50)));
        assert!(store.revoke_node(commune("93066"), at(60)).await.expect("revokes"));
        assert!(!store.revoke_node(commune("93066"), at(61)).await.expect("nothing left"));
        assert!(!store.renew_node(hash(1), "fe", at(30_000)).await.expect("refuses"));
    })
    .await;
}

#[tokio::test]
async fn a_coordinator_is_known_by_key_until_revoked() {
    on_both(async |location| {
        let store = HubStore::open(&location).await.expect("opens");
        let name: model::Code = "coordination".parse().expect("a code");
        store.add_coordinator(&name, hash(1), at(1)).await.expect("adds");
        store.add_coordinator(&name, hash(2), at(2)).await.expect("adds");
        assert!(store.add_coordinator(&name, hash(2), at(2)).await.is_err(), "one key, one entry");
        assert_eq!(store.coordinator(hash(9)).await.expect("reads"), None);
        assert_eq!(store.revoke_coordinator(&name, at(3)).await.expect("revokes"), 2);
        assert_eq!(store.coordinator(hash(1)).await.expect("reads").and_then(|c| c.revoked_at), Some(at(3)));
        assert_eq!(store.coordinators().await.expect("reads").len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_published_pack_version_never_changes() {
    on_both(async |location| {
        let store = HubStore::open(&location).await.expect("opens");
        let pack = PackRecord {
            code: "logement-rp".parse().expect("a pack code"),
            version: "1.0.0".into(),
            hash: hash(1),
            document: vec![1, 2, 3],
            signature: vec![4; 64],
            signing_key: hash(5),
            added_at: at(1),
        };
        let line = PackLine { code: pack.code.clone(), version: pack.version.clone(), former: None };
        let publish = async |pack: &PackRecord, line: &PackLine, expected: Option<&PackLine>| {
            store.publish_pack(pack, line, expected).await.expect("answers")
        };
        assert_eq!(publish(&pack, &line, None).await, PackPublication::Done);
        let again = PackRecord { added_at: at(2), ..pack.clone() };
        assert_eq!(publish(&again, &line, Some(&line)).await, PackPublication::Done, "the same bytes");
        let altered = PackRecord { hash: hash(2), ..pack.clone() };
        assert_eq!(publish(&altered, &line, Some(&line)).await, PackPublication::OtherBytes);

        let next = PackRecord { version: "1.1.0".into(), hash: hash(3), ..pack.clone() };
        let former = Some(FormerVersion { version: "1.0.0".into(), until: at(9) });
        let moved = PackLine { version: "1.1.0".into(), former, ..line.clone() };
        assert_eq!(publish(&next, &moved, None).await, PackPublication::Overtaken);
        assert_eq!(store.pack(&pack.code, "1.1.0").await.expect("reads"), None, "both or none");
        assert_eq!(publish(&next, &moved, Some(&line)).await, PackPublication::Done);
        assert_eq!(store.pack_lines().await.expect("reads"), [moved]);
        assert_eq!(store.pack_versions(&pack.code).await.expect("reads"), ["1.0.0", "1.1.0"]);
        assert_eq!(store.pack(&pack.code, "1.0.0").await.expect("reads"), Some(pack.clone()));
        assert_eq!(store.pack(&pack.code, "2.0.0").await.expect("reads"), None);
    })
    .await;
}
