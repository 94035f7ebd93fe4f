//! `pytorch_model.bin` against torch, and against whoever would break or abuse it.

use std::fs;
use std::path::{Path, PathBuf};

use engine::checkpoint::{Checkpoint, CheckpointError, TensorFiles};
use engine::models::Classifier;
use engine::nn::Tokens;
use engine::shapes::Shapes;

use crate::fixture::{Fixture, path, values};
use crate::roberta::load;

fn open(path: PathBuf) -> Result<TensorFiles, String> {
    TensorFiles::open(vec![path]).map_err(|error| error.to_string())
}

#[test]
fn every_view_is_read_as_torch_sees_it() {
    let expected = Fixture::read("pytorch-bin/odd.safetensors");
    for file in ["odd", "plain-dict", "protocol-4"] {
        let files = open(path(&format!("pytorch-bin/{file}.bin"))).unwrap();
        let mut names: Vec<&str> = files.names().collect();
        names.sort_unstable();
        let mut wanted = expected.names();
        wanted.sort();
        assert_eq!(names, wanted, "{file}: whole numbers are no weights");
        for name in names {
            assert_eq!(
                files.read(name).unwrap().unwrap(),
                expected.floats(name),
                "{file} {name}"
            );
            assert_eq!(
                files.shape(name).unwrap(),
                expected.shape(name),
                "{file} {name}"
            );
        }
    }
}

#[test]
fn checkpoints_in_one_file_or_several_give_the_logits_of_safetensors() {
    for name in ["bert", "roberta"] {
        let (_, ours, fresh) = load(&format!("pytorch-bin/{name}"), 2);
        let (_, reference, _) = load(&format!("{name}/checkpoint"), 2);
        assert!(fresh.is_empty());
        let fixture = Fixture::read(&format!("{name}/forward.safetensors"));
        let tokens = Tokens::new(&fixture.texts("batch.0."), &Default::default());
        assert_eq!(
            values(ours.logits(&tokens, None)),
            values(reference.logits(&tokens, None)),
            "{name}"
        );
    }
}

#[test]
fn safetensors_win_where_both_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let source = path("bert/checkpoint");
    for name in ["config.json", "model.safetensors"] {
        fs::copy(source.join(name), folder.path().join(name)).unwrap();
    }
    fs::write(folder.path().join("pytorch_model.bin"), "not looked at").unwrap();
    let (_, _, fresh) = load(folder.path().to_str().unwrap(), 2);
    assert!(fresh.is_empty());

    fs::remove_file(folder.path().join("model.safetensors")).unwrap();
    let text = fs::read_to_string(source.join("config.json")).unwrap();
    let shapes = Shapes::read(&text, 2).unwrap();
    let opened = Checkpoint::open(folder.path(), &shapes.tensors, shapes.spelling);
    let error = opened.unwrap_err().to_string();
    assert!(
        error.contains("pytorch_model.bin") && error.contains("not what torch.save writes"),
        "{error}"
    );
}

#[test]
fn what_is_no_plain_state_dict_is_refused_by_name_and_nothing_runs() {
    let ran = Path::new("ran.txt");
    assert!(!ran.exists());
    for (file, named) in [
        ("legacy", "before version 1.6"),
        ("harmful", "`posix.system`"),
        ("whole-module", "`torch.nn.modules.linear.Linear`"),
        ("sparse", "`torch._utils._rebuild_sparse_tensor`"),
        ("expanded", "`expanded` is an expanded view"),
        ("nested", "`model` is a dict"),
    ] {
        let error = open(path(&format!("pytorch-bin/{file}.bin"))).unwrap_err();
        assert!(
            error.contains(named) && error.contains(&format!("{file}.bin")),
            "{file}: {error}"
        );
    }
    assert!(!ran.exists());
}

/// A few random numbers (xorshift64).
struct Dice(u64);

impl Dice {
    #[allow(clippy::cast_possible_truncation)]
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) as usize % bound
    }
}

#[test]
fn damaged_files_are_errors_or_harmless_but_never_panics() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("damaged.bin");
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let (mut refused, mut read) = (0, 0);
    for source in ["odd", "protocol-4"] {
        let whole = fs::read(path(&format!("pytorch-bin/{source}.bin"))).unwrap();
        // The pickle, the headers and the directory; most of the rest is values, where any byte is
        // as good as another.
        for _ in 0..1_500 {
            let mut damaged = whole.clone();
            for _ in 0..=dice.below(4) {
                let place = dice.below(damaged.len());
                #[allow(clippy::cast_possible_truncation)]
                let byte = dice.below(256) as u8;
                match dice.below(8) {
                    0 => damaged.truncate(place.max(1)),
                    1 => damaged.insert(place, byte),
                    2 => {
                        damaged.remove(place);
                        damaged.push(byte);
                    }
                    _ => damaged[place] = byte,
                }
            }
            fs::write(&target, &damaged).unwrap();
            match open(target.clone()) {
                Err(_) => refused += 1,
                Ok(files) => {
                    for name in files.names() {
                        let values = match files.read(name) {
                            Ok(values) => values.unwrap(),
                            // Any byte may make a number endless, which is an error of its own.
                            Err(CheckpointError::NotFinite { .. }) => continue,
                            Err(error) => panic!("{name}: {error}"),
                        };
                        assert_eq!(
                            values.len(),
                            files.shape(name).unwrap().iter().product::<usize>()
                        );
                        assert!(values.len() <= damaged.len(), "more than was stored");
                    }
                    read += 1;
                }
            }
        }
    }
    assert!(refused > 300 && read > 300, "{refused} {read}");
}

