//! Names that are not meant by a folder or a pattern.

/// Why files are passed over that are hidden by their names.
pub(super) const REASON: &str = "hidden";

/// Why files are passed over that systems leave beside data.
pub(super) const LEFT: &str = "left by a system, not data";

/// The reason for which a name is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hidden {
    /// Nobody.
    No,
    /// The one who named it. If all files are hidden so, they are meant.
    ByName,
    /// A system that leaves it beside data: it is never data.
    BySystem,
    /// The archive that it is the list of: nobody has to be told.
    ByArchive,
}

impl Hidden {
    /// The reason to pass over a file of such a name, if there is one.
    pub(super) fn reason(self) -> Option<&'static str> {
        match self {
            Self::No => None,
            Self::ByName | Self::ByArchive => Some(REASON),
            Self::BySystem => Some(LEFT),
        }
    }
}

/// The list of an archive.
pub(super) const LIST: &str = "_manifest";

/// Files and folders that systems leave beside data, in lower case.
const LEFT_BY_SYSTEMS: [&str; 5] = [".ds_store", "thumbs.db", "desktop.ini", "__macosx", "_success"];

/// Tells who hides a name. `_` hides folders that aren't a partition (`_key=value`), and files without an ending, as writers of
/// data sets mark their own: `_delta_log/`, `_committed_1`; but `_audit.csv` is data.
pub(super) fn hidden(name: &str, is_folder: bool) -> Hidden {
    if name == LIST && !is_folder {
        Hidden::ByArchive
    } else if name.starts_with("._") || LEFT_BY_SYSTEMS.iter().any(|left| name.eq_ignore_ascii_case(left)) {
        Hidden::BySystem
    } else if name.starts_with('.')
        || name.starts_with('_') && !name.contains(if is_folder { '=' } else { '.' })
    {
        Hidden::ByName
    } else {
        Hidden::No
    }
}
