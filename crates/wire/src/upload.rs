//! Documents in parts: a header with signature and length, then the bytes in order.

use futures::{Stream, StreamExt, stream};
use model::{Failure, FailureKind};
use seal::Signature;
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

/// For the hub: reads a whole upload, never holding more than was announced and really came.
///
/// `admit` is asked once, with the announced length in bytes, before anything of that length is read; what it gives is
/// given back with the upload.
pub async fn receive<M: UploadMessage, T>(
    stream: Streaming<M>,
    admit: impl AsyncFnOnce(usize) -> Result<T, Status>,
) -> Result<(Upload, T), Status> {
    collect(stream, admit).await
}

async fn collect<M: UploadMessage, T>(
    mut stream: impl Stream<Item = Result<M, Status>> + Unpin,
    admit: impl AsyncFnOnce(usize) -> Result<T, Status>,
) -> Result<(Upload, T), Status> {
    let mut next = async || match stream.next().await {
        Some(Ok(message)) => message.into_part().map(Some).ok_or_else(|| broken("a message of the upload is empty")),
        Some(Err(status)) => Err(explained(status)),
        None => Ok(None),
    };
    let Some(Part::Header(header)) = next().await? else {
        return Err(broken("the upload does not begin with its header"));
    };
    let signature = Signature::from_slice(&header.signature).map_err(|_| broken("the signature must be 64 bytes"))?;
    let length = usize::try_from(header.length)
        .ok()
        .filter(|length| *length <= MAX_DOCUMENT)
        .ok_or_else(|| refuse(Failure::from(DocumentError::TooLarge)))?;
    let admitted = admit(length).await?;
    let mut document = Vec::new();
    while let Some(part) = next().await? {
        let Part::Chunk(chunk) = part else { return Err(broken("the upload has two headers")) };
        take_chunk(&mut document, &chunk, length)?;
    }
    if document.len() != length {
        return Err(broken("the upload is shorter than announced"));
    }
    Ok((Upload { document, signature }, admitted))
}

/// Adds a part to a document of the announced `length`.
pub(crate) fn take_chunk(document: &mut Vec<u8>, chunk: &[u8], length: usize) -> Result<(), Status> {
    if chunk.is_empty() || chunk.len() > MAX_CHUNK {
        return Err(broken("a chunk of the upload is empty or larger than 1 MiB"));
    }
    if document.len() + chunk.len() > length {
        return Err(broken("the upload is longer than announced"));
    }
    document.extend_from_slice(chunk);
    Ok(())
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

/// The transport's own limit speaks English and gives no reason; of bytes that are no message it says that the
/// server is at fault.
pub(crate) fn explained(status: Status) -> Status {
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
        collect(parts, async |_| Ok(())).await.map(|(upload, ())| upload)
    }

    fn header(length: u64) -> Part {
        Part::Header(pb::UploadHeader { signature: vec![1; 64], length })
    }

    #[tokio::test]
    async fn what_a_node_sends_is_what_a_hub_reads() {
        let document: Vec<u8> = (0..CHUNK * 2 + 17).map(|i| u8::try_from(i % 251).expect("small")).collect();
        let signature = SigningKey::generate().sign(&document);
        let sent = send::<pb::CheckRequest>(&document, &signature).map(Ok);
        let (read, announced) = collect(sent, async |length| Ok(length)).await.expect("a whole upload");
        assert_eq!((read.document.len(), read.document, read.signature), (announced, document, signature));
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
