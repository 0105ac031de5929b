//! Tests of the functions by SQL, in a session that registers them.

use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::Result;
use datafusion::prelude::SessionContext;

fn context() -> SessionContext {
    let context = SessionContext::new();
    for function in super::all_scalar() {
        context.register_udf(function.as_ref().clone());
    }
    for function in super::all_aggregate() {
        context.register_udaf(function.as_ref().clone());
    }
    context
}

/// Returns the values of the one column of `SELECT expression`.
async fn values(context: &SessionContext, expression: &str) -> Result<Vec<String>> {
    let batches = context.sql(&format!("SELECT {expression}")).await?.collect().await?;
    let mut values = vec![];
    let options = FormatOptions::new().with_null("NULL");
    for batch in &batches {
        let column = ArrayFormatter::try_new(batch.column(0), &options)?;
        values.extend((0..batch.num_rows()).map(|row| column.value(row).to_string()));
    }
    Ok(values)
}

async fn check(answers: &[(&str, &[&str])]) {
    let context = context();
    for (expression, expected) in answers {
        let got = values(&context, expression).await.unwrap_or_else(|error| panic!("{expression}: {error}"));
        assert_eq!(got, *expected, "{expression}");
    }
}

#[tokio::test]
async fn answers() {
    check(&[
        ("__feature_to_double(true, 'f', 'error')", &["1.0"]),
        ("__feature_to_double(-0.0, 'f', 'error')", &["0.0"]),
        ("__feature_to_double(CAST(NULL AS INT), 'f', 'error')", &["NULL"]),
        ("__feature_to_double('NaN'::double, 'f', 'zero')", &["0.0"]),
        ("__feature_to_double(CAST(NULL AS INT), 'f', 'zero')", &["0.0"]),
        ("__feature_to_double('inf'::double, 'f', 'skip')", &["NULL"]),
        ("__feature_to_double(x, 'f', 'skip') FROM (VALUES ('inf'::double), (2.5)) AS t(x)", &["NULL", "2.5"]),
        // One number in two types is one vector.
        (
            "__feature_to_double(CAST('0.1' AS DECIMAL(38,24)), 'd', 'error') \
             - __feature_to_double(CAST('0.1' AS DECIMAL(5,1)), 'd', 'error')",
            &["0.0"],
        ),
        ("__assume_few_rows(1)", &["true"]),
        ("__assert_row_found(1)", &["true"]),
        ("__cluster_key(42, 'host-1')", &["b1c057c8c48d6946"]),
        ("__vectors_equal(1.0, 1.0, 2.0, 3.0)", &["false"]),
        ("__vectors_equal(CAST(NULL AS DOUBLE), CAST(NULL AS DOUBLE))", &["true"]),
        ("__exemplar_group(g) FROM (VALUES (7), (-70)) AS t(g)", &["7", "-7"]),
        ("__exemplar_sort_key(g, 'a') FROM (VALUES (7), (-70)) AS t(g)", &["a", "NULL"]),
        (
            "array_to_string(__kept_values([named_struct('key', 1, 'value', 'a'), named_struct('key', 2, 'value', 'b')]), ' ')",
            &["a b"],
        ),
        (
            "array_to_string(__kept_values(__smallest_n(named_struct('x', x), 2)), ' ') FROM (VALUES (3), (1), (2)) AS t(x)",
            &["1 2"],
        ),
        ("__exact_statistic('sum', x) FROM (VALUES (1e100), (1.0), (-1e100)) AS t(x)", &["1.0"]),
        ("__exact_statistic('avg', x) FROM (VALUES (1.0), (2.0)) AS t(x)", &["1.5"]),
    ])
    .await;
}

