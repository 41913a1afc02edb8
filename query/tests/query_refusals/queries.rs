//! What is refused around WHERE.

use crate::messages;

#[test]
fn each_has_its_message() {
    let queries = [
        "",
        "SELECT min(age) FROM breast_cancer",
        "SELECT count(*),\n       max(age) FROM breast_cancer",
        "SELECT string_agg(grade, ',') FROM breast_cancer",
        "SELECT median(age) FROM breast_cancer",
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY age) FROM breast_cancer",
        "SELECT percentile_disc(0.5) FROM breast_cancer",
        "SELECT percentile_disc(1) WITHIN GROUP (ORDER BY age) FROM breast_cancer",
        "SELECT percentile_disc(0.00005) WITHIN GROUP (ORDER BY age) FROM breast_cancer",
        "SELECT percentile_disc(0.005) WITHIN GROUP (ORDER BY age) FROM breast_cancer",
        "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY age), \
         percentile_disc(0.505) WITHIN GROUP (ORDER BY age) FILTER (WHERE htn) FROM breast_cancer",
        "SELECT percentile_disc('half') WITHIN GROUP (ORDER BY age) FROM breast_cancer",
        "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY age DESC) FROM breast_cancer",
        "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY grade) FROM breast_cancer",
        "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY age, bmi) FROM breast_cancer",
        "SELECT corr(age) FROM breast_cancer",
        "SELECT corr(age, htn) FROM breast_cancer",
        "SELECT corr(age, bmi + 1) FROM breast_cancer",
        "SELECT corr(age, bmi) OVER () FROM breast_cancer",
        "SELECT width_bucket(age, 0, 100, 10), count(*) FROM breast_cancer",
        "SELECT count(*) FROM breast_cancer GROUP BY width_bucket(age, 100, 0, 10)",
        "SELECT count(*) FROM breast_cancer GROUP BY width_bucket(age, 0, 100, 0)",
        "SELECT count(*) FROM breast_cancer GROUP BY width_bucket(age, 0, 100, 2.5)",
        "SELECT count(*) FROM breast_cancer GROUP BY width_bucket(age, 0, 100, 5000)",
        "SELECT count(*) FROM breast_cancer GROUP BY width_bucket(age, 0, bmi, 5)",
        "SELECT count(*) FROM breast_cancer GROUP BY width_bucket(birth, 0, 10, 5)",
        "SELECT count(*) FROM breast_cancer GROUP BY width_bucket(age, 0, 10)",
        "SELECT count(*) FROM breast_cancer GROUP BY extract(month FROM birth)",
        "SELECT count(*) FROM breast_cancer GROUP BY extract(year FROM age)",
        "SELECT count(*) FROM breast_cancer GROUP BY date_part('day', birth)",
        "SELECT count(*) FROM breast_cancer GROUP BY birth",
        "EXPLAIN SELECT count(*) FROM breast_cancer WHERE htn",
        "EXPLAIN COHORT SELECT count(*) FROM breast_cancer",
        "EXPLAIN COHORT SELECT avg(age) FROM breast_cancer WHERE htn",
        "EXPLAIN COHORT SELECT count(*) FROM breast_cancer WHERE htn GROUP BY grade",
        "SELECT cuont(*) FROM breast_cancer",
        "SELECT sum(*) FROM breast_cancer",
        "SELECT sum(age, bmi) FROM breast_cancer",
        "SELECT sum(age * bmi) FROM breast_cancer",
        "SELECT sum(age + 1) FROM breast_cancer",
        "SELECT sum(grade) FROM breast_cancer",
        "SELECT avg(birth) FROM breast_cancer",
        "SELECT var_samp(htn) FROM breast_cancer",
        "SELECT sum(htn * htn) FROM breast_cancer",
        "SELECT count(NULL) FROM breast_cancer",
        "SELECT count(DISTINCT grade) FROM breast_cancer",
        "SELECT count(*) FILTER (WHERE weight > 3) FROM breast_cancer",
        "SELECT count(*) OVER () FROM breast_cancer",
        "SELECT avg(age) - avg(bmi) FROM breast_cancer",
        "SELECT age FROM breast_cancer",
        "SELECT age, count(*) FROM breast_cancer GROUP BY grade",
        "SELECT * FROM breast_cancer",
        "SELECT breast_cancer.* FROM breast_cancer",
        "SELECT 1 FROM breast_cancer",
        "SELECT CASE WHEN htn THEN 1 END FROM breast_cancer",
        "SELECT count(patient_id) FROM breast_cancer",
        "SELECT grade FROM breast_cancer GROUP BY grade",
        "SELECT count(*) FROM breast_cancer GROUP BY age",
        "SELECT count(*) FROM breast_cancer GROUP BY 1",
        "SELECT count(*) FROM breast_cancer GROUP BY 2",
        "SELECT count(*) FROM breast_cancer GROUP BY age > 5",
        "SELECT count(*) FROM breast_cancer GROUP BY ALL",
        "SELECT count(*) FROM breast_cancer GROUP BY ROLLUP (grade)",
        "SELECT count(*) FROM breast_cancer GROUP BY grade, grade",
        "SELECT count(*) FROM breast_cancer GROUP BY grade, gender, htn",
        "SELECT count(*)",
        "SELECT count(*) FROM lung_cancer",
        "SELECT count(*) FROM public.breast_cancer",
        "SELECT count(*) FROM breast_cancer, visits",
        "SELECT count(*) FROM breast_cancer b JOIN visits v ON b.id = v.id",
        "SELECT count(*) FROM (SELECT 1) x",
        "SELECT count(*) FROM f(1)",
        "SELECT count(*) FROM breast_cancer AS b (x, y)",
        "SELECT count(*) FROM breast_cancer b WHERE breast_cancer.age > 4",
        "SELECT DISTINCT count(*) FROM breast_cancer",
        "SELECT count(*) FROM breast_cancer HAVING count(*) > 5",
        "SELECT count(*) FROM breast_cancer ORDER BY 1",
        "SELECT count(*) FROM breast_cancer LIMIT 5",
        "WITH x AS (SELECT 1) SELECT count(*) FROM breast_cancer",
        "SELECT count(*) FROM breast_cancer UNION SELECT count(*) FROM breast_cancer",
        "SELECT count(*) INTO x FROM breast_cancer",
        "SELECT count(*) FROM breast_cancer FOR UPDATE",
        "SELECT count(*) FROM breast_cancer; SELECT count(*) FROM breast_cancer",
        "DROP TABLE breast_cancer",
        "VALUES (1)",
        "SELECT count(*) AS \"\" FROM breast_cancer",
    ];
    let text = messages(queries.map(|q| (q, q.to_owned())));
    insta::assert_snapshot!(text, @r##"
    line 1, column 1: empty; write SELECT count(*) FROM …
SELECT min(age) FROM breast_cancer
    line 1, column 8: min discloses individuals; ask for avg, stddev_samp, or percentile_disc(0.5) WITHIN GROUP (ORDER BY column)
SELECT count(*),
       max(age) FROM breast_cancer
    line 2, column 8: max discloses individuals; ask for avg, stddev_samp, or percentile_disc(0.5) WITHIN GROUP (ORDER BY column)
SELECT string_agg(grade, ',') FROM breast_cancer
    line 1, column 8: string_agg discloses individuals; ask for avg, stddev_samp, or percentile_disc(0.5) WITHIN GROUP (ORDER BY column)
SELECT median(age) FROM breast_cancer
    line 1, column 8: median is not supported; ask for percentile_disc(0.5) WITHIN GROUP (ORDER BY column)
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY age) FROM breast_cancer
    line 1, column 8: percentile_cont is not supported; ask for percentile_disc(0.5) WITHIN GROUP (ORDER BY column)
