//! The same SQL on a Ballista cluster: schedulers and executors, each a process of its own on loopback.
//!
//! Compiled with the feature `ballista`. They take some minutes; `cargo test ... -- --skip clusters::` leaves them out.
//! Executors have one core each and are given one task at a time, so that both of them work.

mod answers;
mod clients;
mod failures;
mod losses;
mod pages;
mod plans;
mod processes;
mod s3;
mod text;
