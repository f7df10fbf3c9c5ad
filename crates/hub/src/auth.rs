//! Who may call what. Every method says for whom it is; a method that does not is refused to everybody.

use model::{Code, CommuneCode, Failure, FailureKind, Hash};
use seal::PublicKey;
use wire::bundle::Sender;
use wire::identity::{Certificate, Peer, Subject};
use wire::server::{Answered, Authorise};

use crate::visibility::Reader;
use crate::{Hub, failure};

/// A commune that speaks through its living node. Only [`Hub::provider`] and [`Hub::sender`] make one.
#[derive(Clone, Debug)]
pub struct Provider {
    commune: CommuneCode,
    node: Hash,
    signing_key: PublicKey,
    territories: Vec<CommuneCode>,
}

impl Provider {
    /// The commune.
    pub fn commune(&self) -> CommuneCode {
        self.commune
    }

    /// SHA-256 of the node's TLS key.
    pub fn node(&self) -> Hash {
        self.node
    }

    /// The key with which its documents are signed.
    pub fn signing_key(&self) -> PublicKey {
        self.signing_key
    }

    /// Territories whose slices it may replace, its own first, communes that it absorbed included.
    pub fn territories(&self) -> &[CommuneCode] {
        &self.territories
    }

    /// Whether it may write, and read back, what was sent about `territory`.
    pub fn owns(&self, territory: CommuneCode) -> bool {
        self.territories.contains(&territory)
    }
}

/// Who a method is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Callers {
    /// Whoever reaches the port; the request itself proves what it must.
    Anyone,
    /// Living nodes.
    Nodes,
    /// Living nodes, coordinators and partners; what each sees is decided by `visibility`.
    Readers,
}

/// For whom every method is, by path. `None`: no such method.
pub(crate) fn callers(method: &str) -> Option<Callers> {
    Some(match method {
        "/maillage.enrolment.v1.EnrolmentService/Enrol"
        | "/maillage.enrolment.v1.EnrolmentService/Renew"
        | "/grpc.health.v1.Health/Check"
        | "/grpc.health.v1.Health/List"
        | "/grpc.health.v1.Health/Watch"
        | "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
        | "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo" => Callers::Anyone,
        "/maillage.submission.v1.SubmissionService/Check"
        | "/maillage.submission.v1.SubmissionService/Submit"
        | "/maillage.submission.v1.SubmissionService/Get"
        | "/maillage.submission.v1.SubmissionService/List"
        | "/maillage.submission.v1.SubmissionService/Withdraw"
        | "/maillage.submission.v1.SubmissionService/Share"
        | "/maillage.submission.v1.SubmissionService/Standing"
        | "/maillage.submission.v1.SubmissionService/Recover" => Callers::Nodes,
        "/maillage.comparison.v1.ComparisonService/Compare"
        | "/maillage.comparison.v1.ComparisonService/Profile"
        | "/maillage.methodology.v1.MethodologyService/ListPacks"
        | "/maillage.methodology.v1.MethodologyService/WatchPacks"
        | "/maillage.methodology.v1.MethodologyService/GetPack" => Callers::Readers,
        _ => return None,
    })
}

impl Hub {
    /// The commune that `peer` speaks for.
    pub async fn provider(&self, peer: &Peer) -> Result<Provider, Failure> {
        let certificate = certificate(peer)?;
        match &certificate.subject {
            Subject::Node(commune) => self.node_of(*commune, certificate).await,
            Subject::Coordinator(_) | Subject::Partner(_) => Err(denied(
                "NODES_ONLY",
                "only nodes may do this",
                "Cette opération est réservée aux postes des communes.",
            )),
        }
    }

    /// As whom `peer` reads figures.
    pub async fn reader(&self, peer: &Peer) -> Result<Reader, Failure> {
        let certificate = certificate(peer)?;
        match &certificate.subject {
            Subject::Coordinator(name) => self.person_of(name, certificate).await.map(|()| Reader::coordination()),
            Subject::Partner(name) => self.partner_of(name, certificate).await.map(|()| Reader::partner()),
            Subject::Node(commune) => {
                let provider = self.node_of(*commune, certificate).await?;
                Ok(Reader::commune(provider.territories()))
            }
        }
    }

