//! What people call a run: a path, `latest`, `failed`, or the beginning of an id.

use std::fs;
use std::path::{Path, PathBuf};

use super::directory::ResultsError;

/// What a reference leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The directory of a run.
    Run(PathBuf),
    /// A file, or a pipe.
    File(PathBuf),
}

/// What `reference` means.
///
/// # Errors
/// When there is no such file, and no such run below `root`, or several.
pub fn find(reference: &str, root: &Path) -> Result<Found, ResultsError> {
    let path = PathBuf::from(reference);
    if path.is_dir() {
        return Ok(Found::Run(path));
    }
    // A pipe is as good as a file: a history is read once, from its beginning to its end.
    if path.exists() {
        return Ok(Found::File(path));
    }
    find_run(reference, root).map(Found::Run)
}

/// The history file that `reference` means.
///
/// # Errors
/// When there is none.
pub fn find_history(reference: &str, root: &Path) -> Result<PathBuf, ResultsError> {
    let run = match find(reference, root)? {
        Found::File(path) => return Ok(path),
        Found::Run(run) => run,
    };
    let history = run.join("history.jsonl");
    if history.is_file() {
        return Ok(history);
    }
    let why = format!("{} holds no history.jsonl", run.display());
    Err(ResultsError::NoSuchRun {
        reference: reference.to_owned(),
        why,
    })
}

/// The directory of the run whose id begins with `reference`, or whose last four digits are `reference`, or that the link `latest` or
/// `failed` points to.
fn find_run(reference: &str, root: &Path) -> Result<PathBuf, ResultsError> {
    if matches!(reference, "latest" | "failed") && root.join(reference).is_dir() {
        return Ok(root.join(reference));
    }
    let no_such = |why: String| ResultsError::NoSuchRun {
        reference: reference.to_owned(),
        why,
    };
    let entries = fs::read_dir(root).map_err(|_| {
        no_such(format!(
            "no such file, and there are no runs in {}",
            root.display()
        ))
    })?;
    let mut matches: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let id = name.to_string_lossy();
            !matches!(id.as_ref(), "latest" | "failed")
                && !reference.is_empty()
                && (id.starts_with(reference) || id.rsplit('-').next() == Some(reference))
        })
        .map(|entry| entry.path())
        .collect();
    matches.sort_unstable();
    match matches.as_slice() {
        [run] => Ok(run.clone()),
        [] => Err(no_such(format!(
            "no such file, and no run in {} begins so",
            root.display()
        ))),
        several => Err(no_such(format!(
            "{} runs begin so: say more of the id",
            several.len()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::find_history;

    #[test]
    fn runs_are_found_by_path_link_prefix_and_digits() {
        let root = tempfile::tempdir().expect("a directory");
        for id in ["20260101-000000-aaaa", "20260101-000001-bbbb"] {
            fs::create_dir(root.path().join(id)).expect("a run");
            fs::write(root.path().join(id).join("history.jsonl"), "").expect("a history");
        }
        std::os::unix::fs::symlink("20260101-000001-bbbb", root.path().join("latest"))
            .expect("a link");
        let find = |reference: &str| find_history(reference, root.path());
        assert!(
            find("latest")
                .expect("latest")
                .ends_with("latest/history.jsonl")
        );
        assert!(
            find("aaaa")
                .expect("digits")
                .ends_with("20260101-000000-aaaa/history.jsonl")
        );
        assert!(
            find("20260101-000001")
                .expect("prefix")
                .ends_with("20260101-000001-bbbb/history.jsonl")
        );
        assert!(
            find("2026")
                .expect_err("two")
                .to_string()
                .contains("2 runs begin so")
        );
        assert!(find("zzzz").is_err() && find("").is_err());
    }
}
