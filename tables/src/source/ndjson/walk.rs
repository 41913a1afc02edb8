//! A line of NDJSON walked through by its parser, which notes what kind each element's value is.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::shape::{Place, Shape};
use crate::mapping::ColumnType;
use crate::source::types::{EXACT, EXACT_FLOAT, parses, wanted_text};

/// The lines of a file.
pub(super) struct Lines<'a> {
    file: usize,
    types: &'a BTreeMap<String, ColumnType>,
    line: u64,
    /// Objects so far, those within others too.
    objects: u64,
    /// Where the parser stands, as in `code.coding[]`.
    path: String,
    /// What was wrong, where the parser says only that something was.
    fault: Option<String>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(file: usize, types: &'a BTreeMap<String, ColumnType>) -> Self {
        Self {
            file,
            types,
            line: 0,
            objects: 0,
            path: String::new(),
            fault: None,
        }
    }

    /// Takes the next line, with its end; whether it held an object, for blank lines are passed over.
    ///
    /// # Errors
    /// A message with the line, and never a value.
    pub(super) fn take(&mut self, line: &[u8], root: &mut Shape) -> Result<bool, String> {
        self.line += 1;
        let number = self.line;
        if line.starts_with(b"\xEF\xBB\xBF") {
            return Err(format!(
                "line {number} begins with a byte order mark, which JSON does not have: take it off, for example \
                 with sed '1s/^\\xEF\\xBB\\xBF//'"
            ));
        }
        let text = std::str::from_utf8(line)
            .map_err(|_| format!("line {number}: not UTF-8, as JSON is"))?;
        let text = text.trim();
        if text.is_empty() {
            return Ok(false);
        }
        if !text.starts_with('{') && serde_json::from_str::<de::IgnoredAny>(text).is_ok() {
            return Err(format!(
                "line {number}: not a JSON object; NDJSON has one object per line"
            ));
        }
        self.path.clear();
        let mut parser = serde_json::Deserializer::from_str(text);
        let walk = Walk {
            lines: self,
            shape: root,
            wanted: None,
        };
        let walked = walk.deserialize(&mut parser).and_then(|()| parser.end());
        match (walked, self.fault.take()) {
            (_, Some(fault)) => Err(format!("line {number}: {fault}")),
            (Err(e), None) => Err(format!(
                "line {number}, column {}: not JSON; NDJSON has one object per line",
                e.column()
            )),
            (Ok(()), None) => Ok(true),
        }
    }
}

/// One value on its way into its element's shape.
struct Walk<'s, 'a> {
    lines: &'s mut Lines<'a>,
    shape: &'s mut Shape,
    /// The type that the mapping gives to the element.
    wanted: Option<ColumnType>,
}

impl Walk<'_, '_> {
    fn place(&self) -> Place {
        (self.lines.file, self.lines.line)
    }

    fn fail<E: de::Error>(self, what: &str) -> Result<(), E> {
        self.lines.fault = Some(format!("element `{}`: {what}", self.lines.path));
        Err(E::custom("told elsewhere"))
    }

