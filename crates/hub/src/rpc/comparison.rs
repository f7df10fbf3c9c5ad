//! `maillage.comparison.v1`.

use std::collections::BTreeSet;

use model::{Failure, Key};
use statistics::{Reading, Silence};
use wire::identity::Peer;
use wire::pb::comparison::v1 as pb;
use wire::pb::comparison::v1::comparison_service_server::ComparisonService;
use wire::tonic::{Request, Response, Status, async_trait};

use super::{Services, malformed};
use crate::compare::{Comparison, Question, Shown};
use crate::profile::ProfileQuestion;
use crate::visibility::Showing;

#[async_trait]
impl ComparisonService for Services {
    async fn compare(&self, request: Request<pb::CompareRequest>) -> Result<Response<pb::CompareResponse>, Status> {
        let peer = Peer::of(&request);
        let compared = async {
            let reader = self.0.reader(&peer).await?;
            let question = question(request.into_inner())?;
            Ok::<_, Failure>(pb::CompareResponse::from(&self.0.compare(&reader, &question).await?))
        };
        let compared = compared.await;
        self.answer("Compare", compared)
    }

    async fn profile(&self, request: Request<pb::ProfileRequest>) -> Result<Response<pb::ProfileResponse>, Status> {
        let peer = Peer::of(&request);
        let drawn = async {
            let reader = self.0.reader(&peer).await?;
            let request = request.into_inner();
            let wanted = ProfileQuestion {
                territory: request.territory.parse().map_err(|_| malformed("territory"))?,
                pack: request.pack.parse().map_err(|_| malformed("pack"))?,
                period: request.period.parse().map_err(|_| malformed("period"))?,
            };
            let profile = self.0.profile(&reader, &wanted).await?;
            Ok::<_, Failure>(pb::ProfileResponse {
                territory: profile.territory.to_string(),
                name: profile.name,
                comparisons: profile.comparisons.iter().map(pb::CompareResponse::from).collect(),
            })
        };
        let drawn = drawn.await;
        self.answer("Profile", drawn)
    }
}

fn question(request: pb::CompareRequest) -> Result<Question, Failure> {
    let mut fixed = BTreeSet::new();
    let mut key = Key::total();
    for coordinate in request.key {
        let dimension: model::DimensionCode = coordinate.dimension.parse().map_err(|_| malformed("key.dimension"))?;
        let code = coordinate.code.parse().map_err(|_| malformed("key.code"))?;
        if !fixed.insert(dimension.clone()) {
            return Err(malformed("key"));
        }
        key = key.with(dimension, code);
    }
    Ok(Question {
        indicator: request.indicator.parse().map_err(|_| malformed("indicator"))?,
        period: request.period.parse().map_err(|_| malformed("period"))?,
        key,
        pack: match request.pack.as_str() {
            "" => None,
            code => Some(code.parse().map_err(|_| malformed("pack"))?),
        },
    })
}

impl From<&Comparison> for pb::CompareResponse {
    fn from(comparison: &Comparison) -> Self {
        let heading = &comparison.heading;
        let group = &comparison.group;
        Self {
            heading: Some(pb::IndicatorHeading {
                pack: heading.pack.to_string(),
                indicator: heading.indicator.to_string(),
                title: heading.title.clone(),
                unit: heading.unit.clone(),
                period: heading.period.to_string(),
                definition_hash: heading.definition.as_bytes().to_vec(),
                fictional: heading.fictional,
                table: heading.table.to_string(),
                table_title: heading.table_title.clone(),
                pack_version: heading.pack_version.clone(),
            }),
            communes: comparison
                .communes
                .iter()
                .map(|row| pb::CommuneRow {
                    territory: row.territory.to_string(),
                    name: row.name.clone(),
                    value: Some(reading(row.value)),
                    numerator: row.numerator.map(reading),
                    denominator: row.denominator.map(reading),
                    difference: row.difference.map(reading),
                    rate: row.rate.map(reading),
                    bands: row.bands.map(|bands| pb::Bands {
                        lowest: u32::try_from(bands.lowest).unwrap_or(u32::MAX),
                        highest: u32::try_from(bands.highest).unwrap_or(u32::MAX),
                    }),
                })
                .collect(),
            group: Some(pb::Group {
                name: group.name.clone(),
                communes: group.communes,
                value: Some(reading(group.value)),
                numerator: group.numerator.map(reading),
                denominator: group.denominator.map(reading),
                reason: group.reason.clone().unwrap_or_default(),
                rate: group.rate.map(reading),
            }),
            spread: comparison.spread.as_ref().map(|spread| pb::Spread {
                bands: spread.bands,
                communes: spread.communes,
                quartiles: spread.quartiles.map(|at| pb::Quartiles {
                    minimum: Some(reading(at.minimum)),
                    lower: Some(reading(at.lower)),
                    median: Some(reading(at.median)),
                    upper: Some(reading(at.upper)),
                    maximum: Some(reading(at.maximum)),
                }),
            }),
            reference: comparison.reference.as_ref().map(|reference| pb::Reference {
                title: reference.title.clone(),
                per: reference.per,
                period: reference.period.to_string(),
                source_line: reference.source_line.clone(),
            }),
            others: i32::from(match comparison.others {
                Showing::Nothing => pb::Showing::Nothing,
                Showing::Bands => pb::Showing::Bands,
                Showing::Named => pb::Showing::Named,
            }),
        }
    }
}

fn reading(shown: Shown) -> pb::Reading {
    use pb::reading::Content;
    let content = match shown.reading {
        Reading::Value(value) => Content::Value(value),
        Reading::Interval { low, high } => Content::Interval(pb::Interval { low, high }),
        Reading::Silence(silence) => Content::Silence(i32::from(match silence {
            Silence::NotReceived => pb::Silence::NotReceived,
            Silence::NotCollected => pb::Silence::NotCollected,
            Silence::NotYetAvailable => pb::Silence::NotYetAvailable,
            Silence::NotApplicable => pb::Silence::NotApplicable,
            Silence::ZeroDenominator => pb::Silence::ZeroDenominator,
            Silence::NotAdditive => pb::Silence::NotAdditive,
            Silence::Withdrawn => pb::Silence::Withdrawn,
            Silence::NotShared => pb::Silence::NotShared,
            Silence::NotShown => pb::Silence::NotShown,
        })),
    };
    pb::Reading { content: Some(content), suppressed: shown.suppressed, decimals: u32::from(shown.decimals.places()) }
}
