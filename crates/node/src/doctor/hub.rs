//! The way to the hub, and what the hub thinks of this node.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use methodology::Pack;
use model::PackCode;
use store::node::{Completeness, Identity as Membership, NodeStore};
use wire::client::{ClientError, HubClient, ObstacleKind, Route, SaidBy, TlsProblem};
use wire::identity::Identity;
use wire::invitation::HubAddress;
use wire::tls::ClientTls;

use super::{Diagnosis, apart, lasting};
use crate::{NodeConfig, NodeFolder, World};

/// How far two clocks may differ: certificates and dates of documents bear it.
const TOLERATED: Duration = Duration::from_mins(5);

const PROXY: &str = "Mandataire (proxy)";
const NAME: &str = "Nom du centre";
const REACH: &str = "Connexion";
const SERVER: &str = "Certificat du centre";
const CLOCK: &str = "Horloge";
const SERVES: &str = "Centre";
const ADMITTED: &str = "Accès au centre";
const LEDGER: &str = "Registre des envois";
const VERSIONS: &str = "Versions des référentiels";

/// What was found before.
pub(super) struct Seen<'a> {
    pub(super) folder: &'a NodeFolder,
    pub(super) config: &'a NodeConfig,
    pub(super) world: &'a World,
    pub(super) identity: Option<&'a Membership>,
    pub(super) keys: Option<&'a Identity>,
    pub(super) store: Option<&'a NodeStore>,
    pub(super) packs: Option<&'a BTreeMap<PackCode, Pack>>,
}

pub(super) async fn examine(diagnosis: &mut Diagnosis, seen: &Seen<'_>) {
    let route = match seen.config.network.route(seen.folder.root()) {
        Ok(route) => route,
        Err(failure) => {
            let detail = "le réglage ne convient pas";
            diagnosis.bad("proxy", PROXY, failure.reason, detail, failure.message);
            return rest(diagnosis, 1);
        }
    };
    let Some(membership) = seen.identity else {
        diagnosis.skipped("proxy", PROXY, "à vérifier une fois connue l’adresse du centre");
        return rest(diagnosis, 1);
    };
    let address = seen.config.hub.address.as_ref().unwrap_or(&membership.hub_address);
    let Ok(address) = address.parse::<HubAddress>() else {
        diagnosis.skipped("proxy", PROXY, "à vérifier une fois lisible l’adresse du centre");
        let cure = "Écrivez nom:port dans node.toml, réglage [hub] address, par exemple hub.exemple.fr:7443.";
        diagnosis.bad("name", NAME, "HUB_ADDRESS", "son adresse ne se lit pas", cure);
        return rest(diagnosis, 2);
    };
    let Ok(stranger) = ClientTls::new(membership.ca_fingerprint, None, Arc::clone(&seen.world.clock)) else {
        return rest(diagnosis, 0);
    };
    // As a stranger first: what is wrong on the way is then not mistaken for what is wrong with our certificate.
    match HubClient::connect_through(&stranger, &address, &route).await {
        Ok(client) => {
            reached(diagnosis, &route, &address, Stage::Served);
            greeted(diagnosis, seen, &client).await;
        }
        Err(error) => return not_reached(diagnosis, &route, &address, &error),
    }
    as_member(diagnosis, seen, membership, &address, &route).await;
}

/// How far the way was found open.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Proxy,
    Name,
    Reach,
    Server,
    Served,
}

/// Says that everything before `stage` is as it should be.
fn reached(diagnosis: &mut Diagnosis, route: &Route, address: &HubAddress, stage: Stage) {
    let proxy = route.proxy(address);
    if stage > Stage::Proxy {
        match &proxy {
            Some(proxy) => {
                let said = match proxy.said_by() {
                    SaidBy::Settings => "node.toml",
                    SaidBy::Environment => "environnement du poste",
                };
                diagnosis.good("proxy", PROXY, format!("{proxy} ({said})"));
            }
            None => diagnosis.good("proxy", PROXY, "aucun, connexion directe"),
        }
    }
    if stage > Stage::Name {
        match proxy {
            Some(_) => {
                diagnosis.skipped("name", NAME, format!("{} : c’est le mandataire qui le cherche", address.host()));
            }
            None => diagnosis.good("name", NAME, format!("{} est connu", address.host())),
        }
    }
    if stage > Stage::Reach {
        diagnosis.good("reach", REACH, format!("{address} répond"));
    }
    if stage > Stage::Server {
        diagnosis.good("server", SERVER, "celui du centre de l’invitation, en cours de validité");
    }
}

