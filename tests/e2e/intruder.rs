//! What an honest client cannot do: call any method with any bytes, forge documents, look into the hub's database.

use std::collections::BTreeMap;
use std::path::Path;

use futures::{Stream, stream};
use http::uri::PathAndQuery;
use prost::Message;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Request, Status};
use wire::client::ClientError;
use wire::pb::submission::v1::{SubmissionDocument, SubmitRequest, UploadHeader, submit_request};
use wire::status::{Refused, from_status};

pub const SUBMIT: &str = "/maillage.submission.v1.SubmissionService/Submit";
pub const WITHDRAW: &str = "/maillage.submission.v1.SubmissionService/Withdraw";

/// Calls `method` with these messages, byte for byte, and gives the answer's.
pub async fn call(channel: &Channel, method: &str, messages: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>, Box<Refused>> {
    call_with(channel, method, stream::iter(messages)).await
}

/// The same with messages that come as they come.
pub async fn call_with(
    channel: &Channel,
    method: &str,
    messages: impl Stream<Item = Vec<u8>> + Send + 'static,
) -> Result<Vec<Vec<u8>>, Box<Refused>> {
    let refused = |status: Status| Box::new(from_status(&status));
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.expect("a connection that was open a moment ago");
    let path: PathAndQuery = method.parse().expect("a path");
    // Every kind of call looks the same on the wire: messages there, messages back.
    let request = Request::new(messages);
    let mut answers = grpc.streaming(request, path, Raw).await.map_err(refused)?.into_inner();
    let mut read = Vec::new();
    while let Some(message) = answers.message().await.map_err(refused)? {
        read.push(message);
        // It would go on for ever.
        if method.ends_with("/WatchPacks") {
            break;
        }
    }
    Ok(read)
}

/// Messages as they are.
#[derive(Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;
    fn encoder(&mut self) -> Self {
        *self
    }
    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;
    fn encode(&mut self, item: Vec<u8>, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        prost::bytes::BufMut::put_slice(to, &item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;
    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let length = prost::bytes::Buf::remaining(from);
        Ok(Some(prost::bytes::Buf::copy_to_bytes(from, length).to_vec()))
    }
}

/// The messages of an upload that announces `length` bytes and brings these chunks.
pub fn upload(signature: &[u8], length: u64, chunks: &[&[u8]]) -> Vec<Vec<u8>> {
    let header = UploadHeader { signature: signature.to_vec(), length };
    let parts = chunks.iter().map(|chunk| submit_request::Part::Chunk(chunk.to_vec()));
    std::iter::once(submit_request::Part::Header(header))
        .chain(parts)
        .map(|part| SubmitRequest { part: Some(part) }.encode_to_vec())
        .collect()
}

/// The same document, canonical again, after `change`.
pub fn forged(document: &[u8], change: impl FnOnce(&mut SubmissionDocument)) -> Vec<u8> {
    let mut message = SubmissionDocument::decode(document).expect("a document");
    change(&mut message);
    message.encode_to_vec()
}

/// Why the hub said no.
pub fn refusal<T>(answer: Result<T, ClientError>) -> Refused {
    match answer {
        Err(ClientError::Refused(refused)) => *refused,
        Err(other) => panic!("not a refusal: {other:?}"),
        Ok(_) => panic!("not refused"),
    }
}

/// Every row of every table of an SQLite file, as SQL literals; not those of the journal of refusals, which is there to
/// grow when something is refused.
pub async fn rows(database: &Path) -> BTreeMap<String, Vec<String>> {
    let url = format!("sqlite:{}?mode=ro", database.display());
    let mut connection = SqliteConnection::connect(&url).await.expect("a database");
    let tables: Vec<(String,)> =
        sqlx::query_as("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'refusal' ORDER BY name")
            .fetch_all(&mut connection)
            .await
            .expect("a schema");
    let mut all = BTreeMap::new();
    for (table,) in tables {
        let columns: Vec<(String,)> = sqlx::query_as("SELECT name FROM pragma_table_info($1)")
            .bind(&table)
            .fetch_all(&mut connection)
            .await
            .expect("columns");
        let literals: Vec<String> = columns.iter().map(|(name,)| format!("quote(\"{name}\")")).collect();
        let sql = format!("SELECT {} FROM \"{table}\" ORDER BY 1", literals.join(" || ', ' || "));
        let read: Vec<(String,)> =
            sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut connection).await.expect("rows of a table");
        all.insert(table, read.into_iter().map(|(row,)| row).collect());
    }
    all
}
