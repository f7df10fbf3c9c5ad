//! Who may be shown figures, in French.

use std::collections::BTreeSet;

use model::Audience;

/// What stands for nobody.
pub const NOBODY: &str = "personne";

/// As a person types it: one word.
pub fn word(audience: Audience) -> &'static str {
    match audience {
        Audience::Coordinators => "coordination",
        Audience::Members => "communes",
        Audience::Partners => "partenaires",
        Audience::Public => "public",
    }
}

/// As a person reads it.
pub fn label(audience: Audience) -> &'static str {
    match audience {
        Audience::Coordinators => "la coordination départementale",
        Audience::Members => "les communes membres",
        Audience::Partners => "les partenaires",
        Audience::Public => "tout public",
    }
}

/// Several: `la coordination départementale, les communes membres`; nobody: `personne d’autre que la commune`.
pub fn labels(audiences: &BTreeSet<Audience>) -> String {
    if audiences.is_empty() {
        return "personne d’autre que la commune".to_owned();
    }
    let labels: Vec<&str> = audiences.iter().map(|audience| label(*audience)).collect();
    labels.join(", ")
}

/// The words that a person typed; the one that is none of them otherwise.
///
/// # Errors
/// The first word that is neither an audience nor, alone, [`NOBODY`].
pub fn read<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<BTreeSet<Audience>, String> {
    let words: Vec<&str> = words.into_iter().map(str::trim).collect();
    if words == [NOBODY] {
        return Ok(BTreeSet::new());
    }
    let find = |typed: &&str| Audience::ALL.into_iter().find(|audience| word(*audience) == *typed);
    words.iter().map(|typed| find(typed).ok_or_else(|| (*typed).to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_and_nobody_stands_alone() {
        for audience in Audience::ALL {
            assert_eq!(read([word(audience)]), Ok(BTreeSet::from([audience])));
        }
        assert_eq!(read(["personne"]), Ok(BTreeSet::new()));
        assert_eq!(read(["coordination", "personne"]), Err("personne".to_owned()));
        assert_eq!(read(["coordination", "communes "]).expect("both").len(), 2);
        assert_eq!(labels(&BTreeSet::new()), "personne d’autre que la commune");
    }
}
