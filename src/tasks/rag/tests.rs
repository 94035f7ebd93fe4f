//! Whole runs with an embedder that is made up: vectors of letter counts.

mod decoded;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use engine::retrieval::Vectors;
use engine::training::Control;

use super::embed::Embed;
use super::keys::fragments_key;
use super::*;
use crate::config::{
    ChunkStrategy, Chunks, Cleaning, Document, DocumentOrigin, Generation, Head, Lexical,
    LexicalEmbedder, Metric, Model, Origin, Overflow, Precision, Prefixes, Question, Retrieval,
    Settings, SimpleGeneration, SimpleGenerator, Unicode, WithModel,
};
use crate::record::{AnswerRow, RetrievalRow, embeddings_file, read_rows};
use crate::retrieval::Side;
use crate::runner::{Event, StopFlag};

/// Counts of letters, of the first `limit` words.
struct Letters {
    limit: usize,
    unit: bool,
    embedded: Rc<Cell<usize>>,
}

impl Embed for Letters {
    fn max_seq_length(&self) -> usize {
        self.limit
    }

    fn notes(&self, _: Side) -> Vec<String> {
        Vec::new()
    }

    fn token_counts(&self, _: Side, texts: &[&str]) -> Result<Vec<usize>, ExecuteError> {
        Ok(texts
            .iter()
            .map(|text| text.split_whitespace().count())
            .collect())
    }

    fn embed(
        &self,
        _: Side,
        texts: &[&str],
        advance: &mut dyn FnMut(usize) -> Control,
    ) -> Result<Option<Vectors>, ExecuteError> {
        let mut values = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let read: Vec<&str> = text.split_whitespace().take(self.limit).collect();
            let mut counts = [0.0_f32; 26];
            for letter in read
                .concat()
                .to_lowercase()
                .bytes()
                .filter(u8::is_ascii_lowercase)
            {
                counts[usize::from(letter - b'a')] += 1.0;
            }
            let length = counts.iter().map(|count| count * count).sum::<f32>().sqrt();
            values.extend(counts.map(|count| if self.unit { count / length } else { count }));
            self.embedded.set(self.embedded.get() + 1);
            if advance(index + 1) == Control::Stop {
                return Ok(None);
            }
        }
        Ok(Some(Vectors { width: 26, values }))
    }
}

const TEXT: &str = "La orden umask fija la máscara. La orden cd cambia de carpeta. El bucle for recorre listas. La orden grep busca patrones.";

struct Folder {
    root: tempfile::TempDir,
    embedded: Rc<Cell<usize>>,
}

