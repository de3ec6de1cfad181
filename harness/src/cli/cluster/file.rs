//! `cluster.json`: where a running cluster is, for `kv` and other programs. It is true only for as long as its lock is held.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use quorate_node::wire::Ready;
use serde::{Deserialize, Serialize};

use crate::results::{ResultsError, at};

const FILE: &str = "cluster.json";
const LOCK: &str = "cluster.lock";

/// A running cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cli) struct ClusterFile {
    /// The process that has it.
    pub(in crate::cli) pid: u32,
    /// Its nodes that are up, each with its ports on 127.0.0.1.
    pub(in crate::cli) nodes: Vec<Ready>,
}

/// A cluster's directory, ours until this is dropped: the kernel lets go of the lock however the process ends.
#[derive(Debug)]
pub(super) struct Claim {
    directory: PathBuf,
    _lock: File,
}

/// Why there is no cluster to talk to.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum FindError {
    #[error(transparent)]
    File(#[from] ResultsError),
    #[error("{} is no cluster.json: {source}", path.display())]
    Malformed {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error(
        "a cluster runs in {} already: stop it first, or choose another --dir",
        .0.display()
    )]
    InUse(PathBuf),
    #[error(
        "no cluster runs in {}: start one there with `quorate cluster --dir`",
        .0.display()
    )]
    NotRunning(PathBuf),
    #[error(
        "no cluster runs here (looked in {}): start one with `quorate cluster`, or name a node with --node HOST:PORT",
        .0.display()
    )]
    NoneRunning(PathBuf),
}

impl Claim {
    /// Makes the directory if it is missing, and takes it.
    pub(super) fn take(directory: &Path) -> Result<Claim, FindError> {
        fs::create_dir_all(directory).map_err(at("create", directory))?;
        let directory = directory.canonicalize().map_err(at("find", directory))?;
        let path = directory.join(LOCK);
        let lock = File::create(&path).map_err(at("create", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Claim {
                directory,
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(FindError::InUse(directory)),
            Err(TryLockError::Error(source)) => Err(at("lock", &path)(source).into()),
        }
    }

    /// The directory.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Says where the cluster is now.
    pub(super) fn write(&self, file: &ClusterFile) -> Result<(), FindError> {
        let path = self.directory.join(FILE);
        let json = serde_json::to_vec_pretty(file);
        let json = json.map_err(|source| FindError::Malformed {
            path: path.clone(),
            source,
        })?;
        // Placed as a whole: who reads it meanwhile sees the old one or the new one.
        let draft = self.directory.join("cluster.json.new");
        fs::write(&draft, json).map_err(at("write", &draft))?;
        Ok(fs::rename(&draft, &path).map_err(at("place", &path))?)
    }
}

impl ClusterFile {
    /// The cluster that runs in this directory.
    pub(in crate::cli) fn read(directory: &Path) -> Result<ClusterFile, FindError> {
        if !is_running(directory) {
            return Err(FindError::NotRunning(directory.to_owned()));
        }
        let path = directory.join(FILE);
        let json = fs::read(&path).map_err(at("read", &path))?;
        serde_json::from_slice(&json).map_err(|source| FindError::Malformed { path, source })
    }

    /// The newest of the clusters that run in directories below this one.
    pub(in crate::cli) fn newest(parent: &Path) -> Result<ClusterFile, FindError> {
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        let started = |directory: PathBuf| {
            let written = fs::metadata(directory.join(LOCK)).and_then(|meta| meta.modified());
            Some((written.ok()?, directory))
        };
        let mut running: Vec<_> = entries
            .map(|entry| entry.path())
            .filter(|directory| is_running(directory) && directory.join(FILE).exists())
            .filter_map(started)
            .collect();
        running.sort();
        match running.pop() {
            Some((_, directory)) => ClusterFile::read(&directory),
            None => Err(FindError::NoneRunning(parent.to_owned())),
        }
    }
}

/// Whether some process holds the lock of this directory.
fn is_running(directory: &Path) -> bool {
    let lock = File::open(directory.join(LOCK));
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

#[cfg(test)]
mod tests {
    use quorate_node::config::NodeId;
    use tempfile::TempDir;

    use super::*;

    fn file(pid: u32) -> ClusterFile {
        let ready = Ready {
            node: NodeId(1),
            pid,
            epoch: 1,
            client_port: 1,
            peer_port: 2,
            metrics_port: 3,
        };
        ClusterFile {
            pid,
            nodes: vec![ready],
        }
    }

    #[test]
    fn a_cluster_is_there_for_as_long_as_its_claim_is_held() {
        let parent = TempDir::new().expect("a directory");
        let newest = || ClusterFile::newest(parent.path());
        assert!(matches!(newest(), Err(FindError::NoneRunning(_))));
        let directory = parent.path().join("one");
        let claim = Claim::take(&directory).expect("it is free");
        assert!(matches!(newest(), Err(FindError::NoneRunning(_))));
        claim.write(&file(7)).expect("a file");
        assert_eq!(newest().expect("it runs"), file(7));
        let second = Claim::take(&directory);
        assert!(matches!(second, Err(FindError::InUse(_))));
        drop(claim);
        assert!(matches!(newest(), Err(FindError::NoneRunning(_))));
        let gone = ClusterFile::read(&directory);
        assert!(matches!(gone, Err(FindError::NotRunning(_))));
    }
}
