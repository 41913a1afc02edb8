//! Words that cannot name a column or a registry: in a query they would need quotes or mean
//! something else.

/// PostgreSQL's reserved words, and further words that start an expression of their own.
/// Sorted. Part of the registry format: a word may be added only with a new format version.
#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric",
    "authorization", "between", "binary", "both", "case", "cast", "ceil", "check", "collate",
    "collation", "column", "concurrently", "connect_by_root", "constraint", "convert", "create",
    "cross", "cube", "current_catalog", "current_date", "current_role", "current_schema",
    "current_time", "current_timestamp", "current_user", "default", "deferrable", "delete",
    "desc", "distinct", "distinctrow", "do", "else", "end", "except", "exclude", "exists",
    "extract", "false", "fetch", "floor", "for", "foreign", "freeze", "from", "full", "grant",
    "group", "having", "ilike", "in", "initially", "inner", "insert", "intersect", "interval",
    "into", "is", "isnull", "join", "lateral", "leading", "left", "like", "limit", "localtime",
    "localtimestamp", "map", "match", "natural", "not", "notnull", "null", "offset", "on", "only",
    "or", "order", "outer", "overlaps", "overlay", "placing", "position", "primary", "prior",
    "qualify", "references", "returning", "right", "rollup", "row", "select", "session_user",
    "similar", "some", "struct", "substr", "substring", "symmetric", "system_user", "table",
    "tablesample", "then", "to", "top", "trailing", "trim", "true", "try_cast", "union", "unique",
    "unknown", "update", "user", "using", "values", "variadic", "verbose", "when", "where",
    "window", "with",
];

/// Whether a lower-case word is reserved.
pub(crate) fn is_reserved(word: &str) -> bool {
    RESERVED.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_sorted() {
        assert!(RESERVED.is_sorted());
        assert!(is_reserved("all") && is_reserved("with") && !is_reserved("age"));
    }
}
