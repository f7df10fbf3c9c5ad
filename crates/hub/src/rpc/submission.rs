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
    ShareRequest, ShareResponse, StandingRequest, StandingResponse, SubmitRequest, SubmitResponse, WithdrawRequest,
    WithdrawResponse,
};
use wire::recovery;
use wire::status::Refusal;
use wire::tonic::{Request, Response, Status, Streaming, async_trait};
use wire::upload::{Room, UploadMessage, receive};

use super::{Services, malformed};
use crate::auth::Provider;
use crate::submit::Answer;
use crate::turns::{self, Entry};

/// Room for one document; a refusal is counted and logged as any other.
struct Place<'a> {
    services: &'a Services,
    method: &'static str,
    room: turns::Room,
}

impl Room for Place<'_> {
    async fn make(&mut self, announced: usize, arrived: usize) -> Result<(), Status> {
        let Self { services, method, room } = self;
        let made = room.make(announced, arrived, services.0.entropy()).await;
        made.map_err(|refusal| services.refuse(method, refusal))
    }
}

impl Services {
    fn place(&self, method: &'static str) -> Place<'_> {
        Place { services: self, method, room: self.0.0.turns.room() }
    }

    fn enter(&self, method: &'static str, provider: &Provider) -> Result<Entry, Status> {
        let entered = self.0.0.turns.enter(provider.commune(), self.0.entropy());
        entered.map_err(|refusal| self.refuse(method, refusal))
    }

    /// The peer is known, and its place in the line, before a single byte of the document is read.
    async fn take<M: UploadMessage>(
        &self,
        method: &'static str,
        purpose: Purpose,
        request: Request<Streaming<M>>,
    ) -> Result<Answer, Status> {
        let peer = Peer::of(&request);
        let provider = self.0.provider(&peer).await.map_err(|failure| self.refuse(method, failure.into()))?;
        let mut entry = self.enter(method, &provider)?;
        let _counted = self.0.0.metrics.upload();
        let mut place = self.place(method);
        let upload = receive(request.into_inner(), &mut place).await.inspect_err(|status| cut_short(method, status))?;
        entry.arrived();
        let decoding = self.0.0.turns.decoding(upload.document.len()).await;
        let answer = self.0.submit(&provider, purpose, upload).await.map_err(|refusal| self.refuse(method, refusal));
        drop((decoding, place, entry));
        answer
    }
}

/// An upload that broke off, or was cut for its silence.
fn cut_short(method: &'static str, status: &Status) {
    tracing::info!(method, detail = status.message(), "upload not taken");
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

    async fn share(&self, request: Request<ShareRequest>) -> Result<Response<ShareResponse>, Status> {
        let peer = Peer::of(&request);
        let shared = async {
            let provider = self.0.provider(&peer).await?;
            let ShareRequest { document, signature } = request.into_inner();
            let signature = Signature::from_slice(&signature).map_err(|_| malformed("signature"))?;
            if document.len() > MAX_DOCUMENT {
                return Err(malformed("document").into());
            }
            let answer = self.0.share(&provider, &document, signature).await?;
            let receipt = Some((&answer.receipt).into());
            Ok::<_, Refusal>(ShareResponse { receipt, already_received: answer.already_received })
        };
        let shared = shared.await;
        self.answer("Share", shared)
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
        let mut entry = self.enter("Recover", &provider)?;
        let _counted = self.0.0.metrics.upload();
        let mut place = self.place("Recover");
        let given = recovery::receive(request.into_inner(), &mut place).await;
        let given = given.inspect_err(|status| cut_short("Recover", status))?;
        entry.arrived();
        let decoding = self.0.0.turns.decoding(given.document.len()).await;
        let recovered = self.0.recover(&provider, given).await;
        drop((decoding, place, entry));
        self.answer("Recover", recovered.map(|already_held| RecoverResponse { already_held }))
    }
}
