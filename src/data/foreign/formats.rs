//! The formats that are told apart, by their first bytes.

use std::path::Path;

use super::encoding::{ahead, is_binary, marked, unmarked};
use super::{Use, Way};

/// A way for rows, and one for text.
type Ways = (Way, Way);

/// Formats that begin with bytes of their own.
const MAGIC: [(&[u8], Format); 31] = [
    (b"%PDF-", Format::Pdf),
    (b"%!PS", Format::PostScript),
    (b"{\\rtf", Format::RichText),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Format::OldOffice),
    (b"PK\x03\x04", Format::Zip),
    (b"PK\x05\x06", Format::Zip),
    (b"\x1f\x8b", Format::Gzip),
    (b"BZh", Format::Bzip2),
    (b"\xfd7zXZ\0", Format::Xz),
    (b"\x28\xb5\x2f\xfd", Format::Zstandard),
    (b"7z\xbc\xaf\x27\x1c", Format::SevenZip),
    (b"Rar!\x1a\x07", Format::Rar),
    (b"PAR1", Format::Parquet),
    (b"ARROW1", Format::Arrow),
    (b"FEA1", Format::Arrow),
    (b"Obj\x01", Format::Avro),
    (b"SQLite format 3\0", Format::Sqlite),
    (b"\x89HDF\r\n\x1a\n", Format::Hdf),
    (b"\x93NUMPY", Format::Numpy),
    (b"\x80\x02", Format::Pickle),
    (b"\x80\x03", Format::Pickle),
    (b"\x80\x04", Format::Pickle),
    (b"\x80\x05", Format::Pickle),
    (b"\x89PNG\r\n\x1a\n", Format::Picture),
    (b"\xff\xd8\xff", Format::Picture),
    (b"GIF8", Format::Picture),
    (b"II*\0", Format::Picture),
    (b"MM\0*", Format::Picture),
    (b"version https://git-lfs", Format::LargeFilePointer),
    (b"\x7fELF", Format::Binary),
    (b"RIFF", Format::Sound),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Pdf,
    PostScript,
    RichText,
    OldOffice,
    Excel,
    Word,
    OpenSheet,
    OpenText,
    Epub,
    Zip,
    Gzip,
    Bzip2,
    Xz,
    Zstandard,
    SevenZip,
    Rar,
    Tar,
    Parquet,
    Arrow,
    Avro,
    Sqlite,
    Hdf,
    Numpy,
    Pickle,
    Picture,
    Sound,
    LargeFilePointer,
    Html,
    Xml,
    JsonArray,
    JsonLines,
    JsonObject,
    Separated,
    Tabs,
    Wide(&'static str),
    Binary,
}

/// What a file is called, and how to come by what is read; none if it may be what it should be.
pub(super) fn of(path: &Path, bytes: &[u8], wanted: Use) -> Option<(String, Way)> {
    let format = told(path, bytes, wanted)?;
    let (rows, text) = format.ways();
    let way = match wanted {
        Use::Text => text,
        Use::Table | Use::Lines => rows,
    };
    let name = match format {
        Format::Wide(encoding) => format!("encoded as {}", &encoding[..6]),
        other => other.name().to_owned(),
    };
    Some((name, way))
}

fn told(path: &Path, bytes: &[u8], wanted: Use) -> Option<Format> {
    if let Some(name) = marked(bytes) {
        return Some(Format::Wide(name));
    }
    let bare = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Some((_, format)) = MAGIC.iter().find(|(magic, _)| bare.starts_with(magic)) {
        // A column or a word may begin with the same letters.
        let is_text = matches!(format, Format::Bzip2 | Format::Picture | Format::Sound)
            && std::str::from_utf8(&bare[..bare.len().min(16)]).is_ok()
            && !is_binary(bare);
        if !is_text {
            return Some(if *format == Format::Zip {
                inside(path, bytes)
            } else {
                *format
            });
        }
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return Some(Format::Tar);
    }
    if let Some(name) = unmarked(bytes) {
        return Some(Format::Wide(name));
    }
    let start = ahead(bytes);
    let is_html = start.starts_with("<!doctype html")
        || start.starts_with("<html")
        || (start.starts_with("<?xml") || start.starts_with("<!--")) && start.contains("<html");
    if is_html {
        return Some(Format::Html);
    }
    if is_binary(bytes) {
        return Some(Format::Binary);
    }
    match wanted {
        Use::Text => None,
        Use::Table => no_table(bytes, &start),
        Use::Lines => no_lines(bytes),
    }
}

