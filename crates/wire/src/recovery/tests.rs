use std::collections::BTreeMap;

use model::{SubmissionId, Timestamp};
use seal::{SigningKey, sha256};

use super::*;
use crate::document::{Link, Outcome};

struct Keys {
    hub: SigningKey,
    node: SigningKey,
}

impl Keys {
    fn new() -> Self {
        Self { hub: SigningKey::generate(), node: SigningKey::generate() }
    }

    fn receipt(&self, kind: ReceiptKind, id: u8, document: &[u8]) -> SignedReceipt {
        let receipt = Receipt {
            submission: SubmissionId::from_bytes([id; 16]),
            document_hash: sha256(document),
            provider: "93066".parse().expect("a commune"),
            provider_key: self.node.public().id(),
            kind,
            accepted_at: Timestamp::from_micros(1),
            number: u64::from(id),
            links: BTreeMap::from([("93066".parse().expect("a commune"), Link { sequence: 1, previous: None })]),
            outcome: Outcome::default(),
        };
        SignedReceipt::sign(&receipt, &self.hub).expect("a receipt")
    }

    fn recovery(&self, document: &[u8]) -> Recovery {
        let entry = LedgerEntry {
            submission: SubmissionId::from_bytes([1; 16]),
            receipt: self.receipt(ReceiptKind::Submission, 1, document),
            signature: self.node.sign(document),
            signing_key: self.node.public(),
            length: document.len() as u64,
        };
        Recovery { entry, purge: None, document: document.to_vec() }
    }
}

#[tokio::test]
async fn what_a_node_gives_back_is_what_a_hub_reads() {
    let keys = Keys::new();
    let document: Vec<u8> = vec![7; CHUNK * 2 + 17];
    let mut recovery = keys.recovery(&document);
    let (read, ()) = collect(send(&recovery).map(Ok), async |_| Ok(())).await.expect("whole");
    assert_eq!(read, recovery);
    recovery.document.pop();
    assert!(collect(send(&recovery).map(Ok), async |_| Ok(())).await.expect_err("cut").message().contains("shorter"));
    recovery.document.extend([7, 7]);
    assert!(
        collect(send(&recovery).map(Ok), async |_| Ok(())).await.expect_err("too much").message().contains("longer")
    );
}

#[test]
fn only_a_purge_of_the_same_hub_explains_missing_bytes() {
    let keys = Keys::new();
    let hub = [keys.hub.public()];
    let whole = keys.recovery(b"document");
    assert!(whole.prove(&hub).is_ok());
    assert!(whole.prove(&[SigningKey::generate().public()]).is_err());

    let mut altered = whole.clone();
    altered.document[0] ^= 1;
    assert!(altered.prove(&hub).is_err());

    let mut empty = whole.clone();
    empty.document.clear();
    empty.entry.length = 0;
    assert!(empty.prove(&hub).is_err(), "nothing explains it");
    empty.purge = Some(keys.receipt(ReceiptKind::Purge, 2, b"another"));
    assert!(empty.prove(&hub).is_err(), "a purge of something else");
    empty.purge = Some(keys.receipt(ReceiptKind::Withdrawal, 2, b"document"));
    assert!(empty.prove(&hub).is_err(), "a withdrawal destroys nothing");
    empty.purge = Some(Keys::new().receipt(ReceiptKind::Purge, 2, b"document"));
    assert!(empty.prove(&hub).is_err(), "another hub's");
    empty.purge = Some(keys.receipt(ReceiptKind::Purge, 2, b"document"));
    assert!(empty.prove(&hub).is_ok());
}

#[test]
fn a_standing_reads_back_as_written_and_refuses_what_cannot_be() {
    let head = |code: &str, sequence| TerritoryHead {
        territory: code.parse().expect("a commune"),
        sequence,
        receipt: (sequence > 0).then(|| sha256(b"receipt")),
    };
    let standing =
        Standing { heads: vec![head("93066", 3), head("93059", 0)], hub_keys: vec![SigningKey::generate().public()] };
    let message = pb::StandingResponse::from(&standing);
    assert_eq!(Standing::try_from(message.clone()), Ok(standing));
    let broken: [fn(&mut pb::StandingResponse); 5] = [
        |m| m.heads.clear(),
        |m| m.hub_signing_keys.clear(),
        |m| m.heads[0].receipt.clear(),
        |m| m.heads[1].receipt = vec![1; 32],
        |m| m.provider = "93059".to_owned(),
    ];
    for change in broken {
        let mut other = message.clone();
        change(&mut other);
        assert_eq!(Standing::try_from(other), Err(LedgerError::Malformed));
    }
}
