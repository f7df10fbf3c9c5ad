//! Documents in parts: a header with signature and length, then the bytes in order.

use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use model::{Failure, FailureKind};
use seal::Signature;
use tokio::time::timeout;
use tonic::{Code, Status, Streaming};

use crate::document::{DocumentError, MAX_DOCUMENT};
use crate::pb::submission::v1 as pb;
use crate::status::Refusal;

/// What a client puts in one message.
pub(crate) const CHUNK: usize = 256 << 10;
/// What a server takes in one message.
const MAX_CHUNK: usize = 1 << 20;

/// A whole document as it came: neither its form nor its signature is checked yet.
#[derive(Clone, Debug)]
pub struct Upload {
    /// The bytes that were signed.
    pub document: Vec<u8>,
    /// The provider's signature.
    pub signature: Signature,
}

/// One message of an upload, whichever method it belongs to.
#[derive(Debug)]
pub enum Part {
    /// The header comes first, once.
    Header(pb::UploadHeader),
    /// The next bytes.
    Chunk(Vec<u8>),
}

/// The messages of the methods that take documents.
pub trait UploadMessage: Send + 'static {
    /// What the message holds, if anything.
    fn into_part(self) -> Option<Part>;
    /// The message that holds `part`.
    fn of(part: Part) -> Self;
}

macro_rules! upload_message {
    ($message:ident, $part:path) => {
        impl UploadMessage for pb::$message {
            fn into_part(self) -> Option<Part> {
                use $part as Held;
                self.part.map(|part| match part {
                    Held::Header(header) => Part::Header(header),
                    Held::Chunk(chunk) => Part::Chunk(chunk),
                })
            }

            fn of(part: Part) -> Self {
                use $part as Held;
                Self {
                    part: Some(match part {
                        Part::Header(header) => Held::Header(header),
                        Part::Chunk(chunk) => Held::Chunk(chunk),
                    }),
                }
            }
        }
    };
}

upload_message!(SubmitRequest, pb::submit_request::Part);
upload_message!(CheckRequest, pb::check_request::Part);

/// Memory for an upload, asked for while it comes.
pub trait Room: Send {
    /// Makes room for the first `arrived` bytes of a document of `announced` bytes: once before anything of it is read,
    /// then before each part is kept. What it gave is given back when it is dropped.
    fn make(&mut self, announced: usize, arrived: usize) -> impl Future<Output = Result<(), Status>> + Send;
}

/// Everything fits.
impl Room for () {
    async fn make(&mut self, _: usize, _: usize) -> Result<(), Status> {
        Ok(())
    }
}

/// How long the next part of an upload may keep the hub waiting.
pub const SILENCE: Duration = Duration::from_secs(10);

/// For the hub: reads a whole upload, never holding more than was announced and really came. Whoever stays silent for
/// [`SILENCE`] is cut off.
pub async fn receive<M: UploadMessage>(stream: Streaming<M>, room: &mut impl Room) -> Result<Upload, Status> {
    collect(stream, room).await
}

async fn collect<M: UploadMessage>(
    mut stream: impl Stream<Item = Result<M, Status>> + Unpin,
    room: &mut impl Room,
) -> Result<Upload, Status> {
    let mut next = async || match next_message(&mut stream).await? {
        Some(message) => message.into_part().map(Some).ok_or_else(|| broken("a message of the upload is empty")),
        None => Ok(None),
    };
    let Some(Part::Header(header)) = next().await? else {
        return Err(broken("the upload does not begin with its header"));
    };
    let signature = Signature::from_slice(&header.signature).map_err(|_| broken("the signature must be 64 bytes"))?;
    let mut document = Growing::announced(header.length, room).await?;
    while let Some(part) = next().await? {
        let Part::Chunk(chunk) = part else { return Err(broken("the upload has two headers")) };
        document.take(&chunk, room).await?;
    }
    Ok(Upload { document: document.whole("the upload is shorter than announced")?, signature })
}

/// The next message, if it comes before patience ends.
pub(crate) async fn next_message<M>(
    stream: &mut (impl Stream<Item = Result<M, Status>> + Unpin),
) -> Result<Option<M>, Status> {
    match timeout(SILENCE, stream.next()).await {
        Ok(message) => message.transpose().map_err(explained),
        Err(_) => Err(stalled()),
    }
}

/// A document of which the rest is still to come.
pub(crate) struct Growing {
    bytes: Vec<u8>,
    announced: usize,
}

impl Growing {
    /// Nothing yet of so many bytes.
    pub(crate) async fn announced(length: u64, room: &mut impl Room) -> Result<Self, Status> {
        let announced = usize::try_from(length)
            .ok()
            .filter(|length| *length <= MAX_DOCUMENT)
            .ok_or_else(|| refuse(Failure::from(DocumentError::TooLarge)))?;
        room.make(announced, 0).await?;
        Ok(Self { bytes: Vec::new(), announced })
    }

    /// Whether nothing came yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The next bytes.
    pub(crate) async fn take(&mut self, chunk: &[u8], room: &mut impl Room) -> Result<(), Status> {
        if chunk.is_empty() || chunk.len() > MAX_CHUNK {
            return Err(broken("a chunk of the upload is empty or larger than 1 MiB"));
        }
        let arrived = self.bytes.len() + chunk.len();
        if arrived > self.announced {
            return Err(broken("the upload is longer than announced"));
        }
        room.make(self.announced, arrived).await?;
        self.bytes.extend_from_slice(chunk);
        Ok(())
    }

