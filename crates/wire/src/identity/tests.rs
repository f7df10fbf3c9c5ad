use std::time::Duration;

use model::Clock;

use super::*;
use crate::authority::Authority;
use crate::testing::{Counting, StillClock, node_of};

// Nobody prints, copies or compares a private key by accident.
static_assertions::assert_not_impl_any!(TlsKey: Clone, fmt::Display, PartialEq, AsRef<[u8]>);

fn authority() -> (Authority, Timestamp) {
    let now = StillClock::new().now();
    (Authority::create("Maillage d’essai", &Counting::new(), now).expect("an authority"), now)
}

#[test]
fn a_key_reads_back_as_written_and_only_its_kind() {
    let key = TlsKey::generate();
    let again = TlsKey::from_pem(&key.to_pem()).expect("read back");
    assert_eq!(again.fingerprint(), key.fingerprint());
    let ed25519 = KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key").serialize_pem();
    for bad in ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", &ed25519] {
        assert_eq!(TlsKey::from_pem(bad).err(), Some(IdentityError::Key));
    }
}

#[test]
fn an_identity_is_a_chain_with_its_own_key() {
    let (authority, now) = authority();
    let identity = node_of(&authority, now, Duration::from_mins(1));
    let again = Identity::from_pem(identity.key().clone(), &identity.chain_pem()).expect("read back");
    assert_eq!(again.certificate(), identity.certificate());
    assert_eq!(again.chain(), identity.chain());

    let other = Arc::new(TlsKey::generate());
    assert_eq!(Identity::from_pem(other, &identity.chain_pem()).err(), Some(IdentityError::Mismatch));
    assert_eq!(Identity::from_pem(identity.key().clone(), "").err(), Some(IdentityError::Mismatch));
}

/// What an authority of ours never signs, but a later or a broken one might.
#[test]
fn a_certificate_with_two_names_or_strange_ones_names_nobody() {
    let uri = |text: &str| rcgen::SanType::URI(text.try_into().expect("ASCII"));
    let dns = rcgen::SanType::DnsName("hub.example.fr".try_into().expect("ASCII"));
    let cases = [
        vec![],
        vec![dns.clone()],
        vec![uri("urn:maillage:node:93066"), uri("urn:maillage:node:93059")],
        vec![uri("urn:maillage:node:93066"), dns],
        vec![uri("urn:maillage:node:9306")],
        vec![uri("urn:maillage:node:93066/../93059")],
        vec![uri("urn:maillage:admin:me")],
        vec![uri("URN:maillage:node:93066")],
    ];
    for names in cases {
        let mut params = CertificateParams::default();
        params.serial_number = Some(vec![0x41; 16].into());
        params.subject_alt_names = names.clone();
        let certificate = params.self_signed(TlsKey::generate().pair()).expect("a certificate");
        assert_eq!(Certificate::read(certificate.der()), Err(IdentityError::Subject), "{names:?}");
    }
    assert_eq!(Certificate::read(b"\x30\x00"), Err(IdentityError::Certificate));
}

#[test]
fn a_request_that_came_another_way_is_from_nobody() {
    let peer = Peer::of(&tonic::Request::new(()));
    assert_eq!((peer.certificate(), peer.address()), (None, None));
}
