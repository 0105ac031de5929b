//! Tests of the functions: answers by SQL, and properties that all of them have.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, DictionaryArray, Int8Array, StringArray, UInt64Array};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Field};
use datafusion::common::config::ConfigOptions;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF};
use datafusion::prelude::SessionContext;

fn context() -> SessionContext {
    let context = SessionContext::new();
    for function in super::all() {
        context.register_udf(function.as_ref().clone());
    }
    context
}

/// Returns the one value of `SELECT expression`.
async fn value(context: &SessionContext, expression: &str) -> Result<String> {
    let batches = context.sql(&format!("SELECT {expression}")).await?.collect().await?;
    Ok(ScalarValue::try_from_array(batches[0].column(0), 0)?.to_string())
}

fn invoke(function: &ScalarUDF, args: &[ColumnarValue]) -> Result<ColumnarValue> {
    let rows = args.iter().find_map(|arg| match arg {
        ColumnarValue::Array(array) => Some(array.len()),
        ColumnarValue::Scalar(_) => None,
    });
    let arg_fields: Vec<_> =
        args.iter().map(|arg| Arc::new(Field::new("arg", arg.data_type(), true))).collect();
    let return_field = function.return_field_from_args(ReturnFieldArgs {
        arg_fields: &arg_fields[..1],
        scalar_arguments: &[None],
    })?;
    function.invoke_with_args(ScalarFunctionArgs {
        args: args.to_vec(),
        arg_fields,
        number_rows: rows.unwrap_or(1),
        return_field,
        config_options: Arc::new(ConfigOptions::default()),
    })
}

fn invoke_array(function: &ScalarUDF, array: ArrayRef) -> Result<ArrayRef> {
    let rows = array.len();
    invoke(function, &[ColumnarValue::Array(array)])?.into_array(rows)
}

const SENTENCE: &str = "'The quick & sly (as all foxes might be/or not) fox, jumped over a frog.'";
const CMD: &str = r"'C:\Windows\System32\cmd.exe'";

#[tokio::test]
async fn answers() -> Result<()> {
    let context = context();
    for (function, arguments, expected) in [
        // The expected numbers were computed with Python's re, zlib and str.
        ("cmdline_tokens", SENTENCE, "20"),
        ("path_score", SENTENCE, "6199"),
        ("token_count", SENTENCE, "15"),
        ("crc32_hash", SENTENCE, "2011081507"),
        ("delim_hash", SENTENCE, "2337396062"),
        ("cmdline_tokens", CMD, "5"),
        ("path_score", CMD, "2570"),
        ("crc32_hash", CMD, "2866286114"),
        ("delim_hash", CMD, "51785571"),
        ("delim_skeleton", CMD, r":\\\."),
        ("process_name", CMD, "cmd.exe"),
        ("string_score", "'café'", "531"),
        ("crc32_hash", "'café'", "2561491637"),
        ("delim_hash", "'café'", "0"),
        ("delim_skeleton", "'café'", ""),
        ("cmdline_tokens", "'a' || chr(28) || 'b'", "1"),
        ("cmdline_tokens", "'a' || chr(160) || 'b'", "1"),
        ("crc32_hash", "'a' || chr(160) || 'b'", "1028567497"),
        ("path_score", "'\u{1f600}'", "128512"),
        ("token_count", "' '", "2"),
        ("crc32_hash", "' '", "3916222277"),
        ("string_score", "'odbcconf.exe  /f my.rspáá'", "2510"),
        ("crc32_hash", "'odbcconf.exe  /f my.rspáá'", "483893095"),
        ("cmdline_tokens", "''", "0"),
        ("path_score", "''", "0"),
        ("token_count", "''", "1"),
        ("delim_hash", "''", "0"),
        ("crc32_hash", "''", "0"),
        ("process_name", "''", ""),
        ("entropy", "''", "0"),
        // These calls have a second argument.
        ("cmdline_tokens", r"'a=1 b=2', '[\s=]'", "3"),
        ("delim_skeleton", "'a&&b[c', '[&&[]'", "&&["),
        ("delim_hash", "'a&&b[c', '[&&[]'", "4242991128"),
        ("path_score", "'abc', 100", "2"),
        ("path_score", "'abc', 2.5", "117"),
        ("path_score", "'abc', -100", "-3"),
        ("string_score", "'', -100", "0"),
        ("token_count", "'a--b---c', '--'", "3"),
        ("token_count", "'a,b', ','", "2"),
        // The following functions take one argument.
        ("process_name", "'/usr/bin/ssh'", "ssh"),
        ("process_name", r"'C:\Tools\'", ""),
        ("process_name", "'cmd.exe'", "cmd.exe"),
        ("entropy", "'aaa'", "0"),
        ("entropy", "'áb'", "1"),
        ("is_system_session", "'0x3e7'", "true"),
        ("is_system_session", "'0X00000000000003E7'", "true"),
        ("is_system_session", "'0x3e71'", "false"),
        ("is_system_session", "'0x-3e7'", "false"),
        ("is_system_session", "'3e7'", "false"),
        ("is_system_session", "' 999'", "false"),
        ("is_system_session", "''", "false"),
        ("is_system_session", "'999'", "true"),
        ("is_system_session", "'-1'", "true"),
        ("is_system_session", "'4294967295'", "true"),
        ("is_system_session", "'0xffffffff'", "true"),
        ("is_system_session", "999", "true"),
        ("is_system_session", "-1", "true"),
        ("is_system_session", "4294967295", "true"),
        ("is_system_session", "18446744073709551615", "true"),
        ("is_system_session", "arrow_cast(-1, 'Int8')", "true"),
        ("is_system_session", "998", "false"),
        ("logon_type_name", "0", "System"),
        ("logon_type_name", "12", "CachedRemoteInteractive"),
        ("logon_type_name", "'13'", "CachedUnlock"),
        ("logon_type_name", "arrow_cast('3', 'Dictionary(Int32, Utf8)')", "Network"),
        ("logon_type_name", "1", "NULL"),
        ("logon_type_name", "'three'", "NULL"),
        ("sid_name", "'S-1-5-18'", "SYSTEM"),
        ("sid_name", "'S-1-5-32-544'", "Administrators"),
        ("sid_name", "'S-1-5-21-1-2-3-500'", "Administrator"),
        ("sid_name", "'S-1-5-21-1-2-3-501'", "Guest"),
        ("sid_name", "'S-1-5-21-1-2-3-1500'", "NULL"),
        ("sid_name", "'S-1-5-21-1-2-500'", "NULL"),
        ("sid_name", "'S-1-5-21-1-2-3-4-500'", "NULL"),
    ] {
        assert_eq!(
            value(&context, &format!("{function}({arguments})")).await?,
            expected,
            "{function}({arguments})"
        );
    }
    Ok(())
}

