//! A CSV's bytes as a parser gets them: the quoting rules checked, and line ends that can be counted.
//!
//! Parsers take a quote that is never closed, or one in the middle of a cell, each in their own way, and some
//! of them lose rows by it without a word. What RFC 4180 does not allow is therefore refused, and a cell that
//! holds line breaks is taken only where it was asked for: two stray quotes swallow the rows between them and
//! look just like one.

use std::io::{self, Read};

/// Why a CSV's quotes are refused. Lines count from 1; no variant carries a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuoteFault {
    /// The file ends inside a quoted cell.
    #[error(
        "line {opened}: a quote opens a cell and is never closed; close it, or double a quote that is part of the cell"
    )]
    Unclosed {
        /// The line of the opening quote.
        opened: u64,
    },
    /// Something follows a closing quote that is neither a separator nor the line's end.
    #[error(
        "line {line}: text follows a closing quote; double a quote that is part of the cell, as in \"5\"\" wide\""
    )]
    AfterQuote {
        /// The line of the closing quote.
        line: u64,
    },
    /// A quote stands inside a cell that does not begin with one.
    #[error(
        "line {line}: a quote stands inside a cell that does not begin with one; quote the whole cell and double the quote"
    )]
    Stray {
        /// Its line.
        line: u64,
    },
    /// A quoted cell goes on behind the line's end.
    #[error("line {opened}: a quote opens a cell that goes on in the next line")]
    ManyLines {
        /// The line of the opening quote.
        opened: u64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    /// At the beginning of a cell.
    Start,
    Plain,
    Quoted,
    /// Behind a quote in a quoted cell: it closes the cell, unless another one follows.
    Closing,
}

/// Follows a CSV's quotes through its bytes, whose lines end with LF; a UTF-8 byte order mark may be their beginning.
#[derive(Debug, Clone)]
pub struct Quotes {
    delimiter: u8,
    many_lines: bool,
    within: Within,
    line: u64,
    opened: u64,
    taken: u64,
}

impl Quotes {
    /// For a CSV with this delimiter, in which a quoted cell may hold line breaks if `many_lines`.
    #[must_use]
    pub fn new(delimiter: u8, many_lines: bool) -> Self {
        Self {
            delimiter,
            many_lines,
            within: Within::Start,
            line: 1,
            opened: 0,
            taken: 0,
        }
    }

    /// Takes the next bytes.
    fn take(&mut self, bytes: &[u8]) -> Result<(), QuoteFault> {
        for &byte in bytes {
            let next = self.next(byte)?;
            if next == Within::Quoted && self.within == Within::Start {
                self.opened = self.line;
            }
            self.within = next;
            self.line += u64::from(byte == b'\n');
            self.taken += 1;
        }
        Ok(())
    }

    fn next(&self, byte: u8) -> Result<Within, QuoteFault> {
        let line = self.line;
        let ends_cell = byte == self.delimiter || byte == b'\n';
        Ok(match (self.within, byte) {
            (Within::Quoted, b'"') => Within::Closing,
            (Within::Quoted, b'\n') if !self.many_lines => {
                return Err(QuoteFault::ManyLines {
                    opened: self.opened,
                });
            }
            (Within::Quoted, _) => Within::Quoted,
            (Within::Closing, b'"') => Within::Quoted,
            (_, _) if ends_cell => Within::Start,
            (Within::Closing, _) => return Err(QuoteFault::AfterQuote { line }),
            (Within::Start, b'"') => Within::Quoted,
            (Within::Plain, b'"') => return Err(QuoteFault::Stray { line }),
            (Within::Start, b'\xEF' | b'\xBB' | b'\xBF') if self.in_mark(byte) => Within::Start,
            (_, _) => Within::Plain,
        })
    }

    /// Whether `byte` is the next one of a byte order mark.
    fn in_mark(&self, byte: u8) -> bool {
        let at = usize::try_from(self.taken).ok();
        at.and_then(|at| b"\xEF\xBB\xBF".get(at)) == Some(&byte)
    }

    /// Notes the end of the file, which is no place inside a quoted cell.
    fn end(&self) -> Result<(), QuoteFault> {
        match self.within {
            Within::Quoted => Err(QuoteFault::Unclosed {
                opened: self.opened,
            }),
            _ => Ok(()),
        }
    }
}

/// A CSV's bytes on their way to a parser: their quotes checked, every CRLF and CR an LF, and an LF at their end, so
/// that lines can be counted by LF alone. A [`QuoteFault`] is inside the error of a read.
pub struct CsvBytes<R> {
    input: R,
    /// `None` where a quote is a letter like any other.
    quotes: Option<Quotes>,
    after_cr: bool,
    last: u8,
    /// Whether the last line had its end in the input.
    ended: bool,
}

impl<R: Read> CsvBytes<R> {
    /// Passes `input` on.
    pub fn new(input: R, quotes: Option<Quotes>) -> Self {
        Self {
            input,
            quotes,
            after_cr: false,
            last: b'\n',
            ended: true,
        }
    }

    /// Whether the last line has its end, as every writer of tables leaves it: a file without one may have lost
    /// more in a copy. Known once all is read.
    pub fn last_line_is_ended(&self) -> bool {
        self.ended
    }

