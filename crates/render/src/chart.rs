//! Charts as SVG text: pure functions, drawn the same way on a page, in print and in a file.
//!
//! Nothing is said by colour alone, and nothing by position alone: every mark has its number in words beside it. A
//! hidden figure is a hatched bar as wide as what visible figures allow; a missing one has no mark; zero is a dot.

mod scale;
mod spine;

use std::fmt::Write as _;

use model::Decimals;

use scale::Scale;

pub use spine::{SpinePlot, SpineRow, spine_plot};

/// One line of a dot plot.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Who.
    pub name: String,
    /// Where the mark stands.
    pub mark: Mark,
    /// The same in words.
    pub text: String,
}

/// What is drawn for one figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mark {
    /// A known value.
    Dot(f64),
    /// A hidden value: anywhere between these.
    Range {
        /// Lowest.
        low: f64,
        /// Highest; `None` if there is no upper limit.
        high: Option<f64>,
    },
    /// No figure.
    Nothing,
}

/// What the figures are held against.
#[derive(Clone, Debug, PartialEq)]
pub struct Benchmark {
    /// Its name and number in words.
    pub label: String,
    /// A line for a dot, a band for a range.
    pub mark: Mark,
}

/// One figure for each of several names, in the order given.
#[derive(Clone, Debug, PartialEq)]
pub struct DotPlot {
    /// Prefix of the ids inside; letters, digits and `-`.
    pub id: String,
    /// What is shown, for who hears it.
    pub title: String,
    /// What can be read from it, and where the same figures stand as text.
    pub description: String,
    /// Decimal places of the axis.
    pub decimals: Decimals,
    /// The lines.
    pub rows: Vec<Row>,
    /// A value to hold them against.
    pub benchmark: Option<Benchmark>,
}

const WIDTH: f64 = 840.0;
const LEFT: f64 = 222.0;
const RIGHT: f64 = 610.0;
const TEXT: f64 = 632.0;
const LINE: f64 = 27.0;
const TOP: f64 = 34.0;
const FOOT: f64 = 62.0;
/// Longer names would run into the plot; the table below has them whole.
const NAME: usize = 30;

const INK: &str = "#1c2530";
const QUIET: &str = "#4d5966";
const RULE: &str = "#d5dbe0";
const MARK: &str = "#0b5a6b";
const GROUP: &str = "#9a3412";

/// The plot as one `<svg>` element.
pub fn dot_plot(plot: &DotPlot) -> String {
    let scale = Scale::over(plot.rows.iter().map(|row| row.mark).chain(plot.benchmark.iter().map(|b| b.mark)), plot);
    let drawn =
        Drawing { plot, scale, id: plot.id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect() };
    drawn.svg()
}

struct Drawing<'a> {
    plot: &'a DotPlot,
    scale: Scale,
    id: String,
}

