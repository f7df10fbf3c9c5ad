//! Dates as offices write them, straight to days since 1970-01-01.

use methodology::calendar_days;

/// What a text is as a date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Day {
    /// Days since 1970-01-01.
    Days(i64),
    /// Probably this date (written as ISO); a person must confirm it in the source.
    Proposal(String),
    /// Not a date.
    Not,
}

/// Accepted: `2025-12-31`, `31/12/2025`, `31-12-2025`, `31.12.2025`, each with or without a time after it.
pub(super) fn read(text: &str) -> Day {
    let text = text.trim();
    let day = text.split(['T', ' ']).next().unwrap_or(text);
    if let Some(days) = calendar_days(day) {
        return Day::Days(days);
    }
    let parts: Vec<&str> = day.split(['/', '-', '.']).collect();
    let [day_of_month, month, year] = parts.as_slice() else { return serial(text) };
    if ![day_of_month, month, year].iter().all(|part| part.bytes().all(|b| b.is_ascii_digit())) {
        return Day::Not;
    }
    let iso = |year: &str| format!("{year}-{month:0>2}-{day_of_month:0>2}");
    match (day_of_month.len(), month.len(), year.len()) {
        (1 | 2, 1 | 2, 4) => calendar_days(&iso(year)).map_or(Day::Not, Day::Days),
        (1 | 2, 1 | 2, 2) => {
            let proposal = iso(&format!("20{year}"));
            if calendar_days(&proposal).is_some() { Day::Proposal(proposal) } else { Day::Not }
        }
        _ => Day::Not,
    }
}

/// A spreadsheet's day number, 1900 system: 45657 is 31 December 2024. Never accepted silently.
fn serial(text: &str) -> Day {
    let plausible = text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<i64>() {
        Ok(number) if plausible => {
            let date = time::macros::date!(1899 - 12 - 30) + time::Duration::days(number);
            Day::Proposal(date.to_string())
        }
        _ => Day::Not,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_and_doubtful_ones_are_proposed() {
        for text in ["2024-12-31", "31/12/2024", "31.12.2024", "31/12/2024 17:42", "2024-12-31T09:12:44"] {
            assert_eq!(read(text), Day::Days(20_088), "{text}");
        }
        assert_eq!(read("29/02/2024"), Day::Days(19_782));
        assert_eq!(read("31/12/24"), Day::Proposal("2024-12-31".to_owned()));
        assert_eq!(read("45657"), Day::Proposal("2024-12-31".to_owned()));
        for bad in ["29/02/2023", "31-déc-24", "", "12/31/2024", "2024", "1/2/3/4"] {
            assert_eq!(read(bad), Day::Not, "{bad}");
        }
    }
}
