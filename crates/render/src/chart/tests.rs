use super::*;

fn plot(marks: &[(&str, Mark, &str)]) -> DotPlot {
    let row = |&(name, mark, text): &(&str, Mark, &str)| Row { name: name.into(), mark, text: text.into() };
    DotPlot {
        id: "c1".into(),
        title: "Demandes".into(),
        description: "Les mêmes chiffres sont dans le tableau.".into(),
        decimals: Decimals::NONE,
        rows: marks.iter().map(row).collect(),
        benchmark: None,
    }
}

/// Every element closes in order: what a browser's strict parser asks first.
pub(super) fn well_formed(svg: &str) {
    let mut open = Vec::new();
    for piece in svg.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect("a tag ends");
        assert!(!text.contains('"') || !tag.contains("=\"\""), "{piece}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name.to_owned()), "{svg}");
        } else if !tag.ends_with('/') {
            open.push(tag.split(' ').next().expect("a name").to_owned());
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

fn x(svg: &str, after: &str) -> f64 {
    let rest = &svg[svg.find(after).expect("it is drawn") + after.len()..];
    rest.split('"').next().expect("a quoted number").parse().expect("a number")
}

#[test]
fn zero_hidden_and_missing_are_three_things() {
    let zero = dot_plot(&plot(&[("A", Mark::Dot(0.0), "0"), ("B", Mark::Dot(10.0), "10")]));
    let hidden =
        dot_plot(&plot(&[("A", Mark::Range { low: 0.0, high: Some(9.0) }, "secret"), ("B", Mark::Dot(10.0), "10")]));
    let missing = dot_plot(&plot(&[("A", Mark::Nothing, "pas reçu"), ("B", Mark::Dot(10.0), "10")]));
    let count = |svg: &str, what: &str| svg.matches(what).count();
    assert_eq!((count(&zero, "class=\"dot\""), count(&zero, "class=\"range\"")), (2, 0));
    assert_eq!((count(&hidden, "class=\"dot\""), count(&hidden, "class=\"range\"")), (1, 1));
    assert_eq!((count(&missing, "class=\"dot\""), count(&missing, "class=\"range\"")), (1, 0));
    assert!((x(&zero, "class=\"dot\" cx=\"") - LEFT).abs() < 0.1, "zero is a place, not a silence");
    // Each is explained where it is drawn, and in words beside its name.
    assert!(hidden.contains("secret : la valeur") && !zero.contains("secret : la valeur"));
    assert!(missing.contains("sans marque") && missing.contains(">pas reçu<"));
    for svg in [zero, hidden, missing] {
        well_formed(&svg);
    }
}

#[test]
fn a_range_without_upper_limit_stays_open_and_the_rest_keeps_its_place() {
    let svg =
        dot_plot(&plot(&[("A", Mark::Range { low: 40.0, high: None }, "au moins 40"), ("B", Mark::Dot(40.0), "40")]));
    let path = &svg[svg.find("class=\"range\" d=\"").expect("drawn")..];
    assert!(!path[..path.find("fill").expect("an attribute")].contains('Z'), "closed: {path}");
    assert!(x(&svg, "class=\"dot\" cx=\"") < RIGHT);
    well_formed(&svg);
}

#[test]
fn text_of_others_cannot_become_markup() {
    let mut evil = plot(&[("<script>alert(1)</script>&", Mark::Dot(1.0), "\"1\"")]);
    evil.id = "x\"><script>".into();
    evil.title = "a < b & c".into();
    evil.benchmark = Some(Benchmark { label: "</svg>".into(), mark: Mark::Range { low: 0.2, high: None } });
    let svg = dot_plot(&evil);
    assert!(!svg.contains("<script") && svg.matches("</svg>").count() == 1, "{svg}");
    assert!(svg.contains("a &lt; b &amp; c") && svg.contains("id=\"xscript-title\""));
    well_formed(&svg);
}

#[test]
fn an_empty_plot_and_strange_numbers_do_not_break_it() {
    for svg in [
        dot_plot(&plot(&[])),
        dot_plot(&plot(&[("A", Mark::Dot(f64::NAN), "–"), ("B", Mark::Dot(f64::INFINITY), "–")])),
        dot_plot(&plot(&[("A", Mark::Dot(-3.0), "-3"), ("B", Mark::Dot(1e12), "10¹²")])),
    ] {
        well_formed(&svg);
        assert!(!svg.contains("inf\""), "{svg}");
    }
}

#[test]
fn names_too_long_for_the_plot_are_cut_with_a_sign() {
    assert_eq!(short("Saint-Denis"), "Saint-Denis");
    assert_eq!(short(&"É".repeat(40)).chars().count(), NAME);
    assert!(short(&"É".repeat(40)).ends_with('…'));
}
