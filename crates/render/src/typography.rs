//! The signs of a French page, where an author typed those of a keyboard.

use crate::number::NARROW_SPACE;

/// `'` inside a word becomes `’`; the space before `; : ! ? »` and after `«` does not break.
pub fn french(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let mut before = None;
    while let Some(letter) = letters.next() {
        let next = letters.peek().copied();
        out.push(match letter {
            '\'' if before.is_some_and(char::is_alphanumeric) && next.is_some_and(char::is_alphanumeric) => '’',
            ' ' if before == Some('«') || next.is_some_and(|next| matches!(next, ';' | ':' | '!' | '?' | '»')) => {
                NARROW_SPACE
            }
            other => other,
        });
        before = Some(letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apostrophes_and_spaces_are_those_of_print() {
        assert_eq!(french("Demandes d'élection : l'âge"), "Demandes d’élection\u{202f}: l’âge");
        assert_eq!(french("'cité' « a »"), "'cité' «\u{202f}a\u{202f}»");
        assert_eq!(french(""), "");
    }
}
