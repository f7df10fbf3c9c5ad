//! The way out of a town hall: straight to the hub, or through the HTTP proxy that its network prescribes.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::Matcher;

use super::{ClientError, ObstacleKind};
use crate::invitation::HubAddress;

/// The setting is not an address of an HTTP proxy. Holds no part of it: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the proxy address must be http://[user[:password]@]host[:port]")]
pub struct InvalidProxy;

impl InvalidProxy {
    /// What to tell about it.
    pub fn obstacle(self, said_by: SaidBy) -> ClientError {
        ClientError::Obstacle(Box::new(ObstacleKind::ProxyInvalid { said_by }.into()))
    }
}

/// Decides whether a proxy stands between here and a hub. `Debug` shows where, never a password.
#[derive(Clone, Debug, Default)]
pub struct Route(Option<Arc<Matching>>);

struct Matching {
    matcher: Matcher,
    said_by: SaidBy,
}

/// Who asked for a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaidBy {
    /// The node's own settings.
    Settings,
    /// `HTTPS_PROXY` or `ALL_PROXY`.
    Environment,
}

/// A proxy on the way. `Display` and `Debug` show host and port only.
#[derive(Clone)]
pub struct Proxy {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) authorization: Option<HeaderValue>,
    said_by: SaidBy,
}

impl Proxy {
    /// Host name or address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether a password is shown to it.
    pub fn has_password(&self) -> bool {
        self.authorization.is_some()
    }

    /// Who asked for it.
    pub fn said_by(&self) -> SaidBy {
        self.said_by
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

impl fmt::Debug for Matching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Matching({:?})", self.said_by)
    }
}

impl Route {
    /// No proxy, whatever the environment says.
    pub fn direct() -> Self {
        Self(None)
    }

    /// Through the proxy of the settings, but for the hosts, domains and networks in `except`. A `password` given
    /// apart stands for the one in the address.
    pub fn through(proxy: &str, except: &[String], password: Option<&str>) -> Result<Self, InvalidProxy> {
        let address = match password {
            Some(password) => with_password(proxy, password)?,
            None => proxy.to_owned(),
        };
        check(&address)?;
        let matcher = Matcher::builder().all(address).no(except.join(",")).build();
        Ok(Self(Some(Arc::new(Matching { matcher, said_by: SaidBy::Settings }))))
    }

    /// As the environment says, with `variable` to read it: `HTTPS_PROXY`, else `ALL_PROXY`, each also in small
    /// letters, but for `NO_PROXY`. This machine itself is never reached through a proxy of the environment.
    pub fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, InvalidProxy> {
        let first = |names: &[&str]| names.iter().find_map(|name| variable(name).filter(|value| !value.is_empty()));
        let Some(proxy) = first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]) else {
            return Ok(Self(None));
        };
        check(&proxy)?;
        let except = first(&["NO_PROXY", "no_proxy"]).unwrap_or_default();
        let matcher = Matcher::builder().all(proxy).no(except).build();
        Ok(Self(Some(Arc::new(Matching { matcher, said_by: SaidBy::Environment }))))
    }

    /// The proxy on the way to `address`, if there is one.
    pub fn proxy(&self, address: &HubAddress) -> Option<Proxy> {
        let matching = self.0.as_ref()?;
        if matching.said_by == SaidBy::Environment && is_this_machine(address.host()) {
            return None;
        }
        let target: Uri = format!("https://{address}").parse().ok()?;
        let intercept = matching.matcher.intercept(&target)?;
        let uri = intercept.uri();
        Some(Proxy {
            host: uri.host()?.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: uri.port_u16().unwrap_or(80),
            authorization: intercept.basic_auth().cloned(),
            said_by: matching.said_by,
        })
    }
}

fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Only plain HTTP proxies are spoken to: a SOCKS or HTTPS one taken for one would fail in ways that nobody understands.
fn check(address: &str) -> Result<Uri, InvalidProxy> {
    let uri: Uri = address.parse().map_err(|_| InvalidProxy)?;
    let plain = uri.scheme_str().is_none_or(|scheme| scheme == "http");
    let host = uri.host().is_some_and(|host| !host.is_empty());
    if plain && host { Ok(uri) } else { Err(InvalidProxy) }
}