fn not_reached(diagnosis: &mut Diagnosis, route: &Route, address: &HubAddress, error: &ClientError) {
    let (reason, cure) = (error.reason().to_owned(), error.message().to_owned());
    let (stage, code, title, detail) = match error {
        ClientError::Obstacle(obstacle) => match obstacle.kind() {
            ObstacleKind::NameUnknown { host } => {
                (Stage::Name, "name", NAME, format!("« {host} » n’est pas connu de ce réseau"))
            }
            ObstacleKind::Intercepted { issuer } => {
                (Stage::Server, "server", SERVER, format!("un autre certificat est présenté, de « {issuer} »"))
            }
            ObstacleKind::ProxyInvalid { .. } => (Stage::Proxy, "proxy", PROXY, "l’adresse ne convient pas".to_owned()),
            ObstacleKind::ProxyUnreachable { proxy }
            | ObstacleKind::ProxyPassword { proxy, .. }
            | ObstacleKind::ProxyForbids { proxy, .. }
            | ObstacleKind::ProxyAnswered { proxy, .. } => {
                (Stage::Proxy, "proxy", PROXY, format!("{proxy} ne laisse pas passer"))
            }
        },
        ClientError::Tls(TlsProblem::ServerExpired) => {
            (Stage::Server, "server", SERVER, "il n’est pas valable à la date de ce poste".to_owned())
        }
        ClientError::Tls(_) => {
            (Stage::Server, "server", SERVER, "ce n’est pas celui du centre de l’invitation".to_owned())
        }
        ClientError::Unreachable(_) | ClientError::Deadline | ClientError::Refused(_) | ClientError::Protocol(_) => {
            (Stage::Reach, "reach", REACH, format!("{address} ne répond pas"))
        }
    };
    reached(diagnosis, route, address, stage);
    diagnosis.bad(code, title, reason, detail, cure);
    rest(diagnosis, stage as usize + 1);
}

/// Everything from the `first`-th step on was not looked at.
fn rest(diagnosis: &mut Diagnosis, first: usize) {
    let steps = [
        ("proxy", PROXY),
        ("name", NAME),
        ("reach", REACH),
        ("server", SERVER),
        ("clock", CLOCK),
        ("serves", SERVES),
        ("admitted", ADMITTED),
        ("ledger", LEDGER),
        ("versions", VERSIONS),
    ];
    for (code, title) in steps.into_iter().skip(first) {
        diagnosis.skipped(code, title, "à vérifier une fois corrigé ce qui précède");
    }
}

async fn greeted(diagnosis: &mut Diagnosis, seen: &Seen<'_>, client: &HubClient) {
    let greeting = match client.greet().await {
        Ok(greeting) => greeting,
        Err(error) => {
            diagnosis.skipped("clock", CLOCK, "le centre n’a pas dit l’heure");
            return diagnosis.bad("serves", SERVES, error.reason(), "ne répond pas comme un centre", error.message());
        }
    };
    match greeting.date.map(|date| (date, seen.world.clock.now())) {
        Some((date, now)) if apart(date, now) > TOLERATED => {
            let way = if now > date { "avance" } else { "retarde" };
            diagnosis.bad(
                "clock",
                CLOCK,
                "CLOCK_WRONG",
                format!("ce poste {way} de {} sur le centre", lasting(apart(date, now))),
                "Réglez l’heure de ce poste, de préférence par synchronisation automatique ; si elle est juste, prévenez l’administrateur du centre.",
            );
        }
        Some(_) => diagnosis.good("clock", CLOCK, "à l’heure du centre, à cinq minutes près"),
        None => diagnosis.skipped("clock", CLOCK, "le centre n’a pas dit l’heure"),
    }
    if greeting.serving {
        diagnosis.good("serves", SERVES, "en service");
    } else {
        let cure = "Le centre est en maintenance : réessayez plus tard. Un envoi approuvé repartira de lui-même.";
        diagnosis.bad("serves", SERVES, "HUB_NOT_SERVING", "il répond, mais n’est pas en service", cure);
    }
}

