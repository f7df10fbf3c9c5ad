//! What people and machines get wrong: each refused with its place, cause and cure, and nothing half-written.

use std::io::Write;
use std::path::Path;

use model::FailureKind;
use node::Node;
use node::collect::CollectError;
use node::preview::{PreviewError, Purpose};
use prost::Message;
use tabular::FaultCause;
use tonic::transport::Channel;
use wire::client::HubClient;

use crate::house::{House, approve, preview, push, put, signing_key};
use crate::intruder::{SUBMIT, WITHDRAW, call, forged, refusal, rows, upload};

const HEADER: &str = "id_demande;id_menage;type_aide;decision;montant;type_menage;age";
const SOUND: &str = "d1;m1;energie;accord;150,50;seul;34";

fn settings(table: &str, extra: &str) -> String {
    let pack = if table == "logements" { "logement-rp" } else { "ccas-activite" };
    format!(
        "[[source]]\npack = \"{pack}\"\ntable = \"{table}\"\nperiod = \"2025\"\n[source.read]\nfile = \"export.csv\"\n{extra}"
    )
}

/// One wrong file: its bytes, what the settings say about it, and what the agent must read.
struct Case {
    what: &'static str,
    table: &'static str,
    extra: &'static str,
    file: Vec<u8>,
    cause: FaultCause,
    line: Option<u64>,
    column: Option<&'static str>,
    /// Parts of the French sentence: what is wrong, and what to do.
    says: &'static [&'static str],
}

