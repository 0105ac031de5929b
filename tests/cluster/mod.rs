//! The same SQL on a Ballista cluster: schedulers and executors, each a process of its own on loopback.
//!
//! Compiled with the feature `ballista`, and left out where `DBCLUSTER_CLUSTER_TESTS=off` says so: they take some minutes.
//! Executors have one core each and are given one task at a time, so that both of them work.

mod answers;
mod clients;
mod failures;
mod losses;
mod pages;
mod plans;
mod processes;
mod s3;