/// A zip archive with stored files, as torch writes it but without checksums.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut directory = Vec::new();
    let short = |value: usize| u16::try_from(value).unwrap().to_le_bytes();
    let long = |value: usize| u32::try_from(value).unwrap().to_le_bytes();
    for (name, content) in files {
        let start = bytes.len();
        bytes.extend(b"PK\x03\x04");
        bytes.extend([0; 22]);
        bytes.extend(short(name.len()));
        bytes.extend([0; 2]);
        bytes.extend(name.bytes());
        bytes.extend(*content);
        directory.extend(b"PK\x01\x02");
        directory.extend([0; 16]);
        directory.extend([long(content.len()), long(content.len())].concat());
        directory.extend(short(name.len()));
        directory.extend([0; 12]);
        directory.extend(long(start));
        directory.extend(name.bytes());
    }
    let start = bytes.len();
    bytes.extend(&directory);
    bytes.extend(b"PK\x05\x06");
    bytes.extend([0; 4]);
    bytes.extend([short(files.len()), short(files.len())].concat());
    bytes.extend([long(directory.len()), long(start)].concat());
    bytes.extend([0; 2]);
    bytes
}

/// A state dict of one tensor `x` in the storage `0`, described by hand.
fn state_dict(elements: u32, offset: u32, shape: &[u32], strides: &[u32]) -> Vec<u8> {
    let mut pickle = b"\x80\x02}X\x01\0\0\0xctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu".to_vec();
    let number = |value: u32| [b"J".as_slice(), &value.to_le_bytes()].concat();
    pickle.extend(number(elements));
    pickle.extend(b"tQ");
    pickle.extend(number(offset));
    for numbers in [shape, strides] {
        pickle.push(b'(');
        pickle.extend(numbers.iter().flat_map(|&value| number(value)));
        pickle.push(b't');
    }
    pickle.extend(b"\x89}tRs.");
    pickle
}

#[test]
fn storages_and_views_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("made.bin");
    let values: Vec<u8> = (0..6_u8)
        .flat_map(|value| f32::from(value).to_le_bytes())
        .collect();
    let try_one = |pickle: &[u8], values: &[u8]| {
        let bytes = archive(&[("a/data.pkl", pickle), ("a/data/0", values)]);
        fs::write(&target, bytes).unwrap();
        open(target.clone()).map(|files| files.read("x").unwrap().unwrap())
    };
    assert_eq!(
        try_one(&state_dict(6, 1, &[2, 2], &[1, 2]), &values),
        Ok(vec![1.0, 3.0, 2.0, 4.0])
    );
    let huge = 0x7fff_ffff;
    for (what, pickle, named) in [
        (
            "longer than stored",
            state_dict(7, 0, &[6], &[1]),
            "holds 24 bytes",
        ),
        (
            "shorter than stored",
            state_dict(5, 0, &[5], &[1]),
            "holds 24 bytes",
        ),
        (
            "past the end",
            state_dict(6, 1, &[6], &[1]),
            "reaches beyond",
        ),
        (
            "strides past the end",
            state_dict(6, 0, &[2, 3], &[4, 1]),
            "reaches beyond",
        ),
        (
            "offset past the end",
            state_dict(6, 6, &[1], &[1]),
            "reaches beyond",
        ),
        (
            "overflow",
            state_dict(6, 0, &[huge; 8], &[huge; 8]),
            "reaches beyond",
        ),
        (
            "expanded",
            state_dict(6, 0, &[huge, 1], &[0, 1]),
            "expanded view",
        ),
        (
            "unequal",
            state_dict(6, 0, &[6], &[1, 1]),
            "shape or strides",
        ),
        (
            "many dimensions",
            state_dict(6, 0, &[1; 9], &[1; 9]),
            "shape or strides",
        ),
        (
            "negative",
            state_dict(6, 0, &[u32::MAX], &[1]),
            "shape or strides",
        ),
    ] {
        let error = try_one(&pickle, &values).unwrap_err();
        assert!(error.contains(named), "{what}: {error}");
    }
    // Nested a million deep, and a million values for a few bytes each: both stay small.
    let deep = [b"\x80\x02)".to_vec(), vec![0x85; 1_000_000], b".".to_vec()].concat();
    assert!(
        try_one(&deep, &values)
            .unwrap_err()
            .contains("not a state dict")
    );
    let many = [b"\x80\x02".to_vec(), vec![b'N'; 3_000_000], b".".to_vec()].concat();
    assert!(try_one(&many, &values).unwrap_err().contains("more than"));
}
