//! The frame around a document: readable head, sealed and signed content.

use model::{Entropy, Hash};
use prost::Message;
use seal::{ENCAPSULATED, OpeningKey, PublicKey, SealingKey, Signature, SigningKey, Zeroizing};

use super::{BundleError, MAX_BUNDLE};
use crate::document::FORMAT;
use crate::pb::bundle::v1 as pb;

const MAGIC: &[u8; 16] = b"maillage-bundle\n";
const INFO: &[u8] = b"maillage-bundle-v1";
const SIGNED: &[u8] = b"maillage-bundle-v1\0";
/// A header of this version has 72 bytes; a later one may have more, so that its number can still be told.
const LONGEST_HEADER: usize = 1024;

/// What was in an envelope, and who wrote it.
pub(super) struct Opened {
    pub(super) writer: PublicKey,
    pub(super) document: Zeroizing<Vec<u8>>,
}

pub(super) fn seal(
    contents: pb::Contents,
    authority: Hash,
    reader: &SealingKey,
    signing: &SigningKey,
    document: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, BundleError> {
    let header = pb::EnvelopeHeader {
        format: FORMAT,
        contents: i32::from(contents),
        authority: authority.as_bytes().to_vec(),
        recipient: reader.id().as_bytes().to_vec(),
    }
    .encode_to_vec();
    let length = u16::try_from(header.len()).expect("two hashes and two small numbers");
    let mut file = [MAGIC.as_slice(), &length.to_be_bytes(), &header].concat();
    let signature = signing.sign(&[SIGNED, &file, document].concat());
    let content =
        Zeroizing::new([signature.as_bytes().as_slice(), signing.public().as_bytes().as_slice(), document].concat());
    let sealed = reader.seal(INFO, &file, &content, entropy)?;
    file.extend(sealed);
    if file.len() > MAX_BUNDLE {
        return Err(BundleError::TooLarge);
    }
    Ok(file)
}

/// Opens, and proves that the holder of the key inside wrote exactly this for exactly this reader.
pub(super) fn open(
    contents: pb::Contents,
    file: &[u8],
    opening: &OpeningKey,
    authority: Hash,
) -> Result<Opened, BundleError> {
    if file.len() > MAX_BUNDLE {
        return Err(BundleError::TooLarge);
    }
    let (head, header, sealed) = split(file)?;
    if header.format != FORMAT {
        return Err(BundleError::UnknownFormat(header.format));
    }
    if header.encode_to_vec() != head[MAGIC.len() + 2..] {
        return Err(BundleError::Damaged);
    }
    if header.contents != i32::from(contents) {
        return Err(BundleError::WrongDirection);
    }
    if header.authority != authority.as_bytes() {
        return Err(BundleError::OtherHub);
    }
    if header.recipient != opening.sealing_key().id().as_bytes() {
        return Err(BundleError::NotForUs);
    }
    let content = opening.open(INFO, head, sealed).map_err(|_| BundleError::Damaged)?;
    let (signature, rest) = content.split_at_checked(64).ok_or(BundleError::Damaged)?;
    let (writer, document) = rest.split_at_checked(32).ok_or(BundleError::Damaged)?;
    let writer = PublicKey::from_slice(writer).map_err(|_| BundleError::Damaged)?;
    let signature = Signature::from_slice(signature).map_err(|_| BundleError::Damaged)?;
    writer.verify(&[SIGNED, head, document].concat(), &signature).map_err(|_| BundleError::Signature)?;
    Ok(Opened { writer, document: Zeroizing::new(document.to_vec()) })
}

/// The readable head, what it says, and the rest.
fn split(file: &[u8]) -> Result<(&[u8], pb::EnvelopeHeader, &[u8]), BundleError> {
    let after = file.strip_prefix(MAGIC).ok_or(BundleError::NotABundle)?;
    let (length, after) = after.split_at_checked(2).ok_or(BundleError::Damaged)?;
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    if length > LONGEST_HEADER || after.len() < length + ENCAPSULATED {
        return Err(BundleError::Damaged);
    }
    let (head, sealed) = file.split_at(MAGIC.len() + 2 + length);
    let header = pb::EnvelopeHeader::decode(&after[..length]).map_err(|_| BundleError::Damaged)?;
    Ok((head, header, sealed))
}
