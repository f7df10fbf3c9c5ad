//! The outbox, emptied: sent until answered, repeated without harm, each answer kept.

use std::path::PathBuf;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use model::{Failure, FailureKind, SubmissionId};
use seal::Signature;
use store::DocumentKind;
use store::node::{OutboxItem, Refusal};
use wire::client::{Accepted, ClientError, HubClient};
use wire::document::Receipt;
use wire::status::{Conflict, Refused};

use crate::sync::Hindrance;
use crate::{Node, failure, receipts, sync};

/// What happens while sending.
#[derive(Clone, Debug)]
pub enum PushEvent {
    /// A document is on its way.
    Sending {
        /// Its id.
        submission: SubmissionId,
        /// Its size.
        bytes: usize,
    },
    /// The hub was restored from an older copy: it was given back what it had forgotten.
    Recovered {
        /// How many documents.
        documents: u64,
    },
    /// It did not get through; it will be tried again.
    Retrying {
        /// After this long.
        after: Duration,
        /// Why, in French.
        message: String,
    },
}

/// What became of one document.
#[derive(Debug)]
pub struct Delivered {
    /// Its id.
    pub submission: SubmissionId,
    /// What the hub said.
    pub verdict: Verdict,
}

/// What the hub said.
#[derive(Debug)]
pub enum Verdict {
    /// Accepted, with a receipt that was verified and kept.
    Received {
        /// The receipt.
        receipt: Box<Receipt>,
        /// It had been received before.
        already: bool,
        /// Where its bytes are kept.
        file: PathBuf,
    },
    /// Refused whole; it will not be repeated.
    Refused {
        /// Why, in French.
        message: String,
        /// What to change.
        conflicts: Vec<Conflict>,
    },
    /// Not answered; it stays in the outbox.
    Waiting {
        /// Why, in French.
        message: String,
    },
}

/// How often one call of [`push`] tries a document before it leaves it to the next call.
const TRIES: usize = 4;

/// A person at the keyboard waits no longer; what the hub asked for is kept in the outbox for the next call.
const PATIENCE: Duration = Duration::from_mins(1);

/// Between two tries: doubling from one second, never above ten minutes, spread by chance so that forty nodes cut off
/// together do not come back together.
fn pauses(node: &Node) -> impl Iterator<Item = Duration> + Send + use<> {
    let mut seed = [0_u8; 8];
    node.entropy().fill(&mut seed);
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_secs(1))
        .with_max_delay(Duration::from_mins(10))
        .with_jitter()
        .with_jitter_seed(u64::from_be_bytes(seed))
        .without_max_times()
        .build()
}

/// Sends everything that waits, oldest first, whether its time has come or not: somebody asked.
pub async fn push(node: &Node, on_event: &(dyn Fn(&PushEvent) + Sync)) -> Result<Vec<Delivered>, Failure> {
    let mut delivered = Vec::new();
    let mut tries = Tries::new(node);
    loop {
        // Held for one attempt and not while waiting: a person may approve meanwhile.
        let held = node.folder().hold().await?;
        receipts::complete(node).await?;
        let Some(item) = oldest(node).await? else { return Ok(delivered) };
        let submission = item.outgoing.submission;
        let Attempt { verdict, asked } = send(node, &item, on_event).await?;
        drop(held);
        if let Verdict::Waiting { message } = &verdict {
            if let Some(pause) = tries.next(node, submission, asked) {
                on_event(&PushEvent::Retrying { after: pause, message: message.clone() });
                tokio::time::sleep(pause).await;
                continue;
            }
            // Order matters: a later document was protected reckoning with this one.
            delivered.push(Delivered { submission, verdict });
            return Ok(delivered);
        }
        delivered.push(Delivered { submission, verdict });
    }
}

/// The pauses before one document's further tries.
struct Tries {
    of: Option<SubmissionId>,
    pauses: Box<dyn Iterator<Item = Duration> + Send>,
}

impl Tries {
    fn new(node: &Node) -> Self {
        Self { of: None, pauses: Box::new(pauses(node).take(TRIES - 1)) }
    }

    /// The next pause, never shorter than what the hub asked for; `None` if this call has waited enough.
    fn next(&mut self, node: &Node, submission: SubmissionId, asked: Option<Duration>) -> Option<Duration> {
        if self.of != Some(submission) {
            *self = Self { of: Some(submission), ..Self::new(node) };
        }
        let pause = self.pauses.next()?.max(asked.unwrap_or_default());
        (pause <= PATIENCE).then_some(pause)
    }
}

/// Sends what is due, once each.
pub async fn push_due(node: &Node, on_event: &(dyn Fn(&PushEvent) + Sync)) -> Result<Vec<Delivered>, Failure> {
    let mut delivered = Vec::new();
    while let Some(item) = node.store().next_due(node.now()).await.map_err(|error| failure::storage(&error))? {
        let Attempt { verdict, .. } = send(node, &item, on_event).await?;
        delivered.push(Delivered { submission: item.outgoing.submission, verdict });
    }
    receipts::complete(node).await?;
    Ok(delivered)
}

async fn oldest(node: &Node) -> Result<Option<OutboxItem>, Failure> {
    node.store().oldest_pending().await.map_err(|error| failure::storage(&error))
}

