//! Proof of SQL over made-up patients: the table that Galen commits too, and proofs of the same queries.

mod answer;
mod measure;
mod patients;
mod prove;
mod queries;
mod schemes;
mod table;
mod tamper;

use std::{error::Error, path::Path, process::ExitCode};

use queries::Query;
use schemes::Scheme;

const USAGE: &str = "\
usage: galen-peer-proof-of-sql dump ROWS FILE.csv
       galen-peer-proof-of-sql prove SCHEME ROWS REPETITIONS QUERIES

  dump   write the patient table as CSV; the file must not exist
  prove  commit the same table, then prove and verify; one JSON object a line on standard output

  SCHEME       hkzg or dory
  ROWS         1 to 16777216
  REPETITIONS  from 1
  QUERIES      all, or some of Q1,Q2,Q3 with commas between them";

const MOST_ROWS: usize = 1 << 24;

enum Command {
    Dump(usize, String),
    Prove(Scheme, usize, usize, Vec<Query>),
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(command) = parse(&arguments) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("error: {e}");
            ExitCode::FAILURE
        }
    }
}

/// Nothing where the arguments are not exactly those of the usage text.
fn parse(arguments: &[String]) -> Option<Command> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["dump", rows, file] => Some(Command::Dump(count(rows)?, file.to_owned())),
        ["prove", scheme, rows, repetitions, queries] => Some(Command::Prove(
            Scheme::named(scheme)?,
            count(rows)?,
            repetitions.parse().ok().filter(|n| *n > 0)?,
            Query::several(queries)?,
        )),
        _ => None,
    }
}

fn count(rows: &str) -> Option<usize> {
    rows.parse().ok().filter(|n| (1..=MOST_ROWS).contains(n))
}

fn run(command: Command) -> Result<(), Box<dyn Error>> {
    match command {
        Command::Dump(rows, file) => patients::Patients::new(rows).dump(Path::new(&file)),
        Command::Prove(scheme, rows, repetitions, queries) => {
            schemes::run(scheme, rows, repetitions, &queries)
        }
    }
}
