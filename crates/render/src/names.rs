//! The order of names: `Eaubonne`, `Écully`, `Évry`, `Saint-Denis`, `Saint-Ouen`, `Sainte-Marie`.
//!
//! Alphabetical is the only order in which communes are shown (never a league table), so it must be the one a
//! French reader expects: accents and case decide only between names that are otherwise equal, numbers
//! compare by value (`2e` before `10e`).

use std::cmp::Ordering;
use std::sync::LazyLock;

use icu_collator::options::CollatorOptions;
use icu_collator::preferences::CollationNumericOrdering;
use icu_collator::{CollatorBorrowed, CollatorPreferences};
use icu_locale_core::locale;

static FRENCH: LazyLock<CollatorBorrowed<'static>> = LazyLock::new(|| {
    let mut preferences = CollatorPreferences::from(locale!("fr"));
    preferences.numeric_ordering = Some(CollationNumericOrdering::True);
    CollatorBorrowed::try_new(preferences, CollatorOptions::default()).expect("French is in the compiled data")
});

/// Which of two names comes first. `Equal` only for the same text: an order is the same on every machine.
pub fn compare(left: &str, right: &str) -> Ordering {
    FRENCH.compare(left, right).then_with(|| left.cmp(right))
}

/// Sorts `items` by their names; items of the same name keep their order.
pub fn sort_by_name<T>(items: &mut [T], name: impl Fn(&T) -> &str) {
    items.sort_by(|left, right| compare(name(left), name(right)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn communes_stand_where_a_reader_looks_for_them() {
        let expected = [
            "Aubervilliers",
            "Eaubonne",
            "Écully",
            "Épinay-sur-Seine",
            "Ermont",
            "Évry",
            "L'Île-Saint-Denis",
            "Le Blanc-Mesnil",
            "Le Pré-Saint-Gervais",
            "Les Lilas",
            "Paris 2e Arrondissement",
            "Paris 10e Arrondissement",
            "Saint-Denis",
            "Saint-Ouen-sur-Seine",
            "Sainte-Marie",
            "Saintes",
            "Villepinte",
        ];
        let mut names = expected;
        names.reverse();
        sort_by_name(&mut names, |name| name);
        assert_eq!(names, expected);
    }

    #[test]
    fn accents_and_case_only_break_ties() {
        assert_eq!(compare("cote", "côte"), Ordering::Less);
        assert_eq!(compare("côte", "coter"), Ordering::Less);
        assert_eq!(compare("évry", "Évry"), Ordering::Less);
        assert_eq!(compare("Évry", "Évry"), Ordering::Equal);
    }

    #[test]
    fn two_spellings_of_one_accent_still_have_one_order() {
        let (composed, decomposed) = ("\u{c9}cully", "E\u{301}cully");
        assert_ne!(compare(composed, decomposed), Ordering::Equal);
        assert_eq!(compare(composed, decomposed), compare(decomposed, composed).reverse());
    }
}
