//! What kinds of values an NDJSON element has over all lines, and which type they make together.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field};

use crate::source::files::SourceFile;

/// Where a kind was first seen: the file by its place, and the line.
pub(super) type Place = (usize, u64);

/// The file that the mapping's example is.
pub(super) const EXAMPLE: usize = usize::MAX;

/// An element's values, by kind.
#[derive(Debug, Default)]
pub(super) struct Shape {
    pub(super) boolean: Option<Place>,
    pub(super) int: Option<Place>,
    /// A whole number that a float would not hold.
    pub(super) long: Option<Place>,
    pub(super) float: Option<Place>,
    pub(super) text: Option<Place>,
    pub(super) array: Option<(Place, Box<Shape>)>,
    pub(super) object: Option<(Place, Vec<(String, Shape)>)>,
    /// The last object that had this element: its file, and its number there.
    pub(super) last_object: Option<Place>,
}

impl Shape {
    /// The elements of an object.
    pub(super) fn elements(&self) -> &[(String, Shape)] {
        match &self.object {
            Some((_, elements)) => elements,
            None => &[],
        }
    }

    /// The type that holds all values of the element at `path`.
    ///
    /// # Errors
    /// Where they are of two kinds: a line of each.
    pub(super) fn data_type(&self, path: &str, files: &[SourceFile]) -> Result<DataType, String> {
        let number = self.int.or(self.float);
        let kinds = [
            ("a boolean", self.boolean),
            ("a number", number),
            ("text", self.text),
            ("an array", self.array.as_ref().map(|a| a.0)),
            ("an object", self.object.as_ref().map(|o| o.0)),
        ];
        let mut seen = kinds
            .iter()
            .filter_map(|(kind, place)| Some((kind, (*place)?)));
        let first = seen.next();
        if let (Some(one), Some(other)) = (first, seen.next()) {
            return Err(mixed(path, one, other, files));
        }
        if let (Some(long), Some(float)) = (self.long, self.float) {
            let (long, float) = (place_text(long, files), place_text(float, files));
            return Err(format!(
                "element `{path}` has a whole number beyond 2^53 in {long} and a fraction in {float}: as one type \
                 it would lose digits; have it written as text"
            ));
        }
        Ok(if self.boolean.is_some() {
            DataType::Boolean
        } else if self.float.is_some() {
            DataType::Float64
        } else if self.int.is_some() {
            DataType::Int64
        } else if self.text.is_some() {
            DataType::Utf8
        } else if let Some((_, item)) = &self.array {
            let item = item.data_type(&format!("{path}[]"), files)?;
            DataType::List(Arc::new(Field::new_list_field(item, true)))
        } else if let Some((_, elements)) = &self.object {
            let fields = elements.iter().map(|(name, shape)| {
                let data_type = shape.data_type(&format!("{path}.{name}"), files)?;
                Ok(Field::new(name, data_type, true))
            });
            DataType::Struct(fields.collect::<Result<_, String>>()?)
        } else {
            DataType::Null
        })
    }
}

fn mixed(path: &str, one: (&&str, Place), other: (&&str, Place), files: &[SourceFile]) -> String {
    let ((one, at), (other, there)) = (one, other);
    let cure = if path.contains(['.', '[']) {
        "correct the export, or read files of one kind as a source of their own"
    } else {
        "correct the export, or say \"utf8\" for it in types, which reads numbers and booleans as their text"
    };
    format!(
        "element `{path}` is {one} in {} and {other} in {}: {cure}",
        place_text(at, files),
        place_text(there, files)
    )
}

/// A place for people; of many files, with the file's name.
fn place_text((file, line): Place, files: &[SourceFile]) -> String {
    match files.get(file) {
        None if file == EXAMPLE => "the mapping's example".to_owned(),
        Some(found) if files.len() > 1 => format!("line {line} of {}", found.name()),
        _ => format!("line {line}"),
    }
}
