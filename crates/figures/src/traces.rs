//! Traces as the JSON that the drawing script reads, where the `plotly` crate has no type for them.

use plotly::Trace;
use serde::Serialize;
use serde_json::Value;

/// A trace of any kind.
#[derive(Serialize, Clone)]
#[serde(transparent)]
pub(crate) struct Drawn(pub(crate) Value);

impl Drawn {
    pub(crate) fn boxed(trace: Value) -> Box<dyn Trace> {
        Box::new(Self(trace))
    }
}

impl Trace for Drawn {
    fn to_json(&self) -> String {
        self.0.to_string()
    }
}
