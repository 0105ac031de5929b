//! Finds what some tests need and a machine may lack, so that cargo lists these tests as ignored.
//!
//! `no_browser` and `no_event_sets` are set where there is no browser and no folder of real event sets. The tests
//! name them in `#[cfg_attr(no_browser, ignore = "...")]`: a test that returned early would count as passed.
//!
//! `DBCLUSTER_REQUIRE` lists what has to be there, of `browser` and `event-sets`: their tests run, and fail where it is
//! missing. Cargo runs this program again when that variable or `DBCLUSTER_DATA` changes, and when what was found
//! goes away.

#![expect(
    clippy::disallowed_macros,
    reason = "Cargo reads what this program prints, and a panic fails the build"
)]

use std::env;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo:rerun-if-env-changed=DBCLUSTER_REQUIRE");
    println!("cargo:rerun-if-env-changed=DBCLUSTER_DATA");
    let required = env::var("DBCLUSTER_REQUIRE").unwrap_or_default();
    let required: Vec<&str> = required.split([' ', ',']).filter(|name| !name.is_empty()).collect();
    for name in &required {
        assert!(
            ["browser", "event-sets"].contains(name),
            "DBCLUSTER_REQUIRE names '{name}', expected 'browser' or 'event-sets'"
        );
    }
    need("no_browser", browser(), required.contains(&"browser"));
    need("no_event_sets", event_set(), required.contains(&"event-sets"));
}

/// Sets `missing` for the tests if `found` is `None` and the thing is not required.
fn need(missing: &str, found: Option<PathBuf>, is_required: bool) {
    println!("cargo:rustc-check-cfg=cfg({missing})");
    match found {
        Some(file) => println!("cargo:rerun-if-changed={}", file.display()),
        None if is_required => {}
        None => println!("cargo:rustc-cfg={missing}"),
    }
}

/// The browser that `tests/browser.rs` will start.
fn browser() -> Option<PathBuf> {
    let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = names
        .into_iter()
        .find_map(|name| folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file()));
    // An installation changes this folder. A file that is not there would have Cargo run this each time.
    let system = Path::new("/usr/bin");
    if found.is_none() && system.is_dir() {
        println!("cargo:rerun-if-changed={}", system.display());
    }
    found
}

/// One of the real event sets, in the folder that `data_folder` of `tests/support.rs` takes.
fn event_set() -> Option<PathBuf> {
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    // The package may be a member of the repository's workspace.
    let repository = package.ancestors().find(|folder| folder.join("tests/main.rs").is_file());
    let folder = env::var_os("DBCLUSTER_DATA").map(PathBuf::from);
    let folder = folder.or_else(|| Some(repository?.join("../shared/data")))?;
    Some(folder.join("processes_on_host.csv")).filter(|file| file.is_file())
}
