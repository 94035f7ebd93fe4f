//! Tests of `environment`.

use super::*;

struct OneVariable;

impl Environment for OneVariable {
    fn variable(&self, name: &str) -> Option<String> {
        (name == "DATA").then(|| "/data".to_owned())
    }

    fn is_file(&self, _: &Path) -> bool {
        false
    }

    fn is_folder(&self, _: &Path) -> bool {
        false
    }

    fn read(&self, _: &Path) -> io::Result<String> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn is_garbled(&self, name: &str) -> bool {
        name == "LATIN"
    }
}

#[test]
fn variables_are_replaced_wherever_they_stand() {
    assert_eq!(
        expand("${DATA}/x/${DATA}", &OneVariable),
        Ok("/data/x//data".to_owned())
    );
    assert_eq!(
        expand("no $variable {here}", &OneVariable),
        Ok("no $variable {here}".to_owned())
    );
    assert_eq!(
        expand("${MODEL}/x", &OneVariable),
        Err(ExpandError::Unset("MODEL".to_owned()))
    );
    assert_eq!(expand("${MODEL/x", &OneVariable), Err(ExpandError::Open));
    assert_eq!(
        expand("${LATIN}/x", &OneVariable),
        Err(ExpandError::Garbled("LATIN".to_owned()))
    );
}

#[test]
fn paths_are_joined_and_shortened_by_name() {
    let joined = |folder: &str, path: &str| join(Path::new(folder), path).display().to_string();
    assert_eq!(joined("experiments", "../data/x.csv"), "data/x.csv");
    assert_eq!(joined("experiments", "./x.csv"), "experiments/x.csv");
    assert_eq!(joined("experiments", "../../x.csv"), "../x.csv");
    assert_eq!(joined("experiments", "/data/../x.csv"), "/x.csv");
    assert_eq!(joined("experiments", ".."), ".");
    assert_eq!(joined("", "x.csv"), "x.csv");
}