SELECT percentile_disc(0.5) FROM breast_cancer
    line 1, column 8: percentile_disc without one column to order by; write percentile_disc(0.5) WITHIN GROUP (ORDER BY column), with a share between 0 and 1 of at most 4 decimals
SELECT percentile_disc(1) WITHIN GROUP (ORDER BY age) FROM breast_cancer
    line 1, column 24: the share is not one number between 0 and 1; write percentile_disc(0.5) WITHIN GROUP (ORDER BY column), with a share between 0 and 1 of at most 4 decimals
SELECT percentile_disc(0.00005) WITHIN GROUP (ORDER BY age) FROM breast_cancer
    line 1, column 24: the share has too many decimals; write percentile_disc(0.5) WITHIN GROUP (ORDER BY column), with a share between 0 and 1 of at most 4 decimals
SELECT percentile_disc(0.005) WITHIN GROUP (ORDER BY age) FROM breast_cancer
    line 1, column 1: percentiles of one column are closer than 0.01 to one another, or to 0 or 1; ask for fewer; together they would list the values
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY age), percentile_disc(0.505) WITHIN GROUP (ORDER BY age) FILTER (WHERE htn) FROM breast_cancer
    line 1, column 1: percentiles of one column are closer than 0.01 to one another, or to 0 or 1; ask for fewer; together they would list the values
