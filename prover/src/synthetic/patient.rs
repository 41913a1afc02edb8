//! One made-up patient.

use time::Date;
use time::macros::date;

use super::codes::{CORONARY, DIABETIC, GENERAL, HYPERTENSIVE, REGIONS, SEXES};
use super::dice::{Dice, whole};

/// Columns of the table.
pub(super) const WIDTH: usize = 26;

/// A column's type in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Flag,
    /// A number with this many digits after the point.
    Number(u8),
    Day,
}

/// Names and types in the order of [`Patient::cells`].
pub(super) const COLUMNS: [(&str, Type); WIDTH] = [
    ("patient_id", Type::Text),
    ("consent_research", Type::Flag),
    ("consent_cardio", Type::Flag),
    ("sex", Type::Text),
    ("age", Type::Number(0)),
    ("region", Type::Text),
    ("smoker", Type::Text),
    ("bmi", Type::Number(1)),
    ("sbp", Type::Number(0)),
    ("dbp", Type::Number(0)),
    ("ldl", Type::Number(2)),
    ("hba1c", Type::Number(1)),
    ("diabetes", Type::Flag),
    ("hypertension", Type::Flag),
    ("statin", Type::Flag),
    ("mi_5y", Type::Flag),
    ("main_diagnosis", Type::Text),
    ("first_visit", Type::Day),
    ("days_in_hospital", Type::Number(0)),
    ("cost_eur", Type::Number(2)),
    ("heart_failure", Type::Flag),
    ("atrial_fibrillation", Type::Flag),
    ("kidney_disease", Type::Flag),
    ("copd", Type::Flag),
    ("follow_up_months", Type::Number(0)),
    ("death", Type::Flag),
];

/// A cell; numbers are in units of their column's last digit.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    Id(String),
    Text(Option<&'static str>),
    Flag(Option<bool>),
    Number(Option<i64>),
    Day(Date),
}

/// First visits lie within so many days of the first one.
const FIRST: Date = date!(2005 - 01 - 01);
const DAYS: u32 = 7_670;

/// What the measurements and diagnoses depend on; known even where the table has NULL.
struct Body {
    male: bool,
    age: f64,
    smoker: &'static str,
    bmi: f64,
    diabetes: bool,
    hypertension: bool,
    statin: bool,
}

/// The table's row `index`, drawn with the next numbers of the dice.
pub(super) fn draw(dice: &mut Dice, seed: u64, index: u64) -> [Cell; WIDTH] {
    let research = dice.chance(0.94);
    let cardio = dice.chance(if research { 0.91 } else { 0.40 });
    let sex = dice.pick(SEXES);
    let region = dice.pick(REGIONS);
    let body = Body::draw(dice, sex == "M");
    let [sbp, dbp] = body.pressures(dice);
    let ldl = body.ldl(dice);
    let hba1c = body.hba1c(dice);
    let (infarction, first_visit) = body.follow_up(dice, ldl);
    let diagnosis = body.diagnosis(dice, infarction);
    let (days, cost) = body.stay(dice);
    let comorbidities = body.comorbidities(dice);
    let (months, death) = body.survival(dice, comorbidities, first_visit);

    let pressure_known = !dice.chance(0.04);
    let hba1c_known = !dice.chance(if body.diabetes { 0.05 } else { 0.32 });
    let number = |known: bool, value: i64| Cell::Number(known.then_some(value));
    [
        Cell::Id(patient_id(seed, index)),
        Cell::Flag(Some(research)),
        Cell::Flag(Some(cardio)),
        Cell::Text(Some(sex)),
        number(true, whole(body.age, 18, 100)),
        Cell::Text(Some(region)),
        Cell::Text((!dice.chance(0.06)).then_some(body.smoker)),
        number(!dice.chance(0.07), whole(body.bmi * 10.0, 120, 700)),
        number(pressure_known, whole(sbp, 70, 250)),
        number(pressure_known, whole(dbp, 35, 150)),
        number(!dice.chance(0.18), whole(ldl * 100.0, 30, 1_200)),
        number(hba1c_known, whole(hba1c * 10.0, 30, 180)),
        Cell::Flag(Some(body.diabetes)),
        Cell::Flag(Some(body.hypertension)),
        Cell::Flag(Some(body.statin)),
        Cell::Flag(infarction),
        Cell::Text(Some(diagnosis)),
        Cell::Day(first_visit),
        number(true, days),
        number(true, cost),
        Cell::Flag(Some(comorbidities[0])),
        Cell::Flag(Some(comorbidities[1])),
        Cell::Flag(Some(comorbidities[2])),
        Cell::Flag(Some(comorbidities[3])),
        number(true, months),
        Cell::Flag(Some(death)),
    ]
}