    /// All of it.
    pub(crate) fn whole(self, otherwise: &'static str) -> Result<Vec<u8>, Status> {
        if self.bytes.len() == self.announced { Ok(self.bytes) } else { Err(broken(otherwise)) }
    }
}

fn refuse(failure: Failure) -> Status {
    Status::from(Refusal::from(failure))
}

pub(crate) fn broken(detail: &'static str) -> Status {
    refuse(Failure::new(
        FailureKind::Invalid,
        "UPLOAD_MALFORMED",
        detail,
        "L’envoi est incomplet ou mal formé : rien n’a été enregistré, recommencez.",
    ))
}

/// Silence is no fault of the document: the same bytes may come again.
fn stalled() -> Status {
    refuse(Failure::new(
        FailureKind::Unavailable,
        "UPLOAD_STALLED",
        "nothing came for too long in the middle of an upload",
        "La connexion s’est interrompue pendant l’envoi : rien n’a été enregistré, il sera retenté.",
    ))
}

/// The transport's own limit speaks English and gives no reason; of bytes that are no message it says that the
/// server is at fault.
fn explained(status: Status) -> Status {
    match status.code() {
        Code::OutOfRange => refuse(Failure::new(
            FailureKind::Invalid,
            "MESSAGE_TOO_LARGE",
            "a message of the upload is larger than the port takes",
            "Un message de l’envoi dépasse la taille permise : rien n’a été enregistré.",
        )),
        Code::Internal => broken("a message of the upload is damaged"),
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::InvalidArgument
        | Code::DeadlineExceeded
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::ResourceExhausted
        | Code::Unimplemented
        | Code::Unavailable
        | Code::DataLoss
        | Code::Unauthenticated => status,
    }
}

/// For the node: the messages of an upload.
pub(crate) fn send<M: UploadMessage>(document: &[u8], signature: &Signature) -> impl Stream<Item = M> + Send + 'static {
    let header = pb::UploadHeader { signature: signature.as_bytes().to_vec(), length: document.len() as u64 };
    let chunks: Vec<Vec<u8>> = document.chunks(CHUNK).map(<[u8]>::to_vec).collect();
    stream::iter(std::iter::once(Part::Header(header)).chain(chunks.into_iter().map(Part::Chunk)).map(M::of))
}

#[cfg(test)]
mod tests {
    use seal::SigningKey;

    use super::*;

    async fn upload(parts: Vec<Part>) -> Result<Upload, Status> {
        let parts = stream::iter(parts.into_iter().map(|part| Ok(pb::SubmitRequest::of(part))));
        collect(parts, &mut ()).await
    }

    /// What was asked for.
    #[derive(Default)]
    struct Asked(Vec<(usize, usize)>);

    impl Room for Asked {
        async fn make(&mut self, announced: usize, arrived: usize) -> Result<(), Status> {
            self.0.push((announced, arrived));
            Ok(())
        }
    }

    fn header(length: u64) -> Part {
        Part::Header(pb::UploadHeader { signature: vec![1; 64], length })
    }

    #[tokio::test]
    async fn what_a_node_sends_is_what_a_hub_reads() {
        let document: Vec<u8> = (0..CHUNK * 2 + 17).map(|i| u8::try_from(i % 251).expect("small")).collect();
        let signature = SigningKey::generate().sign(&document);
        let sent = send::<pb::CheckRequest>(&document, &signature).map(Ok);
        let mut asked = Asked::default();
        let read = collect(sent, &mut asked).await.expect("a whole upload");
        let length = document.len();
        assert_eq!((read.document, read.signature), (document, signature));
        assert_eq!(asked.0, [0, CHUNK, CHUNK * 2, length].map(|arrived| (length, arrived)));
    }

    #[tokio::test(start_paused = true)]
    async fn silence_ends_an_upload_at_any_part_with_a_time_to_come_back() {
        for parts in [vec![], vec![header(2)], vec![header(2), Part::Chunk(vec![1])]] {
            let parts = stream::iter(parts.into_iter().map(|part| Ok(pb::SubmitRequest::of(part))));
            let silent = parts.chain(stream::pending());
            let status = collect(silent, &mut ()).await.expect_err("cut off");
            let said = crate::status::from_status(&status);
            assert_eq!((said.kind, said.reason.as_str()), (FailureKind::Unavailable, "UPLOAD_STALLED"));
            assert!(said.retry_after.is_some() && said.message.ends_with('.'), "{said:?}");
        }
    }

    #[tokio::test]
    async fn every_broken_upload_is_refused_with_its_reason() {
        let cases: Vec<(Vec<Part>, &str)> = vec![
            (vec![], "does not begin"),
            (vec![Part::Chunk(vec![1])], "does not begin"),
            (vec![header(1), header(1)], "two headers"),
            (vec![header(2), Part::Chunk(vec![1])], "shorter"),
            (vec![header(1), Part::Chunk(vec![1, 2])], "longer"),
            (vec![header(1), Part::Chunk(vec![])], "empty"),
            (vec![header(2 << 20), Part::Chunk(vec![0; MAX_CHUNK + 1])], "larger"),
            (vec![header(u64::MAX)], "larger"),
            (vec![Part::Header(pb::UploadHeader { signature: vec![1; 63], length: 1 })], "64 bytes"),
        ];
        for (parts, expected) in cases {
            let told = format!("{parts:?}").chars().take(80).collect::<String>();
            let status = upload(parts).await.expect_err("broken");
            assert!(status.message().contains(expected), "{told}: {}", status.message());
        }
    }
}
