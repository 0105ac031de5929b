//! The settings of a session: `SET dbcluster.enable_dbscan_exec = false`.
//!
//! Each rule of this crate that replaces operators of the engine, or moves filters and limits, can be switched off, to compare
//! plans or to find the cause of a problem. The results are the same with each of these settings. The others are the options
//! of reading files. A session without this extension has the defaults.

use std::any::Any;

use datafusion::common::{Result, config_err};
use datafusion::config::{ConfigEntry, ConfigExtension, ConfigOptions, ExtensionOptions};

use crate::near_miss::did_you_mean;
#[cfg(feature = "logs")]
use crate::read_options::{READ_OPTIONS, ReadSettings};

/// The settings behind `SET dbcluster.name = value`. [`register_all`](crate::register_all) adds them to a session without.
// The engine's extensions_options! lists settings without their prefix: SHOW would not find them, and Ballista not send them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each switches one rule")]
pub struct DbclusterConfig {
    /// Clustering runs in `DbscanExec`, which has memory accounting and metrics and can be cancelled.
    pub enable_dbscan_exec: bool,
    /// Clusters are joined with events by a hash table, also where the session prefers sort-merge joins.
    pub enable_cluster_hash_join: bool,
    /// Events are filtered by the order keys of the exemplars before they are joined with the clusters.
    pub enable_exemplar_fetch: bool,
    /// The event that stands for a cluster is chosen by `ExemplarSelectExec`, without a sort of all candidates.
    pub enable_exemplar_select: bool,
    /// Filters and limits of a query on columns of the clusters are applied before the events that stand for them are fetched.
    pub enable_cluster_pushdown: bool,
    /// The options of reading files, `dbcluster.read.time_zone` and the like, where a statement gives none of its own.
    #[cfg(feature = "logs")]
    pub(crate) read: ReadSettings,
}

impl Default for DbclusterConfig {
    fn default() -> Self {
        Self {
            enable_dbscan_exec: true,
            enable_cluster_hash_join: true,
            enable_exemplar_fetch: true,
            enable_exemplar_select: true,
            enable_cluster_pushdown: true,
            #[cfg(feature = "logs")]
            read: ReadSettings::default(),
        }
    }
}

/// A setting as SQL knows it.
struct Setting {
    name: &'static str,
    description: &'static str,
    value: fn(&mut DbclusterConfig) -> &mut bool,
}

const SETTINGS: [Setting; 5] = [
    Setting {
        name: "enable_dbscan_exec",
        description: "When set to true, clustering runs in DbscanExec, which has memory accounting and metrics and can be \
                      cancelled. When set to false, it runs in the engine's WindowAggExec.",
        value: |config| &mut config.enable_dbscan_exec,
    },
    Setting {
        name: "enable_cluster_hash_join",
        description: "When set to true, clusters are joined with events by a hash table of the clusters, also where \
                      datafusion.optimizer.prefer_hash_join is false.",
        value: |config| &mut config.enable_cluster_hash_join,
    },
    Setting {
        name: "enable_exemplar_fetch",
        description: "When set to true, events are filtered by the times (or other keys) of the clusters before they are joined \
                      with the clusters, in the scan where it filters.",
        value: |config| &mut config.enable_exemplar_fetch,
    },
    Setting {
        name: "enable_exemplar_select",
        description: "When set to true, the event that stands for a cluster is chosen by ExemplarSelectExec, in memory for one \
                      row per cluster. When set to false, the engine sorts all candidates.",
        value: |config| &mut config.enable_exemplar_select,
    },
    Setting {
        name: "enable_cluster_pushdown",
        description: "When set to true, filters and limits on columns of the clusters are applied to the clusters, before the \
                      events that stand for them are fetched. When set to false, they are applied to the rows of the result.",
        value: |config| &mut config.enable_cluster_pushdown,
    },
];

impl DbclusterConfig {
    /// Returns the settings of a session, or the defaults if it has none.
    pub(crate) fn of(options: &ConfigOptions) -> Self {
        options.extensions.get::<Self>().cloned().unwrap_or_default()
    }
}

impl ConfigExtension for DbclusterConfig {
    const PREFIX: &'static str = "dbcluster";
}

impl ExtensionOptions for DbclusterConfig {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        #[cfg(feature = "logs")]
        if let Some(option) = key.strip_prefix("read.") {
            return self.read.set(option, value);
        }
        let Some(setting) = SETTINGS.iter().find(|setting| setting.name == key) else {
            let names = SETTINGS.map(|setting| setting.name);
            return config_err!("dbcluster has no setting '{key}'{}", did_you_mean(key, &names));
        };
        if value.is_empty() {
            *(setting.value)(self) = *(setting.value)(&mut Self::default());
            return Ok(());
        }
        let Ok(switch) = value.to_ascii_lowercase().parse() else {
            return config_err!("dbcluster.{key} is '{value}', expected true or false");
        };
        *(setting.value)(self) = switch;
        Ok(())
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        let mut config = self.clone();
        let entry = |setting: Setting| ConfigEntry {
            key: format!("{}.{}", Self::PREFIX, setting.name),
            value: Some((setting.value)(&mut config).to_string()),
            description: setting.description,
        };
        let switches = SETTINGS.into_iter().map(entry);
        #[cfg(feature = "logs")]
        let switches = switches.chain(READ_OPTIONS.iter().map(|option| ConfigEntry {
            key: format!("{}.read.{}", Self::PREFIX, option.name()),
            value: self.read.get(option).map(ToString::to_string),
            description: option.meaning(),
        }));
        switches.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_set_and_listed_one_by_one() {
        for name in SETTINGS.map(|setting| setting.name) {
            let mut options = ConfigOptions::new();
            options.extensions.insert(DbclusterConfig::default());
            let key = format!("dbcluster.{name}");
            options.set(&key, "false").unwrap_or_else(|error| panic!("{error}"));
            assert_ne!(DbclusterConfig::of(&options), DbclusterConfig::default());
            let off = options.entries().into_iter().filter(|entry| {
                entry.key.starts_with("dbcluster.") && entry.value.as_deref() == Some("false")
            });
            assert_eq!(off.map(|entry| entry.key).collect::<Vec<_>>(), [key.as_str()]);
            for default in ["TRUE", ""] {
                options.set(&key, default).unwrap_or_else(|error| panic!("{error}"));
                assert_eq!(DbclusterConfig::of(&options), DbclusterConfig::default());
                options.set(&key, "false").unwrap_or_else(|error| panic!("{error}"));
            }
        }
        assert_eq!(DbclusterConfig::of(&ConfigOptions::new()), DbclusterConfig::default());
    }
}
