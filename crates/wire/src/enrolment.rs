//! Joining and staying joined, as both ends say it.

use std::fmt;

use model::{CommuneCode, Failure, FailureKind, InvitationToken};
use seal::{PublicKey, Signature, SigningKey};

use crate::bundle::SignedSealingKey;
use crate::identity::TlsKey;
use crate::pb::bundle::v1::SealingKey;
use crate::pb::enrolment::v1 as pb;

const PROOF: &[u8] = b"maillage-enrol-v1\0";

/// A node asks to join. Reading one proves that its sender holds the signing key.
#[derive(Clone, Debug)]
pub struct JoinRequest {
    /// The invitation's secret.
    pub token: InvitationToken,
    /// PKCS#10, DER; [`crate::authority::Authority::sign_node`] takes it.
    pub certificate_request: Vec<u8>,
    /// The key with which the node will sign its documents.
    pub signing_key: PublicKey,
    proof: Signature,
}

fn proof_message(token: &InvitationToken) -> Vec<u8> {
    [PROOF, token.as_bytes()].concat()
}

impl JoinRequest {
    /// For the node: spends `token` for these two keys.
    pub fn new(token: InvitationToken, tls: &TlsKey, signing: &SigningKey) -> Self {
        Self {
            token,
            certificate_request: tls.request(),
            signing_key: signing.public(),
            proof: signing.sign(&proof_message(&token)),
        }
    }
}

impl fmt::Debug for pb::EnrolRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnrolRequest(…)")
    }
}

impl From<&JoinRequest> for pb::EnrolRequest {
    fn from(request: &JoinRequest) -> Self {
        Self {
            token: request.token.as_bytes().to_vec(),
            certificate_request: request.certificate_request.clone(),
            signing_key: request.signing_key.as_bytes().to_vec(),
            signing_proof: request.proof.as_bytes().to_vec(),
        }
    }
}

impl TryFrom<pb::EnrolRequest> for JoinRequest {
    type Error = Failure;
    fn try_from(request: pb::EnrolRequest) -> Result<Self, Failure> {
        let token = InvitationToken::from_slice(&request.token).ok_or_else(|| malformed("token must be 32 bytes"))?;
        let signing_key = PublicKey::from_slice(&request.signing_key).map_err(|error| malformed(error.to_string()))?;
        let proof = Signature::from_slice(&request.signing_proof).map_err(|error| malformed(error.to_string()))?;
        signing_key.verify(&proof_message(&token), &proof).map_err(|_| {
            Failure::new(
                FailureKind::Invalid,
                "SIGNING_PROOF_INVALID",
                "the signing proof was not made by the signing key",
                "La clé de signature présentée n’est pas celle du poste : relancez l’adhésion.",
            )
        })?;
        Ok(Self { token, certificate_request: request.certificate_request, signing_key, proof })
    }
}

/// A node's place in the mesh, or its renewal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    /// Leaf first, DER.
    pub chain: Vec<Vec<u8>>,
    /// All territories whose slices the node may replace, the provider's own first.
    pub territories: Vec<CommuneCode>,
    /// The keys with which the hub signs receipts and packs, newest first.
    pub hub_keys: Vec<PublicKey>,
    /// The key to which envelopes for the hub are sealed; `None` from a hub of an older version.
    pub sealing_key: Option<SignedSealingKey>,
}

impl Membership {
    /// The commune that the node speaks for.
    pub fn provider(&self) -> Option<CommuneCode> {
        self.territories.first().copied()
    }

    fn read(
        chain: Vec<Vec<u8>>,
        territories: &[String],
        hub_keys: &[Vec<u8>],
        sealing_key: Option<SealingKey>,
    ) -> Result<Self, Failure> {
        let territories = territories
            .iter()
            .map(|text| text.parse())
            .collect::<Result<Vec<CommuneCode>, _>>()
            .map_err(|_| malformed("a territory is not a commune code"))?;
        let hub_keys = hub_keys
            .iter()
            .map(|key| PublicKey::from_slice(key))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| malformed("a key of the hub must be 32 bytes"))?;
        if chain.is_empty() || territories.is_empty() || hub_keys.is_empty() {
            return Err(malformed("certificate chain, territories or keys of the hub are absent"));
        }
        let sealing_key = sealing_key
            .map(SignedSealingKey::try_from)
            .transpose()
            .map_err(|_| malformed("the sealing key is not well-formed"))?;
        Ok(Self { chain, territories, hub_keys, sealing_key })
    }

    fn keys(&self) -> Vec<Vec<u8>> {
        self.hub_keys.iter().map(|key| key.as_bytes().to_vec()).collect()
    }

    fn territory_texts(&self) -> Vec<String> {
        self.territories.iter().map(ToString::to_string).collect()
    }
}