impl Folder {
    fn new(text: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("manual.txt"), text).unwrap();
        Self {
            root,
            embedded: Rc::default(),
        }
    }

    fn settings(&self) -> RagSettings {
        let question = |id: &str, text: &str, relevant: &[&str]| Question {
            id: id.to_owned(),
            text: text.to_owned(),
            relevant: relevant.iter().map(|&pattern| pattern.to_owned()).collect(),
            answer: None,
        };
        RagSettings {
            document: Document {
                origin: DocumentOrigin::Path(self.root.path().join("manual.txt")),
                sha256: None,
                unicode: Unicode::None,
                cleaning: Cleaning::None,
            },
            chunks: Chunks {
                strategy: ChunkStrategy::Sentences,
                size: 7,
                overlap: 0,
            },
            embedder: Embedder::Lexical(LexicalEmbedder {
                kind: Lexical::Bm25,
            }),
            retrieval: Retrieval {
                metric: Metric::Cosine,
                top_k: 2,
                on_overflow: Overflow::Error,
            },
            generator: Generator::Simple(SimpleGenerator {
                kind: SimpleGeneration::Extractive,
                not_found: None,
                citation: None,
            }),
            generation: Generation::default(),
            prompt: None,
            questions: vec![
                question("mascara", "¿Qué fija umask?", &["mascara"]),
                question("listas", "¿Qué recorre listas?", &[]),
            ],
        }
    }

    fn vectors(&self) -> RagSettings {
        let model = Model {
            origin: Origin::Folder(self.root.path().to_owned()),
            precision: Precision::Auto,
            dropout: None,
            head: Head::Stored,
        };
        RagSettings {
            embedder: Embedder::Model(WithModel {
                model,
                own: Prefixes::default(),
            }),
            ..self.settings()
        }
    }

    fn run_folder(&self, run: &str) -> PathBuf {
        record::run_folder(self.root.path(), "x", run, 42)
    }

    fn spec(&self, run: &str, settings: &RagSettings) -> RunSpec {
        RunSpec {
            experiment: "x".into(),
            run: run.into(),
            seed: 42,
            settings: Settings::Rag(settings.clone()),
            folder: self.run_folder(run),
            identity: String::new(),
            identity_parts: BTreeMap::from([(
                "chunks.size".to_owned(),
                settings.chunks.size.to_string(),
            )]),
            format: "f32".into(),
            overrides: Vec::new(),
            axes: Vec::new(),
            seen: Vec::new(),
            source: None,
        }
    }

    fn execute(
        &self,
        run: &str,
        settings: &RagSettings,
        limit: usize,
        unit: bool,
    ) -> Result<Outcome, ExecuteError> {
        let folder = self.run_folder(run);
        fs::create_dir_all(&folder).unwrap();
        let stop = StopFlag::new();
        let mut events = |_: Event| {};
        let mut context = Context {
            folder: &folder,
            device: "cpu",
            events: &mut events,
            stop: &stop,
            halvings: 0,
        };
        let open = || -> Result<Box<dyn Embed>, ExecuteError> {
            Ok(Box::new(Letters {
                limit,
                unit,
                embedded: Rc::clone(&self.embedded),
            }))
        };
        let models = Models {
            open: &open,
            load: &|_, _, _| panic!("no decoder"),
        };
        execute_with(
            &self.spec(run, settings),
            settings,
            &mut context,
            &models,
            Device::Cpu,
        )
    }

    fn found(&self, run: &str) -> Vec<RetrievalRow> {
        read_rows(&self.run_folder(run)).unwrap()
    }
}

fn value(outcome: &Outcome, evaluation: &str, metric: &str) -> f64 {
    let row = outcome
        .metrics
        .iter()
        .find(|row| row.evaluation == evaluation && row.metric == metric);
    row.unwrap_or_else(|| panic!("no {evaluation} {metric}: {:?}", outcome.metrics))
        .value
}

fn has_note(outcome: &Outcome, part: &str) -> bool {
    outcome.notes.iter().any(|note| note.contains(part))
}

#[test]
fn a_lexical_run_leaves_what_it_found_and_how_good_it_is() {
    let folder = Folder::new(TEXT);
    let outcome = folder.execute("bm25", &folder.settings(), 9, true).unwrap();
    let rows = folder.found("bm25");
    assert_eq!(
        (
            rows[0].question.as_str(),
            rows[0].rank,
            rows[0].chunk,
            rows[0].relevant
        ),
        ("mascara", 1, 0, Some(true))
    );
    let lists: Vec<&RetrievalRow> = rows.iter().filter(|row| row.question == "listas").collect();
    assert_eq!((lists[0].chunk, lists[0].relevant), (2, None));
    assert!((value(&outcome, "run", "chunks") - 4.0).abs() < 1e-12);
    assert!((value(&outcome, "questions", "judged") - 1.0).abs() < 1e-12);
    for metric in ["hit@1", "recall@2", "ndcg@2", "mrr"] {
        assert!(
            (value(&outcome, "questions", metric) - 1.0).abs() < 1e-12,
            "{metric}"
        );
    }
    let answers: Vec<AnswerRow> = read_rows(&folder.run_folder("bm25")).unwrap();
    assert_eq!(
        answers[0].answer,
        "La orden umask fija la máscara. [Contexto 0]"
    );
    assert_eq!(folder.embedded.get(), 0);
}