fn with_password(proxy: &str, password: &str) -> Result<String, InvalidProxy> {
    let uri = check(proxy)?;
    let authority = uri.authority().ok_or(InvalidProxy)?.as_str();
    let (user, host) = authority.rsplit_once('@').ok_or(InvalidProxy)?;
    let user = user.split(':').next().unwrap_or_default();
    // Every byte escaped: the address is read back with its escapes undone.
    let hex = data_encoding::HEXUPPER.encode(password.as_bytes());
    let escaped: Vec<String> = (0..hex.len()).step_by(2).map(|at| format!("%{}", &hex[at..at + 2])).collect();
    Ok(format!("http://{user}:{}@{host}", escaped.concat()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn address(text: &str) -> HubAddress {
        text.parse().expect("an address")
    }

    fn environment(pairs: &[(&str, &str)]) -> Result<Route, InvalidProxy> {
        let pairs: BTreeMap<String, String> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Route::of_environment(|name| pairs.get(name).cloned())
    }

    fn shown(route: &Route, to: &str) -> Option<String> {
        route.proxy(&address(to)).map(|proxy| proxy.to_string())
    }

    #[test]
    fn the_environment_is_read_as_curl_reads_it() {
        let none = environment(&[("HTTP_PROXY", "http://p:1")]).expect("reads");
        assert_eq!(shown(&none, "hub.fr:7443"), None, "for plain HTTP only");
        for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            let route = environment(&[(name, "http://p.mairie.local:3128")]).expect("reads");
            assert_eq!(shown(&route, "hub.fr:7443").as_deref(), Some("p.mairie.local:3128"), "{name}");
        }
        let first = environment(&[("ALL_PROXY", "http://all:1"), ("HTTPS_PROXY", "p:2")]).expect("reads");
        assert_eq!(shown(&first, "hub.fr:7443").as_deref(), Some("p:2"), "also without a scheme");
        assert_eq!(shown(&first, "localhost:7443"), None);
        assert_eq!(shown(&first, "127.0.0.1:7443"), None);
        let except = [("HTTPS_PROXY", "http://p:1"), ("NO_PROXY", "10.0.0.0/8, .mairie.fr,exact.fr")];
        let route = environment(&except).expect("reads");
        for (to, direct) in [
            ("10.1.2.3:1", true),
            ("11.1.2.3:1", false),
            ("hub.mairie.fr:1", true),
            ("mairie.fr:1", true),
            ("hub.autremairie.fr:1", false),
            ("exact.fr:1", true),
        ] {
            assert_eq!(route.proxy(&address(to)).is_none(), direct, "{to}");
        }
        for bad in ["socks5://p:1", "https://p:1", "http://", "not an address"] {
            assert_eq!(environment(&[("HTTPS_PROXY", bad)]).expect_err(bad), InvalidProxy);
        }
    }

    #[test]
    fn a_password_reaches_the_proxy_and_nothing_else() {
        let decode = |proxy: &Proxy| {
            let header = proxy.authorization.as_ref().expect("a header").to_str().expect("ASCII").to_owned();
            let text = header.strip_prefix("Basic ").expect("basic").to_owned();
            String::from_utf8(data_encoding::BASE64.decode(text.as_bytes()).expect("base64")).expect("UTF-8")
        };
        let apart = Route::through("http://awa@p:3128", &[], Some("s3cr&t/é:@")).expect("reads");
        let proxy = apart.proxy(&address("hub.fr:1")).expect("a proxy");
        assert_eq!(decode(&proxy), "awa:s3cr&t/é:@");
        let within = Route::through("http://awa:a%2Fb@p", &[], None).expect("reads");
        let proxy_within = within.proxy(&address("127.0.0.1:1")).expect("settings hold for this machine too");
        assert_eq!((decode(&proxy_within).as_str(), proxy_within.port), ("awa:a/b", 80));
        for shown in [format!("{apart:?} {proxy:?} {proxy}"), format!("{within:?} {proxy_within:?}")] {
            assert!(!shown.contains("s3cr") && !shown.contains("a/b") && !shown.contains("a%2Fb"), "{shown}");
        }
        assert!(Route::through("http://p:3128", &[], Some("alone")).is_err(), "a password of nobody");
        assert!(Route::direct().proxy(&address("hub.fr:1")).is_none());
    }
}
