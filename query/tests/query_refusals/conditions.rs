//! What is refused in WHERE.

use crate::messages;

#[test]
fn each_has_its_message() {
    let wheres = [
        "age = bmi",
        "age + 5 > 70",
        "-age < 5",
        "abs(age) > 3",
        "avg(age) > 3",
        "age",
        "1",
        "'x'",
        "grade < '2'",
        "grade BETWEEN '1' AND '3'",
        "htn > FALSE",
        "grade = '4'",
        "grade = 4",
        "gender = 'male'",
        "gender IN ('8507', '8508')",
        "grade = TRUE",
        "grade LIKE '1%'",
        "grade ~ '1'",
        "grade || 'x' = '1x'",
        "grade = 'a' COLLATE \"C\"",
        "age = '40'",
        "age = 'forty'",
        "age = TRUE",
        "age = DATE '2020-01-01'",
        "age = \"40\"",
        "htn = 2",
        "htn = (age > 5)",
        "birth > 2000",
        "birth > '2000'",
        "birth > DATE '2021-02-29'",
        "birth > DATE '2000-01-01' + INTERVAL '1 year'",
        "birth > now()",
        "birth > CURRENT_DATE",
        "EXTRACT(year FROM birth) = 1980",
        "age::text = '4'",
        "agee > 4",
        "wholly_unknown > 4",
        "x.age > 4",
        "patient_id = 'p1'",
        "consent_research",
        "age IN (1, bmi)",
        "age + 1 IN (1, 2)",
        "(age, bmi) = (1, 2)",
        "age IN (SELECT 1)",
        "EXISTS (SELECT 1)",
        "age = (SELECT 1)",
        "age = ANY (ARRAY[1, 2])",
        "CASE WHEN htn THEN TRUE ELSE FALSE END",
        "age IS DISTINCT FROM 4",
        "age IS TRUE",
        "'a' = 'b'",
        "age = $1",
        "age = 0x10",
        "row_number() OVER () = 1",
        "age = 40 AND",
        "age = 'open",
        "age == = 4",
    ];
    let from = "SELECT count(*) FROM breast_cancer WHERE ";
    let text = messages(wheres.map(|w| (w, format!("{from}{w}"))));
    insta::assert_snapshot!(text, @r##"
age = bmi
    line 1, column 42: comparing a column with a column is not supported; compare each with a constant, or have the hospitals add the difference as a column of the registry
age + 5 > 70
    line 1, column 42: arithmetic in WHERE is not supported; move it to the constant and write the result: x >= 65 instead of x + 5 >= 70
-age < 5
    line 1, column 43: arithmetic in WHERE is not supported; move it to the constant and write the result: x >= 65 instead of x + 5 >= 70
abs(age) > 3
    line 1, column 42: abs() in WHERE is not supported; compare the column itself with the values or ranges that you mean: column BETWEEN -5 AND 5, or column IN (1, 2)
avg(age) > 3
    line 1, column 42: avg() in WHERE is not supported; aggregates stand in the SELECT list; WHERE chooses the patients before
age
    line 1, column 42: column age is a number, not a condition; compare it with a constant
1
    line 1, column 42: a constant that is not TRUE, FALSE or NULL as a condition is not supported; compare a column with it; for one of several values write column IN (1, 2)
'x'
    line 1, column 42: a constant that is not TRUE, FALSE or NULL as a condition is not supported; compare a column with it; for one of several values write column IN (1, 2)
grade < '2'
    line 1, column 50: column grade is a category: its values have no order; use =, <> or IN with the values you mean
grade BETWEEN '1' AND '3'
    line 1, column 56: column grade is a category: its values have no order; use =, <> or IN with the values you mean
htn > FALSE
    line 1, column 48: column htn is a boolean: its values have no order; use =, <> or IN with the values you mean
grade = '4'
    line 1, column 50: column grade has no code '4'; near ones: '1', '2', '3'
grade = 4
    line 1, column 50: column grade has no code '4'; near ones: '1', '2', '3'
gender = 'male'
    line 1, column 51: column gender has no code 'male'; did you mean '8507' (male)?
gender IN ('8507', '8508')
    line 1, column 61: column gender has no code '8508'; near ones: '8507' (male), '8532' (female)
grade = TRUE
    line 1, column 50: column grade is a category; write one of its codes, e.g. '1'
grade LIKE '1%'
    line 1, column 42: LIKE is not supported; write grade IN ('1')
grade ~ '1'
    line 1, column 42: the operator ~ is not supported; list the codes you mean with IN (…)
grade || 'x' = '1x'
    line 1, column 42: the operator || is not supported; list the codes you mean with IN (…)
grade = 'a' COLLATE "C"
    line 1, column 50: COLLATE is not supported; list the codes you mean with IN (…)
age = '40'
    line 1, column 48: column age is a number; write 40 without quotes
age = 'forty'
    line 1, column 48: column age is a number; write a number without quotes
age = TRUE
    line 1, column 48: column age is a number; write a number
age = DATE '2020-01-01'
    line 1, column 53: column age is a number; write a number
age = "40"
    line 1, column 48: there is no column 40; write 40 without quotes
htn = 2
    line 1, column 48: column htn is a boolean; write TRUE or FALSE
htn = (age > 5)
    line 1, column 49: the result of a comparison as a value is not supported; use the comparison as a condition of its own, with AND, OR and NOT; for a range write column BETWEEN low AND high
birth > 2000
    line 1, column 50: column birth is a date; write a day, DATE '2000-01-01' or DATE '2000-12-31'; for all of the year BETWEEN these two
birth > '2000'
    line 1, column 50: '2000' is not a calendar date; write a day, DATE '2000-01-01' or DATE '2000-12-31'; for all of the year BETWEEN these two
birth > DATE '2021-02-29'
    line 1, column 55: '2021-02-29' is not a calendar date; write DATE 'YYYY-MM-DD'
birth > DATE '2000-01-01' + INTERVAL '1 year'
    line 1, column 55: arithmetic with dates is not supported; write the resulting date as a constant, DATE 'YYYY-MM-DD': what the query asks must not change with the day
birth > now()
    line 1, column 50: now() in WHERE is not supported; write the resulting date as a constant, DATE 'YYYY-MM-DD': what the query asks must not change with the day
birth > CURRENT_DATE
    line 1, column 50: current_date() in WHERE is not supported; write the resulting date as a constant, DATE 'YYYY-MM-DD': what the query asks must not change with the day
EXTRACT(year FROM birth) = 1980
    line 1, column 60: EXTRACT is not supported; compare the date with the bounds of the period, e.g. BETWEEN DATE '2020-01-01' AND DATE '2020-12-31'
age::text = '4'
    line 1, column 42: a cast is not supported; leave it out and compare age with a constant of its own type
agee > 4
    line 1, column 42: there is no column agee; did you mean age?
wholly_unknown > 4
    line 1, column 42: there is no column wholly_unknown; the columns are age, bmi, platelets, grade, gender, birth, htn
x.age > 4
    line 1, column 42: there is no column x.age; write breast_cancer.column or the column alone
patient_id = 'p1'
    line 1, column 42: column patient_id cannot be queried: it names the patient and is never committed, so nothing can be proven about it; count(*) counts the patients
consent_research
    line 1, column 42: column consent_research cannot be queried: it holds the patients' consent; every answer counts only those who consented to the query's purpose, and the proof shows it
age IN (1, bmi)
    line 1, column 53: a column in an IN list is not supported; list constants only
age + 1 IN (1, 2)
    line 1, column 42: IN with anything but a column before it is not supported; write column IN (constant, …)
(age, bmi) = (1, 2)
    line 1, column 43: a row value is not supported; compare each column on its own and join with AND
age IN (SELECT 1)
    line 1, column 42: a subquery is not supported; write the condition on the patient's row itself, or list the values with IN (…)
EXISTS (SELECT 1)
    line 1, column 50: a subquery is not supported; write the condition on the patient's row itself, or list the values with IN (…)
age = (SELECT 1)
    line 1, column 49: a subquery is not supported; write the condition on the patient's row itself, or list the values with IN (…)
age = ANY (ARRAY[1, 2])
    line 1, column 42: ANY is not supported; list the values with IN (…)
CASE WHEN htn THEN TRUE ELSE FALSE END
    line 1, column 42: CASE is not supported; write the conditions with AND, OR and NOT
age IS DISTINCT FROM 4
    line 1, column 42: IS DISTINCT FROM is not supported; write (age <> 4 OR age IS NULL)
age IS TRUE
    line 1, column 42: column age is a number, not a condition; compare it with a constant
'a' = 'b'
    line 1, column 42: comparing these constants is not supported; compare a column with a constant, or write TRUE or FALSE
age = $1
    line 1, column 48: the parameter has no value; write the value itself: the query's text is what is proven
age = 0x10
    line 1, column 48: this kind of constant is unknown; write 'text', 12.5, TRUE, FALSE, NULL or DATE 'YYYY-MM-DD'
row_number() OVER () = 1
    line 1, column 42: row_number() in WHERE is not supported; compare the column itself with constants
age = 40 AND
    line 1, column 54: Expected: an expression, found: EOF; the text ends before it is complete
age = 'open
    line 1, column 48: Unterminated string literal; close it with ', and double a ' that is part of it
age == = 4
    line 1, column 49: Expected: an expression, found: =; write one =, with a value behind it
"##);
}
