//! `[[relation]]` of a table, before it is proven.

use serde::Deserialize;
use toml::Spanned;

/// Exactly one of the four kinds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RelationText {
    pub(crate) reason: Spanned<String>,
    /// Part, then whole.
    #[serde(default)]
    pub(crate) implies: Option<[String; 2]>,
    #[serde(default)]
    pub(crate) excludes: Option<[String; 2]>,
    #[serde(default)]
    pub(crate) partition: Option<PartitionText>,
    #[serde(default)]
    pub(crate) overlaps: Option<[String; 2]>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PartitionText {
    pub(crate) whole: String,
    pub(crate) parts: Vec<String>,
}