impl From<&Membership> for pb::EnrolResponse {
    fn from(membership: &Membership) -> Self {
        Self {
            certificate_chain: membership.chain.clone(),
            provider: membership.provider().map(|code| code.to_string()).unwrap_or_default(),
            territories: membership.territory_texts(),
            hub_signing_keys: membership.keys(),
            hub_sealing_key: membership.sealing_key.as_ref().map(Into::into),
        }
    }
}

impl From<&Membership> for pb::RenewResponse {
    fn from(membership: &Membership) -> Self {
        Self {
            certificate_chain: membership.chain.clone(),
            territories: membership.territory_texts(),
            hub_signing_keys: membership.keys(),
            hub_sealing_key: membership.sealing_key.as_ref().map(Into::into),
        }
    }
}

impl TryFrom<pb::EnrolResponse> for Membership {
    type Error = Failure;
    fn try_from(response: pb::EnrolResponse) -> Result<Self, Failure> {
        if response.territories.first() != Some(&response.provider) {
            return Err(malformed("the provider's own territory does not come first"));
        }
        Self::read(
            response.certificate_chain,
            &response.territories,
            &response.hub_signing_keys,
            response.hub_sealing_key,
        )
    }
}

impl TryFrom<pb::RenewResponse> for Membership {
    type Error = Failure;
    fn try_from(response: pb::RenewResponse) -> Result<Self, Failure> {
        Self::read(
            response.certificate_chain,
            &response.territories,
            &response.hub_signing_keys,
            response.hub_sealing_key,
        )
    }
}

fn malformed(detail: impl Into<String>) -> Failure {
    Failure::new(
        FailureKind::Invalid,
        "ENROLMENT_MALFORMED",
        detail,
        "La demande d’adhésion est mal formée : les deux logiciels n’ont sans doute pas la même version.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_join_request_proves_the_signing_key() {
        let signing = SigningKey::generate();
        let request = JoinRequest::new(InvitationToken::from_bytes([3; 32]), &TlsKey::generate(), &signing);
        let sent = pb::EnrolRequest::from(&request);
        let read = JoinRequest::try_from(sent.clone()).expect("what a node sends");
        let shown = format!("{sent:?} {read:?}");
        assert!(!shown.contains("3, 3, 3") && !shown.contains("0303"), "{shown}");
        assert_eq!((read.token, read.signing_key), (request.token, signing.public()));

        let another_key =
            pb::EnrolRequest { signing_key: SigningKey::generate().public().as_bytes().to_vec(), ..sent.clone() };
        assert_eq!(JoinRequest::try_from(another_key).expect_err("not its key").reason, "SIGNING_PROOF_INVALID");
        let another_token = pb::EnrolRequest { token: vec![4; 32], ..sent.clone() };
        assert_eq!(JoinRequest::try_from(another_token).expect_err("replayed").reason, "SIGNING_PROOF_INVALID");
        let short = pb::EnrolRequest { token: vec![4; 31], ..sent };
        assert_eq!(JoinRequest::try_from(short).expect_err("short").reason, "ENROLMENT_MALFORMED");
    }

    #[test]
    fn a_membership_reads_back_as_sent_and_not_half() {
        let membership = Membership {
            chain: vec![vec![1], vec![2]],
            territories: vec!["93066".parse().expect("commune"), "93059".parse().expect("commune")],
            hub_keys: vec![SigningKey::generate().public()],
            sealing_key: Some(SignedSealingKey::of(&SigningKey::generate())),
        };
        assert_eq!(Membership::try_from(pb::EnrolResponse::from(&membership)), Ok(membership.clone()));
        assert_eq!(Membership::try_from(pb::RenewResponse::from(&membership)), Ok(membership.clone()));
        let keyless = pb::RenewResponse { hub_signing_keys: vec![], ..pb::RenewResponse::from(&membership) };
        assert!(Membership::try_from(keyless).is_err());
    }
}