#[tokio::test]
async fn answers_about_form_and_place() -> Result<()> {
    let context = context();
    for (function, arguments, expected) in [
        ("argument_count", r#"'p "a b" c'"#, "3"),
        ("obfuscation_score", "'pOwErShElL'", "4"),
        ("base64_fraction", "'plain'", "0"),
        ("path_depth", CMD, "2"),
        ("is_user_writable_path", "'/tmp/x'", "true"),
        ("double_extension", "'a.pdf.exe'", "true"),
        ("address_count", "'ping 10.0.0.1 ::2'", "2"),
        ("is_address", "'10.0.0.1'", "true"),
        ("nearest_name", "'scvhost.exe'", "svchost.exe"),
        ("nearest_name", "'adm1n', ['root', 'admin']", "admin"),
        ("nearest_name", "'adm1n', arrow_cast(['admin'], 'LargeList(Utf8View)')", "admin"),
        ("nearest_name", "'adm1n', []", "NULL"),
        ("nearest_name", "'admin', ['admin']", "NULL"),
        ("expected_dir", r"'lsass.exe', 'C:\Temp\lsass.exe'", r"C:\Windows\System32"),
        ("expected_dir", r"arrow_cast('sshd', 'Dictionary(Int32, Utf8)'), '/tmp/sshd'", "/usr/sbin"),
        ("expected_dir", "'sshd', '/usr/sbin/sshd'", "NULL"),
        ("hour_of_day", "TIMESTAMP '2019-01-15 23:59:59.9'", "23"),
        ("hour_of_day", "arrow_cast(0, 'Timestamp(Second, Some(\"+05:30\"))')", "5"),
    ] {
        let call = format!("{function}({arguments})");
        assert_eq!(value(&context, &call).await?, expected, "{call}");
    }
    Ok(())
}

/// A NULL as any argument, typed or not, gives NULL, and the planner knows it.
#[tokio::test]
async fn null_gives_null() -> Result<()> {
    let context = context();
    for function in super::all() {
        let name = function.name();
        // One function has a second argument that is no option.
        let more = if name == "expected_dir" { ", 'C:\\a\\svchost.exe'" } else { "" };
        assert_eq!(value(&context, &format!("{name}(NULL{more})")).await?, "NULL", "{name}");
        let no_value = match name {
            "sparkline" => "BIGINT[]",
            "hour_of_day" => "TIMESTAMP",
            _ => "VARCHAR",
        };
        let call = format!("{name}(CAST(NULL AS {no_value}){more})");
        assert_eq!(value(&context, &call).await?, "NULL", "{name}");
        assert!(function.is_strict(), "{name}");
        let arguments = function.documentation().and_then(|text| text.arguments.as_ref());
        if arguments.is_some_and(|arguments| arguments.len() == 2) {
            assert_eq!(value(&context, &format!("{name}('a b', NULL)")).await?, "NULL", "{name}");
        }
    }
    Ok(())
}

/// Whether a function can be called with one text.
fn takes_text(function: &str) -> bool {
    !matches!(function, "sparkline" | "hour_of_day" | "expected_dir")
}

/// The encoding of the text does not change the answer. The rows are tested as `Utf8`, `LargeUtf8`, `Utf8View`, as
/// dictionaries smaller and larger than the rows, sliced, and as scalars.
#[test]
fn encodings_agree() -> Result<()> {
    let texts: ArrayRef = Arc::new(StringArray::from(vec![
        Some(r"C:\Windows\System32\cmd.exe /c echo 10.0.0.17"),
        None,
        Some("a\u{a0}bé \u{1f600}"),
        Some(""),
        Some("0x3e7"),
        Some("10"),
        Some("S-1-5-18"),
        Some(r"C:\Windows\System32\cmd.exe /c echo 10.0.0.17"),
    ]));
    let dictionary = |keys: &dyn Array, values: &ArrayRef| -> Result<ArrayRef> {
        let key_type = Box::new(keys.data_type().clone());
        Ok(match key_type.as_ref() {
            DataType::Int8 => {
                Arc::new(DictionaryArray::try_new(Int8Array::from(keys.to_data()), Arc::clone(values))?)
            }
            _ => Arc::new(DictionaryArray::try_new(UInt64Array::from(keys.to_data()), Arc::clone(values))?),
        })
    };
    let views = cast(&texts, &DataType::Utf8View)?;
    let doubled = concat(&[&texts, &texts])?;
    let encoded = [
        cast(&texts, &DataType::LargeUtf8)?,
        Arc::clone(&views),
        // The values have a NULL, and one that no key uses.
        dictionary(&Int8Array::from_iter_values([0, 1, 2, 3, 4, 5, 6, 0]), &texts)?,
        // The keys have a NULL, and there are more values than rows.
        dictionary(
            &UInt64Array::from(vec![Some(8), None, Some(2), Some(11), Some(4), Some(5), Some(14), Some(0)]),
            &doubled,
        )?,
        dictionary(&Int8Array::from_iter_values(0..8), &views)?,
        doubled.slice(8, 8),
        dictionary(&UInt64Array::from_iter_values((0..8).chain(0..8)), &texts)?.slice(8, 8),
    ];
    for function in super::all().into_iter().filter(|function| takes_text(function.name())) {
        let expected = invoke_array(&function, Arc::clone(&texts))?;
        assert_eq!(expected.data_type(), &function.return_type(&[DataType::Utf8])?, "{function:?}");
        // None of the texts looks like the name of a program.
        let has_values = expected.null_count() < expected.len() || function.name() == "nearest_name";
        assert!(expected.is_null(1) && has_values, "{function:?}");
        for array in &encoded {
            let result = invoke_array(&function, Arc::clone(array))?;
            assert_eq!(&result, &expected, "{function:?} of {:?}", array.data_type());
            for row in 0..array.len() {
                let scalar = ColumnarValue::Scalar(ScalarValue::try_from_array(array, row)?);
                let ColumnarValue::Scalar(result) = invoke(&function, &[scalar])? else {
                    panic!("{function:?}: an array for a scalar")
                };
                assert_eq!(result, ScalarValue::try_from_array(&expected, row)?, "{function:?}");
            }
        }
        assert_eq!(invoke_array(&function, texts.slice(0, 0))?.len(), 0);
    }
    Ok(())
}

/// Constants may be arrays, as behind the foreign function interface.
#[test]
fn takes_a_constant_as_an_array() -> Result<()> {
    let function = super::token_count_udf();
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["a,b", "a"]));
    let call = |separators: Vec<&str>| {
        let rows = texts.slice(0, separators.len());
        let separators: ArrayRef = Arc::new(StringArray::from(separators));
        invoke(&function, &[ColumnarValue::Array(rows), ColumnarValue::Array(separators)])
    };
    assert_eq!(
        call(vec![",", ","])?.into_array(2)?.to_data(),
        invoke_array(&function, Arc::new(StringArray::from(vec!["a b", "a"])))?.to_data()
    );
    assert_eq!(call(vec![])?.into_array(0)?.len(), 0);
    let error = call(vec![",", ";"]).expect_err("two separators");
    assert!(
        error
            .to_string()
            .contains("token_count: argument 2 is several values, expected the same value for all rows"),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn errors_name_function_argument_expected_and_got() {
    let context = context();
    for (call, expected) in [
        (
            "cmdline_tokens()",
            "cmdline_tokens: argument 1 (s) is missing, expected a value; call it as cmdline_tokens(s [, class])",
        ),
        (
            "cmdline_tokens('a', '[a]', 1)",
            "cmdline_tokens: argument 3 is one too many, expected no more than 2; call it as cmdline_tokens(s [, class])",
        ),
        (
            "process_name('a', '/')",
            "process_name: argument 2 is one too many, expected no more than 1; call it as process_name(path)",
        ),
        (
            "cmdline_tokens(1)",
            "cmdline_tokens: argument 1 (s) is Int64, expected a string; use CAST(... AS VARCHAR)",
        ),
        ("cmdline_tokens('a', 1)", "cmdline_tokens: argument 2 (class) is Int64, expected a string"),
        (
            "cmdline_tokens('a', 'xyz')",
            r"cmdline_tokens: argument 2 (class) is 'xyz', expected one bracket expression such as '[\s=,]'; it does not begin with [",
        ),
        ("delim_hash('a', '')", "delim_hash: argument 2 (class) is '', expected one bracket expression"),
        (
            "delim_skeleton('a', '[b-a]')",
            "is '[b-a]', expected one bracket expression such as '[\\s=,]'; a range of it does not run from a lower to a higher character",
        ),
        (
            "cmdline_tokens(x, x) FROM (VALUES ('a')) AS t(x)",
            "cmdline_tokens: argument 2 is an expression of type Utf8, expected a literal, the same for all rows",
        ),
        ("path_score('a', 'b')", "path_score: argument 2 (scale) is Utf8, expected a number"),
        (
            "path_score('a', 0)",
            "path_score: argument 2 (scale) is 0, expected a finite number other than 0 to divide by",
        ),
        (
            "string_score('a', 0.0)",
            "string_score: argument 2 (scale) is 0, expected a finite number other than 0 to divide by",
        ),
        (
            "path_score('a', 1e999)",
            "path_score: argument 2 (scale) is inf, expected a finite number other than 0 to divide by",
        ),
        ("path_score('a', 1e-300)", "path_score: a score is 97 / 0.00"),
        (
            "token_count('a', '')",
            "token_count: argument 2 (sep) is '', expected a string of at least one character",
        ),
        (
            "is_system_session(1.5)",
            "is_system_session: argument 1 (id) is Float64, expected a string or an integer; use CAST(... AS BIGINT)",
        ),
        (
            "hour_of_day('x')",
            "hour_of_day: argument 1 (time) is Utf8, expected a timestamp; use to_timestamp(...)",
        ),
        (
            "expected_dir('a')",
            "expected_dir: argument 2 (path) is missing, expected a string; call it as expected_dir(name, path)",
        ),
        (
            "expected_dir('a', 1)",
            "expected_dir: argument 2 (path) is Int64, expected a string; use CAST(... AS VARCHAR)",
        ),
        ("expected_dir('a', 'b', 'c')", "expected_dir: argument 3 is one too many, expected no more than 2"),
        (
            "nearest_name('a', 'b')",
            "nearest_name: argument 2 (names) is Utf8, expected a list of strings; such as ['Administrator', 'krbtgt']",
        ),
        ("nearest_name()", "nearest_name: argument 1 (name) is missing, expected a string"),
        (
            "logon_type_name(true)",
            "logon_type_name: argument 1 (n) is Boolean, expected a string or an integer",
        ),
    ] {
        let error = value(&context, call).await.expect_err(call).to_string();
        assert!(error.contains(expected), "{call}\nexpected: {expected}\n     got: {error}");
    }
}
