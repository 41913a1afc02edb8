//! Labels made safe, measured, cut and wrapped, and numbers as text.

/// The label without what XML forbids or a viewer would act on: controls and line breaks become
/// spaces, and marks that reorder or hide text the replacement character.
pub fn clean(label: &str) -> String {
    let safe = label.chars().map(|c| match c {
        c if c.is_control() || c.is_whitespace() => ' ',
        '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' => '\u{fffd}',
        '\u{feff}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        c => c,
    });
    let safe: String = safe.collect();
    safe.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The texts that are not empty as sentences.
pub fn sentences(texts: &[&str]) -> String {
    let texts = texts.iter().filter(|text| !text.trim().is_empty());
    let texts = texts.map(|text| format!("{}.", text.trim().trim_end_matches('.')));
    texts.collect::<Vec<_>>().join(" ")
}

/// The text escaped for XML content.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// About how wide the text is at this size, in px; on the wide side for common sans serifs.
pub fn width(text: &str, size: f64) -> f64 {
    size * text.chars().map(em).sum::<f64>()
}

fn em(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '\'' | '|' | '.' | ',' | ':' | ';' | ' ' | '!' => 0.34,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '-' | '/' | '*' => 0.42,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '—' | '…' => 1.0,
        '<' | '>' | '+' | '=' | '~' | '−' | '&' | '#' => 0.84,
        'A'..='Z' => 0.72,
        '\u{1100}'..='\u{11ff}' | '\u{2e80}'..='\u{ffef}' | '\u{10000}'.. => 1.05,
        _ => 0.63,
    }
}

/// The label cleaned, and cut with an ellipsis where it is wider than `room` px.
pub fn cut(label: &str, size: f64, room: f64) -> String {
    let label = clean(label);
    if width(&label, size) <= room {
        return label;
    }
    let mut kept = String::new();
    let mut used = width("…", size);
    for c in label.chars() {
        used += em(c) * size;
        if used > room {
            break;
        }
        kept.push(c);
    }
    format!("{}…", kept.trim_end())
}

/// As [`cut`], but what stands in parentheses at the end, an axis' unit, is kept whole.
pub fn cut_name(label: &str, size: f64, room: f64) -> String {
    let label = clean(label);
    match label.rfind(" (").filter(|_| label.ends_with(')')) {
        Some(at) if width(&label, size) > room && width(&label[at..], size) < room / 2.0 => {
            let (name, unit) = label.split_at(at);
            cut(name, size, room - width(unit, size)) + unit
        }
        _ => cut(&label, size, room),
    }
}

/// The text in lines no wider than `room` px, at most `most` of them; the last is cut.
pub fn wrap(text: &str, size: f64, room: f64, most: usize) -> Vec<String> {
    let text = clean(text);
    let mut lines = Vec::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let end = if lines.len() + 1 >= most {
            rest.len()
        } else {
            line_end(rest, size, room)
        };
        lines.push(cut(&rest[..end], size, room));
        rest = rest[end..].trim_start();
    }
    lines
}

/// Where the first line ends: at the last space that fits, or within a word as wide as a line.
fn line_end(text: &str, size: f64, room: f64) -> usize {
    let mut used = 0.0;
    let mut space = None;
    for (at, c) in text.char_indices() {
        used += em(c) * size;
        if c == ' ' {
            space = Some(at);
        }
        if used > room && at > 0 {
            return space.unwrap_or(at);
        }
    }
    text.len()
}

/// How the numbers of one picture are written: all with the same decimals.
#[derive(Debug, Clone, Copy)]
pub struct Numbers {
    /// None where powers of ten are needed.
    decimals: Option<usize>,
}

impl Numbers {
    /// Whole numbers in full, others with about three significant digits of the largest; more
    /// where the smallest would seem to be 0.
    pub fn of(values: impl Iterator<Item = f64>) -> Self {
        let (mut whole, mut least, mut most) = (true, f64::INFINITY, 0.0_f64);
        for size in values.map(f64::abs).filter(|size| *size > 0.0) {
            whole &= size.fract() == 0.0;
            least = least.min(size);
            most = most.max(size);
        }
        let decimals = match most {
            m if m >= 1e15 => None,
            _ if whole => Some(0),
            m if m >= 100.0 => Some(0),
            m if m >= 10.0 => Some(1),
            m if m >= 1.0 => Some(2),
            _ => Some(3),
        };
        let decimals = decimals.and_then(|few| (few..7).find(|d| shows(least, *d)));
        Self { decimals }
    }

    /// A number.
    pub fn one(self, value: f64) -> String {
        match self.decimals {
            Some(decimals) => fixed(value, decimals),
            None if value == 0.0 => "0".to_owned(),
            None => minus(&format!("{value:.2e}")),
        }
    }

    /// A number and its interval.
    pub fn interval(self, value: f64, lower: f64, upper: f64) -> String {
        let to = if lower < 0.0 { " to " } else { "–" };
        let [value, lower, upper] = [value, lower, upper].map(|v| self.one(v));
        format!("{value} ({lower}{to}{upper})")
    }
}

/// Whether a number other than 0 is still one with this many decimals.
fn shows(size: f64, decimals: usize) -> bool {
    fixed(size, decimals).contains(|c| matches!(c, '1'..='9')) || !size.is_finite()
}

/// The number with this many decimals and its thousands apart.
pub fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut out = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push('.');
        out += fraction;
    }
    let zero = out.chars().all(|c| matches!(c, '0' | '.'));
    if value < 0.0 && !zero {
        out.insert(0, '−');
    }
    out
}

/// The text of a number with real minus signs.
pub fn minus(text: &str) -> String {
    text.replace('-', "−")
}
