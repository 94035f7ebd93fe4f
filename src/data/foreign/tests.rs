//! Tests of `foreign`.

use super::*;

fn said(name: &str, bytes: &[u8], wanted: Use) -> String {
    foreign(Path::new(name), bytes, wanted).unwrap_or_else(|| "nothing".to_owned())
}

fn utf_16(text: &str, big: bool) -> Vec<u8> {
    let bytes = |unit: u16| {
        if big {
            unit.to_be_bytes()
        } else {
            unit.to_le_bytes()
        }
    };
    text.encode_utf16().flat_map(bytes).collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn files_of_other_formats_are_named_with_the_command_that_makes_rows_of_them() {
    let zip = |inside: &str| [b"PK\x03\x04\x14\0\0\0", inside.as_bytes()].concat();
    for (name, bytes, parts) in [
        (
            "x.xlsx",
            zip("[Content_Types].xml xl/workbook.xml"),
            ["an Excel file", "pandas.read_excel", " x.xlsx x.csv`"],
        ),
        (
            "x.csv",
            zip("xl/worksheets/sheet1.xml"),
            [
                "an Excel file",
                "pandas.read_excel",
                " x.csv x-converted.csv`",
            ],
        ),
        (
            "x.csv",
            b"PK\x03\x04\0\x01".to_vec(),
            ["a ZIP archive, as Excel", "pandas.read_excel", "x.csv"],
        ),
        (
            "x.docx",
            zip("word/document.xml"),
            ["a Word file", "docx.Document", "x.csv"],
        ),
        (
            "x.xls",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0".to_vec(),
            ["an old Word or Excel", "read_excel", "x.csv"],
        ),
        (
            "x.parquet",
            b"PAR1\x15\x04".to_vec(),
            ["a Parquet file", "read_parquet", " x.parquet x.csv`"],
        ),
        (
            "x.csv.gz",
            b"\x1f\x8b\x08\0".to_vec(),
            [
                "compressed with gzip",
                "`gunzip -c x.csv.gz > x.csv`",
                "`x.csv`",
            ],
        ),
        (
            "x.csv",
            b"\x1f\x8b\x08\0".to_vec(),
            [
                "gzip",
                "`gunzip -c x.csv > x-converted.csv`",
                "`x-converted.csv`",
            ],
        ),
        (
            "x.csv",
            b"%PDF-1.4\n%\xe2\xe3".to_vec(),
            ["a PDF", "pdfplumber", "x.csv"],
        ),
        (
            "x.csv",
            b"<!DOCTYPE html><html>".to_vec(),
            ["an HTML page", "login", "download"],
        ),
        (
            "x.csv",
            b"\xef\xbb\xbf\n <HTML lang='es'>".to_vec(),
            ["an HTML page", "login", "download"],
        ),
        (
            "x.csv",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\n".to_vec(),
            ["a Git LFS pointer", "`git lfs pull`", "fetches"],
        ),
        (
            "x.csv",
            b"[\n {\"text\": \"a\"}\n]".to_vec(),
            ["one JSON array", "json.load", "> x.jsonl`"],
        ),
        (
            "x.csv",
            b"{\"text\": \"a\"}\n".to_vec(),
            ["one object per line", "`mv x.csv x.jsonl`", "x"],
        ),
        (
            "x.csv",
            b"SQLite format 3\0".to_vec(),
            ["an SQLite database", "sqlite3 -header -csv", "x.csv"],
        ),
        (
            "a b'c.csv",
            b"\x1f\x8b".to_vec(),
            [
                "gzip",
                r"`gunzip -c 'a b'\''c.csv' > 'a b'\''c-converted.csv'`",
                "'",
            ],
        ),
        (
            "-x.csv",
            b"\x1f\x8b".to_vec(),
            ["gzip", "`gunzip -c './-x.csv' > './-x-converted.csv'`", "x"],
        ),
    ] {
        let said = said(name, &bytes, Use::Table);
        assert!(
            parts.iter().all(|part| said.contains(part)),
            "{name}: {said}"
        );
    }
    for (name, bytes, parts) in [
        (
            "x.jsonl",
            &b"[\n {\n  \"text\": \"a\"\n }\n]\n"[..],
            ["one JSON array", "> x-converted.jsonl`"],
        ),
        (
            "x.jsonl",
            b"[{\"text\": \"a\"}, {\"text\": \"b\"}]",
            ["one JSON array", "json.load"],
        ),
        (
            "x.jsonl",
            b"{\n \"text\": \"a\"\n}\n",
            ["over several lines", "`jq -c . x.jsonl >"],
        ),
        (
            "x.jsonl",
            b"text,label\na,1\n",
            ["between commas", "`mv x.jsonl x.csv`"],
        ),
    ] {
        let said = said(name, bytes, Use::Lines);
        assert!(
            parts.iter().all(|part| said.contains(part)),
            "{name}: {said}"
        );
    }
}

#[test]
fn files_of_other_formats_are_named_with_the_command_that_makes_text_of_them() {
    for (name, bytes, parts) in [
        (
            "m.pdf",
            &b"%PDF-1.7\n"[..],
            ["a PDF", "`pdftotext -enc UTF-8 m.pdf m.txt`"],
        ),
        (
            "m.txt",
            b"%PDF-1.7\n",
            ["a PDF", "`pdftotext -enc UTF-8 m.txt m-converted.txt`"],
        ),
        (
            "m.docx",
            b"PK\x03\x04",
            [
                "a Word file",
                "`pandoc -f docx -t plain --wrap=none m.docx -o m.txt`",
            ],
        ),
        (
            "m.html",
            b"<!doctype html>",
            [
                "an HTML page",
                "`pandoc -f html -t plain --wrap=none m.html -o m.txt`",
            ],
        ),
        ("m.xlsx", b"PK\x03\x04", ["an Excel file", "read_excel"]),
        (
            "m.txt.gz",
            b"\x1f\x8b",
            ["gzip", "`gunzip -c m.txt.gz > m.txt`"],
        ),
        ("m.rtf", b"{\\rtf1\\ansi", ["RTF", "`pandoc -f rtf"]),
        (
            "m.txt",
            b"\0\x01\x02\x03\x04\x05garbage",
            ["binary", "UTF-8"],
        ),
    ] {
        let said = said(name, bytes, Use::Text);
        assert!(
            parts.iter().all(|part| said.contains(part)),
            "{name}: {said}"
        );
    }
}

#[test]
fn utf_16_is_told_with_and_without_its_mark() {
    let chinese = "费用是六十欧元。\n要获得地块。\n".repeat(20);
    for text in ["text,label\nuno,1\n", "señor ¿qué?\n", &chinese] {
        for (big, name) in [(false, "UTF-16LE"), (true, "UTF-16BE")] {
            let said = said("x.txt", &utf_16(text, big), Use::Text);
            assert!(
                said.contains(&format!("as UTF-16: `iconv -f {name} -t UTF-8 x.txt")),
                "{said}"
            );
            let marked = utf_16(&format!("\u{feff}{text}"), big);
            let said = foreign(Path::new("x.csv"), &marked, Use::Table).unwrap();
            assert!(
                said.contains("`iconv -f UTF-16 -t UTF-8 x.csv > x-converted.csv`"),
                "{said}"
            );
        }
    }
}

#[test]
fn what_may_be_what_it_should_be_is_left_alone() {
    for text in [
        "",
        "a",
        "text,label\na,1\n",
        "BZh,label\n",
        "GIF8 a,b\n",
        "RIFF,b\n",
        "<b>bold</b>,1\n",
        "{a},b\n",
        "[text],label\n",
        "# Title\n<div align=center>",
        "caf\u{e9} 水 \u{1f600}",
        "a\0b and more text than that",
        "N\x08NA\x08AM\x08ME\x08E\n",
    ] {
        assert_eq!(
            said("x.csv", text.as_bytes(), Use::Table),
            "nothing",
            "{text:?}"
        );
        assert_eq!(
            said("x.txt", text.as_bytes(), Use::Text),
            "nothing",
            "{text:?}"
        );
    }
    for lines in [
        "{\"text\": 1}\n{",
        "[\"a\", 1]\n",
        "\"a\"\n",
        "5\n",
        "broken",
    ] {
        assert_eq!(
            said("x.jsonl", lines.as_bytes(), Use::Lines),
            "nothing",
            "{lines:?}"
        );
    }
    assert_eq!(said("x.csv", b"caf\xe9,label\n", Use::Table), "nothing");
}

#[test]
fn other_encodings_are_guessed() {
    let hint = |bytes: &[u8]| misread(Path::new("x.csv"), bytes);
    assert!(
        hint(b"un caf\xe9 con le\xf1a")
            .contains("Windows-1252: `iconv -f CP1252 -t UTF-8 x.csv > x-converted.csv`")
    );
    // Chinese in GB18030, Russian in Windows-1251.
    assert!(hint(b"\xb7\xd1\xd3\xc3\xca\xc7\xb6\xe0\xc9\xd9,1").contains("GB18030"));
    assert!(hint(b"\xd1\xea\xee\xeb\xfc\xea\xee,1").contains("another encoding"));
    let damaged = ["señor, ¿qué? ".as_bytes(), b"\xf1", "Añó".as_bytes()].concat();
    assert!(
        hint(&damaged).contains("`iconv -c -f UTF-8"),
        "{}",
        hint(&damaged)
    );
}
