//! A text file's content as UTF-8, whatever it is compressed with or written in.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;
use std::path::Path;

use encoding_rs::{Decoder, DecoderResult, Encoding};

/// Bytes that are read at once.
const BUFFER: usize = 1 << 17;

/// Opens a text file; `.gz` and `.zst` are taken off, and `encoding` becomes UTF-8. Without one the bytes pass
/// as they are, to be checked by who reads them.
pub(super) fn open(
    file: &Path,
    encoding: Option<&'static Encoding>,
) -> io::Result<Box<dyn BufRead + Send>> {
    let raw = BufReader::with_capacity(BUFFER, File::open(file)?);
    let extension = file.extension().and_then(|e| e.to_str());
    let plain: Box<dyn Read + Send> = match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("gz") => Box::new(flate2::bufread::MultiGzDecoder::new(raw)),
        Some("zst") => Box::new(zstd::Decoder::with_buffer(raw)?),
        _ => Box::new(raw),
    };
    Ok(match encoding {
        None => Box::new(BufReader::with_capacity(BUFFER, plain)),
        Some(encoding) => Box::new(BufReader::with_capacity(
            BUFFER,
            Decoded::new(plain, encoding),
        )),
    })
}

/// Why a file could not be read to its end, for people.
pub(super) fn message(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            "its compressed content is cut short: copy the file again".to_owned()
        }
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::Other => {
            match error.get_ref().and_then(|e| e.downcast_ref::<Malformed>()) {
                Some(malformed) => malformed.to_string(),
                None => "its compressed content is damaged: copy the file again".to_owned(),
            }
        }
        _ => format!("cannot be read: {error}"),
    }
}

/// Bytes that the named character set does not have.
#[derive(Debug, thiserror::Error)]
#[error("bytes that are no {0}: name the character set in which the file is written")]
struct Malformed(&'static str);

/// Text of one character set as UTF-8; what the set does not have is an error, never a replacement.
struct Decoded<R> {
    input: R,
    decoder: Decoder,
    raw: Vec<u8>,
    /// What of `raw` is not decoded yet.
    left: Range<usize>,
    text: Vec<u8>,
    /// What of `text` is not handed out yet.
    ready: Range<usize>,
    ended: bool,
    /// Whether the decoder has given its last.
    finished: bool,
}

impl<R: Read> Decoded<R> {
    fn new(input: R, encoding: &'static Encoding) -> Self {
        Self {
            input,
            decoder: encoding.new_decoder_with_bom_removal(),
            raw: vec![0; BUFFER],
            left: 0..0,
            text: vec![0; BUFFER],
            ready: 0..0,
            ended: false,
            finished: false,
        }
    }

    fn decode(&mut self) -> io::Result<()> {
        if self.left.is_empty() && !self.ended {
            let read = self.input.read(&mut self.raw)?;
            self.left = 0..read;
            self.ended = read == 0;
        }
        let source = &self.raw[self.left.clone()];
        let decoder = &mut self.decoder;
        let (result, read, written) =
            decoder.decode_to_utf8_without_replacement(source, &mut self.text, self.ended);
        self.left.start += read;
        self.ready = 0..written;
        if let DecoderResult::Malformed(..) = result {
            let malformed = Malformed(self.decoder.encoding().name());
            return Err(io::Error::new(io::ErrorKind::InvalidData, malformed));
        }
        self.finished = self.ended && result == DecoderResult::InputEmpty;
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.ready.is_empty() && !self.finished {
            self.decode()?;
        }
        let size = self.ready.len().min(buffer.len());
        buffer[..size].copy_from_slice(&self.text[self.ready.start..self.ready.start + size]);
        self.ready.start += size;
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8], label: &str) -> io::Result<String> {
        let encoding = Encoding::for_label(label.as_bytes()).unwrap();
        let mut text = String::new();
        BufReader::new(Decoded::new(bytes, encoding)).read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn a_named_character_set_becomes_utf8() {
        assert_eq!(
            decoded(b"M\xfcller;\x80\n", "windows-1252").unwrap(),
            "Müller;€\n"
        );
        assert_eq!(decoded(b"\xff\xfea\0\xfc\0", "utf-16le").unwrap(), "aü");
        let long = b"\xe4".repeat(3 * BUFFER);
        assert_eq!(decoded(&long, "latin1").unwrap(), "ä".repeat(3 * BUFFER));
        assert_eq!(decoded(b"", "latin1").unwrap(), "");
    }

    #[test]
    fn bytes_that_the_set_does_not_have_are_refused() {
        for (bytes, label) in [
            (&b"a\xff"[..], "utf-8"),
            (b"a\0\0", "utf-16le"),
            (b"\x81\x20", "shift_jis"),
        ] {
            let error = decoded(bytes, label).unwrap_err();
            assert!(message(&error).contains("character set"), "{error}");
        }
    }

    #[test]
    fn compressed_files_are_read_and_a_cut_one_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let text = "id\n1\n".repeat(1000);
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        io::Write::write_all(&mut gz, text.as_bytes()).unwrap();
        let gz = gz.finish().unwrap();
        let zst = zstd::encode_all(text.as_bytes(), 1).unwrap();
        for (name, bytes) in [("t.csv.gz", gz), ("t.csv.ZST", zst)] {
            let path = folder.path().join(name);
            let read = |bytes: &[u8]| {
                std::fs::write(&path, bytes).unwrap();
                let mut found = String::new();
                open(&path, None)?.read_to_string(&mut found).map(|_| found)
            };
            assert_eq!(read(&bytes).unwrap(), text);
            let cut = message(&read(&bytes[..bytes.len() - 9]).unwrap_err());
            assert!(cut.contains("copy the file again"), "{name}: {cut}");
        }
    }
}
