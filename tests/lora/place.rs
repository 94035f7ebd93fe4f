//! A folder in which a test writes experiments, runs the program and reads what it leaves.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ensayo::record::{self, RunRecord};

/// The encoder of most tests: two narrow layers and dropout everywhere. 1222 is the size of the bundled tokeniser's vocabulary.
pub const CONFIG: &str = r#"{
    "model_type": "bert",
    "vocab_size": 1222, "type_vocab_size": 2, "max_position_embeddings": 32,
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48,
    "hidden_act": "gelu", "layer_norm_eps": 1e-12, "initializer_range": 0.2,
    "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1
}"#;

/// Everything of an experiment but its name, its model, its data and its runs.
const SETTINGS: &str = r#"
[lora]
rank = 4
alpha = 16
targets = ["query", "value", "intermediate"]
dropout = 0.1
[training]
epochs = 2
batch_size = 8
learning_rate = 5e-3
max_length = 32
logging_steps = 2
"#;

/// What the program said, and how it ended.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub output: String,
    pub talk: String,
}

/// A temporary folder with a random model's configuration, reviews and experiments.
pub struct Place(tempfile::TempDir);

impl Place {
    /// A folder with `model/`, and 80 reviews in `reviews.csv`.
    pub fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.model("model", CONFIG);
        place.write("reviews.csv", &csv(&reviews(80)));
        place
    }

    /// A folder for a model, with the bundled tokeniser.
    pub fn model(&self, name: &str, config: &str) -> PathBuf {
        let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/quickstart-encoder");
        self.write(&format!("{name}/config.json"), config);
        let folder = self.path(name);
        fs::copy(
            bundled.join("tokenizer.json"),
            folder.join("tokenizer.json"),
        )
        .unwrap();
        folder
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes an experiment with seed 1 on the random model and the 80 reviews; `runs` stands at its end.
    pub fn experiment(&self, name: &str, runs: &str) {
        let inputs = "model.random.config = \"../model/config.json\"\ndata.path = \"../reviews.csv\"\ndata.test_size = 0.25";
        self.experiment_on(name, inputs, runs);
    }

    /// Writes an experiment whose model, data and seeds are `inputs`, in dotted keys.
    pub fn experiment_on(&self, name: &str, inputs: &str, runs: &str) {
        let seeds = if inputs.contains("seeds") {
            ""
        } else {
            "seeds = [1]\n"
        };
        let text =
            format!("name = \"{name}\"\nkind = \"lora\"\n{seeds}{inputs}\n{SETTINGS}\n{runs}\n");
        self.write(&format!("experiments/{name}.toml"), &text);
    }

    /// Runs the program with these arguments, on the CPU, with `input` on its standard input.
    pub fn ensayo_with(&self, arguments: &[&str], threads: usize, input: &str) -> Said {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ensayo"))
            .args(arguments)
            .current_dir(self.0.path())
            .env("RAYON_NUM_THREADS", threads.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that refuses its arguments reads no input.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let ended = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Said {
            code: ended.status.code().unwrap(),
            output: text(ended.stdout),
            talk: text(ended.stderr),
        }
    }

    /// `ensayo run` on the CPU.
    pub fn run(&self, arguments: &[&str]) -> Said {
        let arguments = [&["run", "--device", "cpu"], arguments].concat();
        self.ensayo_with(&arguments, 2, "")
    }

    /// `ensayo run`, which must succeed.
    pub fn complete(&self, arguments: &[&str]) -> Said {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "{}", said.talk);
        said
    }

    /// What a run left, by `experiment/run@seed`.
    pub fn left(&self, label: &str) -> Left {
        let (run, seed) = label.split_once('@').unwrap();
        Left(self.path(&format!("results/{run}/seed-{seed}")))
    }
}

/// What a run left.
#[derive(Debug)]
pub struct Left(pub PathBuf);

impl Left {
    pub fn read(&self, file: &str) -> String {
        let path = self.0.join(file);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub fn record(&self) -> RunRecord {
        record::read(&self.0).unwrap().unwrap()
    }

    /// A number of `metrics.csv`.
    pub fn metric(&self, evaluation: &str, metric: &str) -> f64 {
        let rows = record::read_rows::<record::MetricRow>(&self.0).unwrap();
        let mut found = rows
            .iter()
            .filter(|row| row.evaluation == evaluation && row.metric == metric);
        let value = found
            .next()
            .unwrap_or_else(|| panic!("no {evaluation} {metric}"))
            .value;
        assert!(found.next().is_none(), "{evaluation} {metric} stands twice");
        value
    }

    /// A CSV file that may lack rows but not its header.
    pub fn rows<R: record::Row + serde::de::DeserializeOwned>(&self) -> Vec<R> {
        assert!(self.0.join(R::FILE).is_file(), "{} is missing", R::FILE);
        record::read_rows(&self.0).unwrap()
    }

    /// The rows of `predictions.csv` that belong to an evaluation.
    pub fn predictions(&self, evaluation: &str) -> Vec<csv::StringRecord> {
        let text = self.read("predictions.csv");
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let rows = reader.records().map(Result::unwrap);
        rows.filter(|row| &row[0] == evaluation).collect()
    }
}

/// A column of CSV records.
pub fn column(rows: &[csv::StringRecord], index: usize) -> Vec<&str> {
    rows.iter().map(|row| &row[index]).collect()
}

/// Texts of one to twelve words with their labels. One word tells 1 from 0, and a number makes each text unlike the others.
pub fn reviews(count: usize) -> Vec<(String, usize)> {
    const PRAISE: [&str; 4] = ["great", "love", "fun", "perfect"];
    const BLAME: [&str; 4] = ["awful", "hate", "boring", "broken"];
    const FILLING: [&str; 8] = [
        "the game", "this", "price", "is", "it", "level", "music", "a",
    ];
    let review = |index: usize| {
        // A middle of the square of a prime multiple: irregular enough, and the same everywhere.
        let at = |place: usize| ((index * 31 + place * 17 + 7).pow(2) >> 4) % 97;
        let label = at(0) % 2;
        let word = [BLAME, PRAISE][label][at(1) % 4];
        let mut words: Vec<String> = (0..at(2) % 10)
            .map(|place| FILLING[at(place + 3) % 8].to_owned())
            .collect();
        words.insert(at(99) % (words.len() + 1), word.to_owned());
        words.push(index.to_string());
        (words.join(" "), label)
    };
    (0..count).map(review).collect()
}

/// A CSV file of labelled texts without commas or quotes.
pub fn csv(rows: &[(String, usize)]) -> String {
    rows.iter()
        .fold("text,label\n".to_owned(), |mut file, (text, label)| {
            writeln!(file, "{text},{label}").unwrap();
            file
        })
}
