use std::{
    env,
    ffi::OsString,
    io::{self, Write},
    path::PathBuf,
    process::{Command, ExitCode},
};

use anyhow::{Error, Result};

use crate::failure::refusal;

const PROGRAM: &str = "galen-tables";

const EXAMPLE: &str = "\
Example: the hospital data team makes the patient table from its exports
  galen table check mapping.toml --source /srv/export
  galen table build mapping.toml --source /srv/export --out patients.parquet
This runs `galen-tables`, a program of its own with a SQL engine inside:
  cargo install --path tables";

/// Makes the patient table from exports: hands over to `galen-tables`
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// What `galen-tables` is given
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// What `galen-tables` is to be given, if the words after the program's name ask for it. A `--json` before `table` is
/// this program's, and means the same behind the other one's command.
pub fn arguments(words: &[OsString]) -> Option<Vec<OsString>> {
    let before = words.iter().take_while(|w| *w == "--json").count();
    let (first, rest) = words[before..].split_first()?;
    if first != "table" {
        return None;
    }
    let mut rest = rest.to_vec();
    let is_command = rest
        .first()
        .is_some_and(|w| !w.to_string_lossy().starts_with('-'));
    if before > 0 && is_command && !rest.iter().any(|w| w == "--json") {
        rest.insert(1, "--json".into());
    }
    Some(rest)
}

/// Hands `arguments` to `galen-tables`; `None` where it is not installed and clap should go on.
pub fn hand_over(arguments: &[OsString]) -> Option<ExitCode> {
    let program = find()?;
    let mut command = Command::new(&program);
    command.args(arguments);
    let error = match become_it(&mut command) {
        Ok(code) => return Some(code),
        Err(error) => error,
    };
    let _ = writeln!(io::stderr(), "error: {}: {error}", program.display());
    Some(ExitCode::FAILURE)
}

/// Reached only where `galen-tables` is not there.
pub fn run(_args: &Args) -> Result<()> {
    Err(missing())
}

fn missing() -> Error {
    refusal(
        "table.NotInstalled",
        "`galen-tables` is neither beside this program nor on PATH; install it with `cargo install --path tables` (its SQL engine compiles for some minutes)",
    )
}

/// Beside this program, else on PATH.
fn find() -> Option<PathBuf> {
    let name = format!("{PROGRAM}{}", env::consts::EXE_SUFFIX);
    let beside = env::current_exe().ok();
    let beside = beside.and_then(|p| p.parent().map(PathBuf::from));
    let path = env::var_os("PATH").unwrap_or_default();
    beside
        .into_iter()
        .chain(env::split_paths(&path))
        .map(|folder| folder.join(&name))
        .find(|candidate| candidate.is_file())
}

/// Returns only an error, or elsewhere than on Unix the other program's exit status.
#[cfg(unix)]
fn become_it(command: &mut Command) -> io::Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(command.exec())
}

#[cfg(not(unix))]
fn become_it(command: &mut Command) -> io::Result<ExitCode> {
    let status = command.status()?;
    let code = status.code().and_then(|c| u8::try_from(c).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}
