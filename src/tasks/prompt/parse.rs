//! Reads the labels of a chunk from an answer.

use regex::Regex;

/// What an answer must have: the words of classes with a separator between them, more than one where
/// there is more than one text. The first such list counts, and must have a word for each text.
#[derive(Debug)]
pub(super) struct Form {
    list: Regex,
    word: Regex,
    words: Vec<String>,
    count: usize,
}

impl Form {
    /// The form of answers for so many texts.
    pub(super) fn new(
        words: &[String],
        separator: &str,
        count: usize,
    ) -> Result<Self, regex::Error> {
        let mut longest: Vec<&String> = words.iter().collect();
        longest.sort_by_key(|word| std::cmp::Reverse(word.len()));
        let each: Vec<String> = longest
            .into_iter()
            .map(|word| regex::escape(word))
            .collect();
        let word = format!("(?:{})", each.join("|"));
        let further = format!("(?:{}{word})", regex::escape(separator));
        let list = match count {
            0 | 1 => word.clone(),
            _ => format!("{word}{further}+"),
        };
        Ok(Self {
            list: Regex::new(&list)?,
            word: Regex::new(&word)?,
            words: words.to_vec(),
            count,
        })
    }

    /// The class of each text; none if the answer does not have the form.
    pub(super) fn read(&self, answer: &str) -> Option<Vec<usize>> {
        let list = self.list.find(answer)?;
        let found = self.word.find_iter(list.as_str());
        let class = |word: &str| self.words.iter().position(|known| known == word);
        let classes: Vec<usize> = found
            .map(|word| class(word.as_str()))
            .collect::<Option<_>>()?;
        (classes.len() == self.count).then_some(classes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str], separator: &str, count: usize, answer: &str) -> Option<Vec<usize>> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Form::new(&words, separator, count).unwrap().read(answer)
    }

    #[test]
    fn the_first_list_of_the_studys_pattern_is_the_answer() {
        for (count, answer, classes) in [
            (3, "0,1,1", Some(vec![0, 1, 1])),
            (
                3,
                "Sure! The labels are: 1,0,1.\n0,0,0",
                Some(vec![1, 0, 1]),
            ),
            // The pattern does not look beyond a digit's borders, as the study's.
            (2, "10,1", Some(vec![0, 1])),
            // A list of another length is no answer to these texts.
            (3, "0,1", None),
            (3, "0,1,1,0", None),
            (2, "0,1,1 and 0,1", None),
            (3, "0, 1, 1", None),
            (3, "2,3,2", None),
            (3, "", None),
            (1, "The label is 1", Some(vec![1])),
            (2, "1", None),
        ] {
            assert_eq!(read(&["0", "1"], ",", count, answer), classes, "{answer}");
        }
    }

    #[test]
    fn any_words_and_separators_will_do() {
        let words = ["good", "not good", "a.b"];
        assert_eq!(
            read(&words, "; ", 3, "So: not good; good; a.b"),
            Some(vec![1, 0, 2])
        );
        assert_eq!(read(&words, "; ", 2, "axb; good"), None);
    }
}