#[test]
fn runs_that_differ_in_metric_or_top_k_embed_nothing_again() {
    let folder = Folder::new(TEXT);
    let mut settings = folder.vectors();
    let first = folder.execute("cosine", &settings, 9, false).unwrap();
    assert_eq!(folder.embedded.get(), 6);
    settings.retrieval = Retrieval {
        metric: Metric::Euclidean,
        top_k: 4,
        on_overflow: Overflow::Error,
    };
    let second = folder.execute("euclidean", &settings, 9, false).unwrap();
    assert_eq!(folder.embedded.get(), 6);
    assert_eq!(second.notes, first.notes);
    assert!(!has_note(&first, "no effect"));
    settings.questions[1].text = "¿Otra cosa?".to_owned();
    folder
        .execute("other-questions", &settings, 9, false)
        .unwrap();
    assert_eq!(folder.embedded.get(), 8);
}

#[test]
fn a_damaged_cache_is_noticed_and_made_again() {
    let folder = Folder::new(TEXT);
    let settings = folder.vectors();
    folder.execute("first", &settings, 9, false).unwrap();
    let key = fragments_key(&folder.spec("first", &settings));
    let path = embeddings_file(folder.root.path(), &key);
    let whole = fs::read(&path).unwrap();
    let mut broken = whole.clone();
    *broken.last_mut().unwrap() ^= 0x40;
    fs::write(&path, broken).unwrap();
    let outcome = folder.execute("second", &settings, 9, false).unwrap();
    assert!(has_note(&outcome, "checksum"), "{:?}", outcome.notes);
    assert_eq!(fs::read(&path).unwrap(), whole);
    assert_eq!(folder.found("second"), folder.found("first"));

    let older = String::from_utf8_lossy(&whole).replacen("\"version\":1", "\"version\":0", 1);
    fs::write(&path, older).unwrap();
    let outcome = folder.execute("third", &settings, 9, false).unwrap();
    assert!(has_note(&outcome, "version 0"), "{:?}", outcome.notes);
    assert_eq!(fs::read(&path).unwrap(), whole);
}

#[test]
fn unit_vectors_make_the_metric_idle_and_the_run_says_so() {
    let folder = Folder::new(TEXT);
    let mut settings = folder.vectors();
    let chunks = |run: &str| {
        folder
            .found(run)
            .into_iter()
            .map(|row| row.chunk)
            .collect::<Vec<_>>()
    };
    let mut lists = Vec::new();
    for (run, metric) in [
        ("a", Metric::Cosine),
        ("b", Metric::Euclidean),
        ("c", Metric::Dot),
    ] {
        settings.retrieval.metric = metric;
        let outcome = folder.execute(run, &settings, 9, true).unwrap();
        assert!(has_note(&outcome, "the metric has no effect"));
        lists.push(chunks(run));
    }
    assert!(lists[0] == lists[1] && lists[1] == lists[2]);
}

#[test]
fn what_an_embedder_does_not_read_is_counted() {
    let folder = Folder::new(TEXT);
    let mut settings = folder.vectors();
    settings.questions.truncate(1);
    let outcome = folder.execute("short", &settings, 4, false).unwrap();
    assert!(has_note(&outcome, "reads the first 4 tokens"));
    assert!((value(&outcome, "run", "chunks_cut") - 4.0).abs() < 1e-12);
    settings.questions[0].text = "uno dos tres cuatro cinco".to_owned();
    let said = folder
        .execute("long", &settings, 4, false)
        .unwrap_err()
        .to_string();
    assert_eq!(
        said,
        "question `mascara` has 5 tokens, but the embedder reads 4: shorten it"
    );
}

#[test]
fn more_chunks_than_there_are_cannot_be_had() {
    let folder = Folder::new(TEXT);
    let mut settings = folder.settings();
    settings.retrieval.top_k = 5;
    let said = folder
        .execute("x", &settings, 9, true)
        .unwrap_err()
        .to_string();
    assert!(
        said.starts_with("`retrieval.top_k` is 5, but the document has only 4 chunks"),
        "{said}"
    );
}

