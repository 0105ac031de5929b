//! [`OPTIONS`]: the table of all options. A row holds everything about one option.
//!
//! A new option is a row here, and a field of [`ClusterOptions`](super::ClusterOptions) with its default. What it takes decides how it is read from
//! SQL and from a constant of a plan, and what the documentation says of its values. An option whose values are of a new
//! kind has a variant of [`Takes`] as well, and the compiler names the matches that need an arm for it. CONTRIBUTING.md,
//! *Adding something*, has the other places.

use std::sync::Arc;

use arrow::array::ListArray;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::expr::Placeholder;
use datafusion::logical_expr::{Expr, Literal, lit};

use super::option::{ClusterOption, ColumnsAre, Takes};
use super::{Eps, ExemplarChoice, Key, NullPolicy, Parameter, TimeColumn};
use crate::dbscan::{Metric, Scaling};

/// Returns a number, or its placeholder, as an expression.
pub(crate) fn number<T: Copy + Literal>(number: &Parameter<T>, option: &str) -> Expr {
    match number {
        Parameter::Value(number) => lit(*number),
        Parameter::Placeholder(placeholder) => {
            // A placeholder for a whole number is DOUBLE too: for a BIGINT the engine would silently turn 2.5 into 2.
            let data_type =
                placeholder.field.as_ref().map_or(DataType::Float64, |field| field.data_type().clone());
            // The option's name makes each placeholder unique: the engine would turn two equal ones into a column.
            let field = Arc::new(Field::new(option, data_type, true));
            Expr::Placeholder(Placeholder::new_with_field(placeholder.id.clone(), Some(field)))
        }
    }
}

fn no_text() -> Expr {
    lit(ScalarValue::Utf8(None))
}

fn texts(texts: &[String]) -> Expr {
    if texts.is_empty() { no_text() } else { lit(texts.join(", ")) }
}

fn columns(columns: &[Column]) -> Expr {
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    texts(&names)
}

fn keys(keys: &[Key]) -> Expr {
    let keys: Vec<String> = keys.iter().map(|key| key.text.clone()).collect();
    texts(&keys)
}

/// Returns a list of numbers, or NULL of that type.
fn factors(numbers: Option<&[f64]>) -> Expr {
    let Some(numbers) = numbers else {
        let item: FieldRef = Arc::new(Field::new_list_field(DataType::Float64, true));
        return lit(ScalarValue::List(Arc::new(ListArray::new_null(item, 1))));
    };
    let numbers: Vec<ScalarValue> = numbers.iter().map(|number| ScalarValue::from(*number)).collect();
    lit(ScalarValue::List(ScalarValue::new_list_nullable(&numbers, &DataType::Float64)))
}

