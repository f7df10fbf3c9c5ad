//! What is counted, in a registry of this hub's own.
//!
//! Labels hold methods, codes, reasons, kinds and communes that joined: what the operator's log says too. None holds a
//! figure, and none counts hidden cells.

use std::time::Duration;

use model::{CommuneCode, Timestamp};
use prometheus_client::encoding::text::encode_registry;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::readiness::free_bytes;
use crate::Hub;
use crate::auth::callers;

type Labels = Vec<(&'static str, String)>;

/// Seconds: from a read to an attack on a large table.
const CALLS: [f64; 9] = [0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 5.0, 15.0, 60.0];

pub(crate) struct Metrics {
    registry: Registry,
    handshakes_refused: Family<Labels, Counter>,
    calls: Family<Labels, Counter>,
    call_seconds: Family<Labels, Histogram, fn() -> Histogram>,
    documents: Family<Labels, Counter>,
    refused: Family<Labels, Counter>,
    attack_seconds: Histogram,
    attacks_waiting: Gauge,
    uploads: Gauge,
    ready: Gauge,
    ledger_number: Gauge,
    certificate_end: Family<Labels, Gauge>,
    last_contact: Family<Labels, Gauge>,
    hub_certificate_end: Gauge,
    last_backup: Gauge,
    last_restoration: Gauge,
    database_bytes: Gauge,
    disk_free_bytes: Gauge,
    memory_bytes: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("maillage"),
            handshakes_refused: Family::default(),
            calls: Family::default(),
            call_seconds: Family::new_with_constructor(histogram),
            documents: Family::default(),
            refused: Family::default(),
            attack_seconds: histogram(),
            attacks_waiting: Gauge::default(),
            uploads: Gauge::default(),
            ready: Gauge::default(),
            ledger_number: Gauge::default(),
            certificate_end: Family::default(),
            last_contact: Family::default(),
            hub_certificate_end: Gauge::default(),
            last_backup: Gauge::default(),
            last_restoration: Gauge::default(),
            database_bytes: Gauge::default(),
            disk_free_bytes: Gauge::default(),
            memory_bytes: Gauge::default(),
        };
        metrics.register();
        metrics
    }
}

fn histogram() -> Histogram {
    Histogram::new(CALLS)
}

impl Metrics {
    fn register(&mut self) {
        let r = &mut self.registry;
        r.register(
            "handshakes_refused",
            "TLS handshakes that came to nothing, by reason",
            self.handshakes_refused.clone(),
        );
        r.register("calls", "Calls answered at the nodes' door, by method and gRPC code", self.calls.clone());
        r.register(
            "call_duration_seconds",
            "From a request's head to its answer's, by method",
            self.call_seconds.clone(),
        );
        r.register(
            "documents",
            "Documents taken, by kind and outcome (accepted, repeated, recovered)",
            self.documents.clone(),
        );
        r.register("documents_refused", "Documents refused whole, by method and reason", self.refused.clone());
        r.register(
            "attack_duration_seconds",
            "How long the intruder was played, waiting left out",
            self.attack_seconds.clone(),
        );
        r.register("attacks_waiting", "Documents waiting for their turn to be attacked", self.attacks_waiting.clone());
        r.register("uploads_in_flight", "Documents being received or judged", self.uploads.clone());
        r.register("ready", "1 if the hub is ready, as /ready says", self.ready.clone());
        r.register("ledger_number", "The last acceptance number", self.ledger_number.clone());
        r.register(
            "node_certificate_end_timestamp_seconds",
            "When the certificate of a living node ends",
            self.certificate_end.clone(),
        );
        r.register(
            "node_last_contact_timestamp_seconds",
            "When a living node last spoke, to the minute",
            self.last_contact.clone(),
        );
        r.register(
            "certificate_end_timestamp_seconds",
            "When the hub's own certificate ends",
            self.hub_certificate_end.clone(),
        );
        r.register(
            "last_backup_timestamp_seconds",
            "When the newest backup was taken; 0 if never",
            self.last_backup.clone(),
        );
        r.register(
            "last_restoration_timestamp_seconds",
            "When this hub was restored from a backup; 0 if never",
            self.last_restoration.clone(),
        );
        r.register("database_size_bytes", "Bytes of the database", self.database_bytes.clone());
        r.register("disk_free_bytes", "Bytes free on the disk of the hub's folder", self.disk_free_bytes.clone());
        r.register("resident_memory_bytes", "Bytes of memory that the process holds", self.memory_bytes.clone());
    }

