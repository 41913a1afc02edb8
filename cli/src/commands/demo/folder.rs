//! What `galen demo --serve --out DIR` leaves for a visitor: everybody's keys, and what to do with them.

use std::path::{Path, PathBuf};

use anyhow::Result;
use galen_ledger::tiles::LogKey;
use serde_json::Value;

use super::report::quoted;
use crate::{commands::key::Public, files, keys, show};

/// Who has a key here; its files are named so.
const HOLDERS: [&str; 4] = ["steward", "hospital", "researcher", "log"];

/// The folder, in which the demonstration has worked.
pub struct Folder<'a> {
    path: &'a Path,
    cache: Option<&'a Path>,
}

/// What the commands of the README need to know.
pub struct Visit<'a> {
    /// The service's URL.
    pub url: &'a str,
    /// The log's name.
    pub origin: &'a str,
    /// How many patients the first hospital has.
    pub patients: u64,
    /// The shape of the parameters on the ledger.
    pub shape: &'a str,
    /// The index of the next entry.
    pub next: u64,
}

impl<'a> Folder<'a> {
    /// `cache` is where the parameters are, if they are not where commands look by themselves.
    pub fn new(path: &'a Path, cache: Option<&'a Path>) -> Self {
        Self { path, cache }
    }

    /// For the document on standard output.
    pub fn path(&self) -> Value {
        self.path.display().to_string().into()
    }

    /// Writes the public keys beside the secret ones, and the README.
    pub fn write(&self, visit: &Visit<'_>) -> Result<()> {
        for holder in HOLDERS {
            let key = keys::load(&self.path.join(format!("{holder}.key")))?;
            let mut facts = Public::of(&key).facts();
            if holder == "log" {
                let log = LogKey::new(visit.origin, key)?;
                facts.push(("log key", log.verifier().encoded()));
            }
            let text = show::facts(&facts) + "\n";
            files::write_atomic(&self.path.join(format!("{holder}.pub")), text.as_bytes())?;
        }
        let readme = self.readme(visit);
        files::write_atomic(&self.path.join("README.txt"), readme.as_bytes())
    }

    /// What the demonstration says at its end.
    pub fn tell(&self) -> String {
        let shown = self.path.display();
        format!(
            "The keys of steward, researcher, hospital and log are in {shown}, and {} says how to publish\n\
             a query, answer it, and join a second hospital.\n\n\
             Ctrl-C ends the service; what it recorded stays in {shown}.",
            quoted(&self.path.join("README.txt"))
        )
    }

    fn readme(&self, visit: &Visit<'_>) -> String {
        let cache = self.cache.map(|folder| {
            let folder: PathBuf = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
            format!(" --cache {}", quoted(&folder))
        });
        let Visit {
            url,
            origin,
            patients,
            shape,
            next,
        } = visit;
        README
            .replace("{cache}", &cache.unwrap_or_default())
            .replace("{url}", url)
            .replace("{origin}", origin)
            .replace("{patients}", &patients.to_string())
            .replace("{shape}", shape)
            .replace("{first}", &(next + 1).to_string())
            .replace("{second}", &(next + 4).to_string())
            .replace("{listen}", url.trim_start_matches("http://"))
    }
}

const README: &str = r"Galen's demonstration: a made-up consortium with one hospital and one researcher.
Nobody in its tables exists, and its keys guard nothing: whoever has this folder signs for everybody.

The service runs at {url} until `galen demo` is ended there.

  steward.key     governs the ledger: admits members, publishes registries and parameters
  researcher.key  signs queries
  hospital.key    signs the hospital's dataset and answers
  log.key         signs the ledger's checkpoints
  *.pub           their public halves; readers give log.pub as --log-key
  dataset         the hospital's committed table: dataset/secret would never leave a real one
  registry.toml   the study's columns; parameters.bin, what proofs are verified with
  service         what the service has recorded

The commands below are for a shell in this folder, with `galen` on its path:
`cargo install --path cli` in Galen's source puts it there.

1. Write a question down and register it, as the researcher

    galen query --registry registry.toml --purpose DUO:0000042 --out mine.json \
        --title 'Hypertension by sex' \
        --sql 'SELECT sex, count(*) AS patients, sum(hypertension) AS ill FROM cardio GROUP BY sex'
    galen publish query --query mine.json --key researcher.key --to {url}

   It prints the address of a page where answers appear, each already verified.

2. Answer it, as the hospital

    galen prove{cache} --dataset dataset --query mine.json --out mine.bundle.json
    galen publish answer --dataset dataset --bundle mine.bundle.json \
        --key hospital.key --to {url}

3. Join a second hospital: its table, its key, its admission by the steward, its dataset and its answer

    galen demo --table --patients {patients} --seed 2 --out second
    galen key --new second/hospital.key
    galen commit{cache} --table second/patients.parquet --registry registry.toml --out second/dataset \
        --hospital 'Second Hospital' --dataset cardio-second --shape {shape} --key second/hospital.key
    galen publish member --name 'Second Hospital' --role hospital \
        --member-key second/hospital.key --key steward.key --to {url}
    galen publish dataset --dataset second/dataset --key second/hospital.key --to {url}
    galen prove{cache} --dataset second/dataset --query mine.json --out second/mine.bundle.json
    galen publish answer --dataset second/dataset --bundle second/mine.bundle.json \
        --key second/hospital.key --to {url}

4. Take both answers out, check them offline and add them up, as anyone. The numbers are those of their entries,
   if nothing else was published before; `galen queries --from {url}` lists them.

    galen evidence {first} --from {url} --log-key log.pub --out first.galen
    galen evidence {second} --from {url} --log-key log.pub --out second.galen
    galen verify first.galen second.galen --log-key log.pub --csv pooled.csv

When the demonstration was ended, the same ledger goes on with

    galen serve --data service --origin {origin} --log-key log.key --listen {listen}
";
