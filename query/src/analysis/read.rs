//! Reading an analysis, and checking it against its query.

use thiserror::Error;

use super::{
    inputs::Inputs,
    spec::{
        Analysis, Contingency, Means, Outcome, Rates, Shares, Standardised, Survival, TwoByTwo,
        Welch,
    },
    words::{Word, words},
};
use crate::{
    query::{Aggregate, BinName, CohortQuery, Grouping, OutputValue, Predicate},
    registry::{ColumnKind, Registry},
};

/// The most analyses of one query.
pub const MAX_ANALYSES: usize = 16;
/// The longest analysis, bytes.
const MAX_BYTES: usize = 2000;

/// Why an analysis cannot be registered with a query.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("analysis `{analysis}`: {what}")]
pub struct AnalysisError {
    /// Its text.
    pub analysis: String,
    /// What is wrong and what to do.
    pub what: String,
}

const USAGE: &str = "the analyses are
  two-by-two exposure=KEY [exposed=VALUE unexposed=VALUE] (outcome=KEY [case=VALUE noncase=VALUE] count=COUNT | cases=COUNT total=COUNT)
  contingency rows=KEY columns=KEY count=COUNT
  means mean=AVG (sd=STDDEV_SAMP | variance=VAR_SAMP) n=COUNT
  welch by=KEY [first=VALUE second=VALUE] mean=AVG (sd=… | variance=…) n=COUNT
  proportions cases=COUNT total=COUNT
  survival time=BUCKETS leaving=COUNT events=COUNT [by=KEY]
  rates events=COUNT time=SUM [per=NUMBER]
  standardised-rates events=COUNT time=SUM strata=KEY weights=VALUE:PERSONS,… [by=KEY] [per=NUMBER]
where KEY, COUNT and so on are labels of the query's outputs; put values with blanks into \"double quotes\"";

impl Analysis {
    /// Reads an analysis and checks it against its query.
    ///
    /// # Errors
    /// Not an analysis, or labels that the query does not have or that mean something else there.
    pub fn parse(
        text: &str,
        query: &CohortQuery,
        registry: &Registry,
    ) -> Result<Self, AnalysisError> {
        let error = |what: String| AnalysisError {
            analysis: text.chars().take(200).collect(),
            what,
        };
        if text.len() > MAX_BYTES {
            return Err(error(format!("longer than {MAX_BYTES} bytes")));
        }
        let mut words = words(text).map_err(error)?.into_iter();
        let kind = words.next().unwrap_or_default().to_string();
        let mut fields = Fields {
            query,
            registry,
            given: Vec::new(),
        };
        for word in words {
            let Some((name, value)) = word.field() else {
                return Err(error(format!("'{word}' is not name=value; {USAGE}")));
            };
            if fields.given.iter().any(|(n, _)| *n == name) {
                return Err(error(format!("{name} is given twice")));
            }
            fields.given.push((name, value));
        }
        let analysis = fields.read(&kind).map_err(error)?;
        if let Some((name, _)) = fields.given.first() {
            return Err(error(format!("{kind} has no {name}; {USAGE}")));
        }
        let inputs = Inputs { query, registry };
        inputs.check(&analysis).map_err(error)?;
        Ok(analysis)
    }
}

/// What was given and is not read yet.
struct Fields<'a> {
    query: &'a CohortQuery,
    registry: &'a Registry,
    given: Vec<(String, Word)>,
}

type Read<T> = Result<T, String>;

