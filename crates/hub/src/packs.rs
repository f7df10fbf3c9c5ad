//! The packs that the hub takes figures for, signed once per version.

use std::collections::BTreeMap;

use methodology::{Indicator, Pack, Table};
use model::{Failure, FailureKind, Hash, IndicatorCode, PackCode, TableCode, Timestamp};
use seal::{Signature, SigningKey};
use store::hub::{HubStore, PackRecord};
use wire::document::{PackFiles, SignedPack};

use crate::failure;

/// The current version of each pack, by code.
pub(crate) struct Packs(BTreeMap<PackCode, Published>);

pub(crate) struct Published {
    pub(crate) pack: Pack,
    pub(crate) signed: SignedPack,
    pub(crate) hash: Hash,
}

impl Packs {
    /// Signs packs that are new here. One whose files changed under the same version is refused: figures sent under
    /// that version would silently mean something else.
    pub(crate) async fn publish(
        packs: Vec<Pack>,
        store: &HubStore,
        key: &SigningKey,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let mut published = BTreeMap::new();
        for pack in packs {
            let code = pack.code().clone();
            let signed = signed(&pack, store, key, now).await?;
            let hash = signed.hash();
            published.insert(code, Published { pack, signed, hash });
        }
        Ok(Self(published))
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Published> {
        self.0.values()
    }

    pub(crate) fn get(&self, code: &PackCode) -> Option<&Published> {
        self.0.get(code)
    }

    pub(crate) fn table(&self, pack: &PackCode, table: &TableCode) -> Option<&Table> {
        self.get(pack)?.pack.table(table)
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

async fn signed(pack: &Pack, store: &HubStore, key: &SigningKey, now: Timestamp) -> Result<SignedPack, Failure> {
    let defect = |error: wire::document::DocumentError| failure::internal("PACK", error.to_string());
    let files =
        PackFiles { code: pack.code().clone(), version: pack.version().to_owned(), files: pack.files().clone() };
    let fresh = SignedPack::sign(&files, key).map_err(defect)?;
    let record = PackRecord {
        code: pack.code().clone(),
        version: pack.version().to_owned(),
        hash: fresh.hash(),
        document: fresh.document.clone(),
        signature: fresh.signature.as_bytes().to_vec(),
        signing_key: fresh.key,
        added_at: now,
    };
    if !store.add_pack(&record).await.map_err(failure::storage)? {
        return Err(Failure::new(
            FailureKind::Conflict,
            "PACK_CHANGED",
            format!("pack {} {} was published with other files", pack.code(), pack.version()),
            format!(
                "Le référentiel « {} » a changé sans changer de version ({}) : augmentez sa version.",
                pack.title(),
                pack.version()
            ),
        ));
    }
    // The signature made when the version was published, perhaps by a former key, is the one that nodes may hold.
    let kept = store.pack(pack.code(), pack.version()).await.map_err(failure::storage)?;
    let kept = kept.ok_or_else(|| failure::damaged("pack"))?;
    let signature = Signature::from_slice(&kept.signature).map_err(|_| failure::damaged("signature of a pack"))?;
    Ok(SignedPack { document: kept.document, signature, key: kept.signing_key })
}
