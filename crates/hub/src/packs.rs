//! The packs that the hub takes figures for: two versions of each, and what was meant under any earlier one.
//!
//! Which versions these are stands in the database, not in memory: a version may be published beside a hub that serves,
//! or by another hub on the same database. [`Hub::packs`] looks there each time and parses only what is new.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use methodology::{Indicator, Pack, Table, is_later};
use model::{Failure, FailureKind, Hash, IndicatorCode, PackCode, TableCode, Timestamp};
use seal::{Signature, SigningKey};
use store::hub::{FormerVersion, HubStore, PackLine, PackPublication, PackRecord};
use wire::document::{PackFiles, SignedPack};

use crate::publish::FORMER_TAKEN;
use crate::{Hub, failure};

/// How often a line is read again because somebody else moved it meanwhile.
const ATTEMPTS: usize = 5;

/// What was published, as one state of the database.
#[derive(Default)]
pub(crate) struct Packs {
    lines: Vec<PackLine>,
    current: BTreeMap<PackCode, Published>,
    /// Every version ever published that this program reads, the current ones too.
    versions: BTreeMap<PackCode, BTreeMap<String, Arc<Pack>>>,
}

/// The packs as last read.
pub(crate) struct Known(RwLock<Arc<Packs>>);

pub(crate) struct Published {
    pub(crate) pack: Arc<Pack>,
    pub(crate) signed: SignedPack,
    pub(crate) hash: Hash,
    pub(crate) former: Option<FormerVersion>,
}

/// Why figures are not taken under a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotTaken {
    /// It was, until this instant.
    Ended(Timestamp),
    /// Neither the current version nor the one before it.
    Other,
}

impl Hub {
    /// The packs as they are published now.
    pub(crate) async fn packs(&self) -> Result<Arc<Packs>, Failure> {
        let lines = self.0.store.pack_lines().await.map_err(failure::storage)?;
        let known = self.0.packs.get();
        if known.lines == lines {
            return Ok(known);
        }
        let fresh = Arc::new(Packs::load(lines, &self.0.store, &known.every()).await?);
        self.0.packs.set(Arc::clone(&fresh));
        Ok(fresh)
    }
}

impl Known {
    pub(crate) fn new(packs: Packs) -> Self {
        Self(RwLock::new(Arc::new(packs)))
    }

    // Replaced as a whole: it is whole even if a thread died while holding the lock.
    fn get(&self) -> Arc<Packs> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, packs: Arc<Packs>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = packs;
    }
}

impl Packs {
    /// Publishes what this program brings and the database has not, or has in an earlier version; then reads everything.
    /// A pack whose files changed under the same version is refused: figures sent under that version would silently
    /// mean something else. One that was published here in a later version stays as it is.
    pub(crate) async fn open(
        brought: Vec<Pack>,
        store: &HubStore,
        key: &SigningKey,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let brought: Vec<Arc<Pack>> = brought.into_iter().map(Arc::new).collect();
        for pack in &brought {
            bring(pack, store, key, now).await?;
        }
        let lines = store.pack_lines().await.map_err(failure::storage)?;
        Self::load(lines, store, &brought).await
    }

    /// `read` are packs that need no second reading.
    async fn load(lines: Vec<PackLine>, store: &HubStore, read: &[Arc<Pack>]) -> Result<Self, Failure> {
        let mut packs = Self { lines, ..Self::default() };
        for line in &packs.lines {
            let mut versions = BTreeMap::new();
            for version in store.pack_versions(&line.code).await.map_err(failure::storage)? {
                let record = store.pack(&line.code, &version).await.map_err(failure::storage)?;
                let record = record.ok_or_else(|| failure::damaged("pack"))?;
                let current = version == line.version;
                let Some(pack) = parsed(&record, read) else {
                    // Published with another version of this program. The others must not suffer from it.
                    tracing::error!(pack = %line.code, %version, current, "this version of a pack does not read here");
                    continue;
                };
                if current {
                    let signed = signed(record)?;
                    let hash = signed.hash();
                    let former = line.former.clone();
                    let published = Published { pack: Arc::clone(&pack), signed, hash, former };
                    packs.current.insert(line.code.clone(), published);
                }
                versions.insert(version, pack);
            }
            packs.versions.insert(line.code.clone(), versions);
        }
        Ok(packs)
    }

    fn every(&self) -> Vec<Arc<Pack>> {
        self.versions.values().flat_map(BTreeMap::values).cloned().collect()
    }

