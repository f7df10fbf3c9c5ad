//! A commune that holds totals, beside one that holds rows.

use std::fmt::Write as _;

use statistics::{Reading, Silence};

use crate::house::{House, on_both, send};

const ROWS: &str = r#"
[[source]]
pack = "ccas-activite"
table = "aides_facultatives"
period = "2025"
[source.read]
file = "aides.csv"
"#;

const TOTALS: &str = r#"
[[source]]
pack = "ccas-activite"
table = "aides_facultatives"
period = "2025"
[source.read]
file = "totaux.csv"
skip_total_rows = true
[source.read.totals]
count = "Nb de demandes"
units = "Nb de ménages"
[source.read.columns]
decision = "Décision"
type_menage = "Foyer"
montant = "Total accordé"
"#;

const FILE: &str = "Bilan du CCAS 2025;;;;
Foyer;Décision;Nb de demandes;Nb de ménages;Total accordé
Personne seule;accord;120;90;15 000,50
Personne seule;refus;31;30;
monoparental;accord;87;61;9 310,00
monoparental;refus;3;2;
couple;accord;44;40;5 000
Total;;285;;
";

fn rows() -> Vec<u8> {
    let mut text = String::from("id_demande;id_menage;type_aide;decision;montant;type_menage;age\n");
    for n in 0..40 {
        let _ = writeln!(text, "D{n};M{n};energie;accord;100;seul;44");
    }
    text.into_bytes()
}

/// What follows from totals is protected, sent and compared like the rest; what does not is said not to be collected.
#[tokio::test]
async fn totals_are_compared_with_rows_and_say_what_they_do_not_hold() {
    on_both(async || {
        let house = House::open().await;
        let node = house.commune("93066", TOTALS, &[("totaux.csv", FILE.as_bytes())]).await;
        let preview = crate::house::preview(&node).await;
        let cells: Vec<_> = preview.slices.iter().flat_map(|slice| &slice.cells).collect();
        let text = |indicator: &str, place: &str| {
            let cell = cells.iter().find(|cell| cell.indicator.as_str() == indicator && cell.key.to_string() == place);
            cell.map_or_else(|| panic!("{indicator} {place}"), |cell| cell.shows.clone())
        };
        assert_eq!(text("aidfac_accords", "total"), "251");
        assert_eq!(text("aidfac_menages", "type_menage=seul"), "90");
        // How many households share it nobody says: one may have nearly all of it.
        assert_eq!(text("aidfac_montant_total", "total"), "caché");
        // Two households were refused: too few, and what would give them away is hidden with them.
        let hidden = cells.iter().filter(|cell| cell.shows == "caché").count();
        assert!(hidden >= 2, "{hidden}");
        assert_eq!(text("aidfac_demandes", "tranche_age=nr"), "non collecté");
        send(&node).await;
        node.close().await;

        let other = house.commune("93001", ROWS, &[("aides.csv", &rows())]).await;
        send(&other).await;
        other.close().await;
        for (commune, accords) in [("93066", 251.0), ("93001", 40.0)] {
            let read = house.reading("aidfac_accords", "2025", "", commune).await;
            assert_eq!(read, Some(Reading::Value(accords)), "{commune}");
        }
        let silent = Some(Reading::Silence(Silence::NotCollected));
        assert_eq!(house.reading("aidfac_demandes", "2025", "tranche_age=nr", "93066").await, silent);
        assert_eq!(house.reading("aidfac_accords", "2025", "type_aide=energie", "93066").await, silent);
        assert_eq!(
            house.reading("aidfac_accords", "2025", "type_aide=energie", "93001").await,
            Some(Reading::Value(40.0))
        );
        house.close().await;
    })
    .await;
}

/// The page for the commune itself shows what it holds, not what stands in for the rest.
#[tokio::test]
async fn the_internal_edition_shows_only_what_the_totals_say() {
    let house = House::open().await;
    let node = house.commune("93066", TOTALS, &[("totaux.csv", FILE.as_bytes())]).await;
    let page = node::report::internal_edition(&node).await.expect("a page");
    assert!(page.contains("251") && page.contains("29\u{202f}310,50"), "{page}");
    // All rows would stand in the first band of ages.
    let ages = page.split("Âge").nth(1).expect("a table of ages");
    assert!(!ages.split("</table>").next().unwrap_or_default().contains("285"), "{ages}");
    node.close().await;
    house.close().await;
}