/// `P` and ten digits, different for each index below 10^10 (the factor has no divisor in common
/// with 10^10), and in no visible order.
fn patient_id(seed: u64, index: u64) -> String {
    const SPACE: u128 = 10_000_000_000;
    let number = (u128::from(index) * 7_654_321_987 + u128::from(seed) * 1_234_577) % SPACE;
    format!("P{number:010}")
}

fn days_since(first: Date, day: Date) -> f64 {
    f64::from(u16::try_from((day - first).whole_days()).unwrap_or(u16::MAX))
}

/// By how much `value` lies above `floor`, or 0.
fn above(value: f64, floor: f64) -> f64 {
    (value - floor).max(0.0)
}

impl Body {
    fn draw(dice: &mut Dice, male: bool) -> Self {
        let age = loop {
            let age = (58.0 + 17.0 * dice.normal()).round();
            if (18.0..=100.0).contains(&age) {
                break age;
            }
        };
        let current = if age < 65.0 { 24 } else { 12 } + if male { 4 } else { 0 };
        let former = if age < 40.0 { 14 } else { 30 };
        let smoker = dice.pick(&[
            ("never", 100 - current - former),
            ("former", former),
            ("current", current),
        ]);
        let spread = dice.normal();
        let bmi = 25.6 + 0.03 * (age - 50.0) - 0.0016 * above(age, 70.0) * above(age, 70.0)
            + 3.6 * spread
            + 0.9 * above(spread, 0.0) * above(spread, 0.0);
        let diabetes =
            dice.chance((0.015 + 0.0028 * above(age, 40.0) + 0.013 * above(bmi, 25.0)).min(0.6));
        let hypertension =
            dice.chance((0.05 + 0.008 * above(age, 35.0) + 0.012 * above(bmi, 25.0)).min(0.85));
        let statin = 0.02
            + if diabetes { 0.25 } else { 0.0 }
            + if hypertension { 0.15 } else { 0.0 }
            + 0.004 * above(age, 45.0);
        Self {
            male,
            age,
            smoker,
            bmi,
            diabetes,
            hypertension,
            statin: dice.chance(statin.min(0.8)),
        }
    }

    /// Systolic and diastolic, mmHg.
    fn pressures(&self, dice: &mut Dice) -> [f64; 2] {
        let systolic = 117.0
            + 0.30 * (self.age - 45.0)
            + 0.4 * (self.bmi - 25.0)
            + if self.hypertension { 10.0 } else { 0.0 }
            + 12.0 * dice.normal();
        let diastolic =
            76.0 + 0.38 * (systolic - 125.0) - 0.14 * above(self.age, 55.0) + 7.0 * dice.normal();
        [systolic, diastolic.min(systolic - 12.0)]
    }

    /// mmol/L.
    fn ldl(&self, dice: &mut Dice) -> f64 {
        3.4 + 0.006 * (self.age - 50.0) + 0.02 * (self.bmi - 26.0)
            - if self.statin { 1.15 } else { 0.0 }
            + 0.80 * dice.normal()
    }

    /// Per cent.
    fn hba1c(&self, dice: &mut Dice) -> f64 {
        let severity = above(dice.normal(), -0.8);
        5.35 + 0.007 * (self.age - 50.0)
            + if self.diabetes {
                0.9 + 0.9 * severity
            } else {
                0.0
            }
            + 0.28 * dice.normal()
    }

