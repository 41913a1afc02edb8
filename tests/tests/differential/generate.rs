//! Random queries, each written twice: for Galen, and for SQLite over values in units.

use galen_tests::{
    dice::Dice,
    plain::{day, decimal_text},
};

use crate::table::{Column, ColumnKind, DAYS, Kind};

/// One output of the SELECT list.
#[derive(Debug, Clone)]
pub enum Output {
    Key(usize),
    /// An aggregate's name (`count*` for `count(*)`, `squares` for `sum(c*c)`) and its column.
    Aggregate(&'static str, &'static str),
    /// The same under the query's FILTER.
    Filtered(&'static str, &'static str),
}

/// A query in both dialects.
#[derive(Debug, Clone)]
pub struct Query {
    pub sql: String,
    pub keys: Vec<&'static str>,
    pub outputs: Vec<Output>,
    /// SQLite's condition.
    pub condition: String,
    /// SQLite's condition of FILTER, where some output has one.
    pub filter: Option<String>,
}

/// A condition in both dialects.
struct Condition {
    galen: String,
    sqlite: String,
}

pub struct Generator {
    kind: Kind,
    dice: Dice,
    /// Conditions on one column that came before: like a researcher's, queries repeat them.
    known: Vec<(String, String)>,
}

const OF_NUMBERS: [&str; 8] = [
    "count",
    "sum",
    "squares",
    "avg",
    "var_samp",
    "var_pop",
    "stddev_samp",
    "stddev_pop",
];

impl Generator {
    pub fn new(kind: Kind, dice: Dice) -> Self {
        Self {
            kind,
            dice,
            known: Vec::new(),
        }
    }

    /// The `number`-th query: every third one is grouped, every eleventh has an empty cohort.
    pub fn query(&mut self, number: usize) -> Query {
        let keys = self.keys(number);
        let mut outputs: Vec<Output> = (0..keys.len()).map(Output::Key).collect();
        outputs.extend(self.aggregates(keys.len()));
        let condition = if number % 11 == 10 {
            Some(self.nobody())
        } else if self.dice.below(8) == 0 {
            None
        } else {
            let depth = if number % 4 == 3 { 3 } else { 2 };
            Some(self.condition(depth))
        };
        let filter = (number % 5 == 4).then(|| self.filter(&mut outputs));
        let galen = filter.as_ref().map_or("", |f| f.galen.as_str());
        let list: Vec<String> = outputs.iter().map(|o| text(o, &keys, galen)).collect();
        let mut sql = format!("SELECT {} FROM t", list.join(", "));
        if let Some(c) = &condition {
            sql += &format!(" WHERE {}", c.galen);
        }
        if !keys.is_empty() {
            sql += &format!(" GROUP BY {}", keys.join(", "));
        }
        Query {
            sql,
            keys,
            outputs,
            condition: condition.map_or("1".into(), |c| c.sqlite),
            filter: filter.map(|f| f.sqlite),
        }
    }

    /// A condition for Galen and for SQLite.
    pub fn any_condition(&mut self, depth: u32) -> (String, String) {
        let Condition { galen, sqlite } = self.condition(depth);
        (galen, sqlite)
    }

    pub fn dice(&mut self) -> &mut Dice {
        &mut self.dice
    }

