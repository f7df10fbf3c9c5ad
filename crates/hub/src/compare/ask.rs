//! The reader's side: asks a hub over the wire, and reads its answer strictly.

use std::sync::Arc;

use model::{Clock, Decimals, DefinitionHash, Failure};
use statistics::{Bands, Reading, Silence};
use wire::client::{ClientError, HubClient};
use wire::pb::comparison::v1 as pb;

use super::{CommuneRow, Comparison, Group, Heading, Quartiles, Question, Reference, Shown, Spread};
use crate::access::Credentials;
use crate::failure;
use crate::profile::{Profile, ProfileQuestion};
use crate::visibility::Showing;

/// Compares through the hub that `credentials` name.
pub async fn ask(credentials: &Credentials, question: &Question, clock: Arc<dyn Clock>) -> Result<Comparison, Failure> {
    ask_through(&connect(credentials, clock).await?, question).await
}

/// Connects as the person who has these credentials.
pub async fn connect(credentials: &Credentials, clock: Arc<dyn Clock>) -> Result<HubClient, Failure> {
    credentials.connect(clock).await.map_err(|error| failure::network(&error))
}

/// Compares as whoever `client` is: a coordinator, or a commune.
pub async fn ask_through(client: &HubClient, question: &Question) -> Result<Comparison, Failure> {
    let request = pb::CompareRequest {
        indicator: question.indicator.to_string(),
        period: question.period.to_string(),
        key: question
            .key
            .iter()
            .map(|(dimension, code)| pb::Coordinate { dimension: dimension.to_string(), code: code.to_string() })
            .collect(),
        pack: question.pack.as_ref().map(ToString::to_string).unwrap_or_default(),
    };
    let answer = client.compare(request).await.map_err(|error| failure::network(&error))?;
    read(answer).ok_or_else(|| failure::network(&ClientError::Protocol("the comparison is malformed".to_owned())))
}

/// Asks for the profile of a commune, as whoever `client` is.
pub async fn ask_for_profile(client: &HubClient, wanted: &ProfileQuestion) -> Result<Profile, Failure> {
    let request = pb::ProfileRequest {
        territory: wanted.territory.to_string(),
        pack: wanted.pack.to_string(),
        period: wanted.period.to_string(),
    };
    let answer = client.profile(request).await.map_err(|error| failure::network(&error))?;
    let read = || {
        let comparisons = answer.comparisons.into_iter().map(read).collect::<Option<_>>()?;
        Some(Profile { territory: answer.territory.parse().ok()?, name: answer.name, comparisons })
    };
    read().ok_or_else(|| failure::network(&ClientError::Protocol("the profile is malformed".to_owned())))
}

/// `None` where a word does not parse or a figure is absent: a comparison is read whole or not at all.
fn read(answer: pb::CompareResponse) -> Option<Comparison> {
    let heading = answer.heading?;
    let group = answer.group?;
    Some(Comparison {
        heading: Heading {
            pack: heading.pack.parse().ok()?,
            pack_version: heading.pack_version,
            table: heading.table.parse().ok()?,
            table_title: heading.table_title,
            indicator: heading.indicator.parse().ok()?,
            title: heading.title,
            unit: heading.unit,
            period: heading.period.parse().ok()?,
            definition: DefinitionHash::from_slice(&heading.definition_hash)?,
            fictional: heading.fictional,
        },
        communes: answer.communes.into_iter().map(commune).collect::<Option<_>>()?,
        group: Group {
            name: group.name,
            communes: group.communes,
            value: shown(group.value?)?,
            numerator: optional(group.numerator)?,
            denominator: optional(group.denominator)?,
            rate: optional(group.rate)?,
            reason: Some(group.reason).filter(|reason| !reason.is_empty()),
        },
        spread: match answer.spread {
            None => None,
            Some(spread) => Some(Spread {
                bands: spread.bands,
                communes: spread.communes,
                quartiles: match spread.quartiles {
                    None => None,
                    Some(at) => Some(Quartiles {
                        minimum: shown(at.minimum?)?,
                        lower: shown(at.lower?)?,
                        median: shown(at.median?)?,
                        upper: shown(at.upper?)?,
                        maximum: shown(at.maximum?)?,
                    }),
                },
            }),
        },
        reference: match answer.reference {
            None => None,
            Some(reference) => Some(Reference {
                title: reference.title,
                per: reference.per,
                period: reference.period.parse().ok()?,
                source_line: reference.source_line,
            }),
        },
        others: match pb::Showing::try_from(answer.others).ok()? {
            pb::Showing::Unspecified => return None,
            pb::Showing::Nothing => Showing::Nothing,
            pb::Showing::Bands => Showing::Bands,
            pb::Showing::Named => Showing::Named,
        },
    })
}

fn commune(row: pb::CommuneRow) -> Option<CommuneRow> {
    Some(CommuneRow {
        territory: row.territory.parse().ok()?,
        name: row.name,
        value: shown(row.value?)?,
        numerator: optional(row.numerator)?,
        denominator: optional(row.denominator)?,
        difference: optional(row.difference)?,
        rate: optional(row.rate)?,
        bands: match row.bands {
            None => None,
            Some(bands) => Some(Bands {
                lowest: usize::try_from(bands.lowest).ok()?,
                highest: usize::try_from(bands.highest).ok()?,
            }),
        },
    })
}

/// A figure that may be absent; the outer `None` is one that does not read.
#[expect(clippy::option_option, reason = "absent and malformed are two things")]
fn optional(reading: Option<pb::Reading>) -> Option<Option<Shown>> {
    reading.map_or(Some(None), |reading| shown(reading).map(Some))
}

fn shown(reading: pb::Reading) -> Option<Shown> {
    use pb::reading::Content;
    let number = match reading.content? {
        Content::Value(value) => Reading::Value(value),
        Content::Interval(interval) => Reading::Interval { low: interval.low, high: interval.high },
        Content::Silence(silence) => Reading::Silence(match pb::Silence::try_from(silence).ok()? {
            pb::Silence::Unspecified => return None,
            pb::Silence::NotReceived => Silence::NotReceived,
            pb::Silence::NotCollected => Silence::NotCollected,
            pb::Silence::NotYetAvailable => Silence::NotYetAvailable,
            pb::Silence::NotApplicable => Silence::NotApplicable,
            pb::Silence::ZeroDenominator => Silence::ZeroDenominator,
            pb::Silence::NotAdditive => Silence::NotAdditive,
            pb::Silence::Withdrawn => Silence::Withdrawn,
            pb::Silence::NotShared => Silence::NotShared,
            pb::Silence::NotShown => Silence::NotShown,
        }),
    };
    let decimals = Decimals::new(u8::try_from(reading.decimals).ok()?)?;
    Some(Shown { reading: number, suppressed: reading.suppressed, decimals })
}
