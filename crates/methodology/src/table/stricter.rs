//! A commune may protect more than its pack asks, never less.

use std::collections::BTreeMap;

use disclosure::{InvalidScheme, Protection, Rule, TableScheme, Zeros};
use model::IndicatorCode;

use super::Table;
use crate::identity;
use crate::indicator::Definition;

/// Why a commune's own rule is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LooserRule {
    /// No additive indicator of the table has this code; ratios are protected through their terms.
    #[error("{0} is not a measure of the table")]
    NotAMeasure(IndicatorCode),
    /// A smaller threshold or width, or zeros shown that the pack hides.
    #[error("the rule for {0} is looser than the pack's")]
    Looser(IndicatorCode),
    /// The rule is none.
    #[error(transparent)]
    Invalid(#[from] InvalidScheme),
}

impl Table {
    /// The same table with these rules instead of the pack's. Same definition hash, another rule hash.
    pub fn stricter(&self, rules: &BTreeMap<IndicatorCode, Rule>) -> Result<Self, LooserRule> {
        let mut measures = self.scheme.measures().to_vec();
        for (indicator, rule) in rules {
            let measure = measures
                .iter_mut()
                .find(|measure| measure.indicator == *indicator)
                .ok_or_else(|| LooserRule::NotAMeasure(indicator.clone()))?;
            if !holds_at_least(*rule, measure.protection) {
                return Err(LooserRule::Looser(indicator.clone()));
            }
            measure.protection = Protection::Here(*rule);
        }
        let mut table = self.clone();
        for indicator in &mut table.indicators {
            if let (Definition::Measure(measure), Some(rule)) = (&mut indicator.definition, rules.get(&indicator.code))
            {
                measure.protection = Protection::Here(*rule);
            }
        }
        table.scheme =
            TableScheme::new(self.scheme.dimensions().clone(), measures)?.with_readings(self.scheme.readings().clone());
        table.rule = identity::rule(&table);
        Ok(table)
    }
}

/// Whether `rule` hides at least what `protection` hides.
fn holds_at_least(rule: Rule, protection: Protection) -> bool {
    let sound = rule.threshold >= 1 && rule.width >= 0;
    match protection {
        Protection::AtSource | Protection::None => sound,
        Protection::Here(asked) => {
            sound
                && rule.threshold >= asked.threshold
                && rule.width >= asked.width
                && (asked.zeros == Zeros::Publish || rule.zeros == Zeros::Protect)
        }
    }
}