    fn keys(&mut self, number: usize) -> Vec<&'static str> {
        let mut columns: Vec<&'static str> = self
            .kind
            .columns()
            .iter()
            .filter(|c| matches!(c.kind, ColumnKind::Boolean | ColumnKind::Category(_)))
            .map(|c| c.name)
            .collect();
        let wanted = match number % 6 {
            2 => 1,
            5 => 2,
            _ => 0,
        };
        let mut keys = Vec::new();
        while keys.len() < wanted {
            let at = self.dice.below(columns.len() as u64);
            keys.push(columns.swap_remove(usize::try_from(at).unwrap()));
        }
        keys
    }

    /// Puts some outputs under a condition of their own. What follows is as if nothing had been drawn.
    fn filter(&mut self, outputs: &mut [Output]) -> Condition {
        let (dice, known) = (self.dice.clone(), self.known.len());
        let filter = self.condition(1);
        for output in outputs {
            if let Output::Aggregate(name, column) = *output
                && self.dice.below(2) == 0
            {
                *output = Output::Filtered(name, column);
            }
        }
        self.dice = dice;
        self.known.truncate(known);
        filter
    }

    fn aggregates(&mut self, keys: usize) -> Vec<Output> {
        // Few aggregates of groups, and often only counts.
        let wanted = match keys {
            0 => 1 + self.dice.below(4),
            _ if self.dice.below(2) == 0 => return vec![Output::Aggregate("count*", "")],
            _ => 1,
        };
        let numbers = self.numbers();
        (0..wanted)
            .map(|_| {
                let mut column = *self.dice.pick(self.kind.columns());
                if self.dice.below(2) == 0 {
                    column = *self.dice.pick(&numbers);
                }
                let name = match column.kind {
                    _ if self.dice.below(6) == 0 => return Output::Aggregate("count*", ""),
                    ColumnKind::Number { .. } => *self.dice.pick(&OF_NUMBERS),
                    ColumnKind::Boolean => *self.dice.pick(&["count", "sum", "avg"]),
                    _ => "count",
                };
                Output::Aggregate(name, column.name)
            })
            .collect()
    }

    fn numbers(&self) -> Vec<Column> {
        let numbers = self.kind.columns().iter().copied();
        numbers
            .filter(|c| matches!(c.kind, ColumnKind::Number { .. }))
            .collect()
    }

    fn condition(&mut self, depth: u32) -> Condition {
        if depth == 0 {
            return self.leaf();
        }
        match self.dice.below(10) {
            0..=2 => self.leaf(),
            3..=5 => self.joined(depth, "AND"),
            6..=7 => self.joined(depth, "OR"),
            8 => {
                let inner = self.condition(depth - 1);
                both(inner, |c| format!("NOT ({c})"))
            }
            _ => {
                let test = *self
                    .dice
                    .pick(&["IS TRUE", "IS NOT TRUE", "IS FALSE", "IS NOT FALSE"]);
                let inner = self.condition(depth - 1);
                both(inner, |c| format!("({c}) {test}"))
            }
        }
    }

    fn joined(&mut self, depth: u32, word: &str) -> Condition {
        let members: Vec<Condition> = (0..2 + self.dice.below(2))
            .map(|_| self.condition(depth - 1))
            .collect();
        let join = |of: fn(&Condition) -> &String| {
            let texts: Vec<String> = members.iter().map(|c| format!("({})", of(c))).collect();
            texts.join(&format!(" {word} "))
        };
        Condition {
            galen: join(|c| &c.galen),
            sqlite: join(|c| &c.sqlite),
        }
    }

    fn leaf(&mut self) -> Condition {
        // Wide columns' predicates need long tables: mostly those that came before.
        let enough = match self.kind {
            Kind::Narrow => 30,
            Kind::Wide => 9,
        };
        if self.known.len() >= enough || (self.dice.below(3) == 0 && !self.known.is_empty()) {
            let (galen, sqlite) = self.dice.pick(&self.known).clone();
            return Condition { galen, sqlite };
        }
        let mut column = *self.dice.pick(self.kind.columns());
        if self.kind == Kind::Wide && self.dice.below(2) == 0 {
            column = *self.kind.columns().last().unwrap();
        }
        let leaf = match self.dice.below(8) {
            0 => same(&format!("{} IS NULL", column.name)),
            1 => same(&format!("{} IS NOT NULL", column.name)),
            _ => self.compared(column),
        };
        self.known.push((leaf.galen.clone(), leaf.sqlite.clone()));
        leaf
    }

    fn compared(&mut self, column: Column) -> Condition {
        let name = column.name;
        if matches!(column.kind, ColumnKind::Boolean) {
            let forms = ["", "NOT ", "TRUE", "FALSE"];
            return match *self.dice.pick(&forms) {
                "TRUE" => same(&format!("{name} = TRUE")),
                "FALSE" => same(&format!("{name} <> TRUE")),
                not => same(&format!("{not}{name}")),
            };
        }
        let ordered = !matches!(column.kind, ColumnKind::Category(_));
        match self.dice.below(if ordered { 8 } else { 4 }) {
            0 | 1 => {
                let not = *self.dice.pick(&["", "NOT "]);
                let list: Vec<Condition> = (0..1 + self.dice.below(4))
                    .map(|_| self.constant(column))
                    .collect();
                let null = if self.dice.below(8) == 0 {
                    ", NULL"
                } else {
                    ""
                };
                let text = |of: fn(&Condition) -> &str| {
                    let items: Vec<&str> = list.iter().map(of).collect();
                    format!("{name} {not}IN ({}{null})", items.join(", "))
                };
                Condition {
                    galen: text(|c| &c.galen),
                    sqlite: text(|c| &c.sqlite),
                }
            }
            4 | 5 => {
                let not = *self.dice.pick(&["", "NOT "]);
                let (mut low, mut high) = (self.place(column), self.place(column));
                // Now and then an interval that is upside down, hence empty.
                if low > high && self.dice.below(6) > 0 {
                    (low, high) = (high, low);
                }
                let (low, high) = (written(column, low), written(column, high));
                Condition {
                    galen: format!("{name} {not}BETWEEN {} AND {}", low.galen, high.galen),
                    sqlite: format!("{name} {not}BETWEEN {} AND {}", low.sqlite, high.sqlite),
                }
            }
            _ => {
                let operators: &[&str] = if ordered {
                    &["=", "<>", "<", "<=", ">", ">="]
                } else {
                    &["=", "<>"]
                };
                let operator = *self.dice.pick(operators);
                let constant = self.constant(column);
                both(constant, |c| format!("{name} {operator} {c}"))
            }
        }
    }

    fn constant(&mut self, column: Column) -> Condition {
        let place = self.place(column);
        written(column, place)
    }

    /// A code's index, a day, or a number in tenths of its unit: near the column's values, now and
    /// then beyond its bounds or between two values.
    fn place(&mut self, column: Column) -> i64 {
        match column.kind {
            ColumnKind::Boolean => unreachable!("booleans are compared by name"),
            ColumnKind::Category(codes) => self
                .dice
                .between(0, i64::try_from(codes.len()).unwrap() - 1),
            ColumnKind::Date => self.dice.between(-20, DAYS + 20),
            ColumnKind::Number { min, max, .. } => {
                let margin = (max - min) / 20;
                match self.dice.below(6) {
                    0 => 10 * min,
                    1 => 10 * max,
                    2 => 10 * self.dice.between(min, max) + self.dice.between(1, 9),
                    _ => 10 * self.dice.between(min - margin, max + margin),
                }
            }
        }
    }

    /// A condition that no row meets, though no one column says so.
    fn nobody(&mut self) -> Condition {
        let any = self.leaf();
        both(any, |c| format!("({c}) AND NOT ({c})"))
    }
}