    /// The error where the mapping gives the element a type that this value is not.
    fn misfit<E: de::Error>(self, wanted: ColumnType) -> Result<(), E> {
        let what = format!(
            "not {}, which types asks for; correct the file, or leave it out of types and convert it in the SQL",
            wanted_text(wanted)
        );
        self.fail(&what)
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        match self.wanted {
            Some(wanted) if !matches!(wanted, ColumnType::Boolean | ColumnType::Utf8) => {
                self.misfit(wanted)
            }
            _ => {
                let place = self.place();
                self.shape.boolean.get_or_insert(place);
                Ok(())
            }
        }
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        if let Some(wanted) = self.wanted
            && !matches!(
                wanted,
                ColumnType::Int | ColumnType::Float | ColumnType::Utf8
            )
        {
            return self.misfit(wanted);
        }
        let place = self.place();
        self.shape.int.get_or_insert(place);
        if value.unsigned_abs() > EXACT {
            self.shape.long.get_or_insert(place);
            if self.wanted == Some(ColumnType::Float) {
                return self.fail("a whole number beyond 2^53, which a float does not hold");
            }
        }
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => self.fail(TOO_LONG),
        }
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        // The parser makes floats of whole numbers that are too long for it, and some exporters of all.
        if value.fract() == 0.0
            && value.abs() >= EXACT_FLOAT
            && self.wanted != Some(ColumnType::Float)
        {
            return self.fail(TOO_LONG);
        }
        if let Some(wanted) = self.wanted
            && !matches!(wanted, ColumnType::Float | ColumnType::Utf8)
        {
            return self.misfit(wanted);
        }
        let place = self.place();
        self.shape.float.get_or_insert(place);
        Ok(())
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<(), E> {
        if let Some(wanted) = self.wanted
            && (wanted == ColumnType::Boolean || !parses(value, wanted))
        {
            return self.misfit(wanted);
        }
        let place = self.place();
        self.shape.text.get_or_insert(place);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        if let Some(wanted) = self.wanted {
            return self.misfit(wanted);
        }
        if self.lines.path.is_empty() {
            return self.fail("an array, where NDJSON has one object per line");
        }
        let place = self.place();
        let (_, item) = self
            .shape
            .array
            .get_or_insert_with(|| (place, Box::default()));
        let length = self.lines.path.len();
        self.lines.path.push_str("[]");
        loop {
            let walk = Walk {
                lines: self.lines,
                shape: item,
                wanted: None,
            };
            if items.next_element_seed(walk)?.is_none() {
                self.lines.path.truncate(length);
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        if let Some(wanted) = self.wanted {
            return self.misfit(wanted);
        }
        let place = self.place();
        self.lines.objects += 1;
        let object = Some((self.lines.file, self.lines.objects));
        let length = self.lines.path.len();
        let top = length == 0;
        let (_, known) = self.shape.object.get_or_insert_with(|| (place, Vec::new()));
        // Exports write an object's elements in one order: the next one mostly follows the last.
        let mut expected = 0;
        while let Some(name) = elements.next_key::<String>()? {
            let at = position(known, &name, expected);
            expected = at + 1;
            if !top {
                self.lines.path.push('.');
            }
            self.lines.path.push_str(&name);
            let shape = &mut known[at].1;
            if std::mem::replace(&mut shape.last_object, object) == object {
                let path = &self.lines.path;
                self.lines.fault = Some(format!("element `{path}` stands twice in one object"));
                return Err(de::Error::custom("told elsewhere"));
            }
            let wanted = if top {
                self.lines.types.get(&name).copied()
            } else {
                None
            };
            elements.next_value_seed(Walk {
                lines: self.lines,
                shape,
                wanted,
            })?;
            self.lines.path.truncate(length);
        }
        Ok(())
    }
}

const TOO_LONG: &str = "a whole number too long for 64 bits, or a float beyond 2^53, would lose digits; have it written as text";

/// The place of an element among the known ones, made where there is none.
fn position(known: &mut Vec<(String, Shape)>, name: &str, expected: usize) -> usize {
    if known.get(expected).is_some_and(|(n, _)| n == name) {
        return expected;
    }
    known
        .iter()
        .position(|(n, _)| n == name)
        .unwrap_or_else(|| {
            known.push((name.to_owned(), Shape::default()));
            known.len() - 1
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(lines: &[&str], types: &[(&str, ColumnType)]) -> Result<Shape, String> {
        let types = types.iter().map(|(n, t)| ((*n).to_owned(), *t)).collect();
        let mut walker = Lines::new(0, &types);
        let mut root = Shape::default();
        for line in lines {
            walker.take(line.as_bytes(), &mut root)?;
        }
        Ok(root)
    }

    fn refused(lines: &[&str], types: &[(&str, ColumnType)]) -> String {
        let text = match walk(lines, types) {
            Ok(root) => root.data_type("root", &[]).unwrap_err(),
            Err(text) => text,
        };
        assert!(!text.contains("Roe"), "{text}");
        text
    }

    #[test]
    fn what_would_lose_digits_or_meaning_is_refused_by_its_line() {
        for (lines, expected) in [
            (
                ["{}", r#"{"id":9223372036854775808}"#],
                "line 2: element `id`: a whole number too long",
            ),
            (
                ["{}", r#"{"id":99999999999999999999999}"#],
                "line 2: element `id`: a whole number too long",
            ),
            (
                [r#"{"a":{"b":1}}"#, r#"{"a":{"b":"Roe"}}"#],
                "`root.a.b` is a number in line 1 and text in line 2",
            ),
            (
                [r#"{"a":"Roe"}"#, r#"{"a":["Roe"]}"#],
                "text in line 1 and an array in line 2",
            ),
            (
                [r#"{"a":9007199254740993}"#, r#"{"a":1.5}"#],
                "beyond 2^53 in line 1 and a fraction in line 2",
            ),
            (
                ["{}", r#"{"a":1,"b":2,"a":3}"#],
                "line 2: element `a` stands twice",
            ),
            (
                ["{}", r#"{"a":[{"b":1},{"b":1,"b":2}]}"#],
                "line 2: element `a[].b` stands twice",
            ),
            (["{}", "[{}]"], "line 2: not a JSON object"),
            (["{}", "{} {}"], "line 2, column 4: not JSON"),
            (["{}", r#"{"a": Roe}"#], "line 2, column 7: not JSON"),
            (["{}", r#"{"a": 1"#], "line 2, column 7: not JSON"),
            (["\u{feff}{}", ""], "line 1 begins with a byte order mark"),
        ] {
            let text = refused(&lines, &[]);
            assert!(text.contains(expected), "{lines:?}: {text}");
        }
    }

    #[test]
    fn the_mapping_s_types_are_checked_in_every_line() {
        for (value, wanted) in [
            ("1", ColumnType::Date),
            ("\"19.01.1976\"", ColumnType::Date),
            ("\"1976-01-19T22:58:16-05:00\"", ColumnType::Timestamp),
            ("\"1976-01-19T22:58:16\"", ColumnType::Timestamptz),
            ("1.5", ColumnType::Int),
            ("\"x\"", ColumnType::Float),
            ("9007199254740993", ColumnType::Float),
            ("\"true\"", ColumnType::Boolean),
            ("[1]", ColumnType::Utf8),
            ("{}", ColumnType::Utf8),
        ] {
            let line = format!("{{\"a\":{value}}}");
            let text = refused(&[r#"{"a":null}"#, &line], &[("a", wanted)]);
            assert!(text.starts_with("line 2: element `a`"), "{line}: {text}");
        }
        let date = [("a", ColumnType::Date), ("b", ColumnType::Utf8)];
        walk(
            &[r#"{"a":"1976-01-19T22:58:16-05:00","b":1}"#, r#"{"b":"x"}"#],
            &date,
        )
        .unwrap();
    }

    #[test]
    fn kinds_settle_over_all_lines() {
        use datafusion::arrow::datatypes::DataType;
        let root = walk(
            &[
                r#"{"a":1,"b":[],"c":null}"#,
                "",
                r#"{"a":2.5,"b":[{"x":true}]}"#,
            ],
            &[],
        )
        .unwrap();
        let types: Vec<DataType> = root
            .elements()
            .iter()
            .map(|(name, shape)| shape.data_type(name, &[]).unwrap())
            .collect();
        assert_eq!(types[0], DataType::Float64);
        assert!(
            matches!(&types[1], DataType::List(f) if matches!(f.data_type(), DataType::Struct(_)))
        );
        assert_eq!(types[2], DataType::Null);
    }
}
