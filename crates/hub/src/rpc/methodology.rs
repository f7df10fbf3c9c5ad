//! `maillage.methodology.v1`.

use model::{Failure, FailureKind, PackCode};
use wire::pb::methodology::v1::methodology_service_server::MethodologyService;
use wire::pb::methodology::v1::{GetPackRequest, GetPackResponse, ListPacksRequest, ListPacksResponse, PackSummary};
use wire::tonic::{Request, Response, Status, async_trait};

use super::{Services, malformed};

#[async_trait]
impl MethodologyService for Services {
    async fn list_packs(&self, _: Request<ListPacksRequest>) -> Result<Response<ListPacksResponse>, Status> {
        let packs = self
            .0
            .0
            .packs
            .all()
            .map(|published| PackSummary {
                code: published.pack.code().to_string(),
                version: published.pack.version().to_owned(),
                title: published.pack.title().to_owned(),
                hash: published.hash.as_bytes().to_vec(),
            })
            .collect();
        let hub_sealing_key = Some((&self.0.sealing_key()).into());
        Ok(Response::new(ListPacksResponse { packs, hub_sealing_key }))
    }

    async fn get_pack(&self, request: Request<GetPackRequest>) -> Result<Response<GetPackResponse>, Status> {
        let code = request.into_inner().code.parse::<PackCode>().map_err(|_| malformed("code"));
        let found = code.and_then(|code| match self.0.0.packs.get(&code) {
            Some(published) => Ok(GetPackResponse::from(&published.signed)),
            None => Err(Failure::new(
                FailureKind::NotFound,
                "PACK_UNKNOWN",
                "no such pack",
                format!("Le centre n’a pas de référentiel « {code} »."),
            )),
        });
        self.answer("GetPack", found)
    }
}