    /// The commune that wrote an envelope. No certificate is asked for: the hub keeps the signing key of every node that
    /// joined, and one that ended its node is revoked there. So a node that never sees the network again may go on, and
    /// a revoked one may not.
    pub async fn sender(&self, sender: &Sender) -> Result<Provider, Failure> {
        let key = sender.signing_key();
        let nodes = self.0.store.nodes().await.map_err(failure::storage)?;
        let mut its_own = nodes
            .into_iter()
            .filter(|record| record.node.provider == sender.commune() && record.node.signing_key == key.as_bytes());
        // A folder that joined again has a new TLS key and the signing key that it had.
        let first = its_own.next().ok_or_else(unknown)?;
        let living = std::iter::once(first).chain(its_own).find(|record| record.revoked_at.is_none());
        let record = living.ok_or_else(revoked)?;
        let territories = self.rights(sender.commune()).await?;
        Ok(Provider { commune: sender.commune(), node: record.node.key_fingerprint, signing_key: key, territories })
    }

    async fn member(&self, peer: &Peer) -> Result<(), Failure> {
        let certificate = certificate(peer)?;
        match &certificate.subject {
            Subject::Node(commune) => self.node_of(*commune, certificate).await.map(drop),
            Subject::Coordinator(name) => self.person_of(name, certificate).await,
            Subject::Partner(name) => self.partner_of(name, certificate).await,
        }
    }

    async fn node_of(&self, commune: CommuneCode, certificate: &Certificate) -> Result<Provider, Failure> {
        let store = &self.0.store;
        let record = store.node(certificate.key.hash()).await.map_err(failure::storage)?;
        // A certificate without a row is not forged (the authority signed it): the database was lost or replaced.
        let record = record.filter(|record| record.node.provider == commune).ok_or_else(unknown)?;
        if record.revoked_at.is_some() {
            return Err(revoked());
        }
        let now = self.now();
        if let Err(error) = store.touch_node(&record, now).await {
            // Knowing when a node last spoke is a comfort; refusing it for that would not be.
            tracing::warn!(%error, "last contact not noted");
        }
        let territories = self.rights(commune).await?;
        let signing_key =
            PublicKey::from_slice(&record.node.signing_key).map_err(|_| failure::damaged("signing key of a node"))?;
        Ok(Provider { commune, node: record.node.key_fingerprint, signing_key, territories })
    }

    async fn person_of(&self, name: &Code, certificate: &Certificate) -> Result<(), Failure> {
        let record = self.0.store.coordinator(certificate.key.hash()).await.map_err(failure::storage)?;
        match record.filter(|record| record.name == *name) {
            Some(record) if record.revoked_at.is_none() => Ok(()),
            Some(_) => Err(denied(
                "COORDINATOR_REVOKED",
                "this coordinator was revoked",
                "Cet accès de coordination a été retiré. Adressez-vous à l’administrateur du centre.",
            )),
            None => Err(denied(
                "COORDINATOR_UNKNOWN",
                "no coordinator with this key",
                "Cet accès de coordination n’est pas connu du centre. Demandez-en un autre à son administrateur.",
            )),
        }
    }

    async fn partner_of(&self, name: &Code, certificate: &Certificate) -> Result<(), Failure> {
        let record = self.0.store.partner(certificate.key.hash()).await.map_err(failure::storage)?;
        match record.filter(|record| record.name == *name) {
            Some(record) if record.revoked_at.is_some() => Err(denied(
                "PARTNER_REVOKED",
                "this partner was revoked",
                "Cet accès de partenaire a été retiré. Adressez-vous à l’union départementale.",
            )),
            Some(record) if record.ends_at < self.now() => Err(denied(
                "PARTNER_ENDED",
                "this partner's access has ended",
                "Cet accès de partenaire est arrivé à son terme. Demandez-en la suite à l’union départementale.",
            )),
            Some(_) => Ok(()),
            None => Err(denied(
                "PARTNER_UNKNOWN",
                "no partner with this key",
                "Cet accès de partenaire n’est pas connu du centre. Demandez-en un autre à l’union départementale.",
            )),
        }
    }
}

