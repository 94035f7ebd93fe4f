//! Toolkits and wheels as folders of empty files.

use std::collections::HashMap;
use std::fs;

use tempfile::TempDir;

use super::*;

/// A folder with the given empty files.
fn folder(files: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    folder
}

fn places(
    cache: &TempDir,
    cuda_path: Option<&Path>,
    installed: &[&Path],
    environments: &[&Path],
) -> Places {
    Places {
        cuda_path: cuda_path.map(Path::to_owned),
        installed: installed.iter().map(|&path| path.to_owned()).collect(),
        environments: environments.iter().map(|&path| path.to_owned()).collect(),
        cache: cache.path().to_owned(),
    }
}

const WHEELS: [&str; 4] = [
    "nvidia/cuda_nvrtc/lib/libnvrtc.so.12",
    "nvidia/cuda_runtime/include/cuda_runtime.h",
    "nvidia/cuda_nvcc/include/crt/mma.h",
    "nvidia/cuda_cccl/include/nv/target",
];
const INSTALLED: [&str; 4] = [
    "lib64/libnvrtc.so",
    "include/cuda_runtime.h",
    "include/crt/mma.h",
    "include/cccl/nv/target",
];

#[test]
fn an_installed_toolkit_is_taken_as_it_is() {
    let cache = tempfile::tempdir().unwrap();
    let toolkit = folder(&INSTALLED);
    let expected = Toolkit {
        root: toolkit.path().to_owned(),
        libraries: Some(toolkit.path().join("lib64")),
    };
    for places in [
        places(&cache, Some(toolkit.path()), &[], &[]),
        places(&cache, None, &[toolkit.path()], &[]),
    ] {
        assert_eq!(Toolkit::find(&places).unwrap(), expected);
    }
}

#[test]
fn wheels_are_found_from_every_folder_around_them_and_merged() {
    let cache = tempfile::tempdir().unwrap();
    let plain = folder(&WHEELS);
    let inside = WHEELS.map(|file| format!("lib/python3.12/site-packages/{file}"));
    let environment = folder(&inside.each_ref().map(String::as_str));
    let site_packages = environment.path().join("lib/python3.12/site-packages");
    for (root, nvidia) in [
        (plain.path().to_owned(), plain.path().join("nvidia")),
        (plain.path().join("nvidia"), plain.path().join("nvidia")),
        (environment.path().to_owned(), site_packages.join("nvidia")),
        (site_packages.clone(), site_packages.join("nvidia")),
    ] {
        let toolkit = Toolkit::find(&places(&cache, Some(&root), &[], &[])).unwrap();
        assert_eq!(toolkit.libraries, Some(nvidia.join("cuda_nvrtc/lib")));
        for header in ["cuda_runtime.h", "crt/mma.h", "nv/target"] {
            let text = fs::read_to_string(toolkit.root.join("include").join(header)).unwrap();
            assert!(text.ends_with(header), "{text}");
        }
        // Found again, not made again.
        assert_eq!(
            Toolkit::find(&places(&cache, Some(&root), &[], &[])).unwrap(),
            toolkit
        );
    }
    let active = Toolkit::find(&places(&cache, None, &[], &[environment.path()])).unwrap();
    assert_eq!(
        active.libraries,
        Some(site_packages.join("nvidia/cuda_nvrtc/lib"))
    );
}

#[test]
fn what_is_missing_is_named_with_the_line_that_brings_it() {
    let cache = tempfile::tempdir().unwrap();
    for (absent, package) in [(2, "nvidia-cuda-nvcc-cu12"), (3, "nvidia-cuda-cccl-cu12")] {
        let files: Vec<_> = WHEELS
            .iter()
            .enumerate()
            .filter_map(|(index, file)| (index != absent).then_some(*file))
            .collect();
        let wheels = folder(&files);
        let error = Toolkit::find(&places(&cache, None, &[], &[wheels.path()])).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains(package) && error.contains(INSTALL),
            "{error}"
        );
    }
    let empty = folder(&["readme"]);
    let error = Toolkit::find(&places(&cache, Some(empty.path()), &[], &[])).unwrap_err();
    assert!(error.to_string().contains("CUDA_PATH is"), "{error}");
    let error = Toolkit::find(&places(&cache, None, &[empty.path()], &[empty.path()])).unwrap_err();
    assert!(matches!(error, ToolkitError::None), "{error}");
}

#[test]
fn an_old_toolkit_is_named_and_does_not_hide_another() {
    let cache = tempfile::tempdir().unwrap();
    let (old, new) = (folder(&INSTALLED), folder(&INSTALLED));
    let tell = |folder: &TempDir, version: u32| {
        let header = folder.path().join("include/cuda.h");
        fs::write(header, format!("/* */\n#define CUDA_VERSION {version}\n")).unwrap();
    };
    tell(&old, 11_080);
    tell(&new, 12_080);
    let error = Toolkit::find(&places(&cache, None, &[old.path()], &[])).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("11.8") && error.contains(INSTALL), "{error}");
    let found = Toolkit::find(&places(&cache, None, &[old.path(), new.path()], &[])).unwrap();
    assert_eq!(found.root, new.path());
    let wheels = folder(&WHEELS);
    let found = Toolkit::find(&places(&cache, None, &[new.path()], &[wheels.path()])).unwrap();
    assert!(found.libraries.unwrap().starts_with(wheels.path()));
}

#[test]
fn an_incomplete_toolkit_does_not_hide_complete_wheels() {
    let cache = tempfile::tempdir().unwrap();
    let (incomplete, wheels) = (folder(&INSTALLED[..2]), folder(&WHEELS));
    let found = Toolkit::find(&places(
        &cache,
        None,
        &[incomplete.path()],
        &[wheels.path()],
    ))
    .unwrap();
    assert!(found.libraries.unwrap().starts_with(wheels.path()));
}

#[test]
fn a_process_starts_again_only_for_what_it_lacks() {
    let toolkit = Toolkit {
        root: "/cuda".into(),
        libraries: Some("/cuda/lib".into()),
    };
    let variables = |pairs: &[(&str, &str)]| -> HashMap<String, OsString> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), OsString::from(value));
        pairs.iter().map(own).collect()
    };
    let missing = |pairs: &[(&str, &str)]| {
        let known = variables(pairs);
        let missing = toolkit.missing_variables(|name| known.get(name).cloned());
        let missing = missing.into_iter();
        missing
            .map(|(name, value)| format!("{name}={}", value.display()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        missing(&[("LD_LIBRARY_PATH", "/mine")]),
        [
            "CUDA_PATH=/cuda",
            "LD_LIBRARY_PATH=/mine:/cuda/lib",
            "ENSAYO_CUDA_TOOLKIT=/cuda"
        ]
    );
    let none: [&str; 0] = [];
    assert_eq!(
        missing(&[("CUDA_PATH", "/cuda"), ("LD_LIBRARY_PATH", "/x:/cuda/lib")]),
        none
    );
    assert_eq!(missing(&[("ENSAYO_CUDA_TOOLKIT", "/cuda")]), none);
}
