use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use galen_ledger::statement::{
    AnnouncementStatement, AnswerStatement, DisclosureStatement, QueryStatement, RefusalStatement,
};
use galen_query::{question::Question, text::hex};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use crate::{
    failure::refusal,
    files,
    output::Output,
    show,
    source::{self, Listed, Source},
};

const EXAMPLE: &str = "\
Example: a hospital looks at what is asked, and takes a query to answer it
  galen queries --from https://ledger.example
  galen queries --from https://ledger.example --get 5d1c04b2a9f37e60 --out query.json
  galen prove --dataset heart-epoch1 --query query.json --out bundle.json
Answers and refusals are told by their entries: a reviewer takes one out by that
  galen evidence 7 --from https://ledger.example --out answer.galen
A query's digest is over all of it: what --get writes is the query of that digest, whoever
keeps the ledger. Give all 64 digits where you do not read what it shows. The list itself is as
the ledger tells it; a mirror's folder is a checked copy.";

/// The fewest digits of a digest that name a query. With effort two queries can be made that begin with the same
/// digits: so what is written is shown, and two of a list are not chosen from.
const DIGITS: usize = 16;

/// SQL and titles are cut to so many characters in the table.
const WIDTH: usize = 60;

/// Answers' entries that the table tells of a query; JSON tells all.
const SHOWN: usize = 8;

/// Lists the queries of a ledger, and takes one to answer it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub struct Args {
    /// The service's URL, or the folder of a mirror
    #[arg(long, value_name = "URL|DIR", env = "GALEN_SERVICE")]
    from: String,
    /// Write this query as `galen prove` takes it: its digest, or the first 16 digits of it or more
    #[arg(long, value_name = "DIGEST", requires = "out")]
    get: Option<String>,
    /// The file to write; it must not exist
    #[arg(long, value_name = "FILE", requires = "get")]
    out: Option<PathBuf>,
}

/// A registered query.
struct Registered {
    index: u64,
    researcher: Option<String>,
    digest: String,
    question: Question,
    announced: Vec<Announced>,
    answers: Vec<Reply>,
    refusals: Vec<Reply>,
}

/// Who had announced a query, and by which entry.
#[derive(Debug, Clone, Serialize)]
struct Announced {
    index: u64,
    researcher: String,
    before_registration: bool,
}

/// A hospital's answer or refusal.
#[derive(Debug, Clone, Serialize)]
struct Reply {
    index: u64,
    hospital: String,
    dataset: String,
    epoch: u32,
}

/// Lists, or writes one.
pub fn run(args: &Args, output: &Output) -> Result<()> {
    let wanted = args.get.as_deref().map(check_digits).transpose()?;
    if let Some(out) = &args.out {
        files::check_place(out)?;
        if out.exists() {
            let why = format!("{} exists; choose another --out", out.display());
            return Err(refusal("io.AlreadyExists", why));
        }
    }
    let mut source = source::open(&args.from)?;
    source.read_until(told_size(&source.checkpoint()?))?;
    let queries = registered(source.as_ref())?;
    match (wanted, &args.out) {
        (Some(digits), Some(out)) => get(&queries, &digits, out, output),
        _ => list(&queries, output),
    }
}

/// The size in a checkpoint, unchecked: how far a folder is to be read.
pub(super) fn told_size(checkpoint: &str) -> u64 {
    let line = checkpoint.lines().nth(1);
    line.and_then(|l| l.parse().ok()).unwrap_or(0)
}

fn check_digits(text: &str) -> Result<String> {
    let digits = text.to_ascii_lowercase();
    let good =
        (DIGITS..=64).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if good {
        return Ok(digits);
    }
    let why = format!(
        "--get {text}: a query's digest is 64 hex digits, of which at least {DIGITS} are given"
    );
    Err(refusal("usage.Digest", why))
}

/// A statement.
pub(super) fn read<T: DeserializeOwned>(listed: &Listed) -> Result<T> {
    let named = || format!("entry {}", listed.index);
    serde_json::from_value(listed.statement.clone()).with_context(named)
}

/// The statements of a kind, by their query's digest.
fn replies<T: DeserializeOwned>(
    source: &dyn Source,
    kind: &str,
    parts: fn(T) -> (String, String, String, u32),
) -> Result<BTreeMap<String, Vec<Reply>>> {
    let mut all: BTreeMap<String, Vec<Reply>> = BTreeMap::new();
    for listed in source.list(kind)? {
        let (query, hospital, dataset, epoch) = parts(read(&listed)?);
        all.entry(query).or_default().push(Reply {
            index: listed.index,
            hospital,
            dataset,
            epoch,
        });
    }
    Ok(all)
}