SELECT percentile_disc('half') WITHIN GROUP (ORDER BY age) FROM breast_cancer
    line 1, column 24: the share is not one number between 0 and 1; write percentile_disc(0.5) WITHIN GROUP (ORDER BY column), with a share between 0 and 1 of at most 4 decimals
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY age DESC) FROM breast_cancer
    line 1, column 52: another order is not supported; leave DESC and NULLS out: percentile_disc(1 − p) is the other end, and NULL is never counted
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY grade) FROM breast_cancer
    line 1, column 52: percentile_disc of column grade, a category, is not defined; ask for count(*) and GROUP BY grade
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY age, bmi) FROM breast_cancer
    line 1, column 8: percentile_disc without one column to order by; write percentile_disc(0.5) WITHIN GROUP (ORDER BY column), with a share between 0 and 1 of at most 4 decimals
SELECT corr(age) FROM breast_cancer
    line 1, column 8: corr takes 2 arguments; write corr(y, x) with two number columns
SELECT corr(age, htn) FROM breast_cancer
    line 1, column 18: column htn is a boolean; name number columns; to compare a number between groups ask for its avg with GROUP BY
SELECT corr(age, bmi + 1) FROM breast_cancer
    line 1, column 18: this argument of corr is not supported; write corr(y, x) with two number columns
SELECT corr(age, bmi) OVER () FROM breast_cancer
    line 1, column 8: corr takes 2 arguments; write corr(y, x) with two number columns
SELECT width_bucket(age, 0, 100, 10), count(*) FROM breast_cancer
    line 1, column 8: width_bucket stands outside GROUP BY; repeat it in GROUP BY as it stands
SELECT count(*) FROM breast_cancer GROUP BY width_bucket(age, 100, 0, 10)
    line 1, column 58: the buckets' bounds do not enclose a range; write the lower bound first
SELECT count(*) FROM breast_cancer GROUP BY width_bucket(age, 0, 100, 0)
    line 1, column 71: the number of buckets is not usable; write a whole number, at least 1
SELECT count(*) FROM breast_cancer GROUP BY width_bucket(age, 0, 100, 2.5)
    line 1, column 71: the number of buckets is not usable; write a whole number, at least 1
SELECT count(*) FROM breast_cancer GROUP BY width_bucket(age, 0, 100, 5000)
    buckets: 5000, at most 4096 are possible; use wider buckets
SELECT count(*) FROM breast_cancer GROUP BY width_bucket(age, 0, bmi, 5)
    line 1, column 66: a bound that is no number; write a number with at most 9 decimals
SELECT count(*) FROM breast_cancer GROUP BY width_bucket(birth, 0, 10, 5)
    line 1, column 58: column birth is a date; name a number column; dates go by extract(year FROM column)
SELECT count(*) FROM breast_cancer GROUP BY width_bucket(age, 0, 10)
    line 1, column 45: width_bucket takes 4 arguments; write width_bucket(column, low, high, count)
SELECT count(*) FROM breast_cancer GROUP BY extract(month FROM birth)
    line 1, column 64: extract(MONTH) is not supported; dates are grouped by year: write extract(year FROM birth); count other periods each by itself: count(*) FILTER (WHERE birth BETWEEN DATE 'YYYY-MM-DD' AND DATE 'YYYY-MM-DD')
SELECT count(*) FROM breast_cancer GROUP BY extract(year FROM age)
    line 1, column 63: column age is a number; name a date column
SELECT count(*) FROM breast_cancer GROUP BY date_part('day', birth)
    line 1, column 45: this part of a date is not supported; dates are grouped by year: write extract(year FROM birth); count other periods each by itself: count(*) FILTER (WHERE birth BETWEEN DATE 'YYYY-MM-DD' AND DATE 'YYYY-MM-DD')
SELECT count(*) FROM breast_cancer GROUP BY birth
    line 1, column 45: column birth is a date: its groups would be single patients; group by extract(year FROM birth)
EXPLAIN SELECT count(*) FROM breast_cancer WHERE htn
    line 1, column 1: EXPLAIN alone is not supported; write EXPLAIN COHORT SELECT count(*) FROM … WHERE … for the number of patients after each criterion
EXPLAIN COHORT SELECT count(*) FROM breast_cancer
    line 1, column 16: EXPLAIN COHORT without criteria; write the inclusion criteria into WHERE, with AND between them
EXPLAIN COHORT SELECT avg(age) FROM breast_cancer WHERE htn
    line 1, column 16: EXPLAIN COHORT of anything but count(*) is not supported; write EXPLAIN COHORT SELECT count(*) FROM … WHERE …