    /// Whether there was an infarction within five years of the first visit, and the first visit.
    /// Unknown for all whose five years are not over: to keep only their early infarctions would
    /// bias the rate.
    fn follow_up(&self, dice: &mut Dice, ldl: f64) -> (Option<bool>, Date) {
        const FIVE_YEARS: u32 = 1_826;
        let day = dice.below(DAYS);
        let visit = FIRST + time::Duration::days(i64::from(day));
        let risk = 0.006
            + 0.0011 * above(self.age, 40.0)
            + 0.010 * above(ldl, 3.0)
            + if self.smoker == "current" { 0.022 } else { 0.0 }
            + if self.diabetes { 0.018 } else { 0.0 }
            + if self.hypertension { 0.012 } else { 0.0 }
            + if self.male { 0.010 } else { 0.0 };
        let happened = dice.chance(risk);
        ((day + FIVE_YEARS <= DAYS).then_some(happened), visit)
    }

    fn diagnosis(&self, dice: &mut Dice, infarction: Option<bool>) -> &'static str {
        let group = if infarction == Some(true) && dice.chance(0.7) {
            CORONARY
        } else if self.diabetes && dice.chance(0.30) {
            DIABETIC
        } else if self.hypertension && dice.chance(0.22) {
            HYPERTENSIVE
        } else if dice.chance(0.0008 * self.age) {
            CORONARY
        } else {
            GENERAL
        };
        dice.pick(group)
    }

    /// Heart failure, atrial fibrillation, kidney disease, COPD.
    fn comorbidities(&self, dice: &mut Dice) -> [bool; 4] {
        let old = above(self.age, 50.0);
        let smoked = if self.smoker == "never" { 0.0 } else { 0.06 };
        let pressure = if self.hypertension { 0.04 } else { 0.0 };
        let sugar = if self.diabetes { 0.06 } else { 0.0 };
        let failure = dice.chance(0.01 + 0.003 * old + pressure);
        let fibrillation = dice.chance(0.01 + 0.004 * old + if failure { 0.2 } else { 0.0 });
        let kidney = dice.chance(0.01 + 0.003 * old + pressure + sugar);
        let copd = dice.chance(0.01 + 0.001 * old + smoked);
        [failure, fibrillation, kidney, copd]
    }

    /// Whole months from the first visit to death or to the end of the records, and whether it was death.
    fn survival(&self, dice: &mut Dice, comorbidities: [bool; 4], visit: Date) -> (i64, bool) {
        const MONTH: f64 = 30.4375;
        let raised = |present: bool, by: f64| if present { by } else { 1.0 };
        // Deaths a year; a statin spares a quarter of them.
        let hazard = 0.004
            * (0.075 * (self.age - 50.0)).exp()
            * raised(self.diabetes, 1.5)
            * raised(self.smoker == "current", 1.6)
            * raised(comorbidities[0], 2.2)
            * raised(comorbidities[2], 1.4)
            * raised(comorbidities[3], 1.7)
            * raised(self.statin, 0.75);
        let death = -(1.0 - dice.unit()).ln() / hazard * 365.25;
        let observed = f64::from(DAYS) - days_since(FIRST, visit);
        let months = whole((death.min(observed) / MONTH).floor(), 0, 252);
        (months, death < observed)
    }

    /// Days in hospital within a year, and what they cost in cents.
    fn stay(&self, dice: &mut Dice) -> (i64, i64) {
        let tail = dice.unit();
        let days = if dice.chance(0.42) {
            0.0
        } else {
            1.0 + (6.0 + 0.12 * above(self.age, 40.0)) * tail
                + 60.0 * tail * tail * tail * tail * tail * tail * dice.unit()
        };
        let cost = 140.0 + 310.0 * dice.unit() + days.round() * (520.0 + 380.0 * dice.unit());
        (whole(days, 0, 365), whole(cost * 100.0, 0, 100_000_000))
    }
}