impl Drawing<'_> {
    fn svg(&self) -> String {
        let Self { plot, id, .. } = self;
        let bottom = self.bottom();
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
        self.axis(&mut out, bottom);
        self.benchmark(&mut out, bottom);
        for (index, row) in plot.rows.iter().enumerate() {
            self.row(&mut out, row, middle(index));
        }
        self.legend(&mut out, bottom + 44.0);
        out.push_str("</svg>");
        out
    }

    fn bottom(&self) -> f64 {
        middle(self.plot.rows.len()) - LINE * 0.5
    }

    fn axis(&self, out: &mut String, bottom: f64) {
        for (value, label) in self.scale.ticks() {
            let x = self.scale.x(value);
            // Writing to a String cannot fail.
            let _ = write!(
                out,
                "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\" stroke=\"{RULE}\"/>\
                 <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"12\" fill=\"{QUIET}\">{}</text>",
                bottom + 17.0,
                escaped(&label),
            );
        }
    }

    fn benchmark(&self, out: &mut String, bottom: f64) {
        let Some(Benchmark { label, mark }) = &self.plot.benchmark else { return };
        let (low, high) = match mark {
            Mark::Dot(value) => (*value, *value),
            Mark::Range { low, high } => (*low, high.unwrap_or(self.scale.top())),
            Mark::Nothing => return,
        };
        let (x1, x2) = (self.scale.x(low), self.scale.x(high));
        let y = TOP - 6.0;
        for x in if x2 - x1 < 1.0 { vec![x1] } else { vec![x1, x2] } {
            let _ = write!(
                out,
                "<line x1=\"{x:.1}\" y1=\"{y:.1}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\" stroke=\"{GROUP}\" \
                 stroke-width=\"2\" stroke-dasharray=\"7 4\"/>"
            );
        }
        let x = f64::midpoint(x1, x2);
        let anchor = if x > f64::midpoint(LEFT, RIGHT) { "end" } else { "start" };
        let _ = write!(
            out,
            "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\" font-size=\"13\" font-weight=\"600\" \
             fill=\"{GROUP}\">{}</text>",
            TOP - 14.0,
            escaped(label),
        );
    }

    fn row(&self, out: &mut String, row: &Row, y: f64) {
        let baseline = y + 5.0;
        let _ = write!(
            out,
            "<text x=\"{:.1}\" y=\"{baseline:.1}\" text-anchor=\"end\" fill=\"{INK}\">{}</text>",
            LEFT - 14.0,
            escaped(&short(&row.name)),
        );
        let silent = matches!(row.mark, Mark::Nothing);
        if !silent {
            let _ = write!(
                out,
                "<line x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{RIGHT}\" y2=\"{y:.1}\" stroke=\"{RULE}\" \
                 stroke-dasharray=\"1 4\"/>"
            );
        }
        match row.mark {
            Mark::Dot(value) => {
                let _ = write!(
                    out,
                    "<circle class=\"dot\" cx=\"{:.1}\" cy=\"{y:.1}\" r=\"6\" fill=\"{MARK}\" stroke=\"#ffffff\" \
                     stroke-width=\"1.5\"/>",
                    self.scale.x(value)
                );
            }
            Mark::Range { low, high } => self.range(out, low, high, y),
            Mark::Nothing => {}
        }
        let style = if silent { " font-style=\"italic\"" } else { "" };
        let fill = if silent { QUIET } else { INK };
        let _ =
            write!(out, "<text x=\"{TEXT}\" y=\"{baseline:.1}\" fill=\"{fill}\"{style}>{}</text>", escaped(&row.text));
    }

    fn range(&self, out: &mut String, low: f64, high: Option<f64>, y: f64) {
        let x1 = self.scale.x(low);
        let x2 = high.map_or(RIGHT, |high| self.scale.x(high)).max(x1 + 4.0);
        let (top, bottom) = (y - 6.0, y + 6.0);
        // Without an upper limit the bar stays open on the right.
        let edge = if high.is_some() {
            format!("M{x1:.1} {top:.1}H{x2:.1}V{bottom:.1}H{x1:.1}Z")
        } else {
            format!("M{x2:.1} {top:.1}H{x1:.1}V{bottom:.1}H{x2:.1}")
        };
        let _ = write!(
            out,
            "<rect x=\"{x1:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"12\" fill=\"url(#{id}-hatch)\"/>\
             <path class=\"range\" d=\"{edge}\" fill=\"none\" stroke=\"{MARK}\" stroke-width=\"1.5\"/>",
            x2 - x1,
            id = self.id,
        );
    }

    /// Only what is drawn is explained.
    fn legend(&self, out: &mut String, y: f64) {
        let rows = &self.plot.rows;
        let mut x = LEFT;
        let mut entry = |out: &mut String, mark: &str, words: &str, width: f64| {
            let _ = write!(
                out,
                "<g transform=\"translate({x:.1} {y:.1})\">{mark}<text x=\"24\" y=\"4.5\" font-size=\"12.5\" \
                 fill=\"{QUIET}\">{words}</text></g>"
            );
            x += width;
        };
        if rows.iter().any(|row| matches!(row.mark, Mark::Dot(_))) {
            entry(out, &format!("<circle cx=\"10\" cy=\"0\" r=\"6\" fill=\"{MARK}\"/>"), "valeur", 82.0);
        }
        if rows.iter().any(|row| matches!(row.mark, Mark::Range { .. })) {
            let mark = format!(
                "<rect x=\"0\" y=\"-6\" width=\"18\" height=\"12\" fill=\"url(#{}-hatch)\" stroke=\"{MARK}\" \
                 stroke-width=\"1.5\"/>",
                self.id
            );
            entry(out, &mark, "secret : la valeur est quelque part dans la barre", 318.0);
        }
        if rows.iter().any(|row| matches!(row.mark, Mark::Nothing)) {
            entry(out, "", "sans marque : pas de chiffre", 190.0);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a plot has some dozens of lines")]
fn middle(index: usize) -> f64 {
    TOP + LINE * (index as f64 + 0.5)
}

fn short(name: &str) -> String {
    if name.chars().count() <= NAME {
        return name.to_owned();
    }
    name.chars().take(NAME - 1).chain(['…']).collect()
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
        out
    })
}

#[cfg(test)]
mod tests;
