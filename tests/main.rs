//! All integration tests are in one binary, since each binary that links the engine costs minutes to build.
//!
//! | module | tests |
//! |---|---|
//! | `answers` | what is told of all members of a cluster, and of the time around events |
//! | `browser` | a headless Chromium, for `figures` |
//! | `binary` | `dbcluster` as a person runs it: batch modes, exit codes, files, pipes |
//! | `broken_files` | files that are damaged, empty, or no files |
//! | `clusters` | the same SQL on Ballista clusters of real processes (feature `ballista`) |
//! | `dataframe` | the methods of a `DataFrame` give what the table functions give |
//! | `documentation` | reference, README and pages have all functions, options and figures; their examples are true |
//! | `each_figure` | what each figure does by itself |
//! | `explain` | the plans of all functions over tables, as snapshots |
//! | `faults` | panics become errors |
//! | `field` | files as people have them: endings, encodings, times, folders, pipes; the flags of reading |
//! | `figures` | figures as a browser draws them: marks, hostile text, mouse, files, pictures; and their errors |
//! | `files` | files that are replaced while they are read |
//! | `fixture` | the seed's fourteen logons, kept in the repository |
//! | `habits` | what users of other shells type, and what a session begins with |
//! | `hunt` | the counts and terms of `hunt` against plain SQL, and the program as a person runs it |
//! | `limits` | right rows or true errors at memory limits, and the memory of the process |
//! | `malformed` | what nobody should write, and many do: each statement ends soon, in rows or in words |
//! | `marks` | all figures under the mouse and the keyboard, on paper, on a telephone, in a saved picture; characters that hide |
//! | `meant` | mistakes as people type them, and what the message says |
//! | `memory` | right rows or true figures where memory is refused, and plans that run again |
//! | `output` | tables on a terminal, CSV for programs, encodings of scripts, closed pipes |
//! | `pages` | pages with many rows, under the mouse, on paper; what they leave out; the report of a table |
//! | `plans` | plans as they run: the rows that they read, and cancellation |
//! | `reading` | files as tables of the library: options, errors, unions, memory, pipes, object stores |
//! | `reference` | scikit-learn's labels on the real event sets |
//! | `reference_sets` | scikit-learn's labels on small sets of our own |
//! | `report` | the page of `dbcluster report`: what a reader finds on it, at every eps, narrow, on paper, by keys |
//! | `rooms` | the parts of the crate that a part may use |
//! | `scripts` | the scripts of `sql/` on a generated sample |
//! | `session` | what `register_all` does to a session, and whose tables its functions find |
//! | `shell` | the interactive shell in a terminal |
//! | `signals` | a signal leaves an exit code, and no file |
//! | `sql` | the SQL contract as text files |
//! | `stability` | order, partitions, batches, threads and string types do not change a result |
//! | `twin` | random queries, answered by the engine and by a brute-force twin |
//! | `wide` | results in the width of a terminal, in a pager, and in files |
//! | `writing` | files appear whole or not at all |
//!
//! Tests that need a browser or the real event sets are ignored, with the reason, if `tests/build.rs`
//! finds none. `DBCLUSTER_REQUIRE="browser event-sets"` makes their absence a failure.

mod answers;
mod archive;
mod binary;
mod broken_files;
mod browser;
mod catalog;
#[cfg(feature = "ballista")]
mod clusters;
mod dataframe;
mod documentation;
mod each_figure;
mod every_eps;
mod explain;
mod faults;
mod field;
mod figures;
mod files;
mod fixture;
#[cfg(unix)]
mod habits;
mod hunt;
mod limits;
mod malformed;
mod marks;
mod meant;
mod memory;
mod object_store;
mod output;
mod pages;
mod plans;
mod reading;
mod reference;
mod reference_sets;
mod report;
mod rooms;
mod scripts;
mod session;
mod shell;
mod signals;
mod sql;
mod stability;
mod support;
mod twin;
mod why;
#[cfg(unix)]
mod wide;
mod writing;
