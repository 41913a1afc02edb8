//! A hospital made of a table and a registry, and questions to it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ed25519_dalek::SigningKey;
use galen_params::{ParameterStore, Silent};
use galen_prover::{
    ProverError,
    dataset::{CommitReport, CommitRequest, CommittedDataset, commit},
    execute::{ProveReport, answer},
};
use galen_query::{question::Question, registry::Registry};
use galen_verifier::{
    VerifyError,
    answer::{Answer, Cell},
    bundle::Bundle,
    manifest::{Manifest, ReleaseProfile},
    verify,
};
use tempfile::TempDir;

use crate::{PURPOSE, keys};

/// k = 1 with zero released: nothing is suppressed, so that every cell can be compared.
#[must_use]
pub fn open_profile() -> ReleaseProfile {
    ReleaseProfile::exact("open", 1, false)
}

/// k = 11 and nothing hidden but small counts.
#[must_use]
pub fn plain_profile() -> ReleaseProfile {
    ReleaseProfile::exact("threshold-11", 11, false)
}

/// What to make a hospital of.
pub struct Setup<'a> {
    /// The table's text.
    pub csv: &'a str,
    /// The registry.
    pub registry: &'a str,
    /// The release rule.
    pub release: ReleaseProfile,
    /// The epoch.
    pub epoch: u32,
    /// Seed of the signing key: another seed, another hospital.
    pub seed: u8,
}

impl<'a> Setup<'a> {
    /// Epoch 1 of hospital 1 under [`plain_profile`].
    #[must_use]
    pub fn new(csv: &'a str, registry: &'a str) -> Self {
        Self {
            csv,
            registry,
            release: plain_profile(),
            epoch: 1,
            seed: 1,
        }
    }

    /// The same under [`open_profile`].
    #[must_use]
    pub fn open(mut self) -> Self {
        self.release = open_profile();
        self
    }

    /// Commits the table and proves its registration.
    #[must_use]
    pub fn commit(&self) -> Hospital {
        let home = tempfile::tempdir().unwrap();
        let table = home.path().join("table.csv");
        fs::write(&table, self.csv).unwrap();
        self.commit_file(home, &table)
    }

    /// The same with the table in a file.
    #[must_use]
    pub fn commit_file(&self, home: TempDir, table: &Path) -> Hospital {
        let out = home.path().join("dataset");
        let (dataset, report) = self.try_commit(table, &out, keys()).unwrap();
        Hospital {
            home,
            dataset,
            report: Some(report),
        }
    }

    /// Commits `table` into `out`.
    ///
    /// # Errors
    /// As [`commit`].
    pub fn try_commit(
        &self,
        table: &Path,
        out: &Path,
        params: &ParameterStore,
    ) -> Result<(CommittedDataset, CommitReport), ProverError> {
        let registry = Registry::from_toml(self.registry).unwrap();
        commit(
            &CommitRequest {
                table,
                registry_toml: self.registry,
                registry: &registry,
                hospital: "St. Test",
                dataset: "main",
                epoch: self.epoch,
                release: self.release.clone(),
                key: &signing_key(self.seed),
                out,
            },
            params,
            &Silent,
        )
    }
}

/// The signing key of a seed.
#[must_use]
pub fn signing_key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// A committed dataset in a folder of its own.
pub struct Hospital {
    home: TempDir,
    /// The dataset.
    pub dataset: CommittedDataset,
    /// How committing went; `None` for a fork.
    pub report: Option<CommitReport>,
}

impl Hospital {
    /// The folder around the dataset's.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A copy of the dataset with an index of its own: what a dishonest run leaves in it harms no
    /// other test.
    #[must_use]
    pub fn fork(&self) -> Hospital {
        let home = tempfile::tempdir().unwrap();
        let to = home.path().join("dataset");
        copy_folder(self.dataset.folder(), &to);
        Hospital {
            home,
            dataset: CommittedDataset::open(&to, keys()).unwrap(),
            report: None,
        }
    }

    /// The manifest.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.dataset.dataset().manifest
    }

    /// A question to this dataset.
    #[must_use]
    pub fn question(&self, sql: &str) -> Question {
        Question::new(self.dataset.registry(), PURPOSE, sql, None)
            .unwrap_or_else(|e| panic!("{sql}: {e}"))
    }

    /// Verifies a bundle as a reader who has only the public documents.
    ///
    /// # Errors
    /// As [`verify`].
    pub fn verify(&self, question: &Question, bundle: &Bundle) -> Result<Answer, VerifyError> {
        verify(
            bundle,
            self.manifest(),
            self.dataset.registry(),
            question,
            &keys().verifying(),
        )
    }

    /// The files below the index, in order.
    #[must_use]
    pub fn index_files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        collect_files(&self.dataset.folder().join("index"), &mut files);
        files.sort();
        files
    }
}

/// A proven answer.
pub struct Asked {
    /// The question.
    pub question: Question,
    /// Its bundle.
    pub bundle: Bundle,
    /// The verified answer.
    pub answer: Answer,
    /// How proving went.
    pub report: ProveReport,
}

impl Asked {
    /// The answer's only cell.
    #[must_use]
    pub fn cell(&self) -> &Cell {
        match self.answer.rows.as_slice() {
            [row] if row.len() == 1 => &row[0],
            rows => panic!("one cell expected, got {rows:?}"),
        }
    }
}

/// Proves an answer and verifies it again from the bytes of every public document.
#[must_use]
pub fn ask(hospital: &Hospital, sql: &str) -> Asked {
    analysed(hospital, sql, &[])
}

/// The same with analyses.
#[must_use]
pub fn analysed(hospital: &Hospital, sql: &str, analyses: &[&str]) -> Asked {
    let texts = analyses.iter().map(|a| (*a).to_owned()).collect();
    let registry = hospital.dataset.registry();
    let question = Question::with_analyses(registry, PURPOSE, sql, None, texts)
        .unwrap_or_else(|e| panic!("{sql}: {e}"));
    let (bundle, answer, report) = answer(&hospital.dataset, &question, keys(), &Silent)
        .unwrap_or_else(|e| panic!("{sql}: {e}"));
    assert_eq!(check_bytes(hospital, &question, &bundle), answer, "{sql}");
    Asked {
        question,
        bundle,
        answer,
        report,
    }
}

/// Writes manifest, question and bundle out, reads them back and verifies what was read.
#[must_use]
pub fn check_bytes(hospital: &Hospital, question: &Question, bundle: &Bundle) -> Answer {
    let bytes = serde_json::to_vec(bundle).unwrap();
    let read = Bundle::from_json(&bytes).unwrap();
    assert_eq!(&read, bundle);
    let manifest: Manifest =
        serde_json::from_slice(&serde_json::to_vec(hospital.manifest()).unwrap()).unwrap();
    let question: Question =
        serde_json::from_slice(&serde_json::to_vec(question).unwrap()).unwrap();
    let registry = hospital.dataset.registry();
    verify(&read, &manifest, registry, &question, &keys().verifying()).unwrap()
}

/// Copies a folder with everything in it.
pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn collect_files(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_files(&path, files);
        } else {
            files.push(path);
        }
    }
}
