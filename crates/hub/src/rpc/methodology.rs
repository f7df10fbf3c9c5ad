//! `maillage.methodology.v1`.

use model::{Failure, FailureKind, PackCode};
use wire::pb::methodology::v1::methodology_service_server::MethodologyService;
use wire::pb::methodology::v1::{
    FormerVersion, GetPackRequest, GetPackResponse, ListPacksRequest, ListPacksResponse, PackSummary,
};
use wire::tonic::{Request, Response, Status, async_trait};

use super::{Services, malformed};
use crate::packs::signed;
use crate::{Hub, failure};

#[async_trait]
impl MethodologyService for Services {
    async fn list_packs(&self, _: Request<ListPacksRequest>) -> Result<Response<ListPacksResponse>, Status> {
        self.answer("ListPacks", list(&self.0).await)
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

async fn list(hub: &Hub) -> Result<ListPacksResponse, Failure> {
    let now = hub.now();
    let packs = hub.packs().await?;
    let packs = packs.all().map(|published| PackSummary {
        code: published.pack.code().to_string(),
        version: published.pack.version().to_owned(),
        title: published.pack.title().to_owned(),
        hash: published.hash.as_bytes().to_vec(),
        former: published
            .former
            .as_ref()
            .filter(|former| now <= former.until)
            .map(|former| FormerVersion { version: former.version.clone(), until_micros: former.until.as_micros() }),
    });
    Ok(ListPacksResponse { packs: packs.collect(), hub_sealing_key: Some((&hub.sealing_key()).into()) })
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