EXPLAIN COHORT SELECT count(*) FROM breast_cancer WHERE htn GROUP BY grade
    line 1, column 16: EXPLAIN COHORT of anything but count(*) is not supported; write EXPLAIN COHORT SELECT count(*) FROM … WHERE …
SELECT cuont(*) FROM breast_cancer
    line 1, column 8: the function cuont is not supported; did you mean count? the aggregates are count, sum, avg, var_samp, variance, var_pop, stddev_samp, stddev, stddev_pop, percentile_disc, covar_samp, covar_pop, corr, regr_count, regr_slope, regr_intercept, regr_r2, regr_avgx, regr_avgy, regr_sxx, regr_syy, regr_sxy
SELECT sum(*) FROM breast_cancer
    line 1, column 8: sum(*) is not defined; name a column
SELECT sum(age, bmi) FROM breast_cancer
    line 1, column 8: sum takes one column; write sum(column)
SELECT sum(age * bmi) FROM breast_cancer
    line 1, column 12: the sum of a product is not supported; ask for regr_sxy(age, bmi), corr or covar_pop of the two columns
SELECT sum(age + 1) FROM breast_cancer
    line 1, column 12: computing within sum is not supported; ask for sum(age) and compute with the released answer, or have the hospitals add the column; sum also takes column * column
SELECT sum(grade) FROM breast_cancer
    line 1, column 12: sum of column grade, a category, is not defined; ask for count(*) and GROUP BY grade
SELECT avg(birth) FROM breast_cancer
    line 1, column 12: avg of column birth, a date, is not defined; ask for count(birth), or compare it in WHERE
SELECT var_samp(htn) FROM breast_cancer
    line 1, column 17: var_samp of column htn, a boolean, is not defined; avg(htn) gives the share p, and p(1-p) is its variance
SELECT sum(htn * htn) FROM breast_cancer
    line 1, column 12: column htn is a boolean; write sum(htn), its square is the same
SELECT count(NULL) FROM breast_cancer
    line 1, column 14: count of NULL is not supported; it is always 0; write count(*), or count(column)
SELECT count(DISTINCT grade) FROM breast_cancer
    line 1, column 8: DISTINCT or ALL in an aggregate is not supported; each patient is one row, so count(*) counts different patients; for the different values of a column GROUP BY it
SELECT count(*) FILTER (WHERE weight > 3) FROM breast_cancer
    line 1, column 31: there is no column weight; the columns are age, bmi, platelets, grade, gender, birth, htn
SELECT count(*) OVER () FROM breast_cancer
    line 1, column 8: a window function is not supported; leave OVER out; GROUP BY gives one value per group
SELECT avg(age) - avg(bmi) FROM breast_cancer
    line 1, column 8: computing with outputs is not supported; ask for the aggregates alone and compute with the released answer
SELECT age FROM breast_cancer
    line 1, column 8: column age outside an aggregate discloses individuals; ask for an aggregate, e.g. count(age), or GROUP BY width_bucket(age, low, high, count)
SELECT age, count(*) FROM breast_cancer GROUP BY grade
    line 1, column 8: column age outside an aggregate discloses individuals; ask for an aggregate, e.g. count(age), or GROUP BY width_bucket(age, low, high, count)
SELECT * FROM breast_cancer
    line 1, column 8: SELECT * discloses individuals; ask for aggregates: count, sum, avg, var_samp, variance, var_pop, stddev_samp, stddev, stddev_pop, percentile_disc, covar_samp, covar_pop, corr, regr_count, regr_slope, regr_intercept, regr_r2, regr_avgx, regr_avgy, regr_sxx, regr_syy, regr_sxy
SELECT breast_cancer.* FROM breast_cancer
    line 1, column 22: SELECT table.* discloses individuals; ask for aggregates: count, sum, avg, var_samp, variance, var_pop, stddev_samp, stddev, stddev_pop, percentile_disc, covar_samp, covar_pop, corr, regr_count, regr_slope, regr_intercept, regr_r2, regr_avgx, regr_avgy, regr_sxx, regr_syy, regr_sxy
SELECT 1 FROM breast_cancer
    line 1, column 8: a constant in the SELECT list is not supported; ask for an aggregate, e.g. count(*)
SELECT CASE WHEN htn THEN 1 END FROM breast_cancer
    line 1, column 8: CASE in the SELECT list is not supported; ask for an output of each case: count(*) FILTER (WHERE htn)
SELECT count(patient_id) FROM breast_cancer
    line 1, column 14: column patient_id cannot be queried: it names the patient and is never committed, so nothing can be proven about it; count(*) counts the patients
