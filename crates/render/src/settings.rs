//! What is wrong with a file of settings (TOML): the parser's own words are English, and made for programmers.

/// Line, what stands there, and what is wrong with it. `at` is the byte where the parser stopped, `message` what it says
/// without place. The line is quoted: not for one that may hold a password.
pub fn fault(text: &str, at: Option<usize>, message: &str) -> String {
    let cause = cause(message);
    let Some(at) = at else { return format!("  {cause}.") };
    let number = line_of(text, at);
    let line = text.lines().nth(number - 1).unwrap_or_default().trim();
    if line.is_empty() {
        format!("  ligne {number} : {cause}.")
    } else {
        format!("  ligne {number} : {line}\n  {cause}.")
    }
}

/// The line, from 1, on which this byte stands.
pub fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

fn cause(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let first = quoted.next().unwrap_or_default();
    let others: Vec<&str> = quoted.collect();
    let possible = |what: &str| match others.as_slice() {
        [] => String::new(),
        others => format!(" ; {what} : {}", others.join(", ")),
    };
    if message.starts_with("unknown field") {
        format!("il n’y a pas de réglage « {first} » ici{}", possible("réglages possibles"))
    } else if message.starts_with("unknown variant") {
        format!("la valeur « {first} » n’est pas connue{}", possible("valeurs possibles"))
    } else if message.starts_with("missing field") {
        format!("il manque le réglage « {first} »")
    } else if message.starts_with("duplicate") {
        "ce réglage figure deux fois : gardez-en un seul".to_owned()
    } else if let Some((_, expected)) = message.rsplit_once(", expected ").filter(|_| message.starts_with("invalid ")) {
        format!("la valeur n’a pas la forme attendue{}", form(expected.trim()))
    } else {
        "ceci n’est pas écrit comme il faut : vérifiez les guillemets, les crochets, le signe = et la forme de la valeur"
            .to_owned()
    }
}

/// How a value of this kind is written, in what serde calls kinds.
fn form(expected: &str) -> &'static str {
    match expected {
        "a string" | "path string" | "a borrowed string" => " : un texte entre guillemets droits, comme \"texte\"",
        "a boolean" => " : true ou false, sans guillemets",
        "a sequence" => " : une liste entre crochets, comme [\"un\", \"deux\"]",
        "`\"`" | "`'`" => " : il manque un guillemet",
        _ if expected.starts_with(['u', 'i']) && expected[1..].parse::<u8>().is_ok() => {
            " : un nombre entier, sans guillemets"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_has_its_line_and_its_cause_in_french() {
        let text = "[hub]\nzz = 1\n";
        for (message, told) in [
            (
                "unknown field `zz`, expected one of `hub`, `network`",
                "ligne 2 : zz = 1\n  il n’y a pas de réglage « zz » ici ; réglages possibles : hub, network.",
            ),
            ("unknown field `zz`, there are no fields", "réglage « zz » ici."),
            (
                "unknown variant `x`, expected `person` or `rule`",
                "« x » n’est pas connue ; valeurs possibles : person, rule.",
            ),
            ("missing field `table`", "il manque le réglage « table »."),
            ("duplicate key", "figure deux fois"),
            ("invalid type: string \"x\", expected u32", "attendue : un nombre entier"),
            ("invalid type: integer `3`, expected a string", "attendue : un texte entre guillemets"),
            ("invalid type: integer `3`, expected struct X", "n’a pas la forme attendue."),
            ("invalid basic string, expected `\"`", "il manque un guillemet"),
            ("unclosed array, expected `]`", "vérifiez les guillemets"),
            ("commune code \"9306\" has four digits", "vérifiez les guillemets"),
        ] {
            let found = fault(text, Some(6), message);
            assert!(found.contains(told), "{message}: {found}");
            assert!(!found.contains("expected") && !found.contains("invalid"), "{found}");
        }
        assert_eq!(fault("", None, "missing field `a`"), "  il manque le réglage « a ».");
        assert_eq!(line_of("a\nb", 99), 2);
    }
}
