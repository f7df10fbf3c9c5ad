//! What the tests of this crate share: a clock that stands still, a hub that keeps what it gets, real ports.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::stream::BoxStream;
use model::{Clock, CommuneCode, Entropy, Failure, FailureKind, SubmissionId, Timestamp};
use seal::{PublicKey, SigningKey, sha256};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::{Request, Response, Status, Streaming};

use crate::authority::{Authority, NODE_LIFETIME, Validity};
use crate::client::HubClient;
use crate::document::{Link, Outcome, Receipt, ReceiptKind, SignedReceipt, decode};
use crate::enrolment::{JoinRequest, Membership};
use crate::identity::{Identity, Peer, Subject, TlsKey};
use crate::invitation::HubAddress;
use crate::ledger::{LedgerEntry, LedgerPage, give_back};
use crate::pb::enrolment::v1 as enrolment;
use crate::pb::submission::v1 as submission;
use crate::server::{Authorise, Limits, routes, serve};
use crate::status::{Conflict, Refusal};
use crate::tls::{ClientTls, ServerTls};
use crate::upload::{Upload, UploadMessage, receive};

/// 1 January 2027, noon.
const NOON: i64 = 1_798_804_800_000_000;

/// Moves only when told to.
pub(crate) struct StillClock(AtomicI64);

impl StillClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(NOON)))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.0.store(self.now().plus(by).as_micros(), Ordering::SeqCst);
    }
}

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Counts; unpredictable enough for serial numbers in a test.
pub(crate) struct Counting(AtomicU64);

impl Counting {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(1))
    }
}

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let next = self.0.fetch_add(1, Ordering::SeqCst);
            chunk.copy_from_slice(&sha256(&next.to_be_bytes()).as_bytes()[..chunk.len()]);
        }
    }
}

pub(crate) fn commune(code: &str) -> CommuneCode {
    code.parse().expect("a commune code")
}

/// Enrolment for everybody; submissions for nodes; nothing for coordinators but health. Never gets to an answer
/// about packs.
pub(crate) struct Rights;

impl Authorise for Rights {
    async fn authorise(&self, peer: &Peer, method: &str) -> Result<(), Failure> {
        let open = ["/maillage.enrolment.", "/grpc."].iter().any(|prefix| method.starts_with(prefix));
        if method.starts_with("/maillage.methodology.") {
            std::future::pending::<()>().await;
        }
        match peer.certificate().map(|certificate| &certificate.subject) {
            _ if open => Ok(()),
            Some(Subject::Node(_)) => Ok(()),
            Some(Subject::Coordinator(_) | Subject::Partner(_)) => Err(Failure::new(
                FailureKind::Denied,
                "NODES_ONLY",
                "only nodes may call this",
                "Seules les communes peuvent le faire.",
            )),
            None => Err(Failure::new(
                FailureKind::Unauthenticated,
                "CERTIFICATE_REQUIRED",
                "no client certificate was shown",
                "Ce poste n’a pas encore rejoint le centre.",
            )),
        }
    }
}

/// Keeps documents and signs receipts; one territory's chain.
pub(crate) struct Desk {
    pub(crate) authority: Arc<Authority>,
    pub(crate) clock: Arc<StillClock>,
    pub(crate) key: SigningKey,
    node_keys: Mutex<BTreeMap<String, PublicKey>>,
    kept: Mutex<Vec<(LedgerEntry, Vec<u8>)>>,
}

impl Desk {
    fn membership(&self, request: &[u8]) -> Result<Membership, Status> {
        let validity = Validity { now: self.clock.now(), lifetime: NODE_LIFETIME };
        let issued =
            self.authority.sign_node(request, commune("93066"), validity, &Counting::new()).map_err(|error| {
                let failure = Failure::new(FailureKind::Invalid, "REQUEST_INVALID", error.to_string(), "Refusé.");
                Status::from(Refusal::from(failure))
            })?;
        Ok(Membership {
            chain: issued.chain,
            territories: vec![commune("93066"), commune("93059")],
            hub_keys: vec![self.key.public()],
            sealing_key: Some(crate::bundle::SignedSealingKey::of(&self.key)),
        })
    }