/// All options, in the order of the reference.
pub(crate) static OPTIONS: &[ClusterOption] = &[
    ClusterOption {
        name: "eps",
        takes: Takes::Eps,
        place: Some(0),
        only_in: None,
        carry: |options| match &options.eps {
            Eps::Given(eps) => number(eps, "eps"),
            Eps::Auto | Eps::Each(_) => lit(ScalarValue::Float64(None)),
        },
        default: Some("none: it has to be given; in `dbcluster_eps` it may be left out"),
        meaning: "How far apart neighbours may be, inclusive, in the unit of the scaled and weighted features. Also by \
                      position. `'auto'` finds the last eps before clusters chain into one, for each partition by itself: \
                      the greatest eps at which something changes while the core rows of the largest cluster are at \
                      most `chain_share` of all rows more than the most frequent vector. `dbcluster_summary` tells it as \
                      `eps_least` and `eps_greatest`, `dbcluster_eps` what other values would give.",
        sql_example: r#"```sql
> SELECT "CommandLine", cluster_size FROM dbcluster(events, [path_score(NewProcessName)], eps => 10, scaling => 'none')
  ORDER BY cluster_size;
+---------------------------------------+--------------+
| CommandLine                           | cluster_size |
+---------------------------------------+--------------+
| x.exe --key=a;b;c --out="\\srv\share" | 1            |
| cmd.exe /c run_1.bat                  | 3            |
+---------------------------------------+--------------+
```"#,
    },
    ClusterOption {
        name: "min_samples",
        takes: Takes::WholeNumber(|options, number| options.min_samples = number),
        place: Some(1),
        only_in: None,
        carry: |options| number(&options.min_samples, "min_samples"),
        default: None,
        meaning: "How many rows within eps make a row core, itself counted. Also by position, behind eps. With hundreds of them \
                      `eps => 'auto'`, `dbcluster_eps` and `dbcluster_why` take long, since they look at as many neighbours of each vector.",
        sql_example: r"```sql
> SELECT clusters, noise FROM dbcluster_summary(events, [path_score(NewProcessName)], eps => 10, min_samples => 5, scaling => 'none');
+----------+-------+
| clusters | noise |
+----------+-------+
| 0        | 4     |
+----------+-------+
```",
    },
    ClusterOption {
        name: "time_column",
        takes: Takes::TimeColumn,
        place: Some(7),
        only_in: None,
        carry: |options| match &options.time_column {
            TimeColumn::Given(time) => lit(time.text.as_str()),
            TimeColumn::FirstOfItsType | TimeColumn::None => no_text(),
        },
        default: Some("the first column of a timestamp or date type"),
        meaning: "The time of the events: the order of the rows, and `first_event_time` and `last_event_time`. Without \
                      one these two columns are absent. Text is read as ISO times, in UTC unless it names an offset, and \
                      text that is no such time fails the query: to_timestamp(text, format) reads others. A number \
                      orders as it is.",
        sql_example: r#"```sql
> SELECT "CommandLine", cluster_size, cluster_id
  FROM dbcluster(events, [path_score(NewProcessName)], eps => 10, scaling => 'none', time_column => NULL) ORDER BY cluster_id;
+---------------------------------------+--------------+------------+
| CommandLine                           | cluster_size | cluster_id |
+---------------------------------------+--------------+------------+
| x.exe --key=a;b;c --out="\\srv\share" | 1            | -1         |
| cmd.exe /c run_1.bat                  | 3            | 0          |
+---------------------------------------+--------------+------------+
```"#,
    },
    ClusterOption {
        name: "order_by",
        takes: Takes::Keys(|options| &mut options.order_by),
        place: Some(8),
        only_in: None,
        carry: |options| keys(&options.order_by),
        default: Some("the time column"),
        meaning: "Which row of a cluster is the first, and which cluster has the lower number. Ties are decided by the \
                      features, then by the remaining columns. NULLs come last.",
        sql_example: r#"```sql
> SELECT "CommandLine", cluster_size
  FROM dbcluster(events, [path_score(NewProcessName)], eps => 10, scaling => 'none', order_by => [0 - date_part('epoch', TimeGenerated)])
  ORDER BY cluster_size;
+---------------------------------------+--------------+
| CommandLine                           | cluster_size |
+---------------------------------------+--------------+
| x.exe --key=a;b;c --out="\\srv\share" | 1            |
| cmd.exe /c run_3.bat                  | 3            |
+---------------------------------------+--------------+
```"#,
    },
    ClusterOption {
        name: "partition_by",
        takes: Takes::PartitionKeys(|options| &mut options.partition_by),
        place: Some(9),
        only_in: None,
        carry: |options| keys(&options.partition_by),
        default: Some("none: all rows are clustered together"),
        meaning: "Rows of different partitions are never neighbours. Cluster ids start at 0 in each partition, and \
                      `cluster_key` tells the clusters of all partitions apart. Partitions are clustered in parallel, and a \
                      filter on their columns reaches the scan. It comes first in the canonical order; NULL is a partition \
                      of its own.",
        sql_example: r#"```sql
> SELECT "Computer", cluster_id, cluster_size, cluster_key
  FROM dbcluster(events, [path_score(NewProcessName)], eps => 2000, scaling => 'none', partition_by => Computer)
  ORDER BY "Computer";
+----------+------------+--------------+------------------+
| Computer | cluster_id | cluster_size | cluster_key      |
+----------+------------+--------------+------------------+
| wks-1    | 0          | 2            | 82db35ae61733335 |
| wks-2    | 0          | 2            | 4d4d8b108596dccf |
+----------+------------+--------------+------------------+
```"#,
    },
    ClusterOption {
        name: "scaling",
        takes: Takes::Word {
            names: Scaling::NAMES,
            set: |options, name| Scaling::from_name(name).map(|scaling| options.scaling = scaling),
        },
        place: Some(3),
        only_in: None,
        carry: |options| lit(options.scaling.name()),
        default: None,
        meaning: "What is done to the features before distances are taken, over the rows of each partition, as in \
                      scikit-learn. `l2`: each row's vector is divided by its own length, so that only its direction counts \
                      (`Normalizer`). `zscore`: less the mean, divided by the standard deviation (`StandardScaler`). \
                      `minmax`: from 0 to 1 (`MinMaxScaler`). `robust`: less the median, divided by the distance of the \
                      quartiles (`RobustScaler`). `none`: as they are.",
        sql_example: r#"```sql
> SELECT "CommandLine", cluster_id
  FROM dbcluster_members(events, [cmdline_tokens(CommandLine), path_score(NewProcessName)], eps => 0.2, scaling => 'minmax')
  ORDER BY "TimeGenerated";
+---------------------------------------+------------+
| CommandLine                           | cluster_id |
+---------------------------------------+------------+
| cmd.exe /c run_1.bat                  | 0          |
| cmd.exe /c run_2.bat                  | 0          |
| cmd.exe /c run_3.bat                  | 0          |
| x.exe --key=a;b;c --out="\\srv\share" | -1         |
+---------------------------------------+------------+
```"#,
    },
    ClusterOption {
        name: "weights",
        takes: Takes::Weights,
        place: Some(4),
        only_in: None,
        carry: |options| factors(options.weights.factors()),
        default: Some("1 for each feature"),
        meaning: "How much a feature counts: it is multiplied by its number after scaling. By name, the others keep 1.",
        sql_example: r"```sql
> SELECT clusters, noise
  FROM dbcluster_summary(events, {tokens: cmdline_tokens(CommandLine), path: path_score(NewProcessName)}, eps => 0.2,
                         scaling => 'minmax', weights => {tokens: 0.1, path: 0.1});
+----------+-------+
| clusters | noise |
+----------+-------+
| 1        | 0     |
+----------+-------+
```",
    },
    ClusterOption {
        name: "metric",
        takes: Takes::Word {
            names: Metric::NAMES,
            set: |options, name| Metric::from_name(name).map(|metric| options.metric = metric),
        },
        place: Some(2),
        only_in: None,
        carry: |options| lit(options.metric.name()),
        default: None,
        meaning: "What a distance is: the root of the sum of squared differences, the sum of differences, or the largest \
                      of them. Each is exact: there is no tolerance.",
        sql_example: r"```sql
> SELECT clusters, noise
  FROM dbcluster_summary(events, [cmdline_tokens(CommandLine), path_score(NewProcessName)], eps => 1600, scaling => 'none',
                         metric => 'chebyshev');
+----------+-------+
| clusters | noise |
+----------+-------+
| 1        | 0     |
+----------+-------+
```",
    },
    ClusterOption {
        name: "nulls",
        takes: Takes::Word {
            names: NullPolicy::NAMES,
            set: |options, name| NullPolicy::from_name(name).map(|nulls| options.nulls = nulls),
        },
        place: Some(5),
        only_in: None,
        carry: |options| lit(options.nulls.name()),
        default: None,
        meaning: "What becomes of rows with a NULL, NaN or infinite feature: the query fails and names the feature; the \
                      feature is read as 0; or the row is kept as it is, with `cluster_id` NULL and `point_type` `skipped`, \
                      which `dbcluster` has then, too.",
        sql_example: r#"```sql
> SELECT "CommandLine", point_type
  FROM dbcluster_members(events, [nullif(length(NewProcessName), 13)], eps => 1, scaling => 'none', nulls => 'skip')
  ORDER BY "TimeGenerated";
+---------------------------------------+------------+
| CommandLine                           | point_type |
+---------------------------------------+------------+
| cmd.exe /c run_1.bat                  | core       |
| cmd.exe /c run_2.bat                  | core       |
| cmd.exe /c run_3.bat                  | core       |
| x.exe --key=a;b;c --out="\\srv\share" | skipped    |
+---------------------------------------+------------+
```"#,
    },
    ClusterOption {
        name: "exemplar",
        takes: Takes::Word {
            names: ExemplarChoice::NAMES,
            set: |options, name| ExemplarChoice::from_name(name).map(|exemplar| options.exemplar = exemplar),
        },
        place: Some(6),
        only_in: None,
        carry: |options| lit(options.exemplar.name()),
        default: None,
        meaning: "Which member stands for its cluster; all its columns come from that one row. The first or the last one \
                      in order (of events without a time only if no other has one). `medoid`: the first row of the vector \
                      with the smallest sum of distances to the distinct vectors of its cluster, ties by order; exact up to \
                      10,000 distinct vectors in a cluster, and among an even sample of 10,000 above that. `rarest`: the \
                      first row of the vector that occurs least.",
        sql_example: r#"```sql
> SELECT "CommandLine", cluster_size
  FROM dbcluster(events, [path_score(NewProcessName)], eps => 10, scaling => 'none', exemplar => 'last') ORDER BY cluster_size;
+---------------------------------------+--------------+
| CommandLine                           | cluster_size |
+---------------------------------------+--------------+
| x.exe --key=a;b;c --out="\\srv\share" | 1            |
| cmd.exe /c run_3.bat                  | 3            |
+---------------------------------------+--------------+
```"#,
    },
    ClusterOption {
        name: "keep_members",
        takes: Takes::Members,
        place: Some(10),
        only_in: None,
        carry: |options| {
            let kept = options.keep_members.iter();
            let kept: Vec<String> =
                kept.map(|kept| format!("{}: {}", kept.column.name, kept.count)).collect();
            texts(&kept)
        },
        default: Some("none"),
        meaning: "Gives each cluster a list of a column's values in its first members, in order; ties are decided by the \
                      value. Without a number up to 10 of them, at most 1000. The list is named after its column, \
                      `CommandLine_members`.",
        sql_example: r#"```sql
> SELECT cluster_size, "CommandLine_members"
  FROM dbcluster(events, [path_score(NewProcessName)], eps => 10, scaling => 'none', keep_members => {CommandLine: 2})
  ORDER BY cluster_size;
+--------------+----------------------------------------------+
| cluster_size | CommandLine_members                          |
+--------------+----------------------------------------------+
| 1            | [x.exe --key=a;b;c --out="\\srv\share"]      |
| 3            | [cmd.exe /c run_1.bat, cmd.exe /c run_2.bat] |
+--------------+----------------------------------------------+
```"#,
    },
    ClusterOption {
        name: "chain_share",
        takes: Takes::Share(|options, share| options.chain_share = share),
        place: Some(11),
        only_in: None,
        carry: |options| {
            let is_given = matches!(options.eps, Eps::Given(_));
            lit(ScalarValue::Float64((!is_given).then_some(options.chain_share)))
        },
        default: Some("0.05"),
        meaning: "How much the largest cluster may outgrow the most frequent vector before `eps => 'auto'` stops, as a \
                      share of all rows. A greater one takes a greater eps.",
        sql_example: r"```sql
> SELECT clusters, noise, eps_least FROM dbcluster_summary(events, [path_score(NewProcessName)], eps => 'auto', scaling => 'none')
  UNION ALL SELECT clusters, noise, eps_least
  FROM dbcluster_summary(events, [path_score(NewProcessName)], eps => 'auto', chain_share => 0.5, scaling => 'none')
  ORDER BY eps_least;
+----------+-------+-----------+
| clusters | noise | eps_least |
+----------+-------+-----------+
| 1        | 1     | 683.5     |
| 1        | 0     | 1367.0    |
+----------+-------+-----------+
```",
    },
    ClusterOption {
        name: "steps",
        takes: Takes::Count {
            least: 2,
            most: 1000,
            set: |options, steps| options.steps = steps,
            get: |options| Some(options.steps),
        },
        place: None,
        only_in: Some("dbcluster_eps"),
        carry: |options| lit(options.steps),
        default: None,
        meaning: "How many values of eps `dbcluster_eps` chooses where it is given none, at most: it rounds them up to two digits, and \
                      gives those that are then the same once. No other function has it.",
        sql_example: r"```sql
> SELECT eps, clusters, noise FROM dbcluster_eps(events, [length(CommandLine)], steps => 3, scaling => 'none');
+------+----------+-------+
| eps  | clusters | noise |
+------+----------+-------+
| 8.5  | 1        | 1     |
| 17.0 | 1        | 0     |
+------+----------+-------+
```",
    },
    ClusterOption {
        name: "show",
        takes: Takes::Columns { of: |options| &mut options.show, are: ColumnsAre::Any },
        place: None,
        only_in: Some("dbcluster_why"),
        carry: |options| columns(&options.show),
        default: Some("none"),
        meaning: "Which columns of the nearest cluster's exemplar `dbcluster_why` shows beside the event, named after them: \
                      `nearest_CommandLine`. No other function has it.",
        sql_example: r#"```sql
> SELECT "CommandLine", nearest_cluster_id, "nearest_CommandLine"
  FROM dbcluster_why(events, [path_score(NewProcessName)], eps => 10, scaling => 'none', show => CommandLine);
+---------------------------------------+--------------------+----------------------+
| CommandLine                           | nearest_cluster_id | nearest_CommandLine  |
+---------------------------------------+--------------------+----------------------+
| x.exe --key=a;b;c --out="\\srv\share" | 0                  | cmd.exe /c run_1.bat |
+---------------------------------------+--------------------+----------------------+
```"#,
    },
    ClusterOption {
        name: "distinct_of",
        takes: Takes::Columns { of: |options| &mut options.distinct_of, are: ColumnsAre::Grouped },
        place: None,
        only_in: Some("dbcluster"),
        carry: |options| columns(&options.distinct_of),
        default: Some("none"),
        meaning: "Of which columns `dbcluster` counts the different values in each cluster, in a column named after them: \
                      `distinct_Computer`. NULL is not counted. A cluster whose exemplar hides other programs shows it here. No \
                      other function has it.",
        sql_example: r#"```sql
> SELECT "CommandLine", cluster_size, "distinct_Computer", "distinct_CommandLine"
  FROM dbcluster(events, [path_score(NewProcessName)], eps => 10, scaling => 'none', distinct_of => [Computer, CommandLine])
  ORDER BY cluster_size;
+---------------------------------------+--------------+-------------------+----------------------+
| CommandLine                           | cluster_size | distinct_Computer | distinct_CommandLine |
+---------------------------------------+--------------+-------------------+----------------------+
| x.exe --key=a;b;c --out="\\srv\share" | 1            | 1                 | 1                    |
| cmd.exe /c run_1.bat                  | 3            | 2                 | 3                    |
+---------------------------------------+--------------+-------------------+----------------------+
```"#,
    },
    ClusterOption {
        name: "template_of",
        takes: Takes::Columns { of: |options| &mut options.template_of, are: ColumnsAre::Text },
        place: None,
        only_in: Some("dbcluster"),
        carry: |options| columns(&options.template_of),
        default: Some("none"),
        meaning: "Of which text columns `dbcluster` tells the pattern that a cluster's values have in common, in a column named after \
                      them: `CommandLine_template`. Each value is masked as `cmdline_template` does it and cut at the delimiters of \
                      `cmdline_tokens`. If all values have the same delimiters in the same order, pieces that differ become `<*>`; \
                      else what stands between the longest common beginning and the longest common end does, both in pieces with \
                      their delimiters. NULL is left out. No other function has it.",
        sql_example: r#"```sql
> SELECT cluster_size, "CommandLine_template"
  FROM dbcluster(events, [path_score(NewProcessName)], eps => 2000, scaling => 'none', template_of => CommandLine)
  UNION ALL SELECT cluster_size, "CommandLine_template"
  FROM dbcluster((SELECT * FROM events WHERE "Computer" = 'wks-1'), [path_score(NewProcessName)], eps => 10, scaling => 'none',
                 template_of => CommandLine)
  ORDER BY cluster_size;
+--------------+--------------------------+
| cluster_size | CommandLine_template     |
+--------------+--------------------------+
| 2            | cmd.exe /c run_<NUM>.bat |
| 4            | <*>                      |
+--------------+--------------------------+
```"#,
    },
    ClusterOption {
        name: "activity",
        takes: Takes::Count {
            least: 1,
            most: 1000,
            set: |options, buckets| options.activity = Some(buckets),
            get: |options| options.activity,
        },
        place: None,
        only_in: Some("dbcluster"),
        carry: |options| lit(ScalarValue::Int64(options.activity)),
        default: Some("none"),
        meaning: "In how many equal spans of time, from the first to the last event of all rows, `dbcluster` counts the events of each \
                      cluster, in a list `activity`; `sparkline(activity)` draws it. Events without a time are not counted. No other \
                      function has it.",
        sql_example: r#"```sql
> SELECT "CommandLine", activity, sparkline(activity) AS drawn
  FROM dbcluster(events, [path_score(NewProcessName)], eps => 10, scaling => 'none', activity => 6)
  ORDER BY cluster_size;
+---------------------------------------+--------------------+--------+
| CommandLine                           | activity           | drawn  |
+---------------------------------------+--------------------+--------+
| x.exe --key=a;b;c --out="\\srv\share" | [0, 0, 0, 0, 0, 1] | ▁▁▁▁▁█ |
| cmd.exe /c run_1.bat                  | [1, 0, 1, 0, 1, 0] | █▁█▁█▁ |
+---------------------------------------+--------------------+--------+
```"#,
    },
    ClusterOption {
        name: "of",
        takes: Takes::Named(|options| &mut options.of),
        place: None,
        only_in: Some("dbcluster_values"),
        carry: |options| {
            let names: Vec<String> = options.of.iter().map(|column| column.name.clone()).collect();
            texts(&names)
        },
        default: Some("none: it has to be given"),
        meaning: "Whose values `dbcluster_values` counts in each cluster: columns, or expressions over one row with a name. No other function \
                      has it.",
        sql_example: r#"```sql
> SELECT "column", value, events
  FROM dbcluster_values(events, [path_score(NewProcessName)], eps => 10, scaling => 'none',
                        of => {host: Computer, minute: date_part('minute', TimeGenerated)})
  ORDER BY "column", value;
+--------+-------+--------+
| column | value | events |
+--------+-------+--------+
| host   | wks-1 | 2      |
| host   | wks-2 | 1      |
| minute | 0     | 1      |
| minute | 10    | 1      |
| minute | 20    | 1      |
+--------+-------+--------+
```"#,
    },
    ClusterOption {
        name: "top",
        takes: Takes::Count {
            least: 1,
            most: 1_000_000,
            set: |options, values| options.top = Some(values),
            get: |options| options.top,
        },
        place: None,
        only_in: Some("dbcluster_values"),
        carry: |options| lit(ScalarValue::Int64(options.top)),
        default: Some("all"),
        meaning: "How many of the rarest and how many of the most frequent values `dbcluster_values` gives of each cluster and column; of equally \
                      frequent ones those that come first as text. No other function has it.",
        sql_example: r"```sql
> SELECT value, events
  FROM dbcluster_values(events, [path_score(NewProcessName)], eps => 10, scaling => 'none', of => Computer, top => 1)
  ORDER BY events;
+-------+--------+
| value | events |
+-------+--------+
| wks-2 | 1      |
| wks-1 | 2      |
+-------+--------+
```",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_has_a_place_of_its_own() {
        let places: Vec<_> = ClusterOption::in_plans().iter().map(|option| option.place).collect();
        assert_eq!(places, (0..places.len()).map(Some).collect::<Vec<_>>());
        let mut names = ClusterOption::names();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), OPTIONS.len());
    }

    #[test]
    fn documentation_has_names_and_defaults_from_the_values() {
        let scaling = ClusterOption::find("Scaling").unwrap_or_else(|| panic!("there is such an option"));
        assert_eq!(scaling.values(), "`'l2'`, `'none'`, `'zscore'`, `'minmax'` or `'robust'`");
        assert_eq!(scaling.default(), "`'l2'`");
        let min_samples = ClusterOption::find("min_samples").map(ClusterOption::default);
        assert_eq!(min_samples.as_deref(), Some("2"));
    }
}
