//! A query as the SQL that a person would write, in one of its many spellings.

use fastrand::Rng;

use super::dbscan::Metric;
use super::query::{
    Exemplar, Feature, Form, Function, Input, Nulls, OrderKey, Query, Scalar, Shown, SortKey, TimeColumn,
};
use super::scaling::Scaling;
use super::table::identifier;
use super::tables::percent;

/// The name of the table of a test.
pub const TABLE: &str = "events";

impl Query {
    /// The statements; the last one gives the rows. `path` is the table's file or folder.
    pub fn statements(&self, path: &str) -> Vec<String> {
        let mut rng = Rng::with_seed(self.spelling);
        let mut statements = vec![];
        let mut with = String::new();
        match &self.input {
            Input::View(columns) => {
                let columns: Vec<String> = columns.iter().map(|name| identifier(name)).collect();
                statements.push(format!("CREATE VIEW seen AS SELECT {} FROM {TABLE}", columns.join(", ")));
            }
            Input::Cte => with = format!("WITH seen AS (SELECT * FROM {TABLE}) "),
            _ => {}
        }
        let call = match self.function {
            Function::Window => self.window(path),
            _ => self.call(path, &mut rng),
        };
        match self.form {
            Form::Prepared => {
                let select = self.select(&with, &call);
                statements.push(format!("PREPARE asked(DOUBLE, BIGINT) AS {select}"));
                statements.push(format!("EXECUTE asked({}, {})", number(self.eps), self.min_samples));
            }
            Form::View => {
                statements.push(format!("CREATE VIEW answer AS {with}SELECT * FROM {call}"));
                statements.push(self.select("", "answer"));
            }
            Form::Stored => {
                statements.push(format!("CREATE TABLE answer AS {with}SELECT * FROM {call}"));
                statements.push(self.select("", "answer"));
            }
            Form::Plain | Form::Positional | Form::Again | Form::DataFrame => {
                statements.push(self.select(&with, &call));
            }
        }
        statements
    }

    /// The query over the rows of `from`.
    pub fn select(&self, with: &str, from: &str) -> String {
        let list =
            |names: &[String]| names.iter().map(|name| identifier(name)).collect::<Vec<_>>().join(", ");
        let size = if self.function == Function::Dbcluster { ", sum(cluster_size) AS events" } else { "" };
        let (columns, group_by) = match &self.shown {
            Shown::All => ("*".to_string(), ""),
            Shown::Columns(names) => (list(names), ""),
            Shown::Totals => (
                format!(
                    "count(*) AS n, count(cluster_id) AS labelled, min(cluster_id) AS least, \
                     max(cluster_id) AS most{size}"
                ),
                "",
            ),
            Shown::PerCluster => ("cluster_id, count(*) AS n".to_string(), " GROUP BY cluster_id"),
        };
        let filter = self.filter.as_ref().map_or(String::new(), |it| format!(" WHERE {}", it.sql()));
        let keys: Vec<String> = self.sort.iter().map(SortKey::sql).collect();
        let order_by = if keys.is_empty() { String::new() } else { format!(" ORDER BY {}", keys.join(", ")) };
        let limit = self.limit.map_or(String::new(), |limit| format!(" LIMIT {limit}"));
        let offset = if self.offset > 0 { format!(" OFFSET {}", self.offset) } else { String::new() };
        format!("{with}SELECT {columns} FROM {from}{filter}{group_by}{order_by}{limit}{offset}")
    }