fn case(what: &'static str, file: impl Into<Vec<u8>>, cause: FaultCause, says: &'static [&'static str]) -> Case {
    Case { what, table: "aides_facultatives", extra: "", file: file.into(), cause, line: None, column: None, says }
}

fn lines(lines: &[&str]) -> String {
    lines.join("\n") + "\n"
}

#[expect(clippy::too_many_lines, reason = "a list")]
fn cases() -> Vec<Case> {
    let sound = lines(&[HEADER, SOUND]);
    let windows: Vec<u8> =
        [HEADER.as_bytes(), b"\nd1;m1;energie;accord;150,50;seul;34\nd2;m\xe9;energie;accord;1;seul;34\n"].concat();
    let utf16: Vec<u8> = std::iter::once(0xfeff).chain(sound.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let zip: Vec<u8> = [b"PK\x03\x04\x14\x00\x06\x00".as_slice(), &[0; 64]].concat();
    let nul: Vec<u8> = [sound.as_bytes(), b"d2;m2;ener\0gie;accord;1;seul;34\n"].concat();
    vec![
        Case {
            extra: "separator = \"tab\"\n",
            ..case("another separator than declared", sound.clone(), FaultCause::Header, &["vérifiez le séparateur"])
        },
        case(
            "a separator that nobody knows",
            sound.replace(',', "").replace(';', "#"),
            FaultCause::Separator,
            &["Aucun séparateur", "est-il un CSV"],
        ),
        Case {
            extra: "encoding = \"utf8\"\n",
            line: Some(3),
            ..case("Windows-1252 declared as UTF-8", windows, FaultCause::Encoding, &["UTF-8", "réenregistrez-le"])
        },
        case("UTF-16", utf16, FaultCause::NotText, &["UTF-16", "enregistrez-le"]),
        Case {
            line: Some(2),
            ..case(
                "accents decoded twice",
                lines(&[HEADER, "d1;mÃ©;energie;accord;1;seul;34"]),
                FaultCause::Encoding,
                &["accents", "Refaites l'export"],
            )
        },
        Case {
            line: Some(1),
            column: Some("montant"),
            ..case(
                "a missing column",
                lines(&["id_demande;id_menage;type_aide;decision;type_menage;age", "d1;m1;energie;accord;seul;34"]),
                FaultCause::MissingColumn,
                &["Il manque la colonne « montant »", "Ajoutez-la à l'export", "Colonnes trouvées : id_demande"],
            )
        },
        Case {
            line: Some(3),
            column: Some("type_aide"),
            ..case(
                "an unknown code",
                lines(&[HEADER, SOUND, "d2;m2;energi;accord;1;seul;34"]),
                FaultCause::UnknownCode,
                &["« energi » n'est pas une modalité connue", "S'agit-il de « energie »", "Corrigez la case"],
            )
        },
        Case {
            line: Some(4),
            column: Some("id_demande"),
            ..case(
                "a duplicate key",
                lines(&[HEADER, SOUND, "d2;m2;energie;accord;1;seul;34", SOUND]),
                FaultCause::DuplicateKey,
                &["déjà celui de la ligne 2", "retirez le doublon"],
            )
        },
        Case {
            line: Some(3),
            column: Some("montant"),
            ..case(
                "a number that reads two ways",
                lines(&[HEADER, SOUND, "d2;m2;energie;accord;1.234;seul;34"]),
                FaultCause::Ambiguous,
                &["« 1.234 » se lit de deux façons", "réglez la marque décimale"],
            )
        },
        Case {
            table: "logements",
            line: Some(3),
            column: Some("statut_occupation"),
            ..case(
                "a code that lost its zero",
                "poids;categorie;type_logement;statut_occupation;personnes\n4;4;2;00;Y\n4;4;2;0;Y\n",
                FaultCause::DamagedCode,
                &["sans doute « 00 »", "zéro initial perdu", "gardez la colonne en texte"],
            )
        },
        case("an empty file", "", FaultCause::Empty, &["vide", "vérifiez que l'export"]),
        case("a header without rows", lines(&[HEADER]), FaultCause::Empty, &["n'a que son en-tête", "may_be_empty"]),
        case(
            "a ZIP under the name of a CSV",
            zip,
            FaultCause::NotText,
            &["archive ZIP", "enregistrez-le sous « CSV UTF-8"],
        ),
        Case { line: Some(3), ..case("NUL bytes", nul, FaultCause::NotText, &["octets nuls", "Refaites l'export"]) },
        Case {
            extra: "max_bytes = 64\n",
            ..case(
                "a file above the limit of its source",
                sound,
                FaultCause::TooLarge,
                &["dépasse la taille permise", "max_bytes"],
            )
        },
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_file_is_refused_by_place_cause_and_cure_and_nothing_is_written() {
    let house = House::open().await;
    let folder = house.furnish("93001", "", &[]);
    house.join(&folder, "93001").await;
    let untouched = (rows(&folder.database()).await, rows(&house.hub_folder().database()).await);
    for case in cases() {
        put(folder.root(), "node.toml", settings(case.table, case.extra).as_bytes());
        put(folder.root(), "export.csv", &case.file);
        let node = house.node(&folder).await;
        for purpose in [Purpose::Submit, Purpose::Check] {
            let (fault, french) = refused(&node, purpose).await;
            let what = case.what;
            assert_eq!(
                (fault.cause, fault.line, fault.column.as_deref()),
                (case.cause, case.line, case.column),
                "{what}: {french}"
            );
            assert_eq!(fault.file, "export.csv", "{what}");
            for part in ["export.csv"].iter().chain(case.says) {
                assert!(french.contains(part), "{what}: « {part} » is not in: {french}");
            }
            for place in
                [case.line.map(|line| format!("ligne {line}")), case.column.map(|c| format!("colonne « {c} »"))]
            {
                assert!(place.is_none_or(|place| french.contains(&place)), "{what}: no place in: {french}");
            }
        }
        node.close().await;
    }
    assert_eq!(rows(&folder.database()).await, untouched.0, "the node wrote something");
    assert_eq!(rows(&house.hub_folder().database()).await, untouched.1, "the hub wrote something");
}

/// The one fault of the one source, and what the agent reads.
async fn refused(node: &Node, purpose: Purpose) -> (tabular::Fault, String) {
    match node::preview::preview(node, purpose).await {
        Err(PreviewError::Sources(mut errors)) if errors.len() == 1 => {
            let french = errors[0].french().join("\n");
            match errors.remove(0) {
                CollectError::File { faults, .. } => {
                    assert_eq!(faults.total, 1, "{french}");
                    (faults.first.into_iter().next().expect("one fault"), french)
                }
                other => panic!("not about a file: {other}"),
            }
        }
        Err(other) => panic!("not about a source: {other:?}"),
        Ok(_) => panic!("a wrong file was taken"),
    }
}

/// Two gigabytes without a block on disk: refused by its size, before it is read.
#[tokio::test(flavor = "multi_thread")]
async fn two_gigabytes_are_refused_before_they_are_read() {
    let house = House::open().await;
    let node = house.commune("93001", &settings("aides_facultatives", ""), &[]).await;
    let mut file = std::fs::File::create(node.folder().root().join("export.csv")).expect("a file");
    file.write_all(lines(&[HEADER, SOUND]).as_bytes()).expect("a first line");
    file.set_len(2 << 30).expect("a sparse file");
    let before = bytes_read();
    let (fault, french) = refused(&node, Purpose::Submit).await;
    assert_eq!(fault.cause, FaultCause::TooLarge, "{french}");
    assert!(french.contains("512 Mio") && french.contains("max_bytes"), "{french}");
    // Other tests of this process read too, but not this much.
    assert!(bytes_read() - before < 256 << 20, "it was read before it was refused");
    assert!(node.store().latest_preview().await.expect("storage").is_none());
}

/// What this process has read so far; nothing where the system does not tell.
fn bytes_read() -> u64 {
    let Ok(counters) = std::fs::read_to_string("/proc/self/io") else { return 0 };
    let line = counters.lines().find_map(|line| line.strip_prefix("rchar: "));
    line.and_then(|number| number.trim().parse().ok()).expect("rchar")
}

/// A node whose honest document waits, with its key: what an intruder who took over a node has in hand.
struct Stage {
    house: House,
    node: Node,
    client: HubClient,
    document: Vec<u8>,
}

impl Stage {
    async fn set() -> Self {
        let house = House::open().await;
        let sound: Vec<String> = (0..24).map(|n| format!("d{n};m{n};energie;accord;150,50;seul;34")).collect();
        let file = lines(&[HEADER, &sound.join("\n")]);
        let node =
            house.commune("93001", &settings("aides_facultatives", ""), &[("export.csv", file.as_bytes())]).await;
        let waiting = preview(&node).await;
        approve(&node, &waiting).await;
        let client = house.client(&node).await;
        let document = node.store().outbox().await.expect("storage").remove(0).outgoing.document;
        Self { house, node, client, document }
    }

    fn channel(&self) -> Channel {
        self.client.channel()
    }

    fn sign(&self, document: &[u8]) -> Vec<u8> {
        signing_key(self.node.folder()).sign(document).as_bytes().to_vec()
    }

    fn database(&self) -> std::path::PathBuf {
        self.house.hub_folder().database()
    }

    /// The hub's answer to a document with a good signature.
    async fn submit(&self, document: &[u8]) -> String {
        let messages = upload(&self.sign(document), document.len() as u64, &[document]);
        self.reason(SUBMIT, messages).await
    }

    async fn reason(&self, method: &str, messages: Vec<Vec<u8>>) -> String {
        let refused = call(&self.channel(), method, messages).await.expect_err("something wrong");
        assert_eq!(refused.kind, FailureKind::Invalid, "{refused:?}");
        assert!(refused.message.ends_with('.'), "a French sentence: {}", refused.message);
        refused.reason
    }
}

/// Everything that was refused left the hub as it was; then the honest document is taken.
async fn untouched(stage: &Stage, before: &std::collections::BTreeMap<String, Vec<String>>, database: &Path) {
    assert_eq!(rows(database).await, *before, "a refusal wrote something");
    push(&stage.node).await;
    assert_ne!(rows(database).await, *before, "the honest document was not taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_document_is_refused_by_its_reason_and_the_hub_stays_as_it_was() {
    let stage = Stage::set().await;
    let before = rows(&stage.database()).await;
    let document = &stage.document;

    // Field 99, a text: prost alone would drop it silently.
    let unknown_field = [document.as_slice(), &[0x9a, 0x06, 1, b'x']].concat();
    assert_eq!(stage.submit(&unknown_field).await, "DOCUMENT_NOT_CANONICAL");
    // The same inside the document's one slice, its last field.
    let mut slice = Vec::new();
    let mut nested = forged(document, |d| slice = d.slices.remove(0).encode_to_vec());
    slice.extend([0x9a, 0x06, 1, b'x']);
    nested.push(0x3a);
    prost::encoding::encode_varint(slice.len() as u64, &mut nested);
    nested.extend(slice);
    assert_eq!(stage.submit(&nested).await, "DOCUMENT_NOT_CANONICAL");
    assert_eq!(stage.submit(&forged(document, |d| d.slices[0].territory.push('9'))).await, "DOCUMENT_FIELD_INVALID");
    assert_eq!(stage.submit(&forged(document, |d| d.purpose = 7)).await, "DOCUMENT_FIELD_INVALID");
    assert_eq!(stage.submit(&forged(document, |d| d.approval = 7)).await, "DOCUMENT_FIELD_INVALID");
    let cell = forged(document, |d| {
        use wire::pb::submission::v1::cell::Figure;
        d.slices[0].series[0].cells[0].figure = Some(Figure::Missing(7));
    });
    assert_eq!(stage.submit(&cell).await, "DOCUMENT_FIELD_INVALID");
    assert_eq!(
        stage.submit(&forged(document, |d| d.slices[0].series[0].cells[0].flags = 64)).await,
        "DOCUMENT_FIELD_INVALID"
    );
    assert_eq!(
        stage.submit(&forged(document, |d| d.slices[0].series[0].cells[0].figure = None)).await,
        "DOCUMENT_FIELD_INVALID"
    );
    assert_eq!(stage.submit(&forged(document, |d| d.format = 2)).await, "DOCUMENT_FORMAT_UNKNOWN");
    assert_eq!(stage.submit(&forged(document, |d| d.slices.clear())).await, "DOCUMENT_FIELD_INVALID");
    assert_eq!(stage.submit(b"not a document at all").await, "DOCUMENT_MALFORMED");
    let nothing = upload(&stage.sign(b""), 0, &[]);
    assert_eq!(stage.reason(SUBMIT, nothing).await, "DOCUMENT_FORMAT_UNKNOWN");
    // Signed for another operation.
    assert_eq!(stage.submit(&forged(document, |d| d.purpose = 2)).await, "PURPOSE_MISMATCH");

    let mut signature = stage.sign(document);
    signature[10] ^= 1;
    let whole = |signature: &[u8]| upload(signature, document.len() as u64, &[document]);
    assert_eq!(stage.reason(SUBMIT, whole(&signature)).await, "SIGNATURE_INVALID");
    assert_eq!(stage.reason(SUBMIT, whole(&signature[1..])).await, "UPLOAD_MALFORMED");
    let signature = stage.sign(document);
    let mut changed = document.clone();
    *changed.last_mut().expect("bytes") ^= 1;
    let tampered = upload(&signature, changed.len() as u64, &[&changed]);
    assert_eq!(stage.reason(SUBMIT, tampered).await, "SIGNATURE_INVALID", "one bit on its way");

    untouched(&stage, &before, &stage.database()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_upload_and_a_hundred_megabytes_are_refused_and_the_hub_stays_as_it_was() {
    const HUNDRED: usize = 100 << 20;
    let stage = Stage::set().await;
    let before = rows(&stage.database()).await;
    let document = &stage.document;
    let signature = stage.sign(document);
    let length = document.len() as u64;

    let half = &document[..document.len() / 2];
    assert_eq!(stage.reason(SUBMIT, upload(&signature, length, &[half])).await, "UPLOAD_MALFORMED", "cut short");
    assert_eq!(stage.reason(SUBMIT, upload(&signature, length - 1, &[document])).await, "UPLOAD_MALFORMED", "too long");
    assert_eq!(stage.reason(SUBMIT, upload(&signature, length, &[])).await, "UPLOAD_MALFORMED", "nothing follows");
    assert_eq!(
        stage.reason(SUBMIT, vec![b"\xff\xff\xff".to_vec()]).await,
        "UPLOAD_MALFORMED",
        "not the message at all"
    );

    // Announced, in one message, and in chunks of the permitted size.
    let announced = upload(&signature, HUNDRED as u64, &[]);
    assert_eq!(stage.reason(SUBMIT, announced).await, "DOCUMENT_TOO_LARGE");
    let large = vec![0_u8; HUNDRED];
    assert_eq!(stage.reason(SUBMIT, upload(&signature, length, &[&large])).await, "MESSAGE_TOO_LARGE");
    assert_eq!(stage.reason(WITHDRAW, vec![large.clone()]).await, "MESSAGE_TOO_LARGE");
    let chunks: Vec<&[u8]> = large.chunks(1 << 20).collect();
    assert_eq!(stage.reason(SUBMIT, upload(&signature, length, &chunks)).await, "UPLOAD_MALFORMED");

    // Whoever hangs up in the middle leaves nothing either; the connection goes on.
    hang_up(&stage.channel(), upload(&signature, length, &[half])).await;
    assert_eq!(
        refusal(stage.client.submit(b"x", &signing_key(stage.node.folder()).sign(b"x")).await).reason,
        "DOCUMENT_MALFORMED"
    );

    untouched(&stage, &before, &stage.database()).await;
}

/// Sends these messages and goes away without an end.
async fn hang_up(channel: &Channel, messages: Vec<Vec<u8>>) {
    let (taken, all_taken) = tokio::sync::oneshot::channel();
    let end = futures::stream::once(async move {
        // Asked for the next message: the ones before are on their way.
        taken.send(()).expect("the test waits for this");
        std::future::pending::<Vec<u8>>().await
    });
    let messages = futures::StreamExt::chain(futures::stream::iter(messages), end);
    tokio::select! {
        _ = crate::intruder::call_with(channel, SUBMIT, messages) => panic!("answered an upload that has not ended"),
        taken = all_taken => taken.expect("the stream was asked"),
    }
}