    pub(crate) fn handshake_refused(&self, reason: &'static str) {
        self.handshakes_refused.get_or_create(&vec![("reason", reason.to_owned())]).inc();
    }

    pub(crate) fn answered(&self, method: &str, code: &str, took: Duration) {
        // A caller may write any path: only those of the contract become labels.
        let method = if callers(method).is_some() { method.to_owned() } else { "unknown".to_owned() };
        self.call_seconds.get_or_create(&vec![("method", method.clone())]).observe(took.as_secs_f64());
        self.calls.get_or_create(&vec![("method", method), ("code", code.to_owned())]).inc();
    }

    /// `outcome`: accepted, repeated or recovered.
    pub(crate) fn taken(&self, kind: store::DocumentKind, outcome: &'static str) {
        self.documents.get_or_create(&vec![("kind", kind.to_string()), ("outcome", outcome.to_owned())]).inc();
    }

    pub(crate) fn refused(&self, method: &'static str, reason: &str) {
        self.refused.get_or_create(&vec![("method", method.to_owned()), ("reason", reason.to_owned())]).inc();
    }

    /// A document is being received or judged until this is dropped.
    pub(crate) fn upload(&self) -> Counted {
        Counted::one(&self.uploads)
    }

    /// A document waits for its attack until this is dropped.
    pub(crate) fn attack_waits(&self) -> Counted {
        Counted::one(&self.attacks_waiting)
    }

    pub(crate) fn attacked(&self, took: Duration) {
        self.attack_seconds.observe(took.as_secs_f64());
    }
}

/// One more, as long as it is held.
pub(crate) struct Counted(Gauge);

impl Counted {
    fn one(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Hub {
    /// Everything in Prometheus's text form. What the database cannot say now keeps its last value.
    pub(crate) async fn exposition(&self) -> String {
        let metrics = &self.0.metrics;
        metrics.ready.set(i64::from(self.obstacles().await.is_empty()));
        if let Err(error) = self.measure().await {
            tracing::warn!(%error, "metrics without the database's part");
        }
        if let Some(end) = self.0.certificate_end.get() {
            metrics.hub_certificate_end.set(end.as_seconds());
        }
        if let Some(free) = free_bytes(self.folder().root()) {
            metrics.disk_free_bytes.set(signed(free));
        }
        if let Some(held) = resident_bytes() {
            metrics.memory_bytes.set(signed(held));
        }
        let mut text = String::new();
        encode_registry(&mut text, &metrics.registry).expect("a String takes any text");
        prometheus(&text)
    }

    async fn measure(&self) -> Result<(), store::StoreError> {
        let (metrics, store) = (&self.0.metrics, &self.0.store);
        metrics.ledger_number.set(signed(store.number().await?));
        metrics.database_bytes.set(signed(store.size().await?));
        let backup = store.last_backup().await?;
        metrics.last_backup.set(backup.map_or(0, |backup| backup.taken_at.as_seconds()));
        let restoration = store.last_restoration().await?;
        metrics.last_restoration.set(restoration.map_or(0, |one| one.restored_at.as_seconds()));
        let label = |commune: CommuneCode| vec![("commune", commune.to_string())];
        metrics.certificate_end.clear();
        metrics.last_contact.clear();
        for record in store.nodes().await?.into_iter().filter(|record| record.revoked_at.is_none()) {
            let node = &record.node;
            let end = node.certificate_not_after.as_seconds();
            metrics.certificate_end.get_or_create(&label(node.provider)).set(end);
            let contact = record.last_contact.map_or(0, Timestamp::as_seconds);
            metrics.last_contact.get_or_create(&label(node.provider)).set(contact);
        }
        Ok(())
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// As Linux says; elsewhere nobody does.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The library writes OpenMetrics, where the head of a counter lacks the `_total` of its lines; readers of the older
/// form, `promtool` among them, take those for two metrics.
fn prometheus(text: &str) -> String {
    let counters: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let head = |kind: &str| {
            let (name, rest) = line.strip_prefix(kind)?.split_once(' ')?;
            counters.contains(&name).then(|| format!("{kind}{name}_total {rest}"))
        };
        let line = head("# HELP ").or_else(|| head("# TYPE ")).unwrap_or_else(|| line.to_owned());
        out.push_str(&line);
        out.push('\n');
    }
    out
}
