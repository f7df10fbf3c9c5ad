//! The node's and the coordinator's side of the contract.

mod connect;
mod error;
mod obstacle;
mod route;

use std::time::Duration;

use model::{CommuneCode, Hash, PackCode, SubmissionId, Timestamp};
use seal::Signature;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::bundle::SignedSealingKey;
use crate::document::{MAX_DOCUMENT, SignedPack, SignedReceipt};
use crate::enrolment::{JoinRequest, Membership};
use crate::identity::TlsKey;
use crate::invitation::HubAddress;
use crate::ledger::{LedgerEntry, LedgerPage};
use crate::pb::comparison::v1::comparison_service_client::ComparisonServiceClient;
use crate::pb::comparison::v1::{CompareRequest, CompareResponse, ProfileRequest, ProfileResponse};
use crate::pb::enrolment::v1::RenewRequest;
use crate::pb::enrolment::v1::enrolment_service_client::EnrolmentServiceClient;
use crate::pb::methodology::v1 as pb;
use crate::pb::methodology::v1::methodology_service_client::MethodologyServiceClient;
use crate::pb::methodology::v1::{GetPackRequest, ListPacksRequest, WatchPacksRequest, WatchPacksResponse};
use crate::pb::submission::v1::submission_service_client::SubmissionServiceClient;
use crate::pb::submission::v1::{
    GetRequest, ListRequest, ShareRequest, StandingRequest, WithdrawRequest, get_response,
};
use crate::recovery::{Recovery, Standing};
use crate::tls::ClientTls;
use crate::upload::send;

pub use error::{ClientError, TlsProblem};
pub use obstacle::{Obstacle, ObstacleKind};
pub use route::{InvalidProxy, Proxy, Route, SaidBy};

/// Longer than the hub gives a call: it is the hub that cuts off, and says when to come back.
const UPLOAD_DEADLINE: Duration = Duration::from_secs(75);
const DEADLINE: Duration = Duration::from_secs(5);

/// A connection to a hub; it comes back by itself when it was lost. Cloning is cheap and shares it.
#[derive(Clone, Debug)]
pub struct HubClient {
    channel: Channel,
}

/// The hub accepted a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// To be verified with the keys that the hub gave at enrolment.
    pub receipt: SignedReceipt,
    /// This very document had been received before.
    pub already_received: bool,
}

/// What a hub says to anybody who reaches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// Whether it takes calls.
    pub serving: bool,
    /// Its clock, to the second: said under TLS, so by the hub itself.
    pub date: Option<Timestamp>,
}

/// What the hub offers to its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The packs that it takes figures for.
    pub packs: Vec<PackSummary>,
    /// The key to which envelopes for it are sealed.
    pub sealing_key: Option<SignedSealingKey>,
}

/// One pack in the hub's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackSummary {
    /// Pack code.
    pub code: PackCode,
    /// Current version.
    pub version: String,
    /// French title.
    pub title: String,
    /// SHA-256 of its document.
    pub hash: Hash,
    /// The version before it, with the last instant at which figures are taken under it.
    pub former: Option<(String, Timestamp)>,
}

/// What a hub tells of its packs, one state after the other.
pub struct PackWatch(Streaming<WatchPacksResponse>);

impl PackWatch {
    /// The next state; `None` when the hub or the connection closes in peace.
    pub async fn next(&mut self) -> Result<Option<Vec<PackSummary>>, ClientError> {
        let told = self.0.message().await?;
        told.map(|told| summaries(told.packs)).transpose()
    }
}

fn summaries(packs: Vec<pb::PackSummary>) -> Result<Vec<PackSummary>, ClientError> {
    let malformed = || ClientError::Protocol("a pack of the list is malformed".to_owned());
    let summary = |pack: pb::PackSummary| {
        Ok(PackSummary {
            code: pack.code.parse().map_err(|_| malformed())?,
            version: pack.version,
            title: pack.title,
            hash: Hash::from_slice(&pack.hash).ok_or_else(malformed)?,
            former: pack.former.map(|one| (one.version, Timestamp::from_micros(one.until_micros))),
        })
    };
    packs.into_iter().map(summary).collect()
}

impl HubClient {
    /// Connects and shakes hands, within 10 s. A certificate that the hub refuses is refused here already.
    pub async fn connect(tls: &ClientTls, address: &HubAddress) -> Result<Self, ClientError> {
        Self::connect_through(tls, address, &Route::direct()).await
    }

    /// The same, the way that the network prescribes.
    pub async fn connect_through(tls: &ClientTls, address: &HubAddress, route: &Route) -> Result<Self, ClientError> {
        Ok(Self { channel: connect::channel(tls, address, route).await? })
    }