#[test]
fn a_document_without_words_is_refused_by_name() {
    for (text, cleaning) in [(" \n\u{c}", Cleaning::None), (" . . .\n.", Cleaning::Study)] {
        let folder = Folder::new(text);
        let mut settings = folder.settings();
        settings.document.cleaning = cleaning;
        let said = folder
            .execute("x", &settings, 9, true)
            .unwrap_err()
            .to_string();
        assert!(
            said.ends_with("manual.txt: the document is empty: it has no words"),
            "{said}"
        );
    }
}

#[test]
fn patterns_and_words_that_occur_nowhere_are_noted() {
    let folder = Folder::new(&format!("{TEXT} La orden grep busca patrones."));
    let mut settings = folder.settings();
    settings.questions[0].relevant = vec!["nada".to_owned()];
    settings.questions[1].text = "¿Xyz?".to_owned();
    settings.questions[1].relevant = vec!["/orden|bucle/".to_owned()];
    settings.retrieval.metric = Metric::Dot;
    let outcome = folder.execute("x", &settings, 9, true).unwrap();
    for part in [
        "`mascara`: the document contains none of its patterns, so it is not judged",
        "`listas`: no chunk has any of its words",
        "`listas`: 100 % of all chunks",
        "1 of 5 chunks say the same",
        "`retrieval.metric` changed nothing",
    ] {
        assert!(has_note(&outcome, part), "{part}: {:?}", outcome.notes);
    }
}

#[test]
fn a_run_that_is_stopped_ends_without_results() {
    let folder = Folder::new(TEXT);
    let settings = folder.vectors();
    let path: PathBuf = folder.run_folder("x");
    fs::create_dir_all(&path).unwrap();
    let stop = StopFlag::new();
    stop.raise();
    let mut events = |_: Event| {};
    let mut context = Context {
        folder: Path::new(&path),
        device: "cpu",
        events: &mut events,
        stop: &stop,
        halvings: 0,
    };
    let open = || -> Result<Box<dyn Embed>, ExecuteError> {
        Ok(Box::new(Letters {
            limit: 9,
            unit: false,
            embedded: Rc::clone(&folder.embedded),
        }))
    };
    let models = Models {
        open: &open,
        load: &|_, _, _| panic!("no decoder"),
    };
    let outcome = execute_with(
        &folder.spec("x", &settings),
        &settings,
        &mut context,
        &models,
        Device::Cpu,
    )
    .unwrap();
    assert!(outcome.interrupted);
}

#[test]
fn an_answer_that_the_chunks_cut_apart_counts_as_not_found() {
    let folder =
        Folder::new("Uno dos tres cuatro. La cuota anual es de noventa euros. Cinco seis siete.");
    let mut settings = folder.settings();
    settings.questions[0].text = "¿Cuál es la cuota anual?".to_owned();
    settings.questions[0].relevant = vec!["de noventa euros".to_owned()];
    settings.questions[1].relevant = vec!["siete".to_owned()];
    settings.questions[1].text = "seis siete".to_owned();
    settings.chunks = Chunks {
        strategy: ChunkStrategy::Words,
        size: 3,
        overlap: 0,
    };
    let apart = folder.execute("apart", &settings, 9, true).unwrap();
    settings.chunks.size = 11;
    let whole = folder.execute("whole", &settings, 9, true).unwrap();
    // The same two questions are judged, and one of them is lost by cutting.
    for (outcome, hits) in [(&apart, 0.5), (&whole, 1.0)] {
        assert!((value(outcome, "questions", "judged") - 2.0).abs() < 1e-12);
        for metric in ["hit@2", "recall@2", "ndcg@2", "mrr"] {
            let found = value(outcome, "questions", metric);
            assert!((found - hits).abs() < 1e-12, "{metric}: {found}");
        }
    }
    for metric in [
        "hit@2",
        "recall@2",
        "ndcg@2",
        "reciprocal_rank",
        "relevant_chunks",
    ] {
        assert!(value(&apart, "mascara", metric).abs() < 1e-12, "{metric}");
    }
    assert!(has_note(&apart, "`mascara`: its answer is cut apart"));
    assert!(!has_note(&whole, "cut apart"));
}

