//! A query's results as a page for people: static, without scripts, every text escaped.

use std::sync::LazyLock;

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use galen_verifier::answer::{Bucket, Cell};
use serde_json::Value;

use super::{page::escaped, policy, results::ResultsView};

const STYLE: &str = "body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
    code,pre{overflow-wrap:anywhere;white-space:pre-wrap}table{border-collapse:collapse;margin:1rem 0}\
    th,td{text-align:right;padding:.2rem .8rem .2rem 0;border-bottom:1px solid #ddd}\
    th:first-child,td:first-child{text-align:left}caption{text-align:left;font-weight:bold}small{color:#555}";

/// Nothing is loaded, run, framed or sent; only the style of this page is applied.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| policy::with_style(STYLE));

/// Whether the client asks for a page by name, and not less than for JSON: browsers do, programs do not.
pub fn is_wanted(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter();
    let accepted: Vec<&str> = accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let weight = |wanted: &str| {
        accepted.iter().find_map(|item| {
            let mut parts = item.split(';').map(str::trim);
            let kind = parts.next()?;
            let named = kind.eq_ignore_ascii_case(wanted);
            let weight = parts.find_map(|p| p.strip_prefix("q=")?.parse::<f32>().ok());
            named.then(|| weight.unwrap_or(1.0))
        })
    };
    let json = weight("application/json").unwrap_or(0.0);
    weight("text/html").is_some_and(|html| html > 0.0 && html >= json)
}

/// The page, with what keeps a browser from doing anything but showing it.
pub fn response(view: &ResultsView) -> Response {
    let headers = [(header::CONTENT_SECURITY_POLICY, POLICY.clone())];
    (headers, Html(page(view))).into_response()
}

fn page(view: &ResultsView) -> String {
    let text = |value: &Value| escaped(value.as_str().unwrap_or_default());
    let question = &view.question;
    let title = match question["title"].as_str() {
        Some(title) => escaped(title),
        None => "Results of a query".to_owned(),
    };
    let mut body = format!(
        "<h1>{title}</h1><pre>{}</pre><p>For {}. Registered as <a href=\"/v1/entries/{index}\">entry {index}</a>, before \
         every answer. <small>Query <code>{}</code></small></p>",
        text(&question["sql"]),
        text(&question["purpose"]),
        escaped(&view.query),
        index = view.index,
    );
    for announced in &view.announced {
        let before = match announced["before_registration"].as_bool() {
            Some(true) => "before it was registered",
            _ => "after it was registered",
        };
        body += &format!(
            "<p>Announced by {} as <a href=\"{}\">entry {}</a>, {before}.</p>",
            text(&announced["researcher"]),
            text(&announced["entry"]),
            announced["index"],
        );
    }
    if view.sites.is_empty() {
        body += "<p>No hospital has answered it yet.</p>";
    }
    if let Some(pooled) = &view.pooled {
        body += "<h2>All sites, added up</h2>";
        body += &tables(pooled);
    }
    for site in &view.sites {
        body += &answer(site, "");
    }
    for site in &view.earlier {
        body += &answer(site, " (replaced by a later epoch)");
    }
    for refusal in &view.refusals {
        let said = &refusal["refusal"];
        body += &format!(
            "<h2>{}, {}: refused</h2><p>{}</p>",
            text(&said["hospital"]),
            text(&said["dataset"]),
            text(&said["reason"])
        );
    }
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style>{body}\
         <hr><p><small>This service has verified each answer here. To depend on nobody, check it yourself: \
         <code>galen evidence ENTRY</code>, then <code>galen verify</code>. Programs get JSON at this address.</small></p>\
         </html>\n"
    )
}

/// One site's answer.
fn answer(site: &Value, note: &str) -> String {
    let answer = &site["answer"];
    let text = |value: &Value| escaped(value.as_str().unwrap_or_default());
    let insecure = match answer["insecure_parameters"] == true {
        true => " <strong>Made with development parameters: not to be relied on.</strong>",
        false => "",
    };
    format!(
        "<h2>{}, {}, epoch {}{note}</h2>{}<p><small>{}{insecure} \
         <a href=\"/v1/entries/{index}\">Entry {index}</a></small></p>",
        text(&answer["hospital"]),
        text(&answer["dataset"]),
        answer["epoch"].as_u64().unwrap_or_default(),
        tables(answer),
        text(&answer["reading"]),
        index = site["index"].as_u64().unwrap_or_default(),
    )
}

/// An answer's table and the derived ones, with their notes.
fn tables(answer: &Value) -> String {
    let mut html = table("", &answer["columns"], &answer["rows"], [cell, cell]);
    for derived in list(&answer["derived"]) {
        for one in list(&derived["tables"]) {
            let title = one["title"].as_str().unwrap_or_default();
            html += &table(title, &one["columns"], &one["rows"], [name, number]);
        }
        for note in list(&derived["notes"]) {
            html += &format!("<p>{}</p>", escaped(note.as_str().unwrap_or_default()));
        }
    }
    html
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// `text` is of a row's first entry, and of the others.
fn table(title: &str, columns: &Value, rows: &Value, text: [fn(&Value) -> String; 2]) -> String {
    let mut html = "<table>".to_owned();
    if !title.is_empty() {
        html += &format!("<caption>{}</caption>", escaped(title));
    }
    html += "<tr>";
    for column in list(columns) {
        html += &format!("<th>{}</th>", escaped(column.as_str().unwrap_or_default()));
    }
    html += "</tr>";
    for row in list(rows) {
        html += "<tr>";
        for (at, value) in list(row).iter().enumerate() {
            html += &format!("<td>{}</td>", escaped(&text[at.min(1)](value)));
        }
        html += "</tr>";
    }
    html + "</table>"
}

/// A cell of an answer, from JSON to what every other place shows of it: no code looks like a missing value.
fn cell(cell: &Value) -> String {
    let value = &cell["value"];
    let k = || value.as_u64().unwrap_or_default();
    let shown = match cell["type"].as_str().unwrap_or_default() {
        "key" => Cell::Key(plain(value)),
        "null" => Cell::Null,
        "suppressed" => Cell::Suppressed(k()),
        "withheld" => Cell::Withheld,
        "too_few" => Cell::TooFew(k()),
        "bucket" => Cell::Bucket(Bucket {
            number: u32::try_from(value["number"].as_u64().unwrap_or_default()).unwrap_or_default(),
            from: plain(&value["from"]),
            to: plain(&value["to"]),
        }),
        _ => return number(value),
    };
    shown.to_string()
}

/// A row's name in a derived table: a group's value, nothing where that is missing, or a text that names several.
fn name(value: &Value) -> String {
    match value {
        Value::Null => Cell::Null.to_string(),
        Value::String(text) if text == "NULL" => Cell::Key(text.clone()).to_string(),
        other => number(other),
    }
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Text as it is, nothing for what is missing, numbers with some five digits.
fn number(value: &Value) -> String {
    let Some(number) = value.as_f64().filter(|_| value.is_f64()) else {
        return if value.is_null() {
            String::new()
        } else {
            plain(value)
        };
    };
    match number.abs() {
        s if s.fract() == 0.0 && s < 1e15 => format!("{number:.0}"),
        s if s < 0.001 => format!("{number:.1e}"),
        s if s < 1000.0 => format!("{number:.4}"),
        _ => format!("{number:.1}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn browsers_get_a_page_and_programs_json() {
        for (accept, page) in [
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                true,
            ),
            ("text/html", true),
            ("*/*", false),
            ("application/json", false),
            ("application/json, text/html;q=0.5", false),
            ("text/html;q=0", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(is_wanted(&headers), page, "{accept}");
        }
        assert!(!is_wanted(&HeaderMap::new()));
    }

    #[test]
    fn every_text_of_others_is_escaped() {
        let hostile = "<script>alert('1')</script>\"&";
        let answer = json!({
            "columns": [hostile], "hospital": hostile, "dataset": hostile, "epoch": 1, "reading": hostile,
            "rows": [[{ "type": "key", "value": hostile }], [{ "type": "suppressed", "value": 11 }],
                     [{ "type": "bucket", "value": { "number": 1, "from": hostile, "to": hostile } }]],
            "derived": [{ "tables": [{ "title": hostile, "columns": [hostile], "rows": [[hostile], [5.5e-140], [null]] }],
                          "notes": [hostile] }],
        });
        let site = json!({ "index": 7, "answer": answer });
        let refusal =
            json!({ "refusal": { "hospital": hostile, "dataset": hostile, "reason": hostile } });
        let view = ResultsView {
            query: hostile.to_owned(),
            question: json!({ "title": hostile, "sql": hostile, "purpose": hostile }),
            index: 6,
            announced: vec![json!({
                "researcher": hostile, "index": 3, "entry": "/v1/entries/3", "before_registration": true,
            })],
            sites: vec![site.clone()],
            earlier: vec![site],
            refusals: vec![refusal],
            pooled: Some(answer),
        };
        let page = page(&view);
        assert!(
            !page.contains("<script") && !page.contains("alert('"),
            "{page}"
        );
        assert!(page.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;"));
        assert!(
            page.contains("<td>&lt;11</td>") && page.contains("<td>5.5e-140</td>"),
            "{page}"
        );
    }
    #[test]
    fn a_missing_value_looks_like_no_code() {
        let key = |text: &str| json!({ "type": "key", "value": text });
        let answer = json!({
            "columns": ["c", "n"],
            "rows": [[key("NULL"), { "type": "integer", "value": 3 }], [{ "type": "null" }, { "type": "withheld" }],
                     [key("x"), { "type": "too_few", "value": 4 }]],
            "derived": [{ "tables": [{ "title": "t", "columns": ["c", "p"], "rows": [["NULL", null], [null, 0.5]] }] }],
        });
        let html = tables(&answer);
        for row in [
            "<td>&quot;NULL&quot;</td><td>3</td>",
            "<td>NULL</td><td>*</td>",
            "<td>x</td><td>(&lt;4)</td>",
            "<td>&quot;NULL&quot;</td><td></td>",
            "<td>NULL</td><td>0.5000</td>",
        ] {
            assert!(html.contains(row), "{row}: {html}");
        }
    }
}