async fn as_member(
    diagnosis: &mut Diagnosis,
    seen: &Seen<'_>,
    membership: &Membership,
    address: &HubAddress,
    route: &Route,
) {
    const FIRST: usize = 6;
    let Some(keys) = seen.keys else { return rest(diagnosis, FIRST) };
    let Ok(tls) = ClientTls::new(membership.ca_fingerprint, Some(keys), Arc::clone(&seen.world.clock)) else {
        return rest(diagnosis, FIRST);
    };
    let client = match HubClient::connect_through(&tls, address, route).await {
        Ok(client) => client,
        Err(error) => {
            let (detail, cure) = not_admitted(&error, keys, membership, seen);
            diagnosis.bad("admitted", ADMITTED, error.reason(), detail, cure);
            return rest(diagnosis, FIRST + 1);
        }
    };
    let offer = match client.offer().await {
        Ok(offer) => offer,
        Err(error) => {
            let (detail, cure) = not_admitted(&error, keys, membership, seen);
            diagnosis.bad("admitted", ADMITTED, error.reason(), detail, cure);
            return rest(diagnosis, FIRST + 1);
        }
    };
    let territories: Vec<&str> = membership.territories.iter().map(model::CommuneCode::as_str).collect();
    diagnosis.good("admitted", ADMITTED, format!("reconnu, pour {}", territories.join(", ")));
    ledger(diagnosis, seen, membership, &client).await;
    let stale: Vec<String> = offer
        .packs
        .iter()
        .filter(|pack| {
            let here = seen.packs.and_then(|packs| packs.get(&pack.code));
            here.is_none_or(|here| here.version() != pack.version)
        })
        .map(|pack| {
            let here = seen.packs.and_then(|packs| packs.get(&pack.code)).map(methodology::Pack::version);
            let former = pack.former.as_ref().filter(|(former, _)| Some(former.as_str()) == here);
            let until = former.map_or_else(String::new, |(former, until)| {
                format!(" (celle de ce poste, {former}, est acceptée jusqu’au {})", render::date::day(*until))
            });
            format!("{} {}{until}", pack.code, pack.version)
        })
        .collect();
    if stale.is_empty() {
        diagnosis.good("versions", VERSIONS, "celles du centre");
    } else {
        let detail = format!("le centre a {}", stale.join(", "));
        let cure = "« maillage node preview » les télécharge.";
        diagnosis.bad("versions", VERSIONS, "PACKS_STALE", detail, cure);
    }
}

/// What the hub's no means: an alert of one byte says little, so what this node knows of itself is looked at too.
fn not_admitted(error: &ClientError, keys: &Identity, membership: &Membership, seen: &Seen<'_>) -> (String, String) {
    let certificate = keys.certificate();
    let now = seen.world.clock.now();
    match error {
        ClientError::Tls(TlsProblem::OurCertificateExpired) if now <= certificate.not_after => (
            "le centre dit que le certificat de ce poste n’est pas valable à cette date, alors qu’il l’est ici".to_owned(),
            "L’une des deux horloges est fausse : réglez celle de ce poste (voir Horloge) ; si elle est juste, prévenez l’administrateur du centre.".to_owned(),
        ),
        ClientError::Tls(TlsProblem::OurCertificateExpired) => (
            "le certificat de ce poste a expiré".to_owned(),
            "Il se renouvelle de lui-même : maillage node push, ou laissez tourner maillage node run. Plus de douze mois après, il faut une nouvelle invitation.".to_owned(),
        ),
        ClientError::Tls(TlsProblem::OurCertificateRefused)
            if keys.authority().is_some_and(|authority| authority != membership.ca_fingerprint) =>
        {
            (
                "le certificat de ce poste est d’un autre centre".to_owned(),
                "Le dossier keys/ vient sans doute d’un autre poste : remettez le bon, ou demandez une nouvelle invitation.".to_owned(),
            )
        }
        ClientError::Refused(refused) if refused.reason == "NODE_REVOKED" => {
            ("ce poste a été révoqué par la coordination".to_owned(), refused.message.clone())
        }
        error => (format!("refusé ({})", error.reason()), error.message().to_owned()),
    }
}

async fn ledger(diagnosis: &mut Diagnosis, seen: &Seen<'_>, membership: &Membership, client: &HubClient) {
    let Some(store) = seen.store else { return diagnosis.skipped("ledger", LEDGER, "inconnu sans base locale") };
    for territory in &membership.territories {
        let known = store.completeness(*territory).await.ok();
        let head = store.ledger_head(*territory).await.ok().flatten();
        let after = head.map_or(0, |(sequence, _)| sequence);
        let page = match client.list(*territory, after).await {
            Ok(page) => page,
            Err(error) => {
                let detail = format!("le centre refuse de montrer celui de {territory}");
                return diagnosis.bad("ledger", LEDGER, error.reason(), detail, error.message());
            }
        };
        if page.head_sequence < after {
            return diagnosis.bad(
                "ledger",
                LEDGER,
                "HUB_LEDGER_BEHIND",
                format!("le centre ne connaît plus tous les envois de {territory} dont ce poste a le récépissé"),
                "Le centre a sans doute été restauré d’une copie : ne supprimez rien ici et lancez « maillage node push » : ce qu’il a oublié lui sera rendu. Si cela ne suffit pas, prévenez son administrateur.",
            );
        }
        let same = page.head_sequence == after && page.head_receipt == head.map(|(_, receipt)| receipt);
        if !same || !matches!(known, Some(Completeness::Complete(_))) {
            return diagnosis.bad(
                "ledger",
                LEDGER,
                "LEDGER_BEHIND",
                format!("celui de {territory} n’est pas à jour sur ce poste"),
                "« maillage node preview » le reconstruit auprès du centre et le vérifie.",
            );
        }
    }
    diagnosis.good("ledger", LEDGER, "identique à celui du centre");
}
