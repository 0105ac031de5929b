//! The keywords that completion offers.

/// The keywords of the statements that DataFusion runs.
///
/// The parser's own list, `sqlparser::keywords::ALL_KEYWORDS`, has more than a thousand words, of all dialects and mostly
/// of statements that no session here runs: it offers some thirty words for `de`, where these are three.
#[rustfmt::skip]
pub(super) const KEYWORDS: [&str; 111] = [
    "ALL", "ANALYZE", "AND", "ANTI", "ARRAY", "AS", "ASC", "BETWEEN", "BIGINT", "BOOLEAN", "BY", "CASE",
    "CAST", "COPY", "CREATE", "CROSS", "CURRENT", "DATE", "DELETE", "DESC", "DESCRIBE", "DISTINCT",
    "DOUBLE", "DROP", "ELSE", "END", "EXCEPT", "EXCLUDE", "EXISTS", "EXPLAIN", "EXTERNAL", "EXTRACT",
    "FALSE", "FILTER", "FIRST", "FLOAT", "FOLLOWING", "FROM", "FULL", "GROUP", "GROUPING", "HAVING",
    "ILIKE", "IN", "INNER", "INSERT", "INTERSECT", "INTERVAL", "INTO", "IS", "JOIN", "LAST", "LATERAL",
    "LEFT", "LIKE", "LIMIT", "LOCATION", "NATURAL", "NOT", "NULL", "NULLS", "OFFSET", "ON", "OPTIONS", "OR",
    "ORDER", "OUTER", "OVER", "PARTITION", "PARTITIONED", "PRECEDING", "PREPARE", "QUALIFY", "RANGE",
    "RECURSIVE", "REPLACE", "RIGHT", "ROLLUP", "ROW", "ROWS", "SELECT", "SEMI", "SET", "SETS", "SHOW",
    "SIMILAR", "STORED", "STRUCT", "TABLE", "TABLES", "TEMPORARY", "THEN", "TIME", "TIMESTAMP", "TO",
    "TRUE", "TRY_CAST", "UNBOUNDED", "UNION", "UNNEST", "UPDATE", "USING", "VALUES", "VARCHAR", "VIEW",
    "WHEN", "WHERE", "WINDOW", "WITH", "WITHIN", "ZONE",
];

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::keywords::ALL_KEYWORDS;

    use super::*;

    #[test]
    fn every_keyword_is_one_of_the_parser() {
        assert!(KEYWORDS.is_sorted());
        for keyword in KEYWORDS {
            assert!(ALL_KEYWORDS.contains(&keyword), "{keyword}");
        }
    }
}
