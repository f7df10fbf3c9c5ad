//! `maillage.methodology.v1`.

use std::pin::Pin;
use std::time::Duration;

use futures::{Stream, stream};
use model::{Failure, FailureKind, PackCode};
use tokio::time::MissedTickBehavior;
use wire::pb::methodology::v1::methodology_service_server::MethodologyService;
use wire::pb::methodology::v1::{
    FormerVersion, GetPackRequest, GetPackResponse, ListPacksRequest, ListPacksResponse, PackSummary,
    WatchPacksRequest, WatchPacksResponse,
};
use wire::tonic::{Request, Response, Status, async_trait};

use super::{Services, malformed};
use crate::packs::{Published, signed};
use crate::{Hub, failure};

/// How often the database is asked whether something was published, perhaps by another process.
const LOOK: Duration = Duration::from_secs(2);

#[async_trait]
impl MethodologyService for Services {
    async fn list_packs(&self, _: Request<ListPacksRequest>) -> Result<Response<ListPacksResponse>, Status> {
        self.answer("ListPacks", list(&self.0).await)
    }

    type WatchPacksStream = Pin<Box<dyn Stream<Item = Result<WatchPacksResponse, Status>> + Send>>;

    async fn watch_packs(&self, _: Request<WatchPacksRequest>) -> Result<Response<Self::WatchPacksStream>, Status> {
        Ok(Response::new(Box::pin(watch(self.clone()))))
    }

    async fn get_pack(&self, request: Request<GetPackRequest>) -> Result<Response<GetPackResponse>, Status> {
        let request = request.into_inner();
        let found = match request.code.parse::<PackCode>() {
            Ok(code) => get(&self.0, &code, &request.version).await,
            Err(_) => Err(malformed("code")),
        };
        self.answer("GetPack", found)
    }
}

/// The packs now, then whenever they change, until the hub closes.
fn watch(services: Services) -> impl Stream<Item = Result<WatchPacksResponse, Status>> + Send {
    let mut looks = tokio::time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    stream::unfold((services, looks, None), async |(services, mut looks, mut told)| {
        loop {
            tokio::select! {
                biased;
                () = services.1.cancelled() => return None,
                _ = looks.tick() => {}
            }
            let packs = match summaries(&services.0).await {
                Ok(packs) if told.as_ref() == Some(&packs) => continue,
                Ok(packs) => packs,
                Err(failure) => {
                    return Some((Err(services.refuse("WatchPacks", failure.into())), (services, looks, told)));
                }
            };
            told = Some(packs.clone());
            return Some((Ok(WatchPacksResponse { packs }), (services, looks, told)));
        }
    })
}

async fn list(hub: &Hub) -> Result<ListPacksResponse, Failure> {
    Ok(ListPacksResponse { packs: summaries(hub).await?, hub_sealing_key: Some((&hub.sealing_key()).into()) })
}

async fn summaries(hub: &Hub) -> Result<Vec<PackSummary>, Failure> {
    let now = hub.now();
    let packs = hub.packs().await?;
    let summary = |published: &Published| PackSummary {
        code: published.pack.code().to_string(),
        version: published.pack.version().to_owned(),
        title: published.pack.title().to_owned(),
        hash: published.hash.as_bytes().to_vec(),
        former: published
            .former
            .as_ref()
            .filter(|former| now <= former.until)
            .map(|former| FormerVersion { version: former.version.clone(), until_micros: former.until.as_micros() }),
    };
    Ok(packs.all().map(summary).collect())
}

async fn get(hub: &Hub, code: &PackCode, version: &str) -> Result<GetPackResponse, Failure> {
    let packs = hub.packs().await?;
    let unknown = |what: String| Failure::new(FailureKind::NotFound, "PACK_UNKNOWN", "no such pack", what);
    let published = packs.get(code).ok_or_else(|| unknown(format!("Le centre n’a pas de référentiel « {code} ».")))?;
    if version.is_empty() || version == published.pack.version() {
        return Ok(GetPackResponse::from(&published.signed));
    }
    let record = hub.0.store.pack(code, version).await.map_err(failure::storage)?;
    let record = record.ok_or_else(|| {
        unknown(format!("Le centre n’a jamais publié de version « {version} » du référentiel « {code} »."))
    })?;
    Ok(GetPackResponse::from(&signed(record)?))
}
