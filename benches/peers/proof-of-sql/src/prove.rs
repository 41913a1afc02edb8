//! Committing the table, proving and verifying the queries on it, and a line of JSON for each step.

use std::error::Error;

use datafusion::config::ConfigOptions;
use proof_of_sql::{
    base::{
        commitment::CommitmentEvaluationProof, try_standard_binary_deserialization,
        try_standard_binary_serialization,
    },
    sql::{proof::VerifiableQueryResult, proof_plans::DynProofPlan},
};
use proof_of_sql_planner::sql_to_proof_plans;
use serde::{de::DeserializeOwned, Serialize};
use serde_json::{json, Value};
use sqlparser::{dialect::GenericDialect, parser::Parser};

use crate::{
    answer,
    measure::{Clock, Taken},
    patients::Patients,
    queries::{Answer, Query},
    table::Table,
    tamper,
};

type Failure = Box<dyn Error>;

/// What is asked for, whatever the scheme.
pub struct Bench<'a> {
    pub scheme: &'static str,
    pub rows: usize,
    pub repetitions: usize,
    pub queries: &'a [Query],
}

/// One scheme's committed table and setups.
struct Committed<'t, 'p, 'v, CP: CommitmentEvaluationProof> {
    table: Table<'t, CP::Commitment>,
    prover: CP::ProverPublicSetup<'p>,
    verifier: CP::VerifierPublicSetup<'v>,
}

impl Bench<'_> {
    /// Commits the table, and proves every query as often as asked.
    pub fn run<CP>(
        &self,
        prover: CP::ProverPublicSetup<'_>,
        verifier: CP::VerifierPublicSetup<'_>,
    ) -> Result<(), Failure>
    where
        CP: CommitmentEvaluationProof + Serialize + DeserializeOwned,
        CP::Scalar: 'static,
    {
        let patients = Patients::new(self.rows);
        let clock = Clock::start();
        let table = Table::commit(self.rows, patients.columns(), &prover);
        let time = clock.stop();
        let mut bytes = 0;
        for commitment in table.commitments() {
            bytes += try_standard_binary_serialization(commitment)?.len();
        }
        self.say("commit", json!({ "commitment_bytes": bytes }), &time);
        let committed = Committed::<CP> {
            table,
            prover,
            verifier,
        };
        for query in self.queries {
            let plan = committed.plan(query.sql())?;
            let expected = query.expected(&patients);
            for repetition in 0..self.repetitions {
                let (found, time) = committed.answer(&plan, &expected)?;
                let step = json!({ "query": query.name(), "repetition": repetition });
                self.say("prove", merged(step, found), &time);
            }
        }
        Ok(())
    }

    pub fn say_setup(&self, time: &Taken, points: usize) {
        self.say("setup", json!({ "points": points }), time);
    }

    /// One line on standard output, as soon as it is known.
    fn say(&self, step: &str, found: Value, time: &Taken) {
        let what = json!({ "step": step, "scheme": self.scheme, "rows": self.rows });
        let taken = json!({
            "wall_s": time.wall_s,
            "cpu_s": time.cpu_s,
            "peak_mib": time.peak_mib,
        });
        println!("{}", merged(merged(what, taken), found));
    }
}

impl<CP> Committed<'_, '_, '_, CP>
where
    CP: CommitmentEvaluationProof + Serialize + DeserializeOwned,
    CP::Scalar: 'static,
{
    fn plan(&self, sql: &str) -> Result<DynProofPlan, Failure> {
        let statements = Parser::parse_sql(&GenericDialect {}, sql)?;
        let plans = sql_to_proof_plans(&statements, &self.table, &ConfigOptions::default())
            .map_err(|e| format!("{sql}: {e:?}"))?;
        plans.into_iter().next().ok_or_else(|| "no plan".into())
    }

    /// Proves once and verifies what was proven, from its bytes. The time is that of proving alone.
    fn answer(&self, plan: &DynProofPlan, expected: &Answer) -> Result<(Value, Taken), Failure> {
        let clock = Clock::start();
        let proven = VerifiableQueryResult::<CP>::new(plan, &self.table, &self.prover, &[]);
        let time = clock.stop();
        let proven = proven.map_err(|e| format!("proving: {e:?}"))?;
        let proof_bytes = try_standard_binary_serialization(&proven.proof)?.len();
        let bytes = try_standard_binary_serialization(&proven)?;
        let clock = Clock::start();
        let verified = self.verify(plan, &bytes);
        let verifying = clock.stop();
        let answer = verified?;
        if answer != *expected {
            return Err(
                format!("proven is {answer:?}, but plain computation gives {expected:?}").into(),
            );
        }
        let changed = |at: usize| tamper::outcome(&bytes, at, |b| self.verify(plan, b));
        // The result stands before the proof. Both are changed near their ends, where numbers stand.
        let result_bytes = bytes.len() - proof_bytes;
        let found = json!({
            "proof_bytes": proof_bytes,
            "result_bytes": result_bytes,
            "verify_ms": verifying.wall_s * 1e3,
            "answer": answer,
            "changed_result": changed(result_bytes - 1),
            "changed_proof": changed(bytes.len() - 40),
        });
        Ok((found, time))
    }

    fn verify(&self, plan: &DynProofPlan, bytes: &[u8]) -> Result<Answer, Failure> {
        let (read, _): (VerifiableQueryResult<CP>, _) = try_standard_binary_deserialization(bytes)?;
        let data = read
            .verify(plan, &self.table, &self.verifier, &[])
            .map_err(|e| format!("verification: {e:?}"))?;
        answer::rows(&data.table)
    }
}

/// The fields of both objects.
fn merged(mut one: Value, other: Value) -> Value {
    if let (Value::Object(into), Value::Object(from)) = (&mut one, other) {
        into.extend(from);
    }
    one
}
