//! Tests of the functions and operators by SQL.

use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::Result;
use datafusion::prelude::SessionContext;

/// The one value of `SELECT expression`.
async fn value(context: &SessionContext, expression: &str) -> Result<String> {
    let batches = context.sql(&format!("SELECT {expression}")).await?.collect().await?;
    let options = FormatOptions::new().with_null("NULL");
    let column = ArrayFormatter::try_new(batches[0].column(0), &options)?;
    Ok(column.value(0).to_string())
}

#[tokio::test]
async fn each_function_reads_its_type_only() {
    let context = SessionContext::new();
    crate::register_all(&context).unwrap_or_else(|error| panic!("{error}"));
    let json =
        r#"{"s": "a\nb", "n": 7, "f": -2.5e3, "big": 1e999, "t": true, "z": null, "o": {"x": [1, "two"]}}"#;
    for (call, expected) in [
        ("json_get_str({}, 's')", "a\nb"),
        ("json_get_str({}, 'n')", "NULL"),
        ("json_get_str({}, 'z')", "NULL"),
        ("json_get_str({}, 'o', 'x', 1)", "two"),
        ("json_get_str({}, NULL)", "NULL"),
        ("json_get_str(NULL, 's')", "NULL"),
        ("json_get_str('no JSON', 's')", "NULL"),
        ("json_get_int({}, 'n')", "7"),
        ("json_get_int({}, 'f')", "NULL"),
        ("json_get_int({}, 't')", "NULL"),
        ("json_get_float({}, 'f')", "-2500.0"),
        ("json_get_float({}, 'n')", "7.0"),
        ("json_get_float({}, 'big')", "NULL"),
        ("json_get_float({}, 's')", "NULL"),
        ("json_get_bool({}, 't')", "true"),
        ("json_get_bool({}, 'n')", "NULL"),
        ("json_get_json({}, 'o')", r#"{"x": [1, "two"]}"#),
        ("json_get_json({}, 'z')", "NULL"),
        ("json_as_text({}, 'o', 'x', -2)", "1"),
        ("json_as_text({}, 't')", "true"),
        ("json_as_text({}, 'z')", "NULL"),
        ("json_as_text(arrow_cast({}, 'Dictionary(Int32, Utf8)'), 'n')", "7"),
        ("json_as_text(arrow_cast({}, 'LargeUtf8'), arrow_cast('n', 'LargeUtf8'))", "7"),
        ("json_contains({}, 'z')", "true"),
        ("json_contains({}, 'o', 'y')", "false"),
        ("json_contains('[1', 0)", "NULL"),
        ("{}->'o'->'x'->>1", "two"),
        ("({}->>'n')::int + 1", "8"),
        ("'n: ' || ({}->>'n')", "n: 7"),
        ("json_as_text({}, 'n' || '')", "7"),
        ("{}->'o'->'x'->-1", "\"two\""),
        ("{}->>'n' = '7' AND {}->'o'->>'x' IS NOT NULL", "true"),
    ] {
        let expression = call.replace("{}", &format!("'{json}'"));
        let got = value(&context, &expression).await.unwrap_or_else(|error| panic!("{call}: {error}"));
        assert_eq!(got, expected, "{call}");
    }
}

#[tokio::test]
async fn wrong_arguments_are_told() {
    let context = SessionContext::new();
    crate::register_all(&context).unwrap_or_else(|error| panic!("{error}"));
    for (call, expected) in [
        (
            "json_get_str(1, 'a')",
            "json_get_str: argument 1 (json) is Int64, expected a string with JSON; use CAST(... AS VARCHAR)",
        ),
        (
            "{a: 1}->'a'",
            "json_get_json: argument 1 (json) is Struct(\"a\": Int64), expected a string with JSON; a field of a struct is",
        ),
        ("json_get_str('{}', 1.5)", "argument 2 (step) is Float64, expected a name or a whole number"),
        ("'{}'->>'a' || 'b'", "->> binds less than the operators beside it: write (ev->>'name') || 'text'"),
        ("'a' || '{}'->>'a'", "and json_as_text(...) for text or a step that is computed"),
        ("'{}'->>'a'::int", "(ev->>'name')::int with brackets"),
        ("json_as_text()", "argument 1 (json) is missing"),
    ] {
        let error = value(&context, call).await.expect_err(expected).to_string();
        assert!(error.contains(expected), "{call}: {error}");
    }
}
