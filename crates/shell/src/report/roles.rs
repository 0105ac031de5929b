//! The columns that a page shows of an event, by the names that logs have for them.

use arrow::datatypes::{DataType, Schema};
use datafusion_dbcluster::event_columns::{
    ACCOUNTS, COMMAND_LINES, HOSTS, LOGON_DETAILS, LOGON_SOURCES, LOGON_TYPES, PARENT_PROGRAMS, PROGRAMS,
    Place, is_time,
};
use dbcluster_figures::{Role, RoleName};

use super::defaults::{any_text, expression, identifier, line_column};
use super::features::Label;
use crate::hunt_defaults::Hunt;

/// Columns of other logs that say where an event came from.
const SOURCES: &[&str] = &["sourceIPAddress", "id.orig_h", "c-ip", "src_ip", "ClientIP"];

/// Columns of other logs that say who did it.
const IDENTITIES: &[&str] = &["userIdentity.arn", "userArn", "userIdentity.userName", "UserId"];

/// The parts that columns of the table play, each once.
pub(super) fn roles(schema: &Schema, label: &Label, time: Option<(&str, &str)>) -> Vec<Role> {
    let column = |names: &'static [&'static str]| -> Option<(String, String)> {
        let mut places = Place::all(schema, names);
        places
            .find(|(place, _)| !place.data_type.is_nested())
            .map(|(place, _)| (place.path.join("."), expression(&place)))
    };
    let of_program = |(name, sql): (String, String)| (name, format!("process_name({sql})"));
    let mut roles = vec![];
    let mut add = |role: RoleName, found: Option<(String, String)>| {
        // A column that is the name of an event says nothing new in another part.
        if let Some((label, sql)) = found.filter(|(_, sql)| roles.iter().all(|role: &Role| role.sql != *sql))
        {
            roles.push(Role { role, label, sql });
        }
    };
    add(RoleName::Name, Some((label.name.clone(), label.expression.clone())));
    add(RoleName::Text, text(schema, &column));
    add(RoleName::Parent, column(PARENT_PROGRAMS).map(of_program));
    add(RoleName::Account, column(ACCOUNTS).or_else(|| column(IDENTITIES)));
    add(RoleName::Host, column(HOSTS).or_else(|| column(SOURCES)));
    add(RoleName::Path, column(PROGRAMS));
    add(RoleName::Time, time.map(|(name, sql)| (name.to_string(), sql.to_string())));
    roles
}

/// The text of an event: its command line or its line, or the columns that tell most, one behind the other.
fn text(
    schema: &Schema,
    column: &impl Fn(&'static [&'static str]) -> Option<(String, String)>,
) -> Option<(String, String)> {
    if let Some(command) = column(COMMAND_LINES) {
        return Some(command);
    }
    if let Some(parts) = Hunt::text_parts(schema) {
        return Some(("text".to_string(), format!("concat_ws(' ', {})", parts.join(", "))));
    }
    let of_logons = [LOGON_TYPES, LOGON_SOURCES].into_iter().chain(LOGON_DETAILS.iter().copied());
    let parts: Vec<String> = of_logons.filter_map(column).map(|(_, sql)| sql).collect();
    if column(LOGON_TYPES).is_some() && parts.len() > 1 {
        return Some(("logon".to_string(), format!("concat_ws(' ', {})", parts.join(", "))));
    }
    let line = line_column(schema).or_else(|| any_text(schema))?;
    Some(("text".to_string(), line))
}

/// The time of the events: the column that was given, or the first one of a type of times. With its type.
pub(crate) fn time(schema: &Schema, given: Option<&str>) -> Option<(String, String, Option<DataType>)> {
    if let Some(given) = given {
        return Some(match schema.field_with_name(given) {
            Ok(field) => (given.to_string(), identifier(given), Some(field.data_type().clone())),
            Err(_) => (given.to_string(), given.to_string(), None),
        });
    }
    let field = schema.fields().iter().find(|field| is_time(field.data_type()))?;
    Some((field.name().clone(), identifier(field.name()), Some(field.data_type().clone())))
}
