//! Prompting from the command line, as far as it goes without weights.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// The program in the repository's own folder, with results elsewhere: exit code, output, talk.
fn ensayo(results: &Path, words: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_ensayo"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("HF_HUB_OFFLINE", "1")
        .env_remove("SMOLLM2")
        .args(words)
        .arg("--results")
        .arg(results)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

#[test]
fn a_prompt_is_shown_as_the_decoder_gets_it() {
    let results = tempfile::tempdir().unwrap();
    let show = |words: &[&str]| ensayo(results.path(), &[&["show"], words].concat());
    let (code, output, talk) = show(&["decoder-quickstart/chat", "--prompt"]);
    assert_eq!(code, 0, "{talk}");
    let (head, prompt) = output.split_once("\n\n").unwrap();
    assert!(
        head.starts_with("decoder-quickstart/chat@42, prompt test/0: "),
        "{head}"
    );
    assert!(head.ends_with(" of 4096"), "{head}");
    assert!(
        prompt
            .starts_with("<|im_start|>system\nYou answer in digits.<|im_end|>\n<|im_start|>user\n"),
        "{prompt}"
    );
    assert!(
        prompt.ends_with("Digits:<|im_end|>\n<|im_start|>assistant\n\n"),
        "{prompt}"
    );

    let (_, by_number, _) = show(&["decoder-quickstart/likelihood", "--prompt", "2"]);
    let (_, by_name, _) = show(&["decoder-quickstart/likelihood", "--prompt", "test/2"]);
    assert_eq!(by_number, by_name);
    assert!(by_name.ends_with("The reviewer is\n"), "{by_name}");

    let (code, output, talk) = show(&["decoder-quickstart/chunks", "--prompt", "test/99"]);
    assert_eq!((code, output.as_str()), (2, ""));
    assert!(talk.contains("there is no prompt `test/99`"), "{talk}");
    let (code, _, talk) = show(&["quickstart", "--prompt"]);
    assert_eq!(code, 2);
    assert!(talk.contains("has no prompts"), "{talk}");
}

#[test]
fn the_bundled_prompts_are_sound_and_fit() {
    let results = tempfile::tempdir().unwrap();
    let (code, output, talk) = ensayo(
        results.path(),
        &["plan", "decoder-quickstart", "--device", "cpu"],
    );
    assert_eq!(code, 0, "{talk}");
    assert!(
        output.contains("3 runs of 1 experiment: 3 to execute"),
        "{output}"
    );
    // The weights of the tiny decoder, and the program itself.
    assert!(output.contains("MiB") || output.contains("MB"), "{output}");
}

#[test]
fn a_prompt_that_does_not_fit_is_refused_before_anything_runs() {
    let results = tempfile::tempdir().unwrap();
    let words = [
        "run",
        "decoder-quickstart/chunks",
        "--set",
        "classification.chunk_size=20",
        "--set",
        "generation.max_new_tokens=2000",
    ];
    let (code, output, talk) = ensayo(results.path(), &words);
    assert_eq!((code, output.as_str()), (2, ""));
    for said in [
        "the prompt of chunk 0 of `test` has ",
        "2000",
        "4096",
        "max_new_tokens",
    ] {
        assert!(talk.contains(said), "{talk}");
    }
    assert!(!results.path().join("decoder-quickstart").exists());
}

#[test]
fn what_decoders_need_and_lack_is_said_at_once() {
    let results = tempfile::tempdir().unwrap();
    let broken = tempfile::tempdir().unwrap();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/quickstart-decoder");
    for name in ["config.json", "tokenizer.json", "tokenizer_config.json"] {
        fs::copy(models.join(name), broken.path().join(name)).unwrap();
    }
    fs::write(
        broken.path().join("generation_config.json"),
        "{\"top_k\": \"many\"}",
    )
    .unwrap();
    let config = format!(
        "model.random.config={}",
        broken.path().join("config.json").display()
    );
    let words = ["run", "decoder-quickstart/chat", "--set", &config];
    let (code, _, talk) = ensayo(results.path(), &words);
    assert_eq!(code, 2, "{talk}");
    assert!(
        talk.contains("generation_config.json: `top_k` is \"many\""),
        "{talk}"
    );

    fs::remove_file(broken.path().join("generation_config.json")).unwrap();
    let settings = "{\"tokenizer_class\": \"Qwen2Tokenizer\", \"chat_template\": \"{% if %}\"}";
    fs::write(broken.path().join("tokenizer_config.json"), settings).unwrap();
    let (code, _, talk) = ensayo(results.path(), &words);
    assert_eq!(code, 2, "{talk}");
    assert!(
        talk.contains("the chat template in") && talk.contains("line 1"),
        "{talk}"
    );
}
