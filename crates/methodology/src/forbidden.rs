//! Topics that no pack may ask a commune to read.

/// Words that betray a topic which social statistics of a commune may not collect (French law of 6 January 1978,
/// article 6; GDPR, article 9), without accent and in lower case.
const WORDS: [&str; 15] = [
    "origine",
    "origines",
    "religion",
    "religieux",
    "religieuse",
    "nationalite",
    "nationalites",
    "ethnie",
    "ethnique",
    "race",
    "raciale",
    "syndicat",
    "syndicale",
    "politique",
    "orientation_sexuelle",
];

/// Words that announce what somebody writes about somebody, as they like.
const FREE_TEXT: [&str; 10] = [
    "commentaire",
    "commentaires",
    "observation",
    "observations",
    "remarque",
    "remarques",
    "texte_libre",
    "bloc_notes",
    "anamnese",
    "rapport_social",
];

/// The forbidden word in a name or title, if there is one.
pub(crate) fn word_in(text: &str) -> Option<&'static str> {
    one_of(&WORDS, text)
}

/// The word in a column's name or title that announces free text, if there is one.
pub(crate) fn free_text_in(name: &str, title: &str) -> Option<&'static str> {
    [name, title].into_iter().find_map(|text| one_of(&FREE_TEXT, text))
}

/// Whether a text speaks of the nominative register of fragile persons for heat waves (articles L. 121-6-1 and R. 121-2
/// and following of the CASF): kept for rescue alone, only its total is told.
pub(crate) fn register_of_rescue(text: &str) -> bool {
    one_of(&["canicule", "canicules"], text).is_some()
}

fn one_of(list: &[&'static str], text: &str) -> Option<&'static str> {
    let plain: String = text.to_lowercase().chars().map(without_accent).collect();
    let words: Vec<&str> = plain.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).collect();
    list.iter().copied().find(|forbidden| {
        let parts: Vec<&str> = forbidden.split('_').collect();
        words.windows(parts.len()).any(|window| window == parts)
    })
}

fn without_accent(character: char) -> char {
    match character {
        'à' | 'â' | 'ä' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'î' | 'ï' => 'i',
        'ô' | 'ö' => 'o',
        'ù' | 'û' | 'ü' => 'u',
        'ç' => 'c',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::word_in;

    #[test]
    fn forbidden_topics_are_found_in_names_and_titles_and_plain_words_pass() {
        for bad in ["nationalite", "Nationalité du demandeur", "pays_origine", "orientation_sexuelle", "Religion"] {
            assert!(word_in(bad).is_some(), "{bad}");
        }
        for good in ["sexe", "orientation", "originalite", "type_aide", "tranche_age"] {
            assert!(word_in(good).is_none(), "{good}");
        }
    }
}
