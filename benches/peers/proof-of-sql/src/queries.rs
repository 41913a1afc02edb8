//! The queries, and their answers by plain computation.

use crate::patients::Patients;

/// Rows of numbers; a group's rows begin with its key, and stand in its order.
pub type Answer = Vec<Vec<i64>>;

/// One of the three queries.
#[derive(Clone, Copy)]
pub enum Query {
    Q1,
    Q2,
    Q3,
}

impl Query {
    const ALL: [Self; 3] = [Self::Q1, Self::Q2, Self::Q3];

    /// `all`, or names with commas between them.
    pub fn several(names: &str) -> Option<Vec<Self>> {
        if names == "all" {
            return Some(Self::ALL.to_vec());
        }
        names
            .split(',')
            .map(|name| Self::ALL.into_iter().find(|q| q.name() == name))
            .collect()
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Q1 => "Q1",
            Self::Q2 => "Q2",
            Self::Q3 => "Q3",
        }
    }

    /// The query in the peer's SQL.
    pub fn sql(self) -> &'static str {
        match self {
            Self::Q1 => "SELECT COUNT(*) AS c FROM patients WHERE sex AND dx",
            Self::Q2 => {
                "SELECT COUNT(*) AS c, SUM(ldl) AS s FROM patients \
                 WHERE age >= 40 AND age <= 65 AND sex AND hba1c >= 65"
            }
            Self::Q3 => "SELECT sex, COUNT(*) AS c FROM patients WHERE age >= 40 GROUP BY sex",
        }
    }

    /// The answer without any proof.
    pub fn expected(self, p: &Patients) -> Answer {
        let count = |keep: &dyn Fn(usize) -> bool| {
            let kept = (0..p.rows()).filter(|i| keep(*i));
            kept.fold((0, 0), |(n, sum), i| (n + 1, sum + p.ldl[i]))
        };
        match self {
            Self::Q1 => vec![vec![count(&|i| p.sex[i] && p.dx[i]).0]],
            Self::Q2 => {
                let (n, sum) =
                    count(&|i| (40..=65).contains(&p.age[i]) && p.sex[i] && p.hba1c[i] >= 65);
                vec![vec![n, sum]]
            }
            Self::Q3 => [false, true]
                .map(|sex| (sex, count(&|i| p.age[i] >= 40 && p.sex[i] == sex).0))
                .into_iter()
                // A group without rows is not in an answer of SQL.
                .filter(|(_, n)| *n > 0)
                .map(|(sex, n)| vec![i64::from(sex), n])
                .collect(),
        }
    }
}
