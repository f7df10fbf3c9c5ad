//! The files of a pack as one document.

use std::collections::BTreeMap;

use model::{Hash, PackCode};
use prost::Message;
use seal::{PublicKey, Signature, SigningKey, sha256};

use super::field::{ascending, id, refuse, version, word};
use super::shape::PACK;
use super::{DocumentError, FORMAT, MAX_DOCUMENT, canonical, read};
use crate::pb::methodology::v1 as pb;

/// The files of one version of a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackFiles {
    /// Which pack.
    pub code: PackCode,
    /// Which version.
    pub version: String,
    /// Contents by relative path, with `/`.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl PackFiles {
    /// The one canonical document; its SHA-256 names this version of the pack.
    ///
    /// # Errors
    /// No file, a path that leaves the pack's folder, or too large.
    pub fn encode(&self) -> Result<Vec<u8>, DocumentError> {
        let bytes = pb::PackDocument {
            format: FORMAT,
            code: self.code.to_string(),
            version: self.version.clone(),
            files: self
                .files
                .iter()
                .map(|(path, content)| pb::PackFile { path: path.clone(), content: content.clone() })
                .collect(),
        }
        .encode_to_vec();
        Self::decode(&bytes)?;
        Ok(bytes)
    }

    /// Reads a document. Nobody vouches for it yet: see [`SignedPack::verify`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DocumentError> {
        let document: pb::PackDocument = read(bytes, &PACK)?;
        if document.files.is_empty() {
            return Err(refuse("files", "must not be empty"));
        }
        let mut files = BTreeMap::new();
        let mut last = None;
        for (index, file) in document.files.into_iter().enumerate() {
            let place = format!("files[{index}].path");
            if !stays_inside(&file.path) {
                return Err(refuse(place, "must be a relative path without '..'"));
            }
            ascending(place, &mut last, file.path.clone())?;
            files.insert(file.path, file.content);
        }
        Ok(Self { code: word("code", &document.code)?, version: version("version", &document.version)?, files })
    }
}

/// A hostile pack must not write outside its folder, on any system.
fn stays_inside(path: &str) -> bool {
    path.len() <= 255
        && path.split('/').all(|part| {
            !part.is_empty()
                && !part.starts_with('.')
                && !part.ends_with(['.', ' '])
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b' '))
        })
}

/// A pack with the hub's signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedPack {
    /// A [`PackFiles`] document, canonical.
    pub document: Vec<u8>,
    /// The hub's signature of these bytes.
    pub signature: Signature,
    /// [`PublicKey::id`] of the key that made it.
    pub key: Hash,
}

impl SignedPack {
    /// Signs `pack`.
    pub fn sign(pack: &PackFiles, key: &SigningKey) -> Result<Self, DocumentError> {
        let document = pack.encode()?;
        let signature = key.sign(&document);
        Ok(Self { document, signature, key: key.public().id() })
    }

    /// Reads the pack if one of `keys`, the hub's present and former ones, signed it.
    pub fn verify(&self, keys: &[PublicKey]) -> Result<PackFiles, DocumentError> {
        let key = keys.iter().find(|key| key.id() == self.key).ok_or(DocumentError::UnknownKey)?;
        key.verify(&self.document, &self.signature).map_err(|_| DocumentError::Signature)?;
        PackFiles::decode(&self.document)
    }

    /// SHA-256 of the document.
    pub fn hash(&self) -> Hash {
        sha256(&self.document)
    }

    /// The signed pack as the bytes of a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        pb::GetPackResponse::from(self).encode_to_vec()
    }

    /// Reads the bytes of such a file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DocumentError> {
        if bytes.len() > MAX_DOCUMENT {
            return Err(DocumentError::TooLarge);
        }
        Self::try_from(canonical::<pb::GetPackResponse>(bytes)?)
    }
}

impl From<&SignedPack> for pb::GetPackResponse {
    fn from(pack: &SignedPack) -> Self {
        Self {
            document: pack.document.clone(),
            signature: pack.signature.as_bytes().to_vec(),
            key: pack.key.as_bytes().to_vec(),
        }
    }
}

impl TryFrom<pb::GetPackResponse> for SignedPack {
    type Error = DocumentError;
    fn try_from(pack: pb::GetPackResponse) -> Result<Self, DocumentError> {
        Ok(Self {
            signature: Signature::from_slice(&pack.signature)
                .map_err(|_| refuse("signature", "has the wrong length"))?,
            key: id("key", &pack.key, Hash::from_slice)?,
            document: pack.document,
        })
    }
}