    /// Asks whether the hub serves, and what time it is there. Needs no identity.
    pub async fn greet(&self) -> Result<Greeting, ClientError> {
        let mut client = HealthClient::new(self.channel());
        let request = HealthCheckRequest { service: String::new() };
        let answer = client.check(within(DEADLINE, request)).await.map_err(ClientError::from)?;
        let date = answer.metadata().get("date").and_then(|date| date.to_str().ok()).and_then(instant);
        Ok(Greeting { serving: answer.into_inner().status() == ServingStatus::Serving, date })
    }

    /// The channel itself, for services that this client does not name (health, reflection).
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Spends an invitation for these two keys. Needs no identity.
    pub async fn enrol(&self, request: &JoinRequest) -> Result<Membership, ClientError> {
        let mut client = EnrolmentServiceClient::new(self.channel());
        let answer = answer(client.enrol(within(DEADLINE, request.into())).await)?;
        Membership::try_from(answer).map_err(ClientError::from_failure)
    }

    /// Asks for a fresh certificate for `key`. Needs no identity: the request proves the key, which is why an
    /// expired certificate must not be shown at the handshake of this call.
    pub async fn renew(&self, key: &TlsKey) -> Result<Membership, ClientError> {
        let mut client = EnrolmentServiceClient::new(self.channel());
        let request = RenewRequest { certificate_request: key.request() };
        let answer = answer(client.renew(within(DEADLINE, request)).await)?;
        Membership::try_from(answer).map_err(ClientError::from_failure)
    }

    /// Asks what [`HubClient::submit`] would answer.
    pub async fn check(&self, document: &[u8], signature: &Signature) -> Result<Accepted, ClientError> {
        let mut client = SubmissionServiceClient::new(self.channel());
        let parts = send(document, signature);
        let answer = answer(client.check(within(UPLOAD_DEADLINE, parts)).await)?;
        accepted(answer.receipt, answer.already_received)
    }

    /// Sends a document signed before (the outbox keeps bytes and signature together).
    pub async fn submit(&self, document: &[u8], signature: &Signature) -> Result<Accepted, ClientError> {
        let mut client = SubmissionServiceClient::new(self.channel());
        let parts = send(document, signature);
        let answer = answer(client.submit(within(UPLOAD_DEADLINE, parts)).await)?;
        accepted(answer.receipt, answer.already_received)
    }

    /// Sends a withdrawal.
    pub async fn withdraw(&self, document: &[u8], signature: &Signature) -> Result<Accepted, ClientError> {
        let mut client = SubmissionServiceClient::new(self.channel());
        let request = WithdrawRequest { document: document.to_vec(), signature: signature.as_bytes().to_vec() };
        let answer = answer(client.withdraw(within(DEADLINE, request)).await)?;
        accepted(answer.receipt, answer.already_received)
    }

    /// Sends a decision on who may be shown slices.
    pub async fn share(&self, document: &[u8], signature: &Signature) -> Result<Accepted, ClientError> {
        let mut client = SubmissionServiceClient::new(self.channel());
        let request = ShareRequest { document: document.to_vec(), signature: signature.as_bytes().to_vec() };
        let answer = answer(client.share(within(DEADLINE, request)).await)?;
        accepted(answer.receipt, answer.already_received)
    }

    /// A part of a territory's ledger, from the entry after `after`.
    pub async fn list(&self, territory: CommuneCode, after: u64) -> Result<LedgerPage, ClientError> {
        let mut client = SubmissionServiceClient::new(self.channel());
        let request = ListRequest { territory: territory.to_string(), after_sequence: after, page_size: 0 };
        let answer = answer(client.list(within(DEADLINE, request)).await)?;
        LedgerPage::try_from(answer).map_err(|error| ClientError::Protocol(error.to_string()))
    }

    /// Where the node stands: rights, the hub's keys, the end of each ledger.
    pub async fn standing(&self) -> Result<Standing, ClientError> {
        let mut client = SubmissionServiceClient::new(self.channel());
        let answer = answer(client.standing(within(DEADLINE, StandingRequest {})).await)?;
        Standing::try_from(answer).map_err(|error| ClientError::Protocol(error.to_string()))
    }

    /// Gives one forgotten document back to a hub that was restored from an older copy; `true` if it held it already.
    pub async fn recover(&self, recovery: &Recovery) -> Result<bool, ClientError> {
        let mut client = SubmissionServiceClient::new(self.channel());
        let parts = crate::recovery::send(recovery);
        Ok(answer(client.recover(within(UPLOAD_DEADLINE, parts)).await)?.already_held)
    }