/// The announcements that were disclosed, by their query's digest: entries and researchers, in the order of the log.
fn announced(source: &dyn Source) -> Result<BTreeMap<String, BTreeMap<u64, String>>> {
    let mut entries = BTreeMap::new();
    for listed in source.list("announcement")? {
        let s: AnnouncementStatement = read(&listed)?;
        entries.insert((s.researcher, s.commitment), listed.index);
    }
    let mut all: BTreeMap<String, BTreeMap<u64, String>> = BTreeMap::new();
    for listed in source.list("disclosure")? {
        let s: DisclosureStatement = read(&listed)?;
        // The commitment is computed anew, not taken from the ledger's word.
        let commitment = s.commitment();
        if let Some(&index) = entries.get(&(s.researcher.clone(), commitment)) {
            all.entry(s.query).or_default().insert(index, s.researcher);
        }
    }
    Ok(all)
}

fn registered(source: &dyn Source) -> Result<Vec<Registered>> {
    let mut announced = announced(source)?;
    let mut answers = replies(source, "answer", |s: AnswerStatement| {
        (s.query, s.hospital, s.dataset, s.epoch)
    })?;
    let mut refusals = replies(source, "refusal", |s: RefusalStatement| {
        (s.query, s.hospital, s.dataset, s.epoch)
    })?;
    let queries = source.list("query")?.into_iter().map(|listed| {
        let QueryStatement { query } = read(&listed)?;
        let digest = hex(&query.digest());
        let announced = announced.remove(&digest).unwrap_or_default().into_iter();
        let announced = announced.map(|(index, researcher)| Announced {
            index,
            researcher,
            before_registration: index < listed.index,
        });
        Ok(Registered {
            index: listed.index,
            researcher: listed.member,
            announced: announced.collect(),
            answers: answers.remove(&digest).unwrap_or_default(),
            refusals: refusals.remove(&digest).unwrap_or_default(),
            question: query,
            digest,
        })
    });
    queries.collect()
}

/// Who has registered a query, and who had announced it before that.
fn asked_by(query: &Registered) -> String {
    let cut = |name: &str| show::cut(name, WIDTH);
    let registered = query.researcher.as_deref().unwrap_or_default();
    let before = query.announced.iter().filter(|a| a.before_registration);
    let announced = before.map(|a| {
        let by = match a.researcher == registered {
            true => String::new(),
            false => format!(" by {}", cut(&a.researcher)),
        };
        format!("; announced{by} as entry {}", a.index)
    });
    cut(registered) + &announced.collect::<String>()
}

fn list(queries: &[Registered], output: &Output) -> Result<()> {
    let documents = queries.iter().map(|q| {
        json!({
            "index": q.index,
            "digest": q.digest,
            "researcher": q.researcher,
            "announced": q.announced,
            "query": q.question,
            "answers": q.answers,
            "refusals": q.refusals,
        })
    });
    output.document(&json!({ "queries": documents.collect::<Vec<_>>() }))?;
    if queries.is_empty() {
        return output.line("no query is registered on this ledger yet");
    }
    let cut = |text: &str| show::cut(text, WIDTH);
    let entries = |replies: &[Reply]| {
        let first = replies.iter().take(SHOWN).map(|r| r.index.to_string());
        let text = first.collect::<Vec<_>>().join(", ");
        match replies.len().saturating_sub(SHOWN) {
            0 => text,
            more => format!("{text} and {more} more"),
        }
    };
    let rows = queries.iter().map(|q| {
        vec![
            q.index.to_string(),
            q.digest[..DIGITS].to_owned(),
            asked_by(q),
            cut(&q.question.purpose),
            entries(&q.answers),
            entries(&q.refusals),
            cut(q.question.title.as_deref().unwrap_or_default()),
            cut(&q.question.sql),
        ]
    });
    let header = [
        "entry", "digest", "asked by", "purpose", "answers", "refusals", "title", "SQL",
    ];
    output.line(show::table(&header, &[0], rows))
}

fn get(queries: &[Registered], digits: &str, out: &Path, output: &Output) -> Result<()> {
    // The digest was computed from the query that came, not taken from the ledger.
    let mut found = queries.iter().filter(|q| q.digest.starts_with(digits));
    let Some(query) = found.next() else {
        let why = format!("no query with the digest {digits} is on this ledger");
        return Err(refusal("ledger.NotFound", why));
    };
    if found.any(|q| q.digest != query.digest) {
        let why = format!("more than one query begins with {digits}: give all 64 digits");
        return Err(refusal("usage.Digest", why));
    }
    files::write_atomic(out, &files::pretty(&query.question)?)?;
    output.document(&json!({ "out": out, "digest": query.digest, "index": query.index }))?;
    let question = &query.question;
    let mut facts = vec![("query", query.digest.clone())];
    let title = question.title.as_deref().map(show::plain_line);
    facts.extend(title.map(|t| ("title", t)));
    facts.extend([
        ("purpose", show::plain_line(&question.purpose)),
        ("written to", out.display().to_string()),
    ]);
    let sql = show::indent(&show::plain(&question.sql));
    output.line(format!("{}\n\n{sql}", show::facts(&facts)))
}