fn certificate(peer: &Peer) -> Result<&Certificate, Failure> {
    peer.certificate().ok_or_else(|| {
        Failure::new(
            FailureKind::Unauthenticated,
            "CERTIFICATE_REQUIRED",
            "no client certificate was shown",
            "Ce poste ne s’est pas présenté au centre : rejoignez-le d’abord avec une invitation.",
        )
    })
}

fn denied(reason: &'static str, detail: &str, message: &str) -> Failure {
    Failure::new(FailureKind::Denied, reason, detail, message)
}

fn unknown() -> Failure {
    denied(
        "NODE_UNKNOWN",
        "no node with this key is enrolled",
        "Ce poste n’est pas connu du centre. Demandez une nouvelle invitation à la coordination.",
    )
}

/// The node was replaced by a newer invitation, or ended by an operator.
pub(crate) fn revoked() -> Failure {
    denied(
        "NODE_REVOKED",
        "this node was revoked",
        "Ce poste a été remplacé ou retiré par la coordination. Si ce n’est pas voulu, demandez-lui une nouvelle invitation.",
    )
}

/// The port's question, answered before any handler.
pub(crate) struct Gate(pub(crate) Hub);

impl Authorise for Gate {
    fn handshake_refused(&self, reason: &'static str) {
        self.0.0.metrics.handshake_refused(reason);
    }

    fn answered(&self, call: &Answered<'_>) {
        self.0.0.metrics.answered(call.method, &format!("{:?}", call.code), call.took);
    }

    async fn authorise(&self, peer: &Peer, method: &str) -> Result<(), Failure> {
        match callers(method) {
            Some(Callers::Anyone) => Ok(()),
            Some(Callers::Nodes) => self.0.provider(peer).await.map(drop),
            Some(Callers::Readers) => self.0.member(peer).await,
            // Whether a method exists is said to those only who may ask for anything at all.
            None => {
                self.0.member(peer).await?;
                Err(denied(
                    "METHOD_UNKNOWN",
                    "no such method",
                    "Le centre ne connaît pas cette demande : les deux logiciels n’ont sans doute pas la même version.",
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All methods of the contract, read from its text.
    fn contract() -> Vec<String> {
        let mut methods = Vec::new();
        for proto in [
            include_str!("../../../proto/maillage/enrolment/v1/enrolment.proto"),
            include_str!("../../../proto/maillage/submission/v1/submission.proto"),
            include_str!("../../../proto/maillage/methodology/v1/methodology.proto"),
            include_str!("../../../proto/maillage/comparison/v1/comparison.proto"),
        ] {
            let package = proto.lines().find_map(|l| l.strip_prefix("package ")?.strip_suffix(';')).expect("a package");
            let mut service = "";
            for line in proto.lines().map(str::trim) {
                if let Some(rest) = line.strip_prefix("service ") {
                    service = rest.split_whitespace().next().expect("a name");
                } else if let Some(rest) = line.strip_prefix("rpc ") {
                    let name = rest.split('(').next().expect("a name");
                    methods.push(format!("/{package}.{service}/{name}"));
                }
            }
        }
        methods
    }

    #[test]
    fn every_method_of_the_contract_says_for_whom_it_is() {
        let methods = contract();
        assert_eq!(methods.len(), 15, "{methods:?}");
        for method in methods {
            assert!(callers(&method).is_some(), "{method} is for nobody");
            let open = callers(&method) == Some(Callers::Anyone);
            assert_eq!(open, method.contains(".enrolment."), "{method}");
        }
        assert_eq!(callers("/maillage.submission.v1.SubmissionService/Destroy"), None);
        assert_eq!(callers(""), None);
    }
}
