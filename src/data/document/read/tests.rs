//! Tests of `read`.

use super::*;

/// The texts of a file or folder of which all can be read.
fn texts(path: &Path) -> Vec<String> {
    let sources = read(path).unwrap().into_iter();
    sources.map(|source| source.unwrap().text).collect()
}

/// What is wrong with the only file.
fn fault(path: &Path) -> String {
    read(path).unwrap().remove(0).unwrap_err().to_string()
}

#[test]
fn a_byte_order_mark_and_line_ends_are_no_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.txt");
    fs::write(&path, "\u{feff}uno\r\ndos\rtres\u{c}\n").unwrap();
    assert_eq!(texts(&path), ["uno\ndos\ntres\u{c}\n"]);
}

#[test]
fn a_folder_is_its_text_files_by_name() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("b/.hidden")).unwrap();
    for name in [
        "c.txt",
        "a.MD",
        "b/d.rst",
        "b/.hidden/e.txt",
        "f.pdf",
        ".g.txt",
    ] {
        fs::write(folder.path().join(name), name).unwrap();
    }
    assert_eq!(texts(folder.path()), ["a.MD", "b/d.rst", "c.txt"]);
}

#[test]
fn what_is_no_text_is_named_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.txt");
    fs::write(&path, b"uno\ndos \xf1\n").unwrap();
    let said = fault(&path);
    assert!(
        said.contains("x.txt: line 2: byte 8 of the file is not UTF-8; it looks like Windows-1252: `iconv -f CP1252"),
        "{said}"
    );
    fs::write(&path, b"\xff\xfea\0").unwrap();
    assert!(fault(&path).contains("UTF-16"));
    fs::remove_file(&path).unwrap();
    assert!(fault(&path).contains("cannot be read"));
    let said = read(folder.path()).unwrap_err().to_string();
    assert!(
        said.contains("no text file") && said.contains("`.md`"),
        "{said}"
    );
}
