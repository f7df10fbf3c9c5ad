//! What the readers of TOML and JSON say, in French: an author of packs need not know serde.

/// A fragment without final stop. `message` may end with the place that `serde_json` adds.
pub(crate) fn french(message: &str) -> String {
    let message = message.split(" at line ").next().unwrap_or(message);
    let message = message.lines().next().unwrap_or(message);
    let names: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let first = names.first().copied().unwrap_or_default();
    let possible = names.get(1..).unwrap_or_default().join(", ");
    if message.starts_with("missing field") {
        format!("il manque la clé « {first} »")
    } else if message.starts_with("unknown field") {
        format!("la clé « {first} » n'existe pas ici ; clés possibles : {possible}")
    } else if message.starts_with("unknown variant") {
        format!("« {first} » n'est pas une valeur possible ; valeurs : {possible}")
    } else if message.starts_with("duplicate") {
        "une clé est écrite deux fois : gardez-en une".to_owned()
    } else if let Some((found, expected)) =
        message.strip_prefix("invalid type: ").and_then(|m| m.split_once(", expected "))
    {
        format!("{} est écrit là où il faut {}", kind(found), kind(expected))
    } else if let Some((_, expected)) =
        message.strip_prefix("invalid value: ").and_then(|m| m.split_once(", expected "))
    {
        format!("la valeur n'est pas possible : il faut {}", kind(expected))
    } else if message.starts_with("wanted string") {
        // What the TOML reader says of a choice that is not a text.
        "il faut un texte entre guillemets".to_owned()
    } else {
        "l'écriture est interrompue ou incomplète : vérifiez guillemets, crochets, virgules et signes égal".to_owned()
    }
}

fn kind(text: &str) -> &'static str {
    let has = |word: &str| text.contains(word);
    if has("string") || has("str") && !has("struct") {
        "un texte entre guillemets"
    } else if has("floating") || has("f64") {
        "un nombre à virgule"
    } else if has("integer") || has("u8") || has("u16") || has("u32") || has("i64") || has("u64") {
        "un nombre entier positif"
    } else if has("bool") {
        "true ou false"
    } else if has("sequence") || has("array") {
        "une liste entre crochets"
    } else if has("map") || has("table") || has("struct") {
        "un groupe de clés"
    } else {
        "une autre sorte de valeur"
    }
}

#[cfg(test)]
mod tests {
    use super::french;

    #[test]
    fn readers_are_heard_in_french() {
        assert_eq!(french("missing field `title`"), "il manque la clé « title »");
        assert_eq!(
            french("unknown field `titre`, expected one of `code`, `title` at line 3 column 9"),
            "la clé « titre » n'existe pas ici ; clés possibles : code, title"
        );
        assert_eq!(
            french("unknown variant `array`, expected one of `string`, `date`"),
            "« array » n'est pas une valeur possible ; valeurs : string, date"
        );
        assert_eq!(
            french("invalid type: integer `3`, expected a string"),
            "un nombre entier positif est écrit là où il faut un texte entre guillemets"
        );
        assert_eq!(french("wanted string or table"), "il faut un texte entre guillemets");
        assert!(french("string values must be quoted, expected literal string").contains("guillemets"));
    }
}