    /// Current versions, by code.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Published> {
        self.current.values()
    }

    pub(crate) fn get(&self, code: &PackCode) -> Option<&Published> {
        self.current.get(code)
    }

    /// A table of a current version.
    pub(crate) fn table(&self, pack: &PackCode, table: &TableCode) -> Option<&Table> {
        self.get(pack)?.pack.table(table)
    }

    /// Any version that was ever published here: what figures sent under it mean.
    pub(crate) fn version(&self, code: &PackCode, version: &str) -> Option<&Arc<Pack>> {
        self.versions.get(code)?.get(version)
    }

    /// The version that figures are taken under at `now`: the current one, or the former until its last instant.
    /// `None`: no such pack.
    pub(crate) fn taken(&self, code: &PackCode, version: &str, now: Timestamp) -> Option<Result<&Pack, NotTaken>> {
        let published = self.get(code)?;
        if published.pack.version() == version {
            return Some(Ok(published.pack.as_ref()));
        }
        let former = published.former.as_ref().filter(|former| former.version == version);
        Some(match (former, self.version(code, version)) {
            (Some(former), Some(pack)) if now <= former.until => Ok(pack.as_ref()),
            (Some(former), _) if now > former.until => Err(NotTaken::Ended(former.until)),
            _ => Err(NotTaken::Other),
        })
    }

    pub(crate) fn line(&self, code: &PackCode) -> Option<&PackLine> {
        self.lines.iter().find(|line| line.code == *code)
    }

    /// Every pack that has this indicator, with its table.
    pub(crate) fn having<'a>(
        &'a self,
        indicator: &'a IndicatorCode,
    ) -> impl Iterator<Item = (&'a Published, &'a Table, &'a Indicator)> {
        self.all().filter_map(|published| {
            let (table, indicator) = published.pack.indicator(indicator)?;
            Some((published, table, indicator))
        })
    }
}

fn parsed(record: &PackRecord, read: &[Arc<Pack>]) -> Option<Arc<Pack>> {
    let files = PackFiles::decode(&record.document).ok()?.files;
    if let Some(known) = read.iter().find(|pack| *pack.files() == files) {
        return Some(Arc::clone(known));
    }
    Pack::parse(&files).ok().map(Arc::new)
}

/// The signature made when the version was published, perhaps by a former key, is the one that nodes may hold.
pub(crate) fn signed(record: PackRecord) -> Result<SignedPack, Failure> {
    let signature = Signature::from_slice(&record.signature).map_err(|_| failure::damaged("signature of a pack"))?;
    Ok(SignedPack { document: record.document, signature, key: record.signing_key })
}

/// A version as it is written down when it is published.
pub(crate) fn record(pack: &Pack, key: &SigningKey, now: Timestamp) -> Result<PackRecord, Failure> {
    let files =
        PackFiles { code: pack.code().clone(), version: pack.version().to_owned(), files: pack.files().clone() };
    let signed = SignedPack::sign(&files, key).map_err(|error| failure::internal("PACK", error.to_string()))?;
    Ok(PackRecord {
        code: pack.code().clone(),
        version: pack.version().to_owned(),
        hash: signed.hash(),
        document: signed.document,
        signature: signed.signature.as_bytes().to_vec(),
        signing_key: signed.key,
        added_at: now,
    })
}

async fn bring(pack: &Pack, store: &HubStore, key: &SigningKey, now: Timestamp) -> Result<(), Failure> {
    let record = record(pack, key, now)?;
    for _ in 0..ATTEMPTS {
        let lines = store.pack_lines().await.map_err(failure::storage)?;
        let line = lines.into_iter().find(|line| line.code == *pack.code());
        if line.as_ref().is_some_and(|line| is_later(&line.version, pack.version())) {
            return Ok(());
        }
        let former = match &line {
            Some(line) if line.version == pack.version() => line.former.clone(),
            Some(line) => {
                Some(line.version.clone()).map(|version| FormerVersion { version, until: now.plus(FORMER_TAKEN) })
            }
            // A database from before lines were kept.
            None => latest_before(pack, store)
                .await?
                .map(|version| FormerVersion { version, until: now.plus(FORMER_TAKEN) }),
        };
        let next = PackLine { code: pack.code().clone(), version: pack.version().to_owned(), former };
        match store.publish_pack(&record, &next, line.as_ref()).await.map_err(failure::storage)? {
            PackPublication::Done => return Ok(()),
            PackPublication::OtherBytes => return Err(changed(pack)),
            PackPublication::Overtaken => {}
        }
    }
    Err(failure::internal("PACK", "the line of a pack is moved all the time"))
}

async fn latest_before(pack: &Pack, store: &HubStore) -> Result<Option<String>, Failure> {
    let versions = store.pack_versions(pack.code()).await.map_err(failure::storage)?;
    let mut latest: Option<String> = None;
    for version in versions.into_iter().filter(|version| is_later(pack.version(), version)) {
        if latest.as_ref().is_none_or(|latest| is_later(&version, latest)) {
            latest = Some(version);
        }
    }
    Ok(latest)
}

/// A published version never changes.
pub(crate) fn changed(pack: &Pack) -> Failure {
    Failure::new(
        FailureKind::Conflict,
        "PACK_CHANGED",
        format!("pack {} {} was published with other files", pack.code(), pack.version()),
        format!(
            "Le référentiel « {} » a changé sans changer de version ({}) : augmentez sa version.",
            pack.title(),
            pack.version()
        ),
    )
}