/// A constant in both dialects.
fn written(column: Column, place: i64) -> Condition {
    match column.kind {
        ColumnKind::Boolean => unreachable!("booleans are compared by name"),
        ColumnKind::Category(codes) => {
            let code = codes[usize::try_from(place).unwrap()].replace('\'', "''");
            same(&format!("'{code}'"))
        }
        ColumnKind::Date => {
            let day = day(place);
            Condition {
                galen: format!("DATE '{day}'"),
                sqlite: format!("'{day}'"),
            }
        }
        ColumnKind::Number { decimals, .. } => Condition {
            galen: decimal_text(place, decimals + 1),
            sqlite: decimal_text(place, 1),
        },
    }
}

fn same(text: &str) -> Condition {
    Condition {
        galen: text.into(),
        sqlite: text.into(),
    }
}

fn both(c: Condition, f: impl Fn(&str) -> String) -> Condition {
    Condition {
        galen: f(&c.galen),
        sqlite: f(&c.sqlite),
    }
}

fn text(output: &Output, keys: &[&str], filter: &str) -> String {
    match output {
        Output::Filtered(name, c) => {
            let plain = text(&Output::Aggregate(name, c), keys, filter);
            format!("{plain} FILTER (WHERE {filter})")
        }
        Output::Key(i) => keys[*i].into(),
        Output::Aggregate("count*", _) => "count(*)".into(),
        Output::Aggregate("squares", c) => format!("sum({c} * {c})"),
        Output::Aggregate(name, c) => format!("{name}({c})"),
    }
}
