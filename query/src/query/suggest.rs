//! The nearest names, for error messages.

/// Longer names are not compared.
const LONGEST: usize = 64;

/// The `count` candidates nearest to `name` by edit distance, nearest first; letter case counts
/// for nothing. Only those that a slip could explain, or all where there are few.
pub(super) fn nearest<'a>(
    name: &str,
    candidates: impl Iterator<Item = &'a str>,
    count: usize,
) -> Vec<&'a str> {
    let all: Vec<&str> = candidates.collect();
    let few = all.len() <= count;
    let name: Vec<char> = name.to_lowercase().chars().take(LONGEST + 1).collect();
    let mut ranked: Vec<(usize, usize, &str)> = Vec::new();
    for (place, candidate) in all.into_iter().enumerate() {
        let letters: Vec<char> = candidate.to_lowercase().chars().collect();
        let compared = name.len() <= LONGEST && letters.len() <= LONGEST;
        let away = if compared {
            distance(&name, &letters)
        } else {
            usize::MAX
        };
        let starts = name.len() >= 2 && letters.starts_with(&name);
        if few || starts || away <= 1 + name.len() / 4 {
            ranked.push((away, place, candidate));
        }
    }
    ranked.sort_unstable();
    ranked.truncate(count);
    ranked.into_iter().map(|(.., c)| c).collect()
}

/// A text from the query, cut for a message.
pub(super) fn short(text: &str) -> String {
    let mut cut: String = text.chars().filter(|c| !c.is_control()).take(64).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

/// A text as SQL writes it.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A text from the query as SQL writes it, cut for a message.
pub(super) fn short_literal(text: &str) -> String {
    literal(&short(text))
}

/// A name as SQL writes it: in double quotes where it would be folded or is no plain word.
pub(super) fn identifier(name: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if name.bytes().all(is_plain) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// Levenshtein's distance.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_slips_first() {
        let names = ["age", "grade", "birth", "stage", "size", "nodes", "er"];
        assert_eq!(nearest("stagee", names.into_iter(), 2), ["stage"]);
        assert_eq!(nearest("AGE", names.into_iter(), 1), ["age"]);
        assert!(nearest("zzzzzz", names.into_iter(), 3).is_empty());
        assert_eq!(nearest("zzzzzz", ["a", "b"].into_iter(), 3), ["a", "b"]);
    }

    #[test]
    fn measures_edits() {
        let d = |a: &str, b: &str| {
            distance(
                &a.chars().collect::<Vec<_>>(),
                &b.chars().collect::<Vec<_>>(),
            )
        };
        assert_eq!(d("kitten", "sitting"), 3);
        assert_eq!(d("", "abc"), 3);
        assert_eq!(d("abc", "abc"), 0);
    }
}
