//! `galen`: one binary, a subcommand for each thing that a role does.

mod ahead;
mod caption;
mod client;
mod commands;
mod export;
mod failure;
mod files;
mod keys;
mod kind;
mod mirror;
mod number;
mod output;
mod params;
mod picture;
mod plot;
mod progress;
mod show;
mod shown;
mod source;

use std::{env, process::ExitCode};

use clap::{CommandFactory, Parser, Subcommand, error::ErrorKind};

use commands::{
    audit, commit, demo, evidence, inspect, key, ledger, mirror as mirror_command,
    params as params_command, prove, publish, queries, query, serve, table, verify, version,
};
use output::Output;

const EXAMPLE: &str = "\
Example: everything at once, on a made-up hospital
  galen demo

By role:
  researcher   galen query     writes a question, checked
               galen publish   registers it on the ledger
               galen queries   shows what is registered, and how often it was answered
  hospital     galen table     makes the patient table from exports
               galen commit    commits it, once for each epoch
               galen queries   lists the questions that are registered, and takes one
               galen prove     answers it
               galen publish   registers the dataset and the answer
  reviewer     galen evidence  takes an answer out of the ledger, with all that a check needs
               galen verify    checks an answer from public files alone
               galen audit     finds what several answers tell together
               galen inspect   shows what a file is
  steward      galen publish   sets up the consortium, admits members, publishes registries and parameters
  operator     galen serve     runs the public service
               galen ledger    audits and restores its store
  everyone     galen key       makes a signing key
               galen mirror    keeps a copy of the ledger, every entry checked
Every command takes --json. `galen <command> --help` has an example for each.";

/// Proves cohort queries over patient tables that never leave the hospital
#[derive(Parser)]
#[command(name = "galen", after_help = EXAMPLE, disable_help_subcommand = true, arg_required_else_help = true)]
struct Cli {
    /// Print one JSON document on standard output, and no progress bars
    #[arg(long, global = true)]
    json: bool,
    /// Print the version
    #[arg(short = 'V', long)]
    version: bool,
    /// With --version: also what this program computes with on this machine
    #[arg(long, requires = "version")]
    verbose: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Args),
    Serve(serve::Args),
    Key(key::Args),
    Publish(publish::Args),
    Evidence(evidence::Args),
    Mirror(mirror_command::Args),
    Ledger(ledger::Args),
    Params(params_command::Args),
    Commit(commit::Args),
    Query(query::Args),
    Queries(queries::Args),
    Prove(prove::Args),
    Verify(verify::Args),
    Audit(audit::Args),
    Inspect(inspect::Args),
    Table(table::Args),
}

/// Stacks of the threads that compute. A thread that waits for a part of its work takes up another one
/// meanwhile, on top of the stack it has: with hundreds of proofs of a few levels each, the usual 2 MiB is
/// not always enough.
const STACK: usize = 16 << 20;

fn deepen_stacks() {
    // It fails only where the pool has been made already; then that one serves.
    let _ = rayon::ThreadPoolBuilder::new()
        .stack_size(STACK)
        .build_global();
}

fn main() -> ExitCode {
    // Handed over before clap reads them: the other program's arguments are its own.
    let words: Vec<_> = env::args_os().skip(1).collect();
    if let Some(rest) = table::arguments(&words)
        && let Some(code) = table::hand_over(&rest)
    {
        return code;
    }
    if let Some(name) = env::args_os().find(|a| a.to_str().is_none()) {
        return failure::not_text(&name);
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return failure::usage(&error),
    };
    if let Err(error) = galen_field::check_switch() {
        return failure::usage(&Cli::command().error(ErrorKind::InvalidValue, error));
    }
    let output = Output::new(cli.json);
    deepen_stacks();
    let result = match cli.command {
        _ if cli.version => version::run(cli.verbose, &output),
        None => return failure::usage(&no_command()),
        Some(command) => run(command, &output),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::report(&error, &output),
    }
}

fn no_command() -> clap::Error {
    let why = "a command is missing; `galen --help` lists them";
    Cli::command().error(ErrorKind::MissingSubcommand, why)
}

fn run(command: Command, output: &Output) -> anyhow::Result<()> {
    match command {
        Command::Demo(args) => demo::run(&args, output),
        Command::Serve(args) => serve::run(&args, output),
        Command::Key(args) => key::run(&args, output),
        Command::Publish(args) => publish::run(&args, output),
        Command::Evidence(args) => evidence::run(&args, output),
        Command::Audit(args) => audit::run(&args, output),
        Command::Mirror(args) => mirror_command::run(&args, output),
        Command::Ledger(args) => ledger::run(&args, output),
        Command::Params(args) => params_command::run(&args, output),
        Command::Commit(args) => commit::run(&args, output),
        Command::Query(args) => query::run(&args, output),
        Command::Queries(args) => queries::run(&args, output),
        Command::Prove(args) => prove::run(&args, output),
        Command::Verify(args) => verify::run(&args, output),
        Command::Inspect(args) => inspect::run(&args, output),
        Command::Table(args) => table::run(&args),
    }
}
