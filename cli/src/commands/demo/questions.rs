//! The three questions of the demonstration, each with what it shows.

/// A question and why it is asked.
pub struct DemoQuestion {
    /// Its title, as registered.
    pub title: &'static str,
    /// The query.
    pub sql: &'static str,
    /// What to look at in the answer.
    pub lesson: &'static str,
}

/// In this order, the third uses columns that the first made.
pub const QUESTIONS: [DemoQuestion; 3] = [
    DemoQuestion {
        title: "LDL in diabetes over 60",
        sql: "SELECT count(*) AS patients, count(ldl) AS measured, avg(ldl) AS mean_ldl, stddev_samp(ldl) AS sd_ldl\n\
              FROM cardio WHERE diabetes AND age > 60",
        lesson: "NULL is SQL's: a patient without an LDL value counts as a patient, but in no mean.",
    },
    DemoQuestion {
        title: "Regions of residence",
        sql: "SELECT region, count(*) AS patients FROM cardio GROUP BY region",
        lesson: "A region may be so small that its patients could be told apart: the release rule\n\
                 hides its count, and one more where the first could be had from a total. The\n\
                 hospital cannot hide any other.",
    },
    DemoQuestion {
        title: "Statins and infarction in diabetes over 60",
        sql: "SELECT statin, count(*) AS patients, avg(ldl) AS mean_ldl, count(mi_5y) AS followed, avg(mi_5y) AS mi_rate\n\
              FROM cardio WHERE diabetes AND age > 60 GROUP BY statin",
        lesson: "Groups and several means cost what one count costs: it is one proof all the same.",
    },
];
