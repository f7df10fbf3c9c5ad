//! The side of who may reach a hub: which versions it has, and their files.

use std::sync::Arc;

use model::{Clock, Failure, PackCode};
use wire::client::{ClientError, PackSummary};
use wire::document::PackFiles;

use crate::access::Credentials;
use crate::failure;

/// The packs that the hub takes figures for.
pub async fn offered(credentials: &Credentials, clock: Arc<dyn Clock>) -> Result<Vec<PackSummary>, Failure> {
    let client = credentials.connect(clock).await.map_err(|error| failure::network(&error))?;
    client.packs().await.map_err(|error| failure::network(&error))
}

/// One version, the current one if none is named: its title and number, and the file that `maillage pack` reads.
pub async fn download(
    credentials: &Credentials,
    code: &PackCode,
    version: Option<&str>,
    clock: Arc<dyn Clock>,
) -> Result<(String, Vec<u8>), Failure> {
    let client = credentials.connect(clock).await.map_err(|error| failure::network(&error))?;
    let signed = client.pack(code, version).await.map_err(|error| failure::network(&error))?;
    let files = PackFiles::decode(&signed.document);
    let files =
        files.ok().filter(|files| files.code == *code && version.is_none_or(|version| version == files.version));
    let files =
        files.ok_or_else(|| failure::network(&ClientError::Protocol("another pack than asked for".to_owned())))?;
    Ok((format!("{} {}", files.code, files.version), signed.document))
}