    fn keep(&self, peer: &Peer, upload: &Upload) -> Result<(SignedReceipt, bool), Status> {
        let urn = peer.certificate().expect("only nodes get here").subject.urn();
        let signing_key = self.node_keys.lock().expect("a test's lock")[&urn];
        let document = decode(&upload.document).map_err(|error| Status::from(Refusal::from(Failure::from(error))))?;
        let mut kept = self.kept.lock().expect("a test's lock");
        if let Some((entry, _)) = kept.iter().find(|(entry, _)| entry.submission == document.header.id) {
            return Ok((entry.receipt.clone(), true));
        }
        let sequence = kept.len() as u64 + 1;
        let receipt = Receipt {
            submission: document.header.id,
            document_hash: sha256(&upload.document),
            provider: document.header.provider,
            provider_key: signing_key.id(),
            kind: ReceiptKind::Submission,
            accepted_at: self.clock.now(),
            number: sequence,
            links: [(
                document.header.provider,
                Link { sequence, previous: kept.last().map(|(entry, _)| entry.receipt.hash()) },
            )]
            .into(),
            outcome: Outcome::default(),
            destroyed: std::collections::BTreeSet::new(),
        };
        let receipt = SignedReceipt::sign(&receipt, &self.key).expect("a receipt");
        let length = upload.document.len() as u64;
        let submission = document.header.id;
        let signature = upload.signature;
        let entry = LedgerEntry { submission, receipt: receipt.clone(), signature, signing_key, length };
        kept.push((entry, upload.document.clone()));
        Ok((receipt, false))
    }

    async fn take<M: UploadMessage>(&self, request: Request<Streaming<M>>) -> Result<(SignedReceipt, bool), Status> {
        let peer = Peer::of(&request);
        let upload = receive(request.into_inner(), &mut ()).await?;
        self.keep(&peer, &upload)
    }
}

#[tonic::async_trait]
impl enrolment::enrolment_service_server::EnrolmentService for Desk {
    async fn enrol(
        &self,
        request: Request<enrolment::EnrolRequest>,
    ) -> Result<Response<enrolment::EnrolResponse>, Status> {
        assert!(Peer::of(&request).certificate().is_none(), "a node enrols without a certificate");
        let join =
            JoinRequest::try_from(request.into_inner()).map_err(|failure| Status::from(Refusal::from(failure)))?;
        let membership = self.membership(&join.certificate_request)?;
        let urn = Subject::Node(commune("93066")).urn();
        self.node_keys.lock().expect("a test's lock").insert(urn, join.signing_key);
        Ok(Response::new((&membership).into()))
    }

    async fn renew(
        &self,
        request: Request<enrolment::RenewRequest>,
    ) -> Result<Response<enrolment::RenewResponse>, Status> {
        Ok(Response::new((&self.membership(&request.into_inner().certificate_request)?).into()))
    }
}

#[tonic::async_trait]
impl submission::submission_service_server::SubmissionService for Desk {
    type GetStream = BoxStream<'static, Result<submission::GetResponse, Status>>;

    async fn check(
        &self,
        request: Request<Streaming<submission::CheckRequest>>,
    ) -> Result<Response<submission::CheckResponse>, Status> {
        let (receipt, already_received) = self.take(request).await?;
        Ok(Response::new(submission::CheckResponse { receipt: Some((&receipt).into()), already_received }))
    }

    async fn submit(
        &self,
        request: Request<Streaming<submission::SubmitRequest>>,
    ) -> Result<Response<submission::SubmitResponse>, Status> {
        let (receipt, already_received) = self.take(request).await?;
        Ok(Response::new(submission::SubmitResponse { receipt: Some((&receipt).into()), already_received }))
    }

    async fn get(&self, request: Request<submission::GetRequest>) -> Result<Response<Self::GetStream>, Status> {
        let id = SubmissionId::from_slice(&request.into_inner().submission_id);
        let kept = self.kept.lock().expect("a test's lock");
        let found = kept.iter().find(|(entry, _)| Some(entry.submission) == id);
        let (entry, document) = found.ok_or_else(|| Status::not_found("no such document"))?;
        Ok(Response::new(Box::pin(give_back(entry, document))))
    }

    async fn list(
        &self,
        request: Request<submission::ListRequest>,
    ) -> Result<Response<submission::ListResponse>, Status> {
        let after = usize::try_from(request.into_inner().after_sequence).expect("small");
        let kept = self.kept.lock().expect("a test's lock");
        let page = LedgerPage {
            entries: kept.iter().skip(after).map(|(entry, _)| entry.clone()).collect(),
            head_sequence: kept.len() as u64,
            head_receipt: kept.last().map(|(entry, _)| entry.receipt.hash()),
        };
        Ok(Response::new((&page).into()))
    }