#[test]
fn the_cleaning_does_not_decide_which_questions_are_judged() {
    let folder = Folder::new("La ver-\nsion nueva. La orden cd cambia de carpeta. Otra frase más.");
    let mut settings = folder.settings();
    settings.questions[0].text = "nueva".to_owned();
    settings.questions[0].relevant = vec!["la version".to_owned()];
    for cleaning in [Cleaning::None, Cleaning::Study, Cleaning::Prose] {
        settings.document.cleaning = cleaning;
        let outcome = folder.execute("x", &settings, 9, true).unwrap();
        assert!((value(&outcome, "questions", "judged") - 1.0).abs() < 1e-12);
        let hit = value(&outcome, "questions", "hit@2");
        assert!((hit - f64::from(u8::from(cleaning == Cleaning::Prose))).abs() < 1e-12);
    }
}

#[test]
fn a_chinese_document_is_cut_searched_and_judged() {
    let sentence = "社区花园每年的费用是{}欧元。要获得地块，请加入等候名单。水管只能在上午十一点之前使用！你可以把果皮放进堆肥吗？可以。";
    let mut text = String::new();
    for number in 60..120 {
        let number = number.to_string();
        text += &sentence.replace("{}", if number == "90" { "九十" } else { &number });
    }
    let folder = Folder::new(&text);
    let mut settings = folder.settings();
    settings.chunks.size = 60;
    settings.questions[0].text = "每年的费用是九十欧元吗".to_owned();
    settings.questions[0].relevant = vec!["九十欧元".to_owned()];
    for kind in [Lexical::Bm25, Lexical::Tfidf] {
        settings.embedder = Embedder::Lexical(LexicalEmbedder { kind });
        for strategy in [ChunkStrategy::Sentences, ChunkStrategy::Words] {
            settings.chunks.strategy = strategy;
            let outcome = folder.execute("x", &settings, 9, true).unwrap();
            assert!(value(&outcome, "run", "chunks") > 40.0);
            assert!(value(&outcome, "run", "chunk_tokens_max") <= 60.0);
            assert!((value(&outcome, "questions", "hit@1") - 1.0).abs() < 1e-12);
            let said = outcome
                .notes
                .iter()
                .filter(|note| note.contains("pairs of letters"));
            assert_eq!(said.count(), 1);
        }
    }
    let answers: Vec<AnswerRow> = read_rows(&folder.run_folder("x")).unwrap();
    let chunk = folder.found("x")[0].chunk;
    assert!(
        answers[0]
            .answer
            .contains(&format!("费用是九十欧元。 [片段 {chunk}]")),
        "{answers:?}"
    );
}

#[test]
fn files_of_a_folder_that_cannot_be_used_are_left_out_with_a_note() {
    let folder = Folder::new("");
    let manual = folder.root.path().join("manual");
    fs::create_dir_all(&manual).unwrap();
    fs::write(manual.join("a.txt"), TEXT).unwrap();
    fs::write(manual.join("b.md"), "").unwrap();
    fs::write(manual.join("c.txt"), b"\x1f\x8b\x08\0").unwrap();
    fs::write(manual.join("d.txt"), b"ma\xf1ana").unwrap();
    let mut settings = folder.settings();
    settings.document.origin = DocumentOrigin::Path(manual.clone());
    let outcome = folder.execute("x", &settings, 9, true).unwrap();
    assert!((value(&outcome, "run", "files") - 1.0).abs() < 1e-12);
    for part in [
        "b.md: the document is empty",
        "c.txt: the file is compressed with gzip",
        "d.txt: line 1: byte 2 of the file is not UTF-8; it looks like Windows-1252",
    ] {
        assert!(
            has_note(&outcome, "left out: ") && has_note(&outcome, part),
            "{part}"
        );
    }
    fs::remove_file(manual.join("a.txt")).unwrap();
    let said = folder
        .execute("x", &settings, 9, true)
        .unwrap_err()
        .to_string();
    assert!(
        said.ends_with("b.md: the document is empty: it has no words"),
        "{said}"
    );
}
