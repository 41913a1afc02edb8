//! What somebody writes who is used to other SQL: each message says what to write here.

use galen_query::{query::parse_query, registry::Registry};

use crate::messages;

#[test]
fn conditions() {
    let wheres = [
        "age BETWEEN SYMMETRIC 60 AND 40",
        "age NOT BETWEEN SYMMETRIC 60 AND 40",
        "age BETWEEN ASYMMETRIC 40 AND 60",
        "grade = F",
        "gender = male",
        "grade IN (F, M)",
        "F = gender",
        r#"grade = "1""#,
        r#"gender = "8507""#,
        "gender = 'O''Brien'",
        "gender <> 'male'",
        "age <> 'NaN'",
        "bmi = 'NaN'::float",
        "bmi = NaN",
        "bmi = Infinity",
        "age > 1_000",
        "age > 40,5",
        "birth > '01.02.1980'",
        "birth > '1980/02/01'",
        "birth > 19800201",
        "birth > '1980-2-1'",
        "birth > TIMESTAMP '1980-02-01 00:00:00'",
        "birth > '1980-02-01'::timestamp",
        "birth > to_date('1980-02-01', 'YYYY-MM-DD')",
        "birth > now() - INTERVAL '40 years'",
        "extract(year FROM birth) BETWEEN 1950 AND 1960",
        "date_part('year', birth) = 1950",
        "year(birth) = 1950",
        "age(birth) > 40",
        "birth = 1980",
        "coalesce(age, 0) > 5",
        "nullif(age, 0) > 5",
        "lower(grade) = '1'",
        "upper(grade) = '1'",
        "grade LIKE '1%'",
        "grade NOT LIKE '1%'",
        "substring(grade, 1, 1) = '1'",
        "left(grade, 1) = '1'",
        "grade || '' = '1'",
        "age::int = 4",
        "CAST(age AS text) = '4'",
        "age = 40::int",
        "age = 40.0::numeric",
        "age = '40'::int",
        "age IS DISTINCT FROM 4",
        "grade IS NOT DISTINCT FROM '1'",
        "htn IS DISTINCT FROM TRUE",
        "age = 40 && htn",
        "htn = 'Y'",
        "htn = Yes",
        "htn = T",
        "htn IS 1",
        "!htn",
        "age > 40 /* c */ AND htn # x",
        "age > 40; DROP TABLE x",
        "n > 5",
        r#""Age" > 5"#,
        "breast_cancer.agee > 5",
        "`age` > 5",
        "[age] > 5",
        "age BETWEEN 40 AND",
        "age BETWEEN '40' AND '50'",
        "age IN ()",
        "age IN (40; 41)",
        "age IN 40",
        "age = 40 OR 41",
        "age = 40 OR = 41",
        "40 < age < 60",
        "age IS 5",
        "age ISNULL",
        "grade = ANY('{1,2}')",
        "grade IN ('1' '2')",
        "gender = “8507”",
        "gender = ‘8507’",
        "age ≥ 40",
        "age => 40",
        "age =< 40",
        "grade in ('1',)",
        "birth - DATE '2000-01-01' > 5",
        "age % 2 = 0",
        "abs(age) = 3",
        "sqrt(age) = 3",
        "random() < 0.1",
        "htn AND 1",
        "htn AND 'x'",
        "htn = htn",
        "age = age",
        "gender = TRUE",
        "EXISTS (SELECT * FROM visits v WHERE v.id = breast_cancer.id)",
        "age > ALL (SELECT age FROM breast_cancer)",
        "age > (SELECT avg(age) FROM breast_cancer)",
        "count(*) > 5",
        "(age, bmi) IN ((1, 2))",
        "birth OVERLAPS (DATE '1950-01-01', DATE '1960-12-31')",
        "grade SIMILAR TO '1'",
        "grade ~* '1'",
        "htn XOR htn",
        "not htn = unknown",
        "grade = ''",
        "grade = 'NULL'",
        "grade = ' 1'",
        "gender = E'8507'",
        "gender = N'8507'",
        "gender = U&'8507'",
        "gender = $$8507$$",
        "age = ?",
        "age = :min",
        "age = {{min}}",
        "age = @x",
        "gender ILIKE '%7'",
        "gender LIKE 'x%'",
        "age LIKE '4%'",
        "grade = '4''",
        "age IN (1, NaN)",
        r#"birth IN ("2020-01-01")"#,
    ];
    let from = "SELECT count(*) FROM breast_cancer WHERE ";
    let text = messages(wheres.map(|w| (w, format!("{from}{w}"))));
    insta::assert_snapshot!(text, @r##"
age BETWEEN SYMMETRIC 60 AND 40
    line 1, column 54: BETWEEN SYMMETRIC is not supported; leave SYMMETRIC out and write the smaller bound first
age NOT BETWEEN SYMMETRIC 60 AND 40
    line 1, column 58: BETWEEN SYMMETRIC is not supported; leave SYMMETRIC out and write the smaller bound first
age BETWEEN ASYMMETRIC 40 AND 60
    line 1, column 54: BETWEEN ASYMMETRIC is not supported; leave ASYMMETRIC out: BETWEEN alone means it
grade = F
    line 1, column 50: there is no column f; text constants stand in 'single quotes'; near ones: '1', '2', '3'
gender = male
    line 1, column 51: there is no column male; text constants stand in 'single quotes'; did you mean '8507' (male)?
grade IN (F, M)
    line 1, column 52: there is no column f; text constants stand in 'single quotes'; near ones: '1', '2', '3'
F = gender
    line 1, column 42: there is no column f; text constants stand in 'single quotes'; near ones: '8507' (male), '8532' (female)
grade = "1"
    line 1, column 50: there is no column 1; text constants stand in 'single quotes'; did you mean '1'?
gender = "8507"
    line 1, column 51: there is no column 8507; text constants stand in 'single quotes'; did you mean '8507' (male)?
gender = 'O''Brien'
    line 1, column 51: column gender has no code 'O''Brien'; near ones: '8507' (male), '8532' (female)
gender <> 'male'
    line 1, column 52: column gender has no code 'male'; did you mean '8507' (male)?
age <> 'NaN'
    line 1, column 49: column age is a number; number columns have no NaN and no infinity; what has no value is NULL: column IS NULL
bmi = 'NaN'::float
    line 1, column 48: a cast is not supported; number columns have no NaN and no infinity; what has no value is NULL: column IS NULL
bmi = NaN
    line 1, column 48: there is no column nan; number columns have no NaN and no infinity; what has no value is NULL: column IS NULL
bmi = Infinity
    line 1, column 48: there is no column infinity; number columns have no NaN and no infinity; what has no value is NULL: column IS NULL
age > 1_000
    line 1, column 48: 1_000 is not a decimal number; write 1000
age > 40,5
    line 1, column 50: Expected: end of statement, found: ,; write decimals with a point; a list of values stands behind IN
birth > '01.02.1980'
    line 1, column 50: '01.02.1980' is not a calendar date; write DATE 'YYYY-MM-DD', the year first
birth > '1980/02/01'
    line 1, column 50: '1980/02/01' is not a calendar date; write DATE '1980-02-01'
birth > 19800201
    line 1, column 50: column birth is a date; write DATE '1980-02-01'
birth > '1980-2-1'
    line 1, column 50: '1980-2-1' is not a calendar date; write DATE '1980-02-01'
birth > TIMESTAMP '1980-02-01 00:00:00'
    line 1, column 60: a constant of this type is not supported; write a date as DATE 'YYYY-MM-DD'; there are no times of day
birth > '1980-02-01'::timestamp
    line 1, column 50: a cast is not supported; leave it out: write DATE '1980-02-01' for a date, '1980-02-01' for a code
birth > to_date('1980-02-01', 'YYYY-MM-DD')
    line 1, column 50: to_date() in WHERE is not supported; write the date as a constant, DATE 'YYYY-MM-DD'
birth > now() - INTERVAL '40 years'
    line 1, column 50: arithmetic with dates is not supported; write the resulting date as a constant, DATE 'YYYY-MM-DD': what the query asks must not change with the day
extract(year FROM birth) BETWEEN 1950 AND 1960
    line 1, column 60: EXTRACT is not supported; compare the date with the bounds of the period, e.g. BETWEEN DATE '2020-01-01' AND DATE '2020-12-31'
date_part('year', birth) = 1950
    line 1, column 42: date_part() in WHERE is not supported; compare the date with the bounds of the period, e.g. BETWEEN DATE '2020-01-01' AND DATE '2020-12-31'
year(birth) = 1950
    line 1, column 42: year() in WHERE is not supported; compare the date with the bounds of the period, e.g. BETWEEN DATE '2020-01-01' AND DATE '2020-12-31'
age(birth) > 40
    line 1, column 42: age() in WHERE is not supported; compare the date itself: those who were born by DATE '1980-01-01' are 40 on DATE '2020-01-01'
birth = 1980
    line 1, column 50: column birth is a date; write a day, DATE '1980-01-01' or DATE '1980-12-31'; for all of the year BETWEEN these two
coalesce(age, 0) > 5
    line 1, column 42: coalesce() in WHERE is not supported; compare the column itself, and say of NULL whether it counts: column > 5 OR column IS NULL
nullif(age, 0) > 5
    line 1, column 42: nullif() in WHERE is not supported; compare the column itself, and leave the value out: column <> 0
lower(grade) = '1'
    line 1, column 42: lower() in WHERE is not supported; list the codes you mean with IN (…)
upper(grade) = '1'
    line 1, column 42: upper() in WHERE is not supported; list the codes you mean with IN (…)
grade LIKE '1%'
    line 1, column 42: LIKE is not supported; write grade IN ('1')
grade NOT LIKE '1%'
    line 1, column 42: LIKE is not supported; write grade NOT IN ('1')
substring(grade, 1, 1) = '1'
    line 1, column 52: a text function is not supported; list the codes you mean with IN (…)
left(grade, 1) = '1'
    line 1, column 42: left() in WHERE is not supported; list the codes you mean with IN (…)
grade || '' = '1'
    line 1, column 42: the operator || is not supported; list the codes you mean with IN (…)
age::int = 4
    line 1, column 42: a cast is not supported; leave it out and compare age with a constant of its own type
CAST(age AS text) = '4'
    line 1, column 47: a cast is not supported; leave it out and compare age with a constant of its own type
age = 40::int
    line 1, column 48: a cast is not supported; leave it out: write 40
age = 40.0::numeric
    line 1, column 48: a cast is not supported; leave it out: write 40.0
age = '40'::int
    line 1, column 48: a cast is not supported; leave it out: write 40 for a number, '40' for a code
age IS DISTINCT FROM 4
    line 1, column 42: IS DISTINCT FROM is not supported; write (age <> 4 OR age IS NULL)
grade IS NOT DISTINCT FROM '1'
    line 1, column 42: IS NOT DISTINCT FROM is not supported; write (grade = '1' AND grade IS NOT NULL)
htn IS DISTINCT FROM TRUE
    line 1, column 42: IS DISTINCT FROM is not supported; write (htn <> true OR htn IS NULL)
age = 40 && htn
    line 1, column 48: && is not supported; write AND
htn = 'Y'
    line 1, column 48: column htn is a boolean; write TRUE or FALSE
htn = Yes
    line 1, column 48: there is no column yes; write TRUE
htn = T
    line 1, column 48: there is no column t; write TRUE
htn IS 1
    line 1, column 49: Expected: [NOT] NULL, TRUE, FALSE or UNKNOWN after IS, found: 1; compare values with =
!htn
    line 1, column 42: Expected: an expression, found: !; write NOT
age > 40 /* c */ AND htn # x
    line 1, column 63: the operator # is not supported; use =, <>, <, <=, >, >=, BETWEEN, IN, IS NULL, AND, OR and NOT
age > 40; DROP TABLE x
    line 1, column 50: more than one statement is not supported; ask one query at a time
n > 5
    line 1, column 42: there is no column n; the columns are age, bmi, platelets, grade, gender, birth, htn
"Age" > 5
    line 1, column 42: there is no column Age; did you mean age?
breast_cancer.agee > 5
    line 1, column 56: there is no column agee; did you mean age?
`age` > 5
    line 1, column 42: Expected: an expression, found: `; write names bare, or in "double quotes"
[age] > 5
    line 1, column 43: an array is not supported; list the values with IN (…); names stand without brackets
age BETWEEN 40 AND
    line 1, column 60: Expected: an expression, found: EOF; the text ends before it is complete
age BETWEEN '40' AND '50'
    line 1, column 54: column age is a number; write 40 without quotes
age IN ()
    line 1, column 50: Expected: an expression, found: ); something has to stand in the parentheses
age IN (40; 41)
    line 1, column 52: Expected: ), found: ;; write commas between values
age IN 40
    line 1, column 49: Expected: (, found: 40; write the values in parentheses: IN (1, 2)
age = 40 OR 41
    line 1, column 54: a constant that is not TRUE, FALSE or NULL as a condition is not supported; compare a column with it; for one of several values write column IN (1, 2)
age = 40 OR = 41
    line 1, column 54: Expected: an expression, found: =; repeat the column: a = 1 OR a = 2, or a IN (1, 2)
40 < age < 60
    line 1, column 42: the result of a comparison as a value is not supported; use the comparison as a condition of its own, with AND, OR and NOT; for a range write column BETWEEN low AND high
age IS 5
    line 1, column 49: Expected: [NOT] NULL, TRUE, FALSE or UNKNOWN after IS, found: 5; compare values with =
age ISNULL
    line 1, column 46: Expected: end of statement, found: ISNULL; write IS NULL
grade = ANY('{1,2}')
    line 1, column 42: ANY is not supported; list the values with IN (…)
grade IN ('1' '2')
    line 1, column 56: Expected: ), found: '2'; write a comma between values
gender = “8507”
    line 1, column 51: there is no column “8507”; text constants stand in 'single quotes'; did you mean '8507' (male)?
gender = ‘8507’
    line 1, column 51: there is no column ‘8507’; text constants stand in 'single quotes'; did you mean '8507' (male)?
age ≥ 40
    line 1, column 46: Expected: end of statement, found: ≥; write >=
age => 40
    line 1, column 46: Expected: end of statement, found: =>; write >=
age =< 40
    line 1, column 47: Expected: an expression, found: <; write <=
grade in ('1',)
    line 1, column 56: Expected: an expression, found: ); leave the last comma out, or write what follows it
birth - DATE '2000-01-01' > 5
    line 1, column 42: arithmetic with dates is not supported; write the resulting date as a constant, DATE 'YYYY-MM-DD': what the query asks must not change with the day
age % 2 = 0
    line 1, column 42: arithmetic in WHERE is not supported; list the values that you mean with IN (…)
abs(age) = 3
    line 1, column 42: abs() in WHERE is not supported; compare the column itself with the values or ranges that you mean: column BETWEEN -5 AND 5, or column IN (1, 2)
sqrt(age) = 3
    line 1, column 42: sqrt() in WHERE is not supported; compare the column itself with the values or ranges that you mean: column BETWEEN -5 AND 5, or column IN (1, 2)
random() < 0.1
    line 1, column 42: random() in WHERE is not supported; leave it out: there are no samples, all patients are counted
htn AND 1
    line 1, column 50: a constant that is not TRUE, FALSE or NULL as a condition is not supported; compare a column with it; for one of several values write column IN (1, 2)
htn AND 'x'
    line 1, column 50: a constant that is not TRUE, FALSE or NULL as a condition is not supported; compare a column with it; for one of several values write column IN (1, 2)
htn = htn
    line 1, column 42: comparing a column with a column is not supported; compare each with a constant, or have the hospitals add the difference as a column of the registry
age = age
    line 1, column 42: comparing a column with a column is not supported; compare each with a constant, or have the hospitals add the difference as a column of the registry
gender = TRUE
    line 1, column 51: column gender is a category; write one of its codes, e.g. '8507'
EXISTS (SELECT * FROM visits v WHERE v.id = breast_cancer.id)
    line 1, column 50: a subquery is not supported; write the condition on the patient's row itself, or list the values with IN (…)
age > ALL (SELECT age FROM breast_cancer)
    line 1, column 42: a subquery is not supported; write the condition on the patient's row itself, or list the values with IN (…)
age > (SELECT avg(age) FROM breast_cancer)
    line 1, column 49: a subquery is not supported; write the condition on the patient's row itself, or list the values with IN (…)
count(*) > 5
    line 1, column 42: count() in WHERE is not supported; aggregates stand in the SELECT list; WHERE chooses the patients before
(age, bmi) IN ((1, 2))
    line 1, column 43: IN with anything but a column before it is not supported; write column IN (constant, …)
birth OVERLAPS (DATE '1950-01-01', DATE '1960-12-31')
    line 1, column 42: the operator OVERLAPS is not supported; use =, <>, <, <=, >, >=, BETWEEN, IN, IS NULL, AND, OR and NOT
grade SIMILAR TO '1'
    line 1, column 42: SIMILAR TO is not supported; list the codes you mean with IN (…)
grade ~* '1'
    line 1, column 42: the operator ~* is not supported; list the codes you mean with IN (…)
htn XOR htn
    line 1, column 42: XOR is not supported; write (a AND NOT b) OR (NOT a AND b)
not htn = unknown
    line 1, column 52: there is no column unknown; write htn IS UNKNOWN
grade = ''
    line 1, column 50: column grade has no code ''; near ones: '1', '2', '3'
grade = 'NULL'
    line 1, column 50: column grade has no code 'NULL'; near ones: '1', '2', '3'
grade = ' 1'
    line 1, column 50: column grade has no code ' 1'; did you mean '1'?
gender = E'8507'
    line 1, column 51: this kind of text constant is not read; write '8507'
gender = N'8507'
    line 1, column 51: this kind of text constant is not read; write '8507'
gender = U&'8507'
    line 1, column 51: this kind of text constant is not read; write '8507'
gender = $$8507$$
    line 1, column 51: this kind of text constant is not read; write '8507'
age = ?
    line 1, column 48: Expected: an expression, found: ?; write the value itself: the query's text is what is proven
age = :min
    line 1, column 48: the parameter has no value; write the value itself: the query's text is what is proven
age = {{min}}
    line 1, column 48: Expected: an expression, found: {; write the value itself: the query's text is what is proven
age = @x
    line 1, column 49: the operator @ is not supported; leave it out: conditions take NOT, numbers a sign
gender ILIKE '%7'
    line 1, column 42: LIKE is not supported; write gender IN ('8507')
gender LIKE 'x%'
    line 1, column 42: LIKE is not supported; no code of the column fits the pattern
age LIKE '4%'
    line 1, column 42: LIKE is not supported; list the codes you mean with IN (…)
grade = '4''
    line 1, column 50: Unterminated string literal; close it with ', and double a ' that is part of it
age IN (1, NaN)
    line 1, column 53: there is no column nan; number columns have no NaN and no infinity; what has no value is NULL: column IS NULL
birth IN ("2020-01-01")
    line 1, column 52: there is no column 2020-01-01; write DATE '2020-01-01'
"##);
}

#[test]
fn queries() {
    let queries = [
        "SELECT date_trunc('month', birth), count(*) FROM breast_cancer GROUP BY date_trunc('month', birth)",
        "SELECT count(*) FROM breast_cancer GROUP BY date_trunc('month', birth)",
        "SELECT date_trunc('year', birth), count(*) FROM breast_cancer GROUP BY 1",
        "SELECT to_char(birth, 'YYYY-MM') m, count(*) FROM breast_cancer GROUP BY m",
        "SELECT round(age / 10) AS decade, count(*) FROM breast_cancer GROUP BY decade",
        "SELECT floor(age / 10) * 10, count(*) FROM breast_cancer GROUP BY 1",
        "SELECT CASE WHEN age < 50 THEN 'young' ELSE 'old' END AS a, count(*) FROM breast_cancer GROUP BY a",
        "SELECT CASE WHEN age < 50 THEN 'young' ELSE 'old' END, count(*) FROM breast_cancer GROUP BY CASE WHEN age < 50 THEN 'young' ELSE 'old' END",
        "SELECT extract(month FROM birth), count(*) FROM breast_cancer GROUP BY 1",
        "SELECT year(birth), count(*) FROM breast_cancer GROUP BY 1",
        "SELECT age > 50, count(*) FROM breast_cancer GROUP BY 1",
        "SELECT coalesce(grade, 'x'), count(*) FROM breast_cancer GROUP BY 1",
        "SELECT sum(CASE WHEN age > 50 THEN 1 ELSE 0 END) FROM breast_cancer",
        "SELECT sum(CASE WHEN age > 50 THEN 1 END) FROM breast_cancer",
        "SELECT sum(CASE WHEN htn AND age > 50 THEN bmi END) AS s FROM breast_cancer",
        "SELECT sum(CASE WHEN htn THEN bmi ELSE 0 END) FROM breast_cancer",
        "SELECT avg(CASE WHEN htn THEN bmi ELSE 0 END) FROM breast_cancer",
        "SELECT count(CASE WHEN htn THEN 1 END) FROM breast_cancer",
        "SELECT count(CASE WHEN htn THEN 1 ELSE NULL END) FROM breast_cancer",
        "SELECT count(CASE WHEN htn THEN 1 ELSE 0 END) FROM breast_cancer",
        "SELECT avg(CASE WHEN htn THEN age END) FROM breast_cancer",
        "SELECT avg(CASE WHEN htn THEN 1.0 ELSE 0 END) FROM breast_cancer",
        "SELECT sum(CASE grade WHEN '1' THEN 1 ELSE 0 END) FROM breast_cancer",
        "SELECT sum(CASE WHEN htn THEN 1 WHEN age > 4 THEN 2 END) FROM breast_cancer",
        "SELECT sum(CASE WHEN htn THEN 1 ELSE 0 END) FILTER (WHERE age > 3) FROM breast_cancer",
        "SELECT sum(htn::int) FROM breast_cancer",
        "SELECT sum(CAST(htn AS int)) FROM breast_cancer",
        "SELECT count(*) FILTER (WHERE CASE WHEN htn THEN TRUE END) FROM breast_cancer",
        "SELECT sum(IF(htn, 1, 0)) FROM breast_cancer",
        "SELECT count_if(htn) FROM breast_cancer",
        "SELECT bool_or(htn) FROM breast_cancer",
        "SELECT sum(age > 50) FROM breast_cancer",
        "SELECT count(age > 50) FROM breast_cancer",
        "SELECT avg(COALESCE(age, 0)) FROM breast_cancer",
        "SELECT sum(DISTINCT age) FROM breast_cancer",
        "SELECT count(*) AS n FROM breast_cancer WHERE n > 5",
        "SELECT count(*) AS n, grade FROM breast_cancer GROUP BY grade HAVING n > 5",
        "SELECT count(*) AS n, grade FROM breast_cancer GROUP BY grade ORDER BY n DESC",
        "SELECT count(*) AS n, grade FROM breast_cancer GROUP BY grade LIMIT 10",
        "SELECT TOP 10 count(*) FROM breast_cancer",
        "SELECT DISTINCT grade FROM breast_cancer",
        "SELECT count(DISTINCT patient_id) FROM breast_cancer",
        "SELECT count(DISTINCT *) FROM breast_cancer",
        "SELECT grade, count(*) FROM breast_cancer",
        "SELECT htn, bmi, count(*) FROM breast_cancer GROUP BY htn",
        "SELECT grade, count(*) FROM breast_cancer GROUP BY gender",
        "SELECT width_bucket(age, 0, 100), count(*) FROM breast_cancer GROUP BY 1",
        "SELECT width_bucket(age, ARRAY[10,20]), count(*) FROM breast_cancer GROUP BY 1",
        "SELECT count(*) / 2 FROM breast_cancer",
        "SELECT round(avg(age), 1) FROM breast_cancer",
        "SELECT count(*)::float FROM breast_cancer",
        "SELECT coalesce(sum(age), 0) FROM breast_cancer",
        "SELECT rank() OVER (ORDER BY age) FROM breast_cancer",
        "SELECT sum(age) OVER (PARTITION BY grade) FROM breast_cancer",
        "SELECT stdev(age) FROM breast_cancer",
        "SELECT std(age) FROM breast_cancer",
        "SELECT mean(age) FROM breast_cancer",
        "SELECT average(age) FROM breast_cancer",
        "SELECT var(age) FROM breast_cancer",
        "SELECT percentile(age, 0.5) FROM breast_cancer",
        "SELECT approx_count_distinct(age) FROM breast_cancer",
        "SELECT lower(grade) FROM breast_cancer",
        "SELECT now() FROM breast_cancer",
        "SELECT count FROM breast_cancer",
        "SELECT count() FROM breast_cancer",
        "SELECT count(*) breast_cancer",
        "SELECT count(*) FROM breast-cancer",
        r#"SELECT count(*) FROM "Breast_Cancer""#,
        "SELECT count(*) FROM breastcancer",
        "SELECT count(*) WHERE age > 5 FROM breast_cancer",
        "SELECT count(*) FROM breast_cancer WHERE",
        "SELECT count(*) FROM breast_cancer WHERE (age > 5",
        "SELECT count(*) FROM breast_cancer WHERE age > 5)",
        "SELECT count(*), FROM breast_cancer",
        "SELECT FROM breast_cancer",
        "count(*) FROM breast_cancer",
        "SHOW TABLES",
        "INSERT INTO breast_cancer VALUES (1)",
        "EXPLAIN ANALYZE SELECT count(*) FROM breast_cancer",
        "SELECT count(*) FROM breast_cancer, LATERAL (SELECT 1) x",
        "SELECT count(*) FROM breast_cancer LEFT JOIN x USING (id)",
        "SELECT count(*) FROM breast_cancer TABLESAMPLE BERNOULLI (10)",
        "SELECT (SELECT count(*) FROM breast_cancer) FROM breast_cancer",
        "SELECT exists(SELECT 1) FROM breast_cancer",
        "SELECT count(*) FROM breast_cancer GROUP BY CUBE (grade, htn)",
        "SELECT count(*) FROM breast_cancer GROUP BY ()",
        "SELECT count(*) FROM breast_cancer GROUP BY n",
        "SELECT avg(age) FROM breast_cancer GROUP BY 3",
        "SELECT corr(age, bmi) FILTER (WHERE n) FROM breast_cancer",
        "SELECT avg(CASE WHEN htn THEN bmi ELSE 0 END) FILTER (WHERE age > 3) FROM breast_cancer",
        "SELECT sum(CASE WHEN htn THEN bmi ELSE age END) FROM breast_cancer",
        "SELECT sum(CASE WHEN gender = 'O''Brien' THEN 1 END) FROM breast_cancer",
        "SELECT stddev(CASE WHEN htn THEN bmi END) FROM breast_cancer",
        r#"SELECT count(*) FROM breast_cancer AS "My B" WHERE b.age > 5"#,
    ];
    let text = messages(queries.map(|q| (q, q.to_owned())));
    insta::assert_snapshot!(text, @r##"
SELECT date_trunc('month', birth), count(*) FROM breast_cancer GROUP BY date_trunc('month', birth)
    line 1, column 73: GROUP BY date_trunc() is not supported; dates are grouped by year: write extract(year FROM birth); count other periods each by itself: count(*) FILTER (WHERE birth BETWEEN DATE 'YYYY-MM-DD' AND DATE 'YYYY-MM-DD')
SELECT count(*) FROM breast_cancer GROUP BY date_trunc('month', birth)
    line 1, column 45: GROUP BY date_trunc() is not supported; dates are grouped by year: write extract(year FROM birth); count other periods each by itself: count(*) FILTER (WHERE birth BETWEEN DATE 'YYYY-MM-DD' AND DATE 'YYYY-MM-DD')
SELECT date_trunc('year', birth), count(*) FROM breast_cancer GROUP BY 1
    line 1, column 8: GROUP BY date_trunc() is not supported; dates are grouped by year: write extract(year FROM birth); count other periods each by itself: count(*) FILTER (WHERE birth BETWEEN DATE 'YYYY-MM-DD' AND DATE 'YYYY-MM-DD')
SELECT to_char(birth, 'YYYY-MM') m, count(*) FROM breast_cancer GROUP BY m
    line 1, column 8: GROUP BY to_char() is not supported; dates are grouped by year: write extract(year FROM birth); count other periods each by itself: count(*) FILTER (WHERE birth BETWEEN DATE 'YYYY-MM-DD' AND DATE 'YYYY-MM-DD')
SELECT round(age / 10) AS decade, count(*) FROM breast_cancer GROUP BY decade
    line 1, column 8: GROUP BY round() is not supported; write GROUP BY width_bucket(age, low, high, count), in equal widths
SELECT floor(age / 10) * 10, count(*) FROM breast_cancer GROUP BY 1
    line 1, column 14: GROUP BY arithmetic is not supported; write GROUP BY width_bucket(age, low, high, count), in equal widths
SELECT CASE WHEN age < 50 THEN 'young' ELSE 'old' END AS a, count(*) FROM breast_cancer GROUP BY a
    line 1, column 8: GROUP BY CASE is not supported; ask for an output of each case: count(*) FILTER (WHERE age < 50), or group by width_bucket(age, low, high, count)
SELECT CASE WHEN age < 50 THEN 'young' ELSE 'old' END, count(*) FROM breast_cancer GROUP BY CASE WHEN age < 50 THEN 'young' ELSE 'old' END
    line 1, column 93: GROUP BY CASE is not supported; ask for an output of each case: count(*) FILTER (WHERE age < 50), or group by width_bucket(age, low, high, count)
SELECT extract(month FROM birth), count(*) FROM breast_cancer GROUP BY 1
    line 1, column 27: extract(MONTH) is not supported; dates are grouped by year: write extract(year FROM birth); count other periods each by itself: count(*) FILTER (WHERE birth BETWEEN DATE 'YYYY-MM-DD' AND DATE 'YYYY-MM-DD')
SELECT year(birth), count(*) FROM breast_cancer GROUP BY 1
    line 1, column 8: GROUP BY year() is not supported; dates are grouped by year: write extract(year FROM birth); count other periods each by itself: count(*) FILTER (WHERE birth BETWEEN DATE 'YYYY-MM-DD' AND DATE 'YYYY-MM-DD')
SELECT age > 50, count(*) FROM breast_cancer GROUP BY 1
    line 1, column 8: GROUP BY a condition is not supported; ask for count(*) FILTER (WHERE age > 50) beside count(*)
SELECT coalesce(grade, 'x'), count(*) FROM breast_cancer GROUP BY 1
    line 1, column 8: GROUP BY coalesce() is not supported; write GROUP BY grade: NULL is a group of its own
SELECT sum(CASE WHEN age > 50 THEN 1 ELSE 0 END) FROM breast_cancer
    line 1, column 12: CASE in sum is not supported; write count(*) FILTER (WHERE age > 50)
SELECT sum(CASE WHEN age > 50 THEN 1 END) FROM breast_cancer
    line 1, column 12: CASE in sum is not supported; write count(*) FILTER (WHERE age > 50)
SELECT sum(CASE WHEN htn AND age > 50 THEN bmi END) AS s FROM breast_cancer
    line 1, column 12: CASE in sum is not supported; write sum(bmi) FILTER (WHERE htn AND age > 50)
SELECT sum(CASE WHEN htn THEN bmi ELSE 0 END) FROM breast_cancer
    line 1, column 12: CASE in sum is not supported; write sum(bmi) FILTER (WHERE htn)
SELECT avg(CASE WHEN htn THEN bmi ELSE 0 END) FROM breast_cancer
    line 1, column 12: CASE in avg is not supported; ask for sum(bmi) FILTER (WHERE htn) and count(*), and divide
SELECT count(CASE WHEN htn THEN 1 END) FROM breast_cancer
    line 1, column 14: CASE in count is not supported; write count(*) FILTER (WHERE htn)
SELECT count(CASE WHEN htn THEN 1 ELSE NULL END) FROM breast_cancer
    line 1, column 14: CASE in count is not supported; write count(*) FILTER (WHERE htn)
SELECT count(CASE WHEN htn THEN 1 ELSE 0 END) FROM breast_cancer
    line 1, column 14: CASE in count is not supported; it counts the rows of ELSE too: write count(*), or count(*) FILTER (WHERE htn)
SELECT avg(CASE WHEN htn THEN age END) FROM breast_cancer
    line 1, column 12: CASE in avg is not supported; write avg(age) FILTER (WHERE htn)
SELECT avg(CASE WHEN htn THEN 1.0 ELSE 0 END) FROM breast_cancer
    line 1, column 12: CASE in avg is not supported; ask for count(*) FILTER (WHERE htn) and count(*), and divide
SELECT sum(CASE grade WHEN '1' THEN 1 ELSE 0 END) FROM breast_cancer
    line 1, column 12: CASE in sum is not supported; write count(*) FILTER (WHERE grade = '1')
SELECT sum(CASE WHEN htn THEN 1 WHEN age > 4 THEN 2 END) FROM breast_cancer
    line 1, column 12: CASE in sum is not supported; ask for each case, and leave out of the later ones what the earlier ones took: count(*) FILTER (WHERE htn), count(*) FILTER (WHERE age > 4)
SELECT sum(CASE WHEN htn THEN 1 ELSE 0 END) FILTER (WHERE age > 3) FROM breast_cancer
    line 1, column 12: CASE in sum is not supported; write count(*) FILTER (WHERE (age > 3) AND (htn))
SELECT sum(htn::int) FROM breast_cancer
    line 1, column 12: a cast in sum is not supported; write sum(htn): the result is exact without one
SELECT sum(CAST(htn AS int)) FROM breast_cancer
    line 1, column 17: a cast in sum is not supported; write sum(htn): the result is exact without one
SELECT count(*) FILTER (WHERE CASE WHEN htn THEN TRUE END) FROM breast_cancer
    line 1, column 31: CASE is not supported; write the conditions with AND, OR and NOT
SELECT sum(IF(htn, 1, 0)) FROM breast_cancer
    line 1, column 12: if() in sum is not supported; write count(*) FILTER (WHERE htn)
SELECT count_if(htn) FROM breast_cancer
    line 1, column 8: count_if() is not supported; write count(*) FILTER (WHERE htn)
SELECT bool_or(htn) FROM breast_cancer
    line 1, column 8: bool_or() is not supported; write count(*) FILTER (WHERE htn)
SELECT sum(age > 50) FROM breast_cancer
    line 1, column 12: a condition in sum is not supported; write count(*) FILTER (WHERE age > 50)
SELECT count(age > 50) FROM breast_cancer
    line 1, column 14: a condition in count is not supported; write count(*) FILTER (WHERE age > 50)
SELECT avg(COALESCE(age, 0)) FROM breast_cancer
    line 1, column 12: COALESCE() in avg is not supported; avg leaves NULL out: write avg(age); how many have none is count(*) FILTER (WHERE age IS NULL)
SELECT sum(DISTINCT age) FROM breast_cancer
    line 1, column 8: DISTINCT or ALL in an aggregate is not supported; leave it out: each patient is one row, and equal values of two are both counted
SELECT count(*) AS n FROM breast_cancer WHERE n > 5
    line 1, column 47: there is no column n; it is a label of the SELECT list, whose values come after WHERE and FILTER chose the patients; write the columns themselves
SELECT count(*) AS n, grade FROM breast_cancer GROUP BY grade HAVING n > 5
    line 1, column 63: HAVING is not supported; leave it out: groups below the release threshold are withheld anyway, and the others can be chosen from the answer
SELECT count(*) AS n, grade FROM breast_cancer GROUP BY grade ORDER BY n DESC
    line 1, column 63: ORDER BY is not supported; leave it out: the groups come in the order of the registry's codes
SELECT count(*) AS n, grade FROM breast_cancer GROUP BY grade LIMIT 10
    line 1, column 63: LIMIT or OFFSET is not supported; leave it out: every group is in the answer
SELECT TOP 10 count(*) FROM breast_cancer
    line 1, column 8: TOP is not supported; leave it out
SELECT DISTINCT grade FROM breast_cancer
    line 1, column 8: DISTINCT is not supported; leave it out: GROUP BY gives each group once
SELECT count(DISTINCT patient_id) FROM breast_cancer
    line 1, column 8: DISTINCT or ALL in an aggregate is not supported; each patient is one row, so count(*) counts different patients; for the different values of a column GROUP BY it
SELECT count(DISTINCT *) FROM breast_cancer
    line 1, column 8: DISTINCT or ALL in an aggregate is not supported; each patient is one row, so count(*) counts different patients; for the different values of a column GROUP BY it
SELECT grade, count(*) FROM breast_cancer
    line 1, column 8: column grade outside an aggregate discloses individuals; ask for an aggregate, e.g. count(grade), or GROUP BY grade
SELECT htn, bmi, count(*) FROM breast_cancer GROUP BY htn
    line 1, column 13: column bmi outside an aggregate discloses individuals; ask for an aggregate, e.g. count(bmi), or GROUP BY width_bucket(bmi, low, high, count)
SELECT grade, count(*) FROM breast_cancer GROUP BY gender
    line 1, column 8: column grade outside an aggregate discloses individuals; ask for an aggregate, e.g. count(grade), or GROUP BY grade
SELECT width_bucket(age, 0, 100), count(*) FROM breast_cancer GROUP BY 1
    line 1, column 8: width_bucket takes 4 arguments; write width_bucket(column, low, high, count)
SELECT width_bucket(age, ARRAY[10,20]), count(*) FROM breast_cancer GROUP BY 1
    line 1, column 8: width_bucket takes 4 arguments; write width_bucket(column, low, high, count)
SELECT count(*) / 2 FROM breast_cancer
    line 1, column 8: computing with outputs is not supported; ask for the aggregates alone and compute with the released answer
SELECT round(avg(age), 1) FROM breast_cancer
    line 1, column 8: computing with outputs is not supported; ask for the aggregates alone and compute with the released answer
SELECT count(*)::float FROM breast_cancer
    line 1, column 8: computing with outputs is not supported; ask for the aggregates alone and compute with the released answer
SELECT coalesce(sum(age), 0) FROM breast_cancer
    line 1, column 8: computing with outputs is not supported; ask for the aggregates alone and compute with the released answer
SELECT rank() OVER (ORDER BY age) FROM breast_cancer
    line 1, column 8: a window function is not supported; leave OVER out; GROUP BY gives one value per group
SELECT sum(age) OVER (PARTITION BY grade) FROM breast_cancer
    line 1, column 8: a window function is not supported; leave OVER out; GROUP BY gives one value per group
SELECT stdev(age) FROM breast_cancer
    line 1, column 8: the function stdev is not supported; did you mean stddev_samp? the aggregates are count, sum, avg, var_samp, variance, var_pop, stddev_samp, stddev, stddev_pop, percentile_disc, covar_samp, covar_pop, corr, regr_count, regr_slope, regr_intercept, regr_r2, regr_avgx, regr_avgy, regr_sxx, regr_syy, regr_sxy
SELECT std(age) FROM breast_cancer
    line 1, column 8: the function std is not supported; did you mean stddev_samp? the aggregates are count, sum, avg, var_samp, variance, var_pop, stddev_samp, stddev, stddev_pop, percentile_disc, covar_samp, covar_pop, corr, regr_count, regr_slope, regr_intercept, regr_r2, regr_avgx, regr_avgy, regr_sxx, regr_syy, regr_sxy
SELECT mean(age) FROM breast_cancer
    line 1, column 8: the function mean is not supported; did you mean avg? the aggregates are count, sum, avg, var_samp, variance, var_pop, stddev_samp, stddev, stddev_pop, percentile_disc, covar_samp, covar_pop, corr, regr_count, regr_slope, regr_intercept, regr_r2, regr_avgx, regr_avgy, regr_sxx, regr_syy, regr_sxy
SELECT average(age) FROM breast_cancer
    line 1, column 8: the function average is not supported; did you mean avg? the aggregates are count, sum, avg, var_samp, variance, var_pop, stddev_samp, stddev, stddev_pop, percentile_disc, covar_samp, covar_pop, corr, regr_count, regr_slope, regr_intercept, regr_r2, regr_avgx, regr_avgy, regr_sxx, regr_syy, regr_sxy
SELECT var(age) FROM breast_cancer
    line 1, column 8: the function var is not supported; did you mean var_samp? the aggregates are count, sum, avg, var_samp, variance, var_pop, stddev_samp, stddev, stddev_pop, percentile_disc, covar_samp, covar_pop, corr, regr_count, regr_slope, regr_intercept, regr_r2, regr_avgx, regr_avgy, regr_sxx, regr_syy, regr_sxy
SELECT percentile(age, 0.5) FROM breast_cancer
    line 1, column 8: the function percentile is not supported; did you mean percentile_disc(0.5) WITHIN GROUP (ORDER BY column)? the aggregates are count, sum, avg, var_samp, variance, var_pop, stddev_samp, stddev, stddev_pop, percentile_disc, covar_samp, covar_pop, corr, regr_count, regr_slope, regr_intercept, regr_r2, regr_avgx, regr_avgy, regr_sxx, regr_syy, regr_sxy
SELECT approx_count_distinct(age) FROM breast_cancer
    line 1, column 8: the function approx_count_distinct is not supported; each patient is one row, so count(*) counts patients; GROUP BY shows a column's values
SELECT lower(grade) FROM breast_cancer
    line 1, column 8: lower() in the SELECT list is not supported; write GROUP BY grade and add groups up in the answer, or count(*) FILTER (WHERE grade IN (…)) for each set of codes
SELECT now() FROM breast_cancer
    line 1, column 8: the function now is not supported; the answer's manifest has its date; ask for an aggregate, e.g. count(*)
SELECT count FROM breast_cancer
    line 1, column 8: there is no column count; to call the function write count(…)
SELECT count() FROM breast_cancer
    line 1, column 8: count takes one column; write count(*) or count(column)
SELECT count(*) breast_cancer
    line 1, column 1: there is no table (no FROM); write FROM breast_cancer
SELECT count(*) FROM breast-cancer
    line 1, column 28: Expected: end of statement, found: -; a name with - in it stands in "double quotes"
SELECT count(*) FROM "Breast_Cancer"
    line 1, column 22: there is no table Breast_Cancer; write FROM breast_cancer
SELECT count(*) FROM breastcancer
    line 1, column 22: there is no table breastcancer; write FROM breast_cancer
SELECT count(*) WHERE age > 5 FROM breast_cancer
    line 1, column 31: Expected: end of statement, found: FROM; the order is SELECT … FROM … WHERE … GROUP BY …
SELECT count(*) FROM breast_cancer WHERE
    line 1, column 41: Expected: an expression, found: EOF; the text ends before it is complete
SELECT count(*) FROM breast_cancer WHERE (age > 5
    line 1, column 50: Expected: ), found: EOF; the text ends before it is complete
SELECT count(*) FROM breast_cancer WHERE age > 5)
    line 1, column 49: Expected: end of statement, found: ); there are more ) than (
SELECT count(*), FROM breast_cancer
    line 1, column 23: Expected an expression, found: FROM; leave the last comma out
SELECT FROM breast_cancer
    line 1, column 1: the query asks for no aggregate; add one, e.g. count(*)
count(*) FROM breast_cancer
    line 1, column 1: Expected: an SQL statement, found: count; a query begins with SELECT
SHOW TABLES
    line 1, column 1: a statement that is no query is not supported; a cohort query is one SELECT
INSERT INTO breast_cancer VALUES (1)
    line 1, column 1: a statement that is no query is not supported; a cohort query is one SELECT
EXPLAIN ANALYZE SELECT count(*) FROM breast_cancer
    line 1, column 1: EXPLAIN alone is not supported; write EXPLAIN COHORT SELECT count(*) FROM … WHERE … for the number of patients after each criterion
SELECT count(*) FROM breast_cancer, LATERAL (SELECT 1) x
    line 1, column 17: more than one table is not supported; a query reads one row per patient: the hospitals join their tables before
SELECT count(*) FROM breast_cancer LEFT JOIN x USING (id)
    line 1, column 41: JOIN is not supported; a query reads one row per patient: the hospitals join their tables before
SELECT count(*) FROM breast_cancer TABLESAMPLE BERNOULLI (10)
    line 1, column 17: this kind of table is not supported; write FROM breast_cancer
SELECT (SELECT count(*) FROM breast_cancer) FROM breast_cancer
    line 1, column 9: a subquery is not supported; ask for it as an aggregate with FILTER (WHERE …), or in a query of its own
SELECT exists(SELECT 1) FROM breast_cancer
    line 1, column 15: a subquery is not supported; ask for it as an aggregate with FILTER (WHERE …), or in a query of its own
SELECT count(*) FROM breast_cancer GROUP BY CUBE (grade, htn)
    line 1, column 36: CUBE is not supported; ask a query for each grouping
SELECT count(*) FROM breast_cancer GROUP BY ()
    line 1, column 36: GROUP BY () is not supported; leave it out
SELECT count(*) FROM breast_cancer GROUP BY n
    line 1, column 45: there is no column n; the columns are age, bmi, platelets, grade, gender, birth, htn
SELECT avg(age) FROM breast_cancer GROUP BY 3
    line 1, column 45: GROUP BY position 3 is not in the SELECT list; write the column's name
SELECT corr(age, bmi) FILTER (WHERE n) FROM breast_cancer
    line 1, column 37: there is no column n; the columns are age, bmi, platelets, grade, gender, birth, htn
SELECT avg(CASE WHEN htn THEN bmi ELSE 0 END) FILTER (WHERE age > 3) FROM breast_cancer
    line 1, column 12: CASE in avg is not supported; ask for sum(bmi) FILTER (WHERE (age > 3) AND (htn)) and count(*) FILTER (WHERE age > 3), and divide
SELECT sum(CASE WHEN htn THEN bmi ELSE age END) FROM breast_cancer
    line 1, column 12: CASE in sum is not supported; ask for sum(bmi) FILTER (WHERE htn), and beside it for those of ELSE: FILTER (WHERE (htn) IS NOT TRUE)
SELECT sum(CASE WHEN gender = 'O''Brien' THEN 1 END) FROM breast_cancer
    line 1, column 12: CASE in sum is not supported; write count(*) FILTER (WHERE gender = 'O''Brien')
SELECT stddev(CASE WHEN htn THEN bmi END) FROM breast_cancer
    line 1, column 15: CASE in stddev is not supported; write stddev(bmi) FILTER (WHERE htn)
SELECT count(*) FROM breast_cancer AS "My B" WHERE b.age > 5
    line 1, column 52: there is no column b.age; write "My B".column or the column alone
"##);
}

const STUDY: &str = include_str!("../study.toml");

fn refused(sql: &str, registry: &Registry) -> String {
    parse_query(sql, registry).unwrap_err().to_string()
}

/// What a message says to write is taken, as it stands.
#[test]
fn suggestions_can_be_pasted() {
    let registry = Registry::from_toml(STUDY).unwrap();
    for (aggregate, instead) in [
        (
            "sum(CASE WHEN age > 50 AND gender <> '8507' THEN 1 ELSE 0 END)",
            "count(*) FILTER (WHERE age > 50 AND gender <> '8507')",
        ),
        (
            "count(CASE WHEN grade IN ('1', '2') OR htn IS NULL THEN 1 END)",
            "count(*) FILTER (WHERE grade IN ('1', '2') OR htn IS NULL)",
        ),
        (
            "avg(CASE WHEN NOT htn THEN bmi END)",
            "avg(bmi) FILTER (WHERE NOT htn)",
        ),
        (
            "sum(CASE grade WHEN '1' THEN age END) FILTER (WHERE htn OR age > 3)",
            "sum(age) FILTER (WHERE (htn OR age > 3) AND (grade = '1'))",
        ),
        (
            "sum(birth BETWEEN DATE '1950-01-01' AND '1960-01-01')",
            "count(*) FILTER (WHERE birth BETWEEN DATE '1950-01-01' AND '1960-01-01')",
        ),
    ] {
        let error = refused(&format!("SELECT {aggregate} FROM breast_cancer"), &registry);
        assert!(error.ends_with(&format!("write {instead}")), "{error}");
        let sql = format!("SELECT {instead} FROM breast_cancer");
        parse_query(&sql, &registry).unwrap();
    }
    for (condition, instead) in [
        (
            "grade IS DISTINCT FROM '1'",
            "(grade <> '1' OR grade IS NULL)",
        ),
        (
            "grade IS NOT DISTINCT FROM '1'",
            "(grade = '1' AND grade IS NOT NULL)",
        ),
        ("gender LIKE '85%'", "gender IN ('8507', '8532')"),
        ("grade NOT LIKE '_'", "grade NOT IN ('1', '2', '3')"),
    ] {
        let from = "SELECT count(*) FROM breast_cancer WHERE";
        let error = refused(&format!("{from} {condition}"), &registry);
        assert!(error.ends_with(&format!("write {instead}")), "{error}");
        parse_query(&format!("{from} {instead}"), &registry).unwrap();
    }
}

/// Codes of letters, one with a quote in it.
#[test]
fn codes_are_written_as_sql_writes_them() {
    let codes = "[\"F\", { code = \"O'Brien\", label = \"the ward\" }, \"M\"]";
    let study = STUDY.replace("[\"1\", \"2\", \"3\"]", codes);
    let registry = Registry::from_toml(&study).unwrap();
    let text: String = [
        "grade = F",
        "grade = f",
        "F = grade",
        "grade IN ('F', M)",
        "grade = \"F\"",
        "grade = 'f'",
        "grade = 'F '",
        "grade = X",
        "grade = 'O Brien'",
        "grade = 'the ward'",
        "grade = TRUE",
        "grade LIKE 'O%'",
        "grade = 'x''y'",
        "grade = $$O'Brien$$",
        "birth > '1''2'",
    ]
    .iter()
    .map(|w| {
        let sql = format!("SELECT count(*) FROM breast_cancer WHERE {w}");
        format!("{w}\n    {}\n", refused(&sql, &registry))
    })
    .collect();
    insta::assert_snapshot!(text, @r##"
grade = F
    line 1, column 50: there is no column f; text constants stand in 'single quotes'; did you mean 'F'?
grade = f
    line 1, column 50: there is no column f; text constants stand in 'single quotes'; did you mean 'F'?
F = grade
    line 1, column 42: there is no column f; text constants stand in 'single quotes'; did you mean 'F'?
grade IN ('F', M)
    line 1, column 57: there is no column m; text constants stand in 'single quotes'; did you mean 'M'?
grade = "F"
    line 1, column 50: there is no column F; text constants stand in 'single quotes'; did you mean 'F'?
grade = 'f'
    line 1, column 50: column grade has no code 'f'; did you mean 'F'?
grade = 'F '
    line 1, column 50: column grade has no code 'F '; did you mean 'F'?
grade = X
    line 1, column 50: there is no column x; text constants stand in 'single quotes'; near ones: 'F', 'M', 'O''Brien' (the ward)
grade = 'O Brien'
    line 1, column 50: column grade has no code 'O Brien'; near ones: 'O''Brien' (the ward), 'F', 'M'
grade = 'the ward'
    line 1, column 50: column grade has no code 'the ward'; did you mean 'O''Brien' (the ward)?
grade = TRUE
    line 1, column 50: column grade is a category; write one of its codes, e.g. 'F'
grade LIKE 'O%'
    line 1, column 42: LIKE is not supported; write grade IN ('O''Brien')
grade = 'x''y'
    line 1, column 50: column grade has no code 'x''y'; near ones: 'F', 'M', 'O''Brien' (the ward)
grade = $$O'Brien$$
    line 1, column 50: this kind of text constant is not read; write 'O''Brien'
birth > '1''2'
    line 1, column 50: '1''2' is not a calendar date; write DATE 'YYYY-MM-DD', the year first
"##);
}