    /// The input, as a table function takes it and as FROM does.
    fn table(&self, path: &str) -> String {
        match &self.input {
            Input::Table => TABLE.to_string(),
            Input::Path => format!("'{path}'"),
            Input::View(_) | Input::Cte => "seen".to_string(),
            Input::Subquery => format!("(SELECT * FROM {TABLE})"),
            Input::Doubled => format!("(SELECT * FROM {TABLE} UNION ALL SELECT * FROM {TABLE})"),
            Input::Where(predicate) => format!("(SELECT * FROM {TABLE} WHERE {})", predicate.sql()),
            Input::DistinctOn(by) => {
                let by = identifier(by);
                format!("(SELECT DISTINCT ON ({by}) * FROM {TABLE} ORDER BY {by})")
            }
            Input::Limited { by, descending, limit, offset } => {
                let by = identifier(by);
                let direction = if *descending { " DESC NULLS LAST" } else { "" };
                let offset = if *offset == 0 { String::new() } else { format!(" OFFSET {offset}") };
                format!("(SELECT * FROM {TABLE} ORDER BY {by}{direction} LIMIT {limit}{offset})")
            }
        }
    }

    fn window(&self, path: &str) -> String {
        let (eps, min_samples) = self.numbers();
        let mut arguments = vec![eps, min_samples];
        arguments.extend(self.features.iter().map(|feature| feature.scalar.sql()));
        let options = self.window_options();
        if !options.is_empty() {
            arguments.push(options);
        }
        let mut over = vec![];
        if !self.partition_by.is_empty() {
            let keys: Vec<String> = self.partition_by.iter().map(Scalar::sql).collect();
            over.push(format!("PARTITION BY {}", keys.join(", ")));
        }
        if !self.order_by.is_empty() {
            let key = |key: &OrderKey| {
                let direction = if key.descending { "DESC" } else { "ASC" };
                let nulls = if key.nulls_first { "FIRST" } else { "LAST" };
                format!("{} {direction} NULLS {nulls}", key.scalar.sql())
            };
            over.push(format!("ORDER BY {}", self.order_by.iter().map(key).collect::<Vec<_>>().join(", ")));
        }
        format!(
            "(SELECT *, dbscan({}) OVER ({}) AS cluster_id FROM {})",
            arguments.join(", "),
            over.join(" "),
            self.table(path)
        )
    }

    /// The options of the window function, if there are any.
    pub fn window_options(&self) -> String {
        let mut options = vec![];
        if self.scaling != Scaling::None {
            options.push(format!("scaling: '{}'", self.scaling.name()));
        }
        if self.metric != Metric::Euclidean {
            options.push(format!("metric: '{}'", self.metric.name()));
        }
        if let Some(weights) = &self.weights {
            options.push(format!("weights: [{}]", numbers(weights)));
        }
        if options.is_empty() { String::new() } else { format!("{{{}}}", options.join(", ")) }
    }

    /// Eps and `min_samples` as SQL.
    fn numbers(&self) -> (String, String) {
        match self.form {
            Form::Prepared => ("$1".to_string(), "$2".to_string()),
            _ if self.is_auto => ("'auto'".to_string(), self.min_samples.to_string()),
            _ => (number(self.eps), self.min_samples.to_string()),
        }
    }

