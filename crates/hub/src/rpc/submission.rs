//! `maillage.submission.v1`.

use std::pin::Pin;

use futures::Stream;
use model::{Failure, SubmissionId};
use seal::Signature;
use wire::document::{MAX_DOCUMENT, Purpose};
use wire::identity::Peer;
use wire::ledger::give_back;
use wire::pb::submission::v1::submission_service_server::SubmissionService;
use wire::pb::submission::v1::{
    CheckRequest, CheckResponse, GetRequest, GetResponse, ListRequest, ListResponse, RecoverRequest, RecoverResponse,
    StandingRequest, StandingResponse, SubmitRequest, SubmitResponse, WithdrawRequest, WithdrawResponse,
};
use wire::recovery;
use wire::status::Refusal;
use wire::tonic::{Request, Response, Status, Streaming, async_trait};
use wire::upload::{Upload, UploadMessage, receive};

use super::{Services, malformed};
use crate::submit::Answer;

impl Services {
    /// The peer is known before a single byte of the document is read.
    async fn take<M: UploadMessage>(
        &self,
        method: &'static str,
        purpose: Purpose,
        request: Request<Streaming<M>>,
    ) -> Result<Answer, Status> {
        let peer = Peer::of(&request);
        let provider = self.0.provider(&peer).await.map_err(|failure| self.refuse(method, failure.into()))?;
        let turns = &self.0.0.turns;
        let mut entry = turns.enter(self.0.entropy()).map_err(|refusal| self.refuse(method, refusal))?;
        let _counted = self.0.0.metrics.upload();
        let (upload, room): (Upload, _) = receive(request.into_inner(), async |length| {
            turns.room(length, self.0.entropy()).await.map_err(|refusal| self.refuse(method, refusal))
        })
        .await?;
        entry.arrived();
        let answer = self.0.submit(&provider, purpose, upload).await.map_err(|refusal| self.refuse(method, refusal));
        drop((room, entry));
        answer
    }
}

#[async_trait]
impl SubmissionService for Services {
    async fn check(&self, request: Request<Streaming<CheckRequest>>) -> Result<Response<CheckResponse>, Status> {
        let answer = self.take("Check", Purpose::Check, request).await?;
        let receipt = Some((&answer.receipt).into());
        Ok(Response::new(CheckResponse { receipt, already_received: answer.already_received }))
    }

    async fn submit(&self, request: Request<Streaming<SubmitRequest>>) -> Result<Response<SubmitResponse>, Status> {
        let answer = self.take("Submit", Purpose::Submit, request).await?;
        let receipt = Some((&answer.receipt).into());
        Ok(Response::new(SubmitResponse { receipt, already_received: answer.already_received }))
    }

    type GetStream = Pin<Box<dyn Stream<Item = Result<GetResponse, Status>> + Send>>;

    async fn get(&self, request: Request<GetRequest>) -> Result<Response<Self::GetStream>, Status> {
        let peer = Peer::of(&request);
        let found = async {
            let provider = self.0.provider(&peer).await?;
            let id = SubmissionId::from_slice(&request.into_inner().submission_id)
                .ok_or_else(|| malformed("submission_id"))?;
            let (entry, document) = self.0.get(&provider, id).await?;
            Ok::<Self::GetStream, Failure>(Box::pin(give_back(&entry, &document)))
        };
        let found = found.await;
        self.answer("Get", found)
    }

    async fn list(&self, request: Request<ListRequest>) -> Result<Response<ListResponse>, Status> {
        let peer = Peer::of(&request);
        let listed = async {
            let provider = self.0.provider(&peer).await?;
            let request = request.into_inner();
            let territory = request.territory.parse().map_err(|_| malformed("territory"))?;
            let page = self.0.list(&provider, territory, request.after_sequence, request.page_size).await?;
            Ok::<_, Failure>(ListResponse::from(&page))
        };
        let listed = listed.await;
        self.answer("List", listed)
    }

    async fn withdraw(&self, request: Request<WithdrawRequest>) -> Result<Response<WithdrawResponse>, Status> {
        let peer = Peer::of(&request);
        let withdrawn = async {
            let provider = self.0.provider(&peer).await?;
            let WithdrawRequest { document, signature } = request.into_inner();
            let signature = Signature::from_slice(&signature).map_err(|_| malformed("signature"))?;
            if document.len() > MAX_DOCUMENT {
                return Err(malformed("document").into());
            }
            let answer = self.0.withdraw(&provider, &document, signature).await?;
            let receipt = Some((&answer.receipt).into());
            Ok::<_, Refusal>(WithdrawResponse { receipt, already_received: answer.already_received })
        };
        let withdrawn = withdrawn.await;
        self.answer("Withdraw", withdrawn)
    }

    async fn standing(&self, request: Request<StandingRequest>) -> Result<Response<StandingResponse>, Status> {
        let peer = Peer::of(&request);
        let stands = async {
            let provider = self.0.provider(&peer).await?;
            Ok::<_, Failure>(StandingResponse::from(&self.0.standing(&provider).await?))
        };
        let stands = stands.await;
        self.answer("Standing", stands)
    }

    async fn recover(&self, request: Request<Streaming<RecoverRequest>>) -> Result<Response<RecoverResponse>, Status> {
        let peer = Peer::of(&request);
        let provider = self.0.provider(&peer).await.map_err(|failure| self.refuse("Recover", failure.into()))?;
        let turns = &self.0.0.turns;
        let _counted = self.0.0.metrics.upload();
        let (given, _room) = recovery::receive(request.into_inner(), async |length| {
            turns.room(length, self.0.entropy()).await.map_err(|refusal| self.refuse("Recover", refusal))
        })
        .await?;
        let recovered = self.0.recover(&provider, given).await;
        self.answer("Recover", recovered.map(|already_held| RecoverResponse { already_held }))
    }
}
