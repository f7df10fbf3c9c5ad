//! What leaves the port: refusals that say why, and answers that end when the right to them does.

use std::pin::Pin;
use std::task::{Context, Poll};

use http::Response;
use hyper::body::{Bytes, Frame, SizeHint};
use model::{Failure, FailureKind};
use tonic::body::Body;
use tonic::{Code, Status};

use crate::status::Refusal;

const STATUS: &str = "grpc-status";
const DETAILS: &str = "grpc-status-details-bin";

/// The answer, unless the transport refused the request in its own words: of bytes that are no message it says that
/// the server is at fault, and it gives no reason. What a handler refuses always has details.
pub(super) fn typed(response: Response<Body>) -> Result<Response<Body>, Failure> {
    let headers = response.headers();
    let code = headers.get(STATUS).filter(|_| !headers.contains_key(DETAILS));
    match code.map(|code| Code::from_bytes(code.as_bytes())) {
        Some(Code::Internal) => Err(Failure::new(
            FailureKind::Invalid,
            "REQUEST_MALFORMED",
            "the request is not the message of this method",
            "La demande est mal formée : les deux logiciels n’ont sans doute pas la même version.",
        )),
        Some(Code::OutOfRange) => Err(Failure::new(
            FailureKind::Invalid,
            "MESSAGE_TOO_LARGE",
            "the message is larger than the port takes",
            "La demande dépasse la taille permise : rien n’a été enregistré.",
        )),
        Some(_) | None => Ok(response),
    }
}

/// `body`, until `lost` says why its reader may not have the rest.
pub(super) fn until(body: Body, lost: impl Future<Output = Failure> + Send + 'static) -> Body {
    Body::new(Until { body, lost: Some(Box::pin(lost)) })
}

struct Until {
    body: Body,
    /// `None` once it was lost: nothing follows.
    lost: Option<Pin<Box<dyn Future<Output = Failure> + Send>>>,
}

impl hyper::body::Body for Until {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Some(lost) = self.lost.as_mut() else { return Poll::Ready(None) };
        // First: a reader who never pauses must not outrun it.
        if let Poll::Ready(failure) = lost.as_mut().poll(context) {
            self.lost = None;
            let (parts, _) = Status::from(Refusal::from(failure)).into_http::<Body>().into_parts();
            let mut trailers = parts.headers;
            trailers.remove(http::header::CONTENT_TYPE);
            return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
        }
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.lost.is_none() || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        // Shorter than promised would break the stream: nothing is promised.
        SizeHint::default()
    }
}
