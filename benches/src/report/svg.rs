//! Bar charts, just large enough for a README.

use std::fmt::Write as _;

/// One bar.
#[derive(Clone, Debug)]
pub struct Bar {
    /// Whose it is; the same text has the same colour in every group.
    pub who: String,
    /// How long the bar is.
    pub value: f64,
    /// What is written after it.
    pub text: String,
}

/// Bars that are compared with each other.
pub type Group = (String, Vec<Bar>);

const WIDTH: f64 = 760.0;
const LEFT: f64 = 190.0;
const RIGHT: f64 = 90.0;
const BAR: f64 = 16.0;
const GAP: f64 = 12.0;
const TOP: f64 = 74.0;
const COLOURS: [&str; 5] = ["#1f6feb", "#d1862a", "#6e7781", "#2da44e", "#8250df"];

/// A chart of horizontal bars on a logarithmic scale.
#[must_use]
pub fn bars(title: &str, subtitle: &str, groups: &[Group]) -> String {
    let all = || groups.iter().flat_map(|(_, bars)| bars);
    let mut contenders: Vec<&str> = Vec::new();
    for bar in all() {
        if !contenders.contains(&bar.who.as_str()) {
            contenders.push(&bar.who);
        }
    }
    let positive = || all().map(|bar| bar.value).filter(|value| *value > 0.0);
    let least = positive().fold(f64::INFINITY, f64::min).log10();
    let most = positive().fold(0.0, f64::max).log10();
    // The shortest bar can still be seen.
    let start = least - 0.08 * (most - least).max(1.0);
    let long = |value: f64| {
        let part = (value.max(f64::MIN_POSITIVE).log10() - start) / (most - start);
        (part * (WIDTH - LEFT - RIGHT)).max(1.0)
    };
    let count = all().count() as f64;
    let height = TOP + count * BAR + groups.len() as f64 * GAP + 8.0;

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <title>{0}</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <text x=\"12\" y=\"22\" font-size=\"15\" font-weight=\"bold\">{0}</text>\n\
         <text x=\"12\" y=\"40\" fill=\"#57606a\">{1}</text>\n",
        escape(title),
        escape(subtitle),
    );
    svg.push_str(&legend(&contenders));
    let mut y = TOP;
    for (name, bars) in groups {
        let middle = y + bars.len() as f64 * BAR / 2.0 + 4.0;
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{middle}\" text-anchor=\"end\">{}</text>",
            LEFT - 8.0,
            escape(name),
        );
        for bar in bars {
            let length = long(bar.value);
            let _ = writeln!(
                svg,
                "<rect x=\"{LEFT}\" y=\"{}\" width=\"{length:.1}\" height=\"{}\" fill=\"{}\"/>\
                 <text x=\"{:.1}\" y=\"{}\">{}</text>",
                y + 1.0,
                BAR - 2.0,
                colour(&contenders, &bar.who),
                LEFT + length + 5.0,
                y + 12.0,
                escape(&bar.text),
            );
            y += BAR;
        }
        y += GAP;
    }
    svg.push_str("</svg>\n");
    svg
}

fn colour(contenders: &[&str], who: &str) -> &'static str {
    let at = contenders.iter().position(|known| *known == who);
    at.and_then(|at| COLOURS.get(at).copied())
        .unwrap_or("#000000")
}

/// Who has which colour.
fn legend(contenders: &[&str]) -> String {
    let mut svg = String::new();
    let mut x = 12.0;
    for who in contenders {
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"50\" width=\"10\" height=\"10\" fill=\"{}\"/>\
             <text x=\"{}\" y=\"59\">{}</text>",
            colour(contenders, who),
            x + 15.0,
            escape(who),
        );
        x += 36.0 + 7.0 * who.len() as f64;
    }
    svg
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