impl Fields<'_> {
    fn read(&mut self, kind: &str) -> Read<Analysis> {
        Ok(match kind {
            "two-by-two" => Analysis::TwoByTwo(self.two_by_two()?),
            "contingency" => Analysis::Contingency(Contingency {
                rows: self.key("rows")?,
                columns: self.key("columns")?,
                count: self.count("count")?,
            }),
            "means" => Analysis::Means(self.means()?),
            "welch" => {
                let by = self.key("by")?;
                let groups = self.two("first", "second", &by)?;
                Analysis::Welch(Welch {
                    by,
                    groups,
                    sample: self.means()?,
                })
            }
            "proportions" => Analysis::Proportions(Shares {
                cases: self.count("cases")?,
                total: self.count("total")?,
            }),
            "survival" => Analysis::Survival(Survival {
                time: self.time()?,
                leaving: self.count("leaving")?,
                events: self.count("events")?,
                by: self.optional_key("by")?,
            }),
            "rates" => Analysis::Rates(self.rates()?),
            "standardised-rates" | "standardized-rates" => {
                let strata = self.key("strata")?;
                let weights = self.weights(&strata)?;
                Analysis::Standardised(Standardised {
                    rates: self.rates()?,
                    strata,
                    weights,
                    by: self.optional_key("by")?,
                })
            }
            other => return Err(format!("there is no analysis '{other}'; {USAGE}")),
        })
    }

    fn optional_word(&mut self, name: &str) -> Option<Word> {
        let at = self.given.iter().position(|(n, _)| n == name)?;
        Some(self.given.remove(at).1)
    }

    fn optional(&mut self, name: &str) -> Option<String> {
        self.optional_word(name).map(|w| w.to_string())
    }

    fn required_word(&mut self, name: &str) -> Read<Word> {
        let value = self.optional_word(name);
        value.ok_or_else(|| format!("{name} is missing; {USAGE}"))
    }

    fn required(&mut self, name: &str) -> Read<String> {
        Ok(self.required_word(name)?.to_string())
    }

    /// The output of a label, if it is the only one.
    fn output(&self, label: &str) -> Read<&OutputValue> {
        let mut found = self.query.outputs.iter().filter(|o| o.label == label);
        match (found.next(), found.next()) {
            (Some(output), None) => Ok(&output.value),
            (Some(_), Some(_)) => Err(format!(
                "several outputs are labelled {label}; give each its own AS in the query"
            )),
            (None, _) => {
                let labels: Vec<&str> = self
                    .query
                    .outputs
                    .iter()
                    .map(|o| o.label.as_str())
                    .collect();
                Err(format!(
                    "no output is labelled {label}; there are {}",
                    labels.join(", ")
                ))
            }
        }
    }

    fn labelled(
        &mut self,
        name: &str,
        what: &str,
        is: impl Fn(&Aggregate) -> bool,
    ) -> Read<String> {
        let label = self.required(name)?;
        match self.output(&label)? {
            OutputValue::Aggregate(a) if is(a) => Ok(label),
            _ => Err(format!("{name}={label} is not {what}")),
        }
    }

    fn count(&mut self, name: &str) -> Read<String> {
        let registry = self.registry;
        let boolean = |c: &usize| matches!(registry.columns[*c].kind, ColumnKind::Boolean);
        self.labelled(name, "a count (count, or sum of a boolean)", |a| match a {
            Aggregate::CountAll | Aggregate::Count(_) => true,
            Aggregate::Sum(c) => boolean(c),
            _ => false,
        })
    }

    /// A key's label.
    fn key(&mut self, name: &str) -> Read<String> {
        let label = self.required(name)?;
        self.grouping(name, &label)?;
        Ok(label)
    }

    /// What a key groups by.
    fn grouping(&self, name: &str, label: &str) -> Read<&Grouping> {
        match self.output(label)? {
            OutputValue::Key(i) => Ok(&self.query.group_by[*i]),
            OutputValue::Aggregate(_) => Err(format!("{name}={label} is no key of GROUP BY")),
        }
    }

    /// The values of a key but NULL, as an analysis names them.
    fn values(&self, label: &str) -> Read<Vec<String>> {
        let grouping = self.grouping("key", label)?;
        let column = &self.registry.columns[grouping.column];
        Ok(match &grouping.bins {
            None => (0..=column.span())
                .map(|v| column.format_stored(v))
                .collect(),
            Some(bins) => bins.iter().map(|b| b.name.to_string()).collect(),
        })
    }

    fn optional_key(&mut self, name: &str) -> Read<Option<String>> {
        if self.given.iter().all(|(n, _)| n != name) {
            return Ok(None);
        }
        Ok(Some(self.key(name)?))
    }

    /// Two values of a key; true and false where it is a boolean and they are not given.
    fn two(&mut self, first: &str, second: &str, key: &str) -> Read<[String; 2]> {
        let column = self.grouping(first, key)?.column;
        let is_boolean = matches!(self.registry.columns[column].kind, ColumnKind::Boolean);
        let values = match (self.optional(first), self.optional(second)) {
            (None, None) if is_boolean => ["true", "false"].map(str::to_owned),
            (Some(a), Some(b)) => [a, b],
            _ => return Err(format!("give both {first} and {second}")),
        };
        values.iter().try_for_each(|v| self.value_of(key, v))?;
        if values[0] == values[1] {
            return Err(format!("{first} and {second} are the same"));
        }
        Ok(values)
    }

    /// That a key has the value.
    fn value_of(&self, key: &str, value: &str) -> Read<()> {
        let values = self.values(key)?;
        if values.iter().any(|v| v == value) {
            return Ok(());
        }
        let missing = match value.eq_ignore_ascii_case("null") {
            true => " (missing values are no group of an analysis)",
            false => "",
        };
        let first: Vec<&str> = values.iter().take(20).map(String::as_str).collect();
        let more = if values.len() > 20 { " and others" } else { "" };
        Err(format!(
            "{key} has no value {value}{missing}; it has {}{more}",
            first.join(", ")
        ))
    }

    fn two_by_two(&mut self) -> Read<TwoByTwo> {
        let exposure = self.key("exposure")?;
        let groups = self.two("exposed", "unexposed", &exposure)?;
        let outcome = if self.given.iter().any(|(n, _)| n == "outcome") {
            let outcome = self.key("outcome")?;
            let values = self.two("case", "noncase", &outcome)?;
            Outcome::Key {
                outcome,
                values,
                count: self.count("count")?,
            }
        } else {
            Outcome::Counts {
                cases: self.count("cases")?,
                total: self.count("total")?,
            }
        };
        Ok(TwoByTwo {
            exposure,
            groups,
            outcome,
        })
    }

    fn means(&mut self) -> Read<Means> {
        let mean = self.labelled("mean", "an avg", |a| matches!(a, Aggregate::Avg(_)))?;
        let is_variance = self.given.iter().any(|(n, _)| n == "variance");
        let spread = if is_variance {
            let is = |a: &Aggregate| matches!(a, Aggregate::VarSamp(_));
            self.labelled("variance", "a var_samp", is)?
        } else {
            let is = |a: &Aggregate| matches!(a, Aggregate::StddevSamp(_));
            self.labelled("sd", "a stddev_samp", is)?
        };
        let n = self.count("n")?;
        self.same_column(&mean, &spread, &n)?;
        Ok(Means {
            mean,
            spread,
            is_variance,
            n,
        })
    }

    /// That mean, spread and number are of one column under one filter.
    fn same_column(&self, mean: &str, spread: &str, n: &str) -> Read<()> {
        let find = |label: &str| self.query.output(label);
        let (Some(mean_of), Some(spread_of), Some(count)) = (find(mean), find(spread), find(n))
        else {
            return Ok(());
        };
        let column = |value: &OutputValue| match value {
            OutputValue::Aggregate(
                Aggregate::Avg(c) | Aggregate::VarSamp(c) | Aggregate::StddevSamp(c),
            ) => Some(*c),
            _ => None,
        };
        let (a, b) = (column(&mean_of.value), column(&spread_of.value));
        let counts = match (&count.value, a) {
            (OutputValue::Aggregate(Aggregate::Count(c)), Some(a)) => *c == a,
            (OutputValue::Aggregate(Aggregate::CountAll), Some(a)) => {
                let counted = self.query.population(self.registry, count);
                let known = Predicate::IsNotNull { column: a };
                !self.registry.columns[a].nullable || counted.lies_within(&known)
            }
            _ => false,
        };
        let filtered = mean_of.filter == spread_of.filter && mean_of.filter == count.filter;
        if a == b && counts && filtered {
            return Ok(());
        }
        Err(format!(
            "{mean}, {spread} and {n} must be avg, spread and count of one column, under the same FILTER"
        ))
    }

    /// Buckets that begin at or below every time.
    fn time(&mut self) -> Read<String> {
        let label = self.key("time")?;
        let bins = self.grouping("time", &label)?.bins.as_ref();
        let first = bins.and_then(|b| b.first()).map(|b| &b.name);
        match first {
            Some(BinName::Bucket { number: 1.., .. }) => Ok(label),
            Some(BinName::Bucket { .. }) => Err(format!(
                "{label} has times below its first bucket; let it begin at the column's minimum"
            )),
            _ => Err(format!("{label} is no width_bucket of a time")),
        }
    }

    fn rates(&mut self) -> Read<Rates> {
        let events = self.count("events")?;
        let time = self.labelled("time", "a sum or a count", |a| {
            matches!(
                a,
                Aggregate::Sum(_) | Aggregate::CountAll | Aggregate::Count(_)
            )
        })?;
        let per = match self.optional("per") {
            None => 1,
            Some(text) => text
                .parse()
                .ok()
                .filter(|n| *n > 0)
                .ok_or_else(|| format!("per={text} is no whole number above 0"))?,
        };
        Ok(Rates { events, time, per })
    }

    /// A weight for each stratum: one that is meant to be left out has 0.
    fn weights(&mut self, strata: &str) -> Read<Vec<(String, u64)>> {
        let list = self.required_word("weights")?.list()?;
        let mut weights: Vec<(String, u64)> = Vec::new();
        for pair in list {
            let parsed = pair.pair().and_then(|(value, persons)| {
                let persons = persons.parse().ok().filter(|n| (0..1 << 40).contains(n))?;
                Some((value, persons))
            });
            let Some((value, persons)) = parsed else {
                return Err(format!(
                    "weights: '{pair}' is not VALUE:PERSONS; put a VALUE with a comma into double quotes, \
                     weights=\"1,5\":300,2:400"
                ));
            };
            self.value_of(strata, &value)?;
            if weights.iter().any(|(v, _)| *v == value) {
                return Err(format!("weights: {value} stands twice"));
            }
            weights.push((value, persons));
        }
        if weights.iter().all(|(_, w)| *w == 0) {
            return Err("weights: all are 0".to_owned());
        }
        let weighted = |name: &String| weights.iter().any(|(v, _)| v == name);
        match self.values(strata)?.iter().find(|n| !weighted(n)) {
            Some(name) => Err(format!(
                "weights: stratum {name} of {strata} has none; give it 0 to leave it out"
            )),
            None => Ok(weights),
        }
    }
}
