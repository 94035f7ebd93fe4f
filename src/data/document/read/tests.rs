//! Tests of `read`.

use super::*;

#[test]
fn a_byte_order_mark_and_line_ends_are_no_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.txt");
    fs::write(&path, "\u{feff}uno\r\ndos\rtres\u{c}\n").unwrap();
    assert_eq!(read(&path).unwrap()[0].text, "uno\ndos\ntres\u{c}\n");
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
    let texts: Vec<String> = read(folder.path())
        .unwrap()
        .into_iter()
        .map(|source| source.text)
        .collect();
    assert_eq!(texts, ["a.MD", "b/d.rst", "c.txt"]);
}

#[test]
fn what_is_no_text_is_named_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.txt");
    fs::write(&path, b"uno\ndos \xf1\n").unwrap();
    let said = read(&path).unwrap_err().to_string();
    assert!(
        said.ends_with("x.txt: line 2: byte 8 of the file is not UTF-8: save the file as UTF-8"),
        "{said}"
    );
    fs::write(&path, b"\xff\xfea\0").unwrap();
    assert!(read(&path).unwrap_err().to_string().contains("UTF-16"));
    fs::remove_file(&path).unwrap();
    assert!(
        read(&path)
            .unwrap_err()
            .to_string()
            .contains("cannot be read")
    );
    let said = read(folder.path()).unwrap_err().to_string();
    assert!(
        said.contains("no text file") && said.contains("`.md`"),
        "{said}"
    );
}