    fn call(&self, path: &str, rng: &mut Rng) -> String {
        let function = self.function.name();
        let (eps, min_samples) = self.numbers();
        if self.form == Form::Positional {
            let min_samples = if self.min_samples == 2 { String::new() } else { format!(", {min_samples}") };
            let features = as_text(&self.features);
            return format!("{function}('{}', {features}, {eps}{min_samples})", self.table(path));
        }
        let mut positional = vec![self.table(path), list_of_features(&self.features, rng)];
        let mut named = vec![];
        if percent(rng, 30) {
            positional.push(eps);
        } else {
            named.push(format!("eps => {eps}"));
        }
        let mut option = |is_default: bool, text: String| {
            if !is_default || percent(rng, 20) {
                named.push(text);
            }
        };
        option(self.min_samples == 2 && self.form != Form::Prepared, format!("min_samples => {min_samples}"));
        option(self.scaling == Scaling::L2, format!("scaling => '{}'", self.scaling.name()));
        option(self.metric == Metric::Euclidean, format!("metric => '{}'", self.metric.name()));
        option(self.nulls == Nulls::Error, format!("nulls => {}", self.nulls.name()));
        option(self.exemplar == Exemplar::First, format!("exemplar => '{}'", self.exemplar.name()));
        match &self.time_column {
            TimeColumn::Default => {}
            TimeColumn::None => named.push("time_column => NULL".to_string()),
            TimeColumn::Named(name) | TimeColumn::Text(name) => {
                named.push(format!("time_column => {}", identifier(name)));
            }
            TimeColumn::Negated(name) => named.push(format!("time_column => 0 - {}", identifier(name))),
        }
        if let Some(weights) = &self.weights {
            named.push(format!("weights => {}", self.weights_by_place_or_name(weights, rng)));
        }
        if !self.partition_by.is_empty() {
            let keys: Vec<String> = self.partition_by.iter().map(Scalar::sql).collect();
            named.push(format!("partition_by => {}", list_of(&keys, rng)));
        }
        if !self.order_by.is_empty() {
            let keys: Vec<String> = self.order_by.iter().map(|key| key.scalar.sql()).collect();
            named.push(format!("order_by => {}", list_of(&keys, rng)));
        }
        if !self.keep_members.is_empty() {
            let kept = self.keep_members.iter().map(|(name, count)| format!("{}: {count}", identifier(name)));
            named.push(format!("keep_members => {{{}}}", kept.collect::<Vec<_>>().join(", ")));
        }
        if !self.distinct_of.is_empty() {
            let columns: Vec<_> = self.distinct_of.iter().map(|name| identifier(name)).collect();
            named.push(format!("distinct_of => [{}]", columns.join(", ")));
        }
        rng.shuffle(&mut named);
        positional.extend(named);
        format!("{function}({})", positional.join(", "))
    }

    fn weights_by_place_or_name(&self, weights: &[f64], rng: &mut Rng) -> String {
        let names: Vec<String> = self.features.iter().map(Feature::name).collect();
        if percent(rng, 50) || names.iter().any(|name| identifier(name) != *name) {
            return format!("[{}]", numbers(weights));
        }
        let by_name = names.iter().zip(weights).map(|(name, weight)| format!("{name}: {}", number(*weight)));
        format!("{{{}}}", by_name.collect::<Vec<_>>().join(", "))
    }
}

/// A list in one of the ways to write lists.
fn list_of(items: &[String], rng: &mut Rng) -> String {
    match items {
        [item] if percent(rng, 50) => item.clone(),
        _ => format!("[{}]", items.join(", ")),
    }
}

fn list_of_features(features: &[Feature], rng: &mut Rng) -> String {
    let named: Vec<String> = features.iter().map(with_alias).collect();
    let bare: Vec<String> = features.iter().map(|feature| feature.scalar.sql()).collect();
    let aliases = features.iter().filter(|feature| feature.alias.is_some()).count();
    let fields = || {
        let fields = features.iter().map(|feature| format!("{}: {}", feature.name(), feature.scalar.sql()));
        format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
    };
    match rng.u8(..4) {
        0 => as_text(features),
        1 => format!("struct({})", named.join(", ")),
        2 if aliases == features.len() => fields(),
        2 | 3 if aliases == 0 && features.len() > 1 => format!("({})", bare.join(", ")),
        _ if aliases == 0 => format!("[{}]", bare.join(", ")),
        _ if aliases == features.len() => fields(),
        _ => format!("struct({})", named.join(", ")),
    }
}

fn with_alias(feature: &Feature) -> String {
    match &feature.alias {
        Some(alias) => format!("{} AS {alias}", feature.scalar.sql()),
        None => feature.scalar.sql(),
    }
}

fn as_text(features: &[Feature]) -> String {
    let features: Vec<String> = features.iter().map(with_alias).collect();
    format!("'{}'", features.join(", ").replace('\'', "''"))
}

/// A number as SQL writes it, read back to the same bits.
pub fn number(number: f64) -> String {
    format!("{number:?}")
}

fn numbers(numbers: &[f64]) -> String {
    numbers.iter().map(|it| number(*it)).collect::<Vec<_>>().join(", ")
}
