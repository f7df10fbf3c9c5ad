//! One line that a coordinator hands to a commune: where the hub is, who it is, and the right to join once.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use model::{CommuneCode, Hash, InvitationToken};
use seal::sha256;

const PREFIX: &str = "maillage1-";
const CHECK: usize = 4;

/// Where a hub listens: a DNS name or an IP address, and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HubAddress {
    host: String,
    port: u16,
}

impl HubAddress {
    /// The name or address that the hub's certificate must bear.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

/// The text is not `host:port`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("address must be written host:port, for example hub.example.fr:7443")]
pub struct InvalidAddress;

impl FromStr for HubAddress {
    type Err = InvalidAddress;
    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let (host, port) = text.rsplit_once(':').ok_or(InvalidAddress)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(InvalidAddress)?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if host.len() > 253 || rustls::pki_types::ServerName::try_from(host).is_err() {
            return Err(InvalidAddress);
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for HubAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// An invitation. `Debug` hides its token; only [`Invitation::to_line`] shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Where the hub listens.
    pub address: HubAddress,
    /// SHA-256 of the hub's certificate authority, DER.
    pub authority: Hash,
    /// The right to join once.
    pub token: InvitationToken,
    /// The commune that is invited.
    pub territory: CommuneCode,
}

/// Why a pasted line is not an invitation; the text is for the person who pasted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidInvitation {
    /// Something else was pasted.
    #[error("Ce texte n’est pas une invitation : elle commence par « maillage1- ». Copiez la ligne entière.")]
    NotAnInvitation,
    /// From a later version of the product.
    #[error("Cette invitation vient d’une version plus récente : mettez à jour le logiciel de la commune.")]
    LaterVersion,
    /// Cut off or changed on its way.
    #[error("L’invitation est incomplète ou abîmée : recopiez la ligne entière, sans espace ni retour à la ligne.")]
    Damaged,
}

impl Invitation {
    /// The line to hand over. It is a secret until it is used.
    pub fn to_line(&self) -> String {
        let mut bytes = Vec::new();
        bytes.extend(self.authority.as_bytes());
        bytes.extend(self.token.as_bytes());
        bytes.extend(self.territory.as_str().as_bytes());
        bytes.extend(self.address.to_string().as_bytes());
        let check = sha256(&bytes);
        bytes.extend(&check.as_bytes()[..CHECK]);
        format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes))
    }
}

impl FromStr for Invitation {
    type Err = InvalidInvitation;
    /// Reads a line, also with blanks around it or line breaks that a mail program put in.
    fn from_str(text: &str) -> Result<Self, InvalidInvitation> {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let Some(body) = text.strip_prefix(PREFIX) else {
            let later =
                text.strip_prefix("maillage").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
            return Err(if later { InvalidInvitation::LaterVersion } else { InvalidInvitation::NotAnInvitation });
        };
        let bytes = BASE64URL_NOPAD.decode(body.as_bytes()).map_err(|_| InvalidInvitation::Damaged)?;
        Self::from_bytes(&bytes).ok_or(InvalidInvitation::Damaged)
    }
}

impl Invitation {
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (content, check) = bytes.split_at_checked(bytes.len().checked_sub(CHECK)?)?;
        if sha256(content).as_bytes()[..CHECK] != *check {
            return None;
        }
        let (authority, rest) = content.split_at_checked(32)?;
        let (token, rest) = rest.split_at_checked(32)?;
        let (territory, address) = rest.split_at_checked(5)?;
        Some(Self {
            authority: Hash::from_slice(authority)?,
            token: InvitationToken::from_slice(token)?,
            territory: std::str::from_utf8(territory).ok()?.parse().ok()?,
            address: std::str::from_utf8(address).ok()?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invitation(address: &str) -> Invitation {
        Invitation {
            address: address.parse().expect("an address"),
            authority: Hash::from_bytes([7; 32]),
            token: InvitationToken::from_bytes([0xab; 32]),
            territory: "93066".parse().expect("a commune"),
        }
    }

    #[test]
    fn an_invitation_reads_back_as_written_even_when_a_mail_program_broke_the_line() {
        for address in ["hub.example.fr:7443", "127.0.0.1:1", "[::1]:7443", "localhost:65535"] {
            let invitation = invitation(address);
            let line = invitation.to_line();
            assert_eq!(line.parse(), Ok(invitation.clone()));
            let broken = format!("  {}\r\n{} ", &line[..50], &line[50..]);
            assert_eq!(broken.parse(), Ok(invitation));
        }
    }

    #[test]
    fn a_damaged_paste_is_refused_in_french() {
        let line = invitation("hub.example.fr:7443").to_line();
        for index in PREFIX.len()..line.len() {
            let mut bytes = line.clone().into_bytes();
            bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).expect("ASCII");
            assert_eq!(changed.parse::<Invitation>(), Err(InvalidInvitation::Damaged), "byte {index}");
            assert_eq!(line[..index].parse::<Invitation>(), Err(InvalidInvitation::Damaged), "cut at {index}");
        }
        assert_eq!("bonjour".parse::<Invitation>(), Err(InvalidInvitation::NotAnInvitation));
        assert_eq!("".parse::<Invitation>(), Err(InvalidInvitation::NotAnInvitation));
        assert_eq!("maillage2-xyz".parse::<Invitation>(), Err(InvalidInvitation::LaterVersion));
    }

    #[test]
    fn the_token_is_not_in_debug() {
        assert!(!format!("{:?}", invitation("a.fr:1")).contains("abab"));
    }

    #[test]
    fn addresses_without_host_or_port_are_refused() {
        for bad in ["", "hub.example.fr", "hub.example.fr:0", ":7443", "hub:99999", "a b:1", "https://hub:1"] {
            assert!(bad.parse::<HubAddress>().is_err(), "{bad}");
        }
    }
}