/// One attempt.
struct Attempt {
    verdict: Verdict,
    /// How long the hub asked to wait.
    asked: Option<Duration>,
}

impl From<Verdict> for Attempt {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, asked: None }
    }
}

async fn send(node: &Node, item: &OutboxItem, on_event: &(dyn Fn(&PushEvent) + Sync)) -> Result<Attempt, Failure> {
    let submission = item.outgoing.submission;
    on_event(&PushEvent::Sending { submission, bytes: item.outgoing.document.len() });
    let signature = Signature::from_slice(&item.outgoing.signature)
        .map_err(|_| failure::defect("stored signature is not a signature"))?;
    match call(node, item, &signature, on_event).await {
        Ok(accepted) => received(node, item, &accepted).await.map(Attempt::from),
        Err(Hindrance::Here(failure)) => Err(failure),
        Err(Hindrance::Hub(ClientError::Refused(refused))) if answers_the_document(&refused) => {
            let why = Refusal { reason: refused.reason.clone(), message: refused.message.clone() };
            node.store().mark_refused(submission, &why, node.now()).await.map_err(|error| failure::storage(&error))?;
            Ok(Verdict::Refused { message: refused.message, conflicts: refused.conflicts }.into())
        }
        // The document is fine and stays where it is; what stands in the way is noted beside it.
        Err(Hindrance::Hub(error)) => {
            let pause = pauses(node).nth(item.attempts as usize).unwrap_or(Duration::from_mins(10));
            let after = error.retry_after().map_or(pause, |asked| asked.max(pause));
            let why = Refusal { reason: error.reason().to_owned(), message: error.message().to_owned() };
            node.store()
                .mark_retry(submission, &why, node.now().plus(after))
                .await
                .map_err(|error| failure::storage(&error))?;
            if error.is_transient() || error.kind() == FailureKind::Internal {
                let verdict = Verdict::Waiting { message: error.message().to_owned() };
                Ok(Attempt { verdict, asked: error.retry_after() })
            } else {
                // Our certificate, the server's, the wiring: trying again changes nothing.
                Err(failure::network(&error))
            }
        }
    }
}

/// Whether a refusal is about the document and not about who sends it: a revoked or expired node keeps its outbox, and
/// a defect of the hub is not an answer.
fn answers_the_document(refused: &Refused) -> bool {
    // Said by the transport and not by a hub of ours: asking again loses nothing, settling the document would.
    if matches!(refused.reason.as_str(), "TRANSPORT" | "METHOD_UNKNOWN") {
        return false;
    }
    match refused.kind {
        FailureKind::Invalid | FailureKind::NotFound | FailureKind::Conflict | FailureKind::Precondition => true,
        FailureKind::Denied => !matches!(refused.reason.as_str(), "NODE_REVOKED" | "NODE_UNKNOWN"),
        FailureKind::Unauthenticated | FailureKind::Exhausted | FailureKind::Unavailable | FailureKind::Internal => {
            false
        }
    }
}

async fn call(
    node: &Node,
    item: &OutboxItem,
    signature: &Signature,
    on_event: &(dyn Fn(&PushEvent) + Sync),
) -> Result<Accepted, Hindrance> {
    let client: HubClient = sync::connect_raw(node).await??;
    let standing = client.standing().await.map_err(|error| not_the_document(error.into()))?;
    let caught_up = sync::catch_up(node, &client, &standing).await.map_err(not_the_document)?;
    if caught_up.recovered > 0 {
        on_event(&PushEvent::Recovered { documents: caught_up.recovered });
    }
    let document = &item.outgoing.document;
    Ok(match item.outgoing.kind {
        DocumentKind::Submission => client.submit(document, signature).await?,
        DocumentKind::Check => client.check(document, signature).await?,
        DocumentKind::Withdrawal => client.withdraw(document, signature).await?,
        DocumentKind::Sharing => client.share(document, signature).await?,
        DocumentKind::Purge => return Err(failure::defect("a node never sends a purge").into()),
    })
}

/// What the hub refuses before the document is sent says nothing about the document, whatever its kind; whether and
/// when to come back stays said.
fn not_the_document(hindrance: Hindrance) -> Hindrance {
    match hindrance {
        Hindrance::Hub(ClientError::Refused(refused)) if answers_the_document(&refused) => {
            Hindrance::Here(failure::network(&ClientError::Refused(refused)))
        }
        other => other,
    }
}

/// Keeps the hub's answer, whichever way it came.
pub(crate) async fn received(node: &Node, item: &OutboxItem, accepted: &Accepted) -> Result<Verdict, Failure> {
    let submission = item.outgoing.submission;
    let receipt = accepted.receipt.verify(&node.hub_keys()?).map_err(|error| failure::document(&error))?;
    if receipt.submission != submission || receipt.document_hash != seal::sha256(&item.outgoing.document) {
        return Err(failure::defect("the receipt is about another document"));
    }
    let links = sync::links(&accepted.receipt, &receipt);
    node.store()
        .mark_sent(submission, &sync::sealed(&accepted.receipt), &links, node.now())
        .await
        .map_err(|error| failure::storage(&error))?;
    let file = receipts::keep(node, &accepted.receipt, &receipt);
    Ok(Verdict::Received { receipt: Box::new(receipt), already: accepted.already_received, file })
}
