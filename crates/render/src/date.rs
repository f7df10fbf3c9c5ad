//! Dates and periods in words: `22 novembre 2026 à 10:53`, `2e semestre 2025`.
//!
//! Instants are shown in the legal time of metropolitan France, whatever the machine's own zone: the hub, the
//! node and a reader on the telephone say the same hour.

use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, Zoned};
use model::{Period, Timestamp};

const MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

/// The day: `1er mars 2026`.
pub fn day(at: Timestamp) -> String {
    in_france(at).map_or_else(out_of_calendar, |at| spell_day(&at))
}

/// The day where there is little room: `1er mars 2026`, `22 nov. 2026`.
pub fn short_day(at: Timestamp) -> String {
    const SHORT: [&str; 12] =
        ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."];
    in_france(at).map_or_else(out_of_calendar, |at| {
        let month = usize::from(at.month().unsigned_abs()).checked_sub(1).and_then(|index| SHORT.get(index));
        format!("{} {} {}", ordinal_day(&at), month.unwrap_or(&"mois inconnu"), at.year())
    })
}

/// The day and the minute where there is little room: `22 nov. 2026, 10:53`.
pub fn short_moment(at: Timestamp) -> String {
    in_france(at)
        .map_or_else(out_of_calendar, |zoned| format!("{}, {:02}:{:02}", short_day(at), zoned.hour(), zoned.minute()))
}

/// The day and the minute: `22 novembre 2026 à 10:53`.
pub fn moment(at: Timestamp) -> String {
    in_france(at).map_or_else(out_of_calendar, |at| format!("{} à {:02}:{:02}", spell_day(&at), at.hour(), at.minute()))
}

/// The last instant of a day written `2026-12-31`, in France: what is due on a day is in time all that day. `None` if the
/// text is no day of the calendar.
pub fn end_of_day(text: &str) -> Option<Timestamp> {
    let day: jiff::civil::Date = text.parse().ok().filter(|day: &jiff::civil::Date| day.to_string() == text)?;
    let next = day.tomorrow().ok()?.to_zoned(zone()).ok()?;
    Some(Timestamp::from_micros(next.timestamp().as_microsecond().checked_sub(1)?))
}

/// The period: `2025`, `1er semestre 2025`, `4e trimestre 2025`, `juin 2025`.
pub fn period(period: Period) -> String {
    let ordinal = |n: u8| if n == 1 { "1er".to_owned() } else { format!("{n}e") };
    match period {
        Period::Year(year) => year.to_string(),
        Period::Semester(year, n) => format!("{} semestre {year}", ordinal(n)),
        Period::Quarter(year, n) => format!("{} trimestre {year}", ordinal(n)),
        Period::Month(year, n) => format!("{} {year}", month(n)),
    }
}

fn spell_day(at: &Zoned) -> String {
    format!("{} {} {}", ordinal_day(at), month(at.month().unsigned_abs()), at.year())
}

fn ordinal_day(at: &Zoned) -> String {
    if at.day() == 1 { "1er".to_owned() } else { at.day().to_string() }
}

fn month(number: u8) -> &'static str {
    // A `Period` made by hand may hold any number; a wrong word would be worse than none.
    usize::from(number).checked_sub(1).and_then(|index| MONTHS.get(index)).copied().unwrap_or("mois inconnu")
}

fn in_france(at: Timestamp) -> Option<Zoned> {
    Some(Instant::from_microsecond(at.as_micros()).ok()?.to_zoned(zone()))
}

fn zone() -> TimeZone {
    TimeZone::get("Europe/Paris").expect("the time zones are bundled with the program")
}

fn out_of_calendar() -> String {
    "date hors du calendrier".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_micros(text.parse::<Instant>().expect("an RFC 3339 instant").as_microsecond())
    }

    #[test]
    fn summer_and_winter_follow_paris() {
        assert_eq!(moment(at("2026-11-22T09:53:59Z")), "22 novembre 2026 à 10:53");
        assert_eq!(moment(at("2026-07-01T09:05:00Z")), "1er juillet 2026 à 11:05");
        assert_eq!(moment(at("2026-03-29T00:59:00Z")), "29 mars 2026 à 01:59");
        assert_eq!(moment(at("2026-03-29T01:00:00Z")), "29 mars 2026 à 03:00");
        assert_eq!(day(at("2025-12-31T23:30:00Z")), "1er janvier 2026");
        assert_eq!(short_day(at("2025-12-31T23:30:00Z")), "1er janv. 2026");
        assert_eq!(short_moment(at("2026-08-09T09:05:00Z")), "9 août 2026, 11:05");
    }

    #[test]
    fn instants_outside_the_calendar_do_not_panic() {
        assert_eq!(moment(Timestamp::from_micros(i64::MAX)), "date hors du calendrier");
        assert_eq!(day(Timestamp::from_micros(i64::MIN)), "date hors du calendrier");
    }

    #[test]
    fn a_day_lasts_until_midnight_in_france() {
        assert_eq!(end_of_day("2026-12-15"), Some(Timestamp::from_micros(at("2026-12-15T23:00:00Z").as_micros() - 1)));
        assert_eq!(end_of_day("2026-07-14").map(day).as_deref(), Some("14 juillet 2026"));
        for bad in ["", "2026-02-30", "15/12/2026", "2026-12-15T10:00", "20261215"] {
            assert_eq!(end_of_day(bad), None, "{bad}");
        }
    }

    #[test]
    fn periods_are_said_in_french() {
        let said = |text: &str| period(text.parse().expect("a period"));
        assert_eq!(said("2025"), "2025");
        assert_eq!(said("2025-S1"), "1er semestre 2025");
        assert_eq!(said("2025-Q4"), "4e trimestre 2025");
        assert_eq!(said("2025-08"), "août 2025");
    }
}