/// What is in an archive, by the names and types that stand in it, else by its own name.
fn inside(path: &Path, bytes: &[u8]) -> Format {
    const OFFICE: [(&[u8], &str, Format); 5] = [
        (b"xl/work", "xlsx", Format::Excel),
        (b"word/document", "docx", Format::Word),
        (b"opendocument.spreadsheet", "ods", Format::OpenSheet),
        (b"opendocument.text", "odt", Format::OpenText),
        (b"application/epub+zip", "epub", Format::Epub),
    ];
    let has = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    let ending = path.extension().and_then(|ending| ending.to_str());
    let ending = ending.unwrap_or_default().to_lowercase();
    let by_content = OFFICE.iter().find(|(part, ..)| has(part));
    by_content
        .or_else(|| OFFICE.iter().find(|(_, known, _)| *known == ending))
        .map_or(Format::Zip, |(.., format)| *format)
}

/// Other text than a table of values between commas. What has values between other marks is told
/// where the header is read.
fn no_table(bytes: &[u8], start: &str) -> Option<Format> {
    if start.starts_with("<?xml") {
        return Some(Format::Xml);
    }
    match json(bytes)? {
        Format::JsonObject if !start.starts_with("{\"") && !start.starts_with("{\n") => None,
        format => Some(format),
    }
}

/// Other text than one JSON object a line.
fn no_lines(bytes: &[u8]) -> Option<Format> {
    match json(bytes) {
        Some(Format::JsonLines) => None,
        Some(format) => Some(format),
        None => {
            let line = bytes
                .trim_ascii_start()
                .split(|byte| *byte == b'\n')
                .next()?;
            let line = String::from_utf8_lossy(line);
            let is_header = !line.contains(['{', '}', '[', ']'])
                && serde_json::from_str::<serde_json::Value>(&line).is_err();
            if is_header && line.contains('\t') {
                Some(Format::Tabs)
            } else if is_header && line.contains([',', ';']) {
                Some(Format::Separated)
            } else {
                None
            }
        }
    }
}

/// Which sort of JSON a file begins with.
fn json(bytes: &[u8]) -> Option<Format> {
    let start = bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(bytes)
        .trim_ascii_start();
    let first = *start.first()?;
    if !matches!(first, b'[' | b'{') {
        return None;
    }
    let line = start
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    match serde_json::from_slice::<serde_json::Value>(line) {
        Ok(serde_json::Value::Object(_)) => Some(Format::JsonLines),
        Ok(serde_json::Value::Array(rows)) => {
            let of_objects = rows.first().is_some_and(serde_json::Value::is_object);
            of_objects.then_some(Format::JsonArray)
        }
        Err(error) if error.is_eof() && first == b'[' => Some(Format::JsonArray),
        Err(error) if error.is_eof() => {
            let rest = start[line.len()..].trim_ascii();
            (!rest.is_empty()).then_some(Format::JsonObject)
        }
        _ => None,
    }
}

