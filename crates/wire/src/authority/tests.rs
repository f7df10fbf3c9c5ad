use model::Clock;
use rcgen::{CustomExtension, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
use x509_parser::prelude::{GeneralName, ParsedExtension, X509Certificate};

use super::*;
use crate::testing::{Counting, StillClock, commune};

const DAY: Duration = Duration::from_hours(24);

fn authority() -> (Authority, Validity) {
    let now = StillClock::new().now();
    let authority = Authority::create("Maillage d’essai", &Counting::new(), now).expect("an authority");
    (authority, Validity { now, lifetime: NODE_LIFETIME })
}

/// Asks for everything that a node must not be.
fn greedy_request(key: &KeyPair) -> Vec<u8> {
    let mut params = CertificateParams::new(vec!["hub.example.fr".to_owned()]).expect("a name");
    params.distinguished_name.push(DnType::CommonName, "I want to be admin");
    params.distinguished_name.push(DnType::OrganizationName, "Département");
    params.subject_alt_names.push(SanType::URI("urn:maillage:coordinator:chief".try_into().expect("ASCII")));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::Any];
    params.custom_extensions = vec![CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 99999, 1], vec![4, 0])];
    params.serialize_request(key).expect("a request").der().to_vec()
}

#[test]
fn nothing_of_a_request_but_its_key_survives() {
    let (authority, validity) = authority();
    let key = TlsKey::generate();
    let issued = authority
        .sign_node(&greedy_request(key.pair()), commune("93066"), validity, &Counting::new())
        .expect("signed all the same");
    assert_eq!(issued.certificate.subject, Subject::Node(commune("93066")));
    assert_eq!(issued.certificate.key, key.fingerprint());
    assert_eq!(issued.chain[1], authority.certificate().to_vec());

    let (_, leaf) = X509Certificate::from_der(&issued.chain[0]).expect("a certificate");
    assert_eq!(leaf.subject().to_string(), "CN=urn:maillage:node:93066");
    assert_eq!(leaf.validity().not_before.timestamp(), validity.now.as_seconds() - 300);
    assert_eq!(leaf.validity().not_after.timestamp(), validity.now.plus(NODE_LIFETIME).as_seconds());
    assert_eq!(leaf.raw_serial(), issued.certificate.serial.as_bytes());
    assert!(!leaf.is_ca());
    let mut seen = Vec::new();
    for extension in leaf.extensions() {
        match extension.parsed_extension() {
            ParsedExtension::SubjectAlternativeName(names) => {
                assert_eq!(names.general_names, [GeneralName::URI("urn:maillage:node:93066")]);
                seen.push("names");
            }
            ParsedExtension::ExtendedKeyUsage(usage) => {
                assert!(usage.client_auth && !usage.server_auth && !usage.any && usage.other.is_empty());
                seen.push("extended usage");
            }
            ParsedExtension::KeyUsage(usage) => {
                assert!(usage.digital_signature() && !usage.key_cert_sign() && !usage.crl_sign());
                seen.push("usage");
            }
            ParsedExtension::AuthorityKeyIdentifier(_) => seen.push("authority key"),
            ParsedExtension::SubjectKeyIdentifier(_) | ParsedExtension::BasicConstraints(_) => {}
            other => panic!("an extension nobody asked us for: {other:?}"),
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, ["authority key", "extended usage", "names", "usage"]);
}

#[test]
fn a_request_without_proof_of_its_key_is_refused() {
    let (authority, validity) = authority();
    let sign = |request: &[u8]| {
        authority.sign_node(request, commune("93066"), validity, &Counting::new()).map(|issued| issued.certificate.key)
    };
    let (mine, other) = (TlsKey::generate(), TlsKey::generate());
    let request = mine.request();
    assert_eq!(sign(&request), Ok(mine.fingerprint()));
    assert_eq!(proven_key(&request), Ok(mine.fingerprint()));

    // Somebody else's key in a request that we signed.
    let spki = |key: &TlsKey| rcgen::PublicKeyData::subject_public_key_info(key.pair());
    let at = request.windows(spki(&mine).len()).position(|window| window == spki(&mine)).expect("the key is there");
    let mut stolen = request.clone();
    stolen.splice(at..at + spki(&mine).len(), spki(&other));
    assert_eq!(sign(&stolen), Err(AuthorityError::Proof));
    assert_eq!(proven_key(&stolen), Err(AuthorityError::Proof));

    assert_eq!(sign(&[]), Err(AuthorityError::Request));
    assert_eq!(sign(&[request.as_slice(), &[0]].concat()), Err(AuthorityError::Request));
    assert_eq!(sign(&vec![0x30; MAX_REQUEST + 1]), Err(AuthorityError::Request));
    for index in 0..request.len() {
        let mut changed = request.clone();
        changed[index] ^= 0x01;
        // A few bits around the signature mean nothing; none of them may change whose key is signed.
        assert!(sign(&changed).is_err() || sign(&changed) == Ok(mine.fingerprint()), "byte {index}");
    }
}

#[test]
fn keys_of_another_kind_are_refused() {
    let (authority, validity) = authority();
    for kind in [&PKCS_ECDSA_P384_SHA384, &PKCS_ED25519] {
        let key = KeyPair::generate_for(kind).expect("a key");
        let signed = authority.sign_node(&greedy_request(&key), commune("93066"), validity, &Counting::new());
        assert_eq!(signed.map(|_| ()), Err(AuthorityError::KeyKind));
    }
}

#[test]
fn an_authority_reads_back_as_written_and_goes_on_signing() {
    let (authority, validity) = authority();
    let again = Authority::from_pem(&authority.key_pem(), &authority.certificate_pem()).expect("read back");
    assert_eq!(again.fingerprint(), authority.fingerprint());
    let key = TlsKey::generate();
    let issued = again.sign_node(&key.request(), commune("93066"), validity, &Counting::new()).expect("signed");
    let (_, leaf) = X509Certificate::from_der(&issued.chain[0]).expect("a certificate");
    let (_, root) = X509Certificate::from_der(authority.certificate()).expect("a certificate");
    leaf.verify_signature(Some(root.public_key())).expect("signed by the same key");

    let (other, _) = self::authority();
    assert_eq!(Authority::from_pem(&other.key_pem(), &authority.certificate_pem()).err(), Some(AuthorityError::Stored));
    assert!(Authority::from_pem("", &authority.certificate_pem()).is_err());
    assert!(Authority::from_pem(&authority.key_pem(), "").is_err());
}

#[test]
fn a_server_certificate_bears_its_names_and_nothing_else() {
    let (authority, validity) = authority();
    let names = ["hub.example.fr", "192.0.2.1", "::1"];
    let server = authority.sign_server(&names, validity, &Counting::new()).expect("signed");
    let again = ServerCertificate::from_pem(&server.key_pem(), &server.chain_pem()).expect("read back");
    assert_eq!(again.chain, server.chain);
    assert_eq!(again.not_after(), Ok(validity.now.plus(NODE_LIFETIME)));
    let (_, leaf) = X509Certificate::from_der(&server.chain[0]).expect("a certificate");
    let usage = leaf.extended_key_usage().expect("readable").expect("there").value;
    assert!(usage.server_auth && !usage.client_auth);
    let written = leaf.subject_alternative_name().expect("readable").expect("there").value;
    assert_eq!(written.general_names.len(), 3);
    // A hub's own certificate names no peer.
    assert_eq!(Certificate::read(&server.chain[0]), Err(IdentityError::Subject));
    for bad in [&["é"][..], &[]] {
        assert!(authority.sign_server(bad, validity, &Counting::new()).is_err());
    }
}

#[test]
fn serials_differ_and_are_sixteen_bytes() {
    let (authority, validity) = authority();
    let entropy = Counting::new();
    let key = TlsKey::generate().request();
    let sign = || authority.sign_node(&key, commune("93066"), validity, &entropy).expect("signed").certificate;
    let (first, second) = (sign(), sign());
    assert_ne!(first.serial, second.serial);
    assert_eq!(first.serial.to_string().len(), 32);
}

#[test]
fn dates_out_of_the_calendar_are_refused_not_wrapped() {
    let (authority, validity) = authority();
    let request = TlsKey::generate().request();
    let far = Validity { lifetime: DAY * 10_000_000, ..validity };
    assert_eq!(
        authority.sign_node(&request, commune("93066"), far, &Counting::new()).map(|_| ()),
        Err(AuthorityError::Unwritable)
    );
}

#[test]
fn neither_private_key_shows_in_debug() {
    let (authority, validity) = authority();
    let server = authority.sign_server(&["hub.example.fr"], validity, &Counting::new()).expect("signed");
    let shown = format!("{authority:?} {server:?} {:?}", server.key);
    for pem in [authority.key_pem(), server.key_pem()] {
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = data_encoding::BASE64.decode(body.as_bytes()).expect("base64");
        // The scalar of a PKCS#8 P-256 key sits at bytes 36..68.
        let scalar = data_encoding::HEXLOWER.encode(&der[36..68]);
        let decimal = der[36..68].iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        assert!(!shown.contains(&scalar) && !shown.contains(&decimal));
    }
}
