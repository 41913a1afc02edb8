//! Headings in which a column is not found, though a reader might see it there.
//!
//! Nothing of the file is repeated: where it has no header, its first line is a patient's.

use galen_query::text::is_invisible;

/// Quotes that are none in a CSV, or that a quoted heading holds.
const QUOTES: [char; 10] = ['\'', '"', '`', '´', '‘', '’', '‚', '“', '”', '„'];

/// What to do where a heading spells `name` in another way.
pub(super) fn other_spelling(name: &str, header: &[&str]) -> Option<&'static str> {
    let is_space = |c: char| c.is_whitespace() || is_invisible(c);
    let is_around = |c: char| is_space(c) || QUOTES.contains(&c);
    let bare = |h: &str| h.trim_matches(is_around).to_owned();
    let punctuated = |h: &str| bare(h).replace([' ', '-', '.'], "_");
    let any = |is: &dyn Fn(&str) -> bool| header.iter().any(|h| is(h));
    // From what hardly differs to what differs in more than one way.
    if any(&|h| h.trim_matches(is_space) == name) {
        Some(
            "its heading has white space, or a mark that is not seen, around it: names are matched \
             exactly, so leave that out",
        )
    } else if any(&|h| bare(h) == name) {
        Some(
            "its heading has quotes that are part of it: names are matched exactly, so leave them \
             out, or write \"double\" ones once",
        )
    } else if any(&|h| h.eq_ignore_ascii_case(name)) {
        Some(
            "its heading has other capitals: names are matched exactly, so write it in small \
             letters",
        )
    } else if any(&|h| bare(h).eq_ignore_ascii_case(name)) {
        Some(
            "its heading has other capitals, and something around it: names are matched exactly, \
             so write the bare name",
        )
    } else if any(&|h| punctuated(h).eq_ignore_ascii_case(name)) {
        Some(
            "its heading is punctuated in another way: names are matched exactly, so write it as \
             the registry does",
        )
    } else {
        None
    }
}

/// What a CSV's header looks like, and what to do, where it names fewer columns than it would with another separator.
pub(super) fn other_separator(
    names: &[&str],
    line: &str,
    separator: u8,
) -> Option<(&'static str, &'static str)> {
    if line.trim_start_matches('"').starts_with("sep=") {
        return Some((
            "the first line tells a spreadsheet the separator",
            "leave it out, so that the table begins with its header",
        ));
    }
    let count = |line: &str, separator: u8| {
        let fields = fields(line, separator);
        names
            .iter()
            .filter(|n| fields.iter().any(|f| f == *n))
            .count()
    };
    let now = count(line, separator);
    let better = |line: &str, separator: u8| count(line, separator) > now.max(1);
    if let [whole] = fields(line, separator).as_slice()
        && line.starts_with('"')
        && [b',', b';', b'\t'].iter().any(|s| better(whole, *s))
    {
        return Some((
            "the header stands in quotes as a whole",
            "export the table again, with quotes around single fields or none",
        ));
    }
    let others = [
        (
            b'\t',
            "the fields look separated by tabs",
            "name the file .tsv",
        ),
        (
            b',',
            "the fields look separated by commas",
            "name the file .csv",
        ),
        (
            b';',
            "the fields look separated by semicolons",
            "name the file .csv, with no comma in the header, or export the table with commas",
        ),
        (
            b'|',
            "the fields look separated by |",
            "export the table with commas, or with tabs as .tsv",
        ),
    ];
    let found = others
        .iter()
        .find(|(s, ..)| *s != separator && better(line, *s));
    found.map(|(_, found, help)| (*found, *help))
}

/// A line's fields.
fn fields(line: &str, separator: u8) -> Vec<String> {
    let mut builder = csv::ReaderBuilder::new();
    let builder = builder
        .has_headers(false)
        .flexible(true)
        .delimiter(separator);
    let mut reader = builder.from_reader(line.as_bytes());
    let record = reader.records().next().and_then(Result::ok);
    record.map_or_else(Vec::new, |r| r.iter().map(str::to_owned).collect())
}
