//! A spine chart: many indicators of one place, each on a scale of its own, with the benchmark in the middle.

use std::fmt::Write as _;

use super::{FOOT, GROUP, INK, MARK, Mark, QUIET, RULE, TOP, WIDTH, escaped};

/// Titles of indicators are long: each stands above its bar.
const LEFT: f64 = 20.0;
const RIGHT: f64 = 560.0;
const TEXT: f64 = 582.0;
const LINE: f64 = 46.0;

#[expect(clippy::cast_precision_loss, reason = "a plot has some dozens of lines")]
fn middle(index: usize) -> f64 {
    TOP + LINE * (index as f64 + 0.7)
}

/// One indicator. Places on its scale are from 0 to 1, low values on the left.
#[derive(Clone, Debug, PartialEq)]
pub struct SpineRow {
    /// The indicator.
    pub name: String,
    /// Where the place stands.
    pub own: Mark,
    /// From the lowest to the highest of all places.
    pub whole: (f64, f64),
    /// The half of all places in the middle.
    pub half: (f64, f64),
    /// The value in words.
    pub text: String,
    /// What it is held against, in words.
    pub beside: String,
}

/// The indicators, in the order given.
#[derive(Clone, Debug, PartialEq)]
pub struct SpinePlot {
    /// Prefix of the ids inside; letters, digits and `-`.
    pub id: String,
    /// What is shown, for who hears it.
    pub title: String,
    /// What can be read from it, and where the same figures stand as text.
    pub description: String,
    /// What the mark in the middle is.
    pub benchmark: String,
    /// The lines.
    pub rows: Vec<SpineRow>,
}

/// The plot as one `<svg>` element.
pub fn spine_plot(plot: &SpinePlot) -> String {
    let id: String = plot.id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    let bottom = middle(plot.rows.len()) - LINE * 0.45;
    let height = bottom + FOOT;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-labelledby=\"{id}-title {id}-desc\" font-family=\"inherit\" font-size=\"14\">\
         <title id=\"{id}-title\">{}</title><desc id=\"{id}-desc\">{}</desc>\
         <defs><pattern id=\"{id}-hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" \
         patternTransform=\"rotate(45)\"><rect width=\"6\" height=\"6\" fill=\"#ffffff\"/>\
         <rect width=\"2\" height=\"6\" fill=\"{MARK}\"/></pattern></defs>",
        escaped(&plot.title),
        escaped(&plot.description),
    );
    let x = |share: f64| LEFT + share.clamp(0.0, 1.0) * (RIGHT - LEFT);
    for (index, row) in plot.rows.iter().enumerate() {
        let y = middle(index);
        let bar = |out: &mut String, (low, high): (f64, f64), half: f64, fill: &str| {
            // Writing to a String cannot fail.
            let _ = write!(
                out,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{fill}\"/>",
                x(low),
                y - half,
                (x(high) - x(low)).max(1.0),
                2.0 * half
            );
        };
        let _ = write!(out, "<text x=\"{LEFT:.1}\" y=\"{:.1}\" fill=\"{INK}\">{}</text>", y - 13.0, escaped(&row.name));
        bar(&mut out, row.whole, 5.0, RULE);
        bar(&mut out, row.half, 5.0, "#aab4bd");
    }
    let center = x(0.5);
    let _ = write!(
        out,
        "<text x=\"{center:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"13\" font-weight=\"600\" \
         fill=\"{GROUP}\">{}</text>",
        TOP - 14.0,
        escaped(&plot.benchmark),
    );
    for (index, row) in plot.rows.iter().enumerate() {
        let y = middle(index);
        let _ = write!(
            out,
            "<line x1=\"{center:.1}\" y1=\"{:.1}\" x2=\"{center:.1}\" y2=\"{:.1}\" stroke=\"{GROUP}\" \
             stroke-width=\"2\"/>",
            y - 10.0,
            y + 10.0
        );
        match row.own {
            Mark::Dot(at) => {
                let _ = write!(
                    out,
                    "<circle class=\"dot\" cx=\"{:.1}\" cy=\"{y:.1}\" r=\"6\" fill=\"{MARK}\" stroke=\"#ffffff\" \
                     stroke-width=\"1.5\"/>",
                    x(at)
                );
            }
            Mark::Range { low, high } => {
                let (from, to) = (x(low), x(high.unwrap_or(1.0)).max(x(low) + 4.0));
                let _ = write!(
                    out,
                    "<rect class=\"range\" x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"12\" \
                     fill=\"url(#{id}-hatch)\" stroke=\"{MARK}\" stroke-width=\"1.5\"/>",
                    y - 6.0,
                    to - from
                );
            }
            Mark::Nothing => {}
        }
        let _ = write!(
            out,
            "<text x=\"{TEXT}\" y=\"{:.1}\" fill=\"{INK}\">{}</text>\
             <text x=\"{TEXT}\" y=\"{:.1}\" font-size=\"12\" fill=\"{QUIET}\">{}</text>",
            y - 1.0,
            escaped(&row.text),
            y + 15.0,
            escaped(&row.beside),
        );
    }
    let y = bottom + 34.0;
    let _ = write!(
        out,
        "<g transform=\"translate({LEFT} {y:.1})\" font-size=\"12.5\" fill=\"{QUIET}\">\
         <circle cx=\"6\" cy=\"0\" r=\"6\" fill=\"{MARK}\"/><text x=\"18\" y=\"4.5\">la commune</text>\
         <rect x=\"110\" y=\"-5\" width=\"18\" height=\"10\" fill=\"{RULE}\"/>\
         <text x=\"134\" y=\"4.5\">toutes les communes</text>\
         <rect x=\"274\" y=\"-5\" width=\"18\" height=\"10\" fill=\"#aab4bd\"/>\
         <text x=\"298\" y=\"4.5\">la moitié du milieu</text>"
    );
    if plot.rows.iter().any(|row| matches!(row.own, Mark::Range { .. })) {
        let _ = write!(
            out,
            "<rect x=\"424\" y=\"-6\" width=\"18\" height=\"12\" fill=\"url(#{id}-hatch)\" stroke=\"{MARK}\" \
             stroke-width=\"1.5\"/><text x=\"448\" y=\"4.5\">la commune, secret : quelque part dans la barre</text>"
        );
    }
    out.push_str("</g>");
    out.push_str("</svg>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_indicator_has_its_bars_its_mark_and_its_words() {
        let row = |name: &str, own| SpineRow {
            name: name.to_owned(),
            own,
            whole: (0.0, 1.0),
            half: (0.25, 0.75),
            text: "12 % <b>".to_owned(),
            beside: "médiane : 13 %".to_owned(),
        };
        let plot = SpinePlot {
            id: "portrait \"".to_owned(),
            title: "Portrait".to_owned(),
            description: "d".to_owned(),
            benchmark: "groupe".to_owned(),
            rows: vec![
                row("Un", Mark::Dot(0.5)),
                row("Deux", Mark::Range { low: 0.9, high: None }),
                row("Trois", Mark::Nothing),
            ],
        };
        let svg = spine_plot(&plot);
        assert_eq!((svg.matches("class=\"dot\"").count(), svg.matches("class=\"range\"").count()), (1, 1));
        assert!(!svg.contains("<b>") && svg.contains("&lt;b&gt;"), "{svg}");
        assert!(svg.contains("id=\"portrait-title\""));
        let middle = f64::midpoint(LEFT, RIGHT);
        assert!(svg.contains(&format!("cx=\"{middle:.1}\"")), "half way is on the benchmark");
        super::super::tests::well_formed(&svg);
    }
}
