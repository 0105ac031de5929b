//! A table as plain Rust, which the twin reads and the engine is given.

use arrow::datatypes::DataType;

use super::value::Value;

#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    pub data_type: DataType,
}

#[derive(Debug, Clone)]
pub struct Table {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Value>>,
}

impl Table {
    /// The place of a column.
    pub fn place(&self, name: &str) -> usize {
        let place = self.columns.iter().position(|column| column.name == name);
        place.unwrap_or_else(|| panic!("the table has no column {name}"))
    }

    pub fn type_of(&self, name: &str) -> &DataType {
        &self.columns[self.place(name)].data_type
    }

    pub fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
        let place = self.place(name);
        self.rows.iter().map(move |row| &row[place])
    }

    /// The names of the columns of which `chosen` is true.
    pub fn names(&self, chosen: impl Fn(&DataType) -> bool) -> Vec<String> {
        let chosen = self.columns.iter().filter(|column| chosen(&column.data_type));
        chosen.map(|column| column.name.clone()).collect()
    }

    /// The statement that makes it.
    pub fn create(&self, name: &str) -> String {
        let select = |row: &[Value]| {
            let columns = self.columns.iter().zip(row);
            let columns = columns.map(|(column, value)| {
                format!("{} AS {}", value.sql(&column.data_type), identifier(&column.name))
            });
            format!("SELECT {}", columns.collect::<Vec<_>>().join(", "))
        };
        let rows: Vec<String> = self.rows.iter().map(|row| select(row)).collect();
        if rows.is_empty() {
            let nulls = vec![Value::Null; self.columns.len()];
            return format!("CREATE TABLE {name} AS {} WHERE false", select(&nulls));
        }
        format!("CREATE TABLE {name} AS {}", rows.join("\nUNION ALL "))
    }
}

/// A name as SQL writes it: in quotes where it has to be.
pub fn identifier(name: &str) -> String {
    let is_plain = name.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_');
    if is_plain { name.to_string() } else { format!("\"{name}\"") }
}