    /// One document with its entry; the bytes are empty once purged. See [`LedgerEntry::prove`].
    pub async fn get(&self, submission: SubmissionId) -> Result<(LedgerEntry, Vec<u8>), ClientError> {
        // The deadline in the request ends with the answer's first byte; this one covers the document too.
        let download = tokio::time::timeout(UPLOAD_DEADLINE, self.download(submission));
        download.await.map_err(|_| ClientError::Deadline)?
    }

    async fn download(&self, submission: SubmissionId) -> Result<(LedgerEntry, Vec<u8>), ClientError> {
        let mut client = SubmissionServiceClient::new(self.channel());
        let request = GetRequest { submission_id: submission.as_bytes().to_vec() };
        let mut stream = answer(client.get(within(UPLOAD_DEADLINE, request)).await)?;
        let mut next = async || {
            stream.message().await.map_err(ClientError::from).map(|message| message.and_then(|message| message.part))
        };
        let Some(get_response::Part::Entry(entry)) = next().await? else {
            return Err(ClientError::Protocol("the answer does not begin with its entry".to_owned()));
        };
        let entry = LedgerEntry::try_from(entry).map_err(|error| ClientError::Protocol(error.to_string()))?;
        let mut document = Vec::new();
        while let Some(part) = next().await? {
            let get_response::Part::Chunk(chunk) = part else {
                return Err(ClientError::Protocol("the answer has two entries".to_owned()));
            };
            if document.len() + chunk.len() > MAX_DOCUMENT {
                return Err(ClientError::Protocol("the document is larger than any may be".to_owned()));
            }
            document.extend_from_slice(&chunk);
        }
        Ok((entry, document))
    }

    /// The packs that the hub takes figures for.
    pub async fn packs(&self) -> Result<Vec<PackSummary>, ClientError> {
        Ok(self.offer().await?.packs)
    }

    /// Packs, and the key for envelopes.
    pub async fn offer(&self) -> Result<Offer, ClientError> {
        let mut client = MethodologyServiceClient::new(self.channel());
        let answer = answer(client.list_packs(within(DEADLINE, ListPacksRequest {})).await)?;
        let sealing_key = answer
            .hub_sealing_key
            .map(SignedSealingKey::try_from)
            .transpose()
            .map_err(|error| ClientError::Protocol(error.to_string()))?;
        let packs = summaries(answer.packs)?;
        Ok(Offer { packs, sealing_key })
    }

    /// Tells which packs the hub takes figures for: at once, and whenever that changes.
    pub async fn watch_packs(&self) -> Result<PackWatch, ClientError> {
        let mut client = MethodologyServiceClient::new(self.channel());
        // No deadline: it goes on as long as the connection does.
        Ok(PackWatch(answer(client.watch_packs(WatchPacksRequest {}).await)?))
    }

    /// One pack, to be verified with the hub's keys: this version, or the current one.
    pub async fn pack(&self, code: &PackCode, version: Option<&str>) -> Result<SignedPack, ClientError> {
        let mut client = MethodologyServiceClient::new(self.channel());
        let request = GetPackRequest { code: code.to_string(), version: version.unwrap_or_default().to_owned() };
        let answer = answer(client.get_pack(within(DEADLINE, request)).await)?;
        SignedPack::try_from(answer).map_err(|error| ClientError::Protocol(error.to_string()))
    }

    /// Compares communes on one indicator.
    pub async fn compare(&self, request: CompareRequest) -> Result<CompareResponse, ClientError> {
        let mut client = ComparisonServiceClient::new(self.channel());
        answer(client.compare(within(DEADLINE, request)).await)
    }

    /// Reads a commune's profile.
    pub async fn profile(&self, request: ProfileRequest) -> Result<ProfileResponse, ClientError> {
        let mut client = ComparisonServiceClient::new(self.channel());
        answer(client.profile(within(DEADLINE, request)).await)
    }
}

/// The date of an HTTP answer (RFC 9110, section 5.6.7), in the one form that is still written.
fn instant(date: &str) -> Option<Timestamp> {
    let date = OffsetDateTime::parse(date, &Rfc2822).ok()?;
    Some(Timestamp::from_micros(date.unix_timestamp() * 1_000_000))
}

fn within<T>(deadline: Duration, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(deadline);
    request
}

fn answer<T>(result: Result<Response<T>, Status>) -> Result<T, ClientError> {
    result.map(Response::into_inner).map_err(ClientError::from)
}

fn accepted(
    receipt: Option<crate::pb::submission::v1::SignedReceipt>,
    already_received: bool,
) -> Result<Accepted, ClientError> {
    let receipt = receipt.ok_or_else(|| ClientError::Protocol("the answer has no receipt".to_owned()))?;
    let receipt = SignedReceipt::try_from(receipt).map_err(|error| ClientError::Protocol(error.to_string()))?;
    Ok(Accepted { receipt, already_received })
}