const EXCEL: &str = "python3 -c \"import sys, pandas; pandas.read_excel(sys.argv[1]).to_csv(sys.argv[2], index=False)\" {in} {out}";
const PARQUET: &str = "python3 -c \"import sys, pandas; pandas.read_parquet(sys.argv[1]).to_csv(sys.argv[2], index=False)\" {in} {out}";
const FEATHER: &str = "python3 -c \"import sys, pandas; pandas.read_feather(sys.argv[1]).to_csv(sys.argv[2], index=False)\" {in} {out}";
const OPEN_SHEET: &str = "python3 -c \"import sys, pandas; pandas.read_excel(sys.argv[1], engine='odf').to_csv(sys.argv[2], index=False)\" {in} {out}";
const XML: &str = "python3 -c \"import sys, pandas; pandas.read_xml(sys.argv[1]).to_csv(sys.argv[2], index=False)\" {in} {out}";
const WORD_TABLE: &str = "python3 -c \"import sys, csv, docx; csv.writer(open(sys.argv[2], 'w', newline='', encoding='utf-8')).writerows([cell.text for cell in row.cells] for row in docx.Document(sys.argv[1]).tables[0].rows)\" {in} {out}";
const PDF_TABLE: &str = "python3 -c \"import sys, csv, pdfplumber; csv.writer(open(sys.argv[2], 'w', newline='', encoding='utf-8')).writerows(row for page in pdfplumber.open(sys.argv[1]).pages for table in page.extract_tables() for row in table)\" {in} {out}";
const JSON_ARRAY: &str = "python3 -c \"import sys, json; [print(json.dumps(row)) for row in json.load(sys.stdin)]\" < {in} > {out}";
const NO_TABLE: &str = "save the table that it shows as CSV, in UTF-8";

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Pdf => "a PDF",
            Self::PostScript => "PostScript",
            Self::RichText => "rich text (RTF)",
            Self::OldOffice => "an old Word or Excel file (.doc, .xls)",
            Self::Excel => "an Excel file (.xlsx)",
            Self::Word => "a Word file (.docx)",
            Self::OpenSheet => "an OpenDocument spreadsheet (.ods)",
            Self::OpenText => "an OpenDocument text (.odt)",
            Self::Epub => "an EPUB book",
            Self::Zip => "a ZIP archive, as Excel and Word files are",
            Self::Gzip => "compressed with gzip",
            Self::Bzip2 => "compressed with bzip2",
            Self::Xz => "compressed with xz",
            Self::Zstandard => "compressed with zstd",
            Self::SevenZip => "a 7-Zip archive",
            Self::Rar => "a RAR archive",
            Self::Tar => "a tar archive",
            Self::Parquet => "a Parquet file",
            Self::Arrow => "an Arrow (Feather) file",
            Self::Avro => "an Avro file",
            Self::Sqlite => "an SQLite database",
            Self::Hdf => "an HDF5 file",
            Self::Numpy => "a NumPy array",
            Self::Pickle => "a Python pickle",
            Self::Picture => "a picture",
            Self::Sound => "a sound or video file",
            Self::LargeFilePointer => "a Git LFS pointer, which stands for the real one",
            Self::Html => "an HTML page",
            Self::Xml => "XML",
            Self::JsonArray => "one JSON array, not one object per line",
            Self::JsonLines => "JSON, one object per line",
            Self::JsonObject => "JSON whose objects go over several lines",
            Self::Separated => "a table of values between commas or semicolons",
            Self::Tabs => "a table of values between tabs",
            Self::Wide(_) => "not encoded as UTF-8",
            Self::Binary => "binary, not text",
        }
    }

    #[expect(clippy::too_many_lines, reason = "a table")]
    fn ways(self) -> Ways {
        use Way::{Advice, Command, Ending};
        let unpack = |command| (Command(command), Command(command));
        match self {
            Self::Pdf => (
                Ending(PDF_TABLE, "csv"),
                Command("pdftotext -enc UTF-8 {in} {out}"),
            ),
            Self::PostScript => (Advice(NO_TABLE), Command("ps2ascii {in} {out}")),
            Self::RichText => (
                Advice(NO_TABLE),
                Command("pandoc -f rtf -t plain --wrap=none {in} -o {out}"),
            ),
            Self::OldOffice => (
                Ending(EXCEL, "csv"),
                Advice(
                    "`libreoffice --headless --convert-to txt:Text` with its name makes a text of it",
                ),
            ),
            Self::Excel => (Ending(EXCEL, "csv"), Command(EXCEL)),
            Self::OpenSheet => (Ending(OPEN_SHEET, "csv"), Command(OPEN_SHEET)),
            Self::Word => (
                Ending(WORD_TABLE, "csv"),
                Command("pandoc -f docx -t plain --wrap=none {in} -o {out}"),
            ),
            Self::OpenText => (
                Advice(NO_TABLE),
                Command("pandoc -f odt -t plain --wrap=none {in} -o {out}"),
            ),
            Self::Epub => (
                Advice(NO_TABLE),
                Command("pandoc -f epub -t plain --wrap=none {in} -o {out}"),
            ),
            Self::Zip => (
                Ending(EXCEL, "csv"),
                Command("pandoc -f docx -t plain --wrap=none {in} -o {out}"),
            ),
            Self::Gzip => unpack("gunzip -c {in} > {out}"),
            Self::Bzip2 => unpack("bunzip2 -c {in} > {out}"),
            Self::Xz => unpack("xz -dc {in} > {out}"),
            Self::Zstandard => unpack("zstd -dc {in} > {out}"),
            Self::SevenZip => (
                Advice("`7z x` with its name unpacks it"),
                Advice("`7z x` with its name unpacks it"),
            ),
            Self::Rar => (
                Advice("`unrar x` with its name unpacks it"),
                Advice("`unrar x` with its name unpacks it"),
            ),
            Self::Tar => (
                Advice("`tar -xf` with its name unpacks it"),
                Advice("`tar -xf` with its name unpacks it"),
            ),
            Self::Parquet => (Ending(PARQUET, "csv"), Command(PARQUET)),
            Self::Arrow => (Ending(FEATHER, "csv"), Command(FEATHER)),
            Self::Sqlite => (
                Ending(
                    "sqlite3 -header -csv {in} 'SELECT * FROM name_of_the_table' > {out}",
                    "csv",
                ),
                Command("sqlite3 {in} 'SELECT * FROM name_of_the_table' > {out}"),
            ),
            Self::Avro | Self::Hdf | Self::Numpy | Self::Pickle => (
                Advice("write its table as CSV with the program that made it"),
                Advice("write its text with the program that made it"),
            ),
            Self::Picture => (
                Advice(NO_TABLE),
                Advice(
                    "`tesseract` with its name and that of the text to make reads what it shows",
                ),
            ),
            Self::Sound => (Advice(NO_TABLE), Advice("write down what it says")),
            Self::LargeFilePointer => (
                Advice("`git lfs pull` in its folder fetches that"),
                Advice("`git lfs pull` in its folder fetches that"),
            ),
            Self::Html => (
                Advice(
                    "perhaps it is the page of a login or an error: download the file itself, or take the table out of the page with `pandas.read_html` in Python",
                ),
                Command("pandoc -f html -t plain --wrap=none {in} -o {out}"),
            ),
            Self::Xml => (Ending(XML, "csv"), Advice(NO_TABLE)),
            Self::JsonArray => (Ending(JSON_ARRAY, "jsonl"), Advice(NO_TABLE)),
            Self::JsonLines => (Ending("mv {in} {out}", "jsonl"), Advice(NO_TABLE)),
            Self::JsonObject => (Ending("jq -c . {in} > {out}", "jsonl"), Advice(NO_TABLE)),
            Self::Separated => (Ending("mv {in} {out}", "csv"), Advice(NO_TABLE)),
            Self::Tabs => (
                Ending("(printf 'sep=\\t\\n'; cat {in}) > {out}", "csv"),
                Advice(NO_TABLE),
            ),
            Self::Wide(encoding) => {
                let command = match encoding {
                    "UTF-16LE" => "iconv -f UTF-16LE -t UTF-8 {in} > {out}",
                    "UTF-16BE" => "iconv -f UTF-16BE -t UTF-8 {in} > {out}",
                    "UTF-32" => "iconv -f UTF-32 -t UTF-8 {in} > {out}",
                    _ => "iconv -f UTF-16 -t UTF-8 {in} > {out}",
                };
                (Command(command), Command(command))
            }
            Self::Binary => (
                Advice("give a `.csv` or `.jsonl` file"),
                Advice("give a text file in UTF-8"),
            ),
        }
    }
}