#[tokio::test]
async fn nested_values_as_json() {
    check(&[
        ("__json_text({name: 'reg.exe', ids: [1, NULL, 3]})", &[r#"{"name":"reg.exe","ids":[1,null,3]}"#]),
        ("__json_text(l) FROM (VALUES ([1, 2]), (NULL), ([])) AS t(l)", &["[1,2]", "NULL", "[]"]),
        // At any depth, and quotes, controls and what is not ASCII stay valid JSON.
        (
            r#"__json_text([{a: [{b: 'x"y\z'}]}, NULL, {a: []}])"#,
            &[r#"[{"a":[{"b":"x\"y\\z"}]},null,{"a":[]}]"#],
        ),
        ("__json_text([chr(27) || chr(10), 'é', ''])", &[r#"["\u001b\n","é",""]"#]),
        // Times, dates and bytes are strings, as JSON has none.
        (
            "__json_text({t: TIMESTAMP '2026-01-02T03:04:05.678', d: DATE '2026-01-02', b: arrow_cast('az', 'Binary')})",
            &[r#"{"t":"2026-01-02T03:04:05.678","d":"2026-01-02","b":"617a"}"#],
        ),
        (r#"__json_text([arrow_cast(1, 'Timestamp(Second, Some("+00:00"))')])"#, &[r#"["1970-01-01T00:00:01Z"]"#]),
        // Numbers are numbers; NaN and the infinities are no JSON.
        (
            "__json_text({f: [1.5::double, 'NaN'::double, 'inf'::double], n: 1.50::decimal(10, 2), u: true})",
            &[r#"{"f":[1.5,null,null],"n":1.50,"u":true}"#],
        ),
        // Keys of maps are text.
        ("__json_text(MAP {'a': 1, 'b': NULL})", &[r#"{"a":1,"b":null}"#]),
        ("__json_text([MAP {1: 'one', 2: 'two'}])", &[r#"[{"1":"one","2":"two"}]"#]),
        // Dictionaries are their values.
        ("__json_text([arrow_cast('a', 'Dictionary(Int32, Utf8)'), NULL])", &[r#"["a",null]"#]),
        (
            "__json_text({s: arrow_cast('a', 'Utf8View'), l: arrow_cast([1, 2], 'LargeList(Int64)')})",
            &[r#"{"s":"a","l":[1,2]}"#],
        ),
    ])
    .await;
}

/// Wrong arguments and values that can't be computed are errors, and no panics.
#[tokio::test]
async fn errors() {
    let context = context();
    for (expression, expected) in [
        ("__feature_to_double('a', 'n', 'error')", "expected a number"),
        ("__feature_to_double(a, s, s) FROM t", "expected constants"),
        (
            "__feature_to_double(CAST('0.100000000000000005551115' AS DECIMAL(38,24)), 'd', 'error')",
            "feature 'd' holds 0.100000000000000005551115, which is not exact as DOUBLE",
        ),
        ("__assert_row_found(NULL)", "the table changed while it was clustered: 1 row(s)"),
        ("__kept_values([1])", "expected a list of structs"),
        ("__kept_values(NULL)", "expected a list of structs"),
        ("__cluster_key()", "__cluster_key"),
        ("__cluster_key('x')", "expected an integer"),
        ("__cluster_key(1, [1])", "expected one value that has a text or bytes"),
        ("__vectors_equal(1.0)", "expects pairs of features"),
        ("__vectors_equal(1.0, 'x')", "expected one type"),
        ("__exemplar_group('x')", "expected an integer"),
        ("__exemplar_sort_key(NULL, NULL)", "expected an integer"),
        ("__smallest_n(a, 2) FROM t", "expected a struct or a list of structs"),
        ("__smallest_n(named_struct('x', a), 0) FROM t", "expected a number of structs"),
        ("__smallest_n(named_struct('x', a), a) FROM t", "expected a number of structs"),
        ("__exact_statistic('mode', a) FROM t", "no constant that names a statistic"),
        ("__exact_statistic('sum', s) FROM t", "expected a number"),
    ] {
        let expression = expression.replace("FROM t", "FROM (VALUES (1, 'a'), (2, 'b')) AS t(a, s)");
        let error = values(&context, &expression).await.expect_err(&expression).strip_backtrace();
        assert!(error.contains(expected), "{expression}\nexpected: {expected}\n     got: {error}");
    }
}

/// Odd calls end in rows or in an error.
#[tokio::test]
async fn odd_calls_end() {
    let context = context();
    for call in [
        "__smallest_n(named_struct('x', a), 9223372036854775807)",
        "__smallest_n(DISTINCT named_struct('x', a), 2)",
        "__smallest_n(named_struct('x', a), 2) OVER (ORDER BY a)",
        "__smallest_n(named_struct('x', [a]), 2)",
        "__smallest_n(named_struct('x', MAP {'a': a}), 2)",
        "__feature_to_double(a, 'n', 'nope')",
    ] {
        let ended = values(&context, &format!("{call} FROM (VALUES (2), (1)) AS t(a)")).await;
        assert!(!ended.is_ok_and(|rows| rows.is_empty()), "{call}");
    }
}