    /// Rewrites line ends in place and returns how many bytes are left.
    fn rewrite(&mut self, bytes: &mut [u8]) -> usize {
        if !self.after_cr && !bytes.contains(&b'\r') {
            return bytes.len();
        }
        let mut kept = 0;
        for at in 0..bytes.len() {
            let byte = bytes[at];
            if !(self.after_cr && byte == b'\n') {
                bytes[kept] = if byte == b'\r' { b'\n' } else { byte };
                kept += 1;
            }
            self.after_cr = byte == b'\r';
        }
        kept
    }

    fn end(&mut self, buffer: &mut [u8]) -> Result<usize, QuoteFault> {
        if let Some(quotes) = &self.quotes {
            quotes.end()?;
        }
        if self.last == b'\n' {
            return Ok(0);
        }
        self.ended = false;
        self.last = b'\n';
        buffer[0] = b'\n';
        Ok(1)
    }
}

impl<R: Read> Read for CsvBytes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let refused = |fault| io::Error::new(io::ErrorKind::InvalidData, fault);
        loop {
            let read = self.input.read(buffer)?;
            if read == 0 {
                return self.end(buffer).map_err(refused);
            }
            let kept = self.rewrite(&mut buffer[..read]);
            if let Some(quotes) = &mut self.quotes {
                quotes.take(&buffer[..kept]).map_err(refused)?;
            }
            if kept > 0 {
                self.last = buffer[kept - 1];
                return Ok(kept);
            }
        }
    }
}

/// The line on which a record of [`CsvBytes`] begins, by the parser's line `before` and `behind` reading it. The parser
/// stands behind the record's line feed then, and quoted line feeds came before that; it may have skipped blank
/// lines ahead of the record, so that `before` is only a lower bound.
#[must_use]
pub fn record_line(before: u64, behind: u64, record: &[u8]) -> u64 {
    let quoted = record.iter().filter(|b| **b == b'\n').count();
    behind.saturating_sub(1 + quoted as u64).max(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that come in pieces of `size`.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let size = self.0.len().min(self.1).min(buffer.len());
            let (now, later) = self.0.split_at(size);
            buffer[..size].copy_from_slice(now);
            self.0 = later;
            Ok(size)
        }
    }

    /// Reads `text`; whether its last line is ended.
    fn check(text: &str, many_lines: bool, size: usize) -> Result<bool, QuoteFault> {
        let quotes = Quotes::new(b',', many_lines);
        let mut bytes = CsvBytes::new(Pieces(text.as_bytes(), size), Some(quotes));
        let mut found = String::new();
        match bytes.read_to_string(&mut found) {
            Ok(_) => {
                let lines = text.replace("\r\n", "\n").replace('\r', "\n");
                assert_eq!(found.trim_end_matches('\n'), lines.trim_end_matches('\n'));
                assert!(found.is_empty() || found.ends_with('\n'));
                Ok(bytes.last_line_is_ended())
            }
            Err(e) => Err(*e.get_ref().unwrap().downcast_ref().unwrap()),
        }
    }

    #[test]
    fn what_rfc_4180_allows_passes() {
        for text in [
            "a,b\n1,2\n",
            "a,b\r\n\"1\",\"x,\"\"y\"\"\"\r\n",
            "\u{feff}\"a\",b\n\"\",\n",
            "a\r\"b\"\r",
            "",
        ] {
            for size in [1, 2, 100] {
                assert_eq!(check(text, false, size), Ok(true), "{text:?}");
            }
        }
        assert_eq!(check("a\n\"1\n2\"\n", true, 1), Ok(true));
        assert_eq!(check("a\n1", false, 1), Ok(false));
        assert_eq!(check("a\n\"1\"", false, 1), Ok(false));
    }

    #[test]
    fn each_fault_names_its_line() {
        let faults = [
            ("a\r\n\"1\"x\r\n", QuoteFault::AfterQuote { line: 2 }),
            ("a\n\n1\"\n", QuoteFault::Stray { line: 3 }),
            ("a\r1,\"2\r3\n", QuoteFault::ManyLines { opened: 2 }),
            ("a\n1\n\"2", QuoteFault::Unclosed { opened: 3 }),
            // Two stray quotes, each alone in its cell: a cell of many lines for any parser.
            (
                "a,b\n1,\"\n2,x\n3,\"\n",
                QuoteFault::ManyLines { opened: 2 },
            ),
        ];
        for (text, fault) in faults {
            for size in [1, 3, 100] {
                assert_eq!(check(text, false, size), Err(fault), "{text:?}");
            }
        }
        assert_eq!(
            check("a\n\"1\n2\n", true, 2),
            Err(QuoteFault::Unclosed { opened: 2 })
        );
    }

    #[test]
    fn lines_are_counted_as_an_editor_does() {
        assert_eq!(record_line(1, 2, b"a"), 1);
        // Two blank lines before, and a cell of two lines.
        assert_eq!(record_line(2, 6, b"a\nb"), 4);
    }

    #[test]
    fn a_mark_counts_at_the_beginning_alone() {
        let late = "a\n\u{feff}\"1\"\n";
        assert_eq!(check(late, false, 1), Err(QuoteFault::Stray { line: 2 }));
    }
}
