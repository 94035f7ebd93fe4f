//! How long an answer may be, where the question says so.

use std::sync::LazyLock;

use regex::Regex;

use super::super::fold::fold;
use super::super::scripts::is_unbounded;
use super::words;

/// How long an answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit {
    /// At most so many.
    pub(super) count: usize,
    unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Words,
    /// Korean 글자 and 자: whatever is no white space.
    Letters,
}

/// Nouns after a number, folded. Those of Chinese and Japanese count what
/// [`words`] counts: each letter, and each word of a script with spaces.
const WORDS: &str = "palabras?|words?|palavras?|mots?|parol[ae]|worte?r?n?|woord(?:en)?|слов(?:ами|а)?|个?字|個?字|文字|語|词|詞|단어";
const LETTERS: &str = "글자|자";

/// Before the number or after the noun: fewer than that.
const BELOW: &str = "menos de|menos que|inferior a|fewer than|less than|under|below|moins de|meno di|weniger als|unter|minder dan|менее(?: чем)?|меньше(?: чем)?|少于|少於|不到|不足|低于";
const BELOW_AFTER: &str = "未満|미만";
/// Before the number: more than that, or about that, which limits nothing.
const OPEN: &str = "al menos|por lo menos|como minimo|minimo(?: de)?|mas de|at least|more than|over|minimum(?: of)?|about|around|approximately|some|unas|unos|cerca de|alrededor de|aproximadamente|pelo menos|no minimo|mais de|au moins|plus de|environ|almeno|piu di|circa|mindestens|mehr als|etwa|ungefahr|rund|ten minste|minstens|meer dan|ongeveer|более(?: чем)?|больше(?: чем)?|около|至少|超过|約|约|大约|最低|약|최소";
/// Before either: turns them round, with a verb or two between them.
const NOT: &str = "no|not|don't|don’t|nao|non|nicht|niet|не|pas|不|不要|别";
/// Before the number: no more than that.
const AT_MOST: &str = "como maximo|un maximo de|maximo(?: de)?|a lo sumo|hasta|at most|up to|maximum(?: of)?|max\\.?|within|no maximo|ate|au plus|au maximum|maximum de|maximum|jusqu'a|al massimo|massimo|entro|fino a|hochstens|maximal|bis zu|hoogstens|maximaal|tot|до|максимум|最多|至多|控制在|최대|(?:no|nao) (?:exceda|supere|sobrepase|pase|ultrapasse)s?(?: de)?(?: las)?|sin (?:exceder|superar|pasar de)(?: las)?|(?:not|don't|don’t|without) exceed(?:ing)?|(?:ne depasse|ne depassant) pas|sans depasser|(?:non|senza) superare(?: le)?|не превышая";
/// Before the number: as many as that, which is how a limit is said for short.
const PLAIN: &str = "en|in|em|con|com|with|using|mit|avec|met|с|в|用";

struct Expressions {
    counted: Regex,
    below: Regex,
    below_after: Regex,
    not_below: Regex,
    open: Regex,
    not_open: Regex,
    at_most: Regex,
    plain: Regex,
    at_most_after: Regex,
}

static EXPRESSIONS: LazyLock<Expressions> = LazyLock::new(|| {
    let sound = |expression: String| Regex::new(&expression).expect("a sound expression");
    let at_end = |words: &str| sound(format!(r"(?:^|\P{{L}}|\p{{Han}})(?:{words})$"));
    Expressions {
        counted: sound(format!(
            r"(\d{{1,6}})\s*(?:(?P<words>(?:{WORDS}))|(?P<letters>(?:{LETTERS})))(?P<after>.{{0,30}})"
        )),
        below: at_end(BELOW),
        below_after: sound(format!(r"^\s*(?:{BELOW_AFTER})")),
        not_below: at_end(&format!(r"(?:{NOT})(?:\s+\w+){{0,2}}\s*(?:{BELOW})")),
        open: at_end(OPEN),
        not_open: at_end(&format!(r"(?:{NOT})(?:\s+\w+){{0,2}}\s*(?:{OPEN})")),
        at_most: at_end(AT_MOST),
        plain: at_end(PLAIN),
        at_most_after: sound(
            r"^\s*(?:o menos|como maximo|maximo|max\b|or less|or fewer|at most|maximum|ou moins|ou menos|no maximo|o meno|al massimo|oder weniger|hochstens|of minder|или меньше|以内|以內|之内|以下|이내|이하|내로|까지)"
                .to_owned(),
        ),
    }
});