    async fn withdraw(
        &self,
        _: Request<submission::WithdrawRequest>,
    ) -> Result<Response<submission::WithdrawResponse>, Status> {
        // As much as ever leaves a hub: more conflicts than fit, and long texts.
        let failure = Failure::new(FailureKind::Conflict, "SECRET_RECOVERABLE", "é".repeat(5000), "é".repeat(5000));
        let conflict = |row| Conflict {
            code: "SECRET_RECOVERABLE".into(),
            row: format!("93066/ccas-activite/domiciliation/2025 dom_personnes age={row}"),
            cause: "La case se déduit d’un envoi antérieur.".into(),
            cure: "La commune : masquer aussi la case voisine.".into(),
        };
        Err(Status::from(Refusal::from(failure).with_conflicts((0..5000).map(conflict).collect())))
    }

    async fn share(&self, _: Request<submission::ShareRequest>) -> Result<Response<submission::ShareResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn standing(
        &self,
        _: Request<submission::StandingRequest>,
    ) -> Result<Response<submission::StandingResponse>, Status> {
        Err(Status::unimplemented("not at this desk"))
    }

    async fn recover(
        &self,
        _: Request<Streaming<submission::RecoverRequest>>,
    ) -> Result<Response<submission::RecoverResponse>, Status> {
        Err(Status::unimplemented("not at this desk"))
    }
}

/// A hub on a real port of this machine.
pub(crate) struct Hub {
    pub(crate) address: HubAddress,
    pub(crate) authority: Arc<Authority>,
    pub(crate) clock: Arc<StillClock>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) tls: ServerTls,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) running: JoinHandle<()>,
}

pub(crate) async fn hub() -> Hub {
    hub_with(Limits::default()).await
}

pub(crate) async fn hub_with(limits: Limits) -> Hub {
    let clock = StillClock::new();
    let entropy = Counting::new();
    let authority = Arc::new(Authority::create("Maillage d’essai", &entropy, clock.now()).expect("an authority"));
    let validity = Validity { now: clock.now(), lifetime: Duration::from_hours(365 * 24) };
    let certificate = authority.sign_server(&["127.0.0.1", "localhost"], validity, &entropy).expect("a certificate");
    let tls = ServerTls::new(&authority, &certificate, clock.clone()).expect("TLS");
    let desk = Arc::new(Desk {
        authority: authority.clone(),
        clock: clock.clone(),
        key: SigningKey::generate(),
        node_keys: Mutex::default(),
        kept: Mutex::default(),
    });
    let (routes, _) = routes();
    let routes = routes
        .add_service(enrolment::enrolment_service_server::EnrolmentServiceServer::from_arc(desk.clone()))
        .add_service(submission::submission_service_server::SubmissionServiceServer::from_arc(desk.clone()));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address").to_string().parse().expect("an address");
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tls.clone();
    let running = tokio::spawn(async move {
        serve(listener, &served, routes, Arc::new(Rights), limits, async {
            let _ = stopped.await;
        })
        .await;
    });
    Hub { address, authority, clock, desk, tls, stop, running }
}

impl Hub {
    pub(crate) fn client_tls(&self, identity: Option<&Identity>) -> ClientTls {
        ClientTls::new(self.authority.fingerprint(), identity, self.clock.clone()).expect("TLS")
    }

    pub(crate) async fn anonymous(&self) -> HubClient {
        HubClient::connect(&self.client_tls(None), &self.address).await.expect("a connection")
    }

    pub(crate) async fn as_node(&self, identity: &Identity) -> HubClient {
        HubClient::connect(&self.client_tls(Some(identity)), &self.address).await.expect("a connection")
    }

    /// A node that has joined.
    pub(crate) async fn join(&self, signing: &SigningKey) -> Identity {
        let key = Arc::new(TlsKey::generate());
        let token = model::InvitationToken::from_bytes([9; 32]);
        let membership =
            self.anonymous().await.enrol(&JoinRequest::new(token, &key, signing)).await.expect("enrolment");
        Identity::new(key, &membership.chain).expect("an identity")
    }
}

/// An identity that `authority` signed, without asking anybody.
pub(crate) fn node_of(authority: &Authority, now: Timestamp, lifetime: Duration) -> Identity {
    let key = Arc::new(TlsKey::generate());
    let issued = authority
        .sign_node(&key.request(), commune("93066"), Validity { now, lifetime }, &Counting::new())
        .expect("a certificate");
    Identity::new(key, &issued.chain).expect("an identity")
}
