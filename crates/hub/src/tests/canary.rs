//! Figures that the hub refuses leave no trace: not in its answer, its log, its files.

use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use super::figures::*;
use super::stage::*;

/// Each count is told from every other and from everything else by its seven digits.
const CANARIES: Counts = [(1_234_561, 2_345_671), (3_456_781, 4_567_891), (5_678_901, 6_789_011)];

/// What the whole process logs from now on, at the finest level. Process-wide, because the subscriber of one thread
/// misses the others, and call sites that another test reached first.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn listen() -> Self {
        let log = Self::default();
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(log.clone())
            .try_init()
            .expect("nobody else listens in this process");
        log
    }

    fn heard(&self) -> Vec<u8> {
        self.0.lock().expect("no panic while held").clone()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic while held").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// All the ways in which a figure could be written: decimal, binary in both orders, zigzag varint.
fn writings(value: i64) -> Vec<Vec<u8>> {
    let mut varint = Vec::new();
    let mut rest = (value << 1).cast_unsigned();
    while rest >= 0x80 {
        varint.push(u8::try_from(rest & 0x7f).expect("seven bits") | 0x80);
        rest >>= 7;
    }
    varint.push(u8::try_from(rest).expect("seven bits are left"));
    let binary = i32::try_from(value).expect("seven digits");
    vec![value.to_string().into_bytes(), binary.to_be_bytes().to_vec(), binary.to_le_bytes().to_vec(), varint]
}

fn traces(bytes: &[u8]) -> usize {
    let counts = CANARIES.iter().flat_map(|(accords, refusals)| [*accords, *refusals, accords + refusals]);
    counts
        .flat_map(writings)
        .filter(|writing| bytes.windows(writing.len()).any(|window| window == writing.as_slice()))
        .count()
}

#[tokio::test]
async fn a_refused_figure_is_in_no_answer_no_log_and_no_file() {
    let log = Log::listen();
    let mut stage = Stage::bare(None).await;
    stage.restart(vec![pack_with("1.0.0", 90_000_000)]).await;
    let node = stage.join("93066").await;
    let small = received(&pack_with("1.0.0", 90_000_000), "93066", "2025", CANARIES, &[]);
    let document = node.document(1, wire::document::Purpose::Submit, std::slice::from_ref(&small));
    assert!(traces(&document) >= 6, "the search finds them where they are");

    let refused = refusal(node.send(&document).await);
    assert_eq!(refused.reason, "DISCLOSURE_CONFLICT");
    assert_eq!(traces(format!("{refused:?}").as_bytes()), 0);
    let mut foreign = small;
    foreign.slice.territory = commune("93001");
    assert_eq!(reason(node.submit(2, &[foreign]).await), "TERRITORY_NOT_YOURS");
    stage.halt().await;

    let log = log.heard();
    assert!(String::from_utf8_lossy(&log).contains("DISCLOSURE_CONFLICT"), "the refusal itself is logged");
    assert_eq!(traces(&log), 0);
    let mut files = 0;
    for entry in std::fs::read_dir(stage.hub.folder().root()).expect("lists") {
        let path = entry.expect("lists").path();
        if path.is_file() {
            assert_eq!(traces(&std::fs::read(&path).expect("reads")), 0, "{}", path.display());
            files += 1;
        }
    }
    assert!(files >= 2, "the database is there");
}