impl Limit {
    /// The first limit that a question sets.
    pub(super) fn of(question: &str) -> Option<Self> {
        let folded = fold(question);
        let marks = &*EXPRESSIONS;
        marks.counted.captures_iter(&folded).find_map(|found| {
            let whole = found.get(0)?;
            let count: usize = found[1].parse().ok()?;
            let after = &found["after"];
            // The noun may be the beginning of another word.
            let letters = found.name("letters").is_some();
            if after.starts_with(|letter: char| letter.is_alphabetic() && !is_unbounded(letter)) {
                return None;
            }
            let before = folded[..whole.start()].trim_end();
            let below = marks.below.is_match(before) || marks.below_after.is_match(after);
            let not_open = marks.not_open.is_match(before);
            let open = marks.not_below.is_match(before) || marks.open.is_match(before) && !not_open;
            let within = marks.at_most.is_match(before)
                || marks.at_most_after.is_match(after)
                || not_open
                || marks.plain.is_match(before);
            let count = match (open, below, within) {
                (false, true, _) => count.checked_sub(1)?,
                (false, false, true) => count,
                _ => return None,
            };
            let unit = if letters { Unit::Letters } else { Unit::Words };
            Some(Self { count, unit })
        })
    }

    /// How much of it a text takes.
    pub(super) fn taken(self, text: &str) -> usize {
        match self.unit {
            Unit::Words => words(text).len(),
            Unit::Letters => text
                .chars()
                .filter(|letter| !letter.is_whitespace())
                .count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_from_questions_of_many_languages() {
        for (question, count) in [
            (
                "¿Que es un interprete? Responde en menos de 50 palabras",
                49,
            ),
            ("Responde en 50 palabras o menos.", 50),
            ("Responde en un máximo de 30 palabras", 30),
            ("No uses más de 40 palabras.", 40),
            ("Que la respuesta no supere las 40 palabras", 40),
            ("Don't exceed 40 words.", 40),
            ("Don't use more than 40 words.", 40),
            ("Explícalo con 20 palabras como máximo", 20),
            ("What is a shell? Answer in fewer than 50 words.", 49),
            ("Answer in less than 1 word", 0),
            ("In 25 words or less, what is cd?", 25),
            ("Use at most 12 words", 12),
            ("no more than 40 words please", 40),
            ("Answer in under 100 words", 99),
            ("Answer in 50 words", 50),
            ("Responda em menos de 50 palavras", 49),
            ("Responda em até 60 palavras", 60),
            ("Réponds en moins de 50 mots", 49),
            ("Réponds en 50 mots maximum", 50),
            ("pas plus de 35 mots", 35),
            ("Rispondi in meno di 50 parole", 49),
            ("Rispondi con al massimo 45 parole", 45),
            ("Antworte in weniger als 50 Wörtern", 49),
            ("Antworte mit höchstens 50 Wörtern", 50),
            ("Antworte in maximal 50 Worten", 50),
            ("nicht mehr als 15 Wörter", 15),
            ("Antwoord in minder dan 50 woorden", 49),
            ("Ответь менее чем 50 словами", 49),
            ("Ответь не более 30 слов", 30),
            ("用不超过50个字回答", 50),
            ("请在50字以内回答", 50),
            ("回答少于50字", 49),
            ("50字以内で答えてください", 50),
            ("50文字未満で答えて", 49),
            ("50자 이내로 답하세요", 50),
            ("50단어 미만으로 답하세요", 49),
        ] {
            let limit = Limit::of(question);
            assert_eq!(limit.map(|limit| limit.count), Some(count), "{question}");
        }
    }

    #[test]
    fn what_is_no_limit_is_none() {
        for question in [
            "",
            "¿Qué hace cd?",
            "Responde con al menos 50 palabras",
            "Usa más de 50 palabras",
            "Usa no menos de 50 palabras",
            "Use no fewer than 50 words",
            "Write at least 50 words",
            "Write about 50 words",
            "Mindestens 50 Wörter",
            "Au moins 50 mots",
            "не менее 50 слов",
            "至少50字",
            "Why are 50 words enough?",
            "in fewer than fifty",
            "in fewer than 50 wordsmiths",
            "99999999999999999999 words",
        ] {
            assert_eq!(Limit::of(question), None, "{question}");
        }
    }

    #[test]
    fn korean_letters_are_counted_without_spaces() {
        let limit = Limit::of("10자 이내").unwrap();
        assert_eq!(limit.taken("가나 다라\n마바"), 6);
        let limit = Limit::of("10단어 이내").unwrap();
        assert_eq!(limit.taken("가나 다라\n마바"), 3);
    }
}