SELECT grade FROM breast_cancer GROUP BY grade
    line 1, column 1: the query asks for no aggregate; add one, e.g. count(*)
SELECT count(*) FROM breast_cancer GROUP BY age
    line 1, column 45: column age is a number: its groups would be single patients; group by width_bucket(age, low, high, count)
SELECT count(*) FROM breast_cancer GROUP BY 1
    line 1, column 45: item 1 of the SELECT list is an aggregate; group by a column, buckets or years
SELECT count(*) FROM breast_cancer GROUP BY 2
    line 1, column 45: GROUP BY position 2 is not in the SELECT list; write the column's name
SELECT count(*) FROM breast_cancer GROUP BY age > 5
    line 1, column 45: GROUP BY a condition is not supported; ask for count(*) FILTER (WHERE age > 5) beside count(*)
SELECT count(*) FROM breast_cancer GROUP BY ALL
    line 1, column 36: GROUP BY ALL is not supported; write GROUP BY and the columns' names
SELECT count(*) FROM breast_cancer GROUP BY ROLLUP (grade)
    line 1, column 36: ROLLUP is not supported; ask a query for each grouping
SELECT count(*) FROM breast_cancer GROUP BY grade, grade
    line 1, column 52: column grade stands twice in GROUP BY; keep one
SELECT count(*) FROM breast_cancer GROUP BY grade, gender, htn
    columns in GROUP BY: 3, at most 2 are possible; group by fewer, and for the others ask a query for each value, or count(*) FILTER (WHERE column = value)
SELECT count(*)
    line 1, column 1: there is no table (no FROM); write FROM breast_cancer
SELECT count(*) FROM lung_cancer
    line 1, column 22: there is no table lung_cancer; write FROM breast_cancer
SELECT count(*) FROM public.breast_cancer
    line 1, column 22: there is no table public.breast_cancer; write FROM breast_cancer
SELECT count(*) FROM breast_cancer, visits
    line 1, column 17: more than one table is not supported; a query reads one row per patient: the hospitals join their tables before
SELECT count(*) FROM breast_cancer b JOIN visits v ON b.id = v.id
    line 1, column 38: JOIN is not supported; a query reads one row per patient: the hospitals join their tables before
SELECT count(*) FROM (SELECT 1) x
    line 1, column 17: a subquery in FROM is not supported; write its conditions into WHERE
SELECT count(*) FROM f(1)
    line 1, column 17: this kind of table is not supported; write FROM breast_cancer
SELECT count(*) FROM breast_cancer AS b (x, y)
    line 1, column 39: renaming columns is not supported; use the registry's names
SELECT count(*) FROM breast_cancer b WHERE breast_cancer.age > 4
    line 1, column 44: there is no column breast_cancer.age; write b.column or the column alone
SELECT DISTINCT count(*) FROM breast_cancer
    line 1, column 8: DISTINCT is not supported; leave it out: GROUP BY gives each group once
SELECT count(*) FROM breast_cancer HAVING count(*) > 5
    line 1, column 36: HAVING is not supported; leave it out: groups below the release threshold are withheld anyway, and the others can be chosen from the answer
SELECT count(*) FROM breast_cancer ORDER BY 1
    line 1, column 36: ORDER BY is not supported; leave it out: the groups come in the order of the registry's codes
SELECT count(*) FROM breast_cancer LIMIT 5
    line 1, column 36: LIMIT or OFFSET is not supported; leave it out: every group is in the answer
WITH x AS (SELECT 1) SELECT count(*) FROM breast_cancer
    line 1, column 1: WITH is not supported; write the conditions into one WHERE
SELECT count(*) FROM breast_cancer UNION SELECT count(*) FROM breast_cancer
    line 1, column 36: UNION is not supported; join the conditions with OR, or ask a query for each
SELECT count(*) INTO x FROM breast_cancer
    line 1, column 17: INTO is not supported; leave it out
SELECT count(*) FROM breast_cancer FOR UPDATE
    line 1, column 36: FOR UPDATE is not supported; leave it out
SELECT count(*) FROM breast_cancer; SELECT count(*) FROM breast_cancer
    line 1, column 35: more than one statement is not supported; ask one query at a time
DROP TABLE breast_cancer
    line 1, column 1: a statement that is no query is not supported; a cohort query is one SELECT
VALUES (1)
    line 1, column 1: this query is not supported; a cohort query is one SELECT
SELECT count(*) AS "" FROM breast_cancer
    line 1, column 20: the alias '' is not usable; write 1 to 63 bytes without control characters
"##);
}
